"""The playground's run: its events, its steering, and what its cards show."""

from __future__ import annotations

import itertools
import json
import time

import numpy as np
import pytest

from dlcore import playground_settings as playground
from dlcore.data import points2d
from dlcore.events import Changed, Checkpoint, Diverged, Epoch, Finished, Snapshot, Started, Step, pack, unpack
from dlcore.experiments import neural_network as nn
from dlcore.history import History
from dlcore.knobs import build, parse, to_texts
from dlcore.mlp import forward, unflatten
from dlcore.playground_presets import PRESETS, preset
from dlcore.playground_run import Course, sharpness
from dlcore.steering import Steering
from dlcore.texts import Problem
from tests.waiting import patience

FAST = {"epochs_per_second": 0.0}
RECORD = [
    Changed(3, "weight", [0, 1, 2, 0.75]),
    Changed(3, "freeze", [0, 1, 2, True]),
    Changed(40, "learning_rate", 0.1),
    Changed(71, "l1", 0.01),
    Changed(90, "weight", [1, -1, 1, -2.0]),
    Changed(120, "freeze", [0, 1, 2, False]),
    Changed(130, "l2", 0.02),
]


def config_of(**given):
    return build(nn.Config, {**FAST, **given})


def told(events) -> History:
    history = History()
    for event in events:
        history.add(event)
    return history


def started(config) -> Started:
    event = next(iter(nn.run(config)))
    assert isinstance(event, Started)
    return event


def plain(events):
    """What must be the same in every repetition."""
    kept = [e for e in events if isinstance(e, (Step, Epoch, Changed, Finished, Diverged))]
    return [(type(e).__name__, {k: v for k, v in vars(e).items() if k != "seconds"}) for e in kept]


MANY = [
    {},
    {"optimizer": "adam", "dropout": 0.3, "batch_norm": True, "residual": True, "layers": "4,4"},
    {"dataset": "hills", "optimizer": "momentum", "batch_size": 7, "activation": "gelu,sin", "loss": "mse"},
    {"engine": "numpy", "dropout": 0.2},
]


@pytest.mark.parametrize("given", MANY, ids=str)
def test_same_config_and_changes_same_events(given):
    config = config_of(epochs=20, **given)
    first, second = (list(nn.run(config, steering=Steering(RECORD))) for _ in range(2))
    np.testing.assert_equal(plain(first), plain(second))
    assert [e for e in first if isinstance(e, Changed)] == RECORD
    assert isinstance(first[0], Started)
    assert isinstance(first[-1], Finished)
    a, b = (told(events).frames.all() for events in (first, second))
    assert a["step"][0] == 0
    assert a["step"][-1] == first[0].total_steps
    common = np.intersect1d(a["step"], b["step"])
    assert len(common) >= 21
    np.testing.assert_array_equal(
        a["parameters"][np.isin(a["step"], common)], b["parameters"][np.isin(b["step"], common)]
    )


@pytest.mark.parametrize("given", MANY, ids=str)
@pytest.mark.parametrize("at", [1, 95, 120, 333])
def test_resumed_run_is_bit_for_bit(given, at):
    config, steering, state = config_of(epochs=20, **given), Steering(RECORD), None
    whole = list(nn.run(config, steering=Steering(RECORD)))
    steering.until = at
    heard = []
    for event in nn.run(config, steering=steering):
        heard.append(event)
        if isinstance(event, Checkpoint) and event.step == at:
            state = unpack(pack(event.state))
            break
    history = told(heard)
    assert history.frames.all()["step"][-1] == at, "who does one step wants to see it"
    rest = list(nn.run(config, resume=state, steering=Steering([c for c in RECORD if c.step >= at])))
    # the change at the very step of the checkpoint is in it already; made again, it changes nothing
    np.testing.assert_equal(plain(rest)[-1], plain(whole)[-1])
    np.testing.assert_array_equal(told(rest).frames.all()["parameters"][-1], told(whole).frames.all()["parameters"][-1])


@pytest.mark.parametrize("given", MANY[:3], ids=str)
@pytest.mark.parametrize("step", [0, 1, 3, 90, 91, 317])
def test_replay_from_start_frame_and_checkpoint(given, step):
    config = config_of(epochs=20, **given)
    steering = Steering(RECORD)
    steering.until = 80
    frames: dict[int, np.ndarray] = {}
    states = []
    for event in nn.run(config, steering=steering):
        if isinstance(event, Snapshot):
            frames |= dict(zip(event.arrays["step"].tolist(), event.arrays["parameters"], strict=True))
        if isinstance(event, Checkpoint):
            states.append(unpack(pack(event.state)))
    wanted = nn.replay(config, [[c.step, c.name, c.value] for c in RECORD], step)
    if step in frames:
        np.testing.assert_array_equal(wanted, frames[step])
    for near in [*states, *({"step": s, "parameters": p} for s, p in frames.items() if s in (0, 75, 80, 252))]:
        np.testing.assert_array_equal(nn.replay(config, RECORD, step, near), wanted)
    end = max(frames)
    np.testing.assert_array_equal(nn.replay(config, RECORD, end), frames[end])


