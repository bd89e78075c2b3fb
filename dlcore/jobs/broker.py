"""Who runs when: the queue, the runs in hand, and one thread that looks after them."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections import Counter, deque
from dataclasses import replace
from typing import Any

from dlcore.events import LAST, Failed, Queued, pack, unpack
from dlcore.history import History
from dlcore.jobs import journal, worker
from dlcore.jobs.calls import Turns
from dlcore.jobs.cleaning import clean, clean_own, is_needed
from dlcore.jobs.hands import Hand, job_of, lane_of, last_word, why_died
from dlcore.jobs.limits import Watched
from dlcore.jobs.presence import Presence
from dlcore.jobs.queue import GOING, Queue
from dlcore.jobs.servers import is_gone, restarted, scheduler, this_server
from dlcore.jobs.sizes import Sizes
from dlcore.jobs.store import RUN, Record, Store
from dlcore.jobs.waiting import Typical, seconds_left, seconds_until
from dlcore.texts import N_, Problem

log = logging.getLogger(__name__)

PATIENCE = 30.0  # seconds without any worker before that is called a fault
TICK = 0.25  # seconds between looks while something is going on; events (a run ends) are answered at once
ASIDE = 8.0  # seconds that a closing server gives its runs to hand over a checkpoint
RETRY = 5.0  # seconds before a scheduler or cluster that is down is tried again
SIGN = 20.0  # seconds between signs of life for runs in hand, for servers on other machines
KEEP_BYTES = 20e9  # of everybody's runs together


class Broker:
    """The state behind ``dlcore.jobs``: one a process, started in the background and never in the way of a page."""

    def __init__(self, store: Store, sizes: Sizes) -> None:
        self.store = store
        self.problem: Problem | None = None
        self.places: list[Any] = []
        self.facts: dict[str, Any] = {}
        self.link: Any = None
        self.limits = Watched(store.folder)
        self.queue = Queue(store, this_server(), self.limits)
        self.counts: Counter[str] = Counter()  # since the start: runs begun and ended, by how
        self.presence = Presence(store, self.queue, self.limits, self.enqueue)
        self.typical = Typical()
        self.turns = Turns()
        self.settled = threading.Event()  # no longer starting
        self._sizes = sizes
        self._done: deque[str] = deque()
        self._wake = threading.Event()
        self._closing = False
        self._retry_at = self._sign_at = self._clean_at = self._seen_at = self._adopted_at = 0.0
        self._noticed: dict[str, float] = {}  # runs without a server: when that was first seen
        self._facts_future: Any = None
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
        self.queue.add(record)
        if not record.attempts:  # a new one: the oldest of this browser may have to go
            clean_own(self.store, self._is_needed, record.owner, self.limits().kept_runs)
        self.presence.sign(record.owner)
        self._wake.set()

    def wish(self, record: Record, action: str, *args: Any) -> bool:
        """Pass ``"pause"``, ``"stop"`` or ``"change"`` on; False where the run is neither waiting nor in hand here."""
        taken = self.queue.wish(record, action, *args)
        self._wake.set()
        return taken

    def look_again(self) -> None:
        """Something that decides who begins has changed: do not wait for the next tick."""
        self._wake.set()

    def place(self, run_id: str) -> int | None:
        """0 for a run in hand, 1 for the next of its lane; None for one that is neither waiting nor in hand."""
        return self.queue.place(run_id)

    def history(self, record: Record) -> History:
        """A run's history; one whose server is gone, and that nobody goes on with, is brought to an end first."""
        history = self.store.history(record.run_id)
        if history.state in GOING and self.place(record.run_id) is None and self._is_lost(record):
            self.store.end(record.run_id, Failed, restarted().to_dict())
            history = self.store.history(record.run_id)
        return history

    def _is_lost(self, record: Record) -> bool:
        """Whether a run ended with its server. On a cluster it goes on without one: look first who has it."""
        newest = self.store.newest(record.run_id)  # another server may have it by now
        if newest is None or not is_gone(newest, self.store, 2 * SIGN):
            return False
        noticed = self._noticed.setdefault(record.run_id, time.monotonic())
        return not scheduler() or self._adopted_at > noticed

    def _is_needed(self, record: Record) -> bool:
        """Whether a run may not be cleaned away: it waits or is computed, here or by another server of this state."""
        return self.place(record.run_id) is not None or is_needed(record, self.store)

    def beat(self, owner: str) -> None:
        """A sign that this owner's browser is there; one that comes back finds its runs going on."""
        self.presence.beat(owner)

    def wait(self, run_id: str) -> float | None:
        """Seconds until a waiting run begins, as far as can be told; None where it does not wait or nobody knows."""
        with self.queue.lock:
            record = next((r for r in self.queue.waiting if r.run_id == run_id), None)
            place = self.queue.place(run_id)
            if record is None or not place or self.limits().held:
                return None
            lane = lane_of(record)
            left = [self._left(hand) for hand in self.queue.hands.values() if hand.lane == lane]
        slots = sum(p.slots for p in self.places if p.lane == lane)
        return seconds_until(place, slots, left, self.typical(lane))

    def _left(self, hand: Hand) -> float:
        """Seconds that a run in hand will keep its worker where others wait."""
        return seconds_left(
            time.monotonic() - hand.since,
            self.store.history(hand.record.run_id).seconds_left,
            self.typical(hand.lane),
            self.limits().turn,
        )

    # ---- the thread -----------------------------------------------------------------------------------------------

    def _loop(self) -> None:
        while not self._closing:
            try:
                self._look()
            except Exception:  # a fault here must not end the service of all
                log.exception("the jobs thread stumbled")
            busy = self.queue.hands or self.queue.waiting or self.state != "ready"
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
        self.presence.put_aside_abandoned()
        self.queue.make_room(self.turns.beside(self.places), time.monotonic())
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
        self.settled.clear()  # calls wait for the next workers
        for hand in list(self.queue.hands.values()):
            self._let_go(hand, Failed, worker.died().to_dict())

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
        """Give waiting runs to free workers."""
        with self.queue.lock:
            for record, lane, address in self.queue.hand_out(self.turns.beside(self.places)):
                self._try_start(record, lane, address)

    def _try_start(self, record: Record, lane: str, address: str) -> None:
        try:
            self._start(record, lane, address)
        except Exception as error:  # a log of another version, a lost connection: told, never left waiting
            log.exception("run %s could not be started", record.run_id)
            self.queue.let_go(record.run_id, Failed, worker.problem_of(error).to_dict())

    def _start(self, record: Record, lane: str, address: str) -> None:
        future = self.link.submit(lane, worker.run, job_of(record, self.store, self.limits()), workers=[address])
        self.queue.hands[record.run_id] = Hand(record, lane, address, future)
        self.counts["begun"] += 1
        future.add_done_callback(lambda _: (self._done.append(record.run_id), self._wake.set()))

    def _finish(self, run_id: str) -> None:
        """A task came to its end: see to it that the log says so too."""
        hand = self.queue.hands.get(run_id)
        if hand is not None and hand.future.done():  # not let go, or begun anew, since this was noted
            self._let_go(hand, *last_word(hand, self.link))

    def _let_go(self, hand: Hand, *word: Any) -> None:
        """Forget a run in hand, its log ended with these words; asked for before, so that no lock waits for them."""
        with self.queue.lock:
            if self.queue.hands.get(hand.record.run_id) is hand:
                self.queue.let_go(hand.record.run_id, *word)
                self._note_end(hand)

    def _note_end(self, hand: Hand) -> None:
        """Remember how long a run had its worker, and count how it ended."""
        seconds = time.monotonic() - hand.since
        self.typical.note(hand.lane, seconds)
        last = self.store.last(hand.record.run_id)
        how = "made_room" if isinstance(last, Queued) else type(last).__name__.lower()
        self.counts[how] += 1
        journal.note("left", run=hand.record.run_id, lesson=hand.record.experiment, how=how, seconds=round(seconds, 2))

    def _adopt(self) -> None:
        """On a cluster that outlives web processes: take over the runs that a lost one left going on."""
        if self.link.embedded:
            return
        asked = time.monotonic()
        for address, run_ids in self.link.client.run(worker.active, on_error="ignore").items():
            for run_id in run_ids:
                with contextlib.suppress(Problem):  # a run of another state folder
                    self._take_over(run_id, address)
        self._adopted_at = asked

    def _take_over(self, run_id: str, address: str) -> None:
        record = self.store.record(run_id)
        with self.queue.lock:
            if run_id not in self.queue.hands and is_gone(record, self.store):
                log.info("run %s is taken over from a server that is gone", run_id)
                record = replace(record, server=this_server())
                self.store.write(record)
                self.queue.hands[run_id] = Hand(record, lane_of(record), address, None)

    def _watch_workers(self) -> None:
        """Runs whose worker is gone, though no future tells: their task names it, and would wait for it for ever."""
        there = {p.address for p in self.places}
        for run_id, hand in list(self.queue.hands.items()):
            gone = bool(there) and hand.address not in there
            if hand.future is None and (hand.again or isinstance(self.store.last(run_id), LAST)):
                self._let_go(hand, Failed, worker.died().to_dict())
            elif gone and (hand.future is None or not hand.future.done()):
                self._lost_worker(run_id, hand)

    def _lost_worker(self, run_id: str, hand: Hand) -> None:
        if hand.future is not None:
            hand.future.cancel()
        if not isinstance(self.store.last(run_id), Queued) or hand.stopping or hand.again:
            self._let_go(hand, *why_died(hand, self.link))
            return
        with self.queue.lock:  # it never began
            if self.queue.hands.pop(run_id, None) is not None:
                self.queue.enter_at(hand.record, 0.0)  # before all others

    def _pass_wishes(self) -> None:
        """Deliver wishes in order, one at a time for each run, again until its worker has confirmed."""
        for run_id, hand in list(self.queue.hands.items()):
            hand.deliver(self.link, self._wake.set)
            if time.monotonic() > hand.stop_by:
                log.warning("run %s does not answer: its worker is replaced", run_id)
                hand.stop_by = float("inf")
                self.link.restart(hand.address)

    def _housekeep(self) -> None:
        now = time.monotonic()
        if now > self._sign_at:
            self._sign_at = now + SIGN
            for run_id in self.queue.ids():
                with contextlib.suppress(OSError):
                    os.utime(self.store.path(run_id, RUN))
            self._adopt()
            self._noticed = {run_id: at for run_id, at in self._noticed.items() if now - at < 3600}
        if now > self._clean_at:
            self._clean_at = now + 3600
            self.presence.forget()
            limits = self.limits()
            clean(
                self.store, self._is_needed, days=limits.kept_days, most_bytes=KEEP_BYTES,
                each=limits.kept_megabytes * 1e6,
            )  # fmt: skip

    def close(self) -> None:
        """Put all runs aside, resumable, and let the workers go."""
        self._closing = True
        self._wake.set()
        self._thread.join(ASIDE + 10)

    def _put_all_aside(self) -> None:
        deadline = time.monotonic() + ASIDE
        for hand in self.queue.hands.values():
            hand.rests = False  # it goes on after the restart, when somebody resumes it
            hand.wishes.append(("pause",))
        while self.link is not None and self.link.alive and self.queue.hands and time.monotonic() < deadline:
            self._pass_wishes()
            self._wake.wait(0.05)
            self._wake.clear()
            while self._done:
                self._finish(self._done.popleft())
            self._watch_workers()
        for run_id in self.queue.ids():
            self.store.end(run_id, Failed, restarted().to_dict())
        if self.link is not None:
            self.link.close()
