"""Pictures of networks without some blocks: what is drawn is what was measured."""

from typing import Any

import numpy as np
import plotly.graph_objects as go

from dlcore.figures import DATA, MODEL, REFERENCE, surgery


def checked(plot: go.Figure) -> Any:
    """It, when it has passed Plotly's own checks."""
    go.Figure(plot.to_dict())
    return plot


def test_each_class_has_a_bar_before_and_one_after() -> None:
    plot = checked(surgery.by_class(["a", "b"], np.array([0.9, 0.8]), np.array([0.5, np.nan])))
    before, after = plot.data
    assert (before.x, list(before.y)) == (("a", "b"), [0.9, 0.8])
    np.testing.assert_array_equal(after.y, [0.5, np.nan])
    assert after.marker.color == MODEL


def test_changed_images_carry_both_answers() -> None:
    plot = checked(surgery.changed(np.zeros((2, 3, 8, 8), np.uint8), ["cat", "dog"], ["deer", "car"], 6))
    assert [(note.text, note.font.color) for note in plot.layout.annotations] == [
        ("cat", DATA), ("deer", MODEL), ("dog", DATA), ("car", MODEL)
    ]  # fmt: skip


def test_every_order_is_drawn_and_their_mean() -> None:
    shares = np.array([[1.0, 0.8, 0.2], [1.0, 0.6, 0.4]])
    plot = checked(surgery.one_after_another({"residual": shares, "plain": shares / 2}, 2, label=str.upper))
    assert len(plot.data) == 6
    np.testing.assert_allclose(plot.data[2].y, [1.0, 0.7, 0.3])
    assert [plot.data[k].line.color for k in (2, 5)] == [MODEL, REFERENCE]
    assert {"RESIDUAL", "PLAIN"} <= {note.text for note in plot.layout.annotations}
    assert not checked(surgery.one_after_another({}, 9)).data
