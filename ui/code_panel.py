"""What ran, how to repeat it, and everything to take home: source, command, script, link, downloads.

The source is read as text, so this process imports nothing that a worker would.
"""

from __future__ import annotations

import ast
import csv
import io
import json
import pprint
import shlex
from collections.abc import Callable, Sequence
from dataclasses import asdict, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from dlcore import changes
from dlcore.data.tabular import Tabular
from dlcore.events import Changed, to_dict
from dlcore.history import History, Table
from dlcore.knobs import to_argv, to_texts
from dlcore.syntax import parse
from ui import address
from ui.controls import CHANGES
from ui.i18n import _
from ui.lessons import Lesson
from ui.spreadsheet import harmless

LINES, TALL = 24, 560  # a longer function scrolls within 560 px
ROOT = Path(__file__).resolve().parent.parent


PLACE = ("device", "threads", "precision", "memory_format")  # settings of a machine, which a link does not take along
Text = str | Callable[[], str]


def code_panel(
    lesson: Lesson, config: Any, history: History, *, show: Sequence[str] = (), data: Text | None = None
) -> None:
    """Draw the panel for the run of ``history``, or for ``config`` where nothing has run yet.

    Args:
        show: functions and classes to show, as ``"dlcore.training:fit"``, or a module whole, as ``"dlcore.autograd"``;
            the experiment's ``run`` comes first.
        data: the data that was used, as CSV (``rows_csv``, ``set_csv``), or a function that makes it when asked for.
    """
    config = run_config(config, history)
    st.header(_("The code"), anchor="code")
    names = list(dict.fromkeys([f"dlcore.experiments.{lesson.slug}:run", *show]))
    code, repeat, take = st.tabs([_("What ran"), _("Repeat it"), _("Take it with you")])
    with code:
        for name in names:
            module, _colon, function = name.partition(":")
            st.caption(f"`{module.replace('.', '/')}.py`")
            text = source(module, function)
            st.code(text, language="python", line_numbers=True, height=TALL if text.count("\n") > LINES else "content")
    with repeat:
        _repeat(lesson, config, history)
    with take:
        _downloads(lesson, config, history, data)


def run_config(config: Any, history: History) -> Any:
    """The resolved config that really ran, as an object; ``config`` where nothing has run."""
    known = {f.name for f in fields(config)}
    ran = {name: value for name, value in history.config.items() if name in known}
    return type(config)(**ran) if ran else config


@lru_cache
def source(module: str, name: str) -> str:
    """The text of a function or class, comments and decorators and all, or of the module; read without importing it.

    Raises:
        LookupError: the module's file has no such name at its top level.
    """
    text = (ROOT / (module.replace(".", "/") + ".py")).read_text(encoding="utf-8")
    if not name:
        return text
    for node in parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            return "\n".join(text.splitlines()[first - 1 : node.end_lineno])
    raise LookupError(f"{module} has no {name}")


def command(lesson: Lesson, config: Any, changed: Sequence[Changed] = ()) -> str:
    """The command line that repeats a run of this config and its changes."""
    steered = ["--changes", changes.write(changed)] if changed else []
    return shlex.join(["python", "-m", "dlcore", "train", lesson.slug, *to_argv(config), *steered])


def link(lesson: Lesson, config: Any, changed: Sequence[Changed] = ()) -> str:
    """The link that opens the page with the settings of this config, on whatever machine it is opened.

    It carries what was changed while the run went on, too. What a run found out about its machine stays out, and so
    does the fingerprint of data that is everywhere the same.
    """
    left = [name for name in PLACE if hasattr(config, name)]
    if hasattr(config, "data_hash") and not _brought(config):
        left.append("data_hash")
    texts = {name: text for name, text in to_texts(config).items() if name not in left}  # a recipe may set threads
    return address.link(lesson.slug, texts | ({CHANGES: changes.write(changed)} if changed else {}))


def _brought(config: Any) -> bool:
    """Whether the data are somebody's own: only their fingerprint says which."""
    return {getattr(config, name, "") for name in ("dataset", "source")} & {"csv", "own"} != set()


