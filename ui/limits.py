"""How much one browser, one address and all together may ask of the server, and how that is counted.

The numbers are far above what people do: a lesson that is opened for the first time makes about 200 requests, a held
slider sends 10 messages a second, and a class of thirty may sit behind one address. ``docs/security.md`` has the table.
"""

from __future__ import annotations

import os
from collections import Counter, OrderedDict
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache

MOST_URL = 32_000  # bytes of path and query; the longest link that a page makes (a drawn picture, points) has 6,000
MOST_HEADERS = 32_000  # bytes of names and values
MOST_BODY = 64_000  # bytes of a request that is no upload
KEYS = 10_000  # browsers or addresses that are remembered; those seen longest ago are forgotten


@dataclass
class Buckets:
    """A token bucket for each key: ``rate`` tokens come back a second, up to ``burst``.

    Time is handed in (seconds of any clock that only goes forward), so that tests need not wait.
    """

    rate: float
    burst: float
    _left: OrderedDict[Hashable, tuple[float, float]] = field(default_factory=OrderedDict)  # tokens, when

    def take(self, key: Hashable, now: float, *, debt: bool = False) -> float:
        """Take a token; returns the seconds until there is one, 0.0 where there was.

        Args:
            debt: take it also where there is none, so that who waits as long as told is at the rate.
        """
        left, when = self._left.pop(key, (self.burst, now))
        left = min(self.burst, left + (now - when) * self.rate)
        short = left < 1.0
        self._left[key] = (left if short and not debt else left - 1.0, now)
        while len(self._left) > KEYS:
            self._left.popitem(last=False)
        return (1.0 - left) / self.rate if short else 0.0


class Places:
    """How much of something is taken now, by key."""

    def __init__(self) -> None:
        self._taken: Counter[Hashable] = Counter()

    def __getitem__(self, key: Hashable) -> int:
        return self._taken[key]

    @contextmanager
    def taken(self, *keys: Hashable, each: int = 1) -> Iterator[None]:
        """Take ``each`` for every key as long as the block lasts."""
        self._taken.update(dict.fromkeys(keys, each))
        try:
            yield
        finally:
            self._taken.subtract(dict.fromkeys(keys, each))
            for key in keys:
                if self._taken[key] <= 0:
                    del self._taken[key]


@dataclass(frozen=True)
class Limits:
    """The numbers. Each can be set in the environment, as ``DLCORE_`` and its name in capitals; 0 takes it away."""

    sessions: int = 400  # open pages (tabs) of the whole server
    sessions_per_browser: int = 20
    sessions_per_address: int = 300
    requests_per_second: float = 60.0  # of one browser, HTTP; ten times as many at once, and of one address
    messages_per_second: float = 40.0  # of one browser, by WebSocket; five times as many at once
    connects_per_second: float = 3.0  # of one browser, WebSockets opened; twenty times as many at once
    upload_megabytes: float = 1000.0  # files of all sessions that are kept in memory
    session_megabytes: float = 200.0  # of one session

    @classmethod
    @cache
    def from_environment(cls) -> Limits:
        """The limits of this server. Raises ``ValueError`` where a variable is no number."""
        found = {}
        for name, default in vars(cls()).items():
            text = os.environ.get(f"DLCORE_{name.upper()}", "")
            if text:
                value = type(default)(text)
                if not value >= 0:
                    raise ValueError(f"DLCORE_{name.upper()}={text}: a number of 0 or more is wanted")
                found[name] = value or type(default)(10**9)
        return cls(**found)
