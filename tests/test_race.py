"""The race against a loop written by hand; branches, arrival, ranking; the effects that the lesson teaches."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from dlcore import courses, race_story, race_views, surfaces
from dlcore import race as race_module
from dlcore.experiments import optimizers as lesson
from dlcore.experiments.optimizers import Config
from dlcore.figures.race import STYLES
from dlcore.knobs import build
from dlcore.race import Leg, Racer, race, ranking
from dlcore.update_rules import RULES, adam, best_pair, best_rate, limit, momentum

STEPS = 120


def one(rule: str, rate: float, **settings: float) -> Racer:
    return Racer(rule, (Leg(0, rule, rate, tuple({**RULES[rule].settings, **settings}.items())),))


def scene(**given):
    return race_views.scene(build(Config, given))


def arrivals(**given) -> dict[str, Any]:
    shown = scene(**given)
    return {racer.name: arrived for racer, arrived in shown.ranking}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", ["bowl", "himmelblau", "noisy", "network"])
def test_tracks_equal_a_loop_written_by_hand(rule, name):
    surface = courses.make(name, {})
    rate = courses.rates(name)[rule]
    others = [one(r, courses.rates(name)[r]) for r in RULES if r != rule]
    track = race(surface, [one(rule, rate), *others], surface.start, STEPS)[rule]
    theta, memory = np.array(surface.start), {}
    for k in range(track.steps):
        gradient = surface.gradient(theta, k)
        np.testing.assert_allclose(track.gradient[k], gradient, rtol=1e-6, atol=1e-9)
        theta, memory = RULES[rule].update(theta, gradient, memory, rate, **RULES[rule].settings)
        np.testing.assert_allclose(track.theta[k + 1], theta, rtol=1e-6, atol=1e-8)
        for kept in RULES[rule].memory:
            np.testing.assert_allclose(track.memory[kept][k + 1], memory[kept], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(track.value, surface.value(track.theta))


def test_the_rate_of_each_parameter_is_what_moved_it():
    """Δθ = −scale · (what stands in the numerator), for every rule."""
    surface = surfaces.himmelblau()
    for rule in RULES:
        track = race(surface, [one(rule, 0.01)], surface.start, 60)[rule]
        moved, age = -np.diff(track.theta, axis=0), np.arange(1, track.steps + 1)[:, None]
        numerator = track.gradient
        if rule == "momentum":
            numerator = track.memory["velocity"][1:]
        elif rule == "nesterov":
            numerator = track.gradient + 0.9 * track.memory["velocity"][1:]
        elif rule in ("adam", "adamw"):
            numerator = track.memory["mean"][1:] / (1 - 0.9**age)
        if rule == "adamw":
            moved = moved - 0.01 * 0.01 * track.theta[:-1]
        np.testing.assert_allclose(track.scale * numerator, moved, rtol=1e-5, atol=1e-9)


def test_a_branch_shares_the_way_and_then_goes_its_own():
    config = build(Config, {"surface": "himmelblau", "hand": "1", "branches": "adam_9_adam_0.5~1_30_gd_0.01"})
    shown = race_views.scene(config)
    trunk, first, second = (shown.tracks[name] for name in ("adam", "1", "2"))
    np.testing.assert_array_equal(trunk.theta[:10], first.theta[:10])
    np.testing.assert_array_equal(first.theta[:31], second.theta[:31])
    assert not np.allclose(trunk.theta[10], first.theta[10])
    np.testing.assert_allclose(second.theta[31], second.theta[30] - 0.01 * second.gradient[30])
    # Adam goes on with the memory that it had: the same as one run whose rate was changed by hand
    theta, memory, surface = np.array(surfaces.himmelblau().start), {}, surfaces.himmelblau()
    for k in range(25):
        theta, memory = adam(theta, surface.slope(theta), memory, 0.2 if k < 9 else 0.5)
    np.testing.assert_allclose(first.theta[25], theta, rtol=1e-9)
    assert shown.left == {"", "adam", "1"}


def test_a_branch_may_become_another_rule_and_keeps_what_that_one_knows():
    text = "momentum_20_nesterov_0.1~momentum_20_adam_0.1"
    shown = scene(surface="bowl", branches=text)
    np.testing.assert_array_equal(
        shown.tracks["1"].memory["velocity"][20], shown.tracks["momentum"].memory["velocity"][20]
    )
    handed = shown.tracks["1"].memory["velocity"]
    np.testing.assert_allclose(handed[21], 0.9 * handed[20] + shown.tracks["1"].gradient[20])
    fresh = shown.tracks["2"]
    np.testing.assert_allclose(np.abs(np.diff(fresh.theta, axis=0)[20]), 0.1, rtol=1e-6)  # Adam's first step


def test_what_diverges_is_cut_and_ranked_last():
    surface = surfaces.bowl(10.0, 0.0)
    tracks = race(surface, racers := [one("gd", 3.0), one("adam", 0.5)], surface.start, 400)
    assert tracks["gd"].diverged
    assert np.isfinite(tracks["gd"].theta).all()
    assert tracks["gd"].steps < 400
    assert tracks["gd"].arrival(0.5) is None
    assert [racer.name for racer, _ in ranking(racers, tracks, 0.01)] == ["adam", "gd"]


def test_arrival_counts_only_who_stays():
    surface = surfaces.bowl(1.0, 0.0)
    track = race(surface, [one("momentum", 1.0)], surface.start, 200)["momentum"]
    arrived = track.arrival(0.01)
    assert arrived is not None
    inside = track.distance <= 0.01 * track.distance[0]
    assert inside[arrived:].all()
    assert not inside[arrived - 1]
    assert inside[:arrived].any(), "the ball rolled through the minimum before"


def test_five_racers_over_200_steps_take_less_than_20_ms():
    times = []
    for trial in range(5):
        config = build(Config, {"steps": 200, "start_x": -4.0 - 0.01 * trial})
        surface, racers = lesson.surface_of(config), lesson.racers_of(config)
        began = time.perf_counter()
        race(surface, racers, (config.start_x, config.start_y), 200)
        times.append(time.perf_counter() - began)
    assert min(times) < 0.02


def test_what_has_run_is_remembered(monkeypatch):
    shown = scene(surface="beale")
    asked = []
    monkeypatch.setattr(surfaces.Surface, "gradient", lambda *_: asked.append(1))
    again = race_views.scene(replace(shown.config, hand="adam"))
    assert not asked
    assert again.tracks["adam"] is shown.tracks["adam"]


def test_what_others_forget_meanwhile_is_not_missed(monkeypatch):
    """Another session's race throws tracks out of the memory between our look and our taking."""
    shown, run = scene(surface="himmelblau"), race_module._run

    def while_others_race(*args):
        race_module._kept.clear()
        return run(*args)

    monkeypatch.setattr(race_module, "_run", while_others_race)
    again = race_views.scene(replace(shown.config, adam_learning_rate=0.123))
    assert again.tracks["gd"] is shown.tracks["gd"]
    assert again.tracks.keys() == shown.tracks.keys()


