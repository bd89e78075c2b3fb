"""Whatever students, workers and the clock do in whatever order: no run is lost, and none goes on that was to rest."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from dlcore.events import Finished, Paused, Started, Stopped
from dlcore.jobs import hands, presence, queue
from dlcore.jobs.limits import Limits
from dlcore.jobs.logs import append, open_log
from dlcore.jobs.presence import Presence
from dlcore.jobs.queue import Queue
from dlcore.jobs.store import CHECKPOINT, LOG, Store, hashed
from dlcore.texts import Problem

OWNERS = ("one", "two")
PLACES = [SimpleNamespace(address=f"train {k}", lane="train", slots=1) for k in range(1)]
some, owners = st.integers(0, 3), st.sampled_from(OWNERS)


class Classroom(RuleBasedStateMachine):
    """A queue, two browsers, one worker, and a clock that is turned by hand."""

    @initialize()
    def begin(self) -> None:
        self.now, self.folder = 1000.0, Path(tempfile.mkdtemp())
        self.patch = pytest.MonkeyPatch()
        clock = SimpleNamespace(monotonic=lambda: self.now, time=lambda: self.now)
        for module in (queue, presence, hands):
            self.patch.setattr(module, "time", clock)
        self.store = Store(self.folder)
        self.store.prepare()
        self.limits = Limits(turn=10, grace=60)
        self.queue = Queue(self.store, {}, lambda: self.limits)
        self.there = Presence(self.store, self.queue, lambda: self.limits, self.queue.add)
        self.resting: set[str] = set()  # as their owners want it
        self.over: set[str] = set()
        self.runs: dict[str, str] = {}
        for owner in OWNERS:
            self.there.beat(owner)

    @rule(owner=owners)
    def ask(self, owner: str) -> None:
        record = self.store.new("toy", {}, owner, [])
        try:
            self.queue.add(record)
        except Problem:  # as many as it may
            return
        self.runs[record.run_id] = owner

    @rule(seconds=st.sampled_from([0.5, 11.0, 11.0]))
    def wait(self, seconds: float) -> None:
        """Everybody is there meanwhile."""
        self.now += seconds
        for owner in OWNERS:
            self.there.beat(owner)
        self.look()

    @rule(seconds=st.sampled_from([61.0, 61.0, 700.0]))
    def wait_alone(self, seconds: float) -> None:
        self.now += seconds
        self.look()

    @rule(owner=owners)
    def beat(self, owner: str) -> None:
        self.there.beat(owner)

    def look(self) -> None:
        """As the broker's thread does."""
        with self.queue.lock:
            for record, lane, address in self.queue.hand_out(PLACES):
                self.queue.hands[record.run_id] = hands.Hand(record, lane, address, None)
                self._write(record.run_id, Started(0, {}, 10))
        self.there.put_aside_abandoned()
        self.queue.make_room(PLACES, self.now)

    @rule(which=some, action=st.sampled_from(["pause", "stop", "change"]), heard=st.booleans())
    def wish(self, which: int, action: str, heard: bool) -> None:
        """With ``heard``, the worker has confirmed it; the run has not come to it yet."""
        run_id = self._some(self.runs, which)
        if run_id is None:
            return
        record = self.store.record(run_id)
        taken = self.queue.wish(record, action, *(("rate", 0.5) if action == "change" else ()))
        if action != "change" and taken:
            self.resting.add(run_id)
        if heard and run_id in self.queue.hands:
            self.queue.hands[run_id].wishes.clear()

    @rule(which=some)
    def resume(self, which: int) -> None:
        run_id = self._some(self.runs, which)
        if run_id and run_id not in self.over and self.store.history(run_id).state in ("paused", "stopped"):
            try:
                self.queue.add(self.store.record(run_id))
            except Problem:
                return
            self.resting.discard(run_id)

    @rule(which=some, done=st.booleans())
    def leave_worker(self, which: int, done: bool) -> None:
        """A run comes to its end, or to the rest that it was asked for; then its task ends, at once or later."""
        run_id = self._some(self.queue.hands, which)
        if run_id is None or self.queue.hands[run_id].again:
            return
        hand = self.queue.hands[run_id]
        if self.store.history(run_id).state == "running":
            aside = hand.rests or hand.leaves or hand.told
            self._write(run_id, (Stopped if hand.stopping else Paused)(1) if aside else Finished(1, {}))
            if not aside:
                self.over.add(run_id)
                self.resting.discard(run_id)
        if done:
            self.queue.let_go(run_id, Stopped)

    @invariant()
    def nothing_is_lost_and_nothing_goes_on_that_was_to_rest(self) -> None:
        waiting, inhand = {r.run_id for r in self.queue.waiting}, set(self.queue.hands)
        for run_id in self.runs:
            state = self.store.history(run_id).state
            going = run_id in waiting or run_id in inhand
            assert going or state in ("paused", "stopped", "finished"), (state, "nobody has it")
            if run_id in self.resting:
                assert run_id not in waiting, "its owner wants it to rest"
                assert not self.store.record(run_id).left, "its owner wants it to rest"
            if state == "paused" and not going and run_id not in self.resting:
                assert self.store.record(run_id).left, "put aside, and nobody knows that it shall go on"
        assert len(inhand) <= len(PLACES)

    def teardown(self) -> None:
        """Everybody comes back: what was put aside waits or is computed again."""
        if not hasattr(self, "patch"):
            return
        for run_id in list(self.queue.hands):
            self.queue.let_go(run_id, Stopped)
        self.limits = Limits(each_going=0)
        for owner in OWNERS:
            self.there.beat(owner)
            self.there._aside.add(hashed(owner))
            self.there.beat(owner)
        for run_id in self.runs:
            assert not self.store.record(run_id).left
        self.patch.undo()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write(self, run_id: str, event) -> None:
        with open_log(self.store.path(run_id, LOG)) as stream:
            append(stream, event)
        self.store.path(run_id, CHECKPOINT).touch()

    @staticmethod
    def _some(those, which: int) -> str | None:
        return list(those)[which % len(those)] if those else None


Classroom.TestCase.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)
test_the_classroom = Classroom.TestCase
