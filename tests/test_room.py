"""The class's room: what is shown to all, and the board of nicknames."""

from __future__ import annotations

import os
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlcore.room import HOURS, LONGEST, Room, tidy
from dlcore.texts import Problem


@pytest.fixture
def room(tmp_path):
    return Room(tmp_path)


def test_what_is_shown_is_shown_until_it_is_not(room):
    assert room.shown() is None
    first = room.show("cnn?lang=en")
    assert room.shown() == first
    second = room.show("resnet?lang=zh")
    assert room.shown() == second != first
    room.end_show()
    room.end_show()
    assert room.shown() is None


def test_the_board_from_joining_to_closing(room):
    with pytest.raises(Problem, match="closed"):
        room.join("me", "Ada")
    room.open()
    room.join("me", "Ada")
    room.join("you", "小明")
    with pytest.raises(Problem, match="taken"):
        room.join("third", "ADA")
    room.note("me", "cnn", ["a"])
    room.note("you", "cnn", ["a", "b"])
    room.note("nobody", "cnn", ["a", "b", "c"])
    assert [(m.name, m.count) for m in room.board()] == [("小明", 2), ("Ada", 1)]
    room.join("me", "Lovelace")
    assert room.member("me").solved == {"cnn": ["a"]}, "another nickname, the same work"
    room.leave("you")
    assert [m.name for m in room.board()] == ["Lovelace"]
    room.close()
    assert room.board() == []
    assert room.member("me") is None
    room.open()
    assert room.board() == [], "a new board knows nobody"


def test_who_was_first_stands_first_among_equals(room):
    room.open()
    for name in "abc":
        room.join(name, name)
    for name in "bca":
        room.note(name, "cnn", ["x"])
        time.sleep(0.002)
    assert [m.name for m in room.board()] == ["b", "c", "a"]


def test_a_browsers_id_is_nowhere_on_disk(room, tmp_path):
    room.open()
    room.join("the browser's secret id", "Ada")
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert len(files) == 2
    assert not any(b"secret" in file.read_bytes() or "secret" in file.name for file in files)


def test_a_board_that_was_forgotten_is_closed(room, tmp_path):
    room.open()
    old = time.time() - HOURS * 3600 - 1
    os.utime(tmp_path / "room" / "board.json", (old, old))
    assert not room.is_open()


@given(st.text(max_size=60))
def test_a_nickname_is_tidy_or_refused(text):
    try:
        name = tidy(text)
    except Problem:
        return
    assert 1 <= len(name) <= LONGEST
    assert name == tidy(name), "tidying twice changes nothing"
    assert not set(name) & set("<>\n\r\t\0\u202e\u200b")


@pytest.mark.parametrize("name", ["", "  ", "…", "🙂", "x" * 25, "\u202e", "<>"])
def test_what_is_no_nickname(name):
    with pytest.raises(Problem):
        tidy(name)


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"path": 3}', b'{"name": 1, "solved": {}, "at": 1.0}', b"\xff"])
def test_a_torn_file_is_no_file(room, tmp_path, text):
    room.open()
    for name in ("shown.json", "members/x.json"):
        path = tmp_path / "room" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text)
    assert room.shown() is None
    assert room.board() == []
