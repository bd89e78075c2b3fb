"""How long from a hand on the slider to the redrawn picture, and what a live page costs the server.

1. A lesson in Chromium (``--lesson``, by default linear_regression): the pointer holds a learning rate's slider and
   moves; the clock runs from the pointer's event to the first screen refresh after the last plot that the move concerns
   has been redrawn.
2. A fragment that redraws four lines of 2,000 points: processor time of the whole web process per tick (so sending,
   hashing and the timer are in it; and what else the machine does is not).
3. A film of 2,000 steps over three linked plots: screen refreshes per second while it plays.
4. The playground's card of the spiral (two inputs, 8-8-8): from the press of Train to "Finished" on the page.

``--check`` holds 150 ms (median), 8 ms, 55 refreshes a second and 10 s, on an otherwise idle machine. ``--quick``
makes few measurements and only fails where something does not work at all.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import Browser, Page, sync_playwright

from dlcore.playground_presets import preset

ROOT = Path(__file__).resolve().parents[1]
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync"]  # fmt: skip
PLOTS = {"linear_regression": 2, "optimizers": 3}  # lessons with a live lab, and how many plots it draws at least
SETTLE = 1500  # ms after the first picture until something is measured
QUICK_EPOCHS = 50
LIMITS = {"slider": 150.0, "tick": 8.0, "film": 55.0, "spiral": 10.0}

# Resolves with the milliseconds from the next pointer move to the refresh after the last of the redraws it causes.
MEASURE = """(quiet) => new Promise((done) => {
  let began, ended, timer;
  const finish = () => { removeEventListener("dl-drawn", drawn, true); done(ended - began); };
  const drawn = () => requestAnimationFrame(() => {
    ended = performance.now(); clearTimeout(timer); timer = setTimeout(finish, quiet);
  });
  addEventListener("pointermove", (event) => {
    began = performance.now(); addEventListener("dl-drawn", drawn, true);
  }, {once: true, capture: true});
  setTimeout(() => done(NaN), 20000);
})"""

REFRESHES = """(seconds) => new Promise((done) => {
  const shown = new Set(), began = performance.now(), count = document.querySelector(".dl-count");
  const look = (now) => {
    shown.add(count.textContent);
    if (now - began < seconds * 1000) requestAnimationFrame(look); else done(shown.size / seconds);
  };
  requestAnimationFrame(look);
})"""


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--check", action="store_true", help="fail where a limit is passed")
    options.add_argument("--quick", action="store_true", help="few measurements, no limits")
    options.add_argument("--lesson", default="linear_regression", choices=PLOTS, help="whose slider is held")
    given = options.parse_args()
    moves, seconds, film_seconds = (2, 2.0, 2.0) if given.quick else (40, 20.0, 4.0)
    spirals = [QUICK_EPOCHS] if given.quick else [None, None]  # a fresh server compiles during the first
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        with serving("app.py", "/healthz") as (url, _process):
            delays = slider_delays(browser, url, given.lesson, moves)
            *_, spiral = (spiral_seconds(browser, url, epochs) for epochs in spirals)
        with serving("benchmarks/ticking/app.py", "/_stcore/health") as (url, process):
            tick = tick_cost(browser, url, process, seconds)
        with serving("tests/browser/components/app.py", "/_stcore/health") as (url, _process):
            film = film_rate(browser, url, film_seconds)
        browser.close()
    median, worst = statistics.median(delays), sorted(delays)[int(0.95 * (len(delays) - 1))]
    load = os.getloadavg()[0] / (os.cpu_count() or 1)
    print(f"slider of {given.lesson} to redrawn plots: ", end="")
    print(f"median {median:.0f} ms, 95 % within {worst:.0f} ms ({len(delays)} moves)")
    print(f"fragment tick, 4 x 2,000 points: {tick:.1f} ms of processor time in the web process")
    print(f"film of 2,000 steps, three plots: {film:.0f} refreshes a second")
    print(f"spiral, from Train to Finished on the page: {spiral:.1f} s")
    print(f"machine: {os.cpu_count()} cores, load {load:.1f} per core")
    failed = [median > LIMITS["slider"], tick > LIMITS["tick"], film < LIMITS["film"], spiral > LIMITS["spiral"]]
    return int(given.check and any(failed))


@contextmanager
def serving(script: str, health: str) -> Iterator[tuple[str, subprocess.Popen]]:
    """A server of its own on a free port, with a state folder of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", script, "--server.headless", "true"]
    command += ["--server.port", str(port), "--server.address", "127.0.0.1"]
    with tempfile.TemporaryDirectory() as state:
        settings = {**os.environ, "PYTHONPATH": str(ROOT), "DLCORE_STATE": state}
        process = subprocess.Popen(command, cwd=ROOT, env=settings, stdout=subprocess.DEVNULL)
        try:
            wait(f"http://127.0.0.1:{port}{health}", process)
            yield f"http://127.0.0.1:{port}", process
        finally:
            process.terminate()
            process.wait(30)


