"""Text in which every character or word has a colour by a number: what a unit does, how surprising a letter was."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Sequence
from typing import Literal

from dlcore.graph_math import number
from ui.i18n import _

TOLD = 5  # of the strongest pieces, in the description for who cannot see the colours
JOINER = "\u200d"
Scale = Literal["diverging", "sequential"]


def coloured_html(
    pieces: Sequence[str],
    numbers: Sequence[float | None],
    description: str,
    scale: Scale = "diverging",
    hover: Sequence[str] | None = None,
    colour: str = "model",
    legend: tuple[str, str] | None = None,
    height: int | None = None,
) -> str:
    """The text that the pieces make together as HTML for ``st.html``, each on a ground of its number's colour.

    Args:
        pieces: characters or words, with their spaces; line breaks are kept. A stranger's text is safe here.
        numbers: one for each: −1 (blue) … 0 (none) … 1 (vermilion), or with "sequential" 0 (none) … 1; what lies
            beyond is drawn as the bound; None or NaN has no colour.
        description: translated; what the colours mean, for who cannot see them.
        hover: what each piece says when it is pointed at; by default its number.
        colour: of 1, a meaning of the style sheet ("model", "data", "gradient", "reference", "warning").
        legend: translated words for the two ends of the scale, drawn below.
        height: pixels, beyond which the text scrolls.

    Raises:
        ValueError: the lengths differ.
    """
    texts = list(hover) if hover is not None else [_told(value) for value in numbers]
    values = [_bounded(value, scale) for value in numbers]
    whole = clusters(list(zip(pieces, values, texts, strict=True)))
    spans = "".join(_span(*part) for part in whole)
    limit = f' style="max-height:{height}px"' if height else ""
    ends = ""
    if legend:
        low, high = (html.escape(word) for word in legend)
        ends = f'<div class="dl-ct-legend dl-ct-{scale}" aria-hidden="true">{low}<i></i>{high}</div>'
    return (
        f'<figure class="dl-ct dl-ct-by-{colour}">'
        f'<div class="dl-ct-text" dir="auto" aria-hidden="true"{limit}>{spans}</div>{ends}'
        f'<figcaption class="dl-unseen">{html.escape(_described(whole, description))}</figcaption></figure>'
    )


def clusters(parts: Sequence[tuple[str, float, str]]) -> list[tuple[str, float, str]]:
    """Pieces that make one sign together (an emoji's parts, a letter and its accents) as one piece.

    It has the strongest of their numbers, and says all that they say. Written signs must not be torn: each would be
    drawn as several.
    """
    joined: list[tuple[str, float, str]] = []
    for text, value, told in parts:
        if joined and _continues(joined[-1][0], text):
            before, strongest, said = joined[-1]
            strongest = max(strongest, value, key=abs)
            joined[-1] = (before + text, strongest, said if told == said else f"{said} {told}".strip())
        else:
            joined.append((text, value, told))
    return joined


def _continues(before: str, text: str) -> bool:
    """Whether ``text`` belongs to the sign that ``before`` ends with (the main cases of Unicode's annex 29)."""
    if not before or not text or before[-1] == "\n":
        return False
    first = text[0]
    flags = [sign for sign in before if _is_flag(sign)]
    return (
        first == JOINER
        or before[-1] == JOINER
        or unicodedata.category(first) in ("Mn", "Me", "Mc")  # accents, vowel signs, variation selectors
        or "\U0001f3fb" <= first <= "\U0001f3ff"  # skin tones
        or (_is_flag(first) and len(flags) == len(before) and len(flags) % 2 == 1)
    )


def _is_flag(sign: str) -> bool:
    return "\U0001f1e6" <= sign <= "\U0001f1ff"


def _bounded(value: float | None, scale: Scale) -> float:
    if value is None or value != value:
        return 0.0
    return min(1.0, max(-1.0 if scale == "diverging" else 0.0, float(value)))


def _told(value: float | None) -> str:
    return "" if value is None or value != value else number(float(value), 2)


def _span(text: str, value: float, told: str) -> str:
    shown = html.escape(text).replace("\n", "<i>↵</i>\n")  # a line's end is a character too, and has a number
    if not value and not told:
        return f"<span>{shown}</span>" if "<i>" in shown else shown
    title = f' title="{html.escape(told)}"' if told else ""
    sign = ' class="dl-ct-minus"' if value < 0 else ""
    return f'<span{sign} style="--c:{abs(value):.2f}"{title}>{shown}</span>'


def _described(parts: Sequence[tuple[str, float, str]], description: str) -> str:
    """The description with the text and its strongest pieces."""
    text = "".join(part[0] for part in parts)
    strongest = sorted((part for part in parts if part[1] and part[0].strip()), key=lambda part: -abs(part[1]))[:TOLD]
    if not strongest:
        return _("{description} The text: {text}").format(description=description, text=text)
    told = _(", ").join(f"{part.strip()} {said}" for part, _value, said in strongest)
    words = _("{description} Strongest: {pieces}. The text: {text}")
    return words.format(description=description, pieces=told, text=text)
