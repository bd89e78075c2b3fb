"""Answers from a worker that a page does not wait for."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from threading import Lock
from typing import Any

import streamlit as st

from dlcore import jobs
from dlcore.texts import Problem
from ui.i18n import tell
from ui.session import asker

MOST_KEPT = 200  # answers; they are small
AT_ONCE = 8  # most of them wait: a browser has one call at a time
_pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="later")
_asked: OrderedDict[Hashable, Future[Any]] = OrderedDict()
_lock = Lock()


def later(key: Hashable, function: Callable[..., Any] | str, *args: Any) -> Any | None:
    """The answer of ``jobs.call(function, *args)``, or None while there is none; ask again at the next tick.

    Args:
        key: names the question; the same question is asked only once in this process, by whatever session.

    Raises:
        Problem: the worker could not answer. The question may be asked again.
    """
    if jobs.status().state != "ready":
        return None
    with _lock:  # sessions are threads, and ask at the same time
        if key not in _asked:
            _asked[key] = _pool.submit(partial(jobs.call, function, *args, owner=asker()))
            while len(_asked) > MOST_KEPT:
                _asked.popitem(last=False)
        future = _asked[key]
        if not future.done():
            return None
        if future.exception() is not None:
            _asked.pop(key, None)
    return future.result()


def as_it_comes(draw: Callable[[Any | None, Problem | None], None], ask: Callable[[], Any | None]) -> None:
    """Call ``draw(answer, problem)`` now, and once more when the answer has come (None before).

    Args:
        ask: ``partial(later, …)``. Why its answer will not come (``problem``) is told below what was drawn.
    """
    answer, problem = _try(ask)
    waiting = answer is None and problem is None
    st.fragment(_look, run_every=1.0 if waiting else None)(draw, ask, waiting)


def _look(draw: Callable[..., None], ask: Callable[[], Any | None], was_waiting: bool) -> None:
    answer, problem = _try(ask)
    if was_waiting and answer is not None:
        st.rerun()  # once: no more asking
    draw(answer, problem)
    if problem:
        st.caption(tell(problem))


def _try(ask: Callable[[], Any | None]) -> tuple[Any | None, Problem | None]:
    try:
        return ask(), None
    except Problem as problem:
        return None, problem
