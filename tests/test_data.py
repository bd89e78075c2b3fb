"""Images and their catalogue: content, search order, damaged files, and downloads that go wrong in every usual way."""

from __future__ import annotations

import errno
import gzip
import hashlib
import os
import threading
from collections import Counter
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from dlcore.data import catalogue, download, images
from dlcore.data.catalogue import CATALOGUE, IDX, Remote
from dlcore.texts import Problem

QUICK = download.Patience(timeout=5, tries=3, pause=0.01)


def idx(array: np.ndarray) -> bytes:
    head = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    return head + array.astype(np.uint8).tobytes()


def small_set() -> dict[str, bytes]:
    """A valid little MNIST as packed files, with images that gzip cannot shrink (so that it has many chunks)."""
    rng = np.random.default_rng(0)
    arrays = (rng.integers(0, 256, (400, 28, 28)), np.arange(400) % 10, rng.integers(0, 256, (20, 28, 28)))
    blobs = (*map(idx, arrays), idx(np.arange(20) % 10))
    return {f"{name}.gz": gzip.compress(blob, mtime=0) for name, blob in zip(IDX, blobs, strict=True)}


FILES = small_set()
REMOTES = tuple(Remote(name, len(blob), hashlib.md5(blob).hexdigest()) for name, blob in FILES.items())


