"""What a student could hand in to do harm: in a link, in a file, over what is downloaded. Each is refused or harmless.

The list is that of ``docs/security.md``; what is sent to a server as such is in ``test_hostile_server.py`` and
``test_hostile_sockets.py``.
"""

from __future__ import annotations

import ast
import csv
import io
import re
import shlex
import struct
import time
import zipfile
from contextlib import suppress
from dataclasses import asdict, fields
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import dlcore
from dlcore.data import kept, own, own_images, own_text, zip_folder
from dlcore.data.tabular import Tabular
from dlcore.data.uploads import read_image
from dlcore.experiments.linear_regression import Config
from dlcore.history import History
from dlcore.knobs import check_value, knobs_of, parse, read_value
from dlcore.places import discreet, named, nameless
from dlcore.texts import Problem
from tests.pages.visit import opened, said
from tests.zips import folders, zipped
from ui import code_panel, teacher_gate
from ui.i18n import tell
from ui.lessons import READY, lesson_for
from ui.spreadsheet import harmless

WORDS = b"It was the best of times, it was the worst of times. " * 200
NUMBERS = (
    "nan", "-nan", "inf", "-Infinity", "1e999", "-1e999", "9" * 400, "9" * 5000, "0x7fffffff", "1_000_000_000_000",
    "1e308", "١٢٣٤٥٦٧٨٩٠١٢٣٤٥٦٧٨٩", "−5", "½", "\u200b", "", "None", "true", "__import__('os')", "1;2", "1\x00",
    "1" + "\u0301" * 300,
)  # fmt: skip


@pytest.mark.parametrize("text", NUMBERS)
def test_no_text_becomes_a_number_that_a_knob_does_not_allow(text):
    """Every knob of every lesson: a sentence, or a finite value within its own bounds."""
    for lesson in READY:
        for knob in knobs_of(lesson.config).values():  # type: ignore[arg-type]
            try:
                value = read_value(knob, text)
            except Problem as refused:
                value, words = None, str(refused)
            if value is None:
                assert len(words) < 600, (lesson.slug, knob.name)
                continue
            assert check_value(knob, value) == value
            if knob.kind in (int, float):
                assert np.isfinite(value)
                assert knob.low is None or value >= knob.low
                assert knob.high is None or value <= knob.high


@pytest.mark.parametrize("lesson", READY, ids=lambda lesson: lesson.slug)
def test_the_largest_that_a_link_can_ask_for_is_bounded(lesson):
    """No number in a link is without a limit above: a run of 10⁹ epochs is not to be had for a line of text."""
    unlimited = [k.name for k in knobs_of(lesson.config).values() if k.kind in (int, float) and k.high is None]
    assert unlimited == []


LINKS = {
    "script": {"seed": "<script>alert(1)</script>"},
    "markdown": {"seed": "[click](javascript:alert(1)) ![x](https://evil.example/x.png)"},
    "unknown": {"<img src=x onerror=alert(1)>": "1"},
    "traversal": {"dataset": "csv", "data_hash": "../../../../etc/passwd"},
    "pictures of nobody": {"dataset": "csv", "data_hash": "f" * 16},
    "right to left": {"seed": "\u202e\u2066evil\u2069"},
    "long": {"points": "1_2~" * 4000},
    "many": {f"x{k}": "1" for k in range(60)},
    "format": {"seed": "{0.__class__.__init__.__globals__}", "x{fault}": "1"},
    "language": {"lang": "../../../etc/passwd"},
    "hidden": {"hide": "controls", "seed": "nan", "changes": "[[0,'__class__',1]]"},
    "nul": {"seed": "\x00", "points": "\x00\x01"},
}


@pytest.mark.parametrize("params", LINKS.values(), ids=LINKS)
def test_a_hostile_link_shows_the_lesson_and_a_sentence(params):
    at = opened("linear_regression", **params)
    assert not at.exception
    assert at.title, "the lesson is there"
    words = said(at)
    assert "Traceback" not in words
    assert "root:" not in words
    assert not re.search(r"(?<!\\)<(script|img)", words), "a stranger's text is text"
    assert not re.search(r"(?<!\\)\]\(javascript:", words)
    assert len(at.warning) < 80


def bomb() -> bytes:
    """A zip of 60 kB that unpacks to 60 MB in one picture."""
    return zipped({**folders(), "cats/bomb.png": bytes(60_000_000)}, zipfile.ZIP_DEFLATED)


def nested() -> bytes:
    inner = bomb()
    return zipped({**folders(), "cats/more.zip": inner, "cats/again.png": inner})


