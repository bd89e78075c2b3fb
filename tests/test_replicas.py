"""Several web servers behind nginx as docs/hosting says: a browser stays with one and loses nothing when that ends."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.serving import PAGE, ROOT, Server, exceptions, free_port, serve
from tests.test_jobs_life import cluster
from tests.waiting import until

pytestmark = pytest.mark.slow
NGINX = shutil.which("nginx") or (os.path.exists("/usr/sbin/nginx") and "/usr/sbin/nginx")


@contextlib.contextmanager
def nginx(folder: Path, ports: list[int]) -> Iterator[str]:
    """The configuration of docs/hosting on a free port, in front of these."""
    text, door = (ROOT / "docs/hosting/nginx.conf").read_text(), free_port()
    for before, after in {
        "127.0.0.1:8501": f"127.0.0.1:{ports[0]}", "127.0.0.1:8502": f"127.0.0.1:{ports[1]}",
        "listen 80;": f"listen 127.0.0.1:{door};", "/run/nginx.pid": f"{folder}/pid",
        "/var/log/nginx/error.log": f"{folder}/error.log",
    }.items():  # fmt: skip
        assert before in text
        text = text.replace(before, after)
    (folder / "nginx.conf").write_text(text)
    process = subprocess.Popen([str(NGINX), "-p", str(folder), "-c", str(folder / "nginx.conf"), "-g", "daemon off;"])
    url = f"http://127.0.0.1:{door}"
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


@pytest.fixture
def two(tmp_path) -> Iterator[tuple[str, list[Server]]]:
    """Two web servers of one cluster, one state and one secret, and the address of nginx in front of them."""
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
        yield stack.enter_context(nginx(tmp_path, ports)), servers


class Browser:
    """A browser that comes through nginx."""

    def __init__(self, url: str) -> None:
        self.url, self.session = url, requests.Session()
        assert self.session.get(url, headers=PAGE, timeout=60).ok

    def ask(self, path: str) -> dict:
        return self.session.get(self.url + path, timeout=60).json()

    @property
    def cookie(self) -> str:
        return "; ".join(f"{c.name}={c.value}" for c in self.session.cookies)


@pytest.mark.skipif(not NGINX and os.environ.get("CI") != "true", reason="needs nginx (Debian: nginx-light)")
def test_a_browser_stays_with_its_server_and_loses_nothing_when_that_is_killed(two):
    door, servers = two
    browsers = [Browser(door) for _ in range(8)]
    seen = [{b.ask("/test/mine")["pid"] for _ in range(4)} for b in browsers]
    assert all(len(pids) == 1 for pids in seen), "a browser stays with one server"
    assert len(set.union(*seen)) == 2, "both have some"
    first = next(b for b, pids in zip(browsers, seen, strict=True) if pids == {servers[0].process.pid})
    through = Server(servers[0].process, door, servers[0].state, servers[0].log, 0.0)
    assert exceptions(through.visit("linear_regression", cookie=first.cookie)) == [], "WebSockets pass"
    assert requests.get(f"{door}/metrics", timeout=10).text.startswith("#")

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
