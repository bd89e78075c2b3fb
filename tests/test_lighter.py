"""What is made once instead of in every run is what Streamlit makes itself."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from streamlit import config
from streamlit.components.v2 import presentation
from streamlit.proto.NewSession_pb2 import CustomThemeConfig
from streamlit.runtime import app_session

from ui import lighter


def session(events: Any, kind: str = "json_trigger_value") -> Any:
    class Kept(dict[str, Any]):
        widget_metadata: Any = None

    kept = Kept({} if events == "none" else {"agg": events})
    kept.widget_metadata = {"agg": SimpleNamespace(value_type=kind)}
    return SimpleNamespace(_new_widget_state=kept)


EVENTS = [
    None, "none", [], {"event": "drop", "value": 3}, [{"event": "a", "value": 1}, {"event": "b"}, 7, {"event": 5}],
    [{"event": "value", "value": "hidden by the state"}],
]  # fmt: skip


@pytest.mark.parametrize("events", EVENTS)
@pytest.mark.parametrize("state", [{"value": {"x": 1}}, {}, None, 5])
@pytest.mark.parametrize("kind", ["json_trigger_value", "other"])
def test_a_component_is_shown_as_streamlit_shows_it(events, state, kind):
    original: Any = presentation.make_bidi_component_presenter("agg", "id", {"value"})(state, session(events, kind))
    ours = lighter.presenter("agg", "id", {"value"})(state, session(events, kind))
    assert ours == original
    if isinstance(original, dict) and type(original) is not dict:
        assert ours.value == original.get("value")
        assert ours.nothing is None


def test_without_events_to_come_the_state_is_handed_on_as_it_is():
    state, strange = {"value": 1}, SimpleNamespace(_new_widget_state=SimpleNamespace(widget_metadata={}))
    assert lighter.presenter("agg")(state, strange) is state


@pytest.mark.parametrize("section", ["theme", "theme.light", "theme.dark", "theme.sidebar"])
def test_the_theme_is_the_same_each_time_and_read_once(section, monkeypatch):
    wanted = CustomThemeConfig()
    original = getattr(app_session, lighter.THEME)
    original(wanted, section)
    populated, reads = lighter.once(original), []
    known = config.get_options_for_section
    monkeypatch.setattr(config, "get_options_for_section", lambda name: reads.append(name) or known(name))
    for _ in range(3):
        got = CustomThemeConfig()
        populated(got, section)
        assert got.SerializeToString(deterministic=True) == wanted.SerializeToString(deterministic=True)
    assert reads == [section]


def test_an_empty_section_is_not_sent():
    whole = CustomThemeConfig()
    lighter.once(lambda message, section: None)(whole.sidebar, "theme.sidebar")
    assert not whole.ByteSize()


def test_the_places_are_where_they_were():
    """After an upgrade of Streamlit that moves them, pages go on as before, and this says so."""
    assert hasattr(lighter.components, lighter.PRESENTER)
    assert hasattr(app_session, lighter.THEME)