def script(lesson: Lesson, config: Any, history: History) -> str:
    """A Python program that repeats the run, with the changes that were made while it went on."""
    rows = [f"    Changed({c.step}, {c.name!r}, {c.value!r}),\n" for c in history.changes]
    settings = pprint.pformat(asdict(config), sort_dicts=False, width=100)
    return (
        f'"""Repeats a run of the lesson “{lesson.title}”. Start it in the folder of the playground."""\n\n'
        "from dlcore.events import Changed, Epoch, Finished, Step\n"
        f"from dlcore.experiments import {lesson.slug}\n"
        "from dlcore.steering import Steering\n\n"
        f"config = {lesson.slug}.Config(**{settings})\n"
        f"changes: list[Changed] = [\n{''.join(rows)}]\n\n"
        f"for event in {lesson.slug}.run(config, steering=Steering(changes)):\n"
        "    match event:\n"
        "        case Step(step=step, loss=loss):\n"
        '            print(f"step {step}: loss {loss:.6g}")\n'
        "        case Epoch(epoch=epoch, metrics=metrics):\n"
        '            print(f"epoch {epoch}: {metrics}")\n'
        "        case Finished(metrics=metrics):\n"
        "            print(metrics)\n"
    ).replace("[\n]", "[]")


def _repeat(lesson: Lesson, config: Any, history: History) -> None:
    carried = changes.carried(history.changes)
    st.markdown(_("**In a terminal**, in the folder of the playground:"))
    st.code(command(lesson, config, carried), language="bash", wrap_lines=True)
    if len(carried) < len(history.changes):
        st.caption(_("So much was changed while it ran that neither the command nor the link can hold it. The program "
                     "repeats all of it."))  # fmt: skip
    st.markdown(_("**As a program** with every setting that was really used:"))
    st.code(script(lesson, config, history), language="python")
    st.markdown(
        _(
            "**In the browser**: this link opens the page with the settings of this run, and what was changed while "
            "it ran. A network has to be trained again there."
        )
    )
    st.code(link(lesson, config, carried), language=None, wrap_lines=True)
    st.markdown(_("**For a class**: the same page as you have set it up, without its settings."))
    st.code(address.here(hide="controls"), language=None, wrap_lines=True)


def _downloads(lesson: Lesson, config: Any, history: History, data: Text | None) -> None:
    """Files are made when they are asked for."""
    if not len(history.steps) and not len(history.epochs):
        st.caption(_("As soon as something has run, its figures are here to download."))
        return
    files: dict[str, tuple[str, str, Text]] = {
        _("Every step, as a table"): (f"{lesson.slug}_steps.csv", "text/csv", lambda: to_csv(history.steps)),
        _("Every epoch, as a table"): (f"{lesson.slug}_epochs.csv", "text/csv", lambda: to_csv(history.epochs)),
        _("All of it, as JSON"): (f"{lesson.slug}.json", "application/json", lambda: to_json(config, history)),
        _("The program"): (f"{lesson.slug}_run.py", "text/x-python", lambda: script(lesson, config, history)),
    }
    if data is not None:
        files[_("The data")] = (f"{lesson.slug}_data.csv", "text/csv", data)
    with st.container(horizontal=True):
        for label, (name, mime, make) in files.items():
            key = f"{lesson.slug}.download.{name}"
            st.download_button(label, make, name, mime, icon=":material/download:", on_click="ignore", key=key)


def rows_csv(table: Tabular) -> str:
    """Features and target of a regression as CSV, in their own units, one row for each example."""
    names = [harmless(_(name)) for name in (*table.names, table.target)]
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([names, *np.column_stack([table.X, table.y]).tolist()])  # (N, d + 1)
    return out.getvalue()


def set_csv(history: History) -> str:
    """Which images a run learned from, as CSV: the set, the fingerprint of its files, and how many were used."""
    used = {name: history.config.get(name, "") for name in ("dataset", "data_hash", "seed")}
    return _written([used | {name: history.info.get(name, "") for name in ("train_size", "test_size")}])


def to_csv(table: Table) -> str:
    """A history table as CSV; an array becomes one column per element, ``theta[0]``, ``theta[1]``."""
    return _written([_flat(row) for row in table.rows])


def _written(rows: list[dict[str, Any]]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(map(harmless, names))
    writer.writerows([harmless(row.get(name, "")) for name in names] for row in rows)
    return out.getvalue()


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, list | tuple | np.ndarray):
            flat |= {f"{name}[{i}]": v for i, v in enumerate(np.ravel(np.asarray(value)).tolist())}
        else:
            flat[name] = value
    return flat


def to_json(config: Any, history: History) -> str:
    """Config, changes, metrics and both tables; NaN and infinities as strings, since JSON has none."""
    tree = {
        "config": asdict(config),
        "changes": [to_dict(change) for change in history.changes],
        "state": history.state,
        "metrics": history.metrics,
        "info": history.info,
        "steps": [_flat(row) for row in history.steps.rows],
        "epochs": [_flat(row) for row in history.epochs.rows],
    }
    return json.dumps(_finite(tree), ensure_ascii=False, indent=1, default=str)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_finite(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    return str(value) if isinstance(value, float) and value - value != 0 else value
