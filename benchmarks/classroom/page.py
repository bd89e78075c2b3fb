"""What a browser keeps of the messages that Streamlit sends it: elements, timers, values of widgets, cached messages.

It follows the frontend of Streamlit 1.67: a full run of the script stops all timers and sweeps what it has not drawn
again, a fragment's run sweeps its own; messages above 10 kB are kept for two runs and then come as a hash.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

DONE, EARLY, DONE_FRAGMENT = (
    ForwardMsg.FINISHED_SUCCESSFULLY,
    ForwardMsg.FINISHED_EARLY_FOR_RERUN,
    ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY,
)
ENDED = ("Finished", "Diverged", "Stopped", "Interrupted")  # how the run panel says it, in English
KEPT_RUNS = 2  # for how many runs a cached message may go unused, unless the server says otherwise


@dataclass
class Shown:
    """One element on the page: its kind (``"progress"``), what was sent, and who drew it when."""

    kind: str
    body: Any
    fragment: str
    run: str


class Page:
    """One page of one session. ``take`` is given each message in turn."""

    def __init__(self, query: str = "") -> None:
        self.shown: dict[tuple[int, ...], Shown] = {}
        self.values: dict[str, WidgetState] = {}
        self.timers: dict[str, float] = {}  # fragment: seconds
        self.pages: dict[str, str] = {}  # url path: hash of its script
        self.script = self.session = self.run = ""
        self.query = query
        self.bytes = 0
        self._keep = KEPT_RUNS
        self._runs = 0
        self._cached: dict[str, list[Any]] = {}  # hash: message, run in which it was last used, fragment

    @property
    def hashes(self) -> list[str]:
        """The messages that the server need not send again."""
        return list(self._cached)

    def take(self, payload: bytes) -> tuple[str, ForwardMsg]:
        """Bring the page up to date with one message; returns its type and the message."""
        self.bytes += len(payload)
        message = ForwardMsg.FromString(payload)
        kind, source = str(message.WhichOneof("type")), message
        if kind == "ref_hash":
            known = self._cached[message.ref_hash]
            known[1] = self._runs
            kind, source = "delta", known[0]
        elif message.metadata.cacheable and message.hash:
            self._cached.setdefault(message.hash, [message, self._runs, message.delta.fragment_id])
        if kind == "delta":
            self._draw(tuple(message.metadata.delta_path), source.delta, message.metadata.run.script_run_id)
        elif kind in ("new_session", "navigation", "auto_rerun", "stop_auto_rerun", "script_finished"):
            getattr(self, f"_{kind}")(message)
        return kind, message

    def _new_session(self, message: ForwardMsg) -> None:
        known = message.new_session
        self.run, self.script = message.metadata.run.script_run_id, known.page_script_hash
        self.session = known.initialize.session_id or self.session
        self._keep = known.config.max_cached_message_age or self._keep
        if not message.metadata.run.fragment_ids:
            self.timers.clear()

    def _navigation(self, message: ForwardMsg) -> None:
        self.pages = {page.url_pathname: page.page_script_hash for page in message.navigation.app_pages}
        self.script = message.navigation.page_script_hash or self.script

    def _auto_rerun(self, message: ForwardMsg) -> None:
        self.timers[message.auto_rerun.fragment_id] = message.auto_rerun.interval

    def _stop_auto_rerun(self, message: ForwardMsg) -> None:
        for fragment in message.stop_auto_rerun.fragment_ids:
            self.timers.pop(fragment, None)

    def _draw(self, path: tuple[int, ...], delta: Any, run: str) -> None:
        if delta.WhichOneof("type") != "new_element":
            return
        kind = str(delta.new_element.WhichOneof("type"))
        body = getattr(delta.new_element, kind)
        self.shown[path] = Shown(kind, body, delta.fragment_id, run or self.run)
        name = getattr(body, "id", "")
        if name and (value := _initial(kind, body)) and (name not in self.values or getattr(body, "set_value", False)):
            self.values[name] = value
        if kind == "bidi_component" and name.endswith("-address-line"):
            self.query = json.loads(body.json)[0]["query"]  # the component replaces the browser's address by this

    def _script_finished(self, message: ForwardMsg) -> None:
        run, status = message.metadata.run, message.script_finished
        fragments = list(run.fragment_ids)
        if status in (DONE, DONE_FRAGMENT):
            self.shown = {
                path: one
                for path, one in self.shown.items()
                if one.run == run.script_run_id or (fragments and one.fragment not in fragments)
            }
            there = {getattr(one.body, "id", "") for one in self.shown.values()}
            self.values = {name: value for name, value in self.values.items() if name in there}
        if status != EARLY:
            self._forget(fragments)

    def _forget(self, fragments: list[str]) -> None:
        """Let go of cached messages that were not used lately (of the fragments that have run, or of all)."""
        self._runs += 1
        for name, (_message, used, fragment) in list(self._cached.items()):
            if self._runs - used > self._keep and (not fragments or fragment in fragments):
                del self._cached[name]

    # ---- looking at it ----------------------------------------------------------------------------------------------

    def all(self, kind: str) -> Iterator[Any]:
        """Every element of a kind."""
        return (one.body for one in self.shown.values() if one.kind == kind)

    def find(self, key: str) -> Shown | None:
        """The widget whose key on the page begins with ``key`` (an imposed value gives it a number behind that)."""
        for one in self.shown.values():
            known = getattr(one.body, "id", "").split("-", 2)[-1]
            if known == key or known.startswith(f"{key}."):
                return one
        return None

    def ended(self) -> str | None:
        """How the run that the page shows has ended, once the whole page has been drawn for it."""
        if any(getattr(button, "id", "").endswith(".run.stop") for button in self.all("button")):
            return None
        return next((word for word in ENDED for text in self.progress() if text.startswith(word)), None)

    def progress(self) -> list[str]:
        """What stands over the progress bars."""
        return [bar.text for bar in self.all("progress")]

    def faults(self) -> list[str]:
        """What would stand in red on the page."""
        told = [error.message for error in self.all("exception")]
        return told + [box.body for box in self.all("alert") if box.format == box.ERROR]


def _initial(kind: str, body: Any) -> WidgetState | None:
    """What the frontend sends along of a stock widget that nobody has touched."""
    state = WidgetState(id=body.id)
    if kind == "checkbox":
        state.bool_value = body.value if body.set_value else body.default
    elif kind == "number_input":
        state.double_value = body.value if body.set_value else body.default
    elif kind == "selectbox" and body.options:
        state.string_value = body.raw_value if body.set_value else body.options[body.default]
    elif kind == "text_input":
        state.string_value = body.value if body.set_value else body.default
    elif kind == "button_group" and body.set_value:
        state.string_array_value.data.extend(body.raw_values)
    else:
        return None
    return state
