"""Figures of images and of evaluations: valid for Plotly, and the right pixel in the right place."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlcore.figures import DATA, MODEL, evaluation, images

RNG = np.random.default_rng(0)
DIGITS = RNG.integers(0, 256, (13, 1, 28, 28), np.uint8)
COLOURED = RNG.integers(0, 256, (7, 3, 32, 32), np.uint8)
NAMES = [str(k) for k in range(10)]


def checked(figure: Any) -> Any:
    """The figure through Plotly's own validators, which ``dlcore.figures.figure`` leaves out."""
    data = [dict(trace) for trace in figure._data]
    return go.Figure(data=data, layout=dict(figure._layout))


def trace(figure: Any) -> Any:
    return figure.data[0]


FIGURES = {
    "pictures": images.pictures(DIGITS, 5, chosen=3),
    "colour pictures": images.pictures(COLOURED, 4, chosen=6),
    "filters": images.filters(RNG.normal(size=(32, 1, 3, 3))),
    "colour filters": images.filters(RNG.normal(size=(32, 3, 5, 5))),
    "tensor": images.tensor(RNG.normal(size=(1, 28, 28)).astype(np.float32)),
    "colour tensor": images.tensor(RNG.normal(size=(3, 32, 32)).astype(np.float32)),
    "mistakes": images.mistakes(DIGITS[:3], "123", "789", [0.9, 0.8, 0.51]),
    "colour mistakes": images.mistakes(COLOURED[:2], "12", "78", [0.9, 0.8]),
    "confusion": evaluation.confusion(RNG.integers(0, 9, (10, 10)), NAMES),
    "scores": evaluation.scores(RNG.random(10), RNG.random(10), RNG.random(10), NAMES),
    "answer": evaluation.answer(RNG.dirichlet(np.ones(10)), NAMES, truth=3),
}


@pytest.mark.parametrize("name", FIGURES)
def test_figures_are_valid(name):
    assert len(checked(FIGURES[name]).data) >= 1


@given(
    st.integers(1, 40), st.integers(1, 30), st.integers(1, 30), st.integers(1, 12), st.integers(0, 5), st.integers(0, 9)
)
def test_every_image_stands_where_a_click_finds_it(count, height, width, columns, gap, foot):
    place = images.Mosaic(count, height, width, min(columns, count), gap=gap, foot=foot)
    stack = np.arange(count)[:, None, None] * np.ones((1, height, width))
    picture = place.picture(stack)
    assert picture.shape == place.shape
    assert np.nansum(np.isfinite(picture)) == count * height * width
    for index in range(count):
        top, left = place.corner(index)
        assert (picture[top : top + height, left : left + width] == index).all()
        assert place.index(left, top) == index
        assert place.index(left + width - 1 + 0.49, top + height - 1 + 0.49) == index


def test_a_click_beside_the_images_is_none():
    place = images.mosaic(DIGITS, 5)
    assert place.index(-3, 0) is None
    assert place.index(10, 10_000) is None
    assert place.index(*reversed(place.corner(12))) == 12
    assert place.index(place.corner(12)[1] + 31, place.corner(12)[0]) is None, "an empty place in the last row"


def test_filters_are_coloured_around_zero_on_one_scale():
    weights = np.zeros((2, 1, 3, 3))
    weights[0, 0, 0, 0], weights[1, 0, 2, 2] = -3, 1
    drawn = trace(images.filters(weights))
    assert (drawn.zmin, drawn.zmax) == (-3, 3)
    assert drawn.colorscale[0][1] == DATA
    assert drawn.colorscale[-1][1] == MODEL


def test_a_filter_of_colour_images_is_a_colour_picture():
    weights = np.zeros((2, 3, 3, 3))
    weights[0, 0, 1, 1], weights[1, 2, 0, 0] = 2, -1  # asks for red in the middle; against blue in the corner
    z = trace(images.filters(weights, columns=2)).z
    assert z[1, 1].tolist() == [255, 128, 128, 255]
    assert z[0, 4].tolist() == [128, 128, 64, 255]
    assert z[0, 3, 3] == 0, "the page shows between two filters"


def test_the_largest_probability_is_the_model_s_colour():
    shares = np.array([0.1, 0.6, 0.3])
    bars = trace(evaluation.answer(shares, list("abc"), truth=2))
    assert bars.marker.color[1] == MODEL
    assert bars.marker.color[2] == DATA


def test_no_probability_is_called_certain():
    bars = trace(evaluation.answer(np.array([0.99999, 1e-5]), list("ab")))
    assert list(bars.text) == [">99.9%", ""]


def test_one_mistake_in_a_thousand_is_seen():
    counts = np.array([[999, 1], [0, 1000]])
    z = trace(evaluation.confusion(counts, list("ab"))).z
    assert z[0, 0] < -0.99
    assert z[0, 1] >= evaluation.FAINTEST
    assert np.isnan(z[1, 0]), "no mistake, no colour"


def test_labels_are_translated():
    figure: Any = evaluation.confusion(np.eye(2, dtype=int), ["a", "b"], label=str.upper)
    assert list(figure.layout.xaxis.ticktext) == ["A", "B"]
    assert figure.layout.xaxis.title.text == "ANSWER"
