"""Why does a rolling ball arrive first? Update rules race on a surface over two parameters (``dlcore.race``)."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from dlcore import courses
from dlcore.branches import NO_BRANCH, read_branches
from dlcore.events import Checkpoint, Diverged, Event, Finished, Started, Step
from dlcore.knobs import check_value, knob, knobs_of, unknown_knob
from dlcore.race import FAR, Leg, Racer, State, advance
from dlcore.schedules import SCHEDULES
from dlcore.steering import Steering
from dlcore.surfaces import MOST_STEPS, Surface
from dlcore.texts import N_, Problem
from dlcore.update_rules import RULES, limit

LANE = "light"
CHECKPOINT_SECONDS = 5.0
RACERS = "gd~momentum~nesterov~rmsprop~adam"
ALL = "all"
ABOVE_LIMIT = N_(
    "{rule} ran away: its learning rate {learning_rate:.4g} is above the limit {limit:.4g} of this surface. "
    "Choose a smaller one."
)
RAN_AWAY = N_("{rule} ran away with a learning rate of {learning_rate:.4g}. Choose a smaller one.")


def _rate(default: float) -> Any:
    return knob(
        default, low=1e-6, high=1e3, log=True, live=True, label=N_("Learning rate η"),
        help=N_("How far a step goes. Can be changed while a run goes on."),
    )  # fmt: skip


def _share(default: float, label: str, help: str, high: float = 0.9999) -> Any:
    return knob(default, low=0.0, high=high, live=True, label=label, help=help)


BETA, BETA_HELP = N_("β"), N_("How much of the velocity is left after a step; 0 is plain gradient descent.")
MEAN_HELP = N_("How slowly the average of the gradients forgets; Adam's momentum.")
SQUARE, SQUARE_HELP = N_("Memory β₂"), N_("How slowly the average of the squared gradients forgets.")


@dataclass(frozen=True)
class Config:
    """The settings of the lesson. Rates, start and length that nobody sets follow the surface (``recipe``)."""

    surface: str = knob(
        courses.DEFAULT, choices=courses.NAMES, label=N_("Surface"),
        help=N_("What the racers run down. Each shows something else."),
    )  # fmt: skip
    expression: str = knob(
        courses.EXPRESSION, label=N_("Loss of x and y"),
        help=N_("Your own surface, for example (x**2 + y - 11)**2 + sin(3*x). Press Enter to see it."),
    )  # fmt: skip
    condition: float = knob(
        100.0, low=1.0, high=1000.0, log=True, label=N_("Condition number κ"),
        help=N_("How many times as steep the walls are as the bottom: 1 is a round bowl."),
    )  # fmt: skip
    angle: float = knob(
        30.0, low=0.0, high=90.0, step=1.0, unit="°", label=N_("Turn of the valley"),
        help=N_("At 0 and 90 the valley runs along one of the parameters; in between it needs both."),
    )  # fmt: skip
    noise: float = knob(
        0.5, low=0.0, high=3.0, step=0.05, label=N_("Noise of the gradient"),
        help=N_("As with small batches: the slope is right on average, and wrong each time."),
    )  # fmt: skip
    optimizer: str = knob(
        ALL, choices=(ALL, *RULES), live=True, advanced=True, label=N_("Runs alone"),
        help=N_("One rule by itself instead of all on the track. Changed in mid-run: the first racer becomes it."),
    )  # fmt: skip
    hand: str = knob(
        "momentum", advanced=True, label=N_("In hand"), help=N_("Whose settings, memory and formula the page shows.")
    )
    gd_learning_rate: float = _rate(1.8)
    momentum_learning_rate: float = _rate(0.5)
    momentum_beta: float = _share(0.9, BETA, BETA_HELP, 0.999)
    nesterov_learning_rate: float = _rate(1.0)
    nesterov_beta: float = _share(0.9, BETA, BETA_HELP, 0.999)
    adagrad_learning_rate: float = _rate(5.0)
    rmsprop_learning_rate: float = _rate(0.2)
    rmsprop_beta2: float = _share(0.99, SQUARE, SQUARE_HELP)
    adam_learning_rate: float = _rate(1.0)
    adam_beta1: float = _share(0.9, N_("Momentum β₁"), MEAN_HELP)
    adam_beta2: float = _share(0.999, SQUARE, SQUARE_HELP)
    adamw_learning_rate: float = _rate(1.0)
    adamw_beta1: float = _share(0.9, N_("Momentum β₁"), MEAN_HELP)
    adamw_beta2: float = _share(0.999, SQUARE, SQUARE_HELP)
    adamw_weight_decay: float = _share(
        0.01, N_("Weight decay"), N_("The share of θ, times the rate, that each step takes away."), 1.0
    )
    schedule: str = knob(
        "constant", choices=tuple(SCHEDULES), label=N_("Schedule"), help=N_("How every rate moves during the race.")
    )
    steps: int = knob(250, low=10, high=MOST_STEPS, log=True, label=N_("Steps"), help=N_("How long the race is."))
    racers: str = knob(RACERS, label=N_("On the track"), help=N_("Who races, e.g. gd~momentum~adam."), advanced=True)
    near: float = knob(
        0.01, low=1e-8, high=0.5, log=True, advanced=True, label=N_("Arrived within"),
        help=N_("The share of the first distance within which a racer must stay to have arrived."),
    )  # fmt: skip
    start_x: float = knob(-4.0, low=-1e6, high=1e6, label=N_("Start x"), help=N_("Or click on the map."), advanced=True)
    start_y: float = knob(2.0, low=-1e6, high=1e6, label=N_("Start y"), help=N_("Or click on the map."), advanced=True)
    seed: int = knob(0, low=0, high=9999, label=N_("Seed"), help=N_("Draws another noise."), advanced=True)
    branches: str = knob("", label=N_("Branches"), help=N_("parent_step_rule_rate~…"), advanced=True)

    @classmethod
    def recipe(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """Rates, start and length that suit the surface."""
        name = given.get("surface", courses.DEFAULT)
        brought: dict[str, Any] = {f"{r}_learning_rate": rate for r, rate in courses.rates(name).items()}
        brought["steps"] = courses.STEPS[name]
        if name == "noisy" and "condition" not in given:
            brought["condition"] = 10.0
        with suppress(Problem):  # told where the surface is drawn
            brought["start_x"], brought["start_y"] = courses.make(name, {**brought, **given}).start
        return brought


def surface_of(config: Config) -> Surface:
    """The surface that the config describes. Raises ``Problem`` where an expression cannot be read."""
    return courses.make(config.surface, vars(config))


def leg(config: Config, rule: str, step: int = 0, learning_rate: float | None = None) -> Leg:
    """``rule`` with the settings that the config has for it, from ``step`` on."""
    settings = tuple((name, getattr(config, f"{rule}_{name}")) for name in RULES[rule].settings)
    return Leg(step, rule, learning_rate or getattr(config, f"{rule}_learning_rate"), settings)


def racers_of(config: Config) -> tuple[Racer, ...]:
    """Who races: the rules on the track, then the branches, named "1", "2" … in their order.

    Raises:
        Problem: ``racers`` or ``branches`` cannot be read.
    """
    names = list(dict.fromkeys(filter(None, config.racers.split("~")))) or ["gd"]
    names = names if config.optimizer == ALL else [config.optimizer]
    for name in names:
        if name not in RULES:
            raise Problem(
                N_("There is no rule “{name}”. The rules are: {names}."),
                kind="knob", name=name[:40], names=", ".join(RULES),
            )  # fmt: skip
    known = {name: Racer(name, (leg(config, name),)) for name in names}
    for number, (parent, step, rule, rate) in enumerate(read_branches(config.branches), start=1):
        if parent not in known and parent in RULES:  # its racer was taken off the track
            known[parent] = Racer(parent, (leg(config, parent),))
        if parent not in known:
            raise Problem(NO_BRANCH, kind="knob", text=f"{parent}_{step}_{rule}_{rate:g}"[:60])
        before = tuple(one for one in known[parent].legs if one.step < step)
        known[str(number)] = Racer(str(number), (*before, leg(config, rule, step, rate)), parent)
    return tuple(known.values())


def resolve(config: Config) -> Config:
    """The config itself, once its texts are known to be readable. Raises ``Problem``."""
    surface_of(config)
    racers_of(config)
    return config


def run(config: Config, *, resume: dict[str, Any] | None = None, steering: Steering | None = None) -> Iterator[Event]:
    """The race as events. ``Step.loss`` is the first racer's; ``values`` has for each racer ``<name>.theta``,
    ``<name>.loss``, ``<name>.distance``, ``<name>.learning_rate`` and its memory (``<name>.velocity`` …)."""
    config, steering = resolve(config), steering or Steering()
    field = _Field(config, resume)
    yield Started(field.step, asdict(config), config.steps, {"racers": [r.name for r in field.racers]})
    saved = began = time.perf_counter()
    while True:
        now = field.seconds + time.perf_counter() - began
        if field.all_lost():
            yield field.diverged()
            return
        if not resume or field.step > resume["step"]:  # what was told before the pause is not told again
            yield Step(field.step, field.loss, now, field.values())
        if field.step == config.steps:
            break
        for change in steering.due(field.step):
            field.change(change.name, change.value)
            yield change
        if steering.wants_checkpoint() or time.perf_counter() - saved > CHECKPOINT_SECONDS:
            saved = time.perf_counter()
            yield Checkpoint(field.step, field.saved(now))
        field.advance()
    yield Checkpoint(field.step, field.saved(now), final=True)
    yield Finished(field.step, field.metrics())


class _Field:
    """All racers between two steps."""

    def __init__(self, config: Config, resume: dict[str, Any] | None) -> None:
        self.surface = surface_of(config)
        self.config, self.step, self.seconds = config, 0, 0.0
        self.switched: list[list[Any]] = []  # [step, rule]: what the first racer was turned into
        start = np.array([config.start_x, config.start_y])
        self.racers = racers_of(config)
        self.states = [State(start) for _ in self.racers]
        self.first = float(self.surface.distance(start))
        self.late = [0] * len(self.racers)  # the first step from which on each was near so far
        if resume:
            self.step, self.seconds, self.late = resume["step"], resume["seconds"], list(resume["late"])
            self.switched = [list(pair) for pair in resume["switched"]]
            self.config = replace(config, **resume["changed"])
            self.states = [State(**state) for state in resume["states"]]
            self._line_up()
        self._look()

    def _line_up(self) -> None:
        """The racers' legs, as the settings stand now."""
        self.racers = racers_of(self.config)
        for step, rule in self.switched:
            first = self.racers[0]
            legs = tuple(one for one in first.legs if one.step < step)
            self.racers = (replace(first, legs=(*legs, leg(self.config, rule, step))), *self.racers[1:])

    def _look(self) -> None:
        """Where everybody is: heights and distances; and who has been late so far."""
        self.theta = np.array([state.theta for state in self.states])  # (R, 2)
        with np.errstate(over="ignore", invalid="ignore"):
            self.heights, self.distances = self.surface.value(self.theta), self.surface.distance(self.theta)
        widest = max(high - low for low, high in self.surface.domain)
        self.lost = ~(np.isfinite(self.heights) & (self.distances < FAR * widest))
        far = ~(self.distances <= self.config.near * self.first)
        self.late = [self.step + 1 if out else late for out, late in zip(far, self.late, strict=True)]

    @property
    def loss(self) -> float:
        return float(self.heights[0])

    def all_lost(self) -> bool:
        return bool(self.lost.all())

    def advance(self) -> None:
        """One update of everybody who is still there."""
        with np.errstate(over="ignore", invalid="ignore"):
            gradients = self.surface.gradient(self.theta, self.step)
            factor = SCHEDULES[self.config.schedule](self.step, self.config.steps)
            self.states = [
                state if lost else advance(state, racer.leg(self.step), gradient, factor)
                for state, racer, gradient, lost in zip(self.states, self.racers, gradients, self.lost, strict=True)
            ]
        self.step += 1
        self._look()

    def change(self, name: str, value: Any) -> None:
        """A setting from now on; ``optimizer`` turns the first racer into another rule. Raises ``Problem``."""
        known = knobs_of(Config)
        if name not in known:
            raise unknown_knob(name, known)
        value = check_value(known[name], value)
        if name == "optimizer":
            self.switched += [[self.step, value]] if value != ALL else []
        else:
            self.config = replace(self.config, **{name: value})
        self._line_up()

    def values(self) -> dict[str, Any]:
        """What a ``Step`` tells."""
        told: dict[str, Any] = {}
        for i, (racer, state) in enumerate(zip(self.racers, self.states, strict=True)):
            if self.lost[i]:
                continue
            now = racer.leg(self.step)
            factor = SCHEDULES[self.config.schedule](min(self.step, self.config.steps - 1), self.config.steps)
            arrays = {name: state.memory[name] for name in RULES[state.rule].memory} if state.rule else {}
            told |= {f"{racer.name}.{name}": array.tolist() for name, array in {"theta": state.theta, **arrays}.items()}
            told |= {f"{racer.name}.loss": float(self.heights[i]), f"{racer.name}.distance": float(self.distances[i])}
            told[f"{racer.name}.learning_rate"] = now.learning_rate * factor
        return told

    def saved(self, seconds: float) -> dict[str, Any]:
        """All that is needed to go on from here bit for bit."""
        live = [k.name for k in knobs_of(Config).values() if k.live and k.name != "optimizer"]
        changed = {name: getattr(self.config, name) for name in live}
        states = [vars(state) for state in self.states]
        return {"step": self.step, "seconds": seconds, "states": states, "changed": changed,
                "switched": self.switched, "late": self.late}  # fmt: skip

    def diverged(self) -> Diverged:
        """Why the first racer ran away, with its own numbers."""
        now = self.racers[0].leg(max(self.step - 1, 0))
        told: dict[str, Any] = {"rule": RULES[now.rule].title, "learning_rate": now.learning_rate}
        if self.surface.curvatures is not None:
            bound = limit(now.rule, self.surface.curvatures[1], dict(now.settings).get("beta", 0.0))
            if bound is not None and now.learning_rate > bound:
                return Diverged(self.step, ABOVE_LIMIT, {**told, "limit": bound})
        return Diverged(self.step, RAN_AWAY, told)

    def metrics(self) -> dict[str, Any]:
        """How it ended for each racer."""
        told: dict[str, Any] = {}
        for i, racer in enumerate(self.racers):
            arrived = self.late[i] if self.late[i] <= self.step and not self.lost[i] else None
            told |= {f"{racer.name}.steps_to_arrive": arrived, f"{racer.name}.diverged": bool(self.lost[i])}
            told |= {f"{racer.name}.distance": float(self.distances[i]), f"{racer.name}.loss": float(self.heights[i])}
        return {**told, "sharpness": self.surface.sharpness}
