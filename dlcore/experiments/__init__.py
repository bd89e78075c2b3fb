"""One module per lesson. Each has the same three names, and all else is derived from them:

``Config``
    frozen dataclass of knobs (``dlcore.knobs``), importable without torch
``resolve(config) -> Config``
    the same config with everything fixed that would otherwise depend on the moment (device, precision, data hash)
``run(config, *, resume=None, steering=None) -> Iterator[Event]``
    the experiment: resolves, yields ``Started`` first and ``Finished`` or ``Diverged`` last; reads ``steering`` between
    steps; ``resume`` is the ``state`` of a ``Checkpoint`` event of the same config

``ACTIONS``, where a module has it, names changes to a run that are no knobs (a weight edited): name to a function
``(config, value) -> value`` that checks, raising ``Problem``.

``LANE`` says where it runs: ``"train"`` (torch, a process to itself) or ``"light"`` (NumPy with generators of its own).
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator, Mapping
from typing import Any, Protocol, cast

from dlcore.events import Event
from dlcore.knobs import knobs_of
from dlcore.steering import Steering
from dlcore.texts import N_, Problem

ELSEWHERE = {  # tasks of ``sequences`` that have a lesson of their own
    "text": "text", "names": "reading", "sentiment": "reading", "series": "series", "dates": "attention",
    "numerals": "attention",
}  # fmt: skip
NAMES = (
    "linear_regression", "optimizers", "backpropagation", "neural_network", "convolution", "cnn", "augmentation",
    "speed", "resnet", "landscape", "transfer", "teach", "classify", "evaluation", "sequences", "text", "reading",
    "series", "attention",
)  # fmt: skip


class Experiment(Protocol):
    """The shape of an experiment module."""

    LANE: str
    Config: type

    def resolve(self, config: Any) -> Any:
        """See the module docstring."""
        ...

    def run(
        self, config: Any, *, resume: dict[str, Any] | None = None, steering: Steering | None = None
    ) -> Iterator[Event]:
        """See the module docstring."""
        ...


def extras() -> dict[str, str]:
    """Experiments from outside this package: ``DLCORE_EXTRA_EXPERIMENTS=mine=package.module,other=package.other``.

    Only who starts the server can add one; a link or a page cannot.
    """
    entries = os.environ.get("DLCORE_EXTRA_EXPERIMENTS", "").split(",")
    return {name.strip(): module.strip() for name, _, module in (e.partition("=") for e in entries) if module}


def lesson_of(name: str, texts: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """The lesson that has a task, and its settings: ``sequences`` with ``task=names`` is the lesson ``reading``."""
    home = ELSEWHERE.get(texts.get("task", "").strip()) if name == "sequences" else None
    if home is None or home not in NAMES:
        return name, dict(texts)
    several = "task" in knobs_of(experiment(home).Config)
    return home, {knob: text for knob, text in texts.items() if several or knob != "task"}


def experiment(name: str) -> Experiment:
    """The experiment module of that name. Raises ``Problem`` for a name that is not in ``NAMES`` (or ``extras``)."""
    if name in (known := extras()):
        return cast(Experiment, importlib.import_module(known[name]))
    if name not in NAMES:
        raise Problem(
            N_("There is no lesson “{name}”. The lessons are: {names}."),
            kind="lesson",
            name=name,
            names=", ".join(NAMES),
        )
    return cast(Experiment, importlib.import_module(f"dlcore.experiments.{name}"))
