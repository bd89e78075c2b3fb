"""One student's data is never shown to another: runs, albums, photographs, over interleaved sessions of several people.

What is shared on purpose is tested, too: a table or a text is in the link of the page that its owner gives away.
"""

from __future__ import annotations

import random
import re
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from streamlit.testing.v1 import AppTest

from dlcore.data import album as albums
from dlcore.data import own, own_images
from dlcore.events import Finished, Snapshot, Started
from dlcore.experiments import augmentation
from dlcore.jobs.logs import append, open_log
from dlcore.jobs.store import RUN_ID
from dlcore.texts import Problem
from tests import toy
from tests.borrowed import picture as square_picture
from tests.pages.visit import SHELL, said
from tests.waiting import patience, until
from tests.zips import picture, zipped

PEOPLE = ("ann", "bob", "eve")
SAME = "This run does not exist here any more. Start a new one."
people = st.sampled_from(PEOPLE)


class Classroom(RuleBasedStateMachine):
    """Three browsers that use whatever ids they have seen, their own and each other's, in any order."""

    jobs: Any = None  # ``dlcore.jobs``, started

    @initialize()
    def begin(self) -> None:
        self.whose: dict[str, str] = {}
        self.seed = random.Random(0)

    def any_run(self, place: int) -> str | None:
        return list(self.whose)[place % len(self.whose)] if self.whose else None

    @rule(who=people, steps=st.integers(1, 3))
    def submit(self, who: str, steps: int) -> None:
        with suppress(Problem):  # the browser has as many as it may
            run_id = self.jobs.submit("toy", toy.Config(steps=steps), owner=who)
            assert RUN_ID.fullmatch(run_id)
            assert run_id not in self.whose
            self.whose[run_id] = who

    @rule(who=people, place=st.integers(0, 50), what=st.sampled_from(["pause", "stop", "resume", "change"]))
    def steer(self, who: str, place: int, what: str) -> None:
        if run_id := self.any_run(place):
            given = ("rate", 0.5) if what == "change" else ()
            self.tried(who, run_id, lambda: getattr(self.jobs, what)(run_id, *given, owner=who))

    @rule(who=people, place=st.integers(0, 50), what=st.sampled_from(["history", "info", "checkpoint"]))
    def look(self, who: str, place: int, what: str) -> None:
        if run_id := self.any_run(place):
            self.tried(who, run_id, lambda: getattr(self.jobs, what)(run_id, owner=who))

    @rule(who=people, guess=st.one_of(st.text("0123456789abcdef", min_size=32, max_size=32), st.text(max_size=40)))
    def guess(self, who: str, guess: str) -> None:
        with pytest.raises(Problem, match=SAME):
            self.jobs.history(guess, owner=who)

    def tried(self, who: str, run_id: str, ask) -> None:
        """A stranger is told what one is told of a run that is not there; an owner is told of the run."""
        told = ""
        try:
            ask()
        except Problem as problem:
            told = str(problem)
        assert (told == SAME) is (self.whose[run_id] != who), (who, told)

    @invariant()
    def lists_are_one_s_own(self) -> None:
        for who in PEOPLE:
            listed = {info.run_id for info in self.jobs.runs(who, "toy", most=1000)}
            mine = {run_id for run_id, owner in getattr(self, "whose", {}).items() if owner == who}
            assert mine <= listed
            assert not listed & (set(getattr(self, "whose", {})) - mine)

    def teardown(self) -> None:
        for run_id, who in getattr(self, "whose", {}).items():
            self.jobs.stop(run_id, owner=who)
        for run_id, who in getattr(self, "whose", {}).items():
            until(lambda r=run_id, w=who: self.jobs.info(r, owner=w).place is None)


def test_whatever_is_tried_a_run_is_its_owner_s_alone(jobs):
    machine = type("Now", (Classroom,), {"jobs": jobs})
    every: Any = list(HealthCheck)
    quick = settings(max_examples=8, stateful_step_count=25, deadline=None, suppress_health_check=every, database=None)
    run_state_machine_as_test(machine, settings=quick)


# -- pages ----------------------------------------------------------------------------------------------------------


