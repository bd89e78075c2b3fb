"""Short answers from a worker: one function call there and back, in builtins and arrays."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlcore.events import pack, unpack
from dlcore.experiments import extras
from dlcore.jobs import worker
from dlcore.texts import N_, Problem

if TYPE_CHECKING:
    from dlcore.jobs.broker import Broker

OVERTIME = 10.0  # seconds that a call may go on after its caller has given up, before its process is replaced


def call_worker(
    broker: Broker, function: Callable[..., Any] | str, args: Any, kwargs: Any, timeout: float, lane: str
) -> Any:
    """See ``dlcore.jobs.call``."""
    name = function if isinstance(function, str) else f"{function.__module__}:{function.__qualname__}"
    _check(name)
    blob = pack([_plain(list(args)), _plain(kwargs)])
    deadline = time.monotonic() + timeout
    broker.settled.wait(timeout)
    if broker.problem is not None and broker.link is None:
        raise broker.problem
    if broker.link is None:
        raise _late(timeout)
    future = broker.link.submit(lane, worker.answer, name, blob, timeout + OVERTIME)
    try:
        said = unpack(future.result(timeout=max(0.0, deadline - time.monotonic())))
    except TimeoutError:
        future.cancel()
        raise _late(timeout) from None
    except Exception as error:  # the worker died, or the cluster went away
        raise Problem(
            N_("The worker that was to answer ended unexpectedly ({name}). It is being replaced: try again."),
            kind="worker_died",
            name=type(error).__name__,
        ) from None
    if "problem" in said:
        raise Problem.from_dict(said["problem"])
    return said["result"]


def _check(name: str) -> None:
    """Only functions of this project may be called, whatever a page hands over."""
    module, _, attribute = name.partition(":")
    ours = module.split(".")[0] == "dlcore" or module in extras().values()
    if not ours or not attribute.isidentifier():
        raise ValueError(f"{name} is not a function at the top of a module of dlcore")


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return os.fspath(value)
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_plain(v) for v in value)
    return value


def _late(timeout: float) -> Problem:
    return Problem(
        N_("No answer came within {seconds} seconds; the workers are busy. Try again."),
        kind="timeout",
        seconds=f"{timeout:g}",
    )