def test_replay_gives_up_in_time_with_a_sentence():
    config = config_of(epochs=2000, optimizer="adam")
    with pytest.raises(Problem) as told:
        nn.replay(config, [], 40_000, seconds=0.0)
    assert told.value.kind == "timeout"
    assert "of 40,000 steps" in str(told.value)


def test_edited_and_frozen_weights():
    config = config_of(epochs=10, layers="4,2")
    history = told(nn.run(config, steering=Steering([Changed(0, "weight", [0, 1, 2, 3.25]),
                                                     Changed(0, "freeze", [0, 1, 2, True])])))  # fmt: skip
    network = playground.architecture(config)
    frames = history.frames.all()["parameters"]
    weights = np.array([unflatten(flat, network)[0].W[1, 2] for flat in frames])
    assert weights[0] != 3.25
    assert (weights[1:] == 3.25).all()
    place = playground.place_of(network, 0, 1, 2)
    assert (np.abs(np.diff(np.delete(frames, place, axis=1), axis=0)).sum(1) > 0).all()
    flat = np.arange(network.size)
    layers = unflatten(flat, network)
    assert playground.place_of(network, 1, 3, 1) == layers[1].W[3, 1]
    assert playground.place_of(network, 1, -1, 1) == layers[1].b[1]


@pytest.mark.parametrize(
    "value", [None, 3, [0, 0, 0], [0, 2, 0, 1.0], [3, 0, 0, 1.0], [0, -2, 0, 1.0], [0, 0, 4, 1.0], [0.0, 0, 0, 1.0],
              [0, 0, 0, float("nan")], [0, 0, 0, 1e9], [0, 0, 0, "1"], [0, 0, 0, True], "0,0,0,1"]
)  # fmt: skip
def test_a_change_that_fits_no_weight_is_refused(value):
    with pytest.raises(Problem, match="no such weight"):
        nn.ACTIONS["weight"](nn.Config(), value)


@pytest.mark.parametrize(
    ("change", "says"),
    [(("seed", 3), "no setting “seed”"), (("learning_rate", "fast"), "not a number"), (("l1", 7.0), "0 to 1")], ids=str
)  # fmt: skip
def test_a_link_with_other_changes_is_refused(change, says):
    with pytest.raises(Problem, match=says):
        list(nn.run(config_of(epochs=2), steering=Steering([Changed(1, *change)])))


def test_a_change_that_fits():
    assert nn.ACTIONS["weight"](nn.Config(), [0, 1, 3, 2]) == [0, 1, 3, 2.0]
    assert nn.ACTIONS["freeze"](nn.Config(), [2, -1, 0, True]) == [2, -1, 0, True]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"features": "x3"}, "x1, x2, x1^2"),
        ({"features": ""}, "at least one"),
        ({"layers": "4,,2"}, "at most 8 layers of 1 to 32"),
        ({"layers": "0"}, "1 to 32"),
        ({"layers": "33"}, "1 to 32"),
        ({"layers": ",".join("1" * 9)}, "at most 8"),
        ({"layers": "four"}, "such as"),
        ({"layers": "9" * 5000}, "1 to 32"),
        ({"activation": "softmax"}, "linear, sigmoid, tanh"),
        ({"activation": "tanh,relu,tanh"}, "3 activations for 2"),
        ({"dataset": "hills", "loss": "hinge"}, "Choose mse"),
        ({"dataset": "csv"}, "No table is here"),
        ({"points": "x", "dataset": "points"}, "x1_x2_label"),
    ],
    ids=str,
)
def test_malformed_texts_are_explained(given, says):
    with pytest.raises(Problem) as told:
        nn.resolve(config_of(**given))
    assert says in str(told.value)


def test_settings_come_back_from_a_link():
    for card in PRESETS:
        config = build(nn.Config, card.settings)
        assert parse(nn.Config, to_texts(config)) == config
    drawn = build(nn.Config, {"dataset": "points"})
    assert len(points2d.dataset(drawn)[1]) >= 2
    assert build(nn.Config, {}) == nn.Config()


