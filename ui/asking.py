"""Who asks the server, and for what: read from a request's scope (ASGI) without believing more than must be."""

from __future__ import annotations

import ipaddress

from starlette.requests import HTTPConnection
from starlette.types import Scope

from ui.browsers import owner_of
from ui.components import base_path

HERE = ("127.0.0.1", "::1", "testclient")  # this machine; the last is Starlette's own client for tests


def address(scope: Scope) -> str:
    """The client's address; of IPv6 the network of 64 bits, all of which one household or one student may use.

    Behind a proxy on this machine uvicorn has already put the browser's address there (``X-Forwarded-For``).
    """
    host = str((scope.get("client") or ("",))[0])
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(found, ipaddress.IPv4Address) or found.is_loopback:
        return host
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, 64), strict=False))


def browser(scope: Scope) -> str | None:
    """The browser's id; None for one without our signed cookie."""
    return owner_of(HTTPConnection(scope).cookies)


def identity(scope: Scope) -> str:
    """What is counted as one: the browser, or everybody without a cookie at an address."""
    return browser(scope) or address(scope)


def path(scope: Scope) -> str:
    """The path within the app, without ``server.baseUrlPath``."""
    return str(scope["path"]).removeprefix(base_path())


def url_bytes(scope: Scope) -> int:
    """How long the address is that was asked for, in bytes."""
    return len(scope.get("raw_path") or scope["path"].encode()) + len(scope.get("query_string", b""))


def header_bytes(scope: Scope) -> int:
    """How much stands in the headers."""
    return sum(len(name) + len(value) for name, value in scope["headers"])


def body_bytes(scope: Scope) -> int | None:
    """How long the body is said to be; None where that is not said (it comes in chunks), or is no number."""
    headers = HTTPConnection(scope).headers
    text = headers.get("content-length", "" if "transfer-encoding" in headers else "0")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else None