def a_run(jobs, who: str) -> str:
    """A finished run of that browser, as the image lessons leave one; its classes have the owner's name."""
    store = jobs._broker.store
    config = asdict(augmentation.Config(dataset="digits"))
    record = store.new("augmentation", config, who, [])
    store.write(record)
    labels = np.arange(10, dtype=np.uint8).repeat(3)
    arrays = {"probabilities": np.eye(10, dtype=np.float32)[labels], "labels": labels}
    with open_log(store.path(record.run_id, "events.log")) as log:
        append(log, Started(0, config, 1, {"classes": [f"{who}-{k}" for k in range(10)]}))
        append(log, Snapshot(1, "test_predictions", arrays))
        append(log, Finished(1, {"test_accuracy": 0.5}))
    return record.run_id


def an_album(who: str) -> str:
    kinds = [albums.Kind(f"{who}-{k}", (albums.keep_picture(square_picture((90, 90, 40 * k), hash(who) % 97 + k)),))
             for k in range(2)]  # fmt: skip
    return albums.keep(albums.Album(tuple(kinds)), who)


def photographs(who: str) -> str:
    first = 10 * PEOPLE.index(who)
    files = {f"{who}-one/{k}.png": picture(first + k) for k in range(3)} | {f"{who}-two/x.png": picture(first + 9)}
    name = own_images.keep_zip(zipped(files))["hash"]
    own_images.claim(name, who)
    return name


def a_table(who: str) -> str:
    values = np.random.default_rng(PEOPLE.index(who)).normal(size=(20, 2))
    return own.keep(own.Table((f"{who}-x", f"{who}-y"), values))


def visit(who: str, slug: str, **params: str) -> str:
    """All that a page shows to a browser that comes by a link, and what it keeps for it."""
    at = AppTest.from_file(str(SHELL), default_timeout=patience(60))
    at.session_state["owner"] = who
    for name, text in params.items():
        at.query_params[name] = text
    at.switch_page(f"../pages/{slug}.py")
    at.run()
    assert not at.exception
    options = [box.options for box in at.selectbox]
    return f"{said(at)} {options} {at.session_state[f'page:{slug}']}"


@pytest.fixture(scope="module")
def brought(jobs):
    """Ann's, and what a link to it says: (page, parameters) by kind."""
    return {
        "run": ("evaluation", {"source": f"run:{a_run(jobs, 'ann')}"}),
        "album": ("teach", {"data_hash": an_album("ann")}),
        "photographs": ("cnn", {"dataset": "own", "data_hash": photographs("ann")}),
        "table": ("linear_regression", {"dataset": "csv", "data_hash": a_table("ann")}),
    }


SHARED = ("table",)  # by its link, as clicked points are: docs/security.md
VISITS = [("ann", "run"), ("bob", "run"), ("ann", "album"), ("bob", "album"), ("ann", "photographs"),
          ("bob", "photographs"), ("bob", "table")]  # fmt: skip


def test_a_link_shows_nobody_another_one_s_data(brought):
    """Ann's links, opened by herself and by Bob, in a mixed order."""
    order = VISITS.copy()
    random.Random(8).shuffle(order)
    for who, kind in order:
        slug, params = brought[kind]
        shown = re.search(r"\bann-\w", visit(who, slug, **params)) is not None
        assert shown is (who == "ann" or kind in SHARED), (who, kind)


def test_who_brings_the_same_photographs_has_them_too(brought):
    name = photographs("ann")
    with pytest.raises(Problem, match="not on this computer"):
        own_images.check_owner(name, "bob")
    own_images.claim(name, "bob")
    for who in ("ann", "bob"):
        own_images.check_owner(name, who)
    with pytest.raises(Problem):
        own_images.check_owner(name, "eve")
    assert "ann" not in (own_images.folder() / f"{name}.owners").read_text(), "only a hash of who it is"


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "F" * 16, "0" * 15, "0" * 17, "é" * 16])
def test_a_fingerprint_that_is_none_claims_and_opens_nothing(name):
    own_images.check_owner(name, "eve")  # nobody's: the page then says that nothing is here
    with pytest.raises(Problem):
        own_images.summary(name)
