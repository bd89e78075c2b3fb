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
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcore.data import catalogue, download, images, shapes
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


# --- images -----------------------------------------------------------------------------------------------------------


def test_digits_are_real_scans_in_mnist_form():
    data = images.load("digits")
    assert data.X_train.shape[1:] == (1, 28, 28) == data.X_test.shape[1:]
    assert data.X_train.dtype == np.uint8
    assert data.y_train.dtype == np.int64
    assert len(data.y_train) + len(data.y_test) == 1797
    assert np.bincount(data.y_test).min() >= 34  # stratified
    rows = np.arange(28)
    centre = (data.X_test[:, 0].sum(2) * rows).sum(1) / data.X_test[:, 0].sum((1, 2))
    assert np.abs(centre - 13.5).max() < 1.0


def test_the_split_and_the_hash_do_not_move():
    """A shared link names its data by this hash: it may change only on purpose."""
    assert images.load("digits").hash == "c97c2a299e044ceb"


def test_digits_can_be_told_apart():
    from sklearn.neighbors import KNeighborsClassifier

    data = images.load("digits")
    knn = KNeighborsClassifier(3).fit(data.X_train.reshape(-1, 784), data.y_train)
    assert knn.score(data.X_test.reshape(-1, 784), data.y_test) > 0.95  # labels belong to their images


def test_shapes_are_always_the_same():
    assert images.load("shapes").hash == "7c847bfef7fe94fd"


def test_shapes_are_drawn_whole_and_in_proportion():
    X_train, y_train, X_test, y_test = shapes.shapes()
    assert X_train.shape == (1200, 1, 28, 28)
    assert X_test.shape == (400, 1, 28, 28)
    assert set(np.bincount(y_train)) == {150}
    assert set(np.bincount(y_test)) == {50}
    assert not {x.tobytes() for x in X_train} & {x.tobytes() for x in X_test}
    edge = np.concatenate([X_train[:, 0, [0, -1]].ravel(), X_train[:, 0, :, [0, -1]].ravel()])
    assert np.mean(edge > 128) < 1e-3  # only noise reaches the frame's edge


def test_centred_shapes_differ_from_the_shifted_in_place_alone():
    centred, anywhere = (shapes.draw(400, place=place)[0].astype(float)[:, 0] for place in ("centred", "anywhere"))
    grid = np.arange(28) - 13.5
    for X, least, most in ((centred, 0, 1.6), (anywhere, 3.0, 8)):
        ink = X * (X > 100)
        far = np.hypot((ink.sum(1) * grid).sum(1), (ink.sum(2) * grid).sum(1)) / ink.sum((1, 2))
        assert least <= far.mean() <= most
    brightness = [np.sort(X, axis=None)[-8000:].mean() for X in (centred, anywhere)]
    assert brightness[0] == pytest.approx(brightness[1], rel=0.01)
    learned, asked = images.load("shapes_centred"), images.load("shapes_moved")
    assert (learned.X_train == asked.X_train).all()
    assert (asked.X_test == images.load("shapes").X_test).all()


def test_the_area_of_a_shape_is_the_formulas():
    """Ink on an enlarged grid against closed forms, for all but the crescent."""
    side, size, form = np.linspace(-12, 12, 2001), np.full((1, 1, 1), 7.0), np.full((1, 1, 1), 0.5)
    x, y = side[None, None, :], side[None, :, None]
    cell = (side[1] - side[0]) ** 2
    line, arm = 1.7, 2.2  # thickness of the ring, and of a cross's arm, at form 0.5
    wanted = {
        "disc": np.pi * 49,
        "ring": np.pi * (49 - (7 - line) ** 2),
        "square": (2 * 0.78 * 7) ** 2,
        "triangle": 3 * np.sqrt(3) / 4 * 49,
        "bar": 14 * 2.8,
        "cross": 2 * 14 * arm - arm**2,
        "star": 5 * 7 * (7 * 0.425) * np.sin(np.pi / 5),
    }
    for name, area in wanted.items():
        inside = getattr(shapes, name)(shapes.Drawn(x, y, size, form)) < 0
        assert inside.sum() * cell == pytest.approx(area, rel=0.01), name


def test_pixel_statistics_are_numpys():
    X = np.random.default_rng(0).integers(0, 256, (50, 3, 11, 7), dtype=np.uint8)
    assert images.pixel_statistics(X) == pytest.approx((X.mean() / 255, X.std() / 255), rel=1e-12)


@settings(deadline=None)
@given(st.integers(10, 1400), st.integers(10, 1400))
def test_smaller_training_sets_are_nested_and_in_proportion(a, b):
    y = np.repeat(np.arange(10), np.arange(10, 110, 10))
    order = images.proportional_order(y)
    assert sorted(order) == list(range(len(y)))
    for n in (a % len(y), b % len(y)):
        shares = np.bincount(y[order[:n]], minlength=10)
        assert np.abs(shares - n * np.bincount(y) / len(y)).max() < 2
    assert images.load("digits", train_size=a).hash != images.load("digits", train_size=a + 1).hash


def test_arrays_cannot_be_changed_by_one_of_their_users():
    with pytest.raises(ValueError, match="read-only"):
        images.load("digits").X_train[0] = 0


@settings(deadline=None)
@given(st.integers(0, 19), st.integers(0, 19), st.integers(1, 40), st.integers(1, 40))
def test_mnist_form_does_not_mind_where_and_how_large(top, left, height, width):
    page = np.zeros((80, 80), np.uint8)
    page[top : top + height, left : left + width] = 255
    moved = np.roll(page, (7, 13), (0, 1))
    form = images.mnist_form(page)
    assert (images.mnist_form(moved) == form).all()
    rows, columns = np.nonzero(form > 127)
    sides = np.ptp(rows) + 1, np.ptp(columns) + 1
    assert max(sides) == 20
    assert abs(rows.mean() - 13.5) <= 1
    assert abs(columns.mean() - 13.5) <= 1


def test_mnist_form_of_a_blank_page_is_blank():
    assert not images.mnist_form(np.zeros((28, 28), np.uint8)).any()


@pytest.mark.data
@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_the_originals(name):
    if catalogue.locate(name) is None:
        pytest.skip(f"{name} is not on this machine")
    data = images.load(name)
    assert data.X_train.shape == (60000, 1, 28, 28)
    assert data.X_test.shape == (10000, 1, 28, 28)
    known = {"mnist": (5, 33.318), "fashion_mnist": (9, 72.940)}[name]  # first label, mean grey of the training set
    assert (int(data.y_train[0]), round(float(data.X_train.mean()), 3)) == pytest.approx(known, abs=1e-3)


def test_checksums_are_torchvisions_own():
    from torchvision.datasets import CIFAR10, MNIST, FashionMNIST

    (remote,) = CATALOGUE["cifar10"].remotes
    assert (remote.name, remote.md5) == (CIFAR10.filename, CIFAR10.tgz_md5)
    assert CIFAR10.url == CATALOGUE["cifar10"].mirrors[0] + remote.name
    assert CATALOGUE["cifar10"].folder == CIFAR10.base_folder
    assert set(CATALOGUE["cifar10"].files) == {name for name, _ in CIFAR10.train_list + CIFAR10.test_list}

    for name, theirs in (("mnist", MNIST), ("fashion_mnist", FashionMNIST)):
        ours = CATALOGUE[name]
        assert [(r.name, r.md5) for r in ours.remotes] == theirs.resources
        assert set(theirs.mirrors) <= set(ours.mirrors)


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
