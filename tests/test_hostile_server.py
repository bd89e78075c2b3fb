"""What a student could send to the server itself: odd requests, forged cookies, uploads, too many of all. It answers.

One server serves all of it, so that what one test leaves broken the next would find. What is said on a page's socket is
in ``test_hostile_sockets.py``.
"""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from pathlib import Path
from socket import create_connection
from urllib.parse import urlsplit

import pytest
import requests

from tests.hostile_server import browser, goes_on, hello, ours_only, raw, server, socket
from tests.serving import PAGE, ROOT, Server
from ui.browsers import COOKIE

__all__ = ["goes_on", "server"]  # fixtures
XSRF = "_streamlit_xsrf"


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


# -- too much, and too much said --------------------------------------------------------------------------------------


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
