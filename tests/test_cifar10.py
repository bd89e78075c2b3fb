"""CIFAR-10: the original batches (never unpickled as they are), the JPEG copies, and the archive that is downloaded."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import pickle
import tarfile
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcore import cli
from dlcore.data import catalogue, cifar10, download, images
from dlcore.data.catalogue import CATALOGUE, Remote
from dlcore.doctor import data as examined
from dlcore.texts import Problem

RNG = np.random.default_rng(0)
FILES = (*cifar10.TRAIN, *cifar10.TEST)
PIXELS = {name: RNG.integers(0, 256, (20, 3, 32, 32), dtype=np.uint8) for name in FILES}


def batch(name: str) -> bytes:
    labels = [n % 10 for n in range(20)]
    return pickle.dumps({b"data": PIXELS[name].reshape(20, -1), b"labels": labels, b"batch_label": b"x"}, protocol=2)


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("DLCORE_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    images._load.cache_clear()
    return tmp_path


@pytest.fixture
def originals(root):
    folder = root / "cifar-10-batches-py"
    folder.mkdir()
    for name in FILES:
        (folder / name).write_bytes(batch(name))
    return folder


def jpeg_copies(root, **other):
    X = np.stack([PIXELS["test_batch"][n % 20] for n in range(60)]).transpose(0, 2, 3, 1)
    arrays = {"x_train": X, "y_train": np.arange(60) % 10, "x_test": X[:20], "y_test": np.arange(20) % 10}
    np.savez(root / cifar10.JPEG, **{**arrays, **other})


def test_the_original_batches_come_back_pixel_by_pixel(originals):
    data = images.load("cifar10")
    assert data.X_train.shape == (100, 3, 32, 32)
    assert (data.X_train == np.concatenate([PIXELS[name] for name in cifar10.TRAIN])).all()
    assert (data.X_test == PIXELS["test_batch"]).all()
    assert (data.y_test == np.arange(20) % 10).all()
    assert data.classes[data.y_test[8]] == "ship"
    assert data.note == ""


def test_pickles_of_python_2_are_read(originals):
    """As Alex Krizhevsky's were written: byte strings, and the array's bytes as one of them."""

    def text(value: bytes) -> bytes:
        return b"T" + len(value).to_bytes(4, "little") + value  # BINSTRING

    pixels = PIXELS["test_batch"].tobytes()
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85" + text(b"b") + b"tR"
        b"(K\x01(K\x14M\x00\x0ct" + b"cnumpy\ndtype\n(" + text(b"u1") + b"K\x00K\x01tR"
        b"(K\x03" + text(b"|") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb" + b"\x89" + text(pixels) + b"tb"
    )
    labels = b"(" + b"".join(b"K" + bytes([n % 10]) for n in range(20)) + b"l"
    blob = b"\x80\x02}(" + text(b"data") + array + text(b"labels") + labels + b"u."
    (originals / "test_batch").write_bytes(blob)
    assert (images.load("cifar10").X_test == PIXELS["test_batch"]).all()


class Evil:
    def __reduce__(self):
        return os.system, ("touch owned",)


@pytest.mark.parametrize(
    "blob",
    [
        b"",
        batch("test_batch")[:5000],
        pickle.dumps({b"data": Evil(), b"labels": []}, protocol=2),
        pickle.dumps({b"data": np.array([Evil()], dtype=object), b"labels": [0]}, protocol=2),
        pickle.dumps({b"data": np.zeros((2, 3072), np.float32), b"labels": [0, 1]}, protocol=2),
        pickle.dumps({b"data": np.zeros((2, 3072), np.uint8), b"labels": [0, 10]}, protocol=2),
        pickle.dumps({b"data": np.zeros((2, 3072), np.uint8), b"labels": [0]}, protocol=2),
        pickle.dumps([1, 2], protocol=2),
        pickle.dumps({b"labels": [1]}, protocol=2),
    ],
    ids=["empty", "cut", "code", "code in an array", "floats", "label", "too few labels", "list", "no data"],
)
def test_a_damaged_or_hostile_batch_is_refused_and_runs_nothing(originals, monkeypatch, tmp_path, blob):
    monkeypatch.chdir(tmp_path)
    (originals / "data_batch_3").write_bytes(blob)
    if not blob:  # counts as missing
        with pytest.raises(Problem, match="is not on this machine"):
            images.load("cifar10")
        return
    with pytest.raises(Problem, match="is damaged") as caught:
        images.load("cifar10")
    assert caught.value.kind == "data_broken"
    assert not (tmp_path / "owned").exists()


def test_jpeg_copies_serve_and_say_what_they_are(root, capsys):
    jpeg_copies(root)
    data = images.load("cifar10")
    assert data.X_train.shape == (60, 3, 32, 32)
    assert (data.X_train[:20] == PIXELS["test_batch"]).all()
    assert "JPEG" in data.note
    assert "JPEG" in examined("cifar10").found
    assert cli.main(["download"]) == 0
    assert "JPEG" in capsys.readouterr().out


def test_the_originals_go_before_the_copies(root, originals):
    jpeg_copies(root)
    assert images.load("cifar10").note == ""
    assert "JPEG" not in examined("cifar10").found


@pytest.mark.parametrize("other", [{"x_train": np.zeros((60, 28, 28), np.uint8)}, {"y_train": np.full(60, 11)}])
def test_other_copies_are_refused(root, other):
    jpeg_copies(root, **other)
    with pytest.raises(Problem, match="is damaged"):
        images.load("cifar10")
    (root / cifar10.JPEG).write_bytes(b"PK\3\4 nothing")
    with pytest.raises(Problem, match="is damaged"):
        images.load("cifar10")


@settings(max_examples=60, deadline=None)
@given(st.data(), st.sampled_from([np.savez, np.savez_compressed]))
def test_any_damage_to_the_copies_is_one_of_the_faults(tmp_path_factory, data, write):
    place = tmp_path_factory.mktemp("copies") / cifar10.JPEG
    X = np.zeros((20, 32, 32, 3), np.uint8) + np.arange(32, dtype=np.uint8)[:, None]
    write(place, x_train=X, y_train=np.arange(20) % 10, x_test=X, y_test=np.arange(20) % 10)
    blob = bytearray(place.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        near = data.draw(st.sampled_from([200, 700, len(blob)]))  # its head, its directory, anywhere
        at = data.draw(st.integers(0, near - 1))
        blob[at if near == 200 else -1 - at] = data.draw(st.integers(0, 255))
    place.write_bytes(bytes(blob))
    with contextlib.suppress(*cifar10.FAULTS):
        assert cifar10.read(place)[0].shape == (20, 3, 32, 32)


def test_the_archive_is_fetched_and_unpacked_by_name_alone(root, monkeypatch):
    jpeg_copies(root)  # do not count as the original
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        link = tarfile.TarInfo("cifar-10-batches-py/data_batch_2")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
        for name in [*FILES, "../../outside", "readme.html"]:
            blob = batch(name) if name in PIXELS else b"other"
            member = tarfile.TarInfo(f"../cifar-10-batches-py/{name}")
            member.size = len(blob)
            tar.addfile(member, io.BytesIO(blob))
    blob = archive.getvalue()
    remote = Remote("cifar-10-python.tar.gz", len(blob), hashlib.md5(blob).hexdigest())
    monkeypatch.setitem(CATALOGUE, "cifar10", replace(CATALOGUE["cifar10"], remotes=(remote,)))
    monkeypatch.setattr(download, "_fetch", lambda url, target, timeout, progress: target.write_bytes(blob))
    folder = download.download("cifar10")
    assert sorted(p.name for p in folder.iterdir()) == sorted(FILES)
    assert not list(root.rglob("outside"))
    assert catalogue.locate("cifar10") == folder
    assert len(images.load("cifar10").y_train) == 100


def test_without_any_file_the_sentence_says_what_to_type(root):
    with pytest.raises(Problem, match="python -m dlcore download cifar10") as caught:
        images.load("cifar10")
    assert caught.value.kind == "data_missing"
