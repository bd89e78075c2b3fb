"""Which runs on disk have to go: old ones, and the oldest of whoever has too many. None that a server still needs."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

from dlcore.events import LAST
from dlcore.jobs.servers import is_gone
from dlcore.jobs.store import Record, Store

Needed = Callable[[Record], bool]
PATIENCE = 40.0  # seconds more than a server may be silent, in which another takes its runs over


def is_needed(record: Record, store: Store) -> bool:
    """Whether some server of this state computes a run or lets it wait."""
    newest = store.newest(record.run_id)  # another server may have taken it up since it was read here
    if newest is None or isinstance(store.last(record.run_id), LAST):
        return False
    return not is_gone(newest, store, PATIENCE)


def clean(store: Store, needed: Needed, *, days: float, most_bytes: float, each: float = 0.0) -> int:
    """Remove runs older than ``days`` and the oldest beyond ``most_bytes`` in all, or ``each`` of one owner.

    Returns how many. 0 for ``days`` and ``each``: no limit. A run that is needed stays whatever it takes.
    """
    removed, total = 0, 0
    of_owner: Counter[str] = Counter()
    oldest = time.time() - days * 86400 if days else 0.0
    for record in store.all():  # the newest first
        size = store.size(record.run_id)
        too_much = total + size > most_bytes or (each and of_owner[record.owner] + size > each)
        if (too_much or record.created < oldest) and not needed(record):
            store.forget(record.run_id)
            removed += 1
        else:  # only what stays takes room from the others
            total += size
            of_owner[record.owner] += size
    return removed


def clean_own(store: Store, needed: Needed, owner: str, most: int) -> int:
    """Remove an owner's oldest runs (the owner named by the hash) beyond ``most``; 0: no limit. Returns how many."""
    oldest = [record for record in store.of(owner)[most:] if not needed(record)] if most else []
    for record in oldest:
        store.forget(record.run_id)
    return len(oldest)
