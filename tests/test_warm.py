"""A server process that is ready for a class before it comes."""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.waiting import on_a_loop, until
from ui import warm


def test_what_the_pages_import_is_known_and_there() -> None:
    names = set(warm.modules())
    assert {"streamlit", "ui.run_panel", "ui.controls", "dlcore"} <= names
    for name in names:
        importlib.import_module(name)


def test_a_warmed_server_has_short_turns_and_imports_the_rest_while_it_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    imported: list[str] = []

    @contextlib.asynccontextmanager
    async def own(app: Any) -> AsyncIterator[None]:
        seen.append("begins")
        yield
        seen.append("ends")

    async def serve() -> None:
        async with warm.warmed(own)("the app"):
            seen.append("serves")
            assert sys.getswitchinterval() == pytest.approx(warm.TURN)

    def load(name: str) -> None:
        imported.append(name)
        if name == "ui.controls":  # one that does not load is told in the log, and the others follow
            raise ImportError(name)

    monkeypatch.setattr(warm, "FIRST", 0.0)
    monkeypatch.setattr(warm.importlib, "import_module", load)
    before = sys.getswitchinterval()
    try:
        on_a_loop(serve())
    finally:
        sys.setswitchinterval(before)
    assert seen == ["begins", "serves", "ends"]
    until(lambda: set(imported) == set(warm.modules()), 30)
