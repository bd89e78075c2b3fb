"""The experiment: events, steering, resuming bit for bit; its config in links; optimizers and schedules by name."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from dlcore import courses, race_views
from dlcore.branches import read_branches, write_branches
from dlcore.cli import main
from dlcore.events import Changed, Checkpoint, Diverged, Finished, Started, Step, pack, unpack
from dlcore.experiments import optimizers as lesson
from dlcore.experiments.optimizers import Config
from dlcore.knobs import build, parse, to_texts
from dlcore.optimizers import USUAL, make_optimizer
from dlcore.schedules import SCHEDULES
from dlcore.steering import Steering
from dlcore.texts import Problem
from dlcore.update_rules import RULES


def steps(events) -> list[Step]:
    return [event for event in events if isinstance(event, Step)]


def short(**given) -> Config:
    return build(Config, {"steps": 40, **given})


def test_default_config_is_what_the_recipe_says():
    assert build(Config, {}) == Config()


@pytest.mark.parametrize("name", courses.NAMES)
def test_every_surface_survives_the_link(name):
    config = build(Config, {"surface": name, "hand": "adam", "branches": "adam_5_gd_0.1"})
    assert parse(Config, to_texts(config)) == config
    assert len(lesson.racers_of(config)) == 6


@pytest.mark.parametrize("name", courses.NAMES)
def test_run_and_race_tell_the_same(name):
    config = short(surface=name, branches="adam_10_momentum_0.01", schedule="cosine")
    events = list(lesson.run(config))
    assert isinstance(events[0], Started)
    assert isinstance(events[-1], Finished)
    tracks = race_views.scene(config).tracks
    for step in steps(events):
        for racer, track in tracks.items():
            if step.step <= track.steps:
                np.testing.assert_allclose(step.values[f"{racer}.theta"], track.theta[step.step], rtol=1e-9, atol=1e-12)
                assert step.values[f"{racer}.distance"] == pytest.approx(track.distance[step.step], abs=1e-9)
    for racer, track in tracks.items():
        assert events[-1].metrics[f"{racer}.steps_to_arrive"] == track.arrival(config.near)


def test_an_optimizer_alone_is_a_race_of_one():
    events = list(lesson.run(short(surface="rosenbrock", optimizer="adam")))
    assert isinstance(events[0], Started)
    assert events[0].info == {"racers": ["adam"]}
    last = steps(events)[-1]
    assert last.loss == last.values["adam.loss"]
    assert {"adam.theta", "adam.mean", "adam.square", "adam.learning_rate"} <= set(last.values)


@pytest.mark.parametrize("stop", [0, 1, 17, 39])
def test_resumes_bit_for_bit_from_any_step(stop):
    config = short(surface="noisy", racers="~".join(RULES), branches="adam_9_nesterov_0.05", schedule="one_cycle")
    changes = [
        Changed(6, "adam_learning_rate", 0.3),
        Changed(12, "optimizer", "rmsprop"),
        Changed(30, "gd_learning_rate", 0.1),
    ]
    whole = list(lesson.run(config, steering=Steering(changes)))
    steering = Steering(changes)
    steering.until = stop
    events = []
    for event in lesson.run(config, steering=steering):
        events.append(event)
        if isinstance(event, Checkpoint):
            break
    state = unpack(pack(events[-1].state))
    later = [c for c in changes if c.step > stop]
    rest = list(lesson.run(config, resume=state, steering=Steering(later)))
    told = [(e.step, e.loss, e.values) for e in steps(events) + steps(rest)]
    assert told == [(e.step, e.loss, e.values) for e in steps(whole)]
    assert rest[-1] == whole[-1]


def test_a_rate_changed_in_mid_run_holds_from_then_on():
    config = short(optimizer="gd")
    events = list(lesson.run(config, steering=Steering([Changed(10, "gd_learning_rate", 0.01)])))
    rates = [step.values["gd.learning_rate"] for step in steps(events)]
    assert rates[:10] == [1.8] * 10
    assert set(rates[11:]) == {0.01}
    assert [e for e in events if isinstance(e, Changed)] == [Changed(10, "gd_learning_rate", 0.01)]


def test_an_optimizer_changed_in_mid_run_takes_the_first_racers_place():
    config = short(surface="himmelblau", optimizer="gd")
    changed = steps(lesson.run(config, steering=Steering([Changed(10, "optimizer", "adam")])))
    plain = steps(lesson.run(config))
    assert changed[10].values["gd.theta"] == plain[10].values["gd.theta"]
    moved = np.abs(np.subtract(changed[11].values["gd.theta"], changed[10].values["gd.theta"]))
    np.testing.assert_allclose(moved, config.adam_learning_rate, rtol=1e-6)  # Adam's first step


def test_a_change_that_does_not_fit_is_answered():
    for name, value in (("speed", 1.0), ("gd_learning_rate", -1.0), ("optimizer", "sgdx")):
        with pytest.raises(Problem):
            list(lesson.run(short(), steering=Steering([Changed(3, name, value)])))


def test_what_runs_away_says_why():
    *_, last = lesson.run(short(optimizer="gd", gd_learning_rate=5.0, steps=200))
    assert isinstance(last, Diverged)
    assert "above the limit 2 " in last.reason.format(**last.params)
    *_, last = lesson.run(short(surface="rosenbrock", optimizer="momentum", momentum_learning_rate=0.02))
    assert isinstance(last, Diverged)
    assert "0.02" in last.reason.format(**last.params)


def test_others_go_on_when_one_runs_away():
    events = list(lesson.run(short(racers="gd~adam", gd_learning_rate=15.0, steps=200)))
    assert isinstance(events[-1], Finished)
    assert events[-1].metrics["gd.diverged"] is True
    assert "gd.theta" not in steps(events)[-1].values
    assert "adam.theta" in steps(events)[-1].values


def test_branches_in_a_link():
    entries = [("adam", 57, "adam", 0.1), ("1", 80, "momentum", 0.02)]
    assert read_branches(write_branches(entries)) == entries
    assert read_branches("") == []


@pytest.mark.parametrize(
    "text",
    ["adam", "adam_x_adam_0.1", "adam_5_sgdx_0.1", "adam_5_adam_-1", "adam_0_adam_1", "9_5_adam_0.1", "adam_5_adam_nan",
     "adam_5_adam_inf", "~".join(["adam_5_adam_0.1"] * 7)],
)  # fmt: skip
def test_branches_that_cannot_be_read_are_answered(text):
    with pytest.raises(Problem, match="cannot be read"):
        lesson.racers_of(short(branches=text))


def test_racers_that_do_not_exist_are_answered():
    with pytest.raises(Problem, match="no rule “sgdx”"):
        lesson.racers_of(short(racers="gd~sgdx"))
    assert [racer.name for racer in lesson.racers_of(short(racers=""))] == ["gd"]
    assert [racer.name for racer in lesson.racers_of(short(racers="adam~adam~gd"))] == ["adam", "gd"]


def test_the_command_line(capsys):
    assert main(["train", "optimizers", "--set", "surface=beale", "--set", "optimizer=adam", "--json"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert '"event": "finished"' in lines[-1].replace('"event":"', '"event": "')
    assert main(["train", "optimizers", "--set", "surface=typed", "--set", "expression=x.y"]) == 2
    assert "x.y" in capsys.readouterr().err


# shared parts


@pytest.mark.parametrize("name", USUAL)
def test_optimizers_by_name_are_torchs(name):
    weights = torch.nn.Parameter(torch.ones(3))
    made = make_optimizer(name, [weights], **{"learning_rate": 0.01, **USUAL[name]})
    wanted = {
        "adam": "Adam",
        "sgd": "SGD",
        "rmsprop": "RMSprop",
        "nesterov": "SGD",
        "adagrad": "Adagrad",
        "adamw": "AdamW",
    }
    assert type(made).__name__ == wanted[name]
    assert made.defaults.get("nesterov", False) == (name == "nesterov")
    before = weights.detach().clone()
    (weights**2).sum().backward()
    made.step()
    assert (weights < before).all()


def test_nesterov_without_momentum_is_plain_descent():
    made = make_optimizer("nesterov", [torch.nn.Parameter(torch.ones(1))], learning_rate=0.1, momentum=0.0)
    assert made.defaults["nesterov"] is False


def test_step_and_warm_up_schedules():
    falls = [SCHEDULES["step"](k, 200) for k in range(200)]
    assert falls == [1.0] * 100 + [0.1] * 50 + [0.01] * 50
    rises = [SCHEDULES["warm_up"](k, 200) for k in range(200)]
    np.testing.assert_allclose(rises[:20], np.arange(1, 21) / 20)
    assert set(rises[20:]) == {1.0}


def test_a_schedule_moves_every_rate():
    config = short(optimizer="gd", schedule="warm_up")
    rates = [step.values["gd.learning_rate"] for step in steps(lesson.run(config))]
    np.testing.assert_allclose(rates[:5], 1.8 * np.array([0.25, 0.5, 0.75, 1, 1]))
