"""What the text page says of a run and of what was written: its numbers, invented words, texts that go in circles."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from dlcore.data.text import corpus, decode
from dlcore.history import History
from dlcore.texts import Problem

WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
VISIBLE = {" ": "␣", "\n": "↵", "\t": "⇥", "\u3000": "□", "\ufffd": "�"}
MOST_FRAMES = 60  # of the film that are sent
LOOP = 20  # letters


def visible(letter: str) -> str:
    """A letter as it can be seen: a space and a line's end have a sign of their own."""
    return VISIBLE.get(letter, letter)


@lru_cache(maxsize=4)
def words_of(source: str, data_hash: str) -> frozenset[str]:
    """The words of a text in small letters; none where it is not written in words (Chinese), or not here."""
    try:
        text = corpus(source, data_hash).text
    except Problem:
        return frozenset()
    words = frozenset(word.lower() for word in WORD.findall(text))
    lengths = [len(word) for word in words]
    spaced = text.count(" ") > len(text) / 30
    return words if lengths and spaced and np.median(lengths) < 15 else frozenset()


@lru_cache(maxsize=1024)
def invented(text: str, source: str, data_hash: str) -> tuple[tuple[int, int], ...]:
    """Where words stand that the source does not have, as (begin, end); the last may be cut off, so it is left out."""
    known = words_of(source, data_hash)
    if not known:
        return ()
    found = [(m.start(), m.end()) for m in WORD.finditer(text) if m.group().lower() not in known]
    return tuple(span for span in found if span[1] < len(text))


def real_words(text: str, source: str, data_hash: str) -> float | None:
    """The share of the text's words that the source has; None where there are no words."""
    count = len(WORD.findall(text))
    if not count or not words_of(source, data_hash):
        return None
    return 1 - len(invented(text, source, data_hash)) / count


def samples(history: History) -> tuple[np.ndarray, dict[str, list[str]]]:
    """The steps (n,) at which the run wrote, and what each cell wrote then; at most ``MOST_FRAMES``, evenly."""
    symbols, kept = history.info.get("symbols"), history.frames.kept
    if not symbols or not kept:
        return np.array([]), {}
    chosen = [kept[i] for i in np.unique(np.linspace(0, len(kept) - 1, MOST_FRAMES).round().astype(int))]
    cells = [name.removeprefix("sample/") for name in chosen[0] if name.startswith("sample/")]
    texts = {cell: [_text(frame[f"sample/{cell}"].tobytes(), tuple(symbols)) for frame in chosen] for cell in cells}
    return np.array([int(frame["step"]) for frame in chosen]), texts


@lru_cache(maxsize=1024)
def _text(codes: bytes, symbols: tuple[str, ...]) -> str:
    return decode(np.frombuffer(codes, np.int16).tolist(), symbols)


def goes_in_circles(text: str) -> bool:
    """Whether some piece of ``LOOP`` letters comes three times or more."""
    pieces: dict[str, int] = {}
    for i in range(len(text) - LOOP + 1):
        pieces[text[i : i + LOOP]] = pieces.get(text[i : i + LOOP], 0) + 1
    return any(n >= 3 for n in pieces.values())


def beats_pairs(histories: Sequence[History]) -> float:
    """How near the best run has come to half a bit below the table of letter pairs, from letters alone (0 to 1)."""
    best = 0.0
    for history in histories:
        levels, bits = history.info.get("levels", {}), history.epochs.last("test_bits")
        if bits is not None and "pairs" in levels:
            goal = levels["pairs"] - 0.5
            best = max(best, (levels["letters"] - bits) / (levels["letters"] - goal))
    return min(best, 1.0)


def learned_by_heart(histories: Sequence[History], worse: float = 0.1) -> float:
    """How far “the held-out bits rose by so much above their lowest” is achieved, in the best run (0 to 1)."""
    best = 0.0
    for history in histories:
        bits = history.epochs.column("test_bits")
        bits = bits[np.isfinite(bits)]
        if len(bits) > 2 and history.state == "finished":
            best = max(best, float(bits[-1] - bits.min()) / worse)
    return min(max(best, 0.0), 1.0)


def numbers(history: History) -> Mapping[str, Any]:
    """What the prose's placeholders stand for: bits, choices, and how long the held-out part would be compressed."""
    bits, levels = history.metrics.get("bits_per_character"), history.info.get("levels", {})
    held_out = history.info.get("held_out", 0)
    known = bits is not None
    return {
        "bits": f"{bits:.2f}" if known else "…",
        "choices": f"{2**bits:.1f}" if known else "…",
        "uniform": f"{levels['uniform']:.2f}" if levels else "…",
        "letters": f"{levels['letters']:.2f}" if levels else "…",
        "symbols": f"{len(history.info['symbols'])}" if levels else "…",
        "kilobytes": f"{bits * held_out / 8000:.1f}" if known else "…",
        "plain": f"{math.ceil(levels['uniform']) * held_out / 8000:.1f}" if levels else "…",
    }
