"""The lesson's page as a reader drives it, short of the browser: links, widgets, pictures, learning, challenges."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from dlcore import small_pictures
from dlcore.filters import TITLES, read_filter, write_filter
from dlcore.small_pictures import SAMPLES, write_pixels
from tests.pages import visit
from tests.pages.visit import said, trained

STATE = "page:convolution"
opened = partial(visit.opened, "convolution")


def choice(at: AppTest, name: str):
    return at.selectbox(key=f"convolution.{name}")


def extra(at: AppTest, name: str) -> str:
    return at.session_state[STATE]["extra"].get(name, "")


def test_opens_on_a_house_and_says_what_to_see():
    at = opened()
    assert not at.exception
    assert "Vermilion: dark at the left, bright at the right" in said(at)
    assert "Each output number sees 3 × 3 pixels. The strongest answer is 4, in row 9, column 1." in said(at)
    assert "has 10 numbers to learn" in said(at)
    assert "The learner sees pictures and answers only. Will it find the 9 weights?" in said(at)
    assert at.session_state[STATE]["solved"] == []


@pytest.mark.parametrize("name", SAMPLES)
def test_every_picture_opens_by_link(name):
    at = opened(picture=name, filter="laplacian")
    assert not at.exception
    assert "cannot be read" not in said(at)
    assert choice(at, "picture").value == name


@pytest.mark.parametrize("name", TITLES)
def test_every_filter_opens_by_link(name):
    at = opened(filter=name, window="5")
    assert not at.exception
    assert choice(at, "filter").value == name
    assert "sees 5 × 5 pixels" in said(at)


def test_a_teachers_link_restores_all_of_it_without_knobs():
    drawing = write_pixels(small_pictures.sample("ring"))
    bench = {
        "pixels": drawing, "filter": "1_0_0_-1", "window": "2", "stride": "2", "padding": "1", "dilation": "2",
        "bias": "0.5", "at": "1_1",
    }  # fmt: skip
    at = opened(hide="controls", picture="drawn", **bench)
    assert not at.exception
    assert not at.selectbox
    assert "cannot be read" not in said(at)
    assert "sees 3 × 3 pixels" in said(at), "2 × 2 with a hole"
    assert "has 5 numbers to learn" in said(at)
    assert {name: extra(at, name) for name in bench} == bench


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"stride": "9"}, "goes from 1 to 4"), ({"padding": "-1"}, "goes from 0 to 3"),
        ({"window": "x"}, "whole number"), ({"bias": "nan"}, "out of range"),
        ({"operation": "min"}, "one of: filter, max, average"),
        ({"filter": "1_2"}, "The filter in this link cannot be read"), ({"filter": "<b>"}, "cannot be read"),
        ({"picture": "drawn", "pixels": "1x4x4.AB"}, "The picture in this link cannot be read"),
    ],
    ids=str,
)  # fmt: skip
def test_bad_links_are_answered_and_the_page_stands(params, sentence):
    at = opened(**params)
    assert not at.exception
    assert sentence in said(at)
    told = [box.value for box in at.warning]
    assert len(told) == len(set(told)), "said once"
    assert "Each output number sees" in said(at)


@pytest.mark.parametrize("params", [{"at": "99_99"}, {"at": "a_b"}, {"at": "1"}, {"picture": "moon"}], ids=str)
def test_unknown_places_and_pictures_are_passed_over(params):
    at = opened(**params)
    assert not at.exception
    assert "Each output number sees" in said(at)


def test_impossible_settings_leave_the_page_standing():
    at = opened(window="7", dilation="3")
    assert not at.exception
    assert "Each output number sees" not in said(at)


def test_choosing_another_filter_or_operation():
    at = opened()
    choice(at, "filter").set_value("laplacian")
    at.run()
    assert extra(at, "filter") == "laplacian"
    assert "every edge shows" in said(at)
    choice(at, "filter").set_value("own")
    at.run()
    assert extra(at, "filter") == "0_1_0_1_-4_1_0_1_0", "what was there, to be changed"
    assert choice(at, "filter").value == "own"
    at.segmented_control(key="convolution.operation").set_value("average")
    at.run()
    assert not at.exception
    assert not [box for box in at.selectbox if box.key == "convolution.filter"], "the mean has no weights"
    at.segmented_control(key="convolution.operation").set_value("filter")
    at.run()
    choice(at, "filter").set_value("box")
    at.run()
    assert extra(at, "filter") == "box"
    assert extra(at, "window") == ""


def test_own_weights_count_for_every_channel_of_a_colour_picture():
    at = opened(picture="flag", filter="1_0_0_0")
    assert not at.exception
    assert "has 13 numbers to learn" in said(at)


def test_learned_filters_come_from_the_shipped_network(jobs):
    at = opened(picture="digit")
    assert not at.exception
    choice(at, "filter").set_value("learned")
    at.run()
    assert not at.exception
    assert "First layer of the shipped network" in said(at)
    first = extra(at, "filter")
    assert len(first.split("_")) == 25
    assert extra(at, "window") == "5"
    number = next(box for box in at.number_input if "Filter 1" in box.label)
    number.set_value(3)
    at.run()
    assert not at.exception
    assert extra(at, "filter") != first
    assert choice(at, "filter").value == "learned"


def test_own_networks_colour_filters_lie_on_all_channels(monkeypatch):
    from ui import filter_choice

    found = np.arange(2 * 3 * 9.0).reshape(2, 3, 3, 3) / 100
    monkeypatch.setattr(filter_choice, "_filters", lambda: (found, True))
    at = opened(picture="flag")
    choice(at, "filter").set_value("learned")
    at.run()
    assert not at.exception
    assert "Your own network’s first layer" in said(at)
    assert np.allclose(read_filter(extra(at, "filter")), found[0])
    assert "has 28 numbers to learn" in said(at)
    choice(at, "picture").set_value("house")
    at.run()
    assert not at.exception
    assert "has 10 numbers to learn" in said(at), "on grey the three channels are added"


def test_without_workers_a_learned_filter_is_answered_in_a_sentence(monkeypatch):
    monkeypatch.setattr("dlcore.jobs._broker", None)
    at = opened()
    choice(at, "filter").set_value("learned")
    at.run()
    assert not at.exception
    assert at.warning
    assert "Each output number sees" in said(at)


def test_challenges_of_the_workshop():
    assert opened(operation="max", window="2", stride="2").session_state[STATE]["solved"] == ["half"]
    assert opened(stride="2", padding="1").session_state[STATE]["solved"] == ["half"]
    assert opened(stride="2").session_state[STATE]["solved"] == []
    assert opened(filter="-1_1_-1_1", window="2").session_state[STATE]["solved"] == ["edges"]
    assert opened(filter="sobel_x").session_state[STATE]["solved"] == [], "somebody else wrote it"
    assert opened(filter="1_1_-1_-1", window="2").session_state[STATE]["solved"] == []


def learned(at: AppTest, words: str) -> AppTest:
    """Press the button that begins a run, and look until it says so."""
    return trained(at, lambda: words in said(at) and bool(at.session_state[STATE]["solved"]), 60)


def test_a_filter_is_learned_back_and_then_the_learner_is_fooled(jobs):
    at = learned(opened(images="noise", learning_rate="0.4"), "Found: no weight is off by more than")
    assert at.session_state[STATE]["solved"] == ["learn"]
    fooled = learned(opened(images="stripes"), "in 6 of 9 directions the weights may change")
    assert fooled.session_state[STATE]["solved"] == ["fooled"]


def test_the_workshops_filter_may_be_the_hidden_one():
    at = opened(target="own", filter="1_2_3_4", window="2")
    assert not at.exception
    assert at.session_state[STATE]["given"]["weights"] == "1_2_3_4"
    assert "Will it find the 4 weights?" in said(at)
    assert opened(target="own", weights="1_2").exception == []  # what the workshop has takes its place


def test_rates_limit_is_on_the_slider():
    from ui import kernel_lab

    values = {"target": "sobel_x", "size": 3, "images": "flat", "count": 8, "noise": 0.0, "learning_rate": 0.1,
              "steps": 10, "seed": 0, "weights": ""}  # fmt: skip
    (mark,) = kernel_lab._marks(values)["learning_rate"]
    bounds = kernel_lab._bounds(values)["learning_rate"]
    assert bounds.low is not None
    assert bounds.high is not None
    assert bounds.low < mark.value < bounds.high
    assert mark.kind == "limit"


def test_engine_is_shown_whole():
    at = opened()
    code = "\n".join(block.value for block in at.code)
    assert (visit.SHELL.parents[1] / "dlcore" / "convolution.py").read_text().strip() in code


def test_weights_from_the_browser_are_checked():
    from ui import convolution_lab

    for text in ("x", "1_2", "1_1_1_1e99", ""):
        convolution_lab._typed(text)  # nothing happens, and nothing breaks
    assert write_filter(np.eye(2)[None]) == "1_0_0_1"