def test_what_a_browser_is_told_of_the_network():
    config = config_of(layers="4,4,2", activation="tanh,sin,relu", residual=True, features="x2,x1*x2", epochs=1)
    info = started(config).info
    assert info["architecture"]["inputs"] == ["x2", "x1*x2"]
    assert info["architecture"]["layers"] == [
        {"units": 4, "activation": "tanh", "batch_norm": False, "residual": False},
        {"units": 4, "activation": "sin", "batch_norm": False, "residual": True},
        {"units": 2, "activation": "relu", "batch_norm": False, "residual": False},
        {"units": 1, "activation": "linear", "batch_norm": False, "residual": False},
    ]
    assert info["architecture"]["loss"] == "cross_entropy"
    assert (info["train_size"], info["test_size"], info["params"]) == (250, 250, 12 + 20 + 10 + 3)
    bare = started(config_of(layers="", epochs=1)).info
    assert bare["params"] == 3


def test_losses_and_accuracies_of_frames_are_those_of_their_parameters():
    config = config_of(epochs=5, batch_norm=True)
    frames = told(nn.run(config)).frames.all()
    _, _, X_test, y_test = points2d.dataset(config)
    network = playground.architecture(config)
    f = forward(unflatten(frames["parameters"][-1], network), network, X_test).output.astype(float)
    assert frames["test_loss"][-1] == pytest.approx(np.log1p(np.exp(-y_test * f)).mean(), rel=1e-5)
    assert frames["test_accuracy"][-1] == np.mean((f >= 0) == (y_test > 0))
    assert frames["epoch"][-1] == 5
    regression = told(nn.run(config_of(dataset="plane", epochs=2))).frames.all()
    assert np.isnan(regression["train_accuracy"]).all()
    assert regression["parameters"].dtype == np.float32


@pytest.mark.parametrize("epochs", [1, 40, 777, 5000])
def test_a_scrubber_has_frames_enough_and_the_log_stays_small(epochs):
    events = list(nn.run(config_of(epochs=epochs, layers="2", count=20, batch_size=10)))
    assert len(told(events).frames) >= min(epochs + 1, 200)
    assert sum(isinstance(e, Epoch) for e in events) <= 301


def test_pacing():
    start = time.perf_counter()
    events = list(nn.run(build(nn.Config, {"epochs": 20, "epochs_per_second": 40.0})))
    took = time.perf_counter() - start
    assert 0.45 < took < patience(1.0)
    assert len(told(events).frames) >= 12 / patience(1.0), "about 30 frames a second"


def test_seconds_of_an_epoch_are_computing_alone_and_go_on_after_a_pause():
    config, steering = build(nn.Config, {"epochs": 12, "epochs_per_second": 40.0}), Steering()
    steering.until = 150  # of 300
    first = list(itertools.takewhile(lambda e: not isinstance(e, Checkpoint), nn.run(config, steering=steering)))
    told_steps, told_epochs = ([e.seconds for e in first if isinstance(e, kind)] for kind in (Step, Epoch))
    assert told_epochs == sorted(told_epochs)
    assert 0 < told_epochs[-1] < told_steps[-1], "it waits for its pace"
    course = Course(nn.resolve(config), None)
    course.advance(150)
    again = Course(nn.resolve(config), course.save())
    assert again.computing == course.computing > 0


def test_events_with_frames_are_not_too_many():
    events = nn.run(build(nn.Config, {"epochs": 10_000, "epochs_per_second": 100.0}))
    start, film = time.perf_counter(), []
    while time.perf_counter() - start < 1.5:
        event = next(events)
        if isinstance(event, Snapshot):
            film.append(event)
    assert 6 / patience(1.0) <= len(film) <= 13
    frames = sum(len(e.arrays["step"]) for e in film)
    assert 20 / patience(1.0) <= frames / 1.5 <= 40


def test_the_horizon_is_the_next_step_at_which_something_is_due():
    steering = Steering(RECORD)
    steering.until = 80
    assert [steering.horizon(step) for step in (0, 3, 71, 80, 130)] == [3, 40, 80, 90, None]
    steering.due(3)
    assert Steering().horizon(0) is None


