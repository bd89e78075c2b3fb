"""The server as it is started for people: pages, health, cookies, and ends of all kinds."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest
import requests

from dlcore.jobs.store import CHECKPOINT, Store
from tests.serving import PAGE, ROOT, exceptions, free_port, serve
from tests.waiting import patience, until
from ui.browsers import COOKIE, owner_of
from ui.lessons import READY
from ui.memory import ARENAS

PAGES = ["", *(lesson.slug for lesson in READY)]
SOME = ("", "linear_regression", "cnn", "evaluation")  # without workers; all of them are in tests/pages
NEVER_HERE = {"torch", "torchvision", "sklearn", "torchmetrics", "captum", "optuna"}


@pytest.fixture(scope="module")
def server():
    with serve("tests.served:app") as server:
        yield server


def test_health_tells_versions_device_and_workers(server):
    health = until(lambda: (h := server.get("/healthz").json())["device"] and len(h["lanes"]) == 3 and h, 120)
    assert server.get("/healthz").status_code == 200
    assert health["state"] == "ready"
    assert health["lanes"].keys() == {"train", "light", "interactive"}
    assert health["versions"].keys() >= {"dlcore", "python", "streamlit", "plotly", "distributed", "numpy", "torch"}


def test_the_server_never_imports_torch(server):
    """After every page, and after a run and a call that failed with an exception of torch."""
    for page in PAGES:
        assert exceptions(server.visit(page, "lang=zh" if page == "cnn" else "")) == [], page
    failed = server.get("/test/fail").json()
    assert failed["run"]["kind"] == "out_of_memory"
    assert "memory" in failed["call"]
    told = server.get("/test/modules").json()
    assert not NEVER_HERE & {name.split(".")[0] for name in told["modules"]}
    assert "distributed" in told["modules"]
    assert all(told["replaced"].values()), "what the lifespan puts in its place"
    assert told["arenas"] <= ARENAS + 2, "those that were there before it stay"


def test_plotly_and_our_components_come_from_here(server):
    script = server.get("/vendor/plotly.min.js")
    assert script.ok
    assert "cache-control" in script.headers
    again = server.get("/vendor/plotly.min.js", headers={"If-None-Match": script.headers["etag"]})
    assert again.status_code == 304
    assert "st.App(" not in server.get("/app.py").text
    assert "import" not in server.get("/vendor/%2e%2e/__init__.py").text


def browser(server, cookies=None) -> requests.Response:
    return server.get("/", headers=PAGE, cookies=cookies)


def test_each_browser_gets_a_signed_id_of_its_own(server):
    first, second = browser(server), browser(server)
    said = first.headers["set-cookie"]
    assert "HttpOnly" in said
    assert "SameSite=Lax" in said
    assert "Secure" not in said
    assert first.cookies[COOKIE] != second.cookies[COOKIE]
    assert "set-cookie" not in browser(server, dict(first.cookies)).headers, "it is kept"
    assert "set-cookie" not in server.get("/healthz").headers
    assert "Secure" in server.get("/", headers={**PAGE, "X-Forwarded-Proto": "https"}).headers["set-cookie"]


def test_a_forged_id_is_worth_nothing(server, monkeypatch):
    good = str(browser(server).cookies[COOKIE])
    name, _, signature = good.rpartition(".")
    for forged in (f"{name}x.{signature}", f"{name}.", name, "", "a.b", "\x00", "é.é"):
        assert owner_of({COOKIE: forged}) is None
    forged = {COOKIE: f"{name}.AAAA{signature[4:]}"}
    assert COOKIE in browser(server, forged).cookies


def test_the_secret_is_private_and_outlives_the_server(server):
    browser(server)
    secret = server.state / "secret"
    assert secret.stat().st_mode & 0o777 == 0o600
    assert len(secret.read_text()) >= 32


def test_servers_with_one_secret_know_each_others_browsers(monkeypatch):
    from ui import browsers as ours

    monkeypatch.setenv("DLCORE_SECRET", "shared between replicas")
    ours._signer.cache_clear()
    cookie = ours._new_cookie(secure=False).split(";")[0].partition("=")[2]
    ours._signer.cache_clear()
    assert owner_of({COOKIE: cookie})
    monkeypatch.setenv("DLCORE_SECRET", "another")
    ours._signer.cache_clear()
    assert owner_of({COOKIE: cookie}) is None
    ours._signer.cache_clear()


def test_a_scheduler_that_does_not_answer_is_told_and_the_pages_live():
    where = f"127.0.0.1:{free_port()}"
    with serve(DLCORE_SCHEDULER=f"tcp://{where}") as server:
        until(lambda: server.get("/healthz").json()["state"] == "down", 60)  # "starting" before: also a 503
        response = server.get("/healthz")
        health = response.json()
        assert response.status_code == 503
        assert "DLCORE_SCHEDULER" in health["message"]
        assert where not in response.text, "whoever reaches a scheduler can run code on its workers"
        assert where in server.log.read_text()
        for page in SOME:
            messages = server.visit(page)
            assert exceptions(messages) == [], page
            assert not any(where in str(message) for message in messages), page


def test_a_state_folder_that_cannot_be_written_is_told_and_the_pages_live():
    with serve(DLCORE_STATE="/dev/null/state") as server:
        until(lambda: server.get("/healthz").json()["state"] == "down", 60)
        assert "DLCORE_STATE" in server.get("/healthz").json()["message"]
        assert COOKIE in browser(server).cookies
        for page in SOME:
            assert exceptions(server.visit(page)) == [], page


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_the_workers_end_with_the_server(how):
    with serve(DLCORE_WARM="0") as server:
        until(lambda: server.health()["workers"] == 4, 60)
        family = psutil.Process(server.process.pid).children(recursive=True)
        assert len([p for p in family if "spawn_main" in " ".join(p.cmdline())]) == 4
        os.kill(server.process.pid, how)
        asked = time.monotonic()
        server.process.wait(60)
        psutil.wait_procs(family, timeout=patience(15))
        assert [p for p in family if p.is_running() and p.status() != psutil.STATUS_ZOMBIE] == []
        assert time.monotonic() - asked < patience(15)


def test_a_sigterm_to_all_processes_at_once_still_puts_runs_aside():
    """As systemd sends it without ``KillMode=mixed``, and a terminal that is closed."""
    with serve("tests.served:app", DLCORE_WARM="0") as server:
        until(lambda: server.health()["lanes"].get("train"), 60)
        cookies = dict(browser(server).cookies)
        server.get("/test/submit?steps=100000&pause=0.02", cookies=cookies)
        until(lambda: server.get("/test/mine", cookies=cookies).json()["runs"][0]["step"] > 5, 60)
        main = psutil.Process(server.process.pid)
        family = main.children(recursive=True)
        for process in [*family, main]:  # the workers first
            process.send_signal(signal.SIGTERM)
        server.process.wait(60)
        psutil.wait_procs(family, timeout=patience(15))
        assert [p for p in family if p.is_running() and p.status() != psutil.STATUS_ZOMBIE] == []
        store = Store(server.state)
        (record,) = store.all()
        assert store.history(record.run_id).state == "paused"
        assert store.path(record.run_id, CHECKPOINT).exists()


def test_a_worker_that_is_told_to_end_does_so_when_nobody_else_ends_it():
    code = "import sys, time; from dlcore.jobs import cluster as c; c.GRACE = 0.5; c.end_later(); time.sleep(60)"
    began = time.monotonic()
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=patience(30)).returncode == 1
    assert time.monotonic() - began < patience(15)
