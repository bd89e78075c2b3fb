"""A recurrent network that reads a window of a series and forecasts all steps of a horizon at once."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from dlcore.models.recurrent import recurrent

AT_ONCE = 1024  # windows: the states of a long held-out end would take gigabytes


class Forecaster(nn.Module):
    """Reads value after value; the last hidden state says the whole horizon, by a dense layer."""

    def __init__(self, cell: str, hidden: int, horizon: int, **start: Any) -> None:
        """``start``: how the recurrent layer begins (see ``recurrent``)."""
        super().__init__()
        self.cell = cell
        self.layer = recurrent(cell, 1, hidden, **start)
        self.head = nn.Linear(hidden, horizon)

    def forward(self, X: Tensor) -> Tensor:
        """Windows (B, window) → what is to be added to the base, (B, horizon)."""
        return self.head(self.states(X)[:, -1])

    def states(self, X: Tensor) -> Tensor:
        """The hidden state after each value of the windows (B, window): (B, window, hidden)."""
        return self.layer(X[..., None])[0]


@torch.inference_mode()
def apply(model: nn.Module, X: Any) -> Any:
    """The model's outputs for an array (B, window) as an array (B, horizon), float64."""
    parameter = next(model.parameters())
    parts = torch.as_tensor(X, dtype=parameter.dtype, device=parameter.device).split(AT_ONCE)
    return torch.cat([model(part) for part in parts]).double().cpu().numpy()
