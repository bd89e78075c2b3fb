"""A descent made ready to look at: its four films, its formula line, its numbers, its record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, NamedTuple

import numpy as np

from dlcore.descent import Path, Task, is_batched
from dlcore.descent_story import NEAR, arrival, say, story
from dlcore.experiments import linear_regression as lr
from dlcore.experiments.linear_regression import Config, diverged, metrics, resolve
from dlcore.figures import Label, descent
from dlcore.figures.descent import Film
from dlcore.history import History
from dlcore.knobs import Knob, knobs_of
from dlcore.quadratic import growth, noise_limit, plane, within
from dlcore.texts import N_, Problem

NUMBERS = (
    "rows", "rate", "beta", "lambda_max", "lambda_min", "kappa", "limit", "best", "steep", "flat", "loss",
    "optimum_loss", "batch_limit",
)  # fmt: skip


class Views(NamedTuple):
    """What stands in the lab; ``surface`` is the map or the bowl."""

    data: Film
    surface: Film
    curve: Film


def views(task: Task, config: Config, path: Path, *, bowl: bool = False, label: Label = str) -> Views:
    """The films of ``path``, all with one frame per state; ``bowl`` asks for the surface in three dimensions."""
    cut = plane(task.spectrum, path.theta)
    track = within(cut.path, cut.optimum, cut.half)
    titles = surface_titles(task, label)
    if bowl:
        surface = descent.loss_bowl(track, cut.optimum, cut.hessian, cut.half, cut.floor, titles=titles, label=label)
    else:
        surface = descent.loss_map(
            track, cut.optimum, cut.hessian, cut.half, true=cut.true, titles=titles, label=label
        )  # fmt: skip
    curve = descent.loss_curve(path.loss, path.excess, task.spectrum.optimum_loss, config.steps, label=label)
    return Views(_data_view(task, path, label), surface, curve)


def _data_view(task: Task, path: Path, label: Label) -> Film:
    """The line among the points, or, for several features, predictions against targets."""
    best, reach = task.spectrum.optimum, np.abs(task.spectrum.optimum - path.theta[0])
    theta = within(path.theta, best, np.maximum(reach, 1e-3 * np.abs(best).max() + 1e-9))
    target = label(task.data.target)
    if task.X.shape[1] > 2:
        said = label(N_("Predicted: {target}")).format(target=target)
        return descent.prediction_space(task.X, task.y, theta, x_title=target, y_title=said, label=label)
    x, name = task.data.X[:, 0], label(task.data.names[0])
    return descent.data_space(
        x, task.y, task.raw(theta), task.raw(best), x_title=name, y_title=target, label=label
    )  # fmt: skip


def surface_titles(task: Task, label: Label = str) -> tuple[str, str]:
    """What the two axes of the surface hold."""
    if task.X.shape[1] > 2:
        return label(N_("along the steepest direction")), label(N_("along the flattest direction"))
    standardized = bool((task.scale != 1).any() or (task.mean != 0).any())
    slope = N_("slope θ₁ (per standard deviation)") if standardized else N_("slope θ₁")
    return label(N_("intercept θ₀")), label(slope)


def update_line(config: Config, path: Path) -> tuple[str, dict[str, Any]]:
    """The update with its numbers, for ``ui.live_plot.frame_text``: row k shows the step that led to state k.

    Returns:
        HTML template and its arrays (n + 1,); the first two parameters, if there are more.
    """
    if not len(path.gradient):
        return "", {}
    now = np.arange(len(path.theta)).clip(1)  # the start shows the first step to come
    velocity = np.diff(path.theta[[0, *range(len(path.theta))]], axis=0)  # (n + 1, d): the step that led to each state
    lines, values = [], {"rate": config.learning_rate, "beta": config.momentum}
    for k in range(2):
        push = f"+ {{beta}} · ({{v{k}}}) " if config.momentum else ""
        lines.append(
            f"<i>θ</i><sub>{k}</sub> ← {{old{k}}} {push}− <b>{{rate}}</b> · "
            f'<b class="gradient">({{g{k}}})</b> = <b class="model">{{new{k}}}</b>'
        )
        values |= {f"old{k}": path.theta[now - 1, k], f"new{k}": path.theta[now, k], f"v{k}": velocity[now - 1, k]}
        values[f"g{k}"] = path.gradient[now - 1, k]
    return "<br>".join(lines), values


def numbers(task: Task | None, config: Config, path: Path | None) -> Mapping[str, str]:
    """What the prose has between double braces, ready to print; dots while there is no data."""
    if task is None or path is None:
        return dict.fromkeys(NUMBERS, "…")
    bowl, momentum = task.spectrum, config.momentum
    rate = config.learning_rate
    return {
        "rows": str(len(task.y)),
        "rate": say(rate),
        "beta": say(momentum, 2),
        "lambda_max": say(bowl.lambda_max),
        "lambda_min": say(bowl.lambda_min),
        "kappa": say(bowl.condition_number, 3),
        "limit": say(bowl.limit(momentum)),
        "best": say(bowl.best(momentum)),
        "steep": say(growth(rate, bowl.lambda_max, momentum), 3),
        "flat": say(growth(rate, bowl.lambda_min, momentum), 6),
        "loss": say(path.loss[-1]),
        "optimum_loss": say(bowl.optimum_loss),
        "batch_limit": say(noise_limit(task.X, config.batch_size, bowl), 3),
    }


def comparison(task: Task, path: Path, fitted: np.ndarray | None, label: Label = str) -> dict[str, list[str]]:
    """A table in the data's own units: the descent, the normal equation, scikit-learn (None: no answer yet)."""
    names = [label(N_("Intercept")), *(label(name) for name in task.data.names), label(N_("Loss"))]
    descended = [*task.raw(path.theta[-1]), path.loss[-1]]
    closed = [*task.raw(task.spectrum.optimum), task.spectrum.optimum_loss]
    columns = {
        label(N_("Parameter")): names,
        label(N_("Your descent")): [say(float(v), 6) for v in descended],
        label(N_("Normal equation")): [say(float(v), 6) for v in closed],
    }
    if fitted is not None:
        residual = task.y - task.X @ fitted
        columns["scikit-learn"] = [say(float(v), 6) for v in [*task.raw(fitted), residual @ residual / len(task.y)]]
    return columns


