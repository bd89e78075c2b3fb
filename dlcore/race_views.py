"""A race made ready to look at: its films, the update with its numbers, marks for the sliders, the record of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from dlcore.branches import read_branches, write_branches
from dlcore.experiments import optimizers as lesson
from dlcore.experiments.optimizers import Config
from dlcore.figures import Label
from dlcore.figures import race as figures
from dlcore.figures.descent import Film
from dlcore.figures.race import Runner
from dlcore.history import History
from dlcore.quadratic import within
from dlcore.race import Racer, Track, race, ranking
from dlcore.surfaces import Surface
from dlcore.texts import N_
from dlcore.update_rules import RULES

GRID, GRID_3D = 61, 41
LOW_SHARE, HIGH_SHARE = 1e-2, 12.0  # the distance plot reaches from this share of what counts as arrived, to …
VIEWS = ("rate", "step", "memory")


@dataclass(frozen=True, eq=False)
class Scene:
    """A race that has been run."""

    config: Config
    surface: Surface
    racers: tuple[Racer, ...]
    tracks: Mapping[str, Track]

    @cached_property
    def ranking(self) -> list[tuple[Racer, int | None]]:
        """Who arrived when (``race.ranking``)."""
        return ranking(self.racers, self.tracks, self.config.near)

    @cached_property
    def hand(self) -> Racer:
        """The racer in hand; the first where that one is not on the track."""
        return next((r for r in self.racers if r.name == self.config.hand), self.racers[0])

    @property
    def left(self) -> set[str]:
        """The racers that a branch has left: their old way is a ghost."""
        return {r.parent for r in self.racers}

    def arrival(self, name: str) -> int | None:
        """When the racer of that name arrived; None if it did not, or is not there."""
        return self.tracks[name].arrival(self.config.near) if name in self.tracks else None


def scene(config: Config) -> Scene:
    """Run the race of the config. Raises ``Problem`` where its surface or its branches cannot be read."""
    surface, racers = lesson.surface_of(config), lesson.racers_of(config)
    tracks = race(surface, racers, (config.start_x, config.start_y), config.steps, config.schedule)
    return Scene(config, surface, racers, tracks)


def name_of(racer: Racer, label: Label = str) -> str:
    """What a racer is called: its rule, and for a branch the step that it began at."""
    title = label(RULES[racer.rule].title)
    return label(N_("{rule} from step {step}")).format(rule=title, step=racer.since) if racer.parent else title


# --- films ------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=32)
def _ground(surface: Surface, points: int, power: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Axes, relief (ny, nx) from 0 to 1, and the height that is 1; flat parts are drawn apart by a power below 1."""
    x, y = (np.linspace(low, high, points) for low, high in surface.domain)
    with np.errstate(all="ignore"):
        heights = surface.value(np.stack(np.meshgrid(x, y), axis=-1)) - surface.floor
    top = float(np.nanmax(np.where(np.isfinite(heights), heights, np.nan))) or 1.0
    return x, y, np.clip(heights / top, 0, 1) ** power, top


def _runners(shown: Scene, label: Label, *, solid: bool = False) -> list[Runner]:
    """Everybody as drawn: paths that left the picture far behind are drawn in; the one in hand on top."""
    centre = np.array([np.mean(span) for span in shown.surface.domain])
    half = np.array([(high - low) / 2 for low, high in shown.surface.domain])
    top, power = (_ground(shown.surface, GRID_3D, _tall(shown.surface))[3], _tall(shown.surface)) if solid else (1, 1)
    found = []
    for racer in sorted(shown.racers, key=lambda r: r.name == shown.hand.name):
        track = shown.tracks[racer.name]
        height = None
        if solid:
            with np.errstate(all="ignore"):
                height = np.clip((track.value - shown.surface.floor) / top, 0, 1.2) ** power
        found.append(
            Runner(
                name_of(racer, label), racer.rule, within(track.theta, centre, half), track.distance, height,
                ghost=racer.name in shown.left, held=racer.name == shown.hand.name,
            )
        )  # fmt: skip
    return found


def _tall(surface: Surface) -> float:
    return 0.25 if surface.steep else 1.0


