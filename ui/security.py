"""What a browser is told to allow: headers of every answer, and the Content-Security-Policy of the pages.

``docs/security.md`` says against what. The policy is the tightest under which Streamlit's own front end works; a
browser test visits the pages and finds no violation.
"""

from __future__ import annotations

import base64
import gc
import hashlib
import os
import re
from functools import cache
from pathlib import Path

import streamlit as st
import uvicorn
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.components import base_path

FRAMES = "DLCORE_FRAME_ANCESTORS"  # who may show the pages in a frame; a list of origins, 'self' or 'none'
NO_PAGE = ("_stcore", "component", "components", "healthz", "media", "metrics", "static", "vendor")  # of the path
INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)
SOURCE = re.compile(r"'self'|'none'|\*|https?://[\w.*:-]+|[\w*-]+(\.[\w-]+)+(:\d+)?")
FOR_FILES = "default-src 'none'; sandbox"  # what is opened by itself and not in a page: no script of it runs
ALLOWED = {"camera": "(self)", "fullscreen": "(self)", "clipboard-write": "(self)"}
FORBIDDEN = (
    "accelerometer", "autoplay", "browsing-topics", "clipboard-read", "display-capture", "geolocation",
    "gyroscope", "hid", "idle-detection", "magnetometer", "microphone", "midi", "payment", "screen-wake-lock", "serial",
    "usb", "xr-spatial-tracking",
)  # fmt: skip


def policy() -> str:
    """The Content-Security-Policy of a page."""
    rules = {
        "default-src": "'none'",
        # blob: is how Streamlit starts a component's script; the hash is that of the one inline script of its page;
        # protobuf's 64-bit numbers are a piece of WebAssembly. No 'unsafe-inline', no 'unsafe-eval'.
        "script-src": " ".join(["'self'", "blob:", "'wasm-unsafe-eval'", *_inline_hashes()]),
        "style-src": "'self' 'unsafe-inline'",  # emotion, KaTeX and plotly.js write styles into the page
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "media-src": "'self' blob:",
        "connect-src": "'self'",  # the WebSocket, too
        "worker-src": "'self' blob:",
        "manifest-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": frame_ancestors(),
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def frame_ancestors() -> str:
    """Who may show the pages in a frame: ``DLCORE_FRAME_ANCESTORS``, by default this server's own pages.

    Raises:
        ValueError: it is no list of sources; a server with a typing error there is not to start without protection.
    """
    asked = os.environ.get(FRAMES, "").replace(",", " ").split() or ["'self'"]
    for source in asked:
        if not SOURCE.fullmatch(source):
            raise ValueError(f"{FRAMES}: {source!r} is no origin such as https://moodle.example.org, 'self' or 'none'")
    return " ".join(asked)


@cache
def _inline_hashes() -> tuple[str, ...]:
    """Of the scripts that stand in Streamlit's own page, as this version has them."""
    page = (Path(st.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    digests = (hashlib.sha256(script.encode()).digest() for script in INLINE_SCRIPT.findall(page))
    return tuple(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)


def headers(*, page: bool) -> dict[str, str]:
    """The security headers of a page, or of anything else (a script, a picture, an answer in JSON)."""
    permissions = [f"{name}={who}" for name, who in ALLOWED.items()] + [f"{name}=()" for name in FORBIDDEN]
    told = {
        "content-security-policy": policy() if page else FOR_FILES,
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",  # a link to elsewhere does not tell there what somebody has set here
        "permissions-policy": ", ".join(permissions),
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
    }
    if frame_ancestors() == "'self'":
        told["x-frame-options"] = "SAMEORIGIN"  # for browsers that do not know frame-ancestors
    return told


def is_page(path: str) -> bool:
    """Whether a path is answered with the app's page, as every one is that is nothing else."""
    return path.removeprefix(base_path()).lstrip("/").split("/")[0] not in NO_PAGE


class SecurityHeaders:
    """Puts the headers on every answer, also on one that says no."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.of = {page: headers(page=page) for page in (True, False)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; its answer takes the headers along."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        own = self.of[is_page(scope["path"])]

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                there = MutableHeaders(scope=message)
                for name, value in own.items():
                    there[name] = value
            await send(message)

        await self.app(scope, receive, send_with_headers)


def harden_uvicorn() -> None:
    """Have uvicorn not say what it is, and take no longer messages by WebSocket than Streamlit would.

    It adds its header after all middleware, and reads a message of 200 MB before Streamlit says no; ``streamlit run``
    has options for neither. To be called once it runs (in the lifespan); other servers are set up by who starts them.
    """
    most = st.get_option("server.maxWidgetStateSize") * 10**6
    for one in gc.get_objects():
        if type(one) is uvicorn.Config and one.loaded:
            one.encoded_headers = [header for header in one.encoded_headers if header[0] != b"server"]
            one.ws_max_size = min(one.ws_max_size, most)
