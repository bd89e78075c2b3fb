"""How long does a network remember? RNN, LSTM and GRU on tasks with a dial for distance, from the same batches.

While they train, the gradient by every time step is told as a film: Snapshots named "frames" with ``gradient/<cell>``
(1, T), the norms of ∂L/∂h_t on a batch of held-out sequences, and ``gradient/lstm.c`` for the LSTM's cell state.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from dlcore.data.memory_tasks import TASKS, Batch, chance, held_out
from dlcore.distances import places_of
from dlcore.events import Event
from dlcore.experiments.sequence_settings import ALL, SequenceConfig
from dlcore.knobs import knob, knob_like
from dlcore.sequence_training import Exercise, Look, cells_of, prepare, resolve_on, train
from dlcore.steering import Steering
from dlcore.step_memory import check_step
from dlcore.sweeps import Sweep
from dlcore.texts import N_

if TYPE_CHECKING:
    from torch import Tensor, nn

    from dlcore.models.memory import Rememberer
    from dlcore.models.together import Together

LANE = "train"
PROBED, PROBE_SEED = 16, 77_001  # sequences whose gradients are measured


@dataclass(frozen=True)
class Config(SequenceConfig):
    """The settings of the memory lesson."""

    task: str = knob(
        "first_symbol", choices=tuple(TASKS), label=N_("Task"),
        help=N_("What is to be remembered: the first letter; four letters; two marked numbers; or open brackets."),
    )  # fmt: skip
    length: int = knob(
        30, low=2, high=200, log=True, step=1, label=N_("Distance"),
        help=N_("Over how many steps something has to be remembered."),
    )  # fmt: skip
    cell: str = knob_like(SequenceConfig, "cell", default=ALL)
    forget_bias: float = knob_like(SequenceConfig, "forget_bias")
    start: str = knob_like(SequenceConfig, "start", advanced=False)
    radius: float = knob_like(SequenceConfig, "radius", advanced=False)
    clip_norm: float = knob_like(SequenceConfig, "clip_norm", advanced=False)
    learning_rate: float = knob_like(SequenceConfig, "learning_rate", default=2e-3)
    distances: int = knob(
        1, low=1, high=8, label=N_("Distances"),
        help=N_("Trains anew at so many distances, evenly spaced up to the one above, in one run."),
    )  # fmt: skip

    @classmethod
    def recipe(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Tasks that ask for more than one letter are learned longer, and faster."""
        return {} if given.get("task", "first_symbol") == "first_symbol" else {"steps": 500, "learning_rate": 5e-3}


def resolve(config: Config) -> Config:
    """The config with the device made definite; the sequences are generated, the same on every machine.

    Raises:
        Problem: a step would take too much memory, or the device is missing.
    """
    check_step(config.batch_size, config.length, config.hidden, models=len(cells_of(config)))
    return resolve_on(config, "")


def exercise(config: Config) -> Exercise:
    """What is learned, for a resolved config."""
    from dlcore.models import memory

    task = TASKS[config.task]

    def batch(numbers: Tensor) -> tuple[Any, Tensor]:
        import torch

        seed = int(torch.randint(2**62, ()))  # from the generator that a checkpoint keeps
        made = task.draw(config.length, len(numbers), np.random.default_rng(seed), False)
        return memory.tensors(made, config.device)

    tested = memory.tensors(held_out(config.task, config.length), config.device)
    return Exercise(
        partial(memory.build, config), batch, memory.losses, partial(_evaluate, tested),
        measures={"accuracy": memory.right}, look=partial(_look, probe(config), config.device),
        tokens=float(held_out(config.task, config.length).lengths.mean()), about={"config": asdict(config)},
    )  # fmt: skip


def probe(config: Config) -> Batch:
    """The sequences, all of full length, whose gradients are measured."""
    return TASKS[config.task].draw(config.length, PROBED, np.random.default_rng(PROBE_SEED), True)


def _evaluate(tested: tuple[Any, Tensor], model: nn.Module) -> dict[str, float]:
    """Accuracy and loss on the held-out sequences; of numbers the mean squared error too."""
    from dlcore.models import memory

    outputs = model(tested[0])
    loss, share = memory.losses(outputs, tested[1]).mean().item(), memory.right(outputs, tested[1]).mean().item()
    number = {"test_mse": loss} if tested[1].is_floating_point() else {}
    return {"test_loss": loss, "test_accuracy": share, **number}


def _look(probed: Batch, device: str, models: Together) -> Look:
    """One frame of the film."""
    rows = {name: norms[None] for name, norms in gradients(models, probed, device).items()}
    return {"frames": {f"gradient/{name}": row for name, row in rows.items()}}


def gradients(models: Together, probed: Batch, device: str) -> dict[str, np.ndarray]:
    """The norms of ∂L/∂h_t by cell, (T,) each, and of ∂L/∂c_t as ``lstm.c``."""
    from dlcore.models import memory

    X, y = memory.tensors(probed, device)
    found = {}
    for cell, model in models.items():
        for kind, norms in memory.gradient_by_time(_of(model), X, y).items():  # pyright: ignore[reportArgumentType]
            found[cell if kind == "h" else f"{cell}.{kind}"] = norms.cpu().numpy()
    return found


def _of(model: Any) -> Rememberer:
    return model


def run(config: Config, *, resume: dict[str, Any] | None = None, steering: Steering | None = None) -> Iterator[Event]:
    """Train the cells that the config names, from the same batches; at several distances one after the other."""
    config = resolve(config)
    if config.distances > 1:
        yield from Sweep(config, places_of(config), at_one_distance, steering, resume).run()
    else:
        yield from at_one_distance(config, resume=resume, steering=steering)


def at_one_distance(
    config: Config, *, resume: Mapping[str, Any] | None = None, steering: Steering | None = None
) -> Iterator[Event]:
    """Train at ``config.length``; the config is resolved."""
    from dlcore.device import reproducible

    reproducible(config.seed, threads=config.threads, device=config.device)
    made = exercise(config)
    task, plan = prepare(config, made)
    info = {"chance": chance(config.task, config.length), "question": TASKS[config.task].question}
    yield from train(task, plan, config, made, info=info, resume=resume, steering=steering)
