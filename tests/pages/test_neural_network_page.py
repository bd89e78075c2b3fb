"""The playground's page short of the browser: settings, cards, own data, what the picture asks for, challenges."""

from __future__ import annotations

from functools import partial
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest

from dlcore.data import own, points2d
from dlcore.events import Snapshot
from dlcore.experiments.neural_network import Config
from dlcore.history import History
from dlcore.knobs import build, to_texts
from dlcore.playground_presets import PRESETS
from dlcore.playground_view import first_frame, numbers, same_run, solved, still, thumbnails, units
from tests.pages import visit
from tests.pages.visit import said
from ui import playground_edits as edits
from ui import playground_picture

PAGE = "page:neural_network"


opened = partial(visit.opened, "neural_network")


@pytest.mark.parametrize("dataset", points2d.NAMES)
def test_every_data_set_opens(dataset):
    at = opened(dataset=dataset)
    assert not at.exception
    if dataset == "csv":
        assert len(at.get("file_uploader")) == 1
    else:
        assert "**25** parameters" in said(at)


@pytest.mark.parametrize("card", PRESETS, ids=lambda card: card.slug)
def test_a_card_sets_its_settings_up_and_says_what_to_look_at(card):
    at = opened(noise="0.3")
    next(button for button in at.button if button.key == f"neural_network.card.{card.slug}").click().run()
    assert not at.exception
    assert at.session_state[PAGE]["given"] == dict(card.settings)
    assert card.text in said(at)


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"layers": "4,banana"}, "The layers “4,banana” cannot be read"),
        ({"layers": "4,99"}, "cannot be read"),
        ({"activation": "swoosh"}, "swoosh"),
        ({"features": "x3"}, "The features “x3” cannot be read"),
        ({"dataset": "points", "points": "1_2"}, "cannot be read"),
        ({"dataset": "csv", "data_hash": "../../etc/passwd"}, "is not on this computer"),
        ({"dataset": "sine", "loss": "hinge"}, "compares classes"),
        ({"noise": "7"}, "out of range"),
    ],
    ids=str,
)
def test_bad_links_are_answered(params, sentence):
    at = opened(**params)
    assert not at.exception
    assert sentence in said(at)


@pytest.mark.parametrize("params", [{"layers": "4,banana"}, {"activation": "swoosh"}, {"features": "x3"}], ids=str)
def test_a_link_without_a_network_has_a_way_out(params):
    at = opened(noise="0.3", **params)
    at.button(key="usual-network").click().run()
    assert not at.exception
    assert "cannot be read" not in said(at)
    assert "**25** parameters" in said(at)
    assert at.session_state[PAGE]["given"] == {"noise": 0.3}


def test_a_link_for_a_class_shows_this_page_without_its_settings():
    at = opened(dataset="xor", noise="0.3", lang="zh")
    link = next(code.value for code in at.code if "hide=controls" in code.value)
    told = dict(parse_qsl(urlsplit(link).query))
    assert told == {"lang": "zh", "dataset": "xor", "noise": "0.3", "hide": "controls"}
    assert at.selectbox
    assert not opened(**told).selectbox


@pytest.mark.parametrize("points", ["", "1_2_1"])
def test_a_plane_without_points_invites_to_draw_some(points):
    at = opened(dataset="points", points=points)
    assert not at.exception
    assert "At least two points are needed" in said(at)
    assert next(button for button in at.button if button.label == "Train").disabled
    assert np.isnan(first_frame(Config(dataset="points", points=points))["train_loss"][0])


def test_own_table_of_three_columns():
    rng = np.random.default_rng(0)
    table = np.column_stack([rng.uniform(0, 9, (40, 2)), rng.choice([3.0, 5.0], 40)])
    at = opened(dataset="csv", data_hash=own.keep(own.Table(("length", "width", "kind"), table)))
    assert not at.exception
    assert [box.value for box in at.selectbox if str(box.key).startswith("neural_network.column")] == [
        "length", "width", "kind",
    ]  # fmt: skip
    next(box for box in at.selectbox if box.key == "neural_network.column0").select("width").run()
    assert at.session_state[PAGE]["given"]["columns"] == "width~width~kind"


# -- what the browser asks for ----------------------------------------------------------------------------------------


