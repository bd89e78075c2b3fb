"""What the reading lesson learns from: texts with a class each, as tokens and as numbers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from dlcore.data import catalogue, names, reviews
from dlcore.data.labelled_texts import Texts
from dlcore.data.tokens import TOKENIZERS, Vocabulary

TASKS = ("names", "sentiment")
AUTO, REAL, BUILT_IN = "auto", "real", "built_in"
READ_AS = {"en": "words", "zh": "characters"}  # docs/teaching.md: what two characters a token were worth


@dataclass(frozen=True)
class Corpus:
    """A data set ready to be learned from. ``train`` and ``test`` are the texts as numbers, (T,) int64 each.

    ``kind`` names the tokenizer in ``TOKENIZERS``.
    """

    name: str
    texts: Texts
    kind: str
    vocabulary: Vocabulary
    train: list[np.ndarray]
    test: list[np.ndarray]

    @property
    def mean_length(self) -> float:
        """Tokens in a training text, on average."""
        return float(np.mean([len(row) for row in self.train]))


def dataset_of(task: str, language: str, source: str) -> str:
    """The data set's name. With ``AUTO`` the real one where it is on this machine, else what is built in."""
    real, built_in = (
        (names.REAL, names.BUILT_IN) if task == "names" else (reviews.REAL[language], reviews.BUILT_IN[language])
    )
    if source == AUTO:
        return real if catalogue.locate(real) else built_in
    return real if source == REAL else built_in


def is_real(name: str) -> bool:
    """Whether a data set of that name is read from files."""
    return name in catalogue.CATALOGUE


@lru_cache(maxsize=3)
def corpus(name: str) -> Corpus:
    """The data set of that name, tokenised; the vocabulary is of what is learned from alone.

    Raises:
        Problem: its files are not on this machine.
    """
    of_names = name in (names.REAL, names.BUILT_IN)
    texts = (names if of_names else reviews).load(name)
    chinese = name in (reviews.REAL["zh"], reviews.BUILT_IN["zh"])
    kind = "letters" if of_names else READ_AS["zh" if chinese else "en"]
    train, test = ([TOKENIZERS[kind](text) for text in side] for side in (texts.train, texts.test))
    vocabulary = Vocabulary.of(train)
    return Corpus(name, texts, kind, vocabulary, vocabulary.numbers(train), vocabulary.numbers(test))
