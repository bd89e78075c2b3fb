"""What a descent did, told in a sentence or two with its own numbers."""

from __future__ import annotations

import math

import numpy as np

from dlcore.descent import Path, Task, is_batched
from dlcore.experiments.linear_regression import Config
from dlcore.quadratic import growth, noise_limit
from dlcore.texts import N_

Told = tuple[str, str, dict[str, str]]  # what kind of end it was, the sentence (marked), its numbers ready to print
NEAR = 1e-6  # share of the starting excess loss that counts as arrived
SETTLED = 0.6  # a loss whose later part is at least this share of its earlier one no longer falls


def say(value: float, digits: int = 4) -> str:
    """A number as it is printed: ``0.02499``, ``−118``, ``29100``, ``1.15 × 10⁹`` (unbreakable)."""
    if not math.isfinite(value):
        return "∞" if value == math.inf else "−∞" if value == -math.inf else "?"
    if value and not 1e-4 <= abs(value) < 1e5:
        exponent = math.floor(math.log10(abs(value)))
        mantissa = f"{value / 10.0**exponent:.{min(digits, 3)}g}" if exponent > -300 else "0"
        return f"{mantissa}\u00a0×\u00a010{_raised(exponent)}".replace("-", "−")
    return f"{float(f'{value:.{digits}g}'):.10g}".replace("-", "−")


def _raised(exponent: int) -> str:
    return str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _power(factor: float, n: int) -> str:
    """``factor ** n`` as text, without overflow."""
    exponent = n * math.log10(factor)
    return (
        say(10**exponent, 3) if exponent < 300 else f"{10 ** (exponent % 1):.3g}\u00a0×\u00a010{_raised(int(exponent))}"
    )


def _percent(share: float) -> str:
    """A share as a percentage that never claims to be all of it."""
    if 0.99 < share < 1:
        return f"{100 * share:.{min(10, math.ceil(-math.log10(1 - share)) - 1)}f}%"
    return f"{say(100 * share, 3)}%"


def arrival(path: Path, near: float = NEAR) -> int | None:
    """The first step from which on the excess loss stays below ``near`` of the start's; None if it does not."""
    above = np.flatnonzero(path.excess > near * path.excess[0])
    first = int(above[-1]) + 1 if len(above) else 0
    return first if first < len(path.excess) and not path.diverged else None


def story(task: Task, config: Config, path: Path) -> list[Told]:
    """What happened on ``path``: the end that it came to, then what made it so."""
    bowl, rate, momentum = task.spectrum, config.learning_rate, config.momentum
    if path.excess[0] <= 1e-20 * max(path.loss[0], 1e-300):
        return [("start", N_("The descent starts at the optimum: there is nothing left to improve."), {})]
    if rate > bowl.limit(momentum) * (1 + 1e-9):
        return [_diverged(task, config, path)]
    if is_batched(config, len(task.y)):
        return [_noisy(task, config, path)]
    told = [_arrived(task, path) or _under_way(task, config, path)]
    steep = growth(rate, bowl.lambda_max, momentum)
    if momentum == 0 and rate * bowl.lambda_max > 1.05 and steep < 1 - 1e-9:
        sentence = N_(
            "Along the steepest direction each step is too long: it lands on the other side of the valley, "
            "with {share} of the error it had. That is the zigzag."
        )
        told.append(("zigzag", sentence, {"share": _percent(steep)}))
    return told


def _diverged(task: Task, config: Config, path: Path) -> Told:
    n, limit = len(path.loss) - 1, task.spectrum.limit(config.momentum)
    factor = growth(config.learning_rate, task.spectrum.lambda_max, config.momentum)
    numbers = {
        "ratio": say(config.learning_rate / limit, 3),
        "limit": say(limit),
        "factor": say(factor),
        "n": str(n),
        "times": _power(factor, n),
        "first": say(path.loss[0], 3),
        "last": say(path.loss[-1], 3),
    }
    if path.diverged:
        sentence = N_(
            "It diverges. The rate is {ratio} × the limit {limit}, so each step makes the error along the steepest "
            "direction {factor} times as large. After {n} steps that is {times} times, and the next loss was too "
            "large for the computer to hold."
        )
    elif path.loss[-1] > path.loss[0]:
        sentence = N_(
            "It diverges. The rate is {ratio} × the limit {limit}, so each step makes the error along the steepest "
            "direction {factor} times as large: {times} times after {n} steps. The loss went from {first} to {last}."
        )
    else:
        sentence = N_(
            "It will diverge, though it does not show yet. The rate is {ratio} × the limit {limit}, so each step makes "
            "the error along the steepest direction {factor} times as large. Give it more steps."
        )
    return "diverged", sentence, numbers


