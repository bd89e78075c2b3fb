"""Says that a dataset (or a network) is not on this machine, and fetches it with progress, where a page needs it."""

from __future__ import annotations

import streamlit as st

from dlcore.data import catalogue, download
from ui.controls import put_value
from ui.i18n import _, tell

TICK = 0.5  # seconds


def data_box(name: str, knob: str = "dataset", *, instead: str = "") -> bool:
    """Draw nothing where the dataset is here (or embedded); else the offer to download it, and how far that is.

    Returns whether the dataset is here: without it no run can begin. ``knob`` is what the built-in data is put into:
    its name, or ``instead``.
    """
    if not catalogue.offered(name) or catalogue.locate(name):
        return True
    work = download.background(name)
    running = work is not None and work.running
    st.fragment(_box, run_every=TICK if running else None)(name, knob, instead)
    return False


def _box(name: str, knob: str, instead: str) -> None:
    entry, work = catalogue.dataset(name), download.background(name)
    with st.container(border=True, key="data-box"):
        if work is not None and work.running:
            done, total = work.done / 1e6, work.total / 1e6
            words = _("Downloading {title}: {done:.1f} of {total:.1f} MB")
            st.progress(min(1.0, done / total), words.format(title=_(entry.title), done=done, total=total))
            return
        if catalogue.locate(name):
            st.rerun()  # it has arrived: the page as a whole may use it
        st.markdown(tell(work.problem if work is not None and work.problem else catalogue.missing(name)))
        with st.container(horizontal=True, gap="small"):
            if entry.size < 1e6:
                words = _("Download {kilobytes:.0f} kB now").format(kilobytes=max(1, entry.size / 1e3))
            else:
                words = _("Download {megabytes:.0f} MB now").format(megabytes=entry.size / 1e6)
            if st.button(words, icon=":material/download:", key=f"data-box.{name}"):
                download.in_background(name)
                st.rerun()
            words = _("Use {built_in}").format(built_in=_(entry.stand_in_title))
            if st.button(words, icon=":material/swap_horiz:", key=f"data-box.{name}.stand-in"):
                put_value(knob, instead or entry.stand_in)
                st.rerun()