def ground_film(shown: Scene, *, solid: bool = False, label: Label = str) -> Film:
    """The race seen from above, or in three dimensions."""
    count = shown.config.steps + 1
    runners = _runners(shown, label, solid=solid)
    if solid:
        x, y, height, _top = _ground(shown.surface, GRID_3D, _tall(shown.surface))
        return figures.race_3d((x, y), height, runners, shown.surface.minima, count=count, label=label)
    x, y, relief, _top = _ground(shown.surface, GRID, 0.2 if shown.surface.steep else 0.5)
    start = (shown.config.start_x, shown.config.start_y)
    return figures.race_map((x, y), relief, runners, shown.surface.minima, start, count=count, label=label)


def distance_film(shown: Scene, *, label: Label = str) -> Film:
    """Everybody's distance to the nearest minimum."""
    first = max(float(shown.tracks[shown.racers[0].name].distance[0]), 1e-12)
    arrived = shown.config.near * first
    span = (LOW_SHARE * arrived, HIGH_SHARE * first)
    return figures.distance_curves(
        _runners(shown, label), steps=shown.config.steps, y_range=span, arrived=arrived, label=label
    )  # fmt: skip


def hand_film(shown: Scene, view: str, *, label: Label = str) -> Film:
    """What the racer in hand has for each parameter: its rate, the length of its steps, or its memory."""
    track, steps = shown.tracks[shown.hand.name], shown.config.steps
    if view == "memory":
        lines = [(name, np.sqrt(rows) if name in ("square", "total") else rows, "dot" if name == "square" else "solid")
                 for name, rows in track.memory.items()]  # fmt: skip
        titles = {("velocity",): N_("velocity v"), ("total",): N_("√s"), ("square",): N_("√s"),
                  ("mean", "square"): N_("m, and dotted √s")}  # fmt: skip
        title = titles.get(tuple(track.memory), N_("memory"))
        return figures.pair_curves(
            lines or [("", np.zeros((1, 2)), "solid")], steps=steps, y_title=title, log=False, label=label
        )  # fmt: skip
    rows, title = (track.scale, N_("rate")) if view == "rate" else (track.step_lengths, N_("step length"))
    rows = rows if len(rows) else np.ones((1, 2))
    return figures.pair_curves([("", rows, "solid")], steps=steps, y_title=title, log=True, label=label)


# --- the update with its numbers --------------------------------------------------------------------------------------

_G, _NEW = '<b class="gradient">({g})</b>', '<b class="model">{new}</b>'
LINES: dict[str, tuple[str, ...]] = {
    "gd": (f"θ ← {{old}} − {{rate}} · {_G} = {_NEW}",),
    "momentum": (
        f"<i>v</i> ← {{beta}} · ({{velocity_old}}) + {_G} = {{velocity}}",
        f"θ ← {{old}} − {{rate}} · ({{velocity}}) = {_NEW}",
    ),
    "nesterov": (
        f"<i>v</i> ← {{beta}} · ({{velocity_old}}) + {_G} = {{velocity}}",
        f"θ ← {{old}} − {{rate}} · ({_G} + {{beta}} · ({{velocity}})) = {_NEW}",
    ),
    "adagrad": (
        f"<i>s</i> ← {{total_old}} + {_G}² = {{total}}",
        f"θ ← {{old}} − {{rate}} · {_G} / √{{total}} = {_NEW}",
    ),
    "rmsprop": (
        f"<i>s</i> ← {{beta2}} · {{square_old}} + {{rest2}} · {_G}² = {{square}}",
        f"θ ← {{old}} − {{rate}} · {_G} / √{{square}} = {_NEW}",
    ),
    "adam": (
        f"<i>m</i> ← {{beta1}} · ({{mean_old}}) + {{rest1}} · {_G} = {{mean}}",
        f"<i>s</i> ← {{beta2}} · {{square_old}} + {{rest2}} · {_G}² = {{square}}",
        f"θ ← {{old}} − {{rate}} · ({{fair_mean}}) / √{{fair_square}} = {_NEW}",
    ),
}
LINES["adamw"] = (*LINES["adam"][:2], LINES["adam"][2].replace("{old}", "{keep} · ({old})"))


