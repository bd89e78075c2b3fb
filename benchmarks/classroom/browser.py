"""One tab of a browser, without the browser: cookies, Streamlit's socket, timers, and answers that are waited for."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import requests
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.typing import Subprotocol

from benchmarks.classroom.page import DONE, DONE_FRAGMENT, Page
from benchmarks.classroom.tally import Tally

PATIENCE = 30.0  # seconds for an answer, then it counts as an error
XSRF = "_streamlit_xsrf"


class Lost(Exception):
    """The connection has ended, or an answer did not come in time."""


@dataclass
class Ask:
    """A rerun that was asked for: of one fragment, or (``""``) of the page."""

    kind: str
    fragment: str
    sent: float
    begun: bool = False
    answer: asyncio.Future[float] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Browser:
    """A tab. Cookies stay when it is closed and opened again."""

    def __init__(self, url: str, tally: Tally, *, query: str = "lang=en") -> None:
        self.url = url
        self.tally = tally
        self.page = Page(query)
        self.quiet = False  # whether a closed connection is no fault: it was closed on purpose
        self.patience = PATIENCE
        self.lenient = False  # whether something red on a page is what is looked for
        self.first_query = query
        self.trained = 0  # how often Train was pressed
        self._http = requests.Session()  # only ever used by one thread at a time
        self._socket: ClientConnection | None = None
        self._asks: list[Ask] = []
        self._ticking: dict[str, tuple[float, asyncio.Task[None]]] = {}
        self._reading: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._heard = 0.0  # when something was answered last
        self._files: dict[str, asyncio.Future[Any]] = {}

    @property
    def connected(self) -> bool:
        """Whether its tab is open and has a page."""
        return self._socket is not None and self._reading is not None and not self._reading.done()

    # ---- coming and going -------------------------------------------------------------------------------------------

    async def open(self, slug: str, *, kind: str = "open a page") -> float:
        """Load a page as somebody who types its address; seconds until its script has run."""
        began = time.perf_counter()
        await asyncio.to_thread(self._load, slug)
        self.page = Page(self.first_query)
        await self._connect()
        await self._rerun(kind, slug=slug)
        seconds = time.perf_counter() - began
        self.tally.took(kind, seconds)
        return seconds

    def _load(self, slug: str) -> None:
        """The page's HTML brings the cookie of this browser, ``host-config`` the one against forged requests."""
        for path, accept in ((slug, "text/html"), ("_stcore/health", "*/*"), ("_stcore/host-config", "*/*")):
            self._http.get(f"{self.url}/{path}", headers={"Accept": accept}, timeout=PATIENCE).raise_for_status()

    async def _connect(self) -> None:
        tokens = [self._http.cookies.get(XSRF) or "PLACEHOLDER_AUTH_TOKEN", *filter(None, [self.page.session])]
        self._socket = await connect(
            f"{self.url.replace('http', 'ws', 1)}/_stcore/stream",
            subprotocols=[Subprotocol(word) for word in ("streamlit", *tokens)],
            additional_headers={"Cookie": "; ".join(f"{c.name}={c.value}" for c in self._http.cookies)},
            origin=self.url,  # type: ignore[arg-type]
            max_size=None,
            ping_interval=None,
            open_timeout=PATIENCE,
        )
        self._reading = asyncio.create_task(self._read(self._socket))

    async def close(self) -> None:
        """Close the tab."""
        self.quiet = True
        self._stop_timers()
        if self._socket is not None:
            await self._socket.close()
        if self._reading is not None:
            await asyncio.gather(self._reading, return_exceptions=True)
        self._socket, self.quiet = None, False

    async def drop(self) -> float:
        """Lose the connection as a bad network loses it, and reconnect as the frontend does: the session goes on."""
        self.quiet = True
        self._stop_timers()
        if self._socket is not None:
            self._socket.transport.abort()
        if self._reading is not None:
            await asyncio.gather(self._reading, return_exceptions=True)
        self.quiet = False
        began = time.perf_counter()
        await self._connect()
        await self._rerun("reconnect")
        seconds = time.perf_counter() - began
        self.tally.took("reconnect", seconds)
        return seconds

    # ---- what it hears ----------------------------------------------------------------------------------------------

    async def _read(self, socket: ClientConnection) -> None:
        try:
            async for payload in socket:
                self._take(bytes(payload))  # type: ignore[arg-type]
        except ConnectionClosed:
            pass
        if not self.quiet:
            self.tally.fault("the server closed a connection")
        self._stop_timers()
        for ask in self._asks:
            if not ask.answer.done():
                ask.answer.set_exception(Lost("the connection was closed"))
                ask.answer.exception()  # somebody may not be waiting: that is no fault of its own
        self._asks.clear()
        self._changed.set()

    def _take(self, payload: bytes) -> None:
        now = time.perf_counter()
        kind, message = self.page.take(payload)
        if kind == "new_session":
            for ask in self._asks:
                ask.begun = True
        elif kind == "script_finished":
            if message.script_finished in (DONE, DONE_FRAGMENT):
                self._answer(list(message.metadata.run.fragment_ids), now)
                for fault in [] if self.lenient else self.page.faults():
                    self.tally.fault(f"on a page: {fault}")
            elif message.script_finished == message.FINISHED_WITH_COMPILE_ERROR:
                self.tally.fault("a page's script did not compile")
        elif kind == "file_urls_response":
            response = message.file_urls_response
            self._files.pop(response.response_id).set_result(response)
        if kind in ("new_session", "auto_rerun", "stop_auto_rerun"):
            self._set_timers()
        self._changed.set()

    def _answer(self, fragments: list[str], now: float) -> None:
        answered = [ask for ask in self._asks if ask.begun and (not fragments or ask.fragment in fragments)]
        self._asks = [ask for ask in self._asks if ask not in answered]
        self._heard = now
        for ask in answered:
            if not ask.answer.done():
                ask.answer.set_result(now - ask.sent)

    async def until(self, condition: Callable[[Page], Any], seconds: float) -> Any:
        """The first true value of ``condition(page)``, looked at after each message. Raises ``Lost``."""
        deadline = time.perf_counter() + seconds
        while not (value := condition(self.page)):
            if self._reading is None or self._reading.done():
                raise Lost("the connection was closed")
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), deadline - time.perf_counter())
            except TimeoutError:
                raise Lost(f"waited {seconds:g} s in vain") from None
        return value

    # ---- timers: a fragment with run_every is asked for by the browser ----------------------------------------------

    def _set_timers(self) -> None:
        wanted = self.page.timers
        for fragment, (interval, task) in list(self._ticking.items()):
            if wanted.get(fragment) != interval:
                task.cancel()
                del self._ticking[fragment]
        for fragment, interval in wanted.items():
            if fragment not in self._ticking:
                self._ticking[fragment] = (interval, asyncio.create_task(self._tick(fragment, interval)))

    def _stop_timers(self) -> None:
        for _interval, task in self._ticking.values():
            task.cancel()
        self._ticking.clear()

    async def _tick(self, fragment: str, interval: float) -> None:
        kind, next_at = f"tick of {interval:g} s", time.perf_counter() + interval
        while True:
            await asyncio.sleep(max(0.0, next_at - time.perf_counter()))
            next_at += interval
            with contextlib.suppress(ConnectionClosed):
                ask = await self._send(kind, fragment, auto=True)
                ask.answer.add_done_callback(lambda done: self._ticked(kind, done))
                asyncio.get_running_loop().call_later(min(PATIENCE, max(10.0, interval / 2)), self._overdue, ask)

    def _ticked(self, kind: str, done: asyncio.Future[float]) -> None:
        if not done.cancelled() and done.exception() is None:
            self.tally.took(kind, done.result())

    def _overdue(self, ask: Ask) -> None:
        """Streamlit may drop a timer's request where another comes at the same moment; silence is a fault."""
        if ask.answer.done() or ask.fragment not in self.page.timers:
            return
        if self._heard > ask.sent:
            self.tally.counted[f"dropped by Streamlit: {ask.kind}"] += 1
        else:
            self.tally.fault(f"no answer within {PATIENCE:g} s: {ask.kind}")
        ask.answer.cancel()

    # ---- what it says -----------------------------------------------------------------------------------------------

    async def _send(self, kind: str, fragment: str = "", *, auto: bool = False, slug: str | None = None,
                    script: str = "", extra: tuple[WidgetState, ...] = ()) -> Ask:  # fmt: skip
        if self._socket is None:
            raise Lost("not connected")
        message = BackMsg()
        rerun = message.rerun_script
        rerun.query_string, rerun.fragment_id, rerun.is_auto_rerun = self.page.query, fragment, auto
        rerun.widget_states.widgets.extend([*self.page.values.values(), *extra])
        rerun.cached_message_hashes.extend(self.page.hashes)
        rerun.context_info.timezone, rerun.context_info.locale = "UTC", "en-US"
        rerun.context_info.url, rerun.context_info.color_scheme = f"{self.url}/{slug or ''}", "light"
        if slug is None:
            rerun.page_script_hash = script or self.page.script
        else:
            rerun.page_name = slug
        ask = Ask(kind, fragment, time.perf_counter())
        self._asks.append(ask)
        await self._socket.send(message.SerializeToString())
        return ask

    async def _rerun(self, kind: str, fragment: str = "", **how: Any) -> float:
        """Ask for a run and wait for its answer, in seconds. Raises ``Lost``."""
        try:
            ask = await self._send(kind, fragment, **how)
            return await asyncio.wait_for(asyncio.shield(ask.answer), self.patience)
        except TimeoutError:
            raise Lost(f"no answer within {self.patience:g} s: {kind}") from None
        except WebSocketException as error:
            raise Lost(f"connection: {type(error).__name__}") from None

    async def turn_to(self, slug: str) -> None:
        """Follow a link to another page of the same session."""
        self.page.query = self.first_query
        self.tally.took("turn a page", await self._rerun("turn a page", script=self.page.pages[slug]))

    async def press(self, key: str, kind: str) -> None:
        """Press a button."""
        button = self._widget(key)
        press = WidgetState(id=button.body.id, trigger_value=True)
        self.tally.took(kind, await self._rerun(kind, button.fragment, extra=(press,)))

    async def set(self, key: str, kind: str, **value: Any) -> None:
        """Give a widget a value (a field of ``WidgetState``) and wait for the answer."""
        widget = self._widget(key)
        self.page.values[widget.body.id] = WidgetState(id=widget.body.id, **value)
        self.tally.took(kind, await self._rerun(kind, widget.fragment))

    def _widget(self, key: str) -> Any:
        widget = self.page.find(key)
        if widget is None:
            raise Lost(f"the page has no widget {key}")
        return widget

    async def upload(self, key: str, name: str, content: bytes, kind: str = "upload a file") -> None:
        """Choose a file in an uploader: ask where to put it, put it there, and tell the page."""
        began = time.perf_counter()
        widget, message, wanted = self._widget(key), BackMsg(), f"{time.perf_counter_ns()}"
        message.file_urls_request.request_id = wanted
        message.file_urls_request.file_names.append(name)
        message.file_urls_request.session_id = self.page.session
        self._files[wanted] = asyncio.get_running_loop().create_future()
        assert self._socket is not None
        await self._socket.send(message.SerializeToString())
        urls = (await asyncio.wait_for(self._files[wanted], PATIENCE)).file_urls[0]
        await asyncio.to_thread(self._put, urls.upload_url, name, content)
        state = WidgetState(id=widget.body.id)
        file = state.file_uploader_state_value.uploaded_file_info.add(name=name, size=len(content))
        file.file_id = urls.file_id
        file.file_urls.CopyFrom(urls)
        self.page.values[widget.body.id] = state
        await self._rerun(kind, widget.fragment)
        self.tally.took(kind, time.perf_counter() - began)

    def _put(self, path: str, name: str, content: bytes) -> None:
        self._http.put(
            f"{self.url}/{path.lstrip('/')}", files={name: (name, content)}, timeout=PATIENCE,
            headers={"X-Xsrftoken": self._http.cookies.get(XSRF) or ""},
        ).raise_for_status()  # fmt: skip
