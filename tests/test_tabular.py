"""Small tables: the embedded ones against their sources, and files that people really upload."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_diabetes

from dlcore.data import own, tabular
from dlcore.texts import Problem


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A state folder of this test's own."""
    monkeypatch.setenv("DLCORE_STATE", str(tmp_path))
    return tmp_path


def test_diabetes_is_scikit_learns():
    reference: Any = load_diabetes(scaled=False)
    assert list(tabular.DIABETES) == list(reference.feature_names)
    every = tabular.diabetes("all")
    np.testing.assert_array_equal(every.X, reference.data)
    np.testing.assert_array_equal(every.y, reference.target)
    for k, name in enumerate(tabular.DIABETES):
        np.testing.assert_array_equal(tabular.diabetes(name).X[:, 0], reference.data[:, k])


def test_the_lesson_computes_without_importing_scikit_learn_or_torch():
    code = (
        "import sys\n"
        "from dlcore import descent_views as look\n"
        "from dlcore.descent import descend\n"
        "from dlcore.experiments import linear_regression as lr\n"
        "config = lr.Config()\n"
        "task = lr.task(config)\n"
        "look.views(task, config, descend(task.X, task.y, config))\n"
        "unwanted = {'sklearn', 'scipy', 'torch', 'streamlit', 'distributed', 'pandas'} & set(sys.modules)\n"
        "assert not unwanted, unwanted\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_missing_scikit_learn_is_told(monkeypatch):
    tabular._diabetes_files.cache_clear()
    tabular.diabetes.cache_clear()
    monkeypatch.setattr(tabular, "find_spec", lambda name: None)
    with pytest.raises(Problem, match="Install scikit-learn again"):
        tabular.diabetes("bmi")
    tabular._diabetes_files.cache_clear()


def test_line_is_seeded_and_its_knobs_move_only_what_they_name():
    plain, again, other = tabular.line(1.0, 0, 0), tabular.line.__wrapped__(1.0, 0, 0), tabular.line(1.0, 0, 1)
    np.testing.assert_array_equal(plain.y, again.y)
    assert not np.array_equal(plain.X, other.X)
    lifted = tabular.line(1.0, 7, 0)
    np.testing.assert_array_equal(plain.X, lifted.X)
    rise = lifted.y - plain.y
    assert (rise > 0).sum() == 7
    assert rise[rise > 0].min() >= 15
    exact = tabular.line(0.0, 0, 0)
    np.testing.assert_allclose(exact.y, 1 + 2 * exact.X[:, 0])
    assert plain.digest != lifted.digest == tabular.line.__wrapped__(1.0, 7, 0).digest


@given(st.lists(st.tuples(*[st.floats(-1e6, 1e6)] * 2), max_size=tabular.MOST_POINTS))
def test_points_travel_in_a_link(pairs):
    text = tabular.write_points(np.array(pairs).reshape(-1, 2))
    back = tabular.read_points(text)
    assert back.shape == (len(pairs), 2)
    np.testing.assert_allclose(back, np.array(pairs).reshape(-1, 2), rtol=1e-3, atol=0)
    assert tabular.write_points(back) == text
    assert not set(text) & set("%&=+# ?/")


@pytest.mark.parametrize("text", ["1", "1_2_3", "a_b", "1_2~", "nan_1", "1_inf", "1e99_2", "~", "_"])
def test_malformed_points_are_told(text):
    with pytest.raises(Problem, match="cannot be read"):
        tabular.read_points(text)


def test_too_many_points_are_told():
    with pytest.raises(Problem, match="At most 100 points"):
        tabular.read_points("~".join(["1_2"] * 101))


@pytest.mark.parametrize("text", ["", "1_2", "3_1~3_2~3_9"])
def test_points_without_a_line_are_told(text):
    with pytest.raises(Problem, match=r"at least two points|same value in every row"):
        tabular.points(text)


EXPECTED = np.array([[1.5, 10], [2.5, 20], [-3.5, 30]])
GOOD = {
    "comma": b"a,b\n1.5,10\n2.5,20\n-3.5,30\n",
    "semicolon and decimal comma": b"a;b\n1,5;10\n2,5;20\n-3,5;30\n",
    "semicolon, both with decimals": b"a;b\n1,5;10,0\n2,5;20,0\n-3,5;30,0\n",
    "tab": b"a\tb\n1.5\t10\n2.5\t20\n-3.5\t30\n",
    "pipe": b"a|b\n1.5|10\n2.5|20\n-3.5|30\n",
    "byte order mark": b"\xef\xbb\xbfa,b\n1.5,10\n2.5,20\n-3.5,30\n",
    "utf-16": "a,b\n1.5,10\n2.5,20\n-3.5,30\n".encode("utf-16"),
    "windows lines": b"a,b\r\n1.5,10\r\n2.5,20\r\n-3.5,30\r\n",
    "old mac lines": b"a,b\r1.5,10\r2.5,20\r-3.5,30\r",
    "quoted": b'"a","b"\n"1.5","10"\n"2.5","20"\n"-3.5","30"\n',
    "blank lines and spaces": b"\n a , b \n\n 1.5 , 10 \n2.5, 20\n-3.5,30\n\n",
    "a text column": b"name,a,b\nx,1.5,10\ny,2.5,20\nz,-3.5,30\n",
    "real minus": "a,b\n1.5,10\n2.5,20\n\u22123.5,30\n".encode(),
    "no last newline": b"a,b\n1.5,10\n2.5,20\n-3.5,30",
    "thousands": b'a,b\n"1.5",10\n2.5,20\n-3.5,"30.0"\n',
}


@pytest.mark.parametrize("blob", GOOD.values(), ids=GOOD.keys())
def test_usual_files_are_read(blob):
    table = own.read_csv(blob)
    assert table.names == ("a", "b")
    np.testing.assert_array_equal(table.values, EXPECTED)


def test_file_without_header():
    table = own.read_csv(b"1.5,10\n2.5,20\n-3.5,30\n")
    assert table.names == ("column 1", "column 2")
    np.testing.assert_array_equal(table.values, EXPECTED)


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-8-sig", "utf-16"])
def test_chinese_names(encoding):
    table = own.read_csv("面积,房租\n50,3000\n80,4500\n".encode(encoding))
    assert table.names == ("面积", "房租")


def test_western_names():
    assert own.read_csv("Größe (m²);Preis €\n50;3000\n80;4500\n".encode("cp1252")).values.shape == (2, 2)


def test_missing_and_stray_cells():
    table = own.read_csv(b"a,b\n1,2\n,3\nNA,4\n5,?\n6,seven\n8,9\n")
    assert table.values.shape == (6, 2)
    assert np.isnan(table.values[:, 0]).sum() == 2
    assert np.isnan(table.values[:, 1]).sum() == 2
    assert table.skipped == 1


def test_short_and_long_rows():
    table = own.read_csv(b"a,b\n1,2\n3\n4,5,6\n7,8\n")
    assert table.values.shape == (4, 2)
    assert np.isnan(table.values[1, 1])


def test_repeated_and_empty_names_are_told_apart():
    assert own.read_csv(b"a,a,\n1,2,3\n4,5,6\n").names == ("a", "a (2)", "column 3")


BAD = {
    "empty": (b"", "empty"),
    "blank": (b"\n\n  \n", "empty"),
    "only a header": (b"a,b\n", "numbers"),
    "one row": (b"a,b\n1,2\n", "at least two"),
    "non-numeric": (b"a,b\nx,y\nz,w\n", "two columns of numbers"),
    "one column": (b"a\n1\n2\n3\n", "two columns of numbers"),
    "binary": (bytes(range(256)) * 10, "not a text file"),
    "spreadsheet": (b"PK\x03\x04\x14\x00\x06\x00\x08\x00" + bytes(200), "not a text file"),
    "100 MB": (b"1,2\n" * 25_000_000, "100 MB"),
    "too many rows": (b"1,2\n" * 30_000, "30000 rows"),
    "too many columns": (b",".join([b"1"] * 500) + b"\n", "500 columns"),
    "huge numbers": (b"a,b\n1e300,2\n1e300,3\n", "two columns of numbers"),
    "an enormous cell": (b"a,b\n" + b"9" * 200_000 + b",1\n2,3\n", "cannot be read|two columns|at least two"),
}


@pytest.mark.parametrize(("blob", "said"), BAD.values(), ids=BAD.keys())
def test_bad_files_are_told(blob, said):
    with pytest.raises(Problem, match=said) as caught:
        own.read_csv(blob)
    assert caught.value.kind == "csv"
    assert str(caught.value).endswith((".", ".)", ".)."))


@given(st.binary(max_size=400))
def test_any_bytes_give_a_table_or_a_sentence(blob):
    try:
        table = own.read_csv(blob)
    except Problem as problem:
        str(problem)  # the template fits its parameters
        return
    assert table.values.shape[1] == len(table.names) >= 2


def test_constant_column_is_told_and_passed_over(here):
    kept = own.keep(own.read_csv(b"a,b,c\n1,5,2\n1,6,3\n1,7,5\n"))
    with pytest.raises(Problem, match="“a” has the same value in every row"):
        own.columns(kept, "a", "c")
    np.testing.assert_array_equal(own.columns(kept, "", "").X[:, 0], [5, 6, 7])


def test_kept_table_comes_back(here):
    table = own.read_csv(b"kind,a,b\nx,1.5,10\ny,2.5,20\nz,-3.5,30\n")
    kept = own.keep(table)
    assert kept == own.keep(own.read_csv(GOOD["semicolon and decimal comma"]))  # the numbers name it, not the file
    own._load.cache_clear()
    back = own.load(kept)
    assert (back.names, back.skipped, back.ignored) == (table.names, table.skipped, table.ignored)
    np.testing.assert_array_equal(back.values, table.values)
    data = own.columns(kept, "b", "a")
    np.testing.assert_array_equal(data.X[:, 0], [10, 20, 30])
    assert (data.names, data.target) == (("b",), "a")


def test_rows_that_lack_a_value_are_left_out(here):
    kept = own.keep(own.read_csv(b"a,b\n1,2\n,3\n4,\n5,6\n"))
    np.testing.assert_array_equal(own.columns(kept, "a", "b").y, [2, 6])


@pytest.mark.parametrize("name", ["0123456789abcdef", "../../etc/passwd", "ABCDEF0123456789", "x", "a" * 5000])
def test_table_that_is_not_here_is_told(here, name):
    with pytest.raises(Problem, match="is not on this computer") as caught:
        own.load(name)
    assert caught.value.kind == "data_missing"


def test_column_that_is_not_there_is_told(here):
    kept = own.keep(own.read_csv(GOOD["comma"]))
    with pytest.raises(Problem, match=r"no column “z”\. Its columns are: a, b"):
        own.columns(kept, "z", "b")


def test_unwritable_state_is_told(tmp_path, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    monkeypatch.setenv("DLCORE_STATE", str(blocked))
    with pytest.raises(Problem, match="DLCORE_STATE"):
        own.keep(own.read_csv(GOOD["comma"]))


def test_old_tables_go_first(here, monkeypatch):
    monkeypatch.setattr(own, "KEPT_TABLES", 3)
    names = [own.keep(own.Table(("a", "b"), np.array([[k, 1.0], [2, 3]]))) for k in range(6)]
    left = {path.stem for path in own.folder().glob("*.npz")}
    assert len(left) == 3
    assert names[-1] in left


def test_a_table_in_use_outlives_one_that_nobody_opens(tmp_path, monkeypatch):
    monkeypatch.setenv("DLCORE_STATE", str(tmp_path))
    monkeypatch.setattr(own, "KEPT_TABLES", 2)
    first, second = (own.keep(own.read_csv(f"a,b\n1,2\n3,{n}\n".encode())) for n in (4, 5))
    for age, name in ((200, first), (100, second)):
        then = time.time() - age
        os.utime(own.folder() / f"{name}.npz", (then, then))
    own.load(first)  # used now, though it came first
    own.keep(own.read_csv(b"a,b\n1,2\n3,6\n"))
    assert own.load(first).names == ("a", "b")
    with pytest.raises(Problem):
        own.load(second)