def update_lines(shown: Scene) -> tuple[str, dict[str, Any]]:
    """The update of the racer in hand, for ``ui.live_plot.frame_text``: frame k shows the step that led to state k.

    Returns:
        HTML template, first x and then y, and its arrays (n + 1,). Before a branch that has another rule
        there are no numbers.
    """
    racer, track = shown.hand, shown.tracks[shown.hand.name]
    if not track.steps:
        return "", {}
    now = np.arange(track.steps + 1).clip(1)  # the start shows the first step to come
    given = dict(racer.legs[-1].settings)
    values: dict[str, Any] = dict(given)
    values |= {f"rest{name[4:]}": 1 - value for name, value in given.items() if name.startswith("beta")}
    values["rate"] = track.rate[now - 1]
    values["keep"] = 1 - track.rate[now - 1] * given.get("weight_decay", 0.0)
    columns = []
    for axis, name in enumerate("xy"):
        own = {"old": track.theta[now - 1, axis], "new": track.theta[now, axis], "g": track.gradient[now - 1, axis]}
        for memory, rows in track.memory.items():
            own |= {memory: rows[now, axis], f"{memory}_old": rows[now - 1, axis]}
        if "mean" in track.memory and "mean" in RULES[racer.rule].memory:
            age = now - _born(racer)
            with np.errstate(all="ignore"):
                own["fair_mean"] = own["mean"] / (1 - given["beta1"] ** age)
                own["fair_square"] = own["square"] / (1 - given["beta2"] ** age)
        lines = "<br>".join(LINES[racer.rule]).replace("θ ←", f"<i>{name}</i> ←")
        for key in own:
            lines = lines.replace(f"{{{key}}}", f"{{{key}_{name}:3}}")
        values |= {f"{key}_{name}": _from_leg(array, racer) for key, array in own.items()}
        columns.append(f"<div>{lines}</div>")
    return f'<div class="dl-columns">{"".join(columns)}</div>', values


def _born(racer: Racer) -> int:
    """The step at which the memory that the last leg goes on with was empty."""
    born = racer.since
    for before, leg in zip(reversed(racer.legs[:-1]), reversed(racer.legs), strict=False):
        if RULES[before.rule].memory != RULES[leg.rule].memory:
            break
        born = before.step
    return born


def _from_leg(array: np.ndarray, racer: Racer) -> np.ndarray:
    """The array (n + 1,), NaN before the last leg where another rule held there."""
    other = [leg.rule != racer.rule for leg in racer.legs]
    if not any(other):
        return array
    first = racer.legs[len(other) - other[::-1].index(True)].step
    return np.where(np.arange(len(array)) > first, array, np.nan)


# --- the record -------------------------------------------------------------------------------------------------------


def record(shown: Scene) -> History:
    """The race as the history of a run, for what is shown and downloaded of runs."""
    history = History(state="finished", config=asdict(shown.config), total_steps=shown.config.steps)
    history.info = {"racers": [r.name for r in shown.racers]}
    first = shown.tracks[shown.racers[0].name]
    for step in range(shown.config.steps + 1):
        row: dict[str, Any] = {"step": step, "loss": float(first.value[min(step, first.steps)])}
        for racer in shown.racers:
            track = shown.tracks[racer.name]
            if step <= track.steps:
                row[f"{racer.name}.theta"] = track.theta[step].tolist()
                row[f"{racer.name}.distance"] = float(track.distance[step])
        history.steps.append(row)
    history.step = shown.config.steps
    history.metrics = {f"{racer.name}.steps_to_arrive": arrived for racer, arrived in shown.ranking}
    return history


def branched(config: Config, step: int) -> str:
    """The branches with one more: the racer in hand from ``step`` on, at a third of its rate."""
    shown = scene(config)
    leg = shown.hand.leg(step)
    entries = read_branches(config.branches)
    return write_branches([*entries, (shown.hand.name, step, leg.rule, float(f"{leg.learning_rate / 3:.3g}"))])


def names_on_track(config: Config) -> Sequence[str]:
    """The rules that race, without the branches."""
    return [racer.name for racer in lesson.racers_of(config) if not racer.parent]
