"""The text field and coloured text without a browser: who has the last word, what may stand there, what is drawn."""

from __future__ import annotations

import html
import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ui.coloured_text import clusters, coloured_html
from ui.type_box import _Known, fitted


class Box:
    """One field as the server sees it: ``draw`` is a rerun, ``type`` what the browser sends."""

    def __init__(self) -> None:
        self.known, self.state, self.count = _Known(), None, 0

    def draw(self, value: str = "") -> str:
        shown, read = self.known.decide(self.state, value)
        self.known.drawn(self.known.seq + self.known.differs(self.state, shown), value, shown, read)
        self.state = self.state or {}
        return shown

    def type(self, text: Any, seq: int | None = None) -> None:
        self.count += 1
        self.state = {"value": {"value": text, "seq": self.known.seq if seq is None else seq, "n": self.count}}


def test_what_is_typed_stays_until_the_page_has_something_new():
    box = Box()
    assert box.draw("sample") == "sample"
    box.type("mine")
    assert box.draw("sample") == "mine"
    assert box.draw("sample") == "mine"
    assert box.draw("another sample") == "another sample"
    box.type("late", seq=0)  # sent before the browser heard of the other sample
    assert box.draw("another sample") == "another sample"
    box.type("mine again")
    assert box.draw("another sample") == "mine again"


def test_a_sample_that_is_put_wins_over_letters_sent_before():
    box = Box()
    box.draw()
    box.type("mine")
    box.known.put = "sample"
    assert box.draw() == "sample"
    assert box.known.seq == 1, "the browser must learn it"
    assert box.draw() == "sample"


def test_nonsense_from_a_browser_is_no_text():
    box = Box()
    box.draw("kept")
    for nonsense in (3, None, ["a"], {"a": 1}):
        box.type(nonsense)
        assert box.draw("kept") == "kept"


@given(st.text(), st.integers(0, 30), st.integers(1, 3))
def test_a_fitted_text_is_short_whole_and_fits_again(text: str, most: int, lines: int):
    made = fitted(text, most, lines)
    assert len(made) <= most
    made.encode()  # no half emoji
    assert fitted(made, most, lines) == made
    assert "\r" not in made
    assert lines > 1 or "\n" not in made


def test_half_an_emoji_is_replaced():
    assert fitted("a\ud83d", 10) == "a\ufffd"
    assert fitted("a\ud83d\ude00", 10) == "a\U0001f600"


@given(st.lists(st.tuples(st.text(min_size=1), st.floats(allow_nan=True, allow_infinity=True)), max_size=20))
def test_coloured_text_says_exactly_the_text_and_no_markup_of_it(parts: list[tuple[str, float]]):
    pieces, numbers = [p for p, _ in parts], [n for _, n in parts]
    made = coloured_html(pieces, numbers, "By number.")
    inner = re.findall(r'aria-hidden="true">(.*)</div><figcaption', made, re.DOTALL)[0]
    bare = re.sub(r"<[^>]*>", "", inner.replace("<i>↵</i>", ""))
    assert html.unescape(bare) == "".join(pieces)


def test_colours_are_bounded_and_nothing_has_none():
    made = coloured_html(["a", "b", "c"], [-7.0, None, 0.5], "d")
    assert 'class="dl-ct-minus" style="--c:1.00" title="−7">a</span>b<span style="--c:0.50"' in made
    assert "--c:0.00" in coloured_html(["a"], [-1.0], "d", "sequential")
    assert "<script>" not in coloured_html(["<script>"], [1.0], "<script>")


def test_signs_that_belong_together_are_not_torn():
    def joined(text: str) -> list[str]:
        return [part[0] for part in clusters([(sign, 0.0, "") for sign in text])]

    family, flag, thumb = "👩\u200d👩\u200d👧", "🇩🇪", "👍🏽"
    assert joined(f"a{family}{flag}{flag}{thumb}b") == ["a", family, flag, flag, thumb, "b"]
    assert joined("e\u0301e") == ["e\u0301", "e"]
    assert joined("नमस्ते")[0] == "न"
    assert clusters([("e", 0.2, "0.2"), ("\u0301", -0.9, "−0.9")]) == [("e\u0301", -0.9, "0.2 −0.9")]
