"""Pictures of a learner's own: kept as squares, sorted into classes, found again by their owner only, gone in time."""

from __future__ import annotations

import io
import os
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dlcore.data import album as albums
from dlcore.data import album_edits, album_sources
from dlcore.data.album import Album, Kind
from dlcore.data.images import load as load_images
from dlcore.data.images import name_of
from dlcore.texts import Problem
from tests.borrowed import picture, two_colours


@pytest.fixture(autouse=True)
def own_state(tmp_path, monkeypatch):
    monkeypatch.setenv("DLCORE_STATE", str(tmp_path))
    albums.images.cache_clear()


def as_file(image: np.ndarray, form: str = "PNG", **options) -> np.ndarray:
    blob = io.BytesIO()
    Image.fromarray(image).save(blob, form, **options)
    return np.frombuffer(blob.getvalue(), np.uint8)


def test_a_picture_is_kept_upright_as_its_middle_square():
    wide = np.zeros((300, 500, 3), np.uint8)
    wide[:, 100:250], wide[:, 250:400] = (255, 0, 0), (0, 0, 255)
    exif = Image.Exif()
    exif[0x0112] = 3  # taken upside down: red is on the right when it stands upright
    (told,) = albums.take([as_file(wide, "JPEG", exif=exif, quality=95)])
    (kept,) = albums.read_pictures([told["hash"]])
    assert kept.shape == (256, 256, 3)
    assert kept[128, 30, 2] > 200 > kept[128, 30, 0]
    assert kept[128, 220, 0] > 200 > kept[128, 220, 2]
    with Image.open(albums.picture_file(told["hash"], ".thumb")) as thumb:
        assert thumb.size == (80, 80)


def test_what_is_no_picture_is_told_and_the_others_are_taken():
    good, bad = as_file(picture((9, 9, 9), 0, 40)), np.frombuffer(b"no picture at all", np.uint8)
    told = albums.take([bad, good, good[:200]])
    assert [set(row) for row in told] == [{"problem"}, {"hash"}, {"problem"}]


def test_the_same_picture_is_kept_once():
    one, two = albums.take([as_file(picture((9, 9, 9), 0))] * 2)
    assert one == two
    assert len(list((albums.folder() / "pictures").glob("*.jpg"))) == 1


def test_a_fifth_of_each_class_is_held_out_or_what_is_given():
    album = two_colours(10)
    names, y, test = album.samples()
    assert len(names) == 20
    assert np.bincount(y[test]).tolist() == [2, 2]
    first = album.kinds[0].pictures
    given_album = Album((Kind("red", first, first[:1]), album.kinds[1]), given=True)
    names, _y, test = given_album.samples()
    assert [name for name, out in zip(names, test, strict=True) if out] == [first[0]]


def test_an_album_is_found_again_by_its_owner_only():
    name = albums.keep(two_colours(2), "ann")
    assert albums.load(name, "ann") == albums.load(name)
    with pytest.raises(Problem) as refused:
        albums.load(name, "bob")
    assert refused.value.kind == "data_missing"
    albums.keep(two_colours(2), "bob")  # who has the same pictures has the same album
    assert albums.load(name, "bob").names == ["red", "blue"]
    with pytest.raises(Problem):
        albums.load("../../etc/pass", "ann")


def test_what_nobody_used_for_a_day_is_gone_with_what_was_made_of_it():
    album = two_colours(1)
    old, new = album.kinds[0].pictures[0], album.kinds[1].pictures[0]
    albums.picture_file(old, ".x.256.1.npy").write_bytes(b"features")
    then = time.time() - 3600 * albums.KEPT_HOURS - 60
    os.utime(albums.picture_file(old), (then, then))
    albums.tidy()
    assert {path.name.split(".")[0] for path in (albums.folder() / "pictures").iterdir()} == {new}


def test_deleting_leaves_what_is_somebody_elses():
    mine, theirs = two_colours(2), two_colours(1)
    albums.keep(mine, "ann")
    kept = albums.keep(theirs, "bob")
    albums.forget(mine, "ann")
    left = {path.stem for path in (albums.folder() / "pictures").glob("*.jpg")}
    assert left == {name for kind in theirs.kinds for name in kind.pictures}
    assert albums.load(kept, "bob") == theirs


