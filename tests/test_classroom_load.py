"""The load generator's own parts: the page as a browser keeps it, percentiles, the queue's model, who does what."""

from __future__ import annotations

import math
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from benchmarks.classroom.costs import shared_out
from benchmarks.classroom.long import Served, _place, judged, levels, overtaken
from benchmarks.classroom.page import DONE, DONE_FRAGMENT, EARLY, Page
from benchmarks.classroom.scenarios import Plan
from benchmarks.classroom.tally import Tally, percentile
from benchmarks.queueing import rush_of, thinking, waits_of, workers_for

SECONDS = st.lists(st.floats(0, 1e3), min_size=1, max_size=60)


# ---- the page ------------------------------------------------------------------------------------------------------


def begun(page: Page, run: str, *fragments: str) -> None:
    message = ForwardMsg()
    message.new_session.page_script_hash = "hash"
    message.metadata.run.script_run_id = run
    message.metadata.run.fragment_ids.extend(fragments)
    page.take(message.SerializeToString())


def drawn(page: Page, run: str, path: tuple[int, ...], text: str, fragment: str = "", *, kept: str = "") -> None:
    message = ForwardMsg(hash=kept)
    message.delta.new_element.markdown.body = text
    message.delta.fragment_id = fragment
    message.metadata.delta_path.extend(path)
    message.metadata.run.script_run_id = run
    message.metadata.cacheable = bool(kept)
    page.take(message.SerializeToString())


def ticking(page: Page, fragment: str, interval: float) -> None:
    message = ForwardMsg()
    message.auto_rerun.fragment_id, message.auto_rerun.interval = fragment, interval
    page.take(message.SerializeToString())


def finished(page: Page, run: str, *fragments: str, status: ForwardMsg.ScriptFinishedStatus.ValueType = DONE) -> None:
    message = ForwardMsg(script_finished=status)
    message.metadata.run.script_run_id = run
    message.metadata.run.fragment_ids.extend(fragments)
    page.take(message.SerializeToString())


def texts(page: Page) -> set[str]:
    return {element.body for element in page.all("markdown")}


def test_a_fragments_run_sweeps_its_own_and_a_whole_run_sweeps_all() -> None:
    page = Page()
    begun(page, "one")
    drawn(page, "one", (0, 0), "title")
    drawn(page, "one", (0, 1), "old tick", "f")
    drawn(page, "one", (0, 2), "old tail", "f")
    ticking(page, "f", 0.5)
    finished(page, "one")
    begun(page, "two", "f")
    assert page.timers == {"f": 0.5}
    drawn(page, "two", (0, 1), "new tick", "f")
    finished(page, "two", "f", status=DONE_FRAGMENT)
    assert texts(page) == {"title", "new tick"}
    begun(page, "three")
    assert page.timers == {}
    drawn(page, "three", (0, 0), "other")
    finished(page, "three", status=EARLY)  # cut off: what it has not drawn again stays
    assert texts(page) == {"other", "new tick"}
    begun(page, "four")
    drawn(page, "four", (0, 0), "last")
    finished(page, "four")
    assert texts(page) == {"last"}


def test_a_large_message_is_known_by_its_hash_for_two_runs_that_do_not_use_it() -> None:
    page = Page()
    begun(page, "0")
    drawn(page, "0", (0, 0), "large", kept="h")
    finished(page, "0")
    reference = ForwardMsg(ref_hash="h")
    reference.metadata.delta_path.extend((0, 3))
    reference.metadata.run.script_run_id = "1"
    begun(page, "1")
    page.take(reference.SerializeToString())
    finished(page, "1")
    assert texts(page) == {"large"}
    assert (0, 3) in page.shown
    for run in ("2", "3"):
        assert page.hashes == ["h"]
        begun(page, run)
        finished(page, run)
    assert page.hashes == []


def test_what_is_red_on_a_page_is_a_fault_and_a_run_has_ended_when_its_stop_button_is_gone() -> None:
    page = Page()
    message = ForwardMsg()
    message.delta.new_element.alert.body = "broken"
    message.delta.new_element.alert.format = Alert.ERROR
    page.take(message.SerializeToString())
    assert page.faults() == ["broken"]
    bar, stop = ForwardMsg(), ForwardMsg()
    bar.delta.new_element.progress.text = "Finished · step 3 of 3"
    bar.metadata.delta_path.append(1)
    stop.delta.new_element.button.id = "$$ID-0a-cnn.run.stop"
    stop.metadata.delta_path.append(2)
    page.take(bar.SerializeToString())
    assert page.ended() == "Finished"
    page.take(stop.SerializeToString())
    assert page.ended() is None
    assert page.find("cnn.run.stop") is not None


# ---- numbers -------------------------------------------------------------------------------------------------------


@given(SECONDS, st.sampled_from([0.5, 0.95, 0.99, 1.0]))
def test_percentiles_are_numpys(values: list[float], share: float) -> None:
    assert percentile(values, share) == np.percentile(values, 100 * share, method="inverted_cdf")


