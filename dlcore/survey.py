"""The measuring of a landscape: the path of a run, a plane of random directions, and the plane of the path, in turn.

It tells Snapshots, by name (losses are (…, 2): on images that were learned, on held-out ones; NaN where it was not yet
measured; a network whose weights left the numbers is missing):

``path``
    ``step`` (n,) at which weights were kept. For each network: ``random/<name>`` and ``along/<name>`` (n, 2), the
    places in the two planes; ``explained/<name>`` (2,), shares of variance; ``far/<name>`` (n,), the distance to the
    end; ``off/<name>`` (n,), that to the plane ``along``; ``true/<name>`` (n, 2), the losses of the weights
    themselves, and ``projected/<name>`` (n, 2), those of the nearest weights in the plane ``along``
``random``, ``along``
    for each network ``x/<name>`` and ``y/<name>`` (p,), ``loss/<name>`` (p, p, 2), rows along y
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from dlcore.checkpoints import load_model, to_plain
from dlcore.data.images import ImageData, proportional_order
from dlcore.events import Checkpoint, Event, Snapshot, Step
from dlcore.landscape import Ground, coarse_to_fine, coordinates, principal, random_direction
from dlcore.landscape_numbers import ALONG, PATH, RANDOM, Landscape
from dlcore.models.together import Together, is_finite
from dlcore.steering import Steering

if TYPE_CHECKING:
    from dlcore.experiments.landscape import Config

TELL_SECONDS, CHECKPOINT_SECONDS = 0.3, 5.0
MARGIN = 0.3  # around the path, as a share of its extent


class Survey:
    """The measurements of one run, one place after the other.

    Args:
        models: the networks, by name; their weights are brought to the end of the training by ``run``.
        first: updates of the training; each measured place counts as a further step of the run.
        kept: points of the path.
    """

    def __init__(
        self, config: Config, models: Mapping[str, nn.Module], data: ImageData, *, first: int, kept: int
    ) -> None:
        self.config, self.models, self.first = config, models, first
        grid = [tuple(map(int, place)) for place in coarse_to_fine(config.points)]
        self.places: list[tuple[str, tuple[int, ...]]] = [(PATH, (i,)) for i in range(kept)]
        self.places += [(plane, place) for plane in (RANDOM, ALONG) for place in grid]
        self.last = first + len(self.places)
        seen, held = (proportional_order(y)[: config.images] for y in (data.y_train, data.y_test))
        self.images = [
            (torch.tensor(X[few], device=config.device).float(), torch.tensor(y[few], device=config.device).long())
            for X, y, few in ((data.X_train, data.y_train, seen), (data.X_test, data.y_test, held))
        ]
        self.done, self.seconds = 0, 0.0

    def run(self, state: Mapping[str, Any], steering: Steering) -> Iterator[Event]:
        """Measure what is not measured yet; ``state`` is the end of the training, or one of this survey's own."""
        self._begin(state)
        saved = told = time.perf_counter()
        while self.done < len(self.places):
            step, (kind, _) = self.first + self.done, self.places[self.done]
            yield from steering.due(step)  # a rate has nothing to say here; it is noted
            if steering.wants_checkpoint() or time.perf_counter() - saved > CHECKPOINT_SECONDS:
                yield self._snapshot(kind)
                yield Checkpoint(step, {**state, "step": step, "survey": self._kept()})
                saved = time.perf_counter()
            values = self._measure()
            yield Step(step + 1, max(values.values(), default=0.0), state["seconds"] + self.seconds, values)
            over = self.done == len(self.places) or self.places[self.done][0] != kind
            if over or time.perf_counter() - told > TELL_SECONDS:
                yield self._snapshot(kind)
                told = time.perf_counter()

    def metrics(self) -> dict[str, float]:
        """What ``Finished`` says of the landscape (``dlcore.landscape_numbers.Landscape.metrics``)."""
        return Landscape(self.arrays).metrics(len(self.images[0][1].unique()))

    # --- one place ----------------------------------------------------------------------------------------------------

    def _measure(self) -> dict[str, float]:
        """The next place, for every network: writes losses down, returns those on the learned images by name."""
        start, (kind, place) = time.perf_counter(), self.places[self.done]
        found = {}
        for name, ground in self.grounds.items():
            arrays, theta = self.arrays[kind], self.paths[name][-1]
            if kind == PATH:
                arrays[f"true/{name}"][place] = ground.at(self.paths[name][place[0]])
                near = torch.from_numpy(arrays[f"along/{name}"][place[0]]).float()
                losses = ground.at(theta + near @ self.planes[ALONG, name])
                arrays[f"projected/{name}"][place] = losses
            else:
                row, column = place[0], place[1]
                near = torch.tensor([arrays[f"x/{name}"][column], arrays[f"y/{name}"][row]]).float()
                losses = ground.at(theta + near @ self.planes[kind, name])
                arrays[f"loss/{name}"][place] = losses
            found[f"loss/{name}"] = losses[0]
        self.done += 1
        self.seconds += time.perf_counter() - start
        return found

    def _snapshot(self, kind: str) -> Snapshot:
        return Snapshot(
            self.first + self.done, kind, {name: a.astype(np.float32) for name, a in self.arrays[kind].items()}
        )

    def _kept(self) -> dict[str, Any]:
        return {"done": self.done, "seconds": self.seconds, "arrays": to_plain(_copied(self.arrays))}

    # --- the beginning ------------------------------------------------------------------------------------------------

    def _begin(self, state: Mapping[str, Any]) -> None:
        """Bring the networks to the end of their training; find the planes, the path's places and the axes."""
        load_model(Together(dict(self.models)), state["model"])
        sound = {name: model for name, model in self.models.items() if is_finite(model)}
        self.grounds = {name: Ground(model, *self.images) for name, model in sound.items()}
        self.paths = {name: torch.from_numpy(state["path"][name]) for name in sound}
        self.planes: dict[tuple[str, str], Tensor] = {}
        self.arrays: dict[str, dict[str, np.ndarray]] = {
            PATH: {"step": np.array(state["path_steps"])},
            RANDOM: {},
            ALONG: {},
        }
        for name, model in sound.items():
            self._plan(name, model)
        if "survey" in state:
            kept = state["survey"]
            self.done, self.seconds, self.arrays = kept["done"], kept["seconds"], _copied(kept["arrays"])

    def _plan(self, name: str, model: nn.Module) -> None:
        """Planes, places and empty tables of one network."""
        path, draw = self.paths[name], torch.Generator().manual_seed(self.config.directions)
        found = principal(path)
        self.planes[RANDOM, name] = torch.stack([random_direction(model, draw) for _ in range(2)])
        self.planes[ALONG, name] = found.directions
        along = coordinates(path, found.directions)
        off = path - path[-1] - torch.from_numpy(along).float() @ found.directions
        self.arrays[PATH] |= {
            f"random/{name}": coordinates(path, self.planes[RANDOM, name]), f"along/{name}": along,
            f"explained/{name}": found.explained, f"off/{name}": off.norm(dim=1).numpy(),
            f"far/{name}": (path - path[-1]).norm(dim=1).numpy(),
            f"true/{name}": np.full((len(path), 2), np.nan), f"projected/{name}": np.full((len(path), 2), np.nan),
        }  # fmt: skip
        span, points = self.config.span, self.config.points
        for plane, ends in ((RANDOM, [(-span, span)] * 2), (ALONG, [_around(values) for values in along.T])):
            x, y = (np.linspace(*each, points) for each in ends)
            self.arrays[plane] |= {f"x/{name}": x, f"y/{name}": y, f"loss/{name}": np.full((points, points, 2), np.nan)}


def _around(places: np.ndarray) -> tuple[float, float]:
    """The ends of an axis that shows a path with some room around it."""
    low, high = float(places.min()), float(places.max())
    room = MARGIN * (high - low) or 1.0
    return low - room, high + room


def _copied(arrays: Mapping[str, Mapping[str, np.ndarray]]) -> dict[str, dict[str, np.ndarray]]:
    return {kind: {name: array.copy() for name, array in named.items()} for kind, named in arrays.items()}