def test_an_album_is_a_dataset_for_what_shows_pictures():
    album = two_colours(5)
    name = albums.keep(album)
    data = load_images(name_of({"dataset": "album", "backbone": "auto", "data_hash": name}))
    assert data.X_train.shape == (8, 3, 64, 64)
    assert data.classes == ("red", "blue")
    assert data.X_train[data.y_train == 0].mean((0, 2, 3)).argmax() == 0
    assert data.X_test[data.y_test == 1].mean((0, 2, 3)).argmax() == 2


@pytest.mark.parametrize("is_given", [False, True])
def test_a_zip_of_the_pictures_brings_the_album_back(is_given):
    kinds = two_colours(4).kinds
    if is_given:
        kinds = tuple(Kind(k.name, k.pictures, k.pictures[:1]) for k in kinds)
    album = Album(kinds, given=is_given)
    found = album_sources.from_zip(album_sources.zipped(album.to_plain()))
    back = albums.from_plain(found["album"])
    assert sorted(back.names) == ["blue", "red"]
    assert back.given == is_given
    assert [len(kind.pictures) for kind in back.kinds] == [4, 4]
    assert [len(kind.test) for kind in back.kinds] == [int(is_given)] * 2


def test_the_drawn_set_is_always_there():
    album = albums.from_plain(album_sources.ready("drawings"))
    assert album.ready
    assert [len(kind.pictures) for kind in album.kinds] == [10] * 4
    with pytest.raises(Problem):
        album_sources.ready("dragons")


# -- edits -----------------------------------------------------------------------------------------------------------

names = st.text(max_size=60)
pictures = st.lists(st.sampled_from([f"{k:016x}" for k in range(8)]), max_size=6)
edits = st.one_of(
    st.tuples(st.just("rename"), st.integers(0, 4), names),
    st.tuples(st.just("pictures"), st.integers(0, 4), pictures),
    st.tuples(st.just("remove"), st.integers(0, 4), st.sampled_from([f"{k:016x}" for k in range(8)])),
    st.tuples(st.just("drop"), st.integers(0, 4), st.just("")),
    st.tuples(st.just("add"), st.just(0), names.filter(str.strip)),
)


def carried_out(album: Album, what: str, place: int, value) -> Album:
    place = min(place, len(album.kinds) - 1)
    if what == "pictures":
        return album_edits.add_pictures(album, place, value)[0]
    if what == "add":
        return album_edits.add_class(album, value)
    if what == "drop":
        return album_edits.drop_class(album, place)
    return (album_edits.rename if what == "rename" else album_edits.remove_picture)(album, place, value)


@settings(max_examples=150)
@given(st.lists(edits, max_size=20))
def test_whatever_is_done_an_album_stays_one(steps):
    album = Album((Kind("a"), Kind("b")))
    for step in steps:
        album = carried_out(album, *step)
        assert 2 <= len(album.kinds) <= albums.MOST_CLASSES
        assert len(set(album.names)) == len(album.names)
        assert all(name and len(name) <= albums.MOST_NAME + 20 for name in album.names)
        assert all(len(set(kind.pictures)) == len(kind.pictures) for kind in album.kinds)
        assert albums.from_plain(album.to_plain()) == album


def test_what_is_odd_about_pictures_is_said():
    album, told = album_edits.add_pictures(Album((Kind("a"), Kind("b"))), 0, ["1", "1"])
    assert [problem.template for problem in told] == [album_edits.TWICE]
    _album, told = album_edits.add_pictures(album, 1, ["1"])
    assert [problem.template for problem in told] == [album_edits.ELSEWHERE]
    full, told = album_edits.add_pictures(album, 1, [str(k) for k in range(2, 600)])
    assert [problem.template for problem in told] == [album_edits.FULL]
    assert len(full.kinds[1].pictures) == albums.MOST_PICTURES
    assert album_edits.unbalanced(full) == (full.kinds[1], full.kinds[0])
    assert album_edits.unbalanced(two_colours(1)) is None