def markdown_table(columns: Mapping[str, Sequence[str]]) -> str:
    """Columns by heading as a Markdown table; names from the user's own file are shown as they are."""
    rows = [list(columns), ["---", *["---:"] * (len(columns) - 1)], *zip(*columns.values(), strict=True)]
    quiet = str.maketrans({sign: f"\\{sign}" for sign in "\\`*_{}[]<>()#+!|$~:"})
    body = [[cell.translate(quiet) for cell in row] if i != 1 else row for i, row in enumerate(rows)]
    return "\n".join("| " + " | ".join(row) + " |" for row in body)


def record(task: Task, config: Config, path: Path) -> History:
    """The path as the history of a run, for what is shown and downloaded of runs."""
    history = History(state="finished", config=asdict(resolve(config)), total_steps=config.steps)
    history.info = {"params": task.X.shape[1], "rows": len(task.y)}
    for step, (theta, loss) in enumerate(zip(path.theta.tolist(), path.loss.tolist(), strict=True)):
        history.steps.append({"step": step, "loss": loss, "theta": theta})
    history.step = len(path.loss) - 1
    history.metrics = metrics(path.theta[-1], float(path.loss[-1]), task, config)
    if path.diverged:
        history.state, history.diverged = "diverged", diverged(history.step, config, task)
    return history


def limit_now(task: Task, config: Config) -> tuple[float, bool]:
    """The rate above which this descent diverges, and whether the noise of small batches sets it."""
    full = task.spectrum.limit(config.momentum)
    if config.momentum or not is_batched(config, len(task.y)):
        return full, False
    return noise_limit(task.X, config.batch_size, task.spectrum), True


def asked(values: Mapping[str, Any]) -> Task | None:
    """The regression that these values of the knobs describe; None where its data is missing (the page tells why)."""
    try:
        return lr.task(Config(**values))
    except Problem:
        return None


def bounds(values: Mapping[str, Any]) -> dict[str, Knob]:
    """Knobs with bounds that come from the data: the rate from a thousandth of the limit to three times the limit."""
    regression, knobs = asked(values), knobs_of(Config)
    if regression is None:
        return {"learning_rate": replace(knobs["learning_rate"], low=1e-4, high=1.0)}
    limit = regression.spectrum.limit(values["momentum"])
    low, high = (float(f"{limit * share:.3g}") for share in (1e-3, 3))
    return {
        "learning_rate": replace(knobs["learning_rate"], low=low, high=high),
        "batch_size": replace(knobs["batch_size"], high=len(regression.y)),
    }


def hidden(values: Mapping[str, Any]) -> tuple[str, ...]:
    """The knobs that have nothing to say for this data, or that the page draws in another way."""
    drawn = ("points", "data_hash", "x_column", "y_column")
    of_others = {"diabetes": ("noise", "outliers"), "line": ("feature",)}
    return (*drawn, *of_others.get(values["dataset"], ("feature", "noise", "outliers")))


def story_text(task: Task, config: Config, path: Path, label: Label = str) -> list[tuple[str, str]]:
    """``descent_story.story`` with its numbers filled in: (kind, sentence)."""
    return [(kind, label(sentence).format(**values)) for kind, sentence, values in story(task, config, path)]


def grown(path: Path | None, times: float) -> float | None:
    """How nearly the last loss is ``times`` the first, 0 to 1, on a logarithmic scale."""
    if path is None or path.loss[0] <= 0:
        return None
    if path.diverged:
        return 1.0
    return float(np.clip(np.log(max(path.loss[-1] / path.loss[0], 1.0)) / np.log(times), 0, 1))


def arrived_by(path: Path | None, most: int) -> float | None:
    """How nearly the excess loss falls to ``NEAR`` of itself within ``most`` steps, 0 to 1 (it does).

    In between it counts the decades that are done at that step.
    """
    if path is None or path.excess[0] <= 1e-20 * path.loss[0]:
        return None
    steps = arrival(path)
    if steps is not None and steps <= most:
        return 1.0
    share = path.excess[min(most, len(path.excess) - 1)] / max(path.excess[0], 1e-300)
    decades = np.log10(share) / np.log10(NEAR) if 0 < share < 1 else 0.0
    return float(np.clip(decades, 0, 0.99))
