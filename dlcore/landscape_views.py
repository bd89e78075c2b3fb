"""What the landscape lesson draws of a run: its History as maps, cross-sections and curves. NumPy only."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from dlcore.figures.curves import running_mean
from dlcore.figures.landscape import Map
from dlcore.history import History
from dlcore.landscape_numbers import ALONG, FLOOR, PATH, RANDOM, SEEN, Landscape
from dlcore.texts import N_

Label = Callable[[str], str]
SMOOTHING = 10  # batches
FALLBACK = (-2.0, 1.0)  # heights of a map on which nothing is measured yet
HIGHEST = 4.0  # log10: what is higher gets the colour of this


def landscape_of(history: History) -> Landscape:
    """All that the run has measured so far."""
    return Landscape({name: shot.arrays for name, shot in history.snapshots.items() if name in (PATH, RANDOM, ALONG)})


def networks_of(history: History) -> list[str]:
    """The networks of a run, the plain one first; both before there is one."""
    return list(history.info.get("networks", ("plain", "residual")))


def guessing(history: History) -> float:
    """The loss of one who gives every class the same probability, ln K."""
    return math.log(len(history.info.get("classes", ())) or 10)


def training_lines(history: History) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """For each network steps (n,) and running mean of the training loss (n,), while the networks were trained."""
    step = history.steps.column("step")
    trained = step <= history.info.get("training_steps", 0)
    found = {}
    for name in networks_of(history):
        loss = history.steps.column(f"loss/{name}")[trained]
        if not len(loss) or np.isnan(loss).all():
            loss = history.steps.column("loss")[trained]  # a run of one network
        found[name] = step[trained], running_mean(loss, SMOOTHING)
    return found


def maps(history: History, plane: str, images: int = SEEN, *, label: Label = str) -> dict[str, Map]:
    """A map of each network in the plane, all on one scale of heights; a network without numbers has none."""
    land = landscape_of(history)
    slices = {name: land.slice(plane, name, images) for name in land.networks}
    heights = {name: np.log10(np.maximum(s.loss, FLOOR)) for name, s in slices.items() if s is not None}
    ends = _range(list(heights.values()))
    titles = (N_("first direction"), N_("second direction"))
    found = {}
    for name, height in heights.items():
        around = slices[name]
        assert around is not None
        path = land.path(plane, name)
        shadow = land.path("projected" if plane == ALONG else "true", name)[:, images]
        on_map = np.log10(np.maximum(shadow if plane == ALONG else np.full_like(shadow, shadow[-1]), FLOOR))
        if plane == ALONG:
            shares = land.path("explained", name)
            named = [f"{label(title)} ({share:.0%})" for title, share in zip(titles, shares, strict=True)]
        else:
            named = [label(title) for title in titles]
        found[name] = Map(around.x, around.y, height, path, on_map, (named[0], named[1]), ends)
    return found


def _range(heights: list[np.ndarray]) -> tuple[float, float]:
    """Half decades around all heights, so that colours seldom change while more is measured."""
    values = np.concatenate([h[np.isfinite(h)] for h in heights]) if heights else np.empty(0)
    if not len(values):
        return FALLBACK
    low, high = np.floor(2 * values.min()) / 2, np.ceil(2 * min(values.max(), HIGHEST)) / 2
    return float(low), float(max(high, low + 0.5))


def sections(history: History, plane: str, images: int = SEEN) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """For each network the places along the first direction (m,) and the losses there, the second one left alone."""
    land, found = landscape_of(history), {}
    for name in land.networks:
        if (around := land.slice(plane, name, images)) is not None:
            row = around.loss[around.middle[0]]
            known = np.isfinite(row)
            found[name] = around.x[known], np.maximum(row[known], FLOOR)
    return found


def shadow_lines(
    history: History, images: int = SEEN
) -> tuple[np.ndarray, dict[str, tuple[np.ndarray, np.ndarray]]] | None:
    """The path's steps (n,), and for each network the losses of its weights and of their shadows; None before."""
    land = landscape_of(history)
    if not land.networks:
        return None
    step = np.asarray(land.arrays[PATH]["step"], float)
    lines = {
        name: (land.path("true", name)[:, images], land.path("projected", name)[:, images]) for name in land.networks
    }
    return step, lines
