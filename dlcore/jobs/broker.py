"""Who runs when: the queue, the runs in hand, and one thread that looks after them."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections import deque
from dataclasses import replace
from typing import Any

from dlcore.events import LAST, Failed, Paused, Queued, Stopped, pack, unpack
from dlcore.history import History
from dlcore.jobs import worker
from dlcore.jobs.hands import Hand, job_of, lane_of, last_word, why_died
from dlcore.jobs.servers import is_gone, restarted, this_server
from dlcore.jobs.sizes import Sizes
from dlcore.jobs.store import RUN, Record, Store, hashed
from dlcore.texts import N_, Problem

log = logging.getLogger(__name__)

PATIENCE = 30.0  # seconds without any worker before that is called a fault
TICK = 0.25  # seconds between looks while something is going on; events (a run ends) are answered at once
ASIDE = 8.0  # seconds that a closing server gives its runs to hand over a checkpoint
RETRY = 5.0  # seconds before a scheduler or cluster that is down is tried again
GRACE = 10.0  # seconds for a run to answer a stop before its worker is replaced
LEASE = 180.0  # seconds without a sign of its browser after which a run makes room for others (background tabs: 60)
SIGN = 20.0  # seconds between signs of life for runs in hand, for servers on other machines
MOST_WAITING = 500
MOST_EACH = 4  # runs of one browser that wait or run
KEEP_DAYS, KEEP_BYTES = 14.0, 20e9
GOING = ("queued", "running")


class Broker:
    """The state behind ``dlcore.jobs``: one a process, started in the background and never in the way of a page."""

    def __init__(self, store: Store, sizes: Sizes) -> None:
        self.store = store
        self.problem: Problem | None = None
        self.places: list[Any] = []
        self.facts: dict[str, Any] = {}
        self.link: Any = None
        self.waiting: list[Record] = []  # first come, first served, by lane
        self.hands: dict[str, Hand] = {}
        self.signs: dict[str, float] = {}  # owner's hash: when it was last heard of
        self.settled = threading.Event()  # no longer starting
        self._sizes = sizes
        self._done: deque[str] = deque()
        self._lock = threading.RLock()
        self._wake = threading.Event()
        self._closing = False
        self._retry_at = self._sign_at = self._clean_at = self._seen_at = 0.0
        self._facts_future: Any = None
        self._server = this_server()
        self._thread = threading.Thread(target=self._loop, daemon=True, name="jobs")
        self._thread.start()

    # ---- asked by pages -------------------------------------------------------------------------------------------

    @property
    def state(self) -> str:
        """``"starting"``, ``"ready"`` or ``"down"``."""
        if self.problem is not None:
            return "down"
        return "ready" if self.settled.is_set() else "starting"

    def enqueue(self, record: Record) -> None:
        """Put a run at the end of the queue. Raises ``Problem`` (kinds ``"down"``, ``"busy"``, ``"state"``)."""
        if self.problem is not None:
            raise self.problem
        with self._lock:
            hand = self.hands.get(record.run_id)
            if any(r.run_id == record.run_id for r in self.waiting) or (hand and hand.again):
                return  # two windows asked at once
            if hand is None:
                self._check_room(record.owner)
            self.signs[record.owner] = time.monotonic()
            record = replace(record, attempts=record.attempts + 1, server=self._server)
            self.store.write(record)
            self.store.queued(record.run_id)
            if hand is None:
                self.waiting.append(record)
            else:  # its log has ended, its task not quite
                hand.again = record
        self._wake.set()

    def _check_room(self, owner: str) -> None:
        """Raise ``Problem`` where this owner, or everybody together, has too many runs."""
        mine = sum(r.owner == owner for r in [*self.waiting, *(h.record for h in self.hands.values())])
        if mine >= MOST_EACH:
            raise Problem(
                N_("You have {count} runs going on or waiting. Stop one of them before you start another."),
                kind="busy",
                count=mine,
            )
        if len(self.waiting) >= MOST_WAITING:
            raise Problem(N_("{count} runs are waiting. Try again later."), kind="busy", count=len(self.waiting))

    def wish(self, record: Record, action: str, *args: Any) -> bool:
        """Pass ``"pause"``, ``"stop"`` or ``"change"`` on; False where the run is neither waiting nor in hand here."""
        with self._lock:
            hand = self.hands.get(record.run_id)
            if hand is not None and self.store.history(record.run_id).state not in GOING:
                return False  # only its task has still to end: what is asked now is for when it goes on
            if hand is not None and not hand.again:
                hand.wishes.append((action, *args))
                if action == "stop":
                    hand.stopping, hand.stop_by = True, time.monotonic() + GRACE
                self._wake.set()
                return True
            waits = next((r for r in self.waiting if r.run_id == record.run_id), None)
            if action == "change" or (hand is None and waits is None):
                return False
            if hand is not None:
                hand.again = None
            elif waits is not None:
                self.waiting.remove(waits)
            self.store.end(record.run_id, Stopped if action == "stop" else Paused)
            return True

    def place(self, run_id: str) -> int | None:
        """0 for a run in hand, 1 for the next of its lane; None for one that is neither waiting nor in hand."""
        with self._lock:
            if run_id in self.hands:
                return 0
            mine = next((r for r in self.waiting if r.run_id == run_id), None)
            if mine is None:
                return None
            lane = lane_of(mine)
            return 1 + [r.run_id for r in self.waiting if lane_of(r) == lane].index(run_id)

    def history(self, record: Record) -> History:
        """A run's history; one whose server is gone is brought to an end first."""
        history = self.store.history(record.run_id)
        if history.state in GOING and self.place(record.run_id) is None and is_gone(record, self.store, 2 * SIGN):
            self.store.end(record.run_id, Failed, restarted().to_dict())
            history = self.store.history(record.run_id)
        return history

    def beat(self, owner: str) -> None:
        """A sign that this owner's browser is there."""
        self.signs[hashed(owner)] = time.monotonic()

    # ---- the thread -----------------------------------------------------------------------------------------------

    def _loop(self) -> None:
        while not self._closing:
            try:
                self._look()
            except Exception:  # a fault here must not end the service of all
                log.exception("the jobs thread stumbled")
            busy = self.hands or self.waiting or self.state != "ready"
            self._wake.wait(TICK if busy else 2.0)
            self._wake.clear()
        self._put_all_aside()

    def _look(self) -> None:
        if self.link is None or not self.link.alive:
            self._connect()
        if self.link is None:
            return
        self._count_workers()
        while self._done:
            self._finish(self._done.popleft())
        self._watch_workers()
        self._hand_out()
        self._pass_wishes()
        self._make_room()
        self._housekeep()

    def _connect(self) -> None:
        """Find the workers, or note why not and try again later."""
        from dlcore.jobs.link import Link  # imports distributed: not before the first page is served

        if self.link is not None:
            self._lose()
        if time.monotonic() < self._retry_at:
            return
        self._retry_at = time.monotonic() + RETRY
        try:
            self.store.prepare()
            logs = self.store.folder / "workers.log"
            self.link = Link(self._sizes, logs)
            self._seen_at = time.monotonic()
            self._adopt()
        except Problem as problem:
            log.warning("%s", problem)
            self._say(problem)

    def _say(self, problem: Problem | None) -> None:
        self.problem = problem
        if problem is None or self.link is None:
            self.settled.set()

    def _lose(self) -> None:
        """The scheduler is gone: its runs end (resumable), those that wait go on waiting."""
        log.warning("the connection to the workers is lost")
        self.link.close()
        self.link, self.places, self.facts = None, [], {}
        with self._lock:
            for run_id in list(self.hands):
                self._let_go(run_id, Failed, worker.died().to_dict())

    def _count_workers(self) -> None:
        try:
            self.places = self.link.places()
        except (OSError, RuntimeError):  # no answer just now; ``link.alive`` will tell
            return
        now = time.monotonic()
        if self.places:
            self._seen_at = now
            if self.problem is not None or not self.settled.is_set():
                self._say(None)
        elif now - self._seen_at > PATIENCE:
            self._say(Problem(N_("The scheduler answers, but it has no workers. Start some."), kind="down"))
            self.settled.set()
        if not self.facts and any(p.lane == "interactive" for p in self.places):
            self.facts = {"asked": True}
            self._ask_facts()

    def _ask_facts(self) -> None:
        link = self.link
        future = link.submit("interactive", worker.answer, "dlcore.jobs.worker:facts", pack([[], {}]), 120.0)

        def keep(done: Any) -> None:
            self.facts = unpack(done.result()).get("result", {}) if done.status == "finished" else {}  # {}: ask again

        future.add_done_callback(keep)
        self._facts_future = future  # dask forgets a task that nobody holds

    def _hand_out(self) -> None:
        """Give waiting runs to free workers, in the order in which they came."""
        with self._lock:
            free = {p.address: p.slots for p in self.places}
            for hand in self.hands.values():
                if hand.address in free:
                    free[hand.address] -= 1
            for record in list(self.waiting):
                lane = lane_of(record)
                here = [p.address for p in self.places if p.lane == lane and free[p.address] > 0]
                if here:
                    address = max(here, key=free.__getitem__)
                    free[address] -= 1
                    self.waiting.remove(record)
                    self._try_start(record, lane, address)

    def _try_start(self, record: Record, lane: str, address: str) -> None:
        try:
            self._start(record, lane, address)
        except Exception as error:  # a log of another version, a lost connection: told, never left waiting
            log.exception("run %s could not be started", record.run_id)
            self._let_go(record.run_id, Failed, worker.problem_of(error).to_dict())

    def _start(self, record: Record, lane: str, address: str) -> None:
        future = self.link.submit(lane, worker.run, job_of(record, self.store), workers=[address])
        self.hands[record.run_id] = Hand(record, lane, address, future)
        future.add_done_callback(lambda _: (self._done.append(record.run_id), self._wake.set()))

    def _finish(self, run_id: str) -> None:
        """A task came to its end: see to it that the log says so too."""
        with self._lock:
            hand = self.hands.get(run_id)
            if hand is None or not hand.future.done():  # let go, or begun anew, since this was noted
                return
            self._let_go(run_id, *last_word(hand, self.link))

    def _let_go(self, run_id: str, kind: type, *args: Any) -> None:
        """End the log with this, unless the run has ended it itself, and forget the run."""
        hand = self.hands.pop(run_id, None)
        if hand is not None and hand.again is not None:  # its log says already that it waits
            self.waiting.append(hand.again)
        else:
            self.store.end(run_id, kind, *args)

    def _adopt(self) -> None:
        """On a cluster that outlives web processes: take over the runs that a lost one left going on."""
        if self.link.embedded:
            return
        for address, run_ids in self.link.client.run(worker.active, on_error="ignore").items():
            for run_id in run_ids:
                with contextlib.suppress(Problem):  # a run of another state folder
                    self._take_over(run_id, address)

    def _take_over(self, run_id: str, address: str) -> None:
        record = self.store.record(run_id)
        with self._lock:
            if run_id not in self.hands and is_gone(record, self.store):
                record = replace(record, server=self._server)
                self.store.write(record)
                self.hands[run_id] = Hand(record, lane_of(record), address, None)

    def _watch_workers(self) -> None:
        """Runs whose worker is gone, though no future tells: their task names it, and would wait for it for ever."""
        there = {p.address for p in self.places}
        with self._lock:
            for run_id, hand in list(self.hands.items()):
                gone = bool(there) and hand.address not in there
                if hand.future is None and (hand.again or isinstance(self.store.last(run_id), LAST)):
                    self._let_go(run_id, Failed, worker.died().to_dict())
                elif gone and (hand.future is None or not hand.future.done()):
                    if hand.future is not None:
                        hand.future.cancel()
                    if isinstance(self.store.last(run_id), Queued) and not (hand.stopping or hand.again):  # never began
                        del self.hands[run_id]
                        self.waiting.insert(0, hand.record)
                    else:
                        self._let_go(run_id, *why_died(hand, self.link))

    def _pass_wishes(self) -> None:
        """Deliver wishes in order, one at a time for each run, again until its worker has confirmed."""
        for run_id, hand in list(self.hands.items()):
            hand.deliver(self.link, self._wake.set)
            if time.monotonic() > hand.stop_by:
                log.warning("run %s does not answer: its worker is replaced", run_id)
                hand.stop_by = float("inf")
                self.link.restart(hand.address)

    def _make_room(self) -> None:
        """Pause runs whose browser has gone, where others wait for their place."""
        wanted = {lane_of(record) for record in self.waiting}
        now = time.monotonic()
        for hand in self.hands.values():
            unseen = now - self.signs.setdefault(hand.record.owner, now) > LEASE
            if hand.lane in wanted and unseen and not hand.wishes and not hand.stopping:
                hand.wishes.append(("pause",))

    def _housekeep(self) -> None:
        now = time.monotonic()
        if now > self._sign_at:
            self._sign_at = now + SIGN
            for run_id in [*self.hands, *(r.run_id for r in self.waiting)]:
                with contextlib.suppress(OSError):
                    os.utime(self.store.path(run_id, RUN))
            self._adopt()
        if now > self._clean_at:
            self._clean_at = now + 3600
            self.signs = {owner: at for owner, at in self.signs.items() if now - at < 3600}
            keep = {*self.hands, *(r.run_id for r in self.waiting)}
            self.store.clean(keep, days=KEEP_DAYS, most_bytes=KEEP_BYTES)

    def close(self) -> None:
        """Put all runs aside, resumable, and let the workers go."""
        self._closing = True
        self._wake.set()
        self._thread.join(ASIDE + 10)

    def _put_all_aside(self) -> None:
        deadline = time.monotonic() + ASIDE
        for hand in self.hands.values():
            hand.wishes.append(("pause",))
        while self.link is not None and self.link.alive and self.hands and time.monotonic() < deadline:
            self._pass_wishes()
            self._wake.wait(0.05)
            self._wake.clear()
            while self._done:
                self._finish(self._done.popleft())
            self._watch_workers()
        for run_id in [*self.hands, *(r.run_id for r in self.waiting)]:
            self.store.end(run_id, Failed, restarted().to_dict())
        if self.link is not None:
            self.link.close()
