"""Which network answers: those of ImageNet (here, or to be fetched), this project's own, and one's own runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from dlcore import jobs
from dlcore.texts import N_
from dlcore.vision.names import imagenet
from dlcore.vision.networks import KNOWN, SHIPPED, available
from ui.data_box import data_box
from ui.i18n import _, language
from ui.session import current, imposed, in_fragment, owner, page_state
from ui.sources import own_runs, title_of

RUN = "run:"
NONE = "none"
TITLES = {"digits": N_("Our digit reader"), "backbone": N_("Our small network"), NONE: N_("Nobody")}


def offered(slug: str) -> dict[str, str]:
    """Names and titles of all networks: those that can answer now, this browser's own runs, those to be fetched.

    While a slider is held it is not looked up again.
    """
    state = page_state(slug)
    if not (in_fragment() and "networks" in state):
        ready = available()
        own = {RUN + run_id: title_of(history) for run_id, history in own_runs().items()}
        state["networks"] = {**{name: title(name) for name in ready}, **own,
                             **{name: _to_fetch(name) for name in KNOWN if name not in ready}}  # fmt: skip
    return state["networks"]


def title(name: str) -> str:
    """What a network is called; a run of one's own as the list calls it."""
    if name in KNOWN:
        return KNOWN[name].title
    return page_state(current()).get("networks", {}).get(name, name) if name.startswith(RUN) else _(TITLES[name])


def _to_fetch(name: str) -> str:
    return _("{title} (to be downloaded: {megabytes:.0f} MB)").format(
        title=KNOWN[name].title, megabytes=KNOWN[name].megabytes * 1.048576
    )


def choose(label: str, key: str, name: str, take: Callable[[str], None], *, slug: str, nobody: bool = False) -> None:
    """A list to choose from; ``take`` is called with the name."""
    titles = {**({NONE: _(TITLES[NONE])} if nobody else {}), **offered(slug)}
    name = name if name in titles else next(iter(titles))
    words = _("ImageNet’s networks know 1000 things on photographs; ours are small, and always here.")
    st.selectbox(label, list(titles), format_func=titles.__getitem__, help=words, **imposed(key, name, take))


def ready(name: str) -> bool:
    """Whether a network can answer now; else the offer to fetch it is drawn here."""
    return data_box(name, "model", instead=SHIPPED[-1]) if name in KNOWN else True


def worker_name(name: str) -> str:
    """The name by which workers know the network. Raises ``Problem`` where a run is not this browser's."""
    if not name.startswith(RUN):
        return name
    return RUN + str(jobs.checkpoint(name.removeprefix(RUN), owner=owner()))


def class_names(name: str, labels: list[str], index: list[int]) -> list[str]:
    """Classes as the session's language calls them; ``labels`` and ``index`` as they were answered."""
    listed = imagenet(language()) if name in KNOWN else None
    if listed:
        return [listed[k] for k in index]
    return labels if name in KNOWN else [_(text) if text else text for text in labels]


def costs(name: str) -> dict[str, Any]:
    """``parameters``, ``multiply_adds``, ``shape`` and ``classes`` of a network. Raises ``Problem``."""
    if name in KNOWN:
        known = KNOWN[name]
        counts = {"parameters": known.parameters, "multiply_adds": round(known.gflops * 1e9)}
        return {**counts, "shape": (3, 224, 224), "classes": 1000}
    return _counted(worker_name(name))


@st.cache_data(max_entries=64, show_spinner=False)
def _counted(name: str) -> dict[str, Any]:
    return jobs.call("dlcore.experiments.classify_look:costs", name)