def overlapping() -> bytes:
    """Two names for the same bytes (as in “a better zip bomb”): the second entry's header points at the first."""
    blob = bytearray(zipped({**folders(), "cats/x.png": bytes(1000)}, zipfile.ZIP_DEFLATED))
    where = [m.start() for m in re.finditer(b"PK\x01\x02", bytes(blob))]
    first = blob[where[0] + 42 : where[0] + 46]
    for at in where[1:]:
        blob[at + 42 : at + 46] = first
    return bytes(blob)


ZIPS = {
    "bomb": bomb,
    "nested": nested,
    "overlapping": overlapping,
    "absolute": lambda: zipped({**folders(), "/etc/cron.d/x.png": b"x", "C:\\windows\\x.png": b"x"}),
    "upwards": lambda: zipped({**folders(), "../../../../tmp/hostile.png": b"x", "cats/../../x.png": b"x"}),
    "control characters": lambda: zipped({**folders(), "ca\x00ts/\x1b[2J.png": b"x", "\u202egnp.x/y.png": b"x"}),
    "html as picture": lambda: zipped({**folders(), "cats/x.png": b"<html><script>alert(1)</script>"}),
}


@pytest.mark.parametrize("make", ZIPS.values(), ids=ZIPS)
def test_a_hostile_zip_is_read_without_its_harm(make, tmp_path, monkeypatch):
    monkeypatch.setenv("DLCORE_STATE", str(tmp_path / "state"))
    monkeypatch.setattr(zip_folder, "MOST_UNPACKED", 50_000_000)
    began = time.process_time()
    with suppress(Problem):
        found = own_images.keep_zip(make())
        assert set(found["classes"]) <= {"cats", "dogs"}, "nothing beside the two honest folders"
    assert time.process_time() - began < 5
    there = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert all(path.parent == tmp_path / "state" / "data" / "images" for path in there)


PICTURES = {
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "svg with a file": b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]><svg>&a;</svg>',
    "html": b"<!doctype html><script>alert(1)</script>",
    "gif and script": b"GIF89a/*" + bytes(100) + b"*/=alert(1)//",
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99999 99999\n(/etc/passwd) (r) file",
    "pickle": b"\x80\x04\x95\x1d\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94\x8c\x06system\x94\x93\x94.",
    "tiff": b"II*\x00\x08\x00\x00\x00" + struct.pack("<H", 65535) + bytes(50),
    "bmp of two billion": b"BM" + struct.pack("<IHHIIiiHH", 0, 0, 0, 54, 40, 46000, 46000, 1, 24) + bytes(24),
}  # fmt: skip


@pytest.mark.parametrize("blob", PICTURES.values(), ids=PICTURES)
def test_what_only_looks_like_a_picture_is_refused(blob):
    with pytest.raises(Problem) as refused:
        read_image(blob)
    assert refused.value.kind == "upload"
    assert "/etc/passwd" not in str(refused.value)


TABLES = {
    "formula names": b"=cmd|' /C calc'!A0,+1+1,@SUM(1)\n1,2,3\n4,5,6\n7,8,9\n",
    "formula cells": b"a,b\n1,2\n=HYPERLINK(),4\n5,6\n7,8\n",
    "markup": b"<script>alert(1)</script>,[x](javascript:1)\n1,2\n3,4\n5,6\n",
    "nul and escape": b"a\x1b[31m,b\n1,2\n3,4\n5,6\n",
    "not finite": b"a,b\nnan,1\ninf,2\n1e999,3\n4,5\n6,7\n",
    "quotes without end": b'a,b\n1,2\n"' + b"3,4\n" * 5000,
}


@pytest.mark.parametrize("blob", TABLES.values(), ids=TABLES)
def test_a_hostile_table_is_numbers_and_plain_names(blob):
    try:
        table = own.read_csv(blob)
    except Problem as refused:
        table, words = None, tell(refused)
    if table is None:
        assert not re.search(r"(?<!\\)<script", words)
        return
    assert not np.isinf(table.values).any()
    told = code_panel.rows_csv(Tabular(table.values[:, :1], table.values[:, 1], table.names[:1], table.names[1]))
    header = next(csv.reader(io.StringIO(told)))
    assert all(not name.startswith(("=", "+", "@")) for name in header), "no spreadsheet computes it"


@pytest.mark.parametrize("text", ["=1+1", "+1+cmd|x", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "＝1+1"])
def test_a_text_that_a_spreadsheet_would_compute_is_a_text(text):
    assert harmless(text) == f"'{text}"
    assert harmless("-1.5e3") == "-1.5e3"
    assert harmless(-1.5) == -1.5
    assert harmless("猫") == "猫"