@pytest.fixture
def asked(monkeypatch):
    """A page's state without a browser: ``asked(edit, …)`` sends edits; returns the state and the knobs set."""
    state, given = {"shown": vars(Config())}, {}
    session: dict = {}
    monkeypatch.setattr(edits, "page_state", lambda slug: state)
    monkeypatch.setattr(edits, "put_value", lambda name, value, slug: given.__setitem__(name, value))
    monkeypatch.setattr(edits.st, "session_state", session)

    def send(*wishes, client="a", first=1):
        listed = [{"n": first + k, "name": name, "value": value} for k, (name, value) in enumerate(wishes)]
        session[edits.KEY] = {"edits": {"client": client, "list": listed}}
        edits.receive()
        return state, given

    return send


def test_edits_are_done_once_and_acknowledged(asked):
    wishes = ("knob", ["layers", "8"]), ("knob", ["features", "x1"])
    state, given = asked(*wishes)
    assert given == {"layers": "8", "features": "x1"}
    assert state["ack"] == {"client": "a", "n": 2}
    given.clear()
    asked(*wishes)
    assert given == {}
    asked(*wishes, client="b")  # another tab counts for itself
    assert given == {"layers": "8", "features": "x1"}


@pytest.mark.parametrize(
    "wish",
    [
        ("knob", ["epochs", "5"]),
        ("knob", "layers"),
        ("weight", [0, 0, 99, 1.0]),
        ("weight", "all"),
        ("freeze", [0, 0, 0, 1.0]),
        ("points", [[1, 2]]),
        ("points", [[99.0, 0.0, 1.0]]),
        ("points", [["x", 0.0, 1.0]]),
        ("replay", "tomorrow"),
        ("format", "c:"),
    ],
    ids=str,
)
def test_what_makes_no_sense_changes_nothing(asked, wish):
    state, given = asked(wish)
    assert given == {}
    assert "fresh" not in state


def test_only_an_epoch_that_there_can_be_is_computed_again(asked, monkeypatch):
    epochs = []
    monkeypatch.setattr(edits, "_replay", epochs.append)
    asked(*(("replay", epoch) for epoch in (7, float("inf"), -1.0, float("nan"), 0.5)))
    assert epochs == [7, 0.5]


def test_weights_of_a_fresh_network_are_kept_for_its_run_only(asked):
    asked(("weight", [0, 0, 1, 2.5]), ("weight", [0, 0, 1, 3.5]), ("freeze", [0, -1, 0, True]))
    kept = edits.fresh(Config())
    assert kept == [("weight", [0, 0, 1, 3.5]), ("freeze", [0, -1, 0, True])]
    assert edits.frozen(kept) == [[0, -1, 0]]
    assert edits.fresh(Config(learning_rate=0.5)) == kept, "a live knob leaves the network alone"
    assert edits.fresh(Config(noise=0.1)) == []


def test_more_points_than_a_link_holds_become_a_table(asked):
    rows = np.column_stack([np.linspace(-6, 6, 150), np.zeros(150), np.tile([1, -1], 75)])
    _state, given = asked(("points", rows.tolist()))
    assert given["dataset"] == "csv"
    X, y, X_test, y_test = points2d.dataset(build(Config, {"dataset": "csv", "data_hash": given["data_hash"]}))
    assert len(X) + len(X_test) == 150
    assert set(np.r_[y, y_test]) == {-1.0, 1.0}


# -- the film on its way to the browser -------------------------------------------------------------------------------


class Run:
    run_id = "r"


def batch(*steps: int) -> dict[str, np.ndarray]:
    return {"step": np.array(steps), "parameters": np.zeros((len(steps), 2), np.float32)}


def test_frames_are_sent_again_until_three_messages_have_followed(monkeypatch):
    state: dict = {}
    monkeypatch.setattr(playground_picture, "page_state", lambda slug: state)
    history = History()
    sent = []
    for tick in range(6):
        history.frames.add(batch(2 * tick, 2 * tick + 1))
        sent.append(playground_picture._film(history, Run()))  # type: ignore[arg-type]
    assert [message["since"] for message in sent] == [-1, -1, -1, 1, 3, 5]
    assert sent[-1]["frames"]["step"].tolist() == [6, 7, 8, 9, 10, 11]
    state["resend"] = True
    assert playground_picture._film(history, Run())["since"] == -1  # type: ignore[index, arg-type]


