"""A zip on its way through a worker, in a thread of its own, with how far it is."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import streamlit as st

from dlcore import jobs
from dlcore.data import own_images
from dlcore.texts import Problem
from ui.i18n import _
from ui.session import asker

TICK = 0.5  # seconds
PATIENCE = own_images.MOST_SECONDS + 60  # seconds for a worker's answer


class Reading:
    """One zip that ``read(bytes, note)`` reads in a worker. Its end is in ``found`` or ``problem``."""

    def __init__(self, blob: bytes, read: Callable[..., dict[str, Any]]) -> None:
        self.note = hashlib.sha256(blob).hexdigest()[:32]
        self.found: dict[str, Any] | None = None
        self.problem: dict[str, Any] | None = None
        work = (blob, read, asker())  # that thread draws no page
        self._thread = threading.Thread(target=self._work, args=work, name="own-images", daemon=True)
        self._thread.start()

    def _work(self, blob: bytes, read: Callable[..., dict[str, Any]], owner: str) -> None:
        content = np.frombuffer(blob, np.uint8)
        try:
            self.found = jobs.call(read, content, self.note, timeout=PATIENCE, lane="light", owner=owner)
        except Problem as problem:
            self.problem = problem.to_dict()
        finally:
            own_images.forget(self.note)

    @property
    def running(self) -> bool:
        """Whether it still works."""
        return self._thread.is_alive()


def show_progress(reading: Reading, ended: Callable[[Reading], None]) -> None:
    """A bar that follows the reading; ``ended`` is called once when it has ended, and the page is drawn anew."""
    st.fragment(_progress, run_every=TICK)(reading, ended)


def _progress(reading: Reading, ended: Callable[[Reading], None]) -> None:
    if reading.running:
        done, total = own_images.progress(reading.note)
        words = _("Reading picture {n:,} of {total:,} …") if total else _("Reading the zip …")
        st.progress(done / total if total else 0.0, words.format(n=done, total=total))
        return
    ended(reading)
    st.rerun()
