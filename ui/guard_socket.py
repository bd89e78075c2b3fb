"""What passes through a page's WebSocket: at a bounded rate, in binary messages, to the browser's own session only."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from google.protobuf.message import DecodeError
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from ui import asking, refusals

if TYPE_CHECKING:
    from ui.guard import Guard

SOCKET = "/_stcore/stream"
SPARE = 1.1  # places beyond the limit, for pages that were served before it was met, and for those that come back
PROTOCOLS = b"sec-websocket-protocol"
UNSUPPORTED = 1003  # the code with which a connection is closed that sends text
ASKED = ("rerun_script", "stop_script", "app_heartbeat", "file_urls_request", "backend_operation_request")
MOST_FILES = 1_000  # chosen at once
SCRIPT = b"shell.py"  # Streamlit tells each page where on this machine its script lies


async def guarded(guard: Guard, scope: Scope, receive: Receive, send: Send) -> None:
    """Pass a WebSocket on to Streamlit, or refuse it with a status and a sentence."""
    refusal = _refusal(guard, scope)
    if refusal is not None:
        await receive()  # the request to connect
        await _refuse(refusal, scope, receive, send)
        return
    keys = (None, asking.address(scope), *filter(None, [asking.browser(scope)]))
    with guard.pages.taken(*keys):
        await guard.app(_own_session_only(guard, scope), _paced(guard, scope, receive, send), _told(guard, scope, send))


def _refusal(guard: Guard, scope: Scope) -> Response | None:
    if asking.path(scope) != SOCKET:
        return Response(status_code=404)
    now, address = time.monotonic(), asking.address(scope)
    wait = guard.connects_from.take(address, now)
    if (browser := asking.browser(scope)) and not wait:
        wait = guard.connects.take(browser, now)
    if wait:
        return refusals.answer(scope, refusals.TOO_MANY, 429, retry=wait)
    return guard.full(scope, SPARE)


async def _refuse(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    if "websocket.http.response" in scope.get("extensions", {}):
        await response(scope, receive, send)
    else:
        await send({"type": "websocket.close", "code": 1013})  # try again later


def _own_session_only(guard: Guard, scope: Scope) -> Scope:
    """The request without the wish for an earlier session, if that is another browser's: it gets a new one.

    Streamlit's page sends ``streamlit, <XSRF token>, <session id>`` as its protocols; whoever knows an id would else be
    given the session, with all that its owner has brought there.
    """
    headers = []
    for name, value in scope["headers"]:
        if name.lower() == PROTOCOLS:
            parts = value.split(b",")
            if len(parts) > 2 and not guard.belongs(parts[2].strip().decode("latin-1"), scope):
                value = b",".join(parts[:2])
        headers.append((name, value))
    return {**scope, "headers": headers}


def _paced(guard: Guard, scope: Scope, receive: Receive, send: Send) -> Receive:
    """``receive`` at the rate of the limits. What comes faster waits in the client: uvicorn stops reading meanwhile."""
    whose = asking.browser(scope) or object()  # without a cookie: this connection
    address = asking.address(scope)

    async def receive_in_turn() -> Message:
        while True:
            message = await receive()
            if message["type"] != "websocket.receive":
                return message
            if message.get("bytes") is None:
                await send({"type": "websocket.close", "code": UNSUPPORTED})
                return {"type": "websocket.disconnect", "code": UNSUPPORTED}
            now = time.monotonic()
            waits = guard.messages.take(whose, now, debt=True), guard.messages_from.take(address, now, debt=True)
            if any(waits):
                await asyncio.sleep(max(waits))
            if is_reader_s(message["bytes"]):
                return message

    return receive_in_turn


def is_reader_s(data: bytes) -> bool:
    """Whether a message is one that a page sends for its reader; what is none at all Streamlit refuses itself.

    Streamlit also knows orders for who writes an app: to empty the caches that all sessions share, to tell the state of
    its Git repository. It obeys whoever sends them.
    """
    try:
        asked = BackMsg.FromString(data)
    except DecodeError:
        return True
    return asked.WhichOneof("type") in ASKED and len(asked.file_urls_request.file_names) <= MOST_FILES


def _told(guard: Guard, scope: Scope, send: Send) -> Send:
    """``send``, noting whose a session is as it begins, and taking out of it where the server's files lie."""

    async def send_without_path(message: Message) -> None:
        data = message.get("bytes") or b""
        if SCRIPT in data:
            begun = ForwardMsg.FromString(data)
            if begun.WhichOneof("type") == "new_session":
                guard.remember(begun.new_session.initialize.session_id, scope)
                begun.new_session.main_script_path = SCRIPT.decode()
                message = {**message, "bytes": begun.SerializeToString()}
        await send(message)

    return send_without_path
