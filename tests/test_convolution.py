"""Convolution in NumPy against torch, the workshop's arithmetic, and what pictures tell of a hidden filter."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, example, given
from hypothesis import strategies as st

from dlcore import small_pictures
from dlcore.convolution import Geometry, correlate, kernel_gradient, pool
from dlcore.convolution_story import Bench, Settings, receptive_field, size_sum, tells_edges_apart
from dlcore.events import Changed, Checkpoint, Diverged, Finished, Snapshot, Started, Step, pack, unpack
from dlcore.experiments import convolution as lesson
from dlcore.figures import kernels
from dlcore.filters import MOST_SIZE, TITLES, preset, read_filter, resized, write_filter
from dlcore.history import History
from dlcore.kernel_data import KINDS, SIDE, examples, pictures
from dlcore.knobs import build, knobs_of
from dlcore.steering import Steering
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


# -- learning a filter back ------------------------------------------------------------------------------------------


def run(**settings: Any) -> list:
    return list(lesson.run(build(lesson.Config, settings)))


def ended(**settings: Any) -> dict[str, Any]:
    last = run(**settings)[-1]
    assert isinstance(last, Finished)
    return last.metrics


def at_limit(share: float, **settings: Any) -> dict[str, Any]:
    """The settings with a rate of so much of their limit."""
    return {**settings, "learning_rate": share * lesson.task(build(lesson.Config, settings)).limit}


@pytest.mark.parametrize("kind", KINDS)
def test_gradient_and_curvature_are_autograds(kind):
    made = examples(kind, 3, 0.1, 5, tuple(map(tuple, preset("emboss", 3))))
    W = torch.from_numpy(np.random.default_rng(0).normal(size=(1, 1, 3, 3))).requires_grad_()

    def loss(weights: torch.Tensor) -> torch.Tensor:
        return F.mse_loss(F.conv2d(torch.from_numpy(made.X), weights)[:, 0], torch.from_numpy(made.Z))

    value, gradient = lesson.mse_and_gradient(W.detach().numpy()[0], made)
    (theirs,) = torch.autograd.grad(loss(W), W)
    assert np.isclose(value, loss(W).item())
    np.testing.assert_allclose(gradient, theirs[0].numpy(), atol=1e-12)
    hessian = torch.autograd.functional.hessian(loss, W)
    assert isinstance(hessian, torch.Tensor)
    np.testing.assert_allclose(
        made.eigenvalues, np.linalg.eigvalsh(hessian.reshape(9, 9).numpy()), atol=1e-12 * made.eigenvalues[-1] + 1e-13
    )


@pytest.mark.parametrize("target", TITLES)
def test_every_filter_is_learned_back_from_random_pixels(target):
    assert ended(target=target, images="noise", steps=400)["kernel_error"] < 1e-4


@pytest.mark.parametrize("seed", range(3))
def test_random_pixels_tell_more_than_shapes(seed):
    """Also the way through the challenge: noise, and a rate near the limit."""
    shapes, noise = (ended(images=kind, seed=seed, steps=400) for kind in ("shapes", "noise"))
    assert noise["found_at"] < 0.75 * shapes["found_at"]
    assert noise["condition_number"] < 0.6 * shapes["condition_number"]
    assert ended(**at_limit(0.9, images="noise", seed=seed))["found_at"] <= 100
    assert ended(**at_limit(0.9, images="shapes", seed=seed))["found_at"] > 100


@pytest.mark.parametrize(("kind", "free"), [("stripes", 6), ("flat", 8)])
@pytest.mark.parametrize("seed", range(3))
def test_what_pictures_do_not_show_stays_as_it_began(kind, free, seed):
    """No loss, another filter: what they determine is right, and the rest is exactly the first weights."""
    config = build(lesson.Config, {"images": kind, "seed": seed})
    end = ended(images=kind, seed=seed)
    assert end["loss"] < 1e-20
    assert end["kernel_error"] > 0.1
    assert end["undetermined"] == free
    W, hidden, first = np.reshape(end["weights"], (3, 3)), np.reshape(end["hidden"], (3, 3)), lesson.start(config)[0]
    moved = W - first
    if kind == "stripes":
        np.testing.assert_allclose(W.sum(0), hidden.sum(0), atol=1e-9)
        np.testing.assert_allclose(moved, np.broadcast_to(moved[0], (3, 3)), atol=1e-9)
    else:
        assert np.isclose(W.sum(), hidden.sum(), atol=1e-9)
        np.testing.assert_allclose(moved, moved.mean(), atol=1e-9)


@pytest.mark.parametrize("seed", range(2))
def test_blurred_pictures_make_a_gorge(seed):
    end = ended(images="blurred", seed=seed)
    assert end["undetermined"] == 0
    assert end["condition_number"] > 5000
    assert end["kernel_error"] > 0.1
    assert end["loss"] < 0.005


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_blurred_pictures_are_not_enough_even_after_5000_steps(seed):
    end = ended(**at_limit(0.98, images="blurred", seed=seed, steps=5000))
    assert end["kernel_error"] > 0.03
    assert end["loss"] < 1e-4


def test_limit_parts_learning_from_running_away():
    below, above = (run(**at_limit(share, steps=300)) for share in (0.98, 1.02))
    assert below[-1].metrics["kernel_error"] < 0.001
    losses = [event.loss for event in above if isinstance(event, Step)]
    assert losses[-1] > 1000 * losses[0]
    wild = run(**at_limit(2.9, steps=5000))[-1]
    assert isinstance(wild, Diverged)
    assert "2/λmax" in wild.reason.format(**wild.params)


def test_more_pictures_average_the_noise_out():
    errors = [np.mean([ended(images="noise", noise=0.1, count=count, seed=seed, steps=500)["kernel_error"]
                       for seed in range(3)]) for count in (1, 64)]  # fmt: skip
    assert errors[1] < errors[0] / 3


def test_a_longer_list_of_pictures_begins_with_the_shorter_one():
    for kind in KINDS:
        assert np.array_equal(pictures(kind, 5, 3)[:2], pictures(kind, 2, 3))
        assert pictures(kind, 4, 1).shape == (4, 1, SIDE, SIDE)
        assert 0 <= pictures(kind, 20, 1).min() <= pictures(kind, 20, 1).max() <= 1


def test_own_filter_is_learned_and_a_bad_one_refused():
    end = ended(target="own", weights="1_-1_0.5_2", images="noise")
    assert np.allclose(end["hidden"], [1, -1, 0.5, 2])
    assert end["kernel_error"] < 0.01
    with pytest.raises(Problem, match="cannot be read"):
        lesson.resolve(lesson.Config(target="own", weights="1_2"))


def test_first_rate_is_half_the_limit():
    config = build(lesson.Config, {"images": "noise"})
    assert config.learning_rate == pytest.approx(lesson.task(config).limit / 2, rel=0.05)
    assert build(lesson.Config, {"images": "noise", "learning_rate": 0.01}).learning_rate == 0.01


@pytest.mark.parametrize("at", [1, 7, 123])
def test_resumed_run_is_bit_for_bit(at):
    settings = build(lesson.Config, {"steps": 150, "images": "noise", "noise": 0.1})
    whole, steering, state = list(lesson.run(settings)), Steering(), None
    for event in lesson.run(settings, steering=steering):
        if isinstance(event, Step) and event.step == at:
            steering.ask_checkpoint()
        if isinstance(event, Checkpoint):
            state = unpack(pack(event.state))
            break
    assert state is not None
    rest = list(lesson.run(settings, resume=state))
    tail = [(e.loss, e.values) for e in whole if isinstance(e, Step) and e.step > at]
    assert [(e.loss, e.values) for e in rest if isinstance(e, Step)] == tail
    assert rest[-1] == whole[-1]


def test_rate_is_steered_while_it_runs():
    record = [Changed(10, "learning_rate", 0.1)]
    config = build(lesson.Config, {"steps": 20})
    first, second, plain = (list(lesson.run(config, steering=Steering(changes))) for changes in (record, record, ()))
    assert [e for e in first if isinstance(e, Changed)] == record
    losses = [[e.loss for e in events if isinstance(e, Step)] for events in (first, second, plain)]
    assert losses[0] == losses[1]
    assert losses[0][:11] == losses[2][:11]
    assert losses[0][11] != losses[2][11]


@pytest.mark.parametrize("steps", [1, 120, 1000])
def test_film_has_the_first_steps_and_the_last(steps):
    history = History()
    for event in run(steps=steps, images="noise"):
        history.add(event)
    film = history.frames.all()
    assert film["step"][0] == 0
    assert film["step"][-1] == steps
    assert len(film["step"]) <= 400
    assert film["weights"].shape[1:] == (3, 3)
    assert np.allclose(film["weights"][-1].ravel(), history.metrics["weights"])


def test_events_are_of_builtins_and_arrays():
    events = run(steps=5)
    assert isinstance(events[0], Started)
    assert any(isinstance(event, Snapshot) for event in events)
    for event in events:
        pack(vars(event))
    assert set(knobs_of(lesson.Config)) >= {"target", "size", "learning_rate", "steps", "count", "noise", "seed"}


# -- its pictures ----------------------------------------------------------------------------------------------------


def valid(figure: Any) -> Any:
    return go.Figure(data=[dict(trace) for trace in figure._data], layout=dict(figure._layout))


def test_figures_are_valid_and_their_films_end_with_the_last_filter():
    hidden, path = preset("sobel_x", 3), np.random.default_rng(0).normal(size=(5, 3, 3))
    film = kernels.pair(hidden, path)
    assert np.array_equal(valid(film.figure).data[1].z, path[-1])
    assert film.frames["count"] == len(film.frames["traces"][1]["z"]["at"]) == 5
    steps, values = np.arange(5.0), np.array([1, 0.1, 0.01, 0.0, 0.0])
    curves = kernels.progress(steps, values, values, 10, 0.1)
    assert len(valid(curves.figure).data) == 2
    assert np.min(curves.frames["traces"][0]["y"]["grow"]) > 0, "a logarithm of 0 breaks the line"
    empty = np.zeros(0)
    assert valid(kernels.progress(empty, empty, empty, 10, 0.0).figure)
    assert kernels.pair(hidden, np.zeros((0, 3, 3))).frames["count"] == 1
    shown = valid(kernels.answers(pictures("shapes", 3, 0)[:, 0], np.ones((3, 10, 10))))
    assert shown.data[0].z.shape == (SIDE, 3 * (SIDE + 2) - 2)
