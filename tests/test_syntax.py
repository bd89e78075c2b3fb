"""Python's parser, asked by many threads at once."""

from __future__ import annotations

import ast
import threading
import time
from pathlib import Path

import pytest

from dlcore.syntax import parse

TEXT = (Path(__file__).resolve().parents[1] / "ui" / "controls.py").read_text(encoding="utf-8")


class Slow:
    """Garbage in a ring, whose end lets other threads go on in the midst of what the collector has interrupted."""

    def __init__(self) -> None:
        self.me = self

    def __del__(self) -> None:
        time.sleep(0.0005)


def test_many_threads_may_parse_at_once() -> None:
    faults: list[BaseException] = []
    wanted = ast.dump(ast.parse(TEXT))

    def often() -> None:
        try:
            for _ in range(10):
                for _ in range(20):
                    Slow()
                assert ast.dump(parse(TEXT)) == wanted
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=often) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


def test_what_is_no_python_is_a_syntax_error() -> None:
    with pytest.raises(SyntaxError):
        parse("x = = 1")
