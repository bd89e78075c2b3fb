"""Texts as numbers: the sources, their letters, which part is learned from and which is held out.

The last tenth of a text is never trained on. Symbol 0 stands for every character that the learned part has fewer than
three times (and for those that it never has), so that nothing in the held-out part is unheard of.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np

from dlcore.data import catalogue, own_text
from dlcore.texts import N_, Problem

SOURCES = ("alice", "shakespeare", "poems", "own")
ALICE = Path(__file__).resolve().parents[2] / "assets" / "texts" / "alice.txt"
POEMS = "text/chinese_poems/wujue-all.txt"
RARE = "\ufffd"  # how symbol 0 is written
FEW = 3  # a character that the learned part has less often is rare
MOST_SYMBOLS = 2000
HELD_OUT, MOST_HELD_OUT = 0.1, 120_000  # share of the text, and characters


@dataclass(frozen=True, eq=False)
class Corpus:
    """One text. ``hash`` names its characters exactly."""

    source: str
    text: str
    symbols: tuple[str, ...]  # (V,), the rare one first, the others by frequency
    codes: np.ndarray  # (N,) int16, places in ``symbols``
    split: int  # the characters from here on are held out
    hash: str

    @property
    def train(self) -> np.ndarray:
        """The learned part, (split,)."""
        return self.codes[: self.split]

    @property
    def test(self) -> np.ndarray:
        """The held-out part, (N − split,)."""
        return self.codes[self.split :]

    @property
    def rare(self) -> int:
        """How many characters of the text are written as the rare symbol."""
        return int((self.codes == 0).sum())

    def encode(self, text: str) -> np.ndarray:
        """Codes of any text, (n,) int16; what this corpus does not know becomes the rare symbol."""
        return encode(text, self._places)

    @cached_property
    def _places(self) -> dict[str, int]:
        return places(self.symbols)

    @cached_property
    def levels(self) -> dict[str, float]:
        """Bits per held-out character without a network: ``uniform`` guessing, ``letters`` (the learned frequencies),
        ``pairs`` (frequencies after the letter before, mixed with those of the letters)."""
        V = len(self.symbols)
        singles = np.bincount(self.train, minlength=V) + 0.5
        singles = singles / singles.sum()  # (V,)
        if V > MOST_SYMBOLS // 2:  # the table of pairs would be mostly empty
            return {"uniform": math.log2(V), "letters": float(-np.log2(singles[self.test]).mean())}
        counts = np.zeros((V, V), np.float32)
        np.add.at(counts, (self.train[:-1], self.train[1:]), 1)
        pairs = (counts + 2 * singles) / (counts.sum(1, keepdims=True) + 2)  # two imagined letters of the usual kind
        before, after = self.codes[self.split - 1 : -1], self.test
        return {
            "uniform": math.log2(V),
            "letters": float(-np.log2(singles[after]).mean()),
            "pairs": float(-np.log2(pairs[before, after]).mean()),
        }


def places(symbols: tuple[str, ...] | list[str]) -> dict[str, int]:
    """The code of each symbol."""
    return {symbol: code for code, symbol in enumerate(symbols)}


def encode(text: str, known: dict[str, int]) -> np.ndarray:
    """Codes of a text, (n,) int16, by ``places``."""
    return np.fromiter((known.get(letter, 0) for letter in text), np.int16, len(text))


def decode(codes: np.ndarray | list[int], symbols: tuple[str, ...] | list[str]) -> str:
    """The text that codes (n,) stand for."""
    return "".join(symbols[code] for code in codes)


def corpus(source: str, data_hash: str = "") -> Corpus:
    """A source as numbers; your own by its fingerprint.

    Raises:
        Problem: kind "data_missing": its file is not on this machine.
    """
    return _built(source, text_of(source, data_hash))


def text_of(source: str, data_hash: str = "") -> str:
    """The characters of a source. Raises as ``corpus`` does."""
    if source == "own":
        return own_text.load(data_hash)
    if source == "alice":
        return own_text.cleaned(_decoded(ALICE.read_bytes()))
    if source == "poems":
        return _poems()
    return own_text.cleaned(_decoded(catalogue.content(source, "input.txt")))


def poems_file() -> Path | None:
    """Where the Chinese poems lie; None if they are not on this machine."""
    root = catalogue.data_root()
    return root / POEMS if root and (root / POEMS).is_file() else None


def _poems() -> str:
    """Four lines of five signs each, one poem a line, without titles, in an order without rhyme."""
    file = poems_file()
    if file is None:
        raise Problem(N_("The Chinese poems are not on this machine: nobody offers them for download here. "
                         "Choose another text."), kind="data_missing")  # fmt: skip
    verses = [line.partition(":")[2].strip() for line in _decoded(file.read_bytes()).splitlines()]
    verses = sorted({verse for verse in verses if verse})
    order = np.random.default_rng(0).permutation(len(verses))
    return "\n".join(verses[i] for i in order)


@lru_cache(maxsize=4)
def _decoded(blob: bytes) -> str:
    return own_text.read_text(blob)[0]


@lru_cache(maxsize=4)
def _built(source: str, text: str) -> Corpus:
    split = len(text) - min(int(len(text) * HELD_OUT), MOST_HELD_OUT)
    counts = Counter(text[:split])
    known = [letter for letter, n in counts.most_common(MOST_SYMBOLS - 1) if n >= FEW and letter != RARE]
    if len(known) < 2:
        raise Problem(N_("This text has fewer than two different characters: there is nothing to learn in it."),
                      kind="text")  # fmt: skip
    symbols = (RARE, *known)
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return Corpus(source, text, symbols, encode(text, places(symbols)), split, digest)
