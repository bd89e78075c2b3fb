"""Tensors to NumPy and back, for checkpoints that hold builtins and arrays only and that resume bit for bit.

Kept apart from the loop so that a page's ``jobs.call`` can rebuild a trained model without it. Never pickle.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

# NumPy has no such types: they travel as integers of the same width, under a name.
VIEWED = {"bfloat16": (torch.bfloat16, torch.int16)}


def to_plain(tree: Any) -> Any:
    """A copy of nested dicts, lists and tuples with every tensor as an array on the host."""
    if isinstance(tree, Tensor):
        for name, (dtype, integer) in VIEWED.items():
            if tree.dtype == dtype:
                return {name: to_plain(tree.view(integer))}
        return tree.detach().to("cpu", copy=True).contiguous().numpy()
    if isinstance(tree, dict):
        return {k: to_plain(v) for k, v in tree.items()}
    if isinstance(tree, (list, tuple)):
        return type(tree)(to_plain(v) for v in tree)
    return tree


def from_plain(tree: Any) -> Any:
    """The inverse of ``to_plain``: every array as a tensor of its own on the CPU."""
    if isinstance(tree, np.ndarray):
        return torch.from_numpy(tree.copy())
    if isinstance(tree, dict):
        for name, (dtype, _) in VIEWED.items():
            if tree.keys() == {name}:
                return from_plain(tree[name]).view(dtype)
        return {k: from_plain(v) for k, v in tree.items()}
    if isinstance(tree, (list, tuple)):
        return type(tree)(from_plain(v) for v in tree)
    return tree


def load_model(model: nn.Module, arrays: dict[str, Any]) -> None:
    """Put the arrays of a checkpoint's ``state["model"]`` into a model built like the one that they came from."""
    model.load_state_dict(from_plain(arrays))


def load_optimizer(optimizer: torch.optim.Optimizer, plain: dict[str, Any]) -> None:
    """Restore an optimizer, its buffers laid out in memory like their parameters.

    ``load_state_dict`` leaves the buffers contiguous; fused kernels walk a parameter and its buffers side by side, so
    after a resume a channels_last model would be updated with the wrong numbers.
    """
    optimizer.load_state_dict(from_plain(plain))
    for parameter, buffers in optimizer.state.items():
        for name, value in buffers.items():
            if isinstance(value, Tensor) and value.shape == parameter.shape:
                buffers[name] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)


def rng_state(device: str) -> dict[str, np.ndarray]:
    """The state of torch's generators, of the CPU and of ``device``."""
    state = {"cpu": torch.get_rng_state()}
    if device == "cuda":
        state["cuda"] = torch.cuda.get_rng_state()
    elif device == "mps":
        state["mps"] = torch.mps.get_rng_state()
    return to_plain(state)


def set_rng_state(state: dict[str, np.ndarray]) -> None:
    """Put back what ``rng_state`` read."""
    setters = {"cpu": torch.set_rng_state, "cuda": torch.cuda.set_rng_state, "mps": torch.mps.set_rng_state}
    for device, value in from_plain(state).items():
        setters[device](value)
