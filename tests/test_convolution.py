"""Convolution in NumPy against torch, the workshop's arithmetic, and what pictures tell of a hidden filter."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, example, given
from hypothesis import strategies as st

from dlcore import small_pictures
from dlcore.convolution import Geometry, correlate, kernel_gradient, pool
from dlcore.convolution_story import Bench, Settings, receptive_field, size_sum, tells_edges_apart
from dlcore.filters import MOST_SIZE, TITLES, preset, read_filter, resized, write_filter
from dlcore.texts import Problem

# -- the engine against torch ----------------------------------------------------------------------------------------

geometries = st.builds(Geometry, st.integers(1, 7), st.integers(1, 4), st.integers(0, 3), st.integers(1, 3))
sides = st.tuples(st.integers(1, 20), st.integers(1, 20))


def random_picture(seed: int, channels: int, side: tuple[int, int]) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(channels, *side))


def both(ours, theirs) -> tuple[np.ndarray | None, np.ndarray | None]:
    """The two answers; None where it is refused."""
    try:
        mine = ours()
    except Problem:
        mine = None
    try:
        reference = theirs().numpy()
    except RuntimeError:
        reference = None
    return mine, reference


def agree(mine: np.ndarray | None, reference: np.ndarray | None) -> None:
    assert (mine is None) == (reference is None), "one refuses what the other computes"
    if mine is not None and reference is not None:
        assert mine.shape == reference.shape
        np.testing.assert_allclose(mine, reference, atol=1e-12)


@given(geometries, sides, st.integers(1, 3), st.integers(0, 99))
@example(Geometry(7, 1, 0, 3), (12, 12), 1, 0)
@example(Geometry(1, 4, 3, 3), (1, 1), 3, 0)
def test_a_filter_answers_as_torch_does(geometry, side, channels, seed):
    X, W = random_picture(seed, channels, side), random_picture(seed + 1, channels, (geometry.size,) * 2)
    bias = torch.tensor([0.25], dtype=torch.float64)
    tensors = torch.from_numpy(X)[None], torch.from_numpy(W)[None], bias
    agree(*both(
        lambda: correlate(X, W, 0.25, geometry),
        lambda: F.conv2d(*tensors, geometry.stride, geometry.padding, geometry.dilation)[0, 0],
    ))  # fmt: skip


@given(geometries, sides, st.integers(1, 3), st.integers(0, 99))
@example(Geometry(2, 1, 2, 3), (14, 14), 1, 0)
@example(Geometry(3, 2, 1, 2), (9, 8), 2, 0)
def test_max_pooling_is_torchs(geometry, side, channels, seed):
    X = random_picture(seed, channels, side)
    rest = geometry.size, geometry.stride, geometry.padding, geometry.dilation
    agree(*both(lambda: pool(X, "max", geometry), lambda: F.max_pool2d(torch.from_numpy(X)[None], *rest)[0]))


@given(geometries, sides, st.integers(1, 3), st.integers(0, 99))
def test_average_pooling_is_torchs(geometry, side, channels, seed):
    X, geometry = random_picture(seed, channels, side), Geometry(geometry.size, geometry.stride, geometry.padding)
    rest = geometry.size, geometry.stride, geometry.padding
    agree(*both(lambda: pool(X, "average", geometry), lambda: F.avg_pool2d(torch.from_numpy(X)[None], *rest)[0]))


@given(geometries, sides, st.integers(1, 3), st.integers(0, 99))
def test_gradient_of_the_weights_is_autograds(geometry, side, channels, seed):
    assume(all(geometry.extent <= n + 2 * geometry.padding for n in side))
    X = np.random.default_rng(seed).normal(size=(2, channels, *side))
    W = torch.from_numpy(random_picture(seed, channels, (geometry.size,) * 2))[None].requires_grad_()
    z = F.conv2d(torch.from_numpy(X), W, None, geometry.stride, geometry.padding, geometry.dilation)[:, 0]
    delta = torch.from_numpy(np.random.default_rng(seed + 1).normal(size=tuple(z.shape)))
    z.backward(delta)
    assert W.grad is not None
    np.testing.assert_allclose(kernel_gradient(X, delta.numpy(), geometry), W.grad[0].numpy(), atol=1e-11)


@given(geometries, st.integers(1, 28))
def test_size_formula_counts_the_places(geometry, side):
    """By laying the window down place after place, and as it is written out on the page."""
    padded = side + 2 * geometry.padding
    places = [at for at in range(0, padded, geometry.stride) if at + geometry.extent <= padded]
    if places:
        assert geometry.output(side) == len(places)
        assert size_sum(side, geometry).endswith(f"+ 1 = {len(places)}")
    else:
        with pytest.raises(Problem, match=f"{geometry.extent} pixels"):
            geometry.output(side)


@given(st.integers(1, 3), st.integers(1, 5), st.integers(1, 3), st.integers(1, 2))
def test_receptive_field_is_what_moves_an_answer(layers, size, stride, dilation):
    """A pixel belongs to the field exactly if the gradient of the one output number reaches it."""
    geometry = Geometry(size, stride, 0, dilation)
    field = receptive_field(layers, geometry)
    X = torch.ones(1, 1, field + 6, field + 6, dtype=torch.float64, requires_grad=True)
    z, W = X, torch.ones(1, 1, size, size, dtype=torch.float64)
    for _layer in range(layers):
        z = F.conv2d(z, W, None, stride, 0, dilation)
    z[0, 0, 0, 0].backward()
    assert X.grad is not None
    rows = torch.nonzero(X.grad[0, 0].sum(1))[:, 0]
    assert int(rows.max() - rows.min()) + 1 == field


# -- filters and pictures, as they stand in a link --------------------------------------------------------------------


@pytest.mark.parametrize("name", TITLES)
@pytest.mark.parametrize("size", range(1, MOST_SIZE + 1))
def test_known_filters_have_every_size_and_travel_in_a_link(name, size):
    W = preset(name, size)[None]
    assert W.shape == (1, size, size)
    np.testing.assert_allclose(read_filter(write_filter(W)), W, atol=1e-6)


def test_known_filters_do_what_their_names_say():
    picture = small_pictures.sample("bars")
    seen = {name: correlate(picture, preset(name, 3)[None], 0.0, Geometry()) for name in TITLES}
    assert np.array_equal(seen["identity"], picture[0, 1:-1, 1:-1])
    assert np.isclose(preset("box", 5).sum(), 1)
    assert np.isclose(preset("gaussian", 7).sum(), 1)
    assert np.array_equal(preset("gaussian", 3) * 16, [[1, 2, 1], [2, 4, 2], [1, 2, 1]])
    flat = np.full((1, 6, 6), 0.7)
    for name in ("sobel_x", "sobel_y", "laplacian"):
        assert np.abs(correlate(flat, preset(name, 3)[None], 0.0, Geometry())).max() < 1e-12
    assert not np.abs(seen["sobel_x"][:3, 3:7]).any(), "the middle of the bar that lies has no upright edge"
    assert np.abs(seen["sobel_y"][:3, 3:7]).max() == 4


@given(st.integers(1, 3), st.integers(1, MOST_SIZE), st.integers(0, 99))
def test_weights_survive_a_link_and_a_larger_window(channels, size, seed):
    W = np.round(np.random.default_rng(seed).normal(size=(channels, size, size)), 3)
    again = read_filter(write_filter(W))
    assert np.array_equal(np.broadcast_to(again, W.shape), W)
    assert np.array_equal(resized(resized(W, MOST_SIZE), size), W)


@pytest.mark.parametrize(
    "text", ["1_2", "1_2_3_4~1", "a", "1_2_3_nan", "1/0", "1_2_3_1e9", "_".join(["1"] * 64), "1~1~1~1", "inf"]
)
def test_bad_filters_are_answered_in_a_sentence(text):
    with pytest.raises(Problem, match="cannot be read"):
        read_filter(text)


def test_a_fraction_may_be_written():
    assert read_filter("1/9")[0, 0, 0] == 1 / 9


@pytest.mark.parametrize("name", small_pictures.SAMPLES)
def test_pictures_are_small_and_travel_in_a_link(name):
    picture = small_pictures.sample(name)
    assert picture.shape[0] in (1, 3)
    assert max(picture.shape) <= small_pictures.MOST_SIDE
    assert np.array_equal(small_pictures.read_pixels(small_pictures.write_pixels(picture)), picture)


@pytest.mark.parametrize("text", ["", "1x2x2.AAA", "2x1x1.AA", "1x1x1.!", "1x99x1." + "A" * 99, "1x-1x-1.A", "xx.A"])
def test_bad_pixels_are_answered_in_a_sentence(text):
    with pytest.raises(Problem, match="cannot be read"):
        small_pictures.read_pixels(text)


@pytest.mark.parametrize("name", small_pictures.REAL)
def test_real_pictures_keep_the_form(name):
    picture = small_pictures.real(name)
    assert picture.shape == ((1, 28, 28) if name == "digit" else (3, 24, 24))
    assert np.array_equal(small_pictures.rounded(picture), picture)
    assert picture.max() - picture.min() > 0.5


@pytest.mark.parametrize(("grey", "shape"), [(True, (1, 13, 20)), (False, (3, 13, 20))])
def test_an_upload_becomes_a_small_picture(grey, shape):
    from PIL import Image

    blob = io.BytesIO()
    Image.new("RGB", (300, 200), (255, 0, 0)).save(blob, "PNG")
    picture = small_pictures.from_upload(np.frombuffer(blob.getvalue(), np.uint8), grey)
    assert picture.shape == shape
    assert np.allclose(picture.mean((1, 2)), [0.3] if grey else [1, 0, 0])
    with pytest.raises(Problem):
        small_pictures.from_upload(np.frombuffer(b"no picture", np.uint8), grey)


# -- the bench -------------------------------------------------------------------------------------------------------


def bench(**settings: Any) -> Bench:
    size = settings.get("window", 3)
    return Bench(Settings(**settings), small_pictures.sample("house"), preset("sobel_x", size)[None])


def test_half_the_picture_is_half():
    assert bench(operation="max", window=2, stride=2).halves()
    assert bench(window=3, stride=2, padding=1).halves()
    assert not bench(window=3, stride=2).halves()
    assert not bench(window=7, dilation=3).halves(), "no output at all"


def test_impossible_settings_have_a_reason_and_no_output():
    impossible = bench(window=7, dilation=3)
    assert impossible.output is None
    assert "19 pixels" in str(impossible.answer)
    assert impossible.payload()["output"] is None
    assert "more than half" in str(bench(operation="max", window=3, padding=2).answer)


def test_the_mean_has_no_holes():
    assert bench(operation="average", window=2, dilation=3).geometry.dilation == 1


@pytest.mark.parametrize(
    ("text", "apart"),
    [("-1_1_-1_1", True), ("0_0_0_-1_0_1_0_0_0", True), ("1_1_-1_-1", False), ("0_1_0_1_-4_1_0_1_0", False),
     ("0.1_-0.1_0.1_-0.1", False), ("1_1_1_1", False), ("1_0_-1_-1_0_1_0_0_0", False)],
)  # fmt: skip
def test_filters_that_tell_edges_apart(text, apart):
    """Held to pictures of edges at every place, in the dark and in the light."""
    W = read_filter(text)
    assert tells_edges_apart(W) == apart
    answers = []
    for edge in range(1, 8):
        level = np.zeros((1, 9, 9))
        level[:, edge:] = 1
        answers.append([np.abs(correlate(x, W, 0.0, Geometry(W.shape[-1]))).max() for x in (level, level.mT)])
    blind, seeing = np.max(answers, 0)
    assert bool(blind < 1e-9 and seeing >= 1) == apart