# what is taught


def test_the_ball_arrives_first_and_the_theory_says_how_much():
    came = arrivals()
    assert came["nesterov"] < came["momentum"] < came["gd"]
    rate, beta = best_pair(0.01, 1.0)
    best = arrivals(momentum_learning_rate=rate, momentum_beta=beta)
    assert best["momentum"] == 44
    assert arrivals(gd_learning_rate=best_rate(0.01, 1.0))["gd"] == 231
    told = race_story.story(scene())[2]
    assert (told["slow"], told["fast"]) == ("231", "44"), "what theory says is what the race does"


def test_rates_of_their_own_help_where_the_valley_runs_along_a_parameter():
    along, across = (arrivals(angle=angle, racers="adagrad", steps=400)["adagrad"] for angle in (0.0, 45.0))
    assert along is not None
    assert across is None or across > 10 * along


def test_only_the_rates_that_look_at_the_slopes_size_cross_the_plateau_quickly():
    surface = surfaces.plateau()
    assert np.abs(surface.slope(np.array(surface.start))).max() < 1e-3
    came = arrivals(surface="plateau")
    assert max(came["adam"], came["rmsprop"]) < came["nesterov"] < came["momentum"] < came["gd"]


def test_the_same_start_leads_into_different_valleys_of_a_real_network():
    shown = scene(surface="network")
    ends = {np.linalg.norm(shown.surface.minima - track.theta[-1], axis=1).argmin() for track in shown.tracks.values()}
    assert len(ends) > 1


