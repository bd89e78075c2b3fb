"""Several web servers behind a door as docs/hosting says: a browser stays with one and loses nothing when that ends."""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import shutil
import socket
import socketserver
import struct
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.documented import cluster
from tests.serving import PAGE, ROOT, Server, exceptions, free_port, serve
from tests.waiting import until

pytestmark = pytest.mark.slow
CADDY = shutil.which("caddy")
NGINX = shutil.which("nginx") or (os.path.exists("/usr/sbin/nginx") and "/usr/sbin/nginx")


@contextlib.contextmanager
def nginx(folder: Path, ports: list[int]) -> Iterator[str]:
    """The configuration of docs/hosting on a free port, in front of these."""
    door = free_port()
    text = adapted("nginx.conf", {
        "127.0.0.1:8501": f"127.0.0.1:{ports[0]}", "127.0.0.1:8502": f"127.0.0.1:{ports[1]}",
        "listen 80;": f"listen 127.0.0.1:{door};", "/run/nginx.pid": f"{folder}/pid",
        "/var/log/nginx/error.log": f"{folder}/error.log",
    })  # fmt: skip
    (folder / "nginx.conf").write_text(text)
    command = [str(NGINX), "-p", str(folder), "-c", str(folder / "nginx.conf"), "-g", "daemon off;"]
    with running(command, f"http://127.0.0.1:{door}") as url:
        yield url


@contextlib.contextmanager
def caddy(folder: Path, ports: list[int]) -> Iterator[str]:
    """The same for Caddy, without TLS."""
    door = f"http://127.0.0.1:{free_port()}"
    text = adapted("Caddyfile", {
        "127.0.0.1:8501": f"127.0.0.1:{ports[0]}", "127.0.0.1:8502": f"127.0.0.1:{ports[1]}",
        "\nplayground.school.example {": f"\n{door} {{",
    })  # fmt: skip
    with run_caddy(folder, text, door) as url:
        yield url


@contextlib.contextmanager
def run_caddy(folder: Path, text: str, url: str) -> Iterator[str]:
    (folder / "Caddyfile").write_text("{\n\tadmin off\n}\n" + text)
    command = [str(CADDY), "run", "--config", str(folder / "Caddyfile")]
    with running(command, url, HOME=str(folder), XDG_DATA_HOME=str(folder), XDG_CONFIG_HOME=str(folder)) as url:
        yield url


def adapted(name: str, changes: dict[str, str]) -> str:
    """A file of docs/hosting with other ports and folders."""
    text = (ROOT / "docs/hosting" / name).read_text()
    for before, after in changes.items():
        assert before in text
        text = text.replace(before, after)
    return text


@contextlib.contextmanager
def running(command: list[str], url: str, **env: str) -> Iterator[str]:
    process = subprocess.Popen(command, env={**os.environ, **env})
    try:
        until(lambda: _up(url), 30)
        yield url
    finally:
        process.terminate()
        process.wait(20)


def _up(url: str) -> bool:
    with contextlib.suppress(requests.ConnectionError):
        return requests.get(f"{url}/_stcore/health", timeout=10).ok
    return False


DOORS = [
    pytest.param(nginx, marks=pytest.mark.skipif(
        not NGINX and os.environ.get("CI") != "true", reason="needs nginx (Debian: nginx-light)")),
    pytest.param(caddy, marks=pytest.mark.skipif(not CADDY, reason="needs caddy")),
]  # fmt: skip


@pytest.fixture(params=DOORS, ids=["nginx", "caddy"])
def two(request, tmp_path) -> Iterator[tuple[str, list[Server]]]:
    """Two web servers of one cluster, one state and one secret, and the address of what is in front of them."""
    state, address = tmp_path / "state", f"tcp://127.0.0.1:{free_port()}"
    state.mkdir()
    env = {"DLCORE_SCHEDULER": address, "DLCORE_STATE": str(state), "DLCORE_SECRET": "the same for both",
           "STREAMLIT_SERVER_COOKIE_SECRET": "the same for both", "DLCORE_WARM": "0"}  # fmt: skip
    with contextlib.ExitStack() as stack:
        stack.enter_context(cluster(address, state, "train", "interactive"))
        servers = [stack.enter_context(serve("tests.served:app", **env)) for _ in range(2)]
        for server in servers:
            until(lambda s=server: s.get("/healthz").json()["state"] == "ready", 120)
        ports = [int(server.url.rsplit(":", 1)[1]) for server in servers]
        yield stack.enter_context(request.param(tmp_path, ports)), servers


class Browser:
    """A browser that comes through the door."""

    def __init__(self, url: str) -> None:
        self.url, self.session = url, requests.Session()
        assert self.session.get(url, headers=PAGE, timeout=60).ok

    def ask(self, path: str) -> dict:
        return self.session.get(self.url + path, timeout=60).json()

    @property
    def cookie(self) -> str:
        return "; ".join(f"{c.name}={c.value}" for c in self.session.cookies)


