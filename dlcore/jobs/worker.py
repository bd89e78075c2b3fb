"""What runs inside a worker process: an experiment with its log, its checkpoints and its ears open; and short calls.

Nothing that leaves here is anything but builtins and NumPy arrays, faults included: an exception that crossed as an
object would import torch in the web process on arrival.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from dlcore.events import (
    LAST,
    Changed,
    Checkpoint,
    Event,
    Failed,
    Paused,
    Snapshot,
    Started,
    Step,
    Stopped,
    pack,
    unpack,
)
from dlcore.experiments import experiment
from dlcore.jobs.guard import Guard
from dlcore.jobs.logs import append, open_log
from dlcore.jobs.store import CHECKPOINT, LOG, replace_file, unwritable
from dlcore.steering import Steering
from dlcore.texts import N_, Problem

log = logging.getLogger(__name__)

STEP_GAP = 0.1  # seconds between two Step events in the log: what an eye can follow
SNAPSHOT_GAP = 0.5
SNAPSHOT_RATE = 1e6  # bytes a second of one name's snapshots, at most
LONG_LOG = 64e6  # bytes; beyond it snapshots become rarer in proportion
KERNELS = "dlcore.mlp_fast"
BEHIND, GROUP = 10, 5  # niceness of a worker that trains; of its group: a quarter of a core that others want, too
STOP_WAIT = 1.0  # seconds to wait for a checkpoint when stopping

_controls: dict[str, Control] = {}  # of the runs that this process is computing


class Control:
    """The wishes of the page for one run, left here by ``ask`` from the worker's event loop."""

    def __init__(self, changes: list[list[Any]]) -> None:
        self.steering = Steering([Changed(*change) for change in changes])
        self.wish: Callable[[int], Event] | None = None
        self._since = 0.0

    def leave(self, how: Callable[[int], Event]) -> None:
        """End the run (``Paused``, ``Stopped`` or what else ``how`` makes of the step) when it gave a checkpoint."""
        self._since = time.monotonic()
        self.wish = how  # last: the run's thread looks at it
        self.steering.ask_checkpoint()

    def leaves_at(self, event: Event) -> bool:
        """Whether the run ends after this event. Stopping does not insist on a checkpoint, pausing does."""
        if isinstance(event, Checkpoint) and event.step == self.steering.until:
            self.wish = self.wish or Paused
        if self.wish is None or isinstance(event, LAST):
            return False
        if isinstance(event, Checkpoint):
            if self.steering.pending:  # changes asked for before the pause take effect before it
                self.steering.ask_checkpoint()
                return False
            return not event.final
        return self.wish is not Paused and time.monotonic() - self._since > STOP_WAIT


def ask(run_id: str, action: str, *args: Any) -> bool:
    """Pass a wish (``"pause"``, ``"stop"``, ``"change"``) to a run of this process; False where it is not here."""
    control = _controls.get(run_id)
    if control is None:
        return False
    if action == "change":
        control.steering.change(*args)
    else:
        control.leave({"pause": Paused, "stop": Stopped}[action])
    return True


def active() -> list[str]:
    """The runs that this process is computing."""
    return list(_controls)


class Thinner:
    """Keeps of a stream of events what an eye can follow, and all that matters.

    Steps come at most every ``STEP_GAP``, snapshots of one name every ``SNAPSHOT_GAP`` (rarer when they are big or the
    log is long). What was held back is given out before any other kind of event, so the last step of an epoch or of the
    run is never lost.
    """

    def __init__(self) -> None:
        self.written = 0  # bytes, told by the log
        self._next: dict[str, float] = {}
        self._held: dict[str, Event] = {}

    def __call__(self, event: Event, now: float) -> list[Event]:
        """The events to be written now, in order."""
        if isinstance(event, Snapshot) and event.name == "frames":
            return [event]
        if not isinstance(event, (Step, Snapshot)):
            held, self._held = sorted(self._held.values(), key=lambda e: e.step), {}
            return [*held, event]
        key = event.name if isinstance(event, Snapshot) else ""
        if now < self._next.get(key, 0.0):
            self._held[key] = event
            return []
        self._held.pop(key, None)
        self._next[key] = now + self._gap(event)
        return [event]

    def _gap(self, event: Step | Snapshot) -> float:
        if isinstance(event, Step):
            return STEP_GAP
        size = sum(a.nbytes for a in event.arrays.values())
        return max(SNAPSHOT_GAP, size / SNAPSHOT_RATE) * (1 + self.written / LONG_LOG)


def run(job: dict[str, Any]) -> dict[str, Any] | None:
    """Perform one run, or the rest of one, and write it down.

    Args:
        job: ``folder``, ``run_id``, ``experiment``, ``config``, ``changes``, ``attempt``, ``resume`` (bool) and,
            if it is to rest again soon, ``steps`` (how many to do before).

    Returns:
        None, or ``Problem.to_dict()`` of a fault that is not in the log: it could not be written there.
    """
    folder = Path(job["folder"])
    try:
        with open_log(folder / LOG) as stream:
            if not _first_try(folder, job["attempt"]):
                return (
                    died().to_dict()
                )  # a cluster tries a dead worker's task again: the person decides, not the cluster
            _perform(job, folder, stream)
    except OSError as error:
        log.exception("run %s could not write its log", job["run_id"])
        return unwritable(folder.parent.parent, error).to_dict()
    return None


