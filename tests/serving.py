"""A server process of one's own, and visits to its pages as a browser makes them (without one)."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import requests
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

from tests.waiting import until

ROOT = Path(__file__).resolve().parent.parent
PAGE = {"Accept": "text/html"}


@dataclass
class Server:
    """A running server; ``log`` is what it said."""

    process: subprocess.Popen[bytes]
    url: str
    state: Path
    log: Path
    started: float

    def get(self, path: str, **kwargs) -> requests.Response:
        return requests.get(self.url + path, timeout=120, **kwargs)

    def health(self) -> dict:
        """What ``/healthz`` says, once the workers have started (or are known to be down)."""
        return until(lambda: (h := self.get("/healthz").json())["state"] != "starting" and h, 60)

    def visit(self, page: str, query: str = "", cookie: str = "") -> list[ForwardMsg]:
        """Open a page in a new session; all messages of its first script run."""
        headers = {"Cookie": cookie} if cookie else None
        messages = []
        url = self.url.replace("http", "ws") + "/_stcore/stream"
        with connect(url, max_size=None, additional_headers=headers) as ws:
            ask = BackMsg()
            ask.rerun_script.query_string = query
            ask.rerun_script.page_name = page
            ws.send(ask.SerializeToString())
            while True:
                message = ForwardMsg.FromString(bytes(ws.recv(timeout=120, decode=False)))
                messages.append(message)
                if message.WhichOneof("type") == "script_finished":
                    return messages


def exceptions(messages: list[ForwardMsg]) -> list[str]:
    """What would be a red box on the page."""
    elements = [m.delta.new_element for m in messages if m.WhichOneof("type") == "delta"]
    return [e.exception.message for e in elements if e.WhichOneof("type") == "exception"]


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def serve(target: str = "app.py", **env: str) -> Iterator[Server]:
    """``streamlit run app.py`` (or ``uvicorn tests.served:app``) on a free port, with a state folder of its own."""
    with tempfile.TemporaryDirectory(prefix="dlcore-server-", ignore_cleanup_errors=True) as folder:
        port, state, log = free_port(), Path(folder) / "state", Path(folder) / "log"
        if target.endswith(".py"):
            command = ["-m", "streamlit", "run", target, "--server.port", str(port), "--server.headless", "true"]
        else:
            command = ["-m", "uvicorn", target, "--port", str(port)]
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, *command], cwd=ROOT, stdout=out, stderr=out,
                env={**os.environ, "DLCORE_STATE": str(state), **env},
            )  # fmt: skip
        server = Server(process, f"http://127.0.0.1:{port}", state, log, time.monotonic())
        try:
            until(lambda: _answers(server), 60)
            yield server
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def _answers(server: Server) -> bool:
    assert server.process.poll() is None, server.log.read_text()
    with contextlib.suppress(requests.ConnectionError):
        return server.get("/_stcore/health").ok
    return False
