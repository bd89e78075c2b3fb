"""From text to numbers: tokens, a vocabulary with a place for what it does not know, and tables of equal length.

Two numbers are kept: 0 fills the shorter rows of a table up (padding), 1 stands for every token that was not learned.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

PADDING, UNKNOWN = 0, 1
KEPT = ("", "?")  # how the two numbers that are no tokens are written

WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*|\d+|[^\w\s]|_")
# One Chinese character, a run of other letters, of digits, or one sign.
SIGN = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]|[^\W\d_\u2e80-\u9fff\uf900-\ufaff]+|\d+|[^\w\s]")


def letters(text: str) -> list[str]:
    """Every letter by itself, in small letters, accents kept; any run of spaces is one."""
    return list(" ".join(unicodedata.normalize("NFC", text).lower().split()))


def words(text: str) -> list[str]:
    """English words in small letters (“isn't” is one), numbers, and each sign by itself."""
    return WORD.findall(unicodedata.normalize("NFC", text).lower().replace("’", "'"))


def characters(text: str) -> list[str]:
    """Chinese characters one by one; words of other scripts and numbers whole; each sign by itself."""
    return SIGN.findall(unicodedata.normalize("NFKC", text).lower())


def pairs(text: str) -> list[str]:
    """Every two neighbouring ``characters`` (bigrams): 不好吃 → 不好 好吃. A single one stays alone."""
    single = characters(text)
    return ["".join(pair) for pair in itertools.pairwise(single)] or single


TOKENIZERS: dict[str, Callable[[str], list[str]]] = {
    "letters": letters, "words": words, "characters": characters, "pairs": pairs,
}  # fmt: skip


@dataclass(frozen=True)
class Vocabulary:
    """The tokens that have a number of their own, from 2 on; ``tokens[0]`` and ``[1]`` are ``KEPT``."""

    tokens: tuple[str, ...]

    @classmethod
    def of(cls, texts: Iterable[Sequence[str]], *, least: int = 2, most: int = 20_000) -> Vocabulary:
        """Of tokenised texts: what occurs ``least`` times or more, the most frequent first, at most ``most``.

        Rarer ones are left out on purpose: what stands for the unknown has to be learned from something.
        """
        counts = Counter(token for text in texts for token in text)
        often = sorted((-n, token) for token, n in counts.items() if n >= least)
        return cls((*KEPT, *(token for _n, token in often[:most])))

    @cached_property
    def places(self) -> Mapping[str, int]:
        """Token → number."""
        return {token: k for k, token in enumerate(self.tokens) if k > UNKNOWN}

    def numbers(self, texts: Iterable[Sequence[str]]) -> list[np.ndarray]:
        """Each tokenised text as numbers (T,) int64. An empty one becomes a single unknown: a network needs a step."""
        places = self.places
        return [np.array([places.get(token, UNKNOWN) for token in text] or [UNKNOWN], np.int64) for text in texts]


def padded(rows: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Rows of different lengths as one table ``(B, T)`` int64, filled up with ``PADDING``, and their lengths (B,)."""
    lengths = np.array([len(row) for row in rows], np.int64)
    table = np.full((len(rows), int(lengths.max(initial=1))), PADDING, np.int64)
    for row, numbers in zip(table, rows, strict=True):
        row[: len(numbers)] = numbers
    return table, lengths


def batch_sizes(lengths: np.ndarray) -> np.ndarray:
    """How many rows still go on at each step, (T,): what a packed batch computes, and it is their sum."""
    return (lengths[:, None] > np.arange(lengths.max(initial=0))).sum(0)
