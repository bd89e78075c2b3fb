"""How large the gradient is in each layer: now, and over a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from dlcore.figures import GRADIENT, Label, figure
from dlcore.figures.curves import Curve, curves
from dlcore.texts import N_

DECADES = (1e-4, 1e1)  # what the axis shows at least, so that it seldom moves


def by_layer(names: Sequence[str], norms: np.ndarray, *, label: Label = str) -> go.Figure:
    """The norms (L,) in the order of the layers, on a logarithmic axis."""
    low, high = reach(norms)
    shown = np.where(np.isfinite(norms) & (norms > 0), norms, np.nan)
    trace = {
        "type": "scatter", "mode": "lines+markers", "x": list(names), "y": shown,
        "hovertemplate": "%{x}: %{y:.3g}<extra></extra>",
        "line": {"color": GRADIENT, "width": 2}, "marker": {"color": GRADIENT, "size": 9},
    }  # fmt: skip
    layout = {
        "xaxis": {"type": "category", "title": {"text": label(N_("layer, from the image to the answer"))}},
        "yaxis": {
            "type": "log", "range": [np.log10(low), np.log10(high)], "dtick": 1, "exponentformat": "power",
            "title": {"text": label(N_("norm of the gradient"))},
        },
    }  # fmt: skip
    return figure([trace], layout)


def by_step(
    norms: Mapping[str, tuple[np.ndarray, np.ndarray]], steps: tuple[float, float], *, label: Label = str
) -> go.Figure:
    """One line for each layer (its steps and norms), the first faint, the last strong."""
    strength = np.linspace(0.35, 1.0, max(2, len(norms)))
    lines = [
        Curve(step, norm, name, GRADIENT, opacity=float(share))
        for (name, (step, norm)), share in zip(norms.items(), strength, strict=False)
    ]
    every = np.concatenate([norm for _step, norm in norms.values()]) if norms else np.array([])
    return curves(
        lines, x_title=N_("step"), y_title=N_("norm of the gradient"), log_y=True, x_range=steps,
        y_range=reach(every), label=label,
    )  # fmt: skip


def reach(norms: np.ndarray) -> tuple[float, float]:
    """Whole decades that hold all positive norms."""
    positive = norms[np.isfinite(norms) & (norms > 0)]
    lowest, highest = (np.min([DECADES[0], *positive]), np.max([DECADES[1], *positive]))
    return float(10 ** np.floor(np.log10(lowest))), float(10 ** np.ceil(np.log10(highest)))