@pytest.mark.parametrize("name", [n for n in courses.NAMES if n not in ("noisy", "typed")])
def test_default_rates_are_good_ones(name):
    """None of 1, 2, 5 × 10ⁿ brings a rule to 1 % of the way in a third of the steps."""
    surface = courses.make(name, {"condition": 100.0, "angle": 30.0})
    grid = [m * 10.0**e for e in range(-4, 2) for m in (1, 2, 5)]
    for rule, rate in courses.rates(name).items():
        if rule == "adamw":  # its decay is no part of the race
            continue
        tracks = race(
            surface, [replace(one(rule, r), name=str(r)) for r in {*grid, rate}], surface.start, courses.STEPS[name]
        )
        came = {r: tracks[str(r)].arrival(0.01) for r in {*grid, rate}}
        best = min((steps for steps in came.values() if steps is not None), default=None)
        mine = came[rate]
        if best is not None and best > 20:  # in fewer steps, chance decides
            assert mine is not None, (rule, came)
            assert mine <= 3 * best, (rule, came)


def test_momentum_one_percent_round_its_limit():
    """2(1 + β)/λmax with β = 0.9 and λmax = 1 is 3.8."""
    bound = limit("momentum", 1.0, 0.9)
    assert bound is not None
    assert bound == pytest.approx(3.8)
    below, above = (scene(momentum_learning_rate=s * bound, steps=2000, racers="momentum") for s in (0.99, 1.01))
    assert below.arrival("momentum") is not None
    assert above.tracks["momentum"].diverged or above.tracks["momentum"].distance[-1] > 1e3
    theta, memory, steps = np.array([1.0, 1.0]), {}, 0
    while np.abs(theta).max() > 1e-6 and steps < 3000:
        theta, memory = momentum(theta, np.array([0.01, 1.0]) * theta, memory, 0.99 * bound)
        steps += 1
    assert 200 < steps < 1500


# what is drawn and said


@pytest.mark.parametrize("name", courses.NAMES)
@pytest.mark.parametrize("hand", ["gd", "adam", "1"])
def test_every_film_is_a_valid_figure_and_fits_its_frames(name, hand):
    shown = scene(surface=name, hand=hand, branches="adam_30_momentum_0.02", steps=60)
    films = [race_views.ground_film(shown), race_views.ground_film(shown, solid=True), race_views.distance_film(shown)]
    films += [race_views.hand_film(shown, view) for view in race_views.VIEWS]
    for film in films:
        go.Figure(data=[dict(trace) for trace in film.figure._data], layout=film.figure._layout)  # validates
        assert film.frames["count"] == 61
        for index, changes in film.frames["traces"].items():
            assert index < len(film.figure._data)
            for rule in changes.values():
                (rows,) = rule.values()
                assert len(rows) in (1, *(n for t in shown.tracks.values() for n in (t.steps, t.steps + 1)))


def test_a_moved_slider_changes_only_what_the_film_drives():
    """So the browser answers without Plotly (frames.js, onlyMoved)."""
    before, after = (scene(momentum_learning_rate=rate) for rate in (0.5, 0.6))
    for draw in (race_views.ground_film, race_views.distance_film):
        one_film, other = draw(before), draw(after)
        assert one_film.figure._layout == other.figure._layout
        for index, (a, b) in enumerate(zip(one_film.figure._data, other.figure._data, strict=True)):
            driven = one_film.frames["traces"].get(index, {})
            for name in set(a) - set(driven):
                same = np.array_equal(a[name], b[name]) if isinstance(a[name], np.ndarray) else a[name] == b[name]
                assert same, (index, name)


