"""Own pictures from a zip: every shape of folder tree, few pictures and many, and what is kept of them."""

from __future__ import annotations

import io
import os
import tracemalloc
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dlcore.data import images, own_images, zip_folder
from dlcore.events import Finished
from dlcore.experiments import cnn
from dlcore.knobs import build
from dlcore.texts import Problem
from tests.zips import folders, left_out, picture, refused, state, zipped  # noqa: F401 - a fixture

# --- folders ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["", "mine/", "a/b/c/", "./"])
def test_folders_name_the_classes_wherever_they_lie(prefix):
    found = own_images.keep_zip(zipped(folders(prefix)))
    assert found["classes"] == ["cats", "dogs"]
    assert (found["train"], found["test"]) == ([4, 4], [1, 1])
    assert not found["given"]
    assert not found["skipped"]


def test_folders_within_a_class_belong_to_it():
    found = own_images.keep_zip(zipped({**folders("top/"), "top/cats/young/x.png": picture(99)}))
    assert found["train"][0] + found["test"][0] == 6


@pytest.mark.parametrize(
    ("learn", "ask"), [("train", "val"), ("Train", "TEST"), ("training", "validation"), ("训练", "测试")]
)
@pytest.mark.parametrize("prefix", ["", "set/"])
def test_a_given_split_is_kept(prefix, learn, ask):
    found = own_images.keep_zip(zipped({**folders(f"{prefix}{learn}/"), **folders(f"{prefix}{ask}/", 3)}))
    assert found["given"]
    assert (found["classes"], found["train"], found["test"]) == (["cats", "dogs"], [5, 5], [3, 3])
    data = own_images.load(found["hash"], "colour64")
    pixels = own_images.square(np.asarray(Image.open(io.BytesIO(picture(0))))).transpose(2, 0, 1)
    assert (data.X_train[0] == pixels).all()


def test_a_class_that_is_only_asked_for_is_left_out():
    found = own_images.keep_zip(zipped({**folders("train/"), **folders("val/"), "val/birds/1.png": picture()}))
    assert found["classes"] == ["cats", "dogs"]
    assert left_out(found) == {zip_folder.ONLY_TEST: 1}


def test_a_class_has_its_name_on_one_line():
    found = own_images.keep_zip(zipped({**folders(), "a\nb\t| c/1.png": picture(), "a\nb\t| c/2.png": picture(1)}))
    assert found["classes"] == ["a b | c", "cats", "dogs"]


def test_train_alone_is_no_split():
    found = own_images.keep_zip(zipped(folders("train/")))
    assert not found["given"]
    assert found["test"] == [1, 1]


CHINESE = {f"{kind}/{n}.png": picture(n + 7 * len(kind)) for kind in ("猫", "小狗") for n in range(4)}


@pytest.mark.parametrize("encoding", ["utf-8", "gbk", "marked"])
def test_chinese_names_however_they_are_written(encoding):
    blob = zipped(CHINESE)  # with the mark that says UTF-8
    if encoding != "marked":  # as older programs write: bytes in the system's encoding, and no mark
        ends = [(name, name.encode(encoding)[:-4]) for name in CHINESE]
        stand_ins = {f"{'@' * len(end)}{row}.png": CHINESE[name] for row, (name, end) in enumerate(ends)}
        blob = zipped(stand_ins)
        for (_name, end), stand_in in zip(ends, stand_ins, strict=True):
            blob = blob.replace(stand_in.encode(), end + stand_in.encode()[len(end) :])
    found = own_images.keep_zip(blob)
    assert set(found["classes"]) == {"猫", "小狗"}
    assert sum(found["train"]) + sum(found["test"]) == len(CHINESE)


def test_western_names_without_a_mark_stay_what_they_are():
    entries = []
    for name in ("café/1.png", "café/2.png", "thé/1.png", "thé/2.png"):
        entries.append((f"{name.replace('é', '@')}", picture(len(entries))))
    found = own_images.keep_zip(zipped(entries).replace(b"caf@", b"caf\x82").replace(b"th@", b"th\x82"))
    assert found["classes"] == ["café", "thé"]


def test_names_that_are_known_in_unicode_are_taken_as_they_are():
    entries = [zipfile.ZipInfo("猫/1.png"), zipfile.ZipInfo("caf\u0082/1.png")]
    assert zip_folder._names(entries[:1]) == ["猫/1.png"]
    assert zip_folder._unread(entries[0]) is None


