"""What a student could send to the server itself: odd requests, forged ids, floods. It answers, and goes on for others.

One server serves all of it, so that what one test leaves broken the next would find.
"""

from __future__ import annotations

import http.client
import os
import random
import re
import time
from contextlib import suppress
from pathlib import Path
from socket import create_connection
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.serving import PAGE, ROOT, Server, exceptions, serve
from tests.waiting import until
from ui.browsers import COOKIE

XSRF = "_streamlit_xsrf"
MOST = 8 * 10**6  # server.maxWidgetStateSize


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    temp = tmp_path_factory.mktemp("temp")
    with serve("tests.served:app", DLCORE_WARM="0", TMPDIR=str(temp), DLCORE_SESSIONS_PER_BROWSER="3",
               DLCORE_REQUESTS_PER_SECOND="30") as server:  # fmt: skip
        server.temp = temp  # type: ignore[attr-defined]
        yield server


@pytest.fixture(autouse=True)
def goes_on(server):
    """After each: the server answers others, and has said no traceback to anybody."""
    yield
    assert server.get("/_stcore/health").ok


def raw(server: Server, target: str, method: str = "GET", headers=(), body: bytes = b"") -> tuple[int, dict, str]:
    """An answer to a request that is sent as it is, without a client's corrections."""
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(server.url).port, timeout=30)
    connection.putrequest(method, target, skip_accept_encoding=True, skip_host=any(n == "Host" for n, _ in headers))
    for name, value in headers:
        connection.putheader(name, value)
    connection.endheaders(body or None)
    answer = connection.getresponse()
    text = answer.read(200_000).decode("utf-8", "replace")
    connection.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, text


def ours_only(text: str) -> None:
    """Nothing of the server's own in an answer."""
    for trace in ("Traceback", str(ROOT), "root:x:", "def ", "import os", "site-packages"):
        assert trace not in text, trace


# -- requests -------------------------------------------------------------------------------------------------------

