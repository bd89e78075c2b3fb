"""Weights of networks are fetched as datasets are: with progress, resumed, checked, and told in one sentence."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from dlcore import cli
from dlcore.data import catalogue, download
from dlcore.texts import Problem
from dlcore.vision import networks
from dlcore.vision.networks import KNOWN, here
from tests import test_data
from tests.test_data import QUICK, Mirror, server  # noqa: F401 - a fixture

NAME = "squeezenet1_0"
BLOB = np.random.default_rng(0).bytes(300_000)
FILE = f"{NAME}-{hashlib.sha256(BLOB).hexdigest()[:8]}.pth"


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A torch home of its own; a small file in the network's place, as the mirror has it."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setitem(KNOWN, NAME, replace(KNOWN[NAME], file=FILE, megabytes=len(BLOB) / 1024**2))
    monkeypatch.setitem(test_data.FILES, FILE, BLOB)
    return tmp_path / "torch" / "hub" / "checkpoints"


def fetch(server: str, kind: str, **more):  # noqa: F811
    return download.download(NAME, mirrors=[f"{server}/{kind}/"], patience=QUICK, **more)


def test_weights_arrive_where_torch_looks_for_them(home, server):  # noqa: F811
    seen = []
    assert fetch(server, "good", progress=lambda done, total: seen.append((done, total))) == home
    assert here(NAME) == home / FILE
    assert (home / FILE).read_bytes() == BLOB
    assert [done for done, _total in seen] == sorted(done for done, _total in seen)
    assert seen[-1] == (len(BLOB), len(BLOB))
    asked = Mirror.asked["good"]
    assert fetch(server, "good") == home
    assert Mirror.asked["good"] == asked, "the second time nothing is fetched"
    assert catalogue.locate(NAME) == home


def test_what_broke_off_is_taken_up_again(home, server):  # noqa: F811
    before = Mirror.resumed["breaks"]
    Mirror.asked["breaks"] = 0
    assert fetch(server, "breaks") == home
    assert Mirror.resumed["breaks"] > before
    assert (home / FILE).read_bytes() == BLOB


@pytest.mark.parametrize(("kind", "says"), [("damaged", "damaged"), ("empty", "404"), ("always-breaks", "broke off")])
def test_what_is_not_whole_is_not_kept(home, server, kind, says):  # noqa: F811
    with pytest.raises(Problem, match=says) as caught:
        fetch(server, kind)
    assert caught.value.kind == "download"
    assert not list(home.iterdir())
    assert here(NAME) is None


def test_without_a_network_the_sentence_says_where_to_copy_the_file(home):
    with pytest.raises(Problem, match="no connection") as caught:
        download.download(NAME, mirrors=["http://127.0.0.1:9/"], patience=QUICK)
    assert str(home) in str(caught.value)
    assert FILE in str(caught.value)


def test_the_command_line_fetches_a_network_by_name(home, server, monkeypatch, capsys):  # noqa: F811
    monkeypatch.setattr(catalogue, "MIRROR", f"{server}/good/")
    assert cli.main(["download", NAME]) == 0
    assert f"{NAME} lies in {home}" in capsys.readouterr().err
    assert cli.main(["download"]) == 0
    listed = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert str(home) in listed[NAME]
    assert "not here" in listed["resnet50"]
    assert networks.available()[0] == NAME


def test_all_is_about_datasets_and_says_how_to_get_networks(home, monkeypatch, capsys):
    monkeypatch.setattr(catalogue, "CATALOGUE", {})
    assert cli.main(["download", "--all"]) == 0
    err = capsys.readouterr().err
    assert "python -m dlcore download mobilenet_v2" in err
    assert not home.exists()
