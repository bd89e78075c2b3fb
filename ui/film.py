"""A network's maps of one image while it trains, as a film: live at its end, and back over the whole run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from dlcore.history import History
from ui.anatomy import SCALES
from ui.components import component, pack
from ui.i18n import _
from ui.session import in_fragment, page_state

_mount = component("film", height="280px")
OVERLAP = 3  # messages whose frames are sent again, since one that is overtaken by the next never arrives
MOST = 60  # frames that are sent of a long run


def film(history: History, *, slug: str, run: str) -> None:
    """Draw it. While a run goes on a message holds the newest frames only; the whole film goes out once."""
    state = page_state(slug)
    sent = state.get("film", {})
    if sent.get("run") != run or not in_fragment() or sent.get("all"):
        sent = {"run": run, "steps": [-1] * OVERLAP}
    frames = thinned(history.frames.since(sent["steps"][0]))
    newest = int(frames["step"][-1]) if frames else sent["steps"][-1]
    state["film"] = {"run": run, "steps": [*sent["steps"][1:], newest]}

    def missing() -> None:
        state["film"]["all"] = True

    probe, kept = history.snapshots.get("probe"), history.frames.kept
    payload = {
        "run": run, "steps": frames.get("step"), "layers": _layers(frames),
        "first": int(kept[0]["step"]) if kept else None,
        "image": None if probe is None else probe.arrays["image"], "scales": SCALES, "texts": _texts(),
    }  # fmt: skip
    _mount(key="film", data=pack(payload), on_all_change=missing)


def forget(slug: str) -> None:
    """The film is not on the page: when it is shown again, the browser has none of it."""
    page_state(slug).pop("film", None)


def thinned(frames: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """At most ``MOST`` of the stacked frames, evenly, with the first and the last."""
    if not frames or len(frames["step"]) <= MOST:
        return dict(frames)
    chosen = np.unique(np.linspace(0, len(frames["step"]) - 1, MOST).round().astype(int))
    return {name: array[chosen] for name, array in frames.items()}


def _layers(frames: Mapping[str, np.ndarray]) -> list[dict[str, Any]]:
    names = [name.removeprefix("maps/") for name in frames if name.startswith("maps/")]
    return [{"name": n, "values": frames[f"maps/{n}"], "scale": frames[f"scale/{n}"]} for n in names]


def _texts() -> dict[str, str]:
    return {
        "alt": _("Some maps of every layer for one test image, as they are at the step shown below."),
        "invite": _("Press Train: what each layer makes of one test image will form here."),
        "image": _("image"), "play": _("Play"), "pause": _("Pause"), "step": _("Step"),
        "scrub": _("Step shown; arrow keys move it"), "speed": _("Speed"),
    }  # fmt: skip
