"""Looking at a trained forecaster from one starting point. For ``dlcore.jobs.call``: builtins and arrays both ways."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dlcore.experiments.series import Config, direct, forecasting_of, free_run
from dlcore.texts import N_, Problem

if TYPE_CHECKING:
    from torch import nn

    from dlcore.forecasting import Forecasting


def from_here(checkpoint: str, cell: str, row: int) -> dict[str, Any]:
    """What a run's network makes of the window that ends at a row.

    Args:
        checkpoint: path of the run's checkpoint file.
        cell: which of its networks.
        row: the last value that it may read; moved to the nearest at which it can be asked.

    Returns:
        ``row``; in the units of the series ``direct`` (horizon,), ``one_step`` and ``free`` (k,), from the next value
        on; ``states`` (window, hidden) float32; ``residual_rows`` (n,) and ``residuals`` (n,), the errors of the
        one-step forecasts of every value that is held out.

    Raises:
        Problem: the data of the run is not here any more, or it has no such network.
    """
    made, model = _trained(checkpoint, Path(checkpoint).stat().st_mtime_ns, cell)
    last = len(made.z) - 1 - made.free_steps
    origin = np.array([min(max(row, made.first), last)])
    ahead = origin[0] + np.arange(made.free_steps)
    held = np.arange(made.split - 1, len(made.z) - 1)
    return {
        "row": int(origin[0]),
        "direct": made.units(direct(made, model, origin)[0]),
        "one_step": made.units(direct(made, model, ahead)[:, 0]),
        "free": made.units(free_run(made, model, origin, made.free_steps)[0]),
        "states": _states(made, model, origin),
        "residual_rows": held + 1,
        "residuals": made.series.values[held + 1] - made.units(direct(made, model, held)[:, 0]),
    }


def _states(made: Forecasting, model: nn.Module, origin: np.ndarray) -> np.ndarray:
    """The hidden state after each value of the window, (window, hidden)."""
    import torch

    from dlcore.models.forecaster import Forecaster

    assert isinstance(model, Forecaster)
    with torch.inference_mode():
        X = torch.tensor(made.inputs(made.past(origin)), dtype=torch.float32)
        return model.states(X)[0].numpy()


@lru_cache(maxsize=8)
def _trained(checkpoint: str, _written: int, cell: str) -> tuple[Forecasting, nn.Module]:
    """The question and the network of a checkpoint as it was last written, on the CPU."""
    from dlcore.checkpoints import load_model
    from dlcore.events import unpack
    from dlcore.models.forecaster import Forecaster

    state = unpack(Path(checkpoint).read_bytes())
    config = Config(**state["config"])
    prefix = f"{cell}."
    arrays = {name.removeprefix(prefix): array for name, array in state["model"].items() if name.startswith(prefix)}
    if not arrays:
        raise Problem(N_("This run has trained no {cell}."), kind="look", cell=cell.upper())
    model = Forecaster(cell, config.hidden, config.horizon)
    load_model(model, arrays)
    return forecasting_of(config), model.eval()