def test_long_names_that_begin_alike_stay_two_classes():
    long = "photographs of the trees in the northern garden, "
    files = {f"{long}{kind}/{n}.png": picture(n) for kind in ("oak", "elm") for n in range(3)}
    found = own_images.keep_zip(zipped(files))
    assert [name[-5:] for name in found["classes"]] == [", elm", ", oak"]
    assert all(len(name) == zip_folder.MOST_NAME for name in found["classes"])


def test_an_entry_without_a_name_is_left_out():
    blob = zipped({**folders(), "@@@@@/0.png": picture(1)}).replace(b"@@@@@", b"\0@@@@")
    assert left_out(own_images.keep_zip(blob)) == {zip_folder.OUTSIDE: 1}


def test_classes_are_sorted_as_people_count():
    files = {f"{kind}/{n}.png": picture(n) for kind in ("10", "2", "1") for n in range(2)}
    assert own_images.keep_zip(zipped(files))["classes"] == ["1", "2", "10"]


# --- few and many -----------------------------------------------------------------------------------------------------


def test_one_class_is_refused_by_its_name():
    assert "“cats”" in refused(zipped({f"cats/{n}.png": picture(n) for n in range(3)}))
    assert "“cats”" in refused(zipped({f"all/cats/{n}.png": picture(n) for n in range(3)}))


def test_a_class_with_one_picture_is_learned_from_only():
    found = own_images.keep_zip(zipped({**folders(), "rare/1.png": picture(50)}))
    assert found["classes"] == ["cats", "dogs", "rare"]
    assert (found["train"][2], found["test"][2]) == (1, 0)


def test_nothing_to_test_with_is_refused():
    assert "test" in refused(zipped({"a/1.png": picture(1), "b/1.png": picture(2)}))


def test_too_many_classes_and_pictures_are_refused(monkeypatch):
    assert "51" in refused(zipped({f"{n}/{m}.png": picture() for n in range(51) for m in range(2)}))
    monkeypatch.setattr(zip_folder, "MOST_IMAGES", 9)
    assert "10 pictures" in refused(zipped(folders()))


@settings(max_examples=30)
@given(st.lists(st.integers(1, 40), min_size=2, max_size=6))
def test_the_split_is_in_proportion(counts):
    y = np.repeat(np.arange(len(counts)), counts)
    test = own_images.split(y)
    for label, count in enumerate(counts):
        asked = test[y == label].sum()
        assert asked == (max(1, round(count / 5)) if count > 1 else 0)
    assert (own_images.split(y) == test).all()


def test_five_thousand_pictures_within_bounds():
    blobs = [picture(n, (32, 32)) for n in range(20)]
    blob = zipped({f"{'ab'[n % 2]}/{n}.png": blobs[n % 20] for n in range(5000)})
    tracemalloc.start()
    found = own_images.keep_zip(blob)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sum(found["train"]) + sum(found["test"]) == 5000
    pixels = 5000 * 64 * 64 * 3
    assert peak < 4.5 * pixels + 30e6  # the pixels, their two parts, and what writes them


# --- what is kept -----------------------------------------------------------------------------------------------------


def test_the_fingerprint_names_the_pixels_and_the_classes():
    first = own_images.keep_zip(zipped(folders()))
    again = own_images.keep_zip(zipped(folders("other/"), zipfile.ZIP_DEFLATED))
    assert again["hash"] == first["hash"]
    assert own_images.summary(first["hash"]) == first
    renamed = {name.replace("cats", "owls"): blob for name, blob in folders().items()}
    assert own_images.keep_zip(zipped(renamed))["hash"] != first["hash"]
    assert not list(own_images.folder().glob("*.part"))


@pytest.mark.parametrize(
    ("form", "shape"), [("colour64", (3, 64, 64)), ("colour32", (3, 32, 32)), ("grey28", (1, 28, 28))]
)
def test_forms_are_the_same_pictures(form, shape):
    name = own_images.keep_zip(zipped(folders(each=10)))["hash"]
    data = images.load(f"own:{name}:{form}")
    assert data.X_train.shape == (16, *shape)
    assert data.hash == name
    assert data.classes == ("cats", "dogs")
    kept = own_images.load(name, "colour64").X_train
    assert data.X_train.mean() == pytest.approx(kept.mean(), abs=3)
    assert images.load(f"own:{name}:{form}", train_size=4).y_train.tolist().count(0) == 2
    assert (
        images.load(images.name_of({"dataset": "own", "data_hash": name, "own_form": form})).X_test == data.X_test
    ).all()


