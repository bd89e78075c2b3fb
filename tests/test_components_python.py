"""The Python side of our own components: what goes to the browser, and what is believed of what comes back."""

from __future__ import annotations

import base64
import json
import math
import struct
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from dlcore import figures
from ui.components import pack
from ui.concept_map import Edge, Node, concept_map
from ui.draw_pad import _image
from ui.live_plot import _click, _spec
from ui.slider import _Known

DTYPES = {"f4": "<f4", "f8": "<f8", "i1": "<i1", "u1": "<u1", "i2": "<i2", "u2": "<u2", "i4": "<i4", "u4": "<u4"}


def unpack(blob: bytes) -> Any:
    """What ``assets/components/wire.js`` does, in Python."""
    (size,) = struct.unpack_from("<I", blob)
    offset = -(-(4 + size) // 8) * 8
    met: list[np.ndarray] = []

    def lower(value: Any) -> Any:
        nonlocal offset
        if isinstance(value, list):
            return [lower(v) for v in value]
        if not isinstance(value, dict):
            return value
        if "$same" in value:
            return met[value["$same"]]
        if "$" not in value:
            return {name: lower(v) for name, v in value.items()}
        dtype, *shape = value["$"]
        array = np.frombuffer(blob, DTYPES[dtype], math.prod(shape), offset).reshape(shape)
        assert offset % 8 == 0, "JavaScript's typed arrays need it"
        offset += -(-array.nbytes // 8) * 8
        met.append(array)
        return array

    return lower(json.loads(blob[4 : 4 + size]))


def test_an_array_in_several_places_travels_once():
    steps, curves = np.arange(2000), np.arange(8000.0).reshape(4, 2000)
    tree = {"data": [{"x": steps.copy(), "y": curve} for curve in curves]}
    blob = pack(tree)
    assert len(blob) < 5 * 16_000 + 1000
    for trace, curve in zip(unpack(blob)["data"], curves, strict=True):
        assert np.array_equal(trace["x"], steps)
        assert np.array_equal(trace["y"], curve)


@given(
    arrays.arrays(
        st.sampled_from(["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "?", ">f8", ">i4"]),
        arrays.array_shapes(min_dims=0, max_dims=3, max_side=5),
        elements={"allow_nan": False},
    )
)
def test_arrays_arrive_as_they_were(array):
    if array.dtype.kind in "iu" and array.dtype.itemsize == 8:
        array = array % 2**50  # doubles hold whole numbers up to 2**53
    back = unpack(pack({"between": [array, "text", array[None]], "after": 1}))
    assert np.array_equal(back["between"][0], array)
    assert np.array_equal(back["between"][2], array[None])
    assert back["between"][1] == "text"
    assert back["after"] == 1


def test_what_json_cannot_say_becomes_null_and_arrays_keep_it():
    strided = np.arange(12.0).reshape(3, 4)[:, ::2]
    back = unpack(pack({"gap": [1.0, math.nan, math.inf], "array": np.array([1.0, math.nan]), "s": strided,
                        "one": np.float32(0.5), "words": np.array(["a", "b"])}))  # fmt: skip
    assert back["gap"] == [1.0, None, None]
    assert np.isnan(back["array"][1])
    assert np.array_equal(back["s"], strided)
    assert back["one"] == 0.5
    assert back["words"] == ["a", "b"]


def test_a_figure_goes_out_with_its_arrays_and_without_template():
    x = np.linspace(0, 1, 5)
    ours = figures.figure([{"type": "scatter", "x": x}], {"xaxis": {"title": {"text": "x"}}})
    spec = _spec(ours)
    assert isinstance(spec["data"][0]["x"], np.ndarray), "no text, no base64"
    usual = _spec(go.Figure(go.Scatter(x=x, y=x), layout={"title": {"text": "t"}}))
    assert "template" not in usual["layout"]
    assert usual["layout"]["title"]["text"] == "t"
    assert np.array_equal(unpack(pack(usual))["data"][0]["y"], x)


@pytest.mark.parametrize(
    "sent",
    [
        None, {}, {"click": None}, {"click": "x"}, {"click": {"x": 1, "y": 2}}, {"click": {"x": "1", "y": 2, "n": 1}},
        {"click": {"x": math.nan, "y": 2, "n": 1}}, {"click": {"x": True, "y": None, "n": 1}}, {"click": {"n": "1"}},
    ],
)  # fmt: skip
def test_a_click_that_is_none_is_not_believed(sent):
    assert _click(sent) is None


def test_a_click_on_empty_area_and_one_on_a_point():
    empty = {"x": 1, "y": 2.5, "n": 3, "curve": None, "point": None}
    assert _click({"click": empty}) == {"x": 1.0, "y": 2.5, "curve": None, "point": None, "n": 3}
    assert _click({"click": {**empty, "curve": 0, "point": 7}}) == {"x": 1.0, "y": 2.5, "curve": 0, "point": 7, "n": 3}


def test_a_drawing_is_read_and_anything_else_is_none():
    pixels = np.arange(784, dtype=np.uint8).reshape(28, 28)
    image = _image({"image": base64.b64encode(pixels.tobytes()).decode()}, 28)
    assert image is not None
    assert np.array_equal(image, pixels)
    image[0, 0] = 1  # the caller's own
    for nonsense in (None, 3, "no base64!", base64.b64encode(b"short").decode(), "é", {"a": 1}):
        assert _image({"image": nonsense}, 28) is None
    assert _image(None, 28) is None


class Page:
    """One slider as the server sees it, through reruns: ``draw`` is a rerun, ``sent`` what the browser holds."""

    def __init__(self, **options: Any) -> None:
        self.known, self.sent, self.count, self.options = _Known(), None, 0, options

    def draw(self, value: float, low: float = 0.0, high: float = 10.0) -> float:
        known = self.known
        state = None if self.sent is None else {"value": self.sent} if self.sent else {}
        shown, read = known.choose(state, value, low, high, self.options.get("controlled", False))
        known.seq += known.differs(state, shown)
        known.given, known.shown, known.read, known.put, known.void = value, shown, read, None, False
        self.sent = self.sent or {}
        return shown

    def drag(self, value: Any) -> None:
        self.count += 1
        self.sent = {"value": value, "seq": self.known.seq, "n": self.count}


def test_the_users_value_stays_until_the_page_gives_another():
    page = Page()
    assert page.draw(1.0) == 1.0
    page.drag(4.0)
    assert page.draw(1.0) == 4.0
    assert page.draw(1.0) == 4.0  # another rerun, the page's constant unchanged
    assert page.draw(2.0) == 2.0  # a preset
    assert page.known.seq == 1, "the browser must learn it"
    assert page.draw(2.0) == 2.0
    page.drag(5.0)
    assert page.draw(2.0) == 5.0


def test_a_page_that_feeds_the_value_back_is_no_preset():
    page = Page()
    value = page.draw(1.0)
    for wanted in (2.0, 3.0, 4.0):
        page.drag(wanted)
        value = page.draw(value)
        assert value == wanted
    assert page.known.seq == 0


def test_a_controlled_slider_shows_what_the_page_says_unless_just_moved():
    page = Page(controlled=True)
    page.draw(1.0)
    page.drag(3.0)
    assert page.draw(1.0) == 3.0
    assert page.draw(1.0) == 1.0  # a reset right after the only run that saw the drag
    assert page.known.seq == 1
    page.drag(3.0)
    assert page.draw(1.0) == 3.0  # the same value once more is a new message


def test_put_wins_and_stays():
    page = Page()
    page.draw(1.0)
    page.drag(3.0)
    page.draw(1.0)
    page.known.put = 7.0
    assert page.draw(1.0) == 7.0
    assert page.draw(1.0) == 7.0


def test_a_move_that_a_preset_overtook_is_void():
    """The run for the move was ended by the preset's before it could note the message as read."""
    page = Page(controlled=True)
    page.draw(1.0)
    page.drag(3.0)
    page.known.void = True  # put_value, in the preset's callback
    assert page.draw(7.0) == 7.0
    assert page.known.seq == 1, "the browser must learn it"
    assert page.draw(7.0) == 7.0
    page.drag(4.0)
    assert page.draw(7.0) == 4.0


def test_a_message_from_before_the_servers_value_is_void():
    page = Page()
    page.draw(1.0)
    page.drag(3.0)
    page.draw(1.0)
    late = {**(page.sent or {}), "n": 99, "value": 3.5}
    page.known.put = 7.0
    page.draw(1.0)
    page.sent = late  # it was on its way when the value was put
    assert page.draw(1.0) == 7.0


def test_a_range_that_shrinks_takes_the_value_along():
    page = Page()
    page.draw(1.0)
    page.drag(9.0)
    page.draw(1.0)
    seq = page.known.seq
    assert page.draw(1.0, high=5.0) == 5.0
    assert page.known.seq == seq + 1


@pytest.mark.parametrize("nonsense", ["4", None, True, math.nan, math.inf, [1], {"a": 1}])
def test_nonsense_from_the_browser_changes_nothing(nonsense):
    page = Page()
    page.draw(1.0)
    page.drag(nonsense)
    assert page.draw(1.0) == 1.0


def test_what_is_out_of_bounds_is_brought_back():
    page = Page()
    page.draw(1.0)
    page.drag(-1e9)
    assert page.draw(1.0) == 0.0


def test_a_slider_that_was_off_the_page_starts_afresh():
    page = Page()
    page.draw(1.0)
    page.drag(3.0)
    page.draw(1.0)
    page.sent = None
    assert page.draw(1.0) == 1.0


def test_an_edge_to_nowhere_is_named():
    with pytest.raises(ValueError, match="cnn"):
        concept_map([Node("nn", "Neural network", 0, 0)], [Edge("nn", "cnn")], key="map")


@pytest.mark.parametrize("bounds", [{"low": 0.0, "high": 0.5}, {"low": 0.5, "high": 1.0}], ids=str)
def test_log_odds_have_no_end_at_0_and_1(bounds):
    from ui.slider import slider

    with pytest.raises(ValueError, match="cannot go from"):
        slider("p", key="odds", value=0.5, odds=True, **bounds)