def _noisy(task: Task, config: Config, path: Path) -> Told:
    """Mini-batches: still falling, trembling at a floor, or torn apart by the noise."""
    numbers = {"batch": str(config.batch_size), "n": str(len(path.loss) - 1)}
    if path.diverged or path.loss[-1] > 2 * path.loss[0]:
        if config.momentum:
            numbers |= {"first": say(path.loss[0], 3), "last": say(path.loss[-1], 3)}
            sentence = N_(
                "It diverges, though the full gradient would not. Gradients over batches of {batch} differ so much "
                "from one another that the steps grow: the loss went from {first} to {last}. With momentum, small "
                "batches bear only a smaller rate."
            )
            return "noise", sentence, numbers
        limit = noise_limit(task.X, config.batch_size, task.spectrum)
        numbers |= {"limit": say(limit, 3), "first": say(path.loss[0], 3), "last": say(path.loss[-1], 3)}
        sentence = N_(
            "It diverges, though the full gradient would not. Gradients over batches of {batch} differ so much from "
            "one another that the steps grow: the loss went from {first} to {last}. For this batch size the limit is "
            "about {limit}."
        )
        return "noise", sentence, numbers
    quarter = max(len(path.excess) // 4, 1)
    before, now = float(path.excess[-2 * quarter : -quarter].mean()), float(path.excess[-quarter:].mean())
    share = now / path.excess[0]
    numbers |= {"floor": say(now, 3), "share": _percent(share)}
    if now > SETTLED * before and share < 0.5:
        sentence = N_(
            "It arrived, and now it trembles. Each gradient sees a batch of {batch} only, so it is never zero: the "
            "loss stays about {floor} above the optimum. A smaller rate lowers this floor, and so does a larger batch."
        )
        return "floor", sentence, numbers
    sentence = N_(
        "Still on its way, with a noisy compass: each gradient sees a batch of {batch} only. At step {n}, {share} of "
        "the excess loss is left."
    )
    return "under way", sentence, numbers


def _arrived(task: Task, path: Path) -> Told | None:
    steps = arrival(path)
    if steps is None:
        return None
    sentence = N_(
        "It converged. From step {steps} on, less than a millionth of the excess loss is left; at step {n} the loss is "
        "{rest} above the closed form’s {optimum}."
    )
    rest, optimum = say(float(path.excess[-1]), 3), say(task.spectrum.optimum_loss)
    return "converged", sentence, {"steps": str(steps), "n": str(len(path.loss) - 1), "rest": rest, "optimum": optimum}


def _under_way(task: Task, config: Config, path: Path) -> Told:
    bowl, n = task.spectrum, len(path.loss) - 1
    share = float(path.excess[-1] / path.excess[0])
    slow = growth(config.learning_rate, bowl.lambda_min, config.momentum)
    fast = growth(config.learning_rate, bowl.lambda_max, config.momentum)
    worst = max(slow, fast)
    numbers = {"n": str(n), "share": _percent(share), "kappa": say(bowl.condition_number, 3), "keeps": _percent(worst)}
    if slow >= 1 - 1e-12 > fast:
        sentence = N_(
            "Still on its way: at step {n}, {share} of the excess loss is left. Along the flattest direction it hardly "
            "moves at all (condition number {kappa}). Standardize the features."
        )
        return "under way", sentence, numbers
    if worst >= 1 - 1e-12:
        sentence = N_(
            "This is the limit itself. Each step throws the error to the other side of the valley and makes it no "
            "smaller: at step {n}, {share} of the excess loss is left, and it stays."
        )
        return "limit", sentence, numbers
    more = max(1, math.ceil(math.log(NEAR / share) / (2 * math.log(worst))))
    numbers["more"] = f"{more:,}" if more < 1e6 else say(more, 2)
    if slow >= fast:
        sentence = N_(
            "Still on its way: at step {n}, {share} of the excess loss is left. Along the flattest direction each step "
            "keeps {keeps} of the error, so that a millionth is about {more} steps away (condition number {kappa})."
        )
    else:
        sentence = N_(
            "Still on its way: at step {n}, {share} of the excess loss is left. The rate is so near the limit that "
            "each step keeps {keeps} of the error along the steepest direction; a millionth is about {more} steps away."
        )
    return "under way", sentence, numbers