def _first_try(folder: Path, attempt: int) -> bool:
    try:
        (folder / f"attempt-{attempt}").touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def _perform(job: dict[str, Any], folder: Path, stream: Any) -> None:
    control = _controls[job["run_id"]] = Control(job["changes"])
    thin = Thinner()
    step = 0
    try:
        for event in _events(job, folder, control):
            step = event.step
            if isinstance(event, Checkpoint):
                replace_file(folder / CHECKPOINT, pack(event.state))
                event = replace(event, state={})
            for kept in thin(event, time.monotonic()):
                thin.written += append(stream, kept)
    finally:
        del _controls[job["run_id"]]
        log.info("run %s left its worker at step %d", job["run_id"], step)


def _events(job: dict[str, Any], folder: Path, control: Control) -> Iterator[Event]:
    """The experiment's events up to and with the one that ends it, whatever happens inside."""
    step = 0
    try:
        lesson = experiment(job["experiment"])
        config = lesson.Config(**job["config"])
        state = unpack((folder / CHECKPOINT).read_bytes()) if job["resume"] else None
        if steps := job.get("steps"):
            control.steering.until = (state["step"] if state else 0) + steps
        guard = Guard(job.get("limits", {}))
        events = lesson.run(config, resume=state, steering=control.steering)
        with contextlib.closing(events):  # type: ignore[type-var]  # an iterator by its protocol, a generator in fact
            for event in events:
                step = event.step
                yield event
                if isinstance(event, LAST):
                    return
                if control.leaves_at(event):
                    yield control.wish(step)  # type: ignore[misc]  # leaves_at is True only with a wish
                    return
                if control.wish is None and (problem := guard.met(event)):
                    if isinstance(event, Started):  # nothing to keep yet
                        yield Failed(step, problem.to_dict())
                        return
                    control.leave(partial(Failed, problem=problem.to_dict()))
        raise RuntimeError("the experiment ended without a last event")
    except GeneratorExit:
        raise
    except BaseException as error:
        log.exception("run %s failed", job["run_id"])
        yield Failed(step, problem_of(error).to_dict())


def problem_of(error: BaseException) -> Problem:
    """What to tell of an exception, as a Problem (itself, if it is one)."""
    if isinstance(error, Problem):
        return error
    name, text = type(error).__name__, " ".join(str(error).split())
    if isinstance(error, MemoryError) or name == "OutOfMemoryError" or "can't allocate memory" in text:
        return out_of_memory()
    return Problem(
        N_("The computation failed: {name}: {text}. This is a fault of the program; the server's log has the details."),
        kind="crash",
        name=name,
        text=text[:200],
    )


def out_of_memory() -> Problem:
    """The Problem of a run that needed more memory than there is."""
    return Problem(
        N_(
            "This run needed more memory than its worker has. "
            "Choose a smaller batch, network or training set and start again."
        ),
        kind="out_of_memory",
    )


def died() -> Problem:
    """The Problem of a run whose worker process ended under it."""
    return Problem(
        N_(
            "The worker process of this run ended unexpectedly. Other runs are not affected. "
            "Resume from the last checkpoint if there is one, or start again."
        ),
        kind="worker_died",
    )


def answer(function: str, blob: bytes, limit: float) -> bytes:
    """Call ``"module:name"`` with packed arguments; the packed result, or the packed Problem.

    A call that computes far beyond its caller's patience would block those behind it: its process is replaced.
    """
    guard = threading.Timer(limit, os._exit, [1])
    guard.daemon = True
    guard.start()
    try:
        module, _, name = function.partition(":")
        args, kwargs = unpack(blob)
        result = getattr(importlib.import_module(module), name)(*args, **kwargs)
        return pack({"result": result})
    except BaseException as error:
        if not isinstance(error, Problem):
            log.exception("call of %s failed", function)
        return pack({"problem": problem_of(error).to_dict()})
    finally:
        guard.cancel()


def facts() -> dict[str, Any]:
    """What the web process shows but must not find out itself: device and versions. Imports torch."""
    import torch

    from dlcore.device import choose_device, device_name

    return {"device": device_name(choose_device(), threads=False), "torch": str(torch.__version__)}


def fall_behind() -> None:
    """Let pages and answers come first where they and this worker want the same core.

    On Linux a session is a scheduling group (``sched_autogroup``), and groups share a core alike, however nice their
    processes are among themselves: two trainings would halve what the web process gets. So this worker becomes a group
    of its own, and that is nice. Those that answer stay in the other group: on a full machine pages wait for them.
    """
    if hasattr(os, "nice"):
        os.nice(BEHIND)
    with contextlib.suppress(OSError, AttributeError):  # another system, or a kernel without such groups
        os.setsid()
        Path("/proc/self/autogroup").write_text(str(GROUP))


def dask_setup(worker: Any) -> None:
    """Called by dask in each worker process as it starts (``--preload dlcore.jobs.worker``)."""
    lanes = worker.state.total_resources
    if "train" in lanes:
        fall_behind()
    if os.environ.get("DLCORE_WARM", "1") != "0":
        threading.Thread(target=_warm_up, args=[lanes], daemon=True, name="warm-up").start()


def _warm_up(lanes: dict[str, float]) -> None:
    """Import (and compile) ahead of need what takes seconds, after the worker has registered."""
    computes_tensors = bool(lanes.keys() & {"train", "interactive"})
    names = ["torch", "torchvision", "dlcore.training"] if computes_tensors else ["numpy"]
    if lanes.keys() & {"light", "interactive"} and find_spec("numba"):
        names.append(KERNELS)
    for name in names:
        try:
            module = importlib.import_module(name)
            if name == KERNELS:
                module.warm()
        except Exception:  # the run that needs it will say what is wrong
            log.exception("could not prepare %s ahead of need", name)
            return
