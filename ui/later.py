"""Answers from a worker that a page does not wait for."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from dlcore import jobs

MOST_KEPT = 200  # answers; they are small
_pool = ThreadPoolExecutor(2, thread_name_prefix="later")
_asked: OrderedDict[Hashable, Future[Any]] = OrderedDict()


def later(key: Hashable, function: Callable[..., Any], *args: Any) -> Any | None:
    """The answer of ``jobs.call(function, *args)``, or None while there is none; ask again at the next tick.

    Args:
        key: names the question; the same question is asked only once in this process, by whatever session.

    Raises:
        Problem: the worker could not answer. The question may be asked again.
    """
    if jobs.status().state != "ready":
        return None
    if key not in _asked:
        _asked[key] = _pool.submit(jobs.call, function, *args)
        while len(_asked) > MOST_KEPT:
            _asked.popitem(last=False)
    future = _asked[key]
    if not future.done():
        return None
    if future.exception() is not None:
        _asked.pop(key, None)
    return future.result()
