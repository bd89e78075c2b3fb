"""The door of the server: what is too much, too large or somebody else's is refused before Streamlit sees it.

Nothing here ends a session. A request too many is answered with 429, a message too many waits its turn, and a browser
whose WebSocket was refused asks again by itself and finds its session where it left it.
"""

from __future__ import annotations

import time
from collections import OrderedDict

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import config, runtime

from ui import asking, refusals
from ui.browsers import wants_page
from ui.guard_socket import guarded
from ui.limits import MOST_BODY, MOST_HEADERS, MOST_URL, Buckets, Limits, Places
from ui.security import is_page

UPLOAD = "/_stcore/upload_file/"
LOCAL_ONLY = "/_stcore/metrics"
REMEMBERED = 5_000  # sessions whose browser is known


class Guard:
    """The middleware. One for the whole server, since it counts."""

    def __init__(self, app: ASGIApp, limits: Limits | None = None) -> None:
        self.app = app
        self.limits = most = limits or Limits.from_environment()
        self.pages = Places()  # open WebSockets: of all (None), by browser, by address
        self.uploads = Places()  # bytes on their way: of all (None), by session
        self.requests = Buckets(most.requests_per_second, 10 * most.requests_per_second)
        self.requests_from = Buckets(10 * most.requests_per_second, 200 * most.requests_per_second)
        self.connects = Buckets(most.connects_per_second, 20 * most.connects_per_second)
        self.connects_from = Buckets(15 * most.connects_per_second, 300 * most.connects_per_second)
        self.messages = Buckets(most.messages_per_second, 5 * most.messages_per_second)
        self.messages_from = Buckets(30 * most.messages_per_second, 150 * most.messages_per_second)
        self.browsers: OrderedDict[str, str] = OrderedDict()  # by session: whose it is

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on."""
        if scope["type"] == "websocket":
            await guarded(self, scope, receive, send)
        elif scope["type"] != "http":
            await self.app(scope, receive, send)
        elif (refusal := self._refusal(scope)) is not None:
            await refusal(scope, receive, send)
        elif asking.path(scope).startswith(UPLOAD):
            await self._upload(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        """What a request is answered with instead of being passed on."""
        if refusal := oversized(scope):
            return refusal
        path, address = asking.path(scope), asking.address(scope)
        if path == LOCAL_ONLY and address not in asking.HERE:
            return Response(status_code=404)
        now = time.monotonic()
        wait = self.requests_from.take(address, now) or self.requests.take(asking.identity(scope), now)
        if wait:
            return refusals.answer(scope, refusals.TOO_MANY, 429, retry=wait)
        return self.full(scope) if is_page(scope["path"]) and wants_page(scope) else None

    def full(self, scope: Scope, spare: float = 1.0) -> Response | None:
        """The answer where there is no place for one more page; None where there is."""
        most, address, browser = self.limits, asking.address(scope), asking.browser(scope)
        if browser and self.pages[browser] >= most.sessions_per_browser:
            return refusals.answer(scope, refusals.TABS, 503, retry=30, n=most.sessions_per_browser)
        crowded = self.pages[address] >= most.sessions_per_address * spare
        if crowded or self.pages[None] >= most.sessions * spare:
            return refusals.answer(scope, refusals.FULL, 503, retry=30)
        return None

    async def _upload(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A file for a session: only from the browser whose it is, and while there is room in memory."""
        session = asking.path(scope).removeprefix(UPLOAD).split("/")[0]
        if not self.belongs(session, scope):
            await refusals.answer(scope, refusals.FOREIGN, 403)(scope, receive, send)
            return
        coming = 0
        if scope["method"] == "PUT":
            coming = asking.body_bytes(scope) or config.get_option("server.maxUploadSize") * 2**20
            of_session, of_all = in_memory(session)
            of_session += self.uploads[session] + coming
            of_all += self.uploads[None] + coming
            if of_session > self.limits.session_megabytes * 1e6 or of_all > self.limits.upload_megabytes * 1e6:
                await refusals.answer(scope, refusals.NO_ROOM, 413)(scope, receive, send)
                return
        with self.uploads.taken(None, session, each=coming):
            await self.app(scope, receive, send)

    def belongs(self, session: str, scope: Scope) -> bool:
        """Whether a session is the asking browser's; one that this server does not know is nobody's."""
        return self.browsers.get(session) in (None, asking.identity(scope))

    def remember(self, session: str, scope: Scope) -> None:
        """Note whose a session is."""
        self.browsers[session] = asking.identity(scope)
        self.browsers.move_to_end(session)
        while len(self.browsers) > REMEMBERED:
            self.browsers.popitem(last=False)


def oversized(scope: Scope) -> Response | None:
    """The answer to a request with too long an address, too many headers, or a body where none is expected."""
    if asking.url_bytes(scope) > MOST_URL:
        return refusals.answer(scope, refusals.LONG, 414)
    if asking.header_bytes(scope) > MOST_HEADERS:
        return refusals.answer(scope, refusals.LARGE, 431)
    upload = asking.path(scope).startswith(UPLOAD)
    length = asking.body_bytes(scope)
    most = (config.get_option("server.maxUploadSize") + 1) * 2**20 if upload else MOST_BODY
    if (length is None and not upload) or (length or 0) > most:
        return refusals.answer(scope, refusals.LARGE, 413)
    return None


def in_memory(session: str) -> tuple[int, int]:
    """Bytes of uploaded files that Streamlit keeps: of this session, of all."""
    files = getattr(runtime.get_instance(), "_uploaded_file_mgr").file_storage  # noqa: B009  # it has no other door
    sizes = {of: sum(len(file.data) for file in list(kept.values())) for of, kept in list(files.items())}
    return sizes.get(session, 0), sum(sizes.values())
