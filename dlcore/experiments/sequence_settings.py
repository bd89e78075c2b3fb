"""Knobs that the lessons on sequences have in common: the cell, how it begins, and how long it is trained, in steps.

Each of these lessons has a class of it with its own ``task`` knob; ``train sequences --set task=…`` reaches all of them
(``dlcore.experiments.lesson_of``).
"""

from __future__ import annotations

from dataclasses import dataclass

from dlcore.experiments.settings import Descent, Place
from dlcore.knobs import knob
from dlcore.schedules import SCHEDULES
from dlcore.texts import N_

CELLS = ("rnn", "lstm", "gru")
ALL = "all"
STARTS = ("usual", "orthogonal")


@dataclass(frozen=True)
class Recurrent:
    """A recurrent layer, or three of them that learn from the same batches."""

    cell: str = knob(
        "lstm",
        choices=(*CELLS, ALL),
        label=N_("Cell"),
        help=N_("What carries the memory from step to step; or all three, trained together on the same batches."),
    )
    hidden: int = knob(
        64,
        low=1,
        high=512,
        log=True,
        step=1,
        label=N_("Hidden units"),
        help=N_("How many numbers the network may remember from one step to the next."),
    )
    forget_bias: float = knob(
        0.0,
        low=-2.0,
        high=8.0,
        zero=N_("as drawn"),
        label=N_("Bias of the keeping gate"),
        help=N_(
            "Where the LSTM’s forget gate and the GRU’s update gate begin. At 0 PyTorch draws it near 0, so half of "
            "the memory is lost in each step; at 3 the gate keeps 95 % of it."
        ),
    )
    start: str = knob(
        "usual",
        choices=STARTS,
        advanced=True,
        label=N_("First recurrent weights"),
        help=N_("Drawn as PyTorch does; or orthogonal: a rotation, which keeps every length."),
    )
    radius: float = knob(
        0.0,
        low=0.0,
        high=2.0,
        advanced=True,
        zero=N_("as drawn"),
        label=N_("Spectral radius"),
        help=N_("Scales the recurrent weights so that their largest eigenvalue has this size; 0 leaves them alone."),
    )


@dataclass(frozen=True)
class Stepping(Descent):
    """How a network of sequences is trained: so many steps, on batches of sequences."""

    learning_rate: float = knob(
        5e-3,
        low=1e-5,
        high=1.0,
        log=True,
        live=True,
        label=N_("Learning rate"),
        help=N_("The size of a step; with a schedule, the largest one. Can be changed while the network trains."),
    )
    batch_size: int = knob(
        64,
        low=1,
        high=1024,
        log=True,
        step=1,
        label=N_("Batch size"),
        help=N_("How many sequences are looked at for one step."),
    )
    steps: int = knob(
        250,
        low=1,
        high=20000,
        log=True,
        step=1,
        label=N_("Steps"),
        help=N_("How many batches it learns from."),
    )
    schedule: str = knob(
        "constant",
        choices=tuple(SCHEDULES),
        advanced=True,
        label=N_("Schedule"),
        help=N_("How the learning rate moves during the run."),
    )
    clip_norm: float = knob(
        1.0,
        low=0.0,
        high=10.0,
        advanced=True,
        zero=N_("off"),
        label=N_("Longest gradient"),
        help=N_("Gradient clipping: a longer one is shortened to this length, each cell’s by itself; 0 never does."),
    )
    evaluations: int = knob(
        10,
        low=1,
        high=100,
        advanced=True,
        label=N_("Tests per run"),
        help=N_("How often the network is tried on held-out sequences. Its time is not counted as training."),
    )
    seed: int = knob(
        0,
        low=0,
        high=9999,
        advanced=True,
        label=N_("Seed"),
        help=N_("Fixes the first weights and the batches."),
    )


@dataclass(frozen=True)
class SequenceConfig(Place, Stepping, Recurrent):
    """All that ``dlcore.sequence_training`` reads; the sequence lessons' configs are classes of it."""
