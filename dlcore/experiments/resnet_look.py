"""What is asked of networks of the depth lesson outside of a run: what goes through their blocks before training.

All functions are meant for ``jobs.call``: builtins and arrays both ways.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from dlcore.experiments import resnet
from dlcore.experiments.resnet import Config

SHAPING = (
    "dataset", "network", "blocks", "depth", "norm", "init", "width", "order", "shortcut", "train_size", "seed",
)  # what fresh networks depend on  # fmt: skip


def fresh(settings: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The first frame of the film that a run with these settings shoots, of both networks.

    Args:
        settings: values of ``SHAPING``.

    Returns:
        (1, L) each: see ``dlcore.depth_film.by_block``.
    """
    import torch

    config = replace(Config(), **{name: settings[name] for name in SHAPING}, twin=True, device="cpu")
    data = resnet.load_data(config)
    with torch.random.fork_rng(devices=[]):
        models, _builds = resnet.networks(config, data)
    return resnet.film_of(models, config, data)()["frames"]
