"""The web server around the pages: workers beside it, health, static files, and what guards it (``ui.guard``)."""

from __future__ import annotations

import asyncio
import contextlib
import platform
from collections.abc import AsyncIterator
from functools import cache
from importlib.metadata import version
from typing import Any

import pandas as pd  # noqa: F401  # before any page: plotly, asked by two sessions at once, would find it half imported
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

import dlcore
from dlcore import jobs
from dlcore.jobs import journal
from dlcore.places import discreet
from ui import components
from ui.browsers import BrowserCookie
from ui.guard import Guard
from ui.last_words import hear_out
from ui.lighter import lighten
from ui.memory import collect, few_arenas
from ui.metrics import metrics
from ui.security import SecurityHeaders, harden_uvicorn
from ui.session import asker


@contextlib.asynccontextmanager
async def lifespan(app: Any) -> AsyncIterator[None]:
    """Start the workers in the background, so that the first page does not wait for them; end them at the end."""
    few_arenas()
    journal.to_stderr()
    # awaited, so that from the first request on they are "starting", never "down"
    await asyncio.to_thread(jobs.start, wait=False, asker=asker)
    harden_uvicorn()
    lighten()
    hear_out()
    collecting = asyncio.create_task(collect())
    try:
        yield
    finally:
        collecting.cancel()
        await asyncio.to_thread(jobs.shutdown)


async def health(request: Request) -> JSONResponse:
    """``/healthz``: 200 while runs can be taken or will be soon; 503 when the workers are down."""
    status = jobs.status()
    body = {
        "state": status.state,
        "message": str(discreet(status.problem)) if status.problem else "",
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
    """What every request passes through before Streamlit sees it, from the outside inwards."""
    return [Middleware(SecurityHeaders), Middleware(Guard), Middleware(BrowserCookie)]
