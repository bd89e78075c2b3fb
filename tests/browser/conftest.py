"""A server as users start it, and real browser pages that notice every error and every request to somewhere else."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

ROOT = Path(__file__).resolve().parents[2]
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]  # fmt: skip
START_SECONDS = 60


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs a browser."""
    for item in items:
        if Path(item.path).is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.browser)


@dataclass
class Server:
    """One running server."""

    url: str
    process: subprocess.Popen
    log: Path
    state: Path  # its DLCORE_STATE

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@pytest.fixture(scope="session")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """Start servers: ``serve()`` is the app, shared by all who ask for the same script and environment.

    ``serve(env={"DLCORE_DATA": …})`` sets variables; ``serve(fresh=True)`` is one that nobody has asked anything yet.
    """
    running: dict[tuple, Server] = {}

    def start(
        script: str = "app.py", *, env: dict[str, str] | None = None, fresh: bool = False, health: str = "/healthz"
    ) -> Server:
        key = (script, *sorted((env or {}).items()), len(running) if fresh else None)
        if key not in running:
            running[key] = _start(script, env or {}, tmp_path_factory.mktemp("server"), health)
        return running[key]

    yield start
    for server in running.values():
        server.stop()


def _start(script: str, env: dict[str, str], folder: Path, health: str) -> Server:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = folder / "server.log"
    command = [sys.executable, "-m", "streamlit", "run", script, "--server.headless", "true"]
    command += ["--server.port", str(port), "--server.address", "127.0.0.1"]
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    settings = {**os.environ, "PYTHONPATH": paths, "DLCORE_STATE": str(folder / "state"), **env}
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, env=settings, stdout=out, stderr=subprocess.STDOUT)
    server = Server(f"http://127.0.0.1:{port}", process, log, folder / "state")
    _wait(server, health)
    return server


def _wait(server: Server, health: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(server.url + health, timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    server.stop()
    pytest.fail(f"the server did not answer {health}:\n{server.log.read_text(errors='replace')[-3000:]}")


@pytest.fixture(scope="session")
def server(serve: Callable[..., Server]) -> Server:
    """The app itself, shared by all tests."""
    return serve()


@pytest.fixture
def fresh_server(serve: Callable[..., Server]) -> Iterator[Server]:
    """The app, started for this test: nobody has asked it anything yet, and its workers are not prepared for runs."""
    server = serve(env={"DLCORE_WARM": "0"}, fresh=True)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def chromium() -> Iterator:
    """Debian's Chromium. Where there is none, ``tests/conftest.py`` skips (or fails in CI) before this is asked for."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=60_000)  # generous: machines are shared, and the first test meets workers that start
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def profiles(chromium) -> dict[tuple[str, bool, bool], BrowserContext]:
    """One profile for each language and kind of pointer, kept over all tests: a page's files are fetched once.

    A new one would fetch and compile Streamlit's and Plotly's megabytes again.
    """
    return {}


@pytest.fixture
def faults() -> list[str]:
    """What went wrong in the pages of this test: errors on the console, requests elsewhere. Clear it to allow them."""
    return []


@pytest.fixture
def browse(chromium, profiles: dict[tuple[str, bool, bool], BrowserContext], faults: list[str]) -> Iterator[Callable]:
    """Open pages: ``browse(url, theme="dark", locale="zh-CN", width=390)``. The test fails if one had a fault.

    Each page is another reader's: without cookies, and without what a page has stored before. Playwright's own way of
    waiting evaluates texts, which the pages' policy forbids: it is in force with ``policy=True`` only.
    """
    readers: list[BrowserContext] = []

    def check(request) -> None:
        if urlsplit(request.url).hostname not in ("127.0.0.1", None):
            faults.append(f"request to elsewhere: {request.url}")

    def reader(locale: str, touch: bool, policy: bool) -> BrowserContext:
        kept = profiles.get((locale, touch, policy))
        if kept is None or kept in readers:  # the second reader of a test
            kept = chromium.new_context(locale=locale, has_touch=touch, bypass_csp=not policy)
            profiles.setdefault((locale, touch, policy), kept)
        readers.append(kept)
        kept.on("request", check)  # looked at, not routed: a routed page has no cache and waits for us at each file
        return kept

    def open_page(
        url: str,
        *,
        theme: str = "light",
        locale: str = "en-US",
        width: int = 1440,
        height: int = 900,
        motion: bool = True,
        touch: bool = False,
        policy: bool = False,
    ):
        page = reader(locale, touch, policy).new_page()
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=cast(Any, theme), reduced_motion="no-preference" if motion else "reduce")
        page.on("pageerror", lambda error: faults.append(f"error: {error}"))
        page.on("console", lambda line: faults.append(f"console: {line.text}") if _is_fault(line) else None)
        page.goto(url)
        return page

    yield open_page
    for context in readers:
        context.remove_listener("request", check)
        if context in profiles.values():
            _forget(context)
        else:
            context.close()
    assert not faults, "\n".join(faults)


def _forget(context: BrowserContext) -> None:
    """Close its pages, and delete what they have stored; files of the cache stay."""
    addresses = [urlsplit(page.url) for page in context.pages]
    for page in context.pages:
        page.close()
    context.clear_cookies()
    blank = context.new_page()
    devtools = context.new_cdp_session(blank)
    for origin in {f"{at.scheme}://{at.netloc}" for at in addresses if at.netloc}:
        devtools.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"})
    blank.close()


def _is_fault(line) -> bool:
    """An error on the console. Streamlit's own way of finding its root below a page's address asks in vain first."""
    path = urlsplit(line.location.get("url", "")).path
    return line.type == "error" and not ("/_stcore/" in path and not path.startswith("/_stcore/"))


@pytest.fixture
def page(browse: Callable):
    """An empty page in English, 1440 x 900, light, for a reader who wants no motion: films rest until they are played.

    A film that plays takes a third of a core for as long as its page is open.
    """
    return browse("about:blank", motion=False)


@pytest.fixture
def lively(browse: Callable):
    """The same for a reader who has nothing against motion: films begin by themselves."""
    return browse("about:blank")
