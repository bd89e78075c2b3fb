"""The page of the own-classes lesson: a board that is filled, a run on it, a new picture asked about."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dlcore.data import album as albums
from dlcore.data.album import Album, Kind
from dlcore.vision.networks import available
from tests.borrowed import picture, two_colours
from tests.pages.visit import opened, said
from tests.waiting import until
from ui import album_board, teach_try
from ui.i18n import LANGUAGES

STATE = "page:teach"


def filled(at, album: Album):
    """The page with that album on its board, as if the reader had put it there."""
    at.session_state[STATE]["given"]["data_hash"] = albums.keep(album, at.session_state["owner"])
    return at.run()


@pytest.mark.parametrize("code", LANGUAGES)
def test_an_empty_board_invites_and_starts_nothing(jobs, code):
    at = opened("teach", lang=code)
    assert not at.exception
    train = next(button for button in at.button if button.key == "teach.start.play_arrow")
    assert train.disabled
    assert {"en": "When it has learned", "zh": "等它学完"}[code] in said(at)


def test_a_filled_board_can_be_trained(jobs):
    at = filled(opened("teach", lang="en"), two_colours(6))
    assert not at.exception
    assert at.session_state[STATE]["album"]["classes"][0]["name"] == "red"
    train = next(button for button in at.button if button.key == "teach.start.play_arrow")
    assert not train.disabled


def test_somebody_else_s_album_stays_with_them(jobs):
    name = albums.keep(two_colours(3), "somebody else")
    at = opened("teach", lang="en", data_hash=name)
    assert not at.exception
    assert "somebody else's" in said(at)
    assert not any(kind["pictures"] for kind in at.session_state[STATE]["album"]["classes"])


def test_a_ready_set_fills_the_board_by_its_link(jobs):
    at = opened("teach", lang="zh", dataset="drawings")
    assert not at.exception
    classes = at.session_state[STATE]["album"]["classes"]
    assert [len(kind["pictures"]) for kind in classes] == [10] * 4


def test_one_large_class_is_told(jobs):
    album = two_colours(8)
    few = Album((album.kinds[0], Kind("blue", album.kinds[1].pictures[:2])))
    at = filled(opened("teach", lang="en"), few)
    assert "“red” has 8 pictures and “blue” only 2" in said(at)


@pytest.mark.skipif(
    not set(available()) - {"digits"}, reason="needs a trained network (the shipped one, or TORCH_HOME)"
)
def test_train_then_ask(jobs):
    at = filled(opened("teach", lang="en"), two_colours(6))
    next(button for button in at.button if button.key == "teach.start.play_arrow").click().run()
    assert not at.exception
    run, who = at.session_state[STATE]["run"], at.session_state["owner"]
    until(lambda: jobs.info(run, owner=who).state in ("finished", "failed"), 120)
    at.run()
    assert not at.exception
    assert "held-out pictures answered rightly" in said(at)
    blob = io.BytesIO()
    Image.fromarray(picture((80, 90, 190), 900)).save(blob, "PNG")
    at.session_state[STATE]["tried"] = blob.getvalue()
    at.run()
    assert not at.exception
    answer = at.session_state[STATE]["answer"]
    assert answer["classes"][int(answer["probabilities"].argmax())] == "blue"


@pytest.mark.parametrize("code", LANGUAGES)
def test_without_imagenet_the_page_is_whole_and_says_what_it_reaches(jobs, monkeypatch, tmp_path, code):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("DLCORE_DATA", str(tmp_path))
    at = filled(opened("teach", lang=code), two_colours(5))
    assert not at.exception
    assert "68%" in said(at)
    assert "download mobilenet_v2" in said(at)
    assert not next(button for button in at.button if button.key == "teach.start.play_arrow").disabled
    eyes = next(box for box in at.selectbox if any("32" in str(name) for name in box.options))
    assert len(eyes.options) == 2  # the best that is here, and that is the shipped one


# -- edits, as the browser sends them --------------------------------------------------------------------------------


@pytest.fixture
def board(jobs, monkeypatch):
    """A page's state, and a function that sends an edit to it."""
    monkeypatch.setattr(album_board, "owner", lambda: "ann")
    monkeypatch.setattr(album_board, "_", str)
    state: dict = {"given": {}}

    def send(**sent):
        album_board.edit(sent, state)
        return albums.from_plain(state["album"])

    return state, send


def as_text(image: np.ndarray) -> str:
    import base64

    blob = io.BytesIO()
    Image.fromarray(image).save(blob, "JPEG")
    return base64.b64encode(blob.getvalue()).decode()


def test_pictures_come_and_go_and_come_back(board):
    state, send = board
    pair = [as_text(picture((200, 90, 90), k, 80)) for k in range(2)]
    album = send(do="pictures", **{"class": 0}, pictures=[*pair, "no base64!", ""])
    assert len(album.kinds[0].pictures) == 2
    assert len(state["told"]) == 1
    assert albums.load(state["given"]["data_hash"], "ann") == album
    gone = send(do="remove", **{"class": 0}, picture=album.kinds[0].pictures[0])
    assert len(gone.kinds[0].pictures) == 1
    assert send(do="undo") == album
    assert send(do="rename", **{"class": 1}, name="  mug \n").names[1] == "mug"
    assert len(send(do="add").kinds) == 3
    assert len(send(do="drop", **{"class": 0}).kinds) == 2


@pytest.mark.parametrize(
    "sent",
    [{}, {"do": "remove", "class": 99}, {"do": "pictures", "class": "x"}, {"do": "rename", "class": 0, "name": None},
     {"do": "format", "class": 0}, {"do": "pictures", "class": 0, "pictures": 7}],
)  # fmt: skip
def test_nonsense_does_no_harm(board, sent):
    state, send = board
    before = send(do="rename", **{"class": 0}, name="mug")
    album_board.edit(sent, state)
    after = albums.from_plain(state["album"])
    assert [len(kind.pictures) for kind in after.kinds] == [len(kind.pictures) for kind in before.kinds]
    assert len(after.kinds) == 2


def test_three_different_pictures_are_asked_about_and_no_passing_frame_counts():
    answer: dict[str, Any] = {"probabilities": np.array([0.9, 0.1])}
    state: dict[str, Any] = {"tried": b"mug"}
    assert not any(teach_try._note(state, answer) for _again in range(4))
    assert len(state["asked"]) == 1
    for frame in (b"frame 1", b"frame 2"):
        state.update(tried=frame, live=True)
        assert not teach_try._note(state, answer)
    state.update(tried=b"plant", live=False)
    assert not teach_try._note(state, answer)
    state.update(tried=b"thumb")
    assert teach_try._note(state, answer), "the challenges look again"
    assert len(state["asked"]) == teach_try.ASKED == 3
    assert not teach_try._note(state, answer)