@pytest.mark.parametrize("rule", RULES)
def test_the_written_update_is_right_with_its_numbers(rule):
    shown = scene(surface="bowl", hand=rule, racers=rule, steps=40)
    template, values = race_views.update_lines(shown)
    for step in (1, 7, 40):
        at = {k: float(np.asarray(v)[step]) if np.ndim(v) else float(v) for k, v in values.items()}
        for axis in "xy":
            g, old, new, rate = at[f"g_{axis}"], at[f"old_{axis}"], at[f"new_{axis}"], at["rate"]
            match rule:
                case "gd":
                    found = old - rate * g
                case "momentum":
                    found = old - rate * (0.9 * at[f"velocity_old_{axis}"] + g)
                case "nesterov":
                    found = old - rate * (g + 0.9 * at[f"velocity_{axis}"])
                case "adagrad":
                    found = old - rate * g / np.sqrt(at[f"total_old_{axis}"] + g**2)
                case "rmsprop":
                    found = old - rate * g / np.sqrt(at["beta2"] * at[f"square_old_{axis}"] + at["rest2"] * g**2)
                case _:
                    keep = at["keep"] if rule == "adamw" else 1.0
                    found = keep * old - rate * at[f"fair_mean_{axis}"] / np.sqrt(at[f"fair_square_{axis}"])
            assert found == pytest.approx(new, rel=1e-6, abs=1e-6)  # ε is not written
            assert f"{{new_{axis}:3}}" in template


def test_every_name_in_the_update_has_a_value():
    import re

    for rule in RULES:
        template, values = race_views.update_lines(scene(hand=rule, racers=rule, steps=20))
        assert set(re.findall(r"\{(\w+)(?::\w+)?\}", template)) <= set(values)


def test_every_rule_has_a_colour_and_a_mark_of_its_own():
    assert set(STYLES) == set(RULES)
    assert len({color for color, _ in STYLES.values()}) == len({mark for _, mark in STYLES.values()}) == len(RULES)


TWO_HOLLOWS = {
    "surface": "typed", "expression": "(x**2 - 4)**2/10 + x/2 + y**2", "hand": "gd", "start_y": 1.0, "steps": 400,
    "gd_learning_rate": 0.05,
}  # fmt: skip


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({}, "pace"),
        ({"gd_learning_rate": 2.1, "hand": "gd"}, "limit"),
        ({"surface": "noisy"}, "noise"),
        ({"surface": "himmelblau"}, "arrived"),
        ({"surface": "ravine", "hand": "gd"}, "under way"),
        ({"surface": "rosenbrock", "hand": "adamw", "racers": "adamw~adam"}, "decay"),
        ({"surface": "beale", "hand": "momentum", "momentum_learning_rate": 0.2}, "limit"),
        ({**TWO_HOLLOWS, "start_x": 3.0}, "hollow"),
        ({**TWO_HOLLOWS, "start_x": -3.0}, "arrived"),
        ({**TWO_HOLLOWS, "start_x": 3.0, "steps": 10}, "under way"),
    ],
)
def test_the_story_fits_what_happened(given, kind):
    told, sentence, numbers = race_story.story(scene(**given))
    assert told == kind
    assert "{" not in sentence.format(**numbers)


def test_numbers_of_the_prose():
    shown = scene()
    numbers = race_story.numbers(shown.config, shown)
    assert (numbers["slow"], numbers["fast"], numbers["kappa"]) == ("691", "93", "100")
    assert numbers["limit"] == "3.8"
    assert numbers["adam_first"] == "(1, 1)"  # the rate, whatever the slope


# challenges


def test_momentum_can_beat_adam_in_the_ravine_but_not_at_first():
    assert race_story.beats_adam(scene()) is None
    assert race_story.beats_adam(scene(surface="ravine")) is False
    assert race_story.beats_adam(scene(surface="ravine", momentum_learning_rate=0.1)) is True
    assert race_story.beats_adam(scene(surface="ravine", adam_learning_rate=0.01)) is None, "Adam was slowed down"


def test_the_best_pair_reaches_a_millionth_within_100_steps():
    share = race_story.best_ball(scene())
    assert share is not None
    assert share < 1
    rate, beta = best_pair(0.01, 1.0)
    assert race_story.best_ball(scene(momentum_learning_rate=rate, momentum_beta=beta)) == 1.0
    assert race_story.best_ball(scene(condition=10.0)) is None


def test_a_rescue_needs_somebody_who_was_lost():
    lost = {"gd_learning_rate": 2.1, "hand": "gd"}
    assert race_story.rescued(scene(**lost)) is False
    assert race_story.rescued(scene(**lost, branches="gd_5_gd_1.9")) is True
    assert race_story.rescued(scene(branches="gd_5_gd_1.9")) is False
