"""The page of the lesson on speed as a reader drives it: places before a run, a small ladder, words and challenges."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from dlcore.experiments.speed import Config
from dlcore.history import History
from dlcore.ladder import FAST, PLAIN, SWITCHES, rungs
from tests.pages import visit
from tests.pages.visit import put, said, trained
from tests.test_speed import row
from ui import speed_lab, speed_tasks

STATE = "page:speed"
NO_OTHERS = tuple(name for name in SWITCHES if name not in ("whole_set", "compiled"))
ONE = dict.fromkeys(("channels_last", "bfloat16", "fused", "smoothing", "large_batch", "falling_rate"), "false")

opened = partial(visit.opened, "speed")


def test_places_are_kept_for_every_training_before_it_begins():
    at = opened()
    assert not at.exception
    assert "9 trainings, each to 97.0% right." in said(at)
    assert said(at).count("| – | – | – | – |") == 9
    put(at, STATE, compare="alone", compiled=True)
    assert "only torch.compile" in said(at)
    put(at, STATE, compare="without")
    assert "all but fused optimizer" in said(at)
    chinese = opened(lang="zh", compare="alone")
    assert "只开：通道排最后" in said(chinese)
    assert "共 9 次训练" in said(chinese)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_small_ladder_is_told_with_its_numbers(jobs, lang):
    at = opened(lang=lang, threads="1", train_size="150", target="0.5", passes="9", **ONE)
    at.selectbox(key="speed.guess").set_value("small_network").run()
    trained(at, {"en": "times as fast, since it took", "zh": "快到 **"}[lang])
    assert "| – | – | – | – |" not in said(at)
    assert "small_network" in at.session_state[STATE]["guesses"].values()
    assert len(at.session_state[STATE]["timed"]) == 1


# words


def finished(*rows, **given) -> str:
    config = replace(Config(), **given)
    return speed_lab.said(config, list(rows), History(state="finished", config={"target": 0.97}))


def test_the_sentence_names_what_paid_and_what_did_not():
    rows = [
        row(PLAIN, None, 8.0, 80),
        row("whole_set", 0, 2.0, 80),
        row("bfloat16", 1, 4.0, 80),
        row("fused", 2, 4, 80),
    ]
    told = finished(*rows)
    assert "From 8 s to 2 s: **4** times as fast" in told
    assert "Worth most: whole set in memory, 4 times." in told
    assert "It did not pay here: bfloat16 (0.50×)." in told
    assert "No difference beyond chance: fused optimizer." in told


def test_the_sentence_on_compiling_says_when_it_would_pay():
    plain, before = row(PLAIN, None, 8.0, 80), row("fused", 0, 1.0, 100)
    assert "It would pay from about 4,000 steps on." in finished(
        plain, before, row("compiled", 1, 0.5, 100, compiling=20.0)
    )
    assert "no faster here" in finished(plain, before, row("compiled", 1, 2.0, 100, compiling=20.0))
    missing = row("compiled", 1, 1e-9, 1, outcome="not_compiled")
    assert "could not translate the network here" in finished(plain, before, missing)


def test_compiling_is_compared_with_the_training_that_differs_in_it_alone():
    """All but one: everything against everything without compiling; all at once: nothing to compare with."""
    on = {"compare": "without", "compiled": True, **dict.fromkeys(NO_OTHERS, False)}
    planned = rungs(replace(Config(), **on))
    assert [rung.name for rung in planned] == [PLAIN, FAST, "whole_set", "compiled"]
    seconds, compiling = (8.0, 0.5, 1.5, 1.0), (0.0, 20.0, 20.0, 0.0)
    rows = [
        replace(row("x", None, s, 100, compiling=c), rung=rung)
        for rung, s, c in zip(planned, seconds, compiling, strict=True)
    ]
    assert "Compiling took 20 s. It would pay from about 4,000 steps on." in finished(*rows, **on)
    ends = finished(*rows[:2], **{**on, "compare": "ends"})
    assert "Compiling took 20 s." in ends
    assert "pay from" not in ends


def test_who_did_not_arrive_is_told_with_what_it_had_reached():
    assert "not within 60 s, had reached 93.0%" in finished(row(PLAIN, None, 60.0, 80, outcome="limit", accuracy=0.93))


# challenges


def run(name: str, compare: str, rows, **given) -> speed_tasks.Run:
    return speed_tasks.Run(name, replace(Config(), compare=compare, **given), rows)


def test_challenges_ask_for_what_they_say():
    plain, fast = row(PLAIN, None, 8.0, 80), row("fused", 0, 0.79, 80)
    assert speed_tasks.tenfold([run("a", "ends", [plain, fast])]) == 1
    assert speed_tasks.tenfold([run("a", "ends", [plain, row("fused", 0, 4.0, 80)])]) == pytest.approx(0.2)
    assert speed_tasks.tenfold([]) == 0
    assert speed_tasks.slower_steps([run("a", "alone", [plain, row("large_batch", 0, 4.0, 20)])])
    assert not speed_tasks.slower_steps([run("a", "alone", [plain, row("large_batch", 0, 7.9, 20)])])
    assert not speed_tasks.slower_steps([run("a", "alone", [plain, fast])])


def test_a_guess_counts_for_the_run_that_it_was_said_before():
    names = ("whole_set", "small_network", "large_batch", "fused")
    rows = [row(PLAIN, None, 8.0, 80), *(row(name, 0, 4.0 - k, 80) for k, name in enumerate(names))]
    assert speed_tasks.guessed([run("a", "alone", rows)], {"a": "fused"})
    assert not speed_tasks.guessed([run("a", "alone", rows)], {"a": "whole_set"})
    assert not speed_tasks.guessed([run("a", "alone", rows)], {"b": "fused"})
    assert not speed_tasks.guessed([run("a", "alone", rows[:3])], {"a": "small_network"})


def test_the_loader_is_worth_more_at_the_end():
    alone = run("a", "alone", [row(PLAIN, None, 8.0, 80), row("whole_set", 0, 7.0, 80)])
    config = replace(Config(), compare="without")
    everything, without = rungs(config)[1], next(r for r in rungs(config) if r.name == "whole_set")
    late = [
        row(PLAIN, None, 8.0, 80), replace(row("x", 0, 1.0, 80), rung=everything),
        replace(row("x", 1, 3.0, 80), rung=without),
    ]  # fmt: skip
    assert speed_tasks.amdahl([alone]) == 0.5
    assert speed_tasks.amdahl([alone, run("b", "without", late)]) == 1
    assert speed_tasks.amdahl([alone, run("b", "without", late, seed=1)]) == 0.5, "other settings are no comparison"
    assert speed_tasks.amdahl([]) == 0