def test_a_browser_stays_with_its_server_and_loses_nothing_when_that_is_killed(two):
    door, servers = two
    browsers = [Browser(door) for _ in range(16)]
    seen = [{b.ask("/test/mine")["pid"] for _ in range(4)} for b in browsers]
    assert all(len(pids) == 1 for pids in seen), "a browser stays with one server"
    assert len(set.union(*seen)) == 2, "both have some"
    first = next(b for b, pids in zip(browsers, seen, strict=True) if pids == {servers[0].process.pid})
    through = Server(servers[0].process, door, servers[0].state, servers[0].log, 0.0)
    assert exceptions(through.visit("linear_regression", cookie=first.cookie)) == [], "WebSockets pass"
    metrics = requests.get(f"{door}/metrics", timeout=10)
    assert metrics.status_code == 404 or metrics.text.startswith("#"), (
        "Caddy's shows them to nobody, nginx' to this machine"
    )

    run_id = first.ask("/test/submit?steps=600&pause=0.02")["run_id"]
    until(lambda: first.ask("/test/mine")["runs"][0]["step"] > 10, 60)
    servers[0].process.kill()
    after = until(lambda: (told := first.ask("/test/mine")) and told["runs"] and told, 60)
    assert after["pid"] == servers[1].process.pid, "the other server has it now"
    assert after["runs"][0]["run_id"] == run_id
    until(lambda: first.ask("/test/mine")["runs"][0]["state"] == "finished", 120)
    assert exceptions(through.visit("linear_regression", cookie=first.cookie)) == [], "and its page is served"
    stranger = next(b for b in browsers if b is not first)
    assert stranger.ask("/test/mine")["runs"] == []


class Docker(socketserver.ThreadingUDPServer):
    """Docker's names: every question is answered with the addresses of ``web``."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Names)
        self.addresses = ["127.0.0.2", "127.0.0.3"]


class Names(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        asked: Any = self.request
        question, door = asked
        end = question.index(b"\0", 12) + 5  # the name, then type and class
        found = self.server.addresses if question[end - 4 : end - 2] == b"\0\1" else []  # type: ignore[attr-defined]
        head = question[:2] + b"\x81\x80" + struct.pack(">4H", 1, len(found), 0, 0)
        answers = [b"\xc0\x0c\0\1\0\1" + struct.pack(">IH", 1, 4) + socket.inet_aton(a) for a in found]
        door.sendto(head + question[12:end] + b"".join(answers), self.client_address)


class Web(http.server.BaseHTTPRequestHandler):
    """A web server that says where it is, and who it thinks asks."""

    def do_GET(self) -> None:
        host = self.connection.getsockname()[0]
        body = json.dumps({"host": host, "for": self.headers["X-Forwarded-For"]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def compose(tmp_path) -> Iterator[tuple[str, Docker, dict[str, http.server.ThreadingHTTPServer]]]:
    """Compose's door in front of two web servers of one name; its address, who knows the names, and they by theirs."""
    port, door = free_port(), f"http://127.0.0.1:{free_port()}"
    with contextlib.ExitStack() as stack:
        names = stack.enter_context(Docker())
        webs = {a: stack.enter_context(http.server.ThreadingHTTPServer((a, port), Web)) for a in names.addresses}
        for server in (names, *webs.values()):
            threading.Thread(target=server.serve_forever, daemon=True).start()
            stack.callback(server.shutdown)
        told = f"port {port}\n\t\t\tresolvers udp/127.0.0.1:{names.server_address[1]}"
        text = adapted("compose.Caddyfile", {"port 8501": told, "\n:80 {": f"\n{door} {{"})
        yield stack.enter_context(run_caddy(tmp_path, text, door)), names, webs


@pytest.mark.skipif(not CADDY, reason="needs caddy")
def test_compose_s_door_keeps_a_browser_with_one_of_its_web_servers(compose):
    door, names, webs = compose
    browsers = [requests.Session() for _ in range(20)]
    seen = [{b.get(door, timeout=10).json()["host"] for _ in range(4)} for b in browsers]
    assert all(len(hosts) == 1 for hosts in seen), "a browser stays with one server"
    assert set.union(*seen) == set(names.addresses), "both have some"
    pretends = browsers[0].get(door, headers={"X-Forwarded-For": "127.0.0.1, 10.9.9.9"}, timeout=10).json()
    assert pretends["for"] == "127.0.0.1", "nobody says himself where he is"
    assert browsers[0].get(f"{door}/metrics", timeout=10).status_code == 404
    (home,) = seen[0]
    webs[home].shutdown()
    webs[home].server_close()
    names.addresses.remove(home)
    after = [browsers[0].get(door, timeout=20) for _ in range(4)]
    assert {answer.status_code for answer in after} == {200}
    assert {answer.json()["host"] for answer in after} == set(names.addresses), "after a moment, without an error"
