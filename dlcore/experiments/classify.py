"""Is a sure answer a right one? One picture, one network, and a change that grows until the answer breaks.

The picture is turned, cropped, shrunk, blurred, covered … in equal steps, and at each the network answers. Every step
is a ``Step``; nothing is trained.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np

from dlcore.events import Checkpoint, Diverged, Epoch, Event, Finished, Started, Step
from dlcore.knobs import knob
from dlcore.steering import Steering
from dlcore.texts import N_
from dlcore.vision.changes import BOX, SWEEPS, Changes, swept
from dlcore.vision.networks import KNOWN, SHIPPED, available
from dlcore.vision.samples import TITLES

LANE = "train"  # of all workers those of this lane may take their time
NETWORKS = ("auto", *KNOWN, *SHIPPED)


@dataclass(frozen=True)
class Config(Changes):
    """The settings of the lesson: which picture and network, what is done to the picture, and what is swept."""

    image: str = knob(
        "temple", choices=tuple(TITLES), label=N_("Picture"), help=N_("One of the pictures that come along."),
    )  # fmt: skip
    model: str = knob(
        "auto", choices=NETWORKS, label=N_("Network"),
        help=N_("Who answers; “auto” takes the first ImageNet network that is on this machine, else one of ours."),
    )  # fmt: skip
    change: str = knob(
        "rotate", choices=tuple(SWEEPS), label=N_("What grows"),
        help=N_("This change grows from nothing to its strongest, on top of the others that are set."),
    )  # fmt: skip
    steps: int = knob(
        24, low=4, high=100, label=N_("Steps"), help=N_("In how many equal steps the change grows."), advanced=True,
    )  # fmt: skip
    seed: int = knob(
        0, low=0, high=9999, label=N_("Seed"), help=N_("Draws the noise; the same seed draws the same."), advanced=True,
    )  # fmt: skip


def resolve(config: Config) -> Config:
    """The config with the network made definite."""
    return replace(config, model=available()[0]) if config.model == "auto" else config


def run(config: Config, *, resume: dict[str, Any] | None = None, steering: Steering | None = None) -> Iterator[Event]:
    """Answer at every strength. ``Step.loss`` is the cross-entropy of the first answer: −ln of its probability.

    ``Step.values``: ``strength``, ``probability`` (of the untouched picture's answer), ``index`` (of the answer now).
    ``Finished.metrics``: ``label`` and ``probability`` of the first answer; ``broken_at``, the strength at which the
    answer first was another one (None: never); ``kept``, the share of the steps with the first answer; ``seconds``.

    Raises:
        Problem: of ``dlcore.vision.models.model``; kind ``"blank"``, nothing in the picture can be read.
    """
    from dlcore.vision.answers import probabilities
    from dlcore.vision.models import model
    from dlcore.vision.samples import sample

    steering, config = steering or Steering(), resolve(config)
    vision, picture = model(config.model), sample(config.image)
    rows: list[dict[str, Any]] = list(resume["rows"]) if resume else []
    started = time.perf_counter() - (resume["seconds"] if resume else 0.0)
    yield Started(len(rows), asdict(config), config.steps, {"classes": len(vision.classes), "network": config.model})
    for k in range(len(rows), config.steps + 1):
        shares = probabilities(vision, [at(picture, config, k / config.steps)])[0]
        first = rows[0]["first"] if rows else int(shares.argmax())
        rows.append(row(config, k / config.steps, shares, first))
        values = {name: rows[-1][name] for name in ("strength", "probability", "index")}
        seconds = time.perf_counter() - started
        if not np.isfinite(shares).all():
            yield Diverged(k, N_("The network's answer is no finite number: its weights are damaged."))
            return
        yield Step(k, loss=-float(np.log(max(shares[first], 1e-12))), seconds=seconds, values=values)
        if steering.wants_checkpoint():
            yield Checkpoint(k, {"rows": rows, "seconds": seconds})
    metrics = {**summary(rows), "label": vision.classes[rows[0]["first"]], "seconds": time.perf_counter() - started}
    yield Epoch(config.steps, 1, {"kept": metrics["kept"], "probability": metrics["probability"]}, metrics["seconds"])
    yield Checkpoint(config.steps, {"rows": rows, "seconds": metrics["seconds"]}, final=True)
    yield Finished(config.steps, metrics)


def at(picture: np.ndarray, config: Config, share: float) -> np.ndarray:
    """The picture with the settings' changes, and ``share`` (0 to 1) of the one that grows."""
    from dlcore.vision.changes import changed

    return changed(picture, grown(config, share), config.seed)


def grown(config: Config, share: float) -> Changes:
    """What is done to the picture at ``share`` of the way."""
    names = BOX if config.change == "occlude" else (config.change,)
    strongest = swept(config.change, share)
    kept = {f.name: getattr(config, f.name) for f in fields(Changes)}
    return Changes(**{**kept, **{name: getattr(strongest, name) for name in names}})


def strength(config: Config, share: float) -> float:
    """How strong the change is at ``share`` of the way, in its own unit; of a box, its side as a share."""
    return float(getattr(grown(config, share), "width" if config.change == "occlude" else config.change))


def row(config: Config, share: float, shares: np.ndarray, first: int) -> dict[str, Any]:
    """One step of the sweep; ``first`` is the class that the untouched picture got."""
    return {
        "strength": strength(config, share), "probability": float(shares[first]), "first": first,
        "index": int(shares.argmax()), "best": float(shares.max()),
    }  # fmt: skip


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """``probability`` of the first answer at the beginning, ``kept`` and ``broken_at`` (see ``run``)."""
    same = [r["index"] == r["first"] for r in rows]
    broken = next((r["strength"] for r, holds in zip(rows, same, strict=True) if not holds), None)
    return {"probability": rows[0]["probability"], "kept": float(np.mean(same)), "broken_at": broken}
