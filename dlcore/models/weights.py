"""Networks that this project trained and ships, as safetensors files: numbers and a description, no code.

``train_weights`` makes them; ``assets/weights/MODEL_CARD.md`` says how good they are and what they are not for.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from dlcore.models.cnn import build
from dlcore.texts import N_, Problem

FOLDER = Path(__file__).resolve().parents[2] / "assets" / "weights"


def load_shipped(name: str = "mnist_fast") -> tuple[nn.Sequential, list[str]]:
    """A shipped network in float32, in eval mode, and the names of its classes.

    Raises:
        Problem: the file is missing or damaged (kind ``"weights"``).
    """
    path = FOLDER / f"{name}.safetensors"
    try:
        with safe_open(path, framework="pt") as file:
            about = {key: json.loads(text) for key, text in file.metadata().items()}
            arrays = {key: file.get_tensor(key).float() for key in file.keys()}  # noqa: SIM118 (no mapping)
        model = build(**about["build"])
        model.load_state_dict(arrays)
    except (OSError, SafetensorError, KeyError, RuntimeError, ValueError):
        raise Problem(
            N_("The network “{name}” that comes with the lessons is missing or damaged. Get the file {path} again."),
            kind="weights",
            name=name,
            path=str(path),
        ) from None
    return model.eval(), list(about["classes"])


def save(model: nn.Module, path: Path, about: dict[str, Any]) -> None:
    """Write a model in float16 (half the size; the card says what it costs) with what is needed to rebuild it.

    Args:
        about: JSON-ready; ``build`` (arguments of ``dlcore.models.cnn.build``) and ``classes`` are needed to load.
    """
    arrays = {name: value.detach().cpu().to(torch.float16).contiguous() for name, value in model.state_dict().items()}
    save_file(arrays, path, {key: json.dumps(value) for key, value in about.items()})