def test_the_command_line_trains_it(capsys):
    from dlcore.cli import main

    settings = {"dataset": "spiral", "layers": "8,8,8", "epochs": "5", "epochs_per_second": "0"}
    assert main(["train", "neural_network", *(f"--set={k}={v}" for k, v in settings.items()), "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["event"] for line in (lines[0], lines[-1])] == ["started", "finished"]
    assert lines[-1]["test_loss"] > 0
    assert main(["train", "neural_network", "--set", "layers=99"]) == 2
    assert "1 to 32 units" in capsys.readouterr().err


# --- what the cards show ----------------------------------------------------------------------------------------------


def finished(config) -> dict:
    history = told(nn.run(config))
    assert history.state == "finished", history.diverged
    return history.metrics


def card(slug: str, **more):
    return config_of(**{**preset(slug).settings, **FAST, **more})


@pytest.mark.parametrize("seed", range(5))
def test_xor_without_a_hidden_layer_stays_at_chance(seed):
    stuck = finished(card("xor_line", seed=seed))
    assert stuck["train_loss"] > 0.66
    assert stuck["train_accuracy"] < 0.7
    assert finished(card("xor_line", seed=seed, layers="4"))["train_accuracy"] > 0.85
    assert finished(card("xor_line", seed=seed, features="x1*x2"))["train_accuracy"] == 1


@pytest.mark.parametrize("seed", range(8))
def test_spiral_is_solved_from_two_inputs_within_its_seconds(seed):
    """At the card's own pace: what somebody sees who presses Start."""
    start = time.perf_counter()
    config = build(nn.Config, {**preset("spiral").settings, "seed": seed})
    assert (config.features, config.layers) == ("x1,x2", "8,8,8")
    if seed:  # the pace is the same for all: waited for once
        config = card("spiral", seed=seed)
    assert finished(config)["test_loss"] < 0.05
    assert time.perf_counter() - start < patience(10)


def test_overfitting_trains_to_nothing_and_tests_worse_and_worse():
    frames = told(nn.run(card("overfitting"))).frames.all()
    assert frames["train_loss"][-1] < 0.05
    assert frames["test_loss"][-1] > 2 * frames["test_loss"].min()
    assert finished(card("overfitting", l2=0.03))["test_loss"] < 0.6 * frames["test_loss"][-1]


def test_dead_relus_never_come_back_and_leaky_ones_do():
    config = card("dead_relus")
    found = finished(config)
    assert found["dead_units"] == 2
    course = Course(nn.resolve(config), None)
    course.advance(config.epochs * course.setup.steps_per_epoch)
    network = course.setup.architecture
    answers = forward(unflatten(course.state.flat, network), network, course.setup.X).output
    assert np.ptp(answers) == 0, "the whole second layer is dead: one answer for all points"
    before = course.state.flat.copy()
    course.advance(100)
    moved = np.flatnonzero(course.state.flat != before)
    assert moved.tolist() == [network.size - 1], "only the output's bias still learns"
    assert finished(card("dead_relus", activation="leaky_relu"))["train_loss"] < 0.01


def test_zero_initialization_keeps_hidden_units_equal():
    config = card("zeros")
    history = told(nn.run(config))
    assert history.metrics["train_loss"] > 0.69
    for flat in history.frames.all()["parameters"][::10]:
        first, second, _ = unflatten(flat, playground.architecture(config))
        assert np.ptp(first.W, axis=1).max() == 0
        assert np.ptp(second.W) == 0
    assert finished(card("zeros", initialization="xavier"))["train_accuracy"] > 0.95


def test_too_high_a_rate_diverges_and_says_why():
    config = card("too_fast")
    event = list(nn.run(config))[-1]
    assert isinstance(event, Diverged)
    text = event.reason.format(**event.params)
    assert f"At step {event.step} (" in text
    assert "learning rate 1 " in text
    assert np.isfinite(list(event.params.values())).all()
    assert event.params["last"] > 1e6 * event.params["first"]
    assert 0.2 < event.params["limit"] < 1
    assert list(nn.run(config))[-1] == event
    assert finished(card("too_fast", learning_rate=0.9 * event.params["limit"]))["train_loss"] < 0.05


def test_a_diverged_adam_is_told_without_a_limit_that_is_not_known():
    config = config_of(dataset="plane", activation="relu", optimizer="adam", epochs=50)
    event = list(nn.run(config, steering=Steering([Changed(5, "weight", [1, 0, 0, 1e6]),
                                                   Changed(5, "learning_rate", 10.0)])))[-1]  # fmt: skip
    if isinstance(event, Diverged):
        assert "limit" not in event.params
    wild = list(nn.run(config_of(dataset="plane", activation="linear", layers="32,32,32,32,32,32,32,32",
                                 learning_rate=10.0, optimizer="nesterov")))[-1]  # fmt: skip
    assert isinstance(wild, Diverged)
    assert "ten times smaller" in wild.reason


def test_sharpness_is_the_largest_eigenvalue_of_the_hessian():
    """Without a hidden layer and with squared errors the Hessian is 2/n times the inputs' second moments."""
    course = Course(nn.resolve(config_of(dataset="plane", layers="")), None)
    X = np.column_stack([course.setup.X, np.ones(250)]).astype(float)
    expected = np.linalg.eigvalsh(2 * X.T @ X / 250)[-1]
    assert sharpness(course.setup, course.state.flat, turns=200) == pytest.approx(expected, rel=1e-4)
