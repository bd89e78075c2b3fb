"""The lesson's page: what it says for every surface, challenges, branches, bad links; the real race's button."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from dlcore import courses
from dlcore.events import Epoch, Started
from dlcore.history import History
from dlcore.update_rules import RULES, best_pair
from tests.pages import visit
from ui import compare_runs
from ui.compare_runs import Contender, compared
from ui.i18n import LANGUAGES
from ui.real_race import contender

STATE = "page:optimizers"


opened = partial(visit.opened, "optimizers")


def said(at: AppTest) -> str:
    ranking = [element.proto.body for element in at.get("html") if "dl-ranking" in element.proto.body]
    return "\n".join([visit.said(at), *ranking])


def test_opens_on_a_race_that_the_ball_wins():
    at = opened()
    assert not at.exception
    text = said(at)
    assert text.index("Nesterov</td><td>56 steps") < text.index("Momentum</td><td>89 steps")
    assert text.index("Momentum</td><td>89 steps") < text.index("Gradient descent</td><td>221 steps")
    assert "gradient descent at the rate that is best in the long run needs 231 steps from this start" in text
    assert "| 93 |" in text


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("name", courses.NAMES)
def test_every_surface_opens(name, code):
    at = opened(surface=name, lang=code)
    assert not at.exception
    assert "dl-ranking" in said(at)


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_can_be_taken_in_hand(rule):
    at = opened(hand=rule, racers=f"gd~{rule}")
    assert not at.exception
    assert at.selectbox(key="optimizers.hand").value == rule


def test_racers_are_chosen_by_name():
    at = opened()
    at.button_group(key="optimizers.track").set_value(["adam", "gd"]).run()
    assert at.session_state[STATE]["given"]["racers"] == "gd~adam"
    assert at.session_state[STATE]["given"]["hand"] == "gd", "the one in hand has left the track"
    assert "Nesterov</td>" not in said(at)
    at.button_group(key="optimizers.track").set_value([]).run()
    assert "racers" not in at.session_state[STATE]["given"], "nobody at all: back to the usual ones"


def test_a_rate_above_the_limit_is_explained():
    at = opened(hand="gd")
    visit.put(at, STATE, gd_learning_rate=2.02)
    assert "Its rate is 1.01 × the limit 2" in said(at)


def test_best_pair_button():
    at = opened()
    at.button(key="best-pair").click().run()
    given, (rate, beta) = at.session_state[STATE]["given"], best_pair(0.01, 1.0)
    assert given["momentum_learning_rate"] == pytest.approx(rate, rel=0.01)
    assert given["momentum_beta"] == pytest.approx(beta, abs=0.001)
    assert "Momentum</td><td>44 steps" in said(at)


def test_branches_are_drawn_and_taken_back():
    at = opened(surface="himmelblau", hand="2", branches="adam_9_adam_0.5~1_30_gd_0.01")
    assert not at.exception
    assert "Gradient descent from step 30</td>" in said(at)
    assert at.selectbox(key="optimizers.branch2.rule").value == "gd"
    at.selectbox(key="optimizers.branch2.rule").set_value("nesterov").run()
    assert at.session_state[STATE]["given"]["branches"] == "adam_9_adam_0.5~1_30_nesterov_0.005"
    assert "Nesterov from step 30</td>" in said(at)
    at.button(key="branch-undo").click().run()
    assert at.session_state[STATE]["given"]["branches"] == "adam_9_adam_0.5"
    assert at.session_state[STATE]["given"]["hand"] == "1"
    at.button(key="branch-undo").click().run()
    assert "branches" not in at.session_state[STATE]["given"]
    assert at.session_state[STATE]["given"]["hand"] == "adam"


def test_challenges_are_checked_against_the_race():
    at = opened(surface="ravine")
    assert at.session_state[STATE]["solved"] == []
    visit.put(at, STATE, momentum_learning_rate=0.1)
    assert at.session_state[STATE]["solved"] == ["ravine"]
    at.session_state[STATE]["given"].clear()
    rate, beta = best_pair(0.01, 1.0)
    visit.put(at, STATE, momentum_learning_rate=rate, momentum_beta=beta)
    assert at.session_state[STATE]["solved"] == ["ravine", "pair"]
    at.session_state[STATE]["given"].clear()
    visit.put(at, STATE, gd_learning_rate=2.1, branches="gd_5_gd_1.9")
    assert at.session_state[STATE]["solved"] == ["ravine", "pair", "rescue"]
    assert "All done" in said(at)


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"surface": "moon"}, "cannot be “moon”"),
        ({"adam_learning_rate": "fast"}, "is not a number"),
        ({"racers": "gd~sgdx"}, "There is no rule “sgdx”"),
        ({"branches": "adam_x"}, "The branch “adam_x” cannot be read"),
        ({"hand": "nobody"}, "steps</td>"),
        ({"hand": "7"}, "steps</td>"),
        ({"hand": "²"}, "steps</td>"),  # a digit to str.isdigit, and no number to int
        ({"start_x": "1e6"}, "dl-ranking"),
        ({"surface": "typed", "expression": "__import__('os')"}, "no function “__import__”"),
        ({"surface": "typed", "expression": "x.real"}, "“x.real” is not allowed"),
        ({"surface": "typed", "expression": "log(-1 - x**2)"}, "no finite value"),
        ({"surface": "typed", "expression": "+".join(["gelu(x)"] * 60)}, "has more than 100 numbers"),
        ({"surface": "typed", "expression": "1/x"}, "dl-ranking"),
        ({"surface": "typed", "expression": "3"}, "dl-ranking"),
    ],
    ids=str,
)
def test_bad_links_are_answered(params, sentence):
    at = opened(**params)
    assert not at.exception
    assert sentence in said(at)


def test_teachers_link_hides_the_knobs():
    at = opened(surface="saddle", hide="controls")
    assert not at.exception
    assert "More settings" not in [expander.label for expander in at.expander]


# the real race


def test_contenders_differ_in_the_rule_alone():
    configs = {rule: vars(contender(rule, 8, 1.0).config) for rule in RULES}
    shared = ("dataset", "network", "seed", "batch_size", "epochs", "schedule", "train_size")
    assert len({tuple(config[name] for name in shared) for config in configs.values()}) == 1
    assert configs["gd"]["optimizer"] == configs["momentum"]["optimizer"] == "sgd"
    assert (configs["gd"]["momentum"], configs["momentum"]["momentum"]) == (0.0, 0.9)
    assert contender("adam", 8, 10.0).config.learning_rate == pytest.approx(1e-2)
    assert contender("gd", 8, 1000.0).config.learning_rate == 10.0, "within the knob's bounds"


@pytest.mark.parametrize(("across", "last"), [("step", 92.0), ("epoch", 2.0), ("seconds", 1.5)])
def test_the_curves_of_the_real_race(across, last):
    history = History()
    history.add(Started(0, {}, 460, {"steps_per_epoch": 46}))
    for step, loss in ((0, 2.3), (46, 1.0), (92, 0.5)):
        history.add(Epoch(step, step // 46, {"test_loss": loss, "test_accuracy": 0.5}, seconds=step / 92 * 1.5))
    figure = compared({Contender("adam", "Adam", "#D55E00", None): history}, across)
    (line,) = figure._data
    np.testing.assert_allclose(line["y"], [2.3, 1.0, 0.5])
    assert line["x"][-1] == last
    assert figure._layout["xaxis"]["range"][1] == {"step": 460, "epoch": 10, "seconds": 1.5}[across]


@pytest.mark.parametrize(("now", "can_start"), [("running", False), ("queued", False), ("stopped", True)])
def test_a_comparison_that_goes_on_is_stopped_before_the_next(monkeypatch, now, can_start):
    """A run that was told to stop holds its place a moment longer, and the fourth new one would find none."""
    drawn: dict[str, bool] = {}
    monkeypatch.setattr(compare_runs, "_infos", lambda _: {"gd": SimpleNamespace(state=now)})
    monkeypatch.setattr(compare_runs.jobs, "status", lambda: SimpleNamespace(state="ready"))
    monkeypatch.setattr(compare_runs.st, "button", lambda *_, key, disabled=False, **__: drawn.update({key: disabled}))
    compare_runs._buttons({}, "cnn", [contender("gd", 8, 1.0)], "Train them")
    assert drawn == {"compare-start": False} if can_start else {"compare-start": True, "compare-stop": False}


def test_the_real_race_says_what_is_missing_before_it_began():
    at = opened()
    assert "Nothing has been trained yet. The curves will grow here" in said(at)
