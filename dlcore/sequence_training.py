"""Training networks on sequences: what the sequence lessons share. An ``Exercise`` becomes a ``Task`` and a ``Plan``.

With ``cell="all"`` three models learn from the same batches (``dlcore.models.together.Together``). Numbers of one of
them carry its name, ``test_accuracy/lstm``; without a name they are those of the best.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from dlcore.device import choose_device, device_name
from dlcore.events import Event, Finished, Started
from dlcore.experiments.sequence_settings import ALL, CELLS, SequenceConfig
from dlcore.optimizers import chosen
from dlcore.steering import Steering
from dlcore.texts import N_, Problem

if TYPE_CHECKING:
    from torch import Tensor, nn

    from dlcore.models.together import Together
    from dlcore.training import Plan, Task

C = TypeVar("C", bound=SequenceConfig)
Look = dict[str, dict[str, np.ndarray]]
MOST_LOSS = 1e4  # of several models one whose loss is larger has diverged; the others go on without it


@dataclass
class Exercise:
    """What a lesson wants learned. Outputs and targets have the batch on their first axis.

    Attributes:
        make: a model for a cell (or for a name of ``parts``); draws its first weights from torch's generator.
        batch: numbers of examples (B,), each below ``steps * batch_size`` and each once → inputs, targets. May draw.
        losses: one model's outputs, targets → (B,) what is minimised (its mean over the batch).
        measures: name → (outputs, targets) → (B,), told at each step beside the loss.
        evaluate: one model in eval mode → its numbers on held-out data, named ``test_…``.
        look: all models by cell → Snapshots, several times a second; must not draw from torch's generators.
        best: the held-out number that decides which model is the best; ``lower`` is better, or higher.
        parts: names of the models that are trained together, where they differ in something else than the cell.
        tokens: symbols in one example, on average (for the speed).
        about: kept in each checkpoint, to rebuild the models from.
    """

    make: Callable[[str], nn.Module]
    batch: Callable[[Tensor], tuple[Any, Tensor]]
    losses: Callable[[Tensor, Tensor], Tensor]
    evaluate: Callable[[nn.Module], dict[str, float]]
    measures: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = field(default_factory=dict)
    look: Callable[[Together], Look] | None = None
    best: str = "test_accuracy"
    lower: bool = False
    parts: tuple[str, ...] = ()
    tokens: float = 1.0
    about: Mapping[str, Any] = field(default_factory=dict)


def cells_of(config: SequenceConfig) -> tuple[str, ...]:
    """The cells that this run trains, in the order in which they are shown."""
    return CELLS if config.cell == ALL else (config.cell,)


def resolve_on(config: C, data_hash: str) -> C:
    """The config with the device and the data's fingerprint made definite.

    Raises:
        Problem: the data is not the data that the config names, or the device is missing.
    """
    if config.data_hash not in ("", data_hash):
        raise Problem(
            N_(
                "This run was made with other data (fingerprint {wanted}) than what is found here ({found}). "
                "Clear the fingerprint to train on this."
            ),
            kind="data_hash",
            wanted=config.data_hash[:16],
            found=data_hash[:16],
        )
    return replace(config, device=choose_device(config.device), data_hash=data_hash)


def prepare(config: SequenceConfig, exercise: Exercise) -> tuple[Task, Plan]:
    """The models and all that ``fit`` needs to train them, for a resolved config. Draws the first weights."""
    import torch

    from dlcore.models.together import each_measured, together
    from dlcore.training import Plan, Task

    cells = exercise.parts or cells_of(config)
    models = together(cells, exercise.make, config.seed).to(config.device)
    torch.manual_seed(config.seed)  # the same batches whichever cells are trained (unless dropout draws in between)
    losses: dict[str, Tensor] = {}  # of each model in the last step
    task = Task(
        models,
        chosen(config, models.parameters()),
        exercise.batch,
        partial(_loss, exercise, cells, losses),
        measures=each_measured(exercise.measures, cells),
        parts_of_loss=losses,
        evaluate=partial(_evaluate, exercise, models),
        look=partial(exercise.look, models) if exercise.look else None,
        about={"cells": list(cells), **exercise.about},
        parts=dict(models.items()),
    )
    plan = Plan(
        count=config.steps * config.batch_size, batch_size=config.batch_size, epochs=1,
        learning_rate=config.learning_rate, schedule=config.schedule, device=config.device,
        clip_norm=config.clip_norm, gradient_norms=config.gradient_norms,
        evaluations=min(config.evaluations, config.steps),
    )  # fmt: skip
    return task, plan


def _loss(
    exercise: Exercise, cells: Sequence[str], told: dict[str, Tensor], outputs: Tensor, targets: Tensor
) -> Tensor:
    """The sum of the models' losses, without those that have left all bounds. Each goes into ``told``."""
    import torch

    from dlcore.models.together import summed

    losses = torch.stack([exercise.losses(one, targets).mean() for one in outputs.unbind(1)])  # (models,)
    told.update(zip((f"loss/{cell}" for cell in cells), losses.detach().unbind(), strict=True))
    return summed(losses, losses.detach().abs() <= MOST_LOSS)


def _evaluate(exercise: Exercise, models: Together) -> dict[str, float]:
    """Every model's numbers under its name, and the best model's without a name."""
    found = {cell: _numbers(exercise, model) for cell, model in models.items()}
    best = best_of({cell: numbers[exercise.best] for cell, numbers in found.items()}, lower=exercise.lower)
    named = {f"{name}/{cell}": value for cell, numbers in found.items() for name, value in numbers.items()}
    return {**named, **found[best]}


def best_of(numbers: Mapping[str, float], *, lower: bool = False) -> str:
    """The name with the best number; one without a number (its model diverged) only where none has any."""
    return min(numbers, key=lambda name: (math.isnan(numbers[name]), numbers[name] if lower else -numbers[name]))


def _numbers(exercise: Exercise, model: nn.Module) -> dict[str, float]:
    """A model's numbers on held-out data; NaN where its weights are no numbers any more."""
    from dlcore.models.together import is_finite

    numbers = exercise.evaluate(model)
    return numbers if is_finite(model) else dict.fromkeys(numbers, math.nan)


def train(
    task: Task,
    plan: Plan,
    config: SequenceConfig,
    exercise: Exercise,
    *,
    info: Mapping[str, Any] | None = None,
    resume: Mapping[str, Any] | None = None,
    steering: Steering | None = None,
) -> Iterator[Event]:
    """Train and tell, from ``Started`` to ``Finished``.

    ``Finished.metrics``: what was measured last, by cell and of the best; seconds (training alone), device, params (by
    cell), tokens_per_second, cell (the best).
    """
    from dlcore.training import fit

    params = {cell: sum(p.numel() for p in model.parameters()) for cell, model in task.parts.items()}
    device = device_name(config.device)
    told = {"params": params, "cells": list(params), "device": device, **(info or {})}
    yield Started(resume["step"] if resume else 0, asdict(config), plan.total_steps, told)
    result = yield from fit(task, plan, resume=resume, steering=steering)
    if result is None:
        return
    of_best = result.metrics[exercise.best]
    best = next((c for c in params if result.metrics[f"{exercise.best}/{c}"] == of_best), next(iter(params)))
    metrics = {
        **result.metrics,
        "cell": best,
        "seconds": result.seconds,
        "device": device,
        "params": params[best],
        "tokens_per_second": plan.count * exercise.tokens / max(result.seconds, 1e-9),
    }
    yield Finished(plan.total_steps, metrics)
