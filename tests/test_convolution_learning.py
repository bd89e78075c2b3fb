"""A hidden filter learned back: what pictures tell of it, its limit, its run as other runs are, its figures."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
import torch
import torch.nn.functional as F

from dlcore.events import Changed, Checkpoint, Diverged, Finished, Snapshot, Started, Step, pack, unpack
from dlcore.experiments import convolution as lesson
from dlcore.figures import kernels
from dlcore.filters import TITLES, preset
from dlcore.history import History
from dlcore.kernel_data import KINDS, SIDE, examples, pictures
from dlcore.knobs import build, knobs_of
from dlcore.steering import Steering
from dlcore.texts import Problem


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
