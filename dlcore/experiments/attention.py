"""An encoder-decoder in small: dates (or numbers in words) of many forms become one, with and without attention."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from dlcore.data.pairs import (
    END,
    PAD,
    SYMBOLS,
    TASKS,
    UNKNOWN,
    WIDTH,
    Pairs,
    encode,
    encode_answers,
    pairs,
)
from dlcore.device import reproducible
from dlcore.events import Event
from dlcore.experiments.sequence_settings import CELLS, SequenceConfig
from dlcore.knobs import knob
from dlcore.sequence_training import Exercise, Look, prepare, resolve_on, train
from dlcore.steering import Steering
from dlcore.step_memory import check_step
from dlcore.texts import N_

if TYPE_CHECKING:
    from torch import Tensor


LANE = "train"

NONE = "none"
SAMPLES = 6  # held-out texts whose translations are shown while it trains
HIDDEN_LETTERS = 0.01  # share of the letters that are hidden in training: so the sign for unknown ones is learned, too


@dataclass(frozen=True)
class Config(SequenceConfig):
    """The settings of the lesson on attention."""

    task: str = knob(
        "dates",
        choices=TASKS,
        label=N_("Task"),
        help=N_("Dates in many forms become 2021-05-03; numbers in words become digits. English and Chinese."),
    )
    attention: str = knob(
        "dot",
        choices=("dot", "additive", NONE),
        label=N_("Attention"),
        help=N_("How a letter’s score is computed: a dot product, or a small network; or no attention."),
    )
    compare: bool = knob(
        True,
        label=N_("And one without attention"),
        help=N_("A second network without attention learns from the same batches, from the same first weights."),
    )
    length: int = knob(
        40,
        low=0,
        high=160,
        zero=N_("alone"),
        label=N_("Letters of the text"),
        help=N_("The date stands among clauses of a sentence until there are about so many letters; 0 adds none."),
    )
    cell: str = knob(
        "gru",
        choices=CELLS,
        label=N_("Cell"),
        help=N_("What carries the memory from letter to letter, in the reader and in the writer."),
    )
    hidden: int = knob(
        32,
        low=4,
        high=256,
        log=True,
        step=1,
        label=N_("Hidden units"),
        help=N_("How many numbers the network may remember from one letter to the next."),
    )
    both_ways: bool = knob(
        True,
        advanced=True,
        label=N_("Read in both directions"),
        help=N_("A second reader comes from the end, so each letter’s state knows what stands before and behind it."),
    )
    examples: int = knob(
        10_000,
        low=100,
        high=50_000,
        log=True,
        step=1,
        advanced=True,
        label=N_("Texts to learn from"),
        help=N_("So many pairs of text and answer are made from the seed."),
    )

    @classmethod
    def recipe(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """Defaults of knobs that all sequence lessons have. The layers are so small that a second core only waits."""
        return {"learning_rate": 1e-2, "steps": 300, "threads": 1}


def resolve(config: Config) -> Config:
    """The config with the device and the fingerprint of the pairs made definite.

    Raises:
        Problem: a step would take too much memory, the pairs are others than it names, or the device is missing.
    """
    data, width = _pairs(config), WIDTH[config.task]
    scores = width * config.hidden // 2 if config.attention == "additive" else width  # of each letter, by each symbol
    units = config.hidden * (2 + config.both_ways)
    check_step(config.batch_size, data.mean_length + width, units, scores=scores, models=len(models_of(config)))
    return resolve_on(config, data.fingerprint)


def _pairs(config: Config) -> Pairs:
    return pairs(config.task, config.length, config.examples, config.seed)


def models_of(config: Config) -> tuple[str, ...]:
    """The names of the networks that are trained together: kinds of attention; the one without comes first."""
    return (NONE, config.attention) if config.compare and config.attention != NONE else (config.attention,)


def run(config: Config, *, resume: dict[str, Any] | None = None, steering: Steering | None = None) -> Iterator[Event]:
    """Train and tell (see ``dlcore.sequence_training.train``).

    Epoch and ``Finished.metrics``: test_accuracy (whole answers right), test_characters (symbols right), both written
    greedily, of each network and of the better one. Snapshots "frames": ``dlcore.experiments.attention._look``.
    """
    data = _pairs(config)
    config = resolve_on(config, data.fingerprint)
    reproducible(config.seed, threads=config.threads, device=config.device)
    exercise = make_exercise(config, data)
    info = {"train_size": len(data.train), "test_size": len(data.test), "samples": list(data.test[:SAMPLES])}
    task, plan = prepare(config, exercise)
    yield from train(task, plan, config, exercise, info=info, resume=resume, steering=steering)


def build_of(config: Config, data: Pairs) -> dict[str, Any]:
    """All arguments of ``Seq2Seq`` but the kind of attention."""
    names = ("cell", "hidden", "both_ways", "forget_bias", "start", "radius")
    sizes = {"letters": len(data.letters) + 2, "symbols": len(SYMBOLS) + 2}
    return {**sizes, **{name: getattr(config, name) for name in names}}


def make_exercise(config: Config, data: Pairs) -> Exercise:
    """What is to be learned, on the config's device."""
    from dlcore.models.seq2seq import Seq2Seq

    width, build = WIDTH[config.task], build_of(config, data)
    test = _on(config.device, data.test, data.letters, width)
    return Exercise(
        make=lambda attention: Seq2Seq(**build, attention=attention),
        batch=partial(_batch, _on(config.device, data.train, data.letters, width)),
        losses=_losses,
        measures={"accuracy": _whole, "characters": _characters},
        evaluate=partial(_evaluate, test),
        look=partial(_look, (test[0][:SAMPLES], test[1][:SAMPLES], test[2][:SAMPLES])),
        parts=models_of(config),
        tokens=data.mean_length + width,
        about={"build": build, "letters": data.letters, "task": config.task},
    )


