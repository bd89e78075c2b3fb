"""The web server around the pages: workers beside it, health, static files, and the cookie that names a browser."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import platform
import secrets
from collections.abc import AsyncIterator, Mapping
from functools import cache
from http.cookies import SimpleCookie
from importlib.metadata import version
from typing import Any

import pandas as pd  # noqa: F401  # before any page: plotly, asked by two sessions at once, would find it half imported
from itsdangerous import BadSignature, Signer
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import dlcore
from dlcore import jobs
from dlcore.jobs import journal
from dlcore.jobs.store import create_private, state_dir
from ui import components
from ui.metrics import metrics

COOKIE = "dlcore_browser"
COOKIE_SECONDS = 400 * 24 * 3600  # the longest that browsers keep one
COLLECT_EVERY = 60.0


@contextlib.asynccontextmanager
async def lifespan(app: Any) -> AsyncIterator[None]:
    """Start the workers in the background, so that the first page does not wait for them; end them at the end."""
    journal.to_stderr()
    await asyncio.to_thread(jobs.start, wait=False)  # from the first request on they are "starting", never "down"
    collecting = asyncio.create_task(_collect())
    try:
        yield
    finally:
        collecting.cancel()
        await asyncio.to_thread(jobs.shutdown)


async def _collect() -> None:
    """Collect garbage now and then: Streamlit's own collection after every script run is switched off (config.toml)."""
    await asyncio.sleep(5)
    gc.freeze()  # what the imports made stays: later collections need not walk it
    while True:
        await asyncio.sleep(COLLECT_EVERY)
        gc.collect()


async def health(request: Request) -> JSONResponse:
    """``/healthz``: 200 while runs can be taken or will be soon; 503 when the workers are down."""
    status = jobs.status()
    body = {
        "state": status.state,
        "message": status.message,
        "device": status.device,
        "workers": status.workers,
        "lanes": status.lanes or {},
        "running": status.running,
        "waiting": status.waiting,
        "versions": {**_versions(), "torch": status.torch},
    }
    return JSONResponse(body, 503 if status.state == "down" else 200, {"Cache-Control": "no-store"})


@cache
def _versions() -> dict[str, str]:
    return {
        "dlcore": dlcore.__version__,
        "python": platform.python_version(),
        **{name: version(name) for name in ("streamlit", "plotly", "distributed", "numpy")},
    }


def routes() -> list[BaseRoute]:
    """What ``app.py`` serves beside the pages."""
    base = components.base_path()
    return [Route(f"{base}/healthz", health), Route(f"{base}/metrics", metrics), *components.routes()]


def middleware() -> list[Middleware]:
    """What every request passes through before Streamlit sees it."""
    return [Middleware(BrowserCookie)]


@cache
def _signer() -> Signer:
    return Signer(_secret(), salt="browser")


def _secret() -> str:
    """``DLCORE_SECRET`` (several servers share one), else a file in ``DLCORE_STATE`` that outlives a restart."""
    if given := os.environ.get("DLCORE_SECRET"):
        return given
    path = state_dir() / "secret"
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            create_private(path, secrets.token_hex(32).encode())
        if text := path.read_text().strip():
            return text
    return secrets.token_hex(32)  # nowhere to keep it: browsers lose their runs with the next restart


def owner_of(cookies: Mapping[str, str]) -> str | None:
    """The browser's id from its cookies; None where there is none that this server signed."""
    try:
        return _signer().unsign(cookies[COOKIE]).decode()
    except (KeyError, BadSignature, UnicodeDecodeError):
        return None


class BrowserCookie:
    """Gives each browser a signed id with its first page. Runs belong to that id, which no link carries."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; a page that is sent to a browser without a valid id takes a new one along."""
        if scope["type"] != "http" or not _wants_page(scope) or owner_of(HTTPConnection(scope).cookies):
            await self.app(scope, receive, send)
            return

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.append("set-cookie", _new_cookie(secure=_is_https(scope)))
                headers["cache-control"] = "no-store"  # no shared cache may hand this id on
            await send(message)

        await self.app(scope, receive, send_with_cookie)


def _wants_page(scope: Scope) -> bool:
    """Whether this is a browser opening a page, not one of the requests that a page makes."""
    return "text/html" in HTTPConnection(scope).headers.get("accept", "")


def _is_https(scope: Scope) -> bool:
    """Whether the browser came by HTTPS, also through a proxy that ends it."""
    return "https" in (scope.get("scheme"), HTTPConnection(scope).headers.get("x-forwarded-proto"))


def _new_cookie(*, secure: bool) -> str:
    cookie = SimpleCookie({COOKIE: _signer().sign(secrets.token_urlsafe(16)).decode()})
    kept = {"path": components.base_path() or "/", "max-age": str(COOKIE_SECONDS), "samesite": "Lax", "httponly": "1"}
    cookie[COOKIE].update(kept | ({"secure": "1"} if secure else {}))
    return cookie[COOKIE].OutputString()
