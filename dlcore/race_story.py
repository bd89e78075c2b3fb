"""What a race showed: the ranking, a sentence on the racer in hand, numbers for the prose, tasks for the learner."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import numpy as np

from dlcore.descent_story import say
from dlcore.experiments.optimizers import Config
from dlcore.figures import Label
from dlcore.knobs import defaults_for
from dlcore.race import Racer, Track
from dlcore.race_views import Scene
from dlcore.surfaces import Surface, hessian
from dlcore.texts import N_
from dlcore.update_rules import RULES, best_pair, best_rate, limit, steps_needed

FIRST = 1e-6  # the prose counts until a millionth of the distance is left
ABOVE = N_(
    "Its rate is {times} × the limit {limit}: along the steep direction every step is larger than the one before."
)
AWAY = N_("It ran away. A smaller rate keeps it on the map.")
TREMBLES = N_(
    "Each slope comes with an error, so it trembles. A smaller rate, or a schedule that ends near zero, lets it come "
    "to rest."
)
NO_REST = N_("Its rate is above {limit}, the limit of the flattest minimum: even at the bottom it cannot come to rest.")
SHORT = N_(
    "Its decay pulls towards (0, 0), so it stops short of a minimum that lies elsewhere. Without decay it is Adam."
)
ARRIVED = N_("It arrived, and stayed within {near} of the first distance from step {steps} on.")
HOLLOW = N_(
    "It rests in another hollow, which is not as deep: there the slope is zero as well. Start elsewhere, or let it "
    "roll through with more momentum."
)
UNDER_WAY = N_("It is still on its way. Give it more steps, another rate or another rule.")
PACE = N_(
    "κ is {kappa} here. Down to {near} of the distance, gradient descent at the rate that is best in the long run "
    "needs {slow} steps from this start; a heavy ball with its best pair of rate and β needs {fast}."
)


def _percent(share: float) -> str:
    """A share as a percentage that is never broken at the sign."""
    return f"{say(100 * share, 2)}%"


def result(shown: Scene, racer: Racer, arrived: int | None, label: Label = str) -> str:
    """How the race ended for one racer, in a few words."""
    track = shown.tracks[racer.name]
    if arrived is not None:
        return label(N_("{steps} steps")).format(steps=arrived)
    if track.diverged:
        return label(N_("ran away at step {step}")).format(step=track.steps)
    share = float(track.distance[-1] / max(track.distance[0], 1e-300))
    if share > 1:
        return label(N_("{times} × as far as at the start")).format(times=say(share, 2))
    return label(N_("{share} of the way left")).format(share=_percent(share))


def story(shown: Scene) -> tuple[str, str, dict[str, str]]:
    """One sentence on the racer in hand: (kind, sentence, its numbers)."""
    racer, track = shown.hand, shown.tracks[shown.hand.name]
    leg, curvatures = racer.legs[-1], shown.surface.curvatures
    beta = dict(leg.settings).get("beta", 0.0)
    bound = limit(leg.rule, shown.surface.sharpness, beta) if 0 < shown.surface.sharpness < 1e9 else None
    numbers = {"rate": say(leg.learning_rate, 3), "limit": say(bound or 0.0, 4), "beta": say(beta, 3)}
    numbers |= {"times": say(leg.learning_rate / bound, 4) if bound else ""}
    noisy, arrived = shown.surface.noise is not None, shown.arrival(racer.name)
    if bound and curvatures and leg.learning_rate > bound * (1 + 1e-9):
        return "limit", ABOVE, numbers
    if track.diverged:
        return "limit", AWAY, numbers
    if noisy:
        return "noise", TREMBLES, numbers
    if bound and not curvatures and leg.learning_rate > bound and arrived is None:
        return "limit", NO_REST, numbers
    if racer.rule == "adamw" and arrived is None and np.linalg.norm(shown.surface.minima[0]) > 0.1:
        return "decay", SHORT, numbers
    if curvatures:
        return _pace(shown, numbers)
    if arrived is not None:
        return "arrived", ARRIVED, {**numbers, "near": _percent(shown.config.near), "steps": str(arrived)}
    return ("hollow", HOLLOW, numbers) if _in_a_hollow(shown.surface, track) else ("under way", UNDER_WAY, numbers)


def _in_a_hollow(surface: Surface, track: Track) -> bool:
    """Whether the end is near a minimum that is none of the deepest: Newton's step from there is short."""
    end, first = track.theta[-1], float(track.distance[0])
    curved = hessian(surface, end)
    if not np.isfinite(curved).all() or np.linalg.eigvalsh(curved)[0] <= 0 or track.distance[-1] < 0.1 * first:
        return False
    return float(np.linalg.norm(np.linalg.solve(curved, surface.slope(end)))) < 0.02 * first