def wait(url: str, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"no answer from {url}")


def open_page(browser: Browser, url: str, plots: int) -> Page:
    page = browser.new_page(viewport={"width": 1440, "height": 900}, bypass_csp=True)
    page.goto(url)
    drawn = f"document.querySelectorAll('.dl-plot[data-drawn]').length >= {plots}"
    page.wait_for_function(drawn, timeout=60_000)
    page.wait_for_timeout(SETTLE)
    return page


def slider_delays(browser: Browser, url: str, lesson: str, moves: int) -> list[float]:
    """Milliseconds from a move of the held slider to the picture, one at a time."""
    page = open_page(browser, f"{url}/{lesson}?lang=en", PLOTS[lesson])
    pause = page.get_by_role("button", name="Pause")
    pause.evaluate_all("buttons => buttons.forEach((button) => button.click())")  # a film that has ended has none
    box = page.locator(".dl-slider", has_text="Learning rate").first.locator(".dl-slider-track").bounding_box()
    assert box, "the lesson shows no slider for the learning rate"
    height = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.2 * box["width"], height)
    page.mouse.down()
    delays = []
    for move in range(moves + 2):
        page.wait_for_timeout(400)
        page.evaluate("quiet => { window.delay = (" + MEASURE + ")(quiet) }", 400)
        page.mouse.move(box["x"] + (0.2 + 0.5 * (move + 1) / (moves + 2)) * box["width"], height)
        delays.append(page.evaluate("window.delay"))
    page.mouse.up()
    page.close()
    if any(delay != delay for delay in delays):
        raise RuntimeError("a move of the slider redrew nothing")
    return delays[2:]  # the first two warm the caches


def spiral_seconds(browser: Browser, url: str, epochs: int | None) -> float:
    """What somebody waits who presses Train on the spiral's card. (Its test loss is ``benchmarks.playground``'s.)

    Args:
        epochs: other than the card's own, if given.
    """
    settings = {**preset("spiral").settings, **({} if epochs is None else {"epochs": epochs})}
    page = browser.new_page(viewport={"width": 1440, "height": 900}, bypass_csp=True)
    page.goto(f"{url}/neural_network?" + urlencode({"lang": "en", **settings}))
    train = page.get_by_role("button", name="Train").first
    train.wait_for(timeout=60_000)
    page.wait_for_function("document.querySelector('.dl-pg')?.dataset.step !== undefined", timeout=60_000)
    began = time.perf_counter()
    train.click()
    page.get_by_text(re.compile("^Finished")).first.wait_for(timeout=120_000)
    seconds = time.perf_counter() - began
    page.close()
    return seconds


def tick_cost(browser: Browser, url: str, process: subprocess.Popen, seconds: float) -> float:
    """Processor time of the web process per redraw, in milliseconds."""
    page = open_page(browser, url, 1)

    def ticks() -> int:
        return int(re.findall(r"ticks=(\d+)", page.locator("text=/^ticks=/").inner_text())[0])

    before, used = ticks(), processor_seconds(process.pid)
    page.wait_for_timeout(seconds * 1000)
    after, spent = ticks(), processor_seconds(process.pid) - used
    page.close()
    return 1000 * spent / (after - before)


def processor_seconds(pid: int) -> float:
    """User and system time of a process so far (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def film_rate(browser: Browser, url: str, seconds: float) -> float:
    """Different frames of the film per second that reach the screen."""
    page = open_page(browser, url, 3)
    page.get_by_role("button", name="Play", exact=True).click()
    rate = page.evaluate(REFRESHES, seconds)
    page.close()
    return rate


if __name__ == "__main__":
    sys.exit(main())