def test_nothing_measured_is_no_number() -> None:
    assert math.isnan(Tally().p95("slider, held"))


@given(st.integers(1, 300), st.lists(st.integers(1, 9), min_size=2, max_size=4))
def test_every_student_has_a_life_and_the_shares_are_kept(students: int, weights: list[int]) -> None:
    names = ("reading", "dragging", "training", "uploading")[: len(weights)]
    shares = {name: weight / sum(weights) for name, weight in zip(names, weights, strict=True)}
    lives = Plan(students, shares, 1.0).lives()
    assert len(lives) == students
    for name, share in shares.items():
        assert abs(lives.count(name) - share * students) < len(names)


def test_levels_see_growth_and_leave_out_the_warming_up() -> None:
    assert levels([100] * 20 + [200] * 80) == (200, 200)
    early, late = levels([*range(100, 200)])
    assert late > 1.3 * early


def test_a_rush_is_judged_by_its_longest_wait_and_its_order() -> None:
    fair = [Served(0.01 * n, 4 * (n // 2), 4 * (n // 2) + 4) for n in range(10)]
    assert judged(fair, 10, 2) == []
    idle = [Served(run.asked, 3 * run.began, 3 * run.began + 4) for run in fair]
    assert any("longest wait" in told for told in judged(idle, 10, 2))
    assert any("missing" in told for told in judged(fair[:-2], 10, 2))
    assert overtaken([(0, 0.0), (1, 4.0), (2, 4.1), (3, 8.0)]) == 0
    assert overtaken([(0, 0.0), (5, 4.0), (3, 8.0), (1, 12.0)]) == 3
    assert overtaken([(2, 8.0), (3, 4.0)]) == 1, "neighbours, too"
    assert overtaken([(2, 8.0), (3, 7.0)]) == 0, "seen in one and the same look"


@pytest.mark.parametrize(
    ("words", "place"),
    [
        ("Waiting: 3 runs are before yours · in about 40 s", 4),
        ("Waiting: 12 runs are before yours", 13),
        ("Waiting: yours is the next run · in about 5 s", 1),
        ("Step 40 of 100 · about 3 s left", 0),
    ],
)
def test_the_place_that_the_page_tells_is_not_the_wait(words: str, place: int) -> None:
    page, bar = Page(), ForwardMsg()
    bar.delta.new_element.progress.text = words
    page.take(bar.SerializeToString())
    assert _place(page) == place


def test_costs_are_shared_out_over_what_was_done() -> None:
    known = {"tick": 0.01, "held": 0.5}  # the tick's own older figure is not charged to it
    assert shared_out(10.0, {"tick": 100, "held": 6, "other": 3}, "tick", known) == pytest.approx(0.07)
    assert math.isnan(shared_out(1.0, {"other": 5}, "tick", known))


# ---- the model of the queue ----------------------------------------------------------------------------------------


def repairman(students: int, workers: int, think: float, service: float) -> float:
    """The mean wait by the textbook (M/M/k with a finite population): state probabilities, then Little's law."""
    weights = [1.0]
    for n in range(1, students + 1):
        weights.append(weights[-1] * (students - n + 1) / think * service / min(n, workers))
    shares = np.array(weights) / sum(weights)
    n = np.arange(students + 1)
    rate = (shares * (students - n)).sum() / think
    return (shares * np.maximum(0, n - workers)).sum() / rate


@pytest.mark.parametrize(("students", "workers", "think", "service"), [(10, 2, 30, 8), (30, 2, 60, 4), (25, 4, 20, 5)])
def test_the_model_is_the_textbooks_where_the_textbook_has_a_formula(
    students: int, workers: int, think: float, service: float
) -> None:
    services = [-service * math.log((n + 0.5) / 20_000) for n in range(20_000)]  # exponential
    waits = waits_of(students, workers, services, thinking(think), 200_000.0, seed=1)
    assert np.mean(waits) == pytest.approx(repairman(students, workers, think, service), rel=0.06)


@given(st.lists(st.floats(0.1, 20), min_size=1, max_size=40), st.integers(1, 6))
def test_a_rush_lasts_no_less_than_the_work_divided_and_no_more_than_one_run_longer(
    services: list[float], workers: int
) -> None:
    last = rush_of(services, workers)
    assert sum(services) / workers <= last + 1e-9
    assert last <= sum(services) / workers + max(services) + 1e-9


def test_first_come_first_served() -> None:
    presses = iter([1.0, 2.0, 3.0, *[1e9] * 3])

    def think(rng: Random) -> float:
        return next(presses)

    assert waits_of(3, 1, [5.0], think, 100.0, 0) == [0.0, 4.0, 8.0]


def test_more_students_need_no_fewer_workers() -> None:
    needed = [workers_for(students, [4.0], 60.0, 10.0) or 99 for students in (5, 20, 60, 120)]
    assert needed == sorted(needed)
    assert needed[-1] > needed[0]
