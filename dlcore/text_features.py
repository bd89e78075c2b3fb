"""What could be known of a place in a text: whether it is in a quotation, how far the line has gone, and so on.

Each feature is a number at every letter, read from the letters up to it and never from those to come: a network that
reads from left to right could know it.
"""

from __future__ import annotations

import numpy as np

from dlcore.texts import N_

FEATURES = {
    "line": N_("how far the line has gone"),
    "word": N_("how far the word has gone"),
    "sentence": N_("how far the sentence has gone"),
    "quote": N_("inside a quotation"),
    "bracket": N_("inside brackets"),
    "capital": N_("a capital letter"),
    "capitals": N_("a word in capitals"),
    "space": N_("a space or a line’s end"),
    "vowel": N_("a vowel"),
    "heading": N_("right after an empty line"),
}
STOPS, VOWELS = ".!?。！？", set("aeiouAEIOUäöüéèêáàâíóúАЕИОУЯаеиоуыэюя")
OPENS, CLOSES = "([{（【《", ")]}）】》"
LONGEST_QUOTE = 800  # letters: what is longer was opened by a sign that means something else


def features(text: str) -> dict[str, np.ndarray]:
    """Those of ``FEATURES`` that vary in this text, each (n,) float32; distances in letters."""
    found = {
        "line": since(text, "\n"),
        "word": since(text, " \n\t"),
        "sentence": np.minimum(since(text, STOPS), 300),
        "quote": quoted(text),
        "bracket": bracketed(text),
        "capital": _each(text, str.isupper),
        "capitals": capitals(text),
        "space": _each(text, str.isspace),
        "vowel": _each(text, VOWELS.__contains__),
        "heading": headings(text),
    }
    return {n: values.astype(np.float32) for n, values in found.items() if len(text) and values.min() < values.max()}


def _each(text: str, holds: object) -> np.ndarray:
    return np.fromiter((holds(letter) for letter in text), bool, len(text))  # pyright: ignore[reportCallIssue]


def since(text: str, signs: str) -> np.ndarray:
    """How many letters have come since the last of these signs (or the beginning), (n,); 0 at the sign itself."""
    places = np.arange(len(text))
    last = np.maximum.accumulate(np.where(_each(text, signs.__contains__), places, -1)) if len(text) else places
    return places - last


def quoted(text: str) -> np.ndarray:
    """Whether each letter stands within “…”, ‘…’, `…', "…" or 「…」, the opening sign included, (n,) bool."""
    inside, opened = np.zeros(len(text), bool), ""
    pairs = {"“": "”", "‘": "’", "`": "'", '"': '"', "「": "」", "«": "»", "„": "“"}
    began = 0
    for i, letter in enumerate(text):
        if opened:
            inside[i] = True
            apostrophe = letter in "'’" and i + 1 < len(text) and text[i + 1].isalpha() and text[i - 1].isalpha()
            if (letter == opened and not apostrophe) or i - began > LONGEST_QUOTE:
                opened = ""
        elif letter in pairs:
            opened, began, inside[i] = pairs[letter], i, True
    return inside


def bracketed(text: str) -> np.ndarray:
    """How many brackets are open at each letter, (n,); one that nobody closes counts for a paragraph at most."""
    depth, out = 0, np.zeros(len(text), int)
    for i, letter in enumerate(text):
        if letter in OPENS:
            depth += 1
        out[i] = depth
        if letter in CLOSES or text[max(0, i - 1) : i + 1] == "\n\n":
            depth = max(0, depth - 1)
    return out


def capitals(text: str) -> np.ndarray:
    """Whether each letter is the second or a later one in a row of capitals, (n,) bool."""
    big = _each(text, str.isupper)
    return big & np.concatenate([[False], big[:-1]])


def headings(text: str) -> np.ndarray:
    """Whether each letter is in the first line after an empty one, (n,) bool: a paragraph's, or a speaker's name."""
    out, fresh, empty = np.zeros(len(text), bool), True, True
    for i, letter in enumerate(text):
        if letter == "\n":
            fresh = empty  # the line that has ended was empty
            empty = True
        else:
            out[i], empty = fresh, False
    return out


def correlations(activity: np.ndarray, known: dict[str, np.ndarray]) -> np.ndarray:
    """Pearson's correlation of each unit with each feature, (H, F), of activity (n, H); 0 where a unit never moves."""
    A = _standard(activity)
    B = _standard(np.stack(list(known.values()), 1))
    return (A.T @ B / len(A)).astype(np.float32)


def by_chance(activity: np.ndarray, known: dict[str, np.ndarray], shifts: int = 20) -> np.ndarray:
    """The largest |r| that any unit reaches with each feature shifted along the text, (F,): the mean of some shifts.

    A shifted feature keeps its own rhythm, and belongs to other letters: what still correlates does so by chance.
    """
    A, B = _standard(activity), _standard(np.stack(list(known.values()), 1))
    places = np.linspace(0.1, 0.9, shifts) * len(A)
    best = [np.abs(A.T @ np.roll(B, int(shift), 0) / len(A)).max(0) for shift in places]
    return np.mean(best, 0).astype(np.float32)


def _standard(values: np.ndarray) -> np.ndarray:
    """Columns (n, k) with mean 0 and spread 1; all 0 where there is no spread."""
    values = values.astype(np.float64)
    spread = values.std(0)
    return np.where(spread > 1e-6, (values - values.mean(0)) / np.maximum(spread, 1e-6), 0.0)