class Mirror(BaseHTTPRequestHandler):
    """Serves FILES with a fault per mirror name: /good/, /norange/, /breaks/, /always-breaks/, /damaged/, /busy/ …"""

    asked: ClassVar[Counter[str]] = Counter()
    resumed: ClassVar[Counter[str]] = Counter()

    def do_GET(self) -> None:
        kind, name = self.path.strip("/").split("/")
        Mirror.asked[kind] += 1
        blob = FILES.get(name, b"")
        if kind == "empty" or not blob:
            return self.send_error(404)
        if kind == "down" or (kind == "busy" and Mirror.asked[kind] % 2):
            return self.send_error(503)
        if kind == "damaged":
            blob = blob[:-1] + b"?"
        start = 0
        if (wanted := self.headers.get("Range")) and kind != "norange":
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            Mirror.resumed[kind] += 1
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(blob) - start))
        self.end_headers()
        breaks = kind == "always-breaks" or (kind in ("breaks", "norange") and Mirror.asked[kind] % 2)
        self.wfile.write(blob[start : start + (len(blob) - start) // 2] if breaks else blob[start:])

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def server():
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Mirror)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{httpd.server_port}"
    httpd.shutdown()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """No data anywhere; the cache lies in ``tmp_path``; the catalogue's MNIST has the little set's checksums."""
    monkeypatch.delenv("DLCORE_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setitem(CATALOGUE, "mnist", replace(CATALOGUE["mnist"], remotes=REMOTES))
    Mirror.asked.clear()
    Mirror.resumed.clear()
    return catalogue.cache_root()


def fetch(server: str, *kinds: str, progress=None) -> Path:
    mirrors = [f"{server}/{kind}/" for kind in kinds]
    return download.download("mnist", mirrors=mirrors, patience=QUICK, progress=progress)


def problem_of(server: str, *kinds: str) -> Problem:
    with pytest.raises(Problem) as caught:
        fetch(server, *kinds)
    folder = catalogue.cache_root() / "MNIST/raw"
    assert not any(folder.iterdir()), "nothing half-way may stay behind"
    assert str(caught.value)  # the template fits its parameters
    return caught.value


# --- search order and broken folders ----------------------------------------------------------------------------------


def test_without_files_the_sentence_says_what_to_type(cache):
    with pytest.raises(Problem, match="python -m dlcore download mnist") as caught:
        images.load("mnist")
    assert caught.value.kind == "data_missing"


def test_unknown_names_are_listed(cache):
    with pytest.raises(Problem, match=", ".join(images.NAMES)):
        images.load("imagenet")
    with pytest.raises(Problem, match="mnist, fashion_mnist"):
        download.download("imagenet")


def test_a_data_root_that_is_not_there_is_named(cache, tmp_path, monkeypatch):
    monkeypatch.setenv("DLCORE_DATA", str(tmp_path / "typo"))
    with pytest.raises(Problem, match="typo"):
        images.load("mnist")
    with pytest.raises(Problem, match="typo") as caught:
        download.download("mnist")
    assert caught.value.kind == "data_root"
    assert not (tmp_path / "typo").exists()


def test_a_read_only_data_root_falls_back_to_the_cache(cache, server, tmp_path, monkeypatch):
    locked = Path("/sys")  # refuses root too
    if os.getuid() != 0 or not locked.is_dir():
        locked = tmp_path / "locked"
        locked.mkdir(mode=0o555)
    monkeypatch.setenv("DLCORE_DATA", str(locked))
    assert fetch(server, "good") == cache / "MNIST/raw"
    assert len(images.load("mnist").y_train) == 400


def test_nowhere_to_write(cache, server, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null")
    with pytest.raises(Problem, match="DLCORE_DATA to a folder of yours"):
        fetch(server, "good")


def test_data_root_comes_before_the_cache(cache, server, tmp_path, monkeypatch):
    fetch(server, "good")
    root = tmp_path / "root" / "MNIST/raw"
    root.mkdir(parents=True)
    for name in IDX:  # packed files are read as well
        (root / f"{name}.gz").write_bytes(FILES[f"{name}.gz"])
    monkeypatch.setenv("DLCORE_DATA", str(tmp_path / "root"))
    assert images.load("mnist").source == str(root)
    (root / f"{IDX[0]}.gz").unlink()
    assert images.load("mnist").source == str(cache / "MNIST/raw")


@pytest.mark.parametrize("damage", [lambda b: b[:1000], lambda b: b"", lambda b: b"GIF89a" + b, lambda b: b[:4] + b])
def test_damaged_files_are_told(cache, server, damage):
    folder = fetch(server, "good")
    path = folder / IDX[0]
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(Problem, match="python -m dlcore download") as caught:
        images.load("mnist")
    assert caught.value.kind in ("data_broken", "data_missing")


# --- downloads --------------------------------------------------------------------------------------------------------


def test_download_brings_the_arrays_and_tells_how_far(cache, server):
    told: list[tuple[int, int]] = []
    fetch(server, "good", progress=lambda done, total: told.append((done, total)))
    assert len(images.load("mnist").y_test) == 20
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1] == (CATALOGUE["mnist"].size,) * 2
    Mirror.asked.clear()
    fetch(server, "good")
    assert not Mirror.asked, "what is there is not fetched again"


def test_a_download_that_breaks_off_is_taken_up(cache, server):
    fetch(server, "breaks")
    assert len(images.load("mnist").y_train) == 400
    assert Mirror.resumed["breaks"] >= 4


def test_a_server_without_ranges_is_asked_for_all_again(cache, server):
    fetch(server, "norange")
    assert len(images.load("mnist").y_train) == 400
    assert Mirror.resumed["norange"] == 0


def test_a_server_that_is_busy_is_asked_again(cache, server):
    fetch(server, "busy")
    assert len(images.load("mnist").y_train) == 400


@pytest.mark.parametrize("bad", ["empty", "always-breaks", "damaged"])
def test_the_next_mirror_helps(cache, server, bad):
    fetch(server, bad, "good")
    assert len(images.load("mnist").y_train) == 400


@pytest.mark.parametrize(
    ("bad", "says"), [("empty", "404"), ("damaged", "checksum"), ("down", "503"), ("always-breaks", "broke off")]
)
def test_each_failure_has_its_sentence(cache, server, bad, says):
    problem = problem_of(server, bad)
    assert says in str(problem)
    assert problem.kind == "download"
    assert Mirror.asked[bad] == (1 if bad == "empty" else QUICK.tries)


def test_no_network(cache, server):
    refused = "http://127.0.0.1:9"  # the discard port: nobody listens
    with pytest.raises(Problem, match="no connection") as caught:
        download.download("mnist", mirrors=[f"{refused}/x/"], patience=QUICK)
    assert caught.value.kind == "no_network"


def test_full_disk(cache, server, monkeypatch):
    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(download.shutil, "copyfileobj", full)
    problem = problem_of(server, "good")
    assert problem.kind == "disk_full"
    assert "Free about" in str(problem)


def test_two_who_ask_share_one_download(cache, server, monkeypatch):
    monkeypatch.setitem(CATALOGUE, "mnist", replace(CATALOGUE["mnist"], mirrors=(f"{server}/good/",)))
    first, second = download.in_background("mnist"), download.in_background("mnist")
    first._thread.join(20)
    second._thread.join(20)
    assert first.problem is None
    assert catalogue.locate("mnist") == cache / "MNIST/raw"
    assert Mirror.asked["good"] == 4
    assert download.background("mnist") is second


def test_a_background_download_keeps_its_problem(cache, monkeypatch):
    monkeypatch.setitem(CATALOGUE, "mnist", replace(CATALOGUE["mnist"], mirrors=()))
    work = download.in_background("mnist")
    work._thread.join(20)
    assert work.problem is not None
    assert work.problem.kind == "no_network"


@pytest.mark.parametrize("packed", [False, True])
def test_a_text_is_read_plain_or_packed(tmp_path, monkeypatch, packed):
    monkeypatch.setenv("DLCORE_DATA", str(tmp_path))
    folder = tmp_path / catalogue.dataset("shakespeare").folder
    folder.mkdir(parents=True)
    name, blob = ("input.txt.gz", gzip.compress(b"To be")) if packed else ("input.txt", b"To be")
    (folder / name).write_bytes(blob)
    assert catalogue.content("shakespeare", "input.txt") == b"To be"


def test_a_damaged_packed_text_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("DLCORE_DATA", str(tmp_path))
    folder = tmp_path / catalogue.dataset("shakespeare").folder
    folder.mkdir(parents=True)
    (folder / "input.txt.gz").write_bytes(gzip.compress(b"To be" * 999)[:30])
    with pytest.raises(Problem, match="Remove it") as caught:
        catalogue.content("shakespeare", "input.txt")
    assert caught.value.kind == "data_broken"