def test_the_fresh_network_is_that_of_the_run():
    from dlcore.experiments import neural_network

    config = Config(layers="5,3", features="x1,x2^2", batch_norm=True, epochs=1, engine="numpy")
    fresh = first_frame(config)
    frames = next(event for event in neural_network.run(config) if isinstance(event, Snapshot)).arrays
    for name in ("parameters", "train_loss", "test_loss", "train_accuracy"):
        assert fresh[name][0] == pytest.approx(frames[name][0], rel=1e-6), name


def test_another_table_is_another_fresh_network():
    """Under the same name the browser would keep the first frame, with the losses on the table before."""
    one, other = (Config(dataset="csv", data_hash=digit * 16) for digit in "12")
    assert still(one) != still(other)
    assert still(Config(data_hash="1" * 16)) == still(Config()), "elsewhere it follows from the other settings"


# -- challenges and numbers -------------------------------------------------------------------------------------------


def ran(config: Config, *test_losses: float) -> History:
    from dataclasses import asdict

    from dlcore.events import Epoch, Started

    history = History()
    history.add(Started(0, asdict(config), 100))
    for epoch, loss in enumerate(test_losses):
        history.add(Epoch(epoch, epoch, {"test_loss": loss}))
    return history


def test_challenges_are_checked_against_the_run():
    spiral = {"dataset": "spiral", "features": "x1,x2"}
    assert solved(History(), loss=0.05, **spiral) is None
    assert solved(ran(Config(), 0.01), loss=0.05, **spiral) is None, "other data"
    assert solved(ran(Config(dataset="spiral"), 0.5, 0.1, 0.2), loss=0.05, **spiral) == pytest.approx(0.5)
    assert solved(ran(Config(dataset="spiral"), 0.5, 0.04), loss=0.05, **spiral) == 1.0
    assert solved(ran(Config(dataset="spiral", features="x1,x2,sin(x1)"), 0.04), loss=0.05, **spiral) is None
    few = {"dataset": "xor", "layers": lambda text: units(text) <= 3}
    assert solved(ran(Config(dataset="xor", layers="3"), 0.01), loss=0.05, **few) == 1.0
    assert solved(ran(Config(dataset="xor", layers="2,2"), 0.01), loss=0.05, **few) is None


@pytest.mark.parametrize("seeded", [{"dataset": "circle", "layers": "", "features": "x1^2,x2^2", "learning_rate": 0.1}])
def test_the_challenge_without_hidden_layers_can_be_met(seeded):
    assert reached(seeded) < 0.05


def reached(settings: dict) -> float:
    from dlcore.experiments import neural_network

    config = build(Config, {"epochs_per_second": 0.0, **settings})
    history = History()
    for event in neural_network.run(config):
        history.add(event)
    return float(history.epochs.column("test_loss").min())


@pytest.mark.slow
def test_two_sines_can_learn_exclusive_or_and_two_tanhs_cannot():
    xor = {"dataset": "xor", "layers": "2", "optimizer": "adam", "learning_rate": 0.03}
    assert reached({**xor, "activation": "sin"}) < 0.05
    assert min(reached({**xor, "seed": seed}) for seed in range(4)) > 0.05


def test_numbers_are_those_of_the_network_on_screen():
    found = numbers(Config(), History())
    frame = first_frame(Config())
    assert found["params"] == "25"
    assert found["loss"] == found["start"] == f"{frame['train_loss'][0]:.3g}"
    assert set(numbers(Config(dataset="csv"), History()).values()) == {"…"}


def test_live_knobs_and_pace_do_not_make_another_run():
    config = Config()
    assert same_run(config, build(Config, {**to_texts(config), "learning_rate": 0.5, "epochs_per_second": 3.0}))
    assert not same_run(config, build(Config, {"noise": 0.1}))
    assert still(Config(learning_rate=0.5)) == still(config) != still(Config(seed=1))


def test_thumbnails_fit_their_squares():
    small = thumbnails()
    assert set(small) == set(points2d.NAMES)
    for name, rows in small.items():
        assert np.abs(rows[:, :2]).max(initial=0) <= 6, name
        assert (len(rows) == 0) == (name in ("csv", "points"))
