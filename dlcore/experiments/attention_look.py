"""Asking a trained encoder-decoder: what it writes to a text, how sure it is, where it looks, and what it needs.

For ``dlcore.jobs.call``: builtins and arrays in, builtins and arrays out, in a worker.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dlcore.data.pairs import END, SYMBOLS, UNKNOWN, WIDTH, decode_answer, encode
from dlcore.texts import N_, Problem

if TYPE_CHECKING:
    from torch import Tensor

    from dlcore.models.seq2seq import Seq2Seq

MOST_LETTERS = 200
NAMES = ("end", "start", *SYMBOLS)  # of the symbols, by number


@dataclass(frozen=True)
class Trained:
    """The networks of a run in eval mode on the CPU, by the kind of their attention."""

    models: dict[str, Seq2Seq]
    letters: str
    task: str


def read(text: str, checkpoint: str) -> dict[str, Any]:
    """What the networks of a checkpoint make of a text.

    Returns:
        ``letters`` of the text, ``unknown`` (T,) bool, ``task``; and ``networks``: by the kind of attention ``answer``,
        ``said`` (U,) symbols up to the end, ``shares`` (U, S) float32 probabilities, ``looks`` (U, T) float32 weights
        of the attention (None without), ``needs`` (U, T) float32: how much of the written symbol's probability is
        lost when this letter alone is hidden; ``vector`` (H,) float32, all that it has of the text without attention.

    Raises:
        Problem: there is nothing to read, or more than ``MOST_LETTERS``.
    """
    import torch

    text = " ".join(text.split())
    if not text:
        raise Problem(N_("There is nothing to translate yet: type a date or a number."), kind="empty")
    if len(text) > MOST_LETTERS:
        raise Problem(
            N_("This text has {n} letters; the page shows at most {most}. Shorten it."),
            kind="long", n=len(text), most=MOST_LETTERS,
        )  # fmt: skip
    trained = network(checkpoint)
    X, lengths = encode([text], trained.letters)
    tensors = torch.from_numpy(X), torch.from_numpy(lengths)
    with torch.inference_mode():
        networks = {name: _asked(model, *tensors, WIDTH[trained.task]) for name, model in trained.models.items()}
    return {"letters": list(text), "unknown": X[0] == UNKNOWN, "task": trained.task, "networks": networks}


def network(checkpoint: str) -> Trained:
    """The networks of a checkpoint file as it was last written."""
    return _from_file(checkpoint, Path(checkpoint).stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _from_file(path: str, _written: int) -> Trained:
    from dlcore.checkpoints import load_model
    from dlcore.events import unpack
    from dlcore.models.seq2seq import Seq2Seq
    from dlcore.models.together import Together

    state = unpack(Path(path).read_bytes())
    models = {name: Seq2Seq(**state["build"], attention=name) for name in state["cells"]}
    load_model(Together(models), state["model"])
    return Trained({name: model.eval() for name, model in models.items()}, state["letters"], state["task"])


def _asked(model: Seq2Seq, text: Tensor, lengths: Tensor, width: int) -> dict[str, Any]:
    """One network's answer to one text ``(1, T)``; see ``read``."""
    said, shares, looks = (found[0] for found in model.write(text, lengths, width))
    count = min(width, said.tolist().index(END) + 1) if END in said else width
    said, shares = said[:count], shares[:count]
    attends = model.score is not None
    vector = None if attends else model.encode(text, lengths)[2][0].numpy()
    return {
        "answer": decode_answer(said.numpy()),
        "said": said.numpy(),
        "shares": shares.numpy(),
        "looks": looks[:count].numpy() if attends else None,
        "needs": _needs(model, text, lengths, said),
        "vector": vector,
    }


def _needs(model: Seq2Seq, text: Tensor, lengths: Tensor, said: Tensor) -> np.ndarray:
    """How much probability each written symbol ``(U,)`` loses when one letter is hidden: ``(U, T)``, 0 where it gains.

    All texts with one letter hidden are one batch; each is told what was written before, as in training.
    """
    import torch

    from dlcore.models.seq2seq import shifted

    T = text.shape[1]
    hidden = text.repeat(T + 1, 1)  # the last row stays whole
    hidden[torch.arange(T), torch.arange(T)] = UNKNOWN
    before = shifted(said[None]).expand(T + 1, -1)
    shares = model((hidden, lengths.repeat(T + 1), before)).softmax(-1)
    given = shares[:, torch.arange(len(said)), said]  # (T + 1, U)
    return (given[-1] - given[:-1]).clamp(min=0).T.contiguous().numpy()
