"""Plots of the backpropagation lesson: the U of the gradient check, and gradients by depth."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from dlcore.figures import DATA, GRADIENT, GREY, MODEL, REFERENCE, WARNING, Label
from dlcore.figures.curves import Curve, Level, curves
from dlcore.texts import N_

FLOOR = 1e-17  # an error of exactly 0 is drawn here, at the lower edge
DEEPEST = 1e-60  # gradients below are nothing in any case


def check_curve(
    epsilon: np.ndarray,
    errors: np.ndarray,
    truncation: np.ndarray,
    rounding: np.ndarray,
    here: tuple[float, float],
    *,
    label: Label = str,
) -> go.Figure:
    """The error of the difference quotient over its step ε, with the two theoretical lines; all (n,).

    Args:
        here: the step chosen and its error.
    """
    shown = np.maximum(errors, FLOOR)
    highest = float(np.max(shown[np.isfinite(shown)], initial=1e-6))
    lines = [
        Curve(epsilon, np.where(truncation > FLOOR, truncation, np.nan), N_("truncation ~ ε²"), DATA, "dash", 1.5),
        Curve(epsilon, np.where(rounding > FLOOR, rounding, np.nan), N_("rounding ~ 1/ε"), WARNING, "dash", 1.5),
        Curve(epsilon, shown, N_("measured"), GRADIENT, width=2.5),
        Curve(np.array([here[0]]), np.array([max(here[1], FLOOR)]), "", MODEL, markers=True, width=0),
    ]
    plot = curves(
        lines, x_title=N_("step ε of the difference quotient"), y_title=N_("error of the gradient"), log_x=True,
        log_y=True, x_range=(float(epsilon[0]), float(epsilon[-1])),
        y_range=(FLOOR, 10 * highest),
        levels=[Level(here[0], "ε", MODEL, upright=True)], label=label,
    )  # fmt: skip
    plot._data[-1]["marker"] = {"size": 12, "color": MODEL}
    return plot


def depth_curve(
    deltas: np.ndarray, theory: np.ndarray, signals: np.ndarray, limit: np.ndarray | None, *, label: Label = str
) -> go.Figure:
    """Size of δ by hidden layer on a logarithmic axis, beside theory; (depth,) each. ``limit`` may be left out."""
    layer = np.arange(1, len(deltas) + 1, dtype=float)
    lines = [
        Curve(layer, signals, N_("signal a"), DATA, width=1.5, opacity=0.7),
        Curve(layer, theory, N_("theory"), REFERENCE, "dash", 2.0),
        Curve(layer, deltas, N_("gradient δ"), GRADIENT, width=2.5, markers=len(deltas) < 13),
    ]
    if limit is not None:
        lines.insert(0, Curve(layer, limit, N_("¼ a layer"), WARNING, "dot", 1.5))
    seen = np.concatenate([line.y for line in lines])
    seen = seen[np.isfinite(seen) & (seen > DEEPEST)]
    low, high = (float(seen.min()), float(seen.max())) if len(seen) else (1e-3, 1.0)
    return curves(
        lines, x_title=N_("hidden layer (1 is the first)"), y_title=N_("size (root mean square)"), log_y=True,
        x_range=(1.0, float(max(len(deltas), 2))), y_range=(low / 3, max(high * 3, 100 * low)), label=label,
    )  # fmt: skip


def loss_plot(step: np.ndarray, loss: np.ndarray, total: int, guessing: float, *, label: Label = str) -> go.Figure:
    """Training loss over steps, with the loss of guessing."""
    finite = loss[np.isfinite(loss) & (loss > 0)]
    low = min(float(finite.min()) if len(finite) else 0.1, 0.1)
    high = max(float(finite.max()) if len(finite) else 1.0, 1.0)
    return curves(
        [Curve(step, loss, N_("loss"), MODEL)], x_title=N_("step"), y_title=N_("loss (log scale)"), log_y=True,
        x_range=(0.0, float(max(total, 1))), y_range=(10 ** np.floor(np.log10(low)), 2 * high),
        levels=[Level(guessing, N_("guessing"), GREY)], label=label,
    )  # fmt: skip


def norm_plot(first: np.ndarray, now: np.ndarray, *, layers: int = 2, label: Label = str) -> go.Figure:
    """Gradient of every layer's weights at the beginning (faint) and now; (layers,) each.

    Args:
        layers: how many there will be, for the axis before the first step.
    """
    layer = np.arange(1, len(now) + 1, dtype=float)
    lines = [
        Curve(layer, first, N_("at the start"), GREY, "dot", 1.5),
        Curve(layer, now, N_("now"), GRADIENT, width=2.5, markers=len(now) < 13),
    ]
    seen = np.concatenate([first, now])
    seen = seen[np.isfinite(seen) & (seen > DEEPEST)]
    low, high = (float(seen.min()), float(seen.max())) if len(seen) else (1e-3, 1.0)
    return curves(
        lines, x_title=N_("layer (the last one is the output)"), y_title=N_("‖∂loss/∂W‖"), log_y=True,
        x_range=(1.0, float(max(len(now) or layers, 2))), y_range=(low / 3, max(high * 3, 100 * low)), label=label,
    )  # fmt: skip