def _pace(shown: Scene, numbers: dict[str, str]) -> tuple[str, str, dict[str, str]]:
    """What theory says of this bowl: κ against √κ."""
    low, high = shown.surface.curvatures or (1.0, 1.0)
    directions = np.linalg.eigh(hessian(shown.surface, np.zeros(2)))[1]  # columns: flattest, steepest
    x, y = np.array([shown.config.start_x, shown.config.start_y]) @ directions
    slow, fast = lengths(low, high, shown.config.near, (round(float(x), 6), round(float(y), 6)))
    said = {"kappa": say(high / low, 3), "slow": str(slow), "fast": str(fast), "near": _percent(shown.config.near)}
    return "pace", PACE, {**numbers, **said}


@lru_cache(maxsize=256)
def lengths(
    lambda_min: float, lambda_max: float, near: float, start: tuple[float, float] = (1.0, 1.0)
) -> tuple[int, int]:
    """Steps to ``near`` of gradient descent at its best rate and of the heavy ball with its best pair."""
    slow = steps_needed(lambda_min, lambda_max, best_rate(lambda_min, lambda_max), 0.0, near, start)
    return slow, steps_needed(lambda_min, lambda_max, *best_pair(lambda_min, lambda_max), near, start)


def _pair(values: Iterable[float]) -> str:
    """One number for each of the two parameters, as a vector is written."""
    return "(" + ", ".join(say(float(value), 3) for value in values) + ")"


def numbers(config: Config, shown: Scene | None) -> dict[str, str]:
    """What the prose has between double braces, ready to print."""
    kappa = config.condition
    slow, fast = lengths(1 / kappa, 1.0, FIRST)
    rate, beta = best_pair(1 / kappa, 1.0)
    adam = {"adam_rate": say(config.adam_learning_rate), "adam_first": "…", "adam_slope": "…"}
    if shown is not None:
        start = np.array([config.start_x, config.start_y])
        slope = np.abs(shown.surface.gradient(start))
        first = [config.adam_learning_rate if g > 0 else 0.0 for g in slope]
        if "adam" in shown.tracks and shown.tracks["adam"].steps:
            first = shown.tracks["adam"].step_lengths[0]
        adam |= {"adam_slope": _pair(slope), "adam_first": _pair(first)}  # fmt: skip
    return {
        "kappa": say(kappa, 3), "gd_best": say(best_rate(1 / kappa, 1.0)), "slow": str(slow), "fast": str(fast),
        "ball_rate": say(rate), "ball_beta": say(beta), "beta": say(config.momentum_beta, 3),
        "limit": say(2 * (1 + config.momentum_beta)), **adam,
    }  # fmt: skip


# --- tasks ------------------------------------------------------------------------------------------------------------


def _untouched(config: Config, rule: str) -> bool:
    """Whether a rule runs as the surface suggests, from its usual start, without a schedule."""
    usual = defaults_for(Config, {"surface": config.surface})
    names = [f"{rule}_{name}" for name in ("learning_rate", *RULES[rule].settings)]
    return all(getattr(config, n) == usual[n] for n in (*names, "start_x", "start_y", "near", "schedule"))


def beats_adam(shown: Scene | None) -> bool | None:
    """Whether Momentum crosses the ravine in fewer steps than Adam with its usual settings."""
    if shown is None or shown.config.surface != "ravine" or not _untouched(shown.config, "adam"):
        return None
    ball, adam = shown.arrival("momentum"), shown.arrival("adam")
    return ball is not None and adam is not None and ball < adam


def best_ball(shown: Scene | None, most: int = 100) -> float | None:
    """How nearly Momentum comes to a millionth of the distance within ``most`` steps at κ of 100 or more, 0 to 1."""
    if (
        shown is None
        or shown.config.surface != "bowl"
        or shown.config.condition < 100
        or "momentum" not in shown.tracks
    ):
        return None
    track = shown.tracks["momentum"]
    arrived = track.arrival(FIRST)
    if arrived is not None and arrived <= most:
        return 1.0
    left = float(track.distance[min(most, track.steps)] / max(track.distance[0], 1e-300))
    return float(np.clip(np.log(left) / np.log(FIRST), 0, 0.99)) if 0 < left < 1 else 0.0


def rescued(shown: Scene | None) -> bool | None:
    """Whether a branch arrived that left a racer which did not: one that ran away, or ended further than it began."""
    if shown is None:
        return None
    for racer in shown.racers:
        if racer.parent in shown.tracks and shown.arrival(racer.name) is not None:
            parent: Any = shown.tracks[racer.parent]
            if parent.diverged or parent.distance[-1] > parent.distance[0]:
                return True
    return False
