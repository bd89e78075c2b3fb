"""What stands on the workshop's bench: a picture, a window, its answer, and the arithmetic of their sizes."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np

from dlcore.convolution import Geometry, correlate, pool
from dlcore.knobs import knob
from dlcore.texts import N_, Problem

OPERATIONS = {"filter": N_("Filter"), "max": N_("Max pooling"), "average": N_("Average pooling")}
CHANNELS = (N_("red"), N_("green"), N_("blue"))


@dataclass(frozen=True)
class Settings:
    """What is done with the picture, and how the window goes over it."""

    operation: str = knob(
        "filter", choices=tuple(OPERATIONS), label=N_("Operation"),
        help=N_("What each window is turned into: a weighted sum, its largest number, or its mean."),
    )  # fmt: skip
    window: int = knob(
        3, low=1, high=7, label=N_("Window size"), help=N_("Pixels along a side of the window that looks at once.")
    )
    stride: int = knob(1, low=1, high=4, label=N_("Stride"), help=N_("How many pixels the window moves at a time."))
    padding: int = knob(
        0, low=0, high=3, label=N_("Padding"),
        help=N_("Rows and columns laid round the picture, so that the window can stand on its border."),
    )  # fmt: skip
    dilation: int = knob(
        1, low=1, high=3, label=N_("Dilation"),
        help=N_("How far apart the pixels are that the window looks at; above 1 it has holes and sees farther."),
    )  # fmt: skip
    bias: float = knob(
        0.0, low=-1000, high=1000, label=N_("Bias b"), help=N_("A number that is added to every weighted sum.")
    )


NAMES = tuple(f.name for f in fields(Settings))


@dataclass(frozen=True, eq=False)
class Bench:
    """A picture ``(C, H, W)`` and what is done with it; ``W`` ``(C, k, k)`` counts for a filter only."""

    settings: Settings
    picture: np.ndarray
    W: np.ndarray

    @property
    def pools(self) -> bool:
        """Whether the window has no weights."""
        return self.settings.operation != "filter"

    @property
    def geometry(self) -> Geometry:
        """How the window goes; the mean has no holes, as in torch."""
        s = self.settings
        return Geometry(s.window, s.stride, s.padding, 1 if s.operation == "average" else s.dilation)

    @cached_property
    def answer(self) -> np.ndarray | Problem:
        """The output: ``(1, H_out, W_out)`` of a filter, ``(C, H_out, W_out)`` of a pooling; or why there is none."""
        try:
            if self.pools:
                return pool(self.picture, self.settings.operation, self.geometry)
            return correlate(self.picture, self.W, self.settings.bias, self.geometry)[None]
        except Problem as problem:
            return problem

    @property
    def output(self) -> np.ndarray | None:
        """The output where there is one."""
        return self.answer if isinstance(self.answer, np.ndarray) else None

    def halves(self) -> bool:
        """Whether the output has exactly half as many rows and columns as the picture."""
        made = self.output
        return made is not None and all(2 * a == b for a, b in zip(made.shape[1:], self.picture.shape[1:], strict=True))

    def sums(self) -> list[str]:
        """The formula of the output's size with its numbers, for height and width; once where they are equal."""
        return list(dict.fromkeys(size_sum(side, self.geometry) for side in self.picture.shape[1:]))

    def payload(self) -> dict[str, Any]:
        """All that the picture in the browser is drawn from."""
        geometry, made = self.geometry, self.output
        return {
            "input": self.picture, "kernel": None if self.pools else self.W, "bias": self.settings.bias,
            "output": made, "operation": self.settings.operation, "sums": self.sums(),
            "geometry": {name: getattr(geometry, name) for name in ("size", "stride", "padding", "dilation", "extent")},
        }  # fmt: skip


def size_sum(side: int, geometry: Geometry) -> str:
    """⌊(n + 2p − d(k − 1) − 1) / s⌋ + 1 with its numbers, and what it comes to where the window fits."""
    g = geometry
    text = f"⌊({side} + 2·{g.padding} − {g.dilation}·({g.size} − 1) − 1) / {g.stride}⌋ + 1"
    return f"{text} = {(side + 2 * g.padding - g.extent) // g.stride + 1}".replace("= -", "= −")


def receptive_field(layers: int, geometry: Geometry) -> int:
    """Pixels along a side that one number sees after so many layers: 1 + Σ (extent − 1) · stride^(layer − 1)."""
    return 1 + sum((geometry.extent - 1) * geometry.stride**layer for layer in range(layers))


def numbers(bench: Bench) -> dict[str, str]:
    """What the formulas' ``{{placeholders}}`` stand for."""
    g = bench.geometry
    fields = {name: str(receptive_field(n, g)) for n, name in enumerate(("one", "two", "three"), start=1)}
    weights = str(bench.W.size + 1)
    return {**fields, "k": str(g.size), "s": str(g.stride), "d": str(g.dilation), "weights": weights}


def tells_edges_apart(W: np.ndarray) -> bool:
    """Whether a filter ``(C, k, k)`` answers 0 to a horizontal edge wherever it lies, and at least 1 to a vertical one.

    The edge is a step from 0 to 1; an edge between two rows meets the sums of whole rows of weights, one between two
    columns those of whole columns.
    """
    flat = W.sum(0)
    over_rows, over_columns = np.cumsum(flat.sum(1)), np.cumsum(flat.sum(0))
    return bool(np.abs(over_rows).max() < 1e-9 and np.abs(over_columns).max() >= 1)
