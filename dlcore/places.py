"""What folders of this machine are called where others read along: by their names, never by their paths.

A path tells a stranger how the server is built and who runs it. A person at a terminal sees it (``str(problem)``), and
the server's log has it; a page and ``/healthz`` say ``DLCORE_STATE/runs`` instead.
"""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

from dlcore.data.catalogue import cache_root, data_root
from dlcore.jobs.store import state_dir
from dlcore.texts import Problem

TYPED = ("expression", "knob", "layers", "text", "word")  # kinds of Problem that quote what somebody has typed
ABSOLUTE = re.compile(r"(?<![\w:/.~…\\])(?:(?:/[\w.@%+~-]+){2,}/?|[A-Za-z]:(?:\\[\w.@%+~ -]+)+)")
END = r"(?![\w.-])"  # where a name ends: not /srv/data of /srv/data2


def named() -> list[tuple[str, str]]:
    """This machine's folders and what they are called, the longest path first."""
    root = Path(__file__).resolve().parent.parent
    known = [(root, "the app’s folder"), (Path.home(), "~"), (Path(tempfile.gettempdir()), "TMPDIR")]
    known += [(cache_root(), "~/.cache/deep-learning-playground/data")]
    state = "DLCORE_STATE" if os.environ.get("DLCORE_STATE") else "~/.cache/deep-learning-playground/state"
    known += [(state_dir(), state), *((Path(folder), name) for name, folder in _given().items())]
    found = {str(path): name for path, name in known if len(path.parts) > 1}
    return sorted(found.items(), key=lambda pair: len(pair[0]), reverse=True)


def _given() -> dict[str, str]:
    data, torch = data_root(), os.environ.get("TORCH_HOME", "")
    return ({"DLCORE_DATA": str(data)} if data else {}) | ({"TORCH_HOME": torch} if torch else {})


def nameless(text: str, *, typed: bool = False) -> str:
    """``text`` with the folders of this machine under their names, and of any other absolute path the last part.

    Args:
        typed: somebody has typed it, so that ``1 /x/y`` in it is no path: only this machine's own folders are looked
            for.
    """
    if "/" not in text and "\\" not in text:
        return text
    for path, name in named():
        text = re.sub(re.escape(path) + END, lambda _found, name=name: name, text)
    return text if typed else ABSOLUTE.sub(_last_part, text)


def _last_part(found: re.Match[str]) -> str:
    return "…/" + re.split(r"[/\\]", found[0].rstrip("/"))[-1]


def discreet(problem: Problem) -> Problem:
    """The same Problem without paths in its parameters, for whoever is not at this machine."""
    typed = problem.kind in TYPED
    params = {k: nameless(v, typed=typed) if isinstance(v, str) else v for k, v in problem.params.items()}
    return Problem(problem.template, kind=problem.kind, **params)
