"""A server for hostile tests, and what speaks to it without a client's manners: raw requests, cookies, sockets."""

from __future__ import annotations

import http.client
from typing import Any
from urllib.parse import urlsplit

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

from tests.serving import PAGE, ROOT, Server, serve
from ui.browsers import COOKIE


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    temp = tmp_path_factory.mktemp("temp")
    with serve("tests.served:app", DLCORE_WARM="0", TMPDIR=str(temp), DLCORE_SESSIONS_PER_BROWSER="3",
               DLCORE_REQUESTS_PER_SECOND="30") as server:  # fmt: skip
        server.temp = temp  # type: ignore[attr-defined]
        yield server


@pytest.fixture(autouse=True)
def goes_on(server):
    """After each: the server answers others."""
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


def browser(server: Server) -> str:
    """A cookie of its own, as a new browser gets it."""
    return f"{COOKIE}={server.get('/', headers=PAGE).cookies[COOKIE]}"


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
