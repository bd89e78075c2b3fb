"""Figures of maps and attacks: the colour says what the number says, and the pictures stand where their words do."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from dlcore.figures import GREY, MODEL
from dlcore.figures import attribution as figures

RNG = np.random.default_rng(0)


def checked(plot: go.Figure) -> Any:
    """It, when it has passed Plotly's own checks."""
    go.Figure(plot.to_dict())
    return plot


def test_the_map_is_vermilion_for_blue_against_and_leaves_the_rest_grey() -> None:
    picture = np.full((3, 4, 4), 200, np.uint8)
    heat = np.zeros((4, 4))
    heat[0, 0], heat[3, 3] = 2.0, -2.0
    red, green, blue = figures.laid_over(picture, heat)
    assert red[0, 0] > blue[0, 0] + 100
    assert blue[3, 3] > red[3, 3] + 100
    assert red[1, 1] == green[1, 1] == blue[1, 1] > 127
    assert not figures.strength(np.zeros((3, 3))).any()


def test_one_huge_pixel_does_not_pale_the_rest() -> None:
    heat = np.ones((30, 30))
    heat[4, 4] = 1e6
    assert figures.strength(heat)[0, 0] == 1.0


def test_nothing_pushed_is_grey_and_the_whole_size_is_black_or_white() -> None:
    push = np.array([[[0.0, 0.1, -0.1, 0.05]]])
    assert figures.amplified(push, 0.1).tolist() == [[[128, 255, 0, 191]]]
    assert figures.amplified(push * 0, 0.0).tolist() == [[[128] * 4]]


def test_a_row_carries_titles_above_and_answers_below() -> None:
    for channels in (1, 3):
        shown = RNG.integers(0, 256, (3, channels, 28, 28), np.uint8)
        plot = checked(figures.row(shown, ["7 90%", "3 60%", "1 50%"], ["as it is", "attacked", "noise"]))
        notes = {note.text: note for note in plot.layout.annotations if note.text}
        for title in ("as<br>it is", "attacked"):  # above the pictures, in the margin: out of the axis's range
            assert (notes[title].yref, notes[title].y, notes[title].yanchor) == ("paper", 1, "bottom")
        assert plot.layout.margin.t >= 2 * 16
        assert 27 < notes["3 60%"].y < plot.layout.yaxis.range[0]


@pytest.mark.parametrize(
    ("title", "lines"),
    [("noise", "noise"), ("random noise", "random<br>noise"), ("its push, enlarged", "its push,<br>enlarged"),
     ("噪声（放大）", "噪声<br>（放大）"), ("原图", "原图")],
)  # fmt: skip
def test_titles_are_broken_where_they_can_be(title: str, lines: str) -> None:
    assert figures.in_two(title) == lines


def test_curves_name_what_they_are() -> None:
    x = np.linspace(0, 1, 4)
    plot = checked(figures.deletion(x, 1 - x, np.stack([x, x]), label=str.upper))
    assert plot.data[-1].line.color == MODEL
    assert plot.data[-2].line.color == GREY
    np.testing.assert_allclose(plot.data[-2].y, x)
    assert {"BY THE MAP", "AT RANDOM"} <= {note.text for note in plot.layout.annotations}
    assert len(checked(figures.pushed(x, 1 - x, x, None, 0.5)).data) == 2
    assert len(checked(figures.pushed(x, 1 - x, x, x, 0.5)).data) == 3
    assert len(checked(figures.accuracies(x, [("a", MODEL, "solid", x), ("b", GREY, "dot", x)])).data) == 2
    checked(figures.completeness(np.array([5.0, 0.3, 0.01]), 1))
    low = checked(figures.randomising(x, np.array([1.0, np.nan, -0.8, 0.1]))).layout.yaxis.range[0]
    assert low < -0.8


def test_cells_of_bad_pictures_say_the_answer_on_hover() -> None:
    names = [["seven"] * 5, ["nine"] * 5]
    plot = checked(figures.weathered(["noise", "blur"], RNG.random((2, 5)), names, label=str.upper))
    assert [list(row) for row in plot.data[0].hovertext] == names
    assert plot.layout.yaxis.ticktext == ("NOISE", "BLUR")


def test_a_map_on_a_photograph_has_the_photographs_shape() -> None:
    plot = checked(figures.overlay(RNG.integers(0, 256, (3, 20, 30), np.uint8), RNG.normal(size=(20, 30))))
    assert plot.data[0].z.shape[:2] == (20, 30)


def test_certainties_are_counted_in_tenths_known_ones_up_and_strangers_down() -> None:
    known, strange = np.array([0.95, 1.0, 0.91, 0.42]), np.array([0.05, 0.31])
    assert figures.tenths(known).tolist() == [0, 0, 0, 0, 1, 0, 0, 0, 0, 3]
    plot = checked(figures.certainties(known, strange, 0.42, label=str.upper))
    np.testing.assert_allclose(plot.data[0].y[[4, 9]], [0.25, 0.75])
    np.testing.assert_allclose(plot.data[1].y[[0, 3]], [-0.5, -0.5])
    assert plot.layout.shapes[0].x0 == 0.42
    assert {"KNOWN PICTURES", "STRANGERS"} <= {note.text for note in plot.layout.annotations}


def test_a_map_laid_on_the_picture_stays_as_coarse_as_it_is() -> None:
    from ui.maps_panel import spread

    heat = np.arange(4.0).reshape(2, 2)
    np.testing.assert_array_equal(spread(heat, (4, 6)), np.kron(heat, np.ones((2, 3))))
    assert spread(np.arange(9.0).reshape(3, 3), (8, 8))[7, 7] == 8


def test_what_certainty_lets_through_is_counted_at_95_per_cent_of_the_known() -> None:
    from ui.odd_pictures import missed

    known = np.linspace(0.0, 0.99, 100)
    cut, through = missed(known, np.array([0.01, 0.04, 0.06, 0.9]))
    assert float((known >= cut).mean()) == 0.95
    assert through == 0.5
