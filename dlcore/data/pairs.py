"""Pairs of a text and its short form (a date, a number) to learn translating from, made from a seed.

No day (or number) of the test set is in the training set in any form. With a ``length`` the text stands among clauses
of a sentence that have nothing to do with it; they are the same in both sets.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from dlcore.data import dates, numerals

TASKS = ("dates", "numerals")
TEST_SHARE, TEST_SIZE = 0.1, 400
PAD, UNKNOWN = 0, 1  # input letters that are none
END, START = 0, 1  # output symbols that are none
SYMBOLS = "0123456789-"  # what answers are written with; symbol i is number i + 2
WIDTH = {"dates": 10, "numerals": 6}  # symbols of an answer; a number's is followed by at least one END

CLAUSES = {
    "en": ("nobody answered the letter", "the train left without us", "it rained all night", "the hall was too small",
           "we met at the old bridge", "her brother kept the key", "the choir sang well", "see the note below",
           "the invoice was paid", "please tell the others", "the museum is closed", "all seats are taken",
           "the ship came in late", "he had lost the map", "they moved to the coast", "the result is not known"),
    "zh": ("没有人回信", "火车已经开走", "雨下了整夜", "大厅太小", "我们在桥边见面", "钥匙在他那里", "合唱很好听",
           "详见附注", "款项已付清", "请转告大家", "博物馆闭馆", "座位都满了", "船来晚了", "他丢了地图", "他们搬到海边",
           "结果还不清楚"),
}  # fmt: skip


@dataclass(frozen=True)
class Pairs:
    """Texts and answers, to learn from and to be tested on. ``letters`` are those that the training texts have."""

    task: str
    train: tuple[tuple[str, str], ...]
    test: tuple[tuple[str, str], ...]
    letters: str

    @property
    def fingerprint(self) -> str:
        """SHA-256 of all pairs."""
        return hashlib.sha256(repr((self.train, self.test)).encode()).hexdigest()

    @property
    def mean_length(self) -> float:
        """Letters in a training text, on average."""
        return sum(len(text) for text, _answer in self.train) / len(self.train)


@lru_cache(maxsize=4)
def pairs(task: str, length: int, count: int, seed: int) -> Pairs:
    """``count`` pairs to learn from and ``TEST_SIZE`` to be tested on; the first test pair is the lesson's example.

    Args:
        task: "dates" or "numerals".
        length: the text is brought to about this many letters by clauses around it; 0 adds none.
    """
    rng = np.random.default_rng([seed, TASKS.index(task)])
    kept, held_out = _split(task, rng)
    test = [(surrounded(_shown_text(task), length, rng), answer(task, _shown(task)))]
    test += [pair(task, length, number, rng) for number in rng.choice(held_out, TEST_SIZE - 1)]
    train = [pair(task, length, number, rng) for number in rng.choice(kept, count)]
    letters = "".join(sorted({letter for text, _answer in train for letter in map(plain, text)}))
    return Pairs(task, tuple(train), tuple(test), letters)


def _split(task: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Numbers (of days, or themselves) to learn from and to be tested on; the lesson's example is among the latter."""
    if task == "dates":
        every = rng.permutation(dates.count())
    else:  # as many short ones as long ones, as far as there are
        digits = rng.integers(1, 6, 40_000)
        every = rng.permutation(np.unique(rng.integers(np.where(digits > 1, 10 ** (digits - 1), 0), 10**digits)))
    every = every[every != _shown(task)]
    held_out = int(len(every) * TEST_SHARE)
    return every[held_out:], every[:held_out]


def _shown(task: str) -> int:
    return dates.number_of(dates.SHOWN) if task == "dates" else numerals.SHOWN


def _shown_text(task: str) -> str:
    return dates.ENGLISH[4](dates.SHOWN) if task == "dates" else numerals.english(numerals.SHOWN)


def answer(task: str, number: int) -> str:
    """What is to be written."""
    return dates.day_of(number).isoformat() if task == "dates" else str(number)


def pair(task: str, length: int, number: int, rng: np.random.Generator) -> tuple[str, str]:
    """One text, in a form drawn from all forms, and its answer."""
    module, value = (dates, dates.day_of(number)) if task == "dates" else (numerals, int(number))
    forms = (*module.ENGLISH, *module.CHINESE)
    return surrounded(forms[rng.integers(len(forms))](value), length, rng), answer(task, number)


def surrounded(text: str, length: int, rng: np.random.Generator) -> str:
    """The text among clauses in its language, as many as fit into ``length`` letters, some before and some after."""
    chinese = any(letter >= "\u4e00" for letter in text)
    clauses, comma = CLAUSES["zh" if chinese else "en"], "，" if chinese else ", "
    before: list[str] = []
    after: list[str] = []
    room = length - len(text)
    while True:
        clause = clauses[rng.integers(len(clauses))]
        room -= len(clause) + len(comma)
        if room < 0:
            return comma.join([*before, text, *after])
        (before if rng.random() < 0.5 else after).append(clause)


def plain(letter: str) -> str:
    """A letter as the network knows it: small, and of the usual width (NFKC); itself where that would not be one."""
    found = unicodedata.normalize("NFKC", letter).lower()
    return found if len(found) == 1 else letter


def encode(texts: Sequence[str], letters: str) -> tuple[np.ndarray, np.ndarray]:
    """Texts as numbers of letters ``(N, T)`` int64, padded behind, and their lengths ``(N,)`` (an empty text: 1)."""
    number = {letter: i + 2 for i, letter in enumerate(letters)}
    lengths = np.array([max(len(text), 1) for text in texts])
    X = np.zeros((len(texts), int(lengths.max())), np.int64)
    for row, text in zip(X, texts, strict=True):
        row[: len(text)] = [number.get(plain(letter), UNKNOWN) for letter in text]
    return X, lengths


def encode_answers(answers: Sequence[str], width: int) -> np.ndarray:
    """Answers as symbols ``(N, width)`` int64, END behind them."""
    Y = np.full((len(answers), width), END, np.int64)
    for row, text in zip(Y, answers, strict=True):
        row[: len(text)] = [SYMBOLS.index(symbol) + 2 for symbol in text]
    return Y


def decode_answer(symbols: Sequence[int] | np.ndarray) -> str:
    """What was written up to the first END; a START in the midst is shown as ␣."""
    said = ""
    for symbol in map(int, symbols):
        if symbol == END:
            break
        said += SYMBOLS[symbol - 2] if symbol > START else "␣"
    return said