PATHS = [
    "/components/../server.py", "/components/%2e%2e/%2e%2e/app.py", "/components/..%2f..%2fapp.py",
    "/components/..%5c..%5capp.py", "/components/%00.js", "/components/slider.js/../../../app.py",
    "/vendor/../__init__.py", "/vendor/%2fetc%2fpasswd", "/vendor/....//....//etc/passwd",
    "/static/%2e%2e/%2e%2e/config.py", "/media/../../../../etc/passwd", "/component/x/../../../etc/passwd",
    "/_stcore/bidi-components/dlcore_slider/../../../../etc/passwd", "//evil.example/%2e%2e", "/\\\\evil\\share",
    "/C:/windows/win.ini", "/app.py", "/.streamlit/config.toml", "/.git/config", "/ui/server.py",
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_no_path_leads_to_a_file_that_is_not_served(server, path):
    status, headers, text = raw(server, path)
    assert status in (200, 400, 404)
    ours_only(text)
    assert status != 200 or text.lstrip().startswith(("<!--", "<!doctype")), "the app's own page, as for any address"
    assert headers["x-content-type-options"] == "nosniff"
    assert "server" not in headers


HEADERS = {
    "long address": ("/cnn?x=" + "x" * 50_000, "GET", [], (400, 414)),
    "many headers": ("/", "GET", [(f"X-{k}", "y" * 900) for k in range(60)], (400, 431)),
    "line break in the address": ("/%0d%0aSet-Cookie:%20a=b/", "GET", [], (200, 301, 400, 404)),
    "away from here": ("/%2f%2fevil.example/", "GET", [], (200, 301, 400, 404)),
    "backslashes away": ("/%5cevil.example/", "GET", [], (200, 301, 400, 404)),
    "many ranges": ("/vendor/plotly.min.js", "GET", [("Range", "bytes=" + "0-0," * 4000 + "1-1")], (200, 206, 400)),
    "a body where none is": ("/healthz", "POST", [("Content-Length", "100000000")], (413,)),
    "a length that is none": ("/cnn", "GET", [("Content-Length", "-5")], (400, 413)),
    "two lengths": ("/cnn", "GET", [("Content-Length", "5"), ("Content-Length", "6")], (400,)),
    "an unknown method": ("/cnn", "BREW", [], (405,)),
    "trace": ("/cnn", "TRACE", [], (405,)),
    "delete": ("/components/slider.js", "DELETE", [], (405,)),
    "an agent": ("/_stcore/agent/interact", "POST", [("Content-Length", "0")], (403, 404)),
    "counters, from elsewhere": ("/_stcore/metrics", "GET", [("X-Forwarded-For", "10.0.0.9")], (404,)),
    "not utf-8": ("/%ff%fe%80", "GET", [], (200, 400, 404)),
}  # fmt: skip


@pytest.mark.parametrize(("target", "method", "headers", "allowed"), HEADERS.values(), ids=HEADERS)
def test_an_odd_request_is_answered_with_a_status(server, target, method, headers, allowed):
    began = time.monotonic()
    status, answer, text = raw(server, target, method, headers)
    assert status in allowed
    ours_only(text)
    assert "a=b" not in answer.get("set-cookie", "")
    assert not re.match(r"(https?:)?[/\\]{2}", answer.get("location", ""))
    assert time.monotonic() - began < 10


def test_the_page_has_all_headers_and_health_no_path(server):
    page = server.get("/cnn", headers=PAGE).headers
    assert "'unsafe-eval'" not in page["content-security-policy"].replace("'wasm-unsafe-eval'", "")
    assert "script-src 'self'" in page["content-security-policy"]
    assert "frame-ancestors 'self'" in page["content-security-policy"]
    assert page["permissions-policy"].startswith("camera=(self)")
    assert page["referrer-policy"] == "same-origin"
    file = server.get("/components/slider.js").headers
    assert file["content-security-policy"] == "default-src 'none'; sandbox"
    assert "server" not in page
    assert str(server.state) not in server.get("/healthz").text


# -- who one is -----------------------------------------------------------------------------------------------------


def browser(server: Server) -> str:
    """A cookie of its own, as a new browser gets it."""
    return f"{COOKIE}={server.get('/', headers=PAGE).cookies[COOKIE]}"


@pytest.mark.parametrize(
    "forged",
    [
        "admin", "admin.", ".", "", "x" * 9000, "a.b.c", "é".encode().decode("latin-1"), '"; Path=/; a="',
        "eyJhbGciOiJub25lIn0.e30.", "../../secret", "null", "*",
    ],
)  # fmt: skip
def test_a_forged_cookie_is_nobody_s(server, forged):
    answer = requests.get(server.url, headers={**PAGE, "Cookie": f"{COOKIE}={forged}".encode("latin-1")}, timeout=30)
    assert answer.ok
    given = answer.cookies[COOKIE]
    assert given
    assert given != forged
    assert len(given) > 40, "a new id, signed"
    assert "HttpOnly" in answer.headers["set-cookie"]


def hello(ws: ClientConnection, page: str = "", query: str = "") -> tuple[str, list[ForwardMsg]]:
    """Run a page's script; the session's id and all that is answered."""
    ask = BackMsg()
    ask.rerun_script.page_name, ask.rerun_script.query_string = page, query
    return told(ws, ask)


def told(ws: ClientConnection, ask: BackMsg) -> tuple[str, list[ForwardMsg]]:
    ws.send(ask.SerializeToString())
    messages, session = [], ""
    while True:
        message = ForwardMsg.FromString(bytes(ws.recv(timeout=60, decode=False)))
        messages.append(message)
        if message.WhichOneof("type") == "new_session":
            session = message.new_session.initialize.session_id
        if message.WhichOneof("type") == "script_finished":
            return session, messages


def socket(server: Server, cookie: str = "", wish: str = "", **options: Any) -> ClientConnection:
    """A page's WebSocket; ``wish`` is a session to come back to."""
    if wish:
        options["subprotocols"] = ["streamlit", "x", wish]
    url = server.url.replace("http", "ws") + "/_stcore/stream"
    headers = {"Cookie": cookie} if cookie else None
    return connect(url, max_size=None, additional_headers=headers, ping_interval=None, close_timeout=0.2, **options)


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


# -- uploads --------------------------------------------------------------------------------------------------------


def put(server: Server, session: str, cookie: str, data: object, token: str | None = "own", **headers: str):
    given = str(requests.get(server.url + "/_stcore/health", timeout=30).cookies[XSRF])
    headers["Cookie"] = f"{cookie}; {XSRF}={given}"
    if token:
        headers["X-Xsrftoken"] = given if token == "own" else token
    return requests.put(f"{server.url}/_stcore/upload_file/{session}/f", data=data, headers=headers, timeout=60)  # type: ignore[arg-type]


def form(content: bytes) -> tuple[bytes, str]:
    """A file as browsers send it, and its content type."""
    ready = requests.Request("PUT", "http://x", files={"f": ("x.csv", content)}).prepare()
    assert isinstance(ready.body, bytes)
    return ready.body, str(ready.headers["Content-Type"])


@pytest.mark.parametrize("token", [None, "", "forged", "2|00000000|00|1"])
def test_an_upload_without_the_page_s_token_is_refused(server, token):
    mine = browser(server)
    with socket(server, mine) as ws:
        session, _messages = hello(ws)
        body, kind = form(b"a,b\n1,2\n")
        assert put(server, session, mine, body, token, **{"Content-Type": kind}).status_code == 403


def test_uploads_end_at_their_limit_and_leave_nothing_behind(server):
    mine, other = browser(server), browser(server)
    with socket(server, mine) as ws:
        session, _messages = hello(ws)
        body, kind = form(os.urandom(6_000_000))  # beyond what is kept in memory while it comes
        assert put(server, session, mine, body, **{"Content-Type": kind}).status_code == 204
        assert put(server, session, other, body, **{"Content-Type": kind}).status_code == 403, "not into mine"
        assert put(server, "no-such-session", mine, body, **{"Content-Type": kind}).status_code == 400
        assert put(server, session, mine, b"no form", **{"Content-Type": kind}).status_code == 400
        assert put(server, session, mine, b"", **{"Content-Type": "text/plain"}).status_code in (400, 415)
        status, _headers, _text = raw(
            server, f"/_stcore/upload_file/{session}/f", "PUT", [("Cookie", mine), ("Content-Length", "999999999")]
        )
        assert status == 413, "before a byte of it has come"
        chunks = (bytes(10**6) for _ in range(80))  # 80 MB without a length
        with suppress(requests.ConnectionError):  # it may hang up while we are still sending
            assert put(server, session, mine, chunks, **{"Content-Type": kind}).status_code in (400, 413)
    left = [path for path in server.temp.rglob("*") if path.is_file() and path.stat().st_size > 100_000]
    assert left == [], "nothing of what was uploaded"


# -- the WebSocket --------------------------------------------------------------------------------------------------

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


def test_requests_without_end_are_answered_429(server):
    """Fifty at a time on one connection, until there are too many; another browser's are none too many."""
    ask = f"GET /_stcore/health HTTP/1.1\r\nHost: x\r\nCookie: {browser(server)}\r\n\r\n".encode()
    with create_connection(("127.0.0.1", urlsplit(server.url).port or 0), 60) as line:
        said = b""
        for batch in range(1, 41):
            line.sendall(ask * 50)
            while said.count(b"HTTP/1.1 ") < 50 * batch:
                said += line.recv(65536)
            if b"HTTP/1.1 429" in said:
                break
    assert b"HTTP/1.1 200" in said
    assert b"HTTP/1.1 429" in said
    assert server.get("/_stcore/health", headers={"Cookie": browser(server)}).ok


def test_no_page_tells_where_the_server_lies(server):
    """All that a browser is sent of every kind of page, seen and unseen."""
    places = {str(ROOT), str(server.state), str(Path.home()) + "/"}
    for page in ("", "linear_regression", "teach", "nowhere-at-all"):
        for message in server.visit(page):
            sent = str(message)
            assert not [place for place in places if place in sent], page
