"""Two things that Streamlit 1.67 makes anew in every run of a fragment, made once: a fourth of what a tick costs.

By a profile of the web process under watched runs, 18 % of its time went into a class that it defines for each
component on the page, and 7 % into the theme's options, which it reads into each run's first message. Both functions
are replaced from outside; ``tests/test_lighter.py`` holds that pages get what they got before. Where an upgrade has
moved them, Streamlit is left as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streamlit.components.v2.bidi_component import main as components
from streamlit.runtime import app_session

PRESENTER, THEME = "make_bidi_component_presenter", "_populate_theme_msg"


class Said(dict[str, Any]):
    """What a component has said, as ``st.session_state`` shows it. Written to it is nothing: pages only read."""

    def __getattr__(self, name: str) -> Any:
        return self.get(name)


def presenter(aggregator: str, *_others: Any) -> Callable[[Any, Any], Any]:
    """Streamlit's ``make_bidi_component_presenter``: a component's state with the events of this run, to be read."""

    def present(state: Any, session: Any) -> Any:
        kept = session._new_widget_state
        about = kept.widget_metadata.get(aggregator)
        if not isinstance(state, dict) or about is None or about.value_type != "json_trigger_value":
            return state
        try:
            events = kept[aggregator]
        except KeyError:
            events = None
        events = events if isinstance(events, list) else [events]
        told = {e["event"]: e.get("value") for e in events if isinstance(e, dict) and isinstance(e.get("event"), str)}
        return Said({**told, **state})

    return present


def once(populate: Callable[..., None]) -> Callable[..., None]:
    """Streamlit's ``_populate_theme_msg`` with what it made the first time: the theme stands in a file, and stays."""
    made: dict[str, Any] = {}

    def populated(message: Any, section: str = "theme") -> None:
        if section not in made:
            fresh = type(message)()
            populate(fresh, section)
            made[section] = fresh
        if made[section].ByteSize():  # an empty one would still be sent
            message.CopyFrom(made[section])

    return populated


def lighten() -> None:
    """Put both in their places."""
    if hasattr(components, PRESENTER):
        setattr(components, PRESENTER, presenter)
    if hasattr(app_session, THEME):
        setattr(app_session, THEME, once(getattr(app_session, THEME)))
