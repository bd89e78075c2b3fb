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
from torch import Tensor, nn

from dlcore.models.cnn import build
from dlcore.texts import N_, Problem

FOLDER = Path(__file__).resolve().parents[2] / "assets" / "weights"


def load_shipped(name: str = "mnist_fast") -> tuple[nn.Sequential, list[str]]:
    """A shipped network in float32, in eval mode, and the names of its classes.

    Raises:
        Problem: the file is missing or damaged (kind ``"weights"``).
    """
    about, arrays = read_shipped(name)
    try:
        model = build(**about["build"])
        model.load_state_dict(arrays)
    except (KeyError, RuntimeError, ValueError):
        raise _damaged(name) from None
    return model.eval(), list(about["classes"])


def read_shipped(name: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """What a shipped file says of its network, and its weights in float32. Raises as ``load_shipped`` does."""
    try:
        with safe_open(FOLDER / f"{name}.safetensors", framework="pt") as file:
            about = {key: json.loads(text) for key, text in file.metadata().items()}
            return about, {key: file.get_tensor(key).float() for key in file.keys()}  # noqa: SIM118 (no mapping)
    except (OSError, SafetensorError, RuntimeError, ValueError):
        raise _damaged(name) from None


def _damaged(name: str) -> Problem:
    return Problem(
        N_("The network “{name}” that comes with the lessons is missing or damaged. Get the file {path} again."),
        kind="weights", name=name, path=str(FOLDER / f"{name}.safetensors"),
    )  # fmt: skip


def save(model: nn.Module, path: Path, about: dict[str, Any]) -> None:
    """Write a model in float16 (half the size; the card says what it costs) with what is needed to rebuild it.

    Args:
        about: JSON-ready; ``build`` (arguments of the model's class) is needed to load (and ``classes``).
    """
    arrays = {name: value.detach().cpu().to(torch.float16).contiguous() for name, value in model.state_dict().items()}
    save_file(arrays, path, {key: json.dumps(value) for key, value in about.items()})
