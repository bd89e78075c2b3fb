"""Python's own parser, for a process whose sessions are threads."""

from __future__ import annotations

import ast
import threading

_one_at_a_time = threading.Lock()


def parse(text: str) -> ast.Module:
    """``ast.parse``, by one thread at a time.

    CPython counts the depth of the tree that it builds in a place that all threads share; in several versions (3.11.7
    is one) two that parse at once can end each other's with ``SystemError`` (cpython issue 106905). A classroom that
    comes in at once met it.
    """
    with _one_at_a_time:
        return ast.parse(text)