Tensors = tuple["Tensor", "Tensor", "Tensor"]  # texts (N, T), their lengths (N,) on the CPU, answers (N, U)


def _on(device: str, some: tuple[tuple[str, str], ...], letters: str, width: int) -> Tensors:
    import torch

    X, lengths = encode([text for text, _answer in some], letters)
    Y = encode_answers([answer for _text, answer in some], width)
    return torch.from_numpy(X).to(device), torch.from_numpy(lengths), torch.from_numpy(Y).to(device)


def _batch(data: Tensors, numbers: Tensor) -> tuple[Tensors, Tensor]:
    """Texts (some letters hidden), their lengths, what was written before each symbol; and the answers."""
    import torch

    from dlcore.models.seq2seq import shifted

    X, lengths, Y = data
    rows = numbers % len(X)
    lengths, answers = lengths[rows.cpu()], Y[rows]
    texts = X[rows, : int(lengths.max())]  # no longer than the longest of the batch
    hidden = (torch.rand(texts.shape) < HIDDEN_LETTERS).to(texts.device)
    return (texts.masked_fill(hidden & (texts != PAD), UNKNOWN), lengths, shifted(answers)), answers


def _losses(outputs: Tensor, answers: Tensor) -> Tensor:
    """Mean cross-entropy of each answer's symbols: ``(B, U, S)``, ``(B, U)`` → ``(B,)``."""
    import torch.nn.functional as F

    return F.cross_entropy(outputs.transpose(1, 2), answers, reduction="none").mean(1)


def _characters(outputs: Tensor, answers: Tensor) -> Tensor:
    """The share of right symbols in each answer, each with the right ones before it."""
    return (outputs.argmax(-1) == answers).float().mean(1)


def _whole(outputs: Tensor, answers: Tensor) -> Tensor:
    """Whether all symbols of an answer are right, each with the right ones before it."""
    return (outputs.argmax(-1) == answers).all(1)


def _evaluate(test: Tensors, model: Any) -> dict[str, float]:
    """The test texts, translated by a ``Seq2Seq`` alone."""
    X, lengths, Y = test
    said, _shares, _weights = model.write(X, lengths, Y.shape[1])
    counts = (Y != END).long()
    counts[:, 1:] |= (Y[:, :-1] != END).long()  # a number's END counts as one symbol, what is behind it does not
    right = said == Y
    return {
        "test_accuracy": (right | (counts == 0)).all(1).float().mean().item(),
        "test_characters": ((right * counts).sum() / counts.sum()).item(),
    }


def _look(some: Tensors, models: Any) -> Look:
    """What the networks (``Together``) write now, and where they look while told the right answer to the first text.

    "frames": said (1, models, SAMPLES, U) uint8 symbols; weights (1, U, T) float32 of the last network, if it attends.
    """
    import torch

    from dlcore.models.seq2seq import shifted

    X, lengths, Y = some
    T = int(lengths.max())
    said = [model.write(X[:, :T], lengths, Y.shape[1])[0] for model in models.values()]
    frame: dict[str, np.ndarray] = {"said": torch.stack(said).cpu().numpy().astype(np.uint8)[None]}
    last = list(models.values())[-1]
    with torch.no_grad():
        one = X[:1, : int(lengths[0])], lengths[:1]
        weights = last.decode(*last.encode(*one), shifted(Y[:1]))[1]
    return {"frames": {**frame, "weights": weights.cpu().numpy()}}
