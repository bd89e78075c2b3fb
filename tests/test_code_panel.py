"""What can be taken home from a run: the link that repeats its settings, and the files."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict, replace
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest

from dlcore.changes import read
from dlcore.data.tabular import Tabular
from dlcore.events import Changed
from dlcore.history import History
from dlcore.knobs import parse
from ui.code_panel import command, link, rows_csv, run_config, set_csv
from ui.lessons import lesson_for


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch):
    """No session here: the page's address is given."""

    class Context:
        url = "https://example.org/play/cnn?seed=1"

    monkeypatch.setattr("ui.address.st.context", Context)


def opened(text: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(text).query))


def test_the_link_carries_the_run_and_not_its_machine():
    lesson = lesson_for("cnn")
    asked = lesson.config(network="fast", learning_rate=0.03, epochs=2, seed=5)
    ran = replace(asked, device="cuda", precision="bfloat16", memory_format="contiguous", threads=3, data_hash="f" * 16)
    now = lesson.config(seed=9)  # the knobs were moved after the run
    text = link(lesson, run_config(now, History(config=asdict(ran))))
    assert text.startswith("https://example.org/play/cnn?lang=en&")
    texts = opened(text)
    assert texts.pop("lang") == "en"
    assert not {"device", "precision", "memory_format", "threads", "data_hash"} & set(texts)
    assert parse(lesson.config, texts) == asked


def test_the_link_and_the_command_carry_what_was_changed():
    lesson, changed = lesson_for("cnn"), [Changed(120, "learning_rate", 0.003)]
    texts = opened(link(lesson, lesson.config(), changed))
    assert list(read(texts["changes"], "cnn", asdict(lesson.config()))) == changed
    assert command(lesson, lesson.config(), changed).endswith("--changes '[[120,\"learning_rate\",0.003]]'")
    assert "changes" not in opened(link(lesson, lesson.config()))


@pytest.mark.parametrize(("dataset", "kept"), [("csv", True), ("line", False)])
def test_only_a_table_of_ones_own_needs_its_fingerprint(dataset, kept):
    lesson = lesson_for("linear_regression")
    texts = opened(link(lesson, lesson.config(dataset=dataset, data_hash="0123456789abcdef")))
    assert texts["dataset"] == dataset
    assert ("data_hash" in texts) == kept


def test_the_rows_are_those_that_were_used():
    X, y = np.array([[1.0, 0.1], [2.0, 1 / 3]]), np.array([3.0, np.pi])
    rows = list(csv.reader(io.StringIO(rows_csv(Tabular(X, y, ("a, b", "c"), "y")))))
    assert rows[0] == ["a, b", "c", "y"]
    assert np.array_equal(np.array(rows[1:], dtype=float), np.column_stack([X, y])), "to the last bit"


def test_columns_of_the_same_name_are_all_there():
    rows = list(csv.reader(io.StringIO(rows_csv(Tabular(np.eye(2), np.ones(2), ("y", "y"), "y")))))
    assert [len(row) for row in rows] == [3, 3, 3]


def test_a_set_of_images_is_named_with_its_fingerprint():
    history = History(config={"dataset": "digits", "data_hash": "ab", "seed": 3})
    history.info = {"train_size": 400, "test_size": 360}
    assert set_csv(history) == "dataset,data_hash,seed,train_size,test_size\ndigits,ab,3,400,360\n"
