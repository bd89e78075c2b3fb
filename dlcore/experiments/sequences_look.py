"""What is asked of networks of the memory lesson outside of a run: gradients before training, and answers step by step.

All functions are meant for ``jobs.call``: builtins and arrays both ways.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from dlcore.events import unpack
from dlcore.experiments import sequences
from dlcore.experiments.sequences import Config
from dlcore.knobs import knobs_of
from dlcore.sequence_training import cells_of

SHAPING = (
    "task",
    "length",
    "cell",
    "hidden",
    "forget_bias",
    "start",
    "radius",
    "seed",
)  # what a fresh network depends on


def fresh_gradients(settings: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The gradient by every time step of networks as they begin: those of a run with these settings, before step 1.

    Args:
        settings: values of ``SHAPING``.

    Returns:
        By cell, and ``lstm.c``: (T,) norms of ∂L/∂h_t.
    """
    import torch

    from dlcore.models import memory
    from dlcore.models.together import together

    config = Config(**{name: settings[name] for name in SHAPING}, device="cpu")
    with torch.random.fork_rng(devices=[]):
        models = together(cells_of(config), partial(memory.build, config), config.seed)
    return sequences.gradients(models, sequences.probe(config), "cpu")


def answers(checkpoint: str, version: int, X: np.ndarray) -> dict[str, np.ndarray]:
    """What the networks of a checkpoint would answer if they were asked after each step of one sequence.

    Args:
        checkpoint: path of a run's checkpoint; ``version`` says when it was written, so that a newer one is read again.
        X: (T, inputs) float32.

    Returns:
        By cell: (T, classes) probabilities, or (T, 1) the number that it would answer.
    """
    import torch

    models, found = _models(checkpoint, version), {}
    with torch.inference_mode():
        for cell, model in models.items():
            H, _ = model.layer(torch.from_numpy(X)[None])
            out = model.read(H[0])  # (T, outputs)
            found[cell] = (out.softmax(1) if out.shape[1] > 1 else out).numpy()
    return found


@lru_cache(maxsize=4)
def _models(checkpoint: str, version: int) -> dict[str, Any]:
    """The networks of a checkpoint, by cell."""
    import torch

    from dlcore.checkpoints import load_model
    from dlcore.models import memory
    from dlcore.models.together import together

    state = unpack(Path(checkpoint).read_bytes())
    known = knobs_of(Config)
    config = Config(**{name: value for name, value in state["config"].items() if name in known})
    with torch.random.fork_rng(devices=[]):
        models = together(state["cells"], partial(memory.build, config), 0)
    load_model(models, state["model"])
    return dict(models.eval().items())
