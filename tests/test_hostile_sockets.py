"""What a student could say on a page's socket: forged origins and sessions, noise, odd wishes, floods."""

from __future__ import annotations

import random
import re
import time

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection

from tests.hostile_server import browser, goes_on, hello, ours_only, server, socket, told
from tests.serving import PAGE, exceptions
from tests.waiting import until

__all__ = ["goes_on", "server"]  # fixtures
MOST = 8 * 10**6  # server.maxWidgetStateSize


def test_a_page_of_another_origin_opens_no_socket(server):
    for origin in ("https://evil.example", "null", "http://127.0.0.1.evil.example", "file://"):
        with pytest.raises(InvalidStatus) as refused:
            socket(server, browser(server), origin=origin)  # type: ignore[arg-type]
        assert refused.value.response.status_code == 403


def test_nobody_comes_back_to_another_browser_s_session(server):
    mine, other = browser(server), browser(server)
    with socket(server, mine) as ws:
        first, _messages = hello(ws)
    with socket(server, other, first) as ws:
        assert hello(ws)[0] != first
    with socket(server, "", first) as ws:
        assert hello(ws)[0] != first
    with socket(server, mine, first) as ws:
        assert hello(ws)[0] == first, "its own browser does"


def test_a_browser_has_no_more_pages_than_it_may(server):
    mine = browser(server)
    with socket(server, mine), socket(server, mine):
        with socket(server, mine):
            full = server.get("/cnn", headers={**PAGE, "Cookie": mine, "Accept-Language": "zh"})
            with pytest.raises(InvalidStatus) as refused:
                socket(server, mine)
        until(lambda: server.get("/cnn", headers={**PAGE, "Cookie": mine}).ok, 10)
    assert full.status_code == refused.value.response.status_code == 503
    assert "这个浏览器" in full.text


FRAMES: dict[str, tuple[object, int]] = {  # what is sent, and the code with which it is closed
    "text": ("hello", 1003),
    "noise": (random.Random(1).randbytes(500), 1002),
    "a message cut short": (b"\x5a\xff\xff\xff\x7f", 1002),
    "nine megabytes": (bytes(MOST + 10**6), 1009),
    "nine megabytes in pieces": ([bytes(10**6)] * 9, 1009),
}


def spoken(ws: ClientConnection, sent: object) -> None:
    """Send it, and listen until the other side hangs up."""
    ws.send(sent)  # type: ignore[arg-type]
    while True:
        ws.recv(timeout=30)


@pytest.mark.parametrize(("sent", "code"), FRAMES.values(), ids=FRAMES)
def test_what_is_no_message_closes_its_own_socket_only(server, sent, code):
    with socket(server, browser(server)) as other, socket(server, browser(server)) as ws:
        hello(other)
        with pytest.raises(ConnectionClosed) as closed:
            spoken(ws, sent)
        assert closed.value.rcvd is None or closed.value.rcvd.code == code
        hello(other)


def asked(**fields: object) -> BackMsg:
    message = BackMsg()
    for name, value in fields.items():
        if value is True:
            setattr(message, name, True)
        else:
            part = getattr(message, name)
            part.SetInParent()
            for key, content in value.items():  # type: ignore[union-attr]
                getattr(part, key).extend(content) if isinstance(content, list) else setattr(part, key, content)
    return message


SILENT = {
    "shut down": asked(debug_shutdown_runtime=True),
    "disconnect": asked(debug_disconnect_websocket=True),
    "nothing": BackMsg(),
    "stop": asked(stop_script=True),
    "clear everybody's caches": asked(clear_cache=True),
    "the state of the repository": asked(load_git_info=True),
    "addresses for a million files": asked(file_urls_request={"request_id": "x", "file_names": ["x"] * 10**6}),
    "save options": asked(set_run_on_save=True),
    "a part that is not there": asked(rerun_script={"fragment_id": "../../x"}),
}


@pytest.mark.parametrize("message", SILENT.values(), ids=SILENT)
def test_what_is_no_reader_s_to_ask_does_nothing(server, message):
    with socket(server, browser(server)) as ws:
        hello(ws)
        ws.send(message.SerializeToString())
        kinds = {m.WhichOneof("type") for m in hello(ws)[1]}
        assert "script_finished" in kinds, "the session goes on"
        assert not kinds & {"git_info_changed", "file_urls_response"}


RERUNS = {
    "a page upwards": {"page_name": "../../etc/passwd"},
    "a page of markup": {"page_name": "<script>alert(1)</script>"},
    "a page's hash": {"page_script_hash": "0" * 9000},
    "a query of markup": {"query_string": "seed=<img src=x onerror=alert(1)>&lang=<b>"},
    "a query of 200 kB": {"query_string": "points=" + "1_2~" * 50_000},
    "a query of broken escapes": {"query_string": "%&%zz=%ff%fe&==&&&seed"},
    "a hundred parameters": {"query_string": "&".join(f"seed={k}" for k in range(100))},
}


@pytest.mark.parametrize("fields", RERUNS.values(), ids=RERUNS)
def test_an_odd_wish_for_a_page_is_answered_with_a_page(server, fields):
    with socket(server, browser(server)) as ws:
        hello(ws, "linear_regression")
        _session, messages = told(ws, asked(rerun_script=fields))
        assert exceptions(messages) == []
        for message in messages:
            ours_only(re.sub(r"https?://\S+", "", str(message)))


def test_values_of_widgets_that_were_never_drawn_change_nothing(server):
    with socket(server, browser(server)) as ws:
        hello(ws, "linear_regression")
        ask = BackMsg()
        ask.rerun_script.page_name = "linear_regression"
        for name, value in (("double_value", float("nan")), ("int_value", -(2**63)), ("string_value", "\u202e" * 9000)):
            state = ask.rerun_script.widget_states.widgets.add()
            state.id = f"$$ID-{name}-linear_regression.seed"
            setattr(state, name, value)
        state = ask.rerun_script.widget_states.widgets.add()
        state.id, state.json_value = "$$ID-dlcore_slider-None", '{"value": {"__class__": 1e999}}'
        _session, messages = told(ws, ask)
        assert exceptions(messages) == []


def test_a_flood_is_slowed_and_others_are_served_meanwhile(server):
    mine, ask = browser(server), BackMsg()
    ask.rerun_script.page_name = "home"
    with socket(server, mine) as ws, socket(server, browser(server)) as other:
        hello(ws)
        hello(other)
        beat = asked(app_heartbeat=True).SerializeToString()
        for _ in range(3000):
            ws.send(beat)
        took = []
        for _ in range(5):
            began = time.monotonic()
            hello(other)
            took.append(time.monotonic() - began)
        assert sorted(took)[2] < 5, "others notice next to nothing"
        assert ws.state.name == "OPEN", "and the session is not lost"
