"""The cookie that names a browser: a random id that this server has signed. Runs belong to it."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Mapping
from functools import cache
from http.cookies import SimpleCookie

from itsdangerous import BadSignature, Signer
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dlcore.jobs.store import create_private, state_dir
from ui.components import base_path

COOKIE = "dlcore_browser"
COOKIE_SECONDS = 400 * 24 * 3600  # the longest that browsers keep one


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
        if scope["type"] != "http" or not wants_page(scope) or owner_of(HTTPConnection(scope).cookies):
            await self.app(scope, receive, send)
            return

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.append("set-cookie", _new_cookie(secure=is_https(scope)))
                headers["cache-control"] = "no-store"  # no shared cache may hand this id on
            await send(message)

        await self.app(scope, receive, send_with_cookie)


def wants_page(scope: Scope) -> bool:
    """Whether this is a browser opening a page, not one of the requests that a page makes."""
    return "text/html" in HTTPConnection(scope).headers.get("accept", "")


def is_https(scope: Scope) -> bool:
    """Whether the browser came by HTTPS, also through a proxy that ends it."""
    return "https" in (scope.get("scheme"), HTTPConnection(scope).headers.get("x-forwarded-proto"))


def _new_cookie(*, secure: bool) -> str:
    cookie = SimpleCookie({COOKIE: _signer().sign(secrets.token_urlsafe(16)).decode()})
    kept = {"path": base_path() or "/", "max-age": str(COOKIE_SECONDS), "samesite": "Lax", "httponly": "1"}
    cookie[COOKIE].update(kept | ({"secure": "1"} if secure else {}))
    return cookie[COOKIE].OutputString()
