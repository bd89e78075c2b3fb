"""What students do: read, drag, train, upload, and leave and come back. Every choice comes from a seeded generator."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from random import Random

import requests
from websockets.exceptions import WebSocketException

from benchmarks.classroom.browser import Browser, Lost
from benchmarks.classroom.page import Page
from benchmarks.classroom.tally import Tally

RATE = "linear_regression.learning_rate"
CURVE = "curve"  # the plot that every move of that slider changes
READING = ("linear_regression", "convolution", "evaluation", "backpropagation", "optimizers", "cnn", "sequences", "")
NOTHING = "Nothing has been trained yet."


@dataclass
class Classroom:
    """What all students share."""

    url: str
    tally: Tally
    ends: float  # time.monotonic()
    seed: int = 0
    drag_every: float = 2.0  # seconds
    let_go: int = 5  # after how many moves the slider is let go; 0: never
    turn_every: float = 60.0  # seconds a reader stays on a page, on average; 0: for ever
    stay: float = 0.0  # seconds, on average, until somebody leaves and comes back; 0: nobody leaves
    training: str = "lang=en&dataset=digits&network=fast&epochs=50"
    lesson: str = "cnn"
    think: float = 2.0  # seconds, on average, between the end of a run and the next press
    new_faces: float = 0.0  # how many of those who come back are somebody else, without a cookie (0 to 1)
    lenient: bool = False  # whether something red on a page is to be expected
    browsers: dict[int, Browser] = field(default_factory=dict)  # by the student's number

    @property
    def over(self) -> bool:
        """Whether the bell has rung."""
        return time.monotonic() >= self.ends

    def newcomer(self) -> Browser:
        """A browser that has never been here."""
        browser = Browser(self.url, self.tally)
        browser.lenient = self.lenient
        return browser

    async def pause(self, seconds: float) -> None:
        """Wait, but not beyond the end."""
        await asyncio.sleep(max(0.0, min(seconds, self.ends - time.monotonic())))


Life = Callable[[Classroom, Browser, Random], Awaitable[None]]


async def read(room: Classroom, browser: Browser, rng: Random) -> None:
    """Look at pages; the heartbeat goes on by itself."""
    await browser.open(rng.choice(READING))
    while not room.over:
        await room.pause(rng.expovariate(1 / room.turn_every) if room.turn_every else room.ends)
        if not room.over:
            await browser.turn_to(rng.choice(READING))


async def drag(room: Classroom, browser: Browser, rng: Random) -> None:
    """Hold the slider of the learning rate and move it; let it go now and then (``room.let_go``)."""
    await browser.open("linear_regression")
    moves = 0
    await room.pause(rng.uniform(0, room.drag_every))
    while not room.over:
        began, moves = time.monotonic(), moves + 1
        before = _drawn(browser.page)
        await _move(browser, rng.uniform(0.01, 0.9), held=True)
        if _drawn(browser.page) == before:
            room.tally.fault("a move of the slider redrew nothing")
        if room.let_go and moves % room.let_go == 0:
            await _move(browser, None, held=False)
        await room.pause(began + room.drag_every - time.monotonic())


async def _move(browser: Browser, value: float | None, *, held: bool) -> None:
    """What slider.js sends; without a value the slider is let go where it stands."""
    slider = browser.page.find(RATE)
    if slider is None:
        raise Lost("the page has no slider")
    if value is None:
        value = json.loads(browser.page.values[slider.body.id].json_value)["value"]["value"]
    sent = {"value": value, "held": held, "seq": json.loads(slider.body.json)[0]["seq"], "n": time.time_ns() // 10**6}
    await browser.set(RATE, "slider, held" if held else "slider, let go", json_value=json.dumps({"value": sent}))


def _drawn(page: Page) -> bytes:
    curve = page.find(CURVE)
    return curve.body.bytes if curve else b""


async def train(room: Classroom, browser: Browser, rng: Random) -> None:
    """Press Train and watch until the run has ended; again, until the bell rings. Who comes back finds the run."""
    browser.page.query = browser.first_query = room.training
    returned = bool(browser.trained)
    await browser.open(room.lesson)
    if returned and NOTHING in browser.page.progress():
        room.tally.fault("somebody came back and the run was not found")
    while not room.over:
        if not browser.page.find(f"{room.lesson}.run.stop"):  # none goes on
            await room.pause(rng.expovariate(1 / room.think))
            if room.over:
                return
            await browser.press(f"{room.lesson}.start.play_arrow", "press Train")
            browser.trained += 1
        try:
            ended = await browser.until(Page.ended, max(0.1, room.ends - time.monotonic()))
        except Lost:
            if room.over:
                return
            raise
        room.tally.counted[f"runs: {ended}"] += 1


async def upload(room: Classroom, browser: Browser, rng: Random) -> None:
    """Bring tables of one's own, and see that the page shows this one and nobody else's."""
    browser.page.query = browser.first_query = "lang=en&dataset=csv"
    await browser.open("linear_regression")
    while not room.over:
        rows = rng.randrange(20, 2000)
        table = "".join(f"{rng.gauss(0, 1):.4f},{rng.gauss(0, 1):.4f}\n" for _ in range(rows))
        await browser.upload("own-data-file", "table.csv", f"x,y\n{table}".encode())
        said = [text.body for text in browser.page.all("markdown")]
        if not any(f"{rows} rows" in text or f"{rows:,} rows" in text for text in said):
            room.tally.fault("an uploaded table is not on its page")
        await room.pause(rng.uniform(4, 12))


LIVES: dict[str, Life] = {"reading": read, "dragging": drag, "training": train, "uploading": upload}


async def attend(room: Classroom, life: Life, number: int, arrives: float = 0.0) -> None:
    """One student from coming in to the bell, leaving and returning with the same cookie where ``stay`` says so."""
    rng, browser = Random(room.seed * 1_000_003 + number), room.newcomer()
    await room.pause(arrives)
    while not room.over:
        room.browsers[number] = browser
        stays = rng.expovariate(1 / room.stay) if room.stay else room.ends
        try:
            await asyncio.wait_for(life(room, browser, rng), min(stays, max(0.01, room.ends - time.monotonic())))
        except TimeoutError:
            if not room.over:
                room.tally.counted["left and came back"] += 1
        except (Lost, requests.RequestException, WebSocketException, OSError) as fault:
            if not room.over:
                room.tally.fault(f"{life.__name__}: {type(fault).__name__}: {fault}")
        await browser.close()
        await room.pause(rng.uniform(0.5, 3.0))
        if rng.random() < room.new_faces:
            browser = room.newcomer()


async def whole_class(room: Classroom, lives: Sequence[str], arriving: float) -> None:
    """All students at once; they come in within ``arriving`` seconds."""
    each = arriving / max(1, len(lives))
    await asyncio.gather(*(attend(room, LIVES[life], n, n * each) for n, life in enumerate(lives)))
