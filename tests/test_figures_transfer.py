"""Pictures of the transfer lesson: every line has its name in sight, and what is drawn is what was measured."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from dlcore.figures import transfer

IMAGES = np.array([2, 5, 20, 50])
METHODS = ("scratch", "frozen", "finetuned", "last", "slower", "lora", "own")


def checked(plot: go.Figure) -> Any:
    """It, when it has passed Plotly's own checks."""
    go.Figure(plot.to_dict())
    return plot


def in_sight(plot: Any, note: Any) -> bool:
    """Whether Plotly draws an annotation: it leaves out those whose place is beyond an axis."""
    (x_low, x_high), (y_low, y_high) = plot.layout.xaxis.range, plot.layout.yaxis.range
    return x_low <= note.x <= x_high and y_low <= note.y <= y_high


@pytest.mark.parametrize("most", [2, 5, 20, 50])
def test_every_way_has_its_name_at_the_end_of_its_line(most: int) -> None:
    images = IMAGES[most >= IMAGES]
    scores = {name: (np.linspace(0.5, 0.9, len(images)), np.full(len(images), 0.02)) for name in METHODS}
    plot = checked(transfer.by_images(images, scores, most=most, now={"own": (5.0, 0.7)}))
    for name in METHODS:
        note = next(n for n in plot.layout.annotations if n.text == transfer.TITLES[name])
        assert in_sight(plot, note), name
    np.testing.assert_allclose(plot.data[1].error_y.array, 0.02)
    np.testing.assert_allclose(plot.data[1].y, scores["frozen"][0])


def test_blocks_taken_over_begin_at_scratch() -> None:
    four = np.array([0.6, 0.7, 0.75, 0.8]), np.full(4, 0.01)
    scores = {"scratch": (np.array([0.5]), np.array([0.02])), "frozen": four, "tuned": four}
    plot = checked(transfer.by_blocks(scores, 4))
    np.testing.assert_allclose(plot.data[0].y, [0.5, 0.6, 0.7, 0.75, 0.8])
    np.testing.assert_allclose(plot.data[0].x, np.arange(5))
    assert not checked(transfer.by_blocks({}, 4)).data


def test_the_cost_of_each_way_is_a_point_with_a_name() -> None:
    plot = checked(transfer.cost(METHODS, [24908, 196, 24908, 14068, 24908, 1782, 24492], np.full(7, 0.75).tolist()))
    assert len(plot.data) == 7
    places = [note.y for note in plot.layout.annotations]
    assert len(set(places)) == 7, "names that would stand on each other are moved apart"
    assert not checked(transfer.cost([], [], [])).data


def test_a_training_under_way_has_a_curve_for_each_way_and_its_teachers_line() -> None:
    steps = np.array([0.0, 30.0])
    plot = checked(transfer.progress(steps, {"soft": np.array([0.2, 0.6])}, last=60, levels={"teacher": 0.74}))
    assert plot.layout.xaxis.range == (0, 60)
    assert {n.text for n in plot.layout.annotations} == {"its doubts, too", "teacher", "guessing"}
    checked(transfer.progress(np.zeros(0), {}, last=60, guessing=None))
