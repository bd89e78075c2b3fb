"""The app of ``app.py`` with two more routes for tests: what the server process has imported, and a run that fails."""

from __future__ import annotations

import asyncio
import ctypes
import os
import platform
import sys
import tempfile
from pathlib import Path

import streamlit as st
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from streamlit.runtime import app_session
from streamlit.runtime.app_session import AppSession

from dlcore import jobs
from tests import toy
from tests.waiting import ENDED
from ui.browsers import owner_of
from ui.server import lifespan, middleware, routes

ROOT = Path(__file__).resolve().parent.parent


async def modules(request: Request) -> JSONResponse:
    """What this process has imported, what it has put in place of Streamlit's own, and its arenas of memory."""
    replaced = {"last words": hasattr(AppSession._create_scriptrunner, "__wrapped__"),
                "theme": app_session._populate_theme_msg.__module__ == "ui.lighter"}  # fmt: skip
    return JSONResponse({"modules": sorted(sys.modules), "replaced": replaced, "arenas": _arenas()})


def _arenas() -> int:
    """How many arenas glibc's malloc has made; 0 with another C library."""
    if platform.libc_ver()[0] != "glibc":
        return 0
    libc = ctypes.CDLL(None)
    libc.fdopen.restype = ctypes.c_void_p
    with tempfile.TemporaryFile() as told:
        stream = ctypes.c_void_p(libc.fdopen(os.dup(told.fileno()), b"w"))
        libc.malloc_info(0, stream)
        libc.fclose(stream)
        told.seek(0)
        return told.read().count(b"<heap nr=")


async def fail(request: Request) -> JSONResponse:
    """A run that fails with torch's own exception, and a call that does."""
    run_id = jobs.submit("toy", toy.Config(event="torch"), owner="test")
    while (history := jobs.history(run_id, owner="test")).state not in ENDED:
        await asyncio.sleep(0.05)
    try:
        await asyncio.to_thread(jobs.call, toy.fail, "torch", timeout=100)
    except ValueError as problem:
        return JSONResponse({"run": history.problem, "call": str(problem)})
    raise AssertionError("the call was to fail")


async def submit(request: Request) -> JSONResponse:
    """A toy run of the browser that asks, by its cookie."""
    steps, pause = int(request.query_params["steps"]), float(request.query_params["pause"])
    owner = owner_of(request.cookies)
    assert owner is not None
    return JSONResponse({"run_id": jobs.submit("toy", toy.Config(steps=steps, pause=pause), owner=owner)})


async def mine(request: Request) -> JSONResponse:
    """Which server this is, and the runs of the browser that asks."""
    owner = owner_of(request.cookies) or ""
    runs = [{"run_id": i.run_id, "state": i.state, "step": jobs.history(i.run_id, owner=owner).step}
            for i in jobs.runs(owner)]  # fmt: skip
    return JSONResponse({"pid": os.getpid(), "runs": runs})


app = st.App(
    ROOT / "ui" / "shell.py",
    lifespan=lifespan,
    routes=[
        *routes(),
        Route("/test/modules", modules),
        Route("/test/fail", fail),
        Route("/test/submit", submit),
        Route("/test/mine", mine),
    ],
    middleware=middleware(),
)