def test_what_is_not_here_says_so():
    for name, says in (
        ("", "No pictures of yours"),
        ("0123456789abcdef", "Choose the same zip"),
        ("../../x", "not on"),
    ):
        with pytest.raises(Problem, match=says) as caught:
            images.load(f"own:{name}")
        assert caught.value.kind == "data_missing"


def test_the_oldest_sets_make_room(monkeypatch):
    monkeypatch.setattr(own_images, "KEPT_SETS", 2)
    names = []
    for n in range(4):
        names.append(own_images.keep_zip(zipped(folders(each=3 + n)))["hash"])
        os.utime(own_images.folder() / f"{names[-1]}.npz", (n, n))
    assert {path.stem for path in own_images.folder().glob("*.npz")} == set(names[-2:])


def test_sets_in_use_outlive_newer_ones_that_are_not(monkeypatch):
    monkeypatch.setattr(own_images, "KEPT_SETS", 2)
    names = []
    for n in range(2):
        names.append(own_images.keep_zip(zipped(folders(extra=b"", each=4 + n)))["hash"])
        os.utime(own_images.folder() / f"{names[-1]}.npz", (1000 + n, 1000 + n))
    own_images.summary(names[0])  # a page that shows it
    own_images.keep_zip(zipped(folders(each=8)))
    assert (own_images.folder() / f"{names[0]}.npz").exists()
    assert not (own_images.folder() / f"{names[1]}.npz").exists()


def test_a_class_of_damaged_pictures_only_is_named():
    found = own_images.keep_zip(zipped({**folders(), "birds/1.png": b"no picture", "birds/2.png": b""}))
    assert (found["classes"], found["lost"]) == (["cats", "dogs"], ["birds"])
    from ui.own_images import what_was_taken

    assert "“birds” is no class here: none of its pictures can be read." in what_was_taken(found)


def test_what_an_interrupted_reading_left_goes_after_an_hour():
    own_images.folder().mkdir(parents=True)
    old, new = (own_images.folder() / f"{note}.progress" for note in ("ab" * 16, "cd" * 16))
    for path in (old, new):
        path.write_text("1 2")
    os.utime(old, (0, 0))
    own_images.keep_zip(zipped(folders()))
    assert not old.exists()
    assert new.exists()


def test_progress_is_told_and_forgotten():
    note = "ab" * 16
    own_images.keep_zip(zipped(folders()), note)
    done, total = own_images.progress(note)
    assert 1 <= done <= total == 10
    own_images.forget(note)
    assert own_images.progress(note) == (0, 0)


def test_a_wide_picture_is_cut_to_its_middle():
    wide = np.zeros((10, 30, 3), np.uint8)
    wide[:, 10:20] = 255
    assert (own_images.square(wide) == 255).all()
    assert own_images.square(np.zeros((1, 500, 3), np.uint8)).shape == (64, 64, 3)


@pytest.mark.parametrize(("form", "network"), [("colour32", "norm"), ("grey28", "article")])
def test_a_network_learns_them(form, network):
    rng = np.random.default_rng(0)
    files = {}
    for n in range(30):
        for kind, place in (("left", 0), ("right", 20)):
            pixels = rng.integers(0, 60, (40, 40, 3), dtype=np.uint8)
            pixels[:, place : place + 20] += 150
            blob = io.BytesIO()
            Image.fromarray(pixels).save(blob, "PNG")
            files[f"{kind}/{n}.png"] = blob.getvalue()
    name = own_images.keep_zip(zipped(files))["hash"]
    given = {"dataset": "own", "data_hash": name, "own_form": form, "network": network, "epochs": 4, "batch_size": 8,
             "precision": "float32", "memory_format": "contiguous", "threads": 1}  # fmt: skip
    *_, last = cnn.run(build(cnn.Config, given))
    assert isinstance(last, Finished)
    assert last.metrics["test_accuracy"] == 1.0
