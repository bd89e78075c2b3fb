"""Zips that are damaged or mean harm: what is left out, what is refused, and nothing is written elsewhere."""

from __future__ import annotations

import io
import stat
import zipfile
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcore.data import own_images, zip_folder
from dlcore.texts import Problem
from tests.zips import folders, left_out, picture, refused, state, zipped  # noqa: F401 - a fixture


def test_what_is_no_picture_is_left_out_and_counted():
    files = {
        **folders(), "cats/notes.txt": b"x", "cats/inner.zip": zipped(folders()), "__MACOSX/cats/._0.png": b"x",
        "cats/.DS_Store": b"x", "dogs/Thumbs.db": b"x", "cats/broken.jpg": b"\xff\xd8\xff no", "loose.png": picture(1),
        "dogs/empty.png": b"", "cats/cut.png": picture(3)[:200],
    }  # fmt: skip
    found = own_images.keep_zip(zipped(files))
    assert left_out(found) == {
        zip_folder.NOT_A_PICTURE: 2, zip_folder.HIDDEN: 3, zip_folder.DAMAGED: 3, zip_folder.NO_FOLDER: 1,
    }  # fmt: skip
    assert sum(found["train"]) + sum(found["test"]) == 10


def test_names_and_links_that_lead_out_are_left_out(state):  # noqa: F811
    link = zipfile.ZipInfo("cats/link.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    bad = ["../up.png", "cats/../../up.png", "/etc/up.png", "C:\\up.png", "..\\up.png", "cats/../dogs/x.png"]
    files = [*folders().items(), (link, b"/etc/passwd"), *((name, picture(1)) for name in bad)]
    before = set(state.rglob("*"))
    found = own_images.keep_zip(zipped(files))
    assert left_out(found) == {zip_folder.LINK: 1, zip_folder.OUTSIDE: len(bad)}
    new = set(state.rglob("*")) - before
    assert {path.name for path in new if path.is_file()} == {f"{found['hash']}.npz"}, "nothing else is written"


def test_a_picture_that_unpacks_too_large_is_left_out(monkeypatch):
    bomb = b"\x89PNG" + bytes(zip_folder.MOST_FILE + 10)
    found = own_images.keep_zip(zipped({**folders(), "cats/bomb.png": bomb}, zipfile.ZIP_DEFLATED))
    assert left_out(found) == {zip_folder.TOO_HEAVY: 1}


def test_a_declared_size_that_lies_is_not_believed():
    blob = bytearray(zipped({**folders(), "cats/bomb.png": bytes(1_000_000)}, zipfile.ZIP_DEFLATED))
    true, small = (1_000_000).to_bytes(4, "little"), (100).to_bytes(4, "little")
    assert blob.count(true) == 2
    found = own_images.keep_zip(bytes(blob.replace(true, small)))
    assert left_out(found) == {zip_folder.DAMAGED: 1}


def test_many_that_unpack_too_large_together_are_refused(monkeypatch):
    monkeypatch.setattr(own_images, "MOST_UNPACKED", 5_000_000)
    files = {**folders(), **{f"cats/{n}x.png": bytes(1_000_000) for n in range(9)}}
    assert "Unpacked" in refused(zipped(files, zipfile.ZIP_DEFLATED))


def test_a_picture_of_far_too_many_pixels_is_left_out():
    head = b"\x89PNG\r\n\x1a\n"
    body = b"IHDR" + (60_000).to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 0])
    bomb = head + len(body[4:]).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")
    found = own_images.keep_zip(zipped({**folders(), "cats/bomb.png": bomb}))
    assert left_out(found) == {zip_folder.DAMAGED: 1}


@pytest.mark.parametrize("how", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_unusual_ways_of_packing_are_left_out(how):
    odd = zipped({"cats/odd.png": picture(9)}, how)
    with zipfile.ZipFile(io.BytesIO(odd)) as archive:
        (entry,) = archive.infolist()
        with pytest.raises(OSError, match="unusual"):
            zip_folder.content(archive, zip_folder.Picture(entry, entry.filename, "cats", ""))


def test_a_directory_of_very_many_files_is_refused_before_it_is_read(monkeypatch):
    monkeypatch.setattr(zip_folder, "MOST_ENTRIES", 9)
    assert "more than 9" in refused(zipped(folders()))


def test_reading_ends_in_time(monkeypatch):
    monkeypatch.setattr(own_images, "MOST_SECONDS", -1)
    assert "too long" in refused(zipped(folders()))


def locked() -> bytes:
    blob = bytearray(zipped(folders()))
    for mark, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        place = -1
        while (place := blob.find(mark, place + 1)) >= 0:
            blob[place + at] |= 1
    return bytes(blob)


@pytest.mark.parametrize(
    ("blob", "says"),
    [
        (b"", "empty"),
        (b"just some text", "not a zip"),
        (zipped(folders())[:-400], "not sent whole"),
        (b"PK\5\6" + bytes(18), "no pictures"),
        (zipped({"readme.txt": b"x"}), "no pictures"),
        (zipped({"a.png": picture(), "b.png": picture()}), "no pictures"),
        (zipped({"a/1.png": b"x", "b/1.png": b"y"}), "Fewer than two"),
        (locked(), "password"),
        (bytes(zip_folder.MOST_BYTES + 1), "64 MB"),
    ],
    ids=["empty file", "text", "cut", "empty zip", "no pictures", "no folders", "all broken", "locked", "heavy"],
)
def test_what_cannot_be_read_is_refused_with_its_reason(blob, says):
    assert says in refused(blob)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_damage_is_a_problem_or_is_left_out(data):
    blob = bytearray(zipped(folders(each=2), zipfile.ZIP_DEFLATED))
    for _ in range(data.draw(st.integers(1, 4))):
        blob[data.draw(st.integers(0, len(blob) - 1))] = data.draw(st.integers(0, 255))
    try:
        said = f"{own_images.keep_zip(bytes(blob))['classes']}"
    except Problem as problem:
        said = f"{problem.kind}: {problem}"
    assert said.startswith(("zip: ", "["))