@pytest.mark.parametrize(
    "text", ['"); import os; os.system("id") #', "'''\nimport os\n", "$(id)`id`;id", "\\", "\u2028x"]
)
def test_what_is_exported_runs_no_text_of_a_link(text):
    """The program and the command line carry a stranger's text as a text."""
    lesson, config = lesson_for("linear_regression"), parse(Config, {"points": text})
    program = ast.parse(code_panel.script(lesson, config, History()))
    imports = [alias.name for node in ast.walk(program) if isinstance(node, ast.Import) for alias in node.names]
    assert imports == []
    settings = next(k.value for n in ast.walk(program) if isinstance(n, ast.Call) for k in n.keywords if k.arg is None)
    assert ast.literal_eval(settings) == asdict(config)
    assert shlex.split(code_panel.command(lesson, config)).count(f"points={config.points}") == 1


# -- no path of the server, no traceback -----------------------------------------------------------------------------


def problems_with_paths() -> list[tuple[str, str, tuple[str, ...]]]:
    """Every Problem in the code whose sentence has a place that may hold a path or an exception's words."""
    found, places = [], {"folder", "path", "root", "error", "reason", "file", "text", "what", "where", "address"}
    for source in Path(dlcore.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "N_":
                template = ast.literal_eval(node.args[0])
                names = tuple(re.findall(r"\{(\w+)[^}]*\}", template))
                if places & set(names) and not re.search(r"\{\w+:", template):
                    found.append((source.stem, template, names))
    return found


@pytest.mark.parametrize("kind", ["state", "crash", "data_missing"])
def test_no_problem_shows_a_path_of_the_server(kind, monkeypatch):
    monkeypatch.setenv("DLCORE_STATE", "/srv/class 3/state")
    known = problems_with_paths()
    assert len(known) > 12
    assert any("folder for runs" in template for _where, template, _names in known)
    paths = [path for path, _name in named()] + ["/home/teacher/private/marks.csv", "C:\\Users\\teacher\\marks.csv"]
    for where, template, names in known:
        for path in paths:
            words = f"[Errno 13] Permission denied: '{path}/x.npz'"
            problem = Problem(template, kind=kind, **dict.fromkeys(names, words))
            for told in (tell(problem), tell(problem, markdown=False), str(discreet(problem))):
                assert path not in told, (where, template)
                assert "teacher" not in told
            assert path in str(problem), "at a terminal it is said"


def test_what_is_no_path_stays():
    for text in ("1 /x/y", "a/b", "https://host.example/a/b", "tcp://127.0.0.1:8786", "und/oder", "“x // 2”"):
        assert nameless(text, typed=True) == text
    assert nameless("https://host.example/a/b") == "https://host.example/a/b"


def test_configs_have_no_field_without_a_knob():
    """What a link cannot set cannot be set: every field of a config is a knob with its own check."""
    for lesson in READY:
        plain = {f.name for f in fields(lesson.config)} - set(knobs_of(lesson.config))  # type: ignore[arg-type]
        assert plain == set(), lesson.slug


def test_a_full_disk_leaves_no_half_written_file(tmp_path, monkeypatch):
    """A table, a text and a zip whose writing fails: a sentence without a path, and nothing left behind."""
    monkeypatch.setenv("DLCORE_STATE", str(tmp_path))

    def full(*args: object) -> None:
        raise OSError(28, "No space left on device", str(tmp_path / "x.npz"))

    monkeypatch.setattr(kept.os, "replace", full)
    table = own.Table(("a", "b"), np.arange(8.0).reshape(4, 2))
    for keep in (lambda: own.keep(table), lambda: own_images.keep_zip(zipped(folders())), lambda: own_text.keep(WORDS)):
        with pytest.raises(Problem) as told:
            keep()
        assert told.value.kind == "state"
        assert "No space left" in tell(told.value)
        assert str(tmp_path) not in tell(told.value)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_the_teacher_s_password_cannot_be_guessed_in_a_lesson(monkeypatch):
    """After ten wrong ones nobody is let in for a minute, not by the right one either; then it works again."""
    said, now, state = [], [1000.0], {}
    page = SimpleNamespace(
        error=lambda words, **_icon: said.append(words), session_state=state, rerun=lambda: None, secrets={}
    )
    monkeypatch.setenv(teacher_gate.PASSWORD, "correct horse")
    monkeypatch.setattr(teacher_gate, "st", page)
    monkeypatch.setattr(teacher_gate.time, "monotonic", lambda: now[0])
    teacher_gate._wrong.clear()
    for guess in ("", "admin", "correct horsе", "\x00", "x" * 10**5, *"abcde"):  # one е is Cyrillic
        teacher_gate._try(guess)
    assert "teacher" not in state
    teacher_gate._try("correct horse")
    assert "teacher" not in state
    assert "Wait" in said[-1]
    now[0] += teacher_gate.WITHIN + 1
    teacher_gate._try("correct horse")
    assert state == {"teacher": True}
    teacher_gate._wrong.clear()
