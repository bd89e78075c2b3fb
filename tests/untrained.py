"""Checkpoint files of networks that were never trained, for what looks into networks."""

from __future__ import annotations

from pathlib import Path

import torch

from dlcore.checkpoints import to_plain
from dlcore.events import pack
from dlcore.models.cnn import build


def write(
    path: Path, network: str, seed: int = 0, *, shape: tuple[int, int, int] = (1, 28, 28), classes: int = 10
) -> str:
    """Draw a network's first weights and write them as a run would; returns the path."""
    torch.manual_seed(seed)
    about = {"network": network, "shape": shape, "classes": classes, "mean": 0.15, "std": 0.3, "dropout": 0.0}
    names = [str(k) for k in range(classes)]
    model = build(**about)
    path.write_bytes(pack({"build": about, "classes": names, "model": to_plain(model.state_dict())}))
    return str(path)
