"""A text of one's own: bytes become characters, are cleaned, kept, and refused in a sentence."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlcore.data import own_text
from dlcore.data import text as data
from dlcore.data.own_text import FEWEST, MOST_CHARACTERS, cleaned, keep, read_text
from dlcore.texts import Problem

printable = st.text(st.characters(exclude_categories=("Cc", "Cs"), exclude_characters="\ufeff"))


@given(printable.map(lambda words: words + "\nend."), st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]))
def test_unicode_with_a_mark_or_in_utf8_is_read_as_it_was_written(words: str, encoding: str):
    assert read_text(words.encode(encoding))[0] == words


@given(st.text(st.sampled_from("abcdefgh ,.\n"), min_size=4), st.sampled_from(["utf-16-le", "utf-16-be"]))
def test_utf16_without_a_mark_is_seen_by_its_zeros(words: str, encoding: str):
    assert read_text(words.encode(encoding)) == (words, encoding)


def test_chinese_in_its_own_standard_and_western_letters_are_told_apart():
    poem = "床前明月光，疑是地上霜。举头望明月，低头思故乡。\n" * 3
    assert read_text(poem.encode("gb18030")) == (poem, "gb18030")
    french = "L’été dernier, à la forêt, où l’élève était déjà prêt : garçon, naïf, cœur.\n" * 3
    assert read_text(french.encode("cp1252")) == (french, "cp1252")
    german = "Die Größe der Bäume über den Häusern: süß, schön, ärgerlich.\n" * 3
    assert read_text(german.encode("latin-1")) == (german, "cp1252")


@given(st.binary(max_size=400))
def test_any_bytes_are_a_text_or_a_sentence_says_why_not(blob: bytes):
    try:
        words, encoding = read_text(blob)
    except Problem:
        return
    assert not own_text.CONTROLS.search(words)
    assert words == "" or words.encode(encoding)


@pytest.mark.parametrize(
    ("blob", "said"),
    [
        (b"", "empty"), (b"%PDF-1.7 ...", "PDF"), (b"PK\x03\x04" + b"\0" * 50, "Word"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\r", "not a"),
        (bytes(range(256)) * 20, "not a text"), (b"x" * (own_text.MOST_BYTES + 1), "MB"),
    ],
)  # fmt: skip
def test_what_is_no_text_is_refused_in_a_sentence(blob: bytes, said: str):
    with pytest.raises(Problem) as caught:
        read_text(blob)
    assert said in str(caught.value)


@given(st.text())
def test_cleaning_twice_is_cleaning_once(words: str):
    assert cleaned(cleaned(words)) == cleaned(words)


@pytest.fixture
def state(tmp_path, monkeypatch):
    monkeypatch.setenv("DLCORE_STATE", str(tmp_path))
    own_text._read.cache_clear()
    return tmp_path


@pytest.mark.parametrize("words", ["", "a", "a" * (FEWEST - 1)])
def test_too_short_a_text_says_how_much_is_needed(state, words):
    with pytest.raises(Problem, match=r"empty|needed"):
        keep(words.encode())


def test_five_million_characters_are_kept_and_more_are_cut_and_said(state):
    kept = keep(("0123456789" * 500_001).encode())
    assert (kept.characters, kept.cut) == (MOST_CHARACTERS, 10)
    made = data.corpus("own", kept.hash)
    assert len(made.codes) == MOST_CHARACTERS
    assert len(made.test) == data.MOST_HELD_OUT


def test_mixed_scripts_emoji_and_right_to_left_become_numbers_and_come_back(state):
    words = "The cat 猫 קָטָן 👩‍👩‍👧 🇩🇪 قطة\n" * 60
    kept = keep(words.encode())
    made = data.corpus("own", kept.hash)
    assert data.decode(made.codes, made.symbols) == made.text == cleaned(words)
    assert own_text.summary(kept.hash) == kept


def test_texts_that_were_not_used_for_longest_make_room(state, monkeypatch):
    monkeypatch.setattr(own_text, "KEPT_TEXTS", 2)
    first, second = (keep((words * 1000).encode()).hash for words in ("one ", "two "))
    for name in (first, second):
        os.utime(own_text.folder() / f"{name}.txt", (1, 1 if name == first else 2))  # the first is the older
    own_text.load(first)  # and is used now
    keep(b"three " * 1000)
    assert own_text.load(first).startswith("one")
    with pytest.raises(Problem, match="not on this computer"):
        own_text.load(second)


def test_one_letter_again_and_again_is_nothing_to_learn(state):
    with pytest.raises(Problem, match="two different"):
        data.corpus("own", keep(b"a" * 2000).hash)


@pytest.mark.parametrize("fingerprint", ["", "0123456789abcdef", "../../etc/passwd"])
def test_a_text_that_is_not_here_is_told(state, fingerprint):
    with pytest.raises(Problem) as caught:
        own_text.load(fingerprint)
    assert caught.value.kind == "data_missing"
