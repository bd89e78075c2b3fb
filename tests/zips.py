"""Zips of small pictures in folders, as somebody might bring them, and the folder that they are kept in."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from dlcore.data import own_images
from dlcore.texts import Problem


def picture(seed: int = 0, size: tuple[int, int] = (40, 30), kind: str = "PNG") -> bytes:
    rng = np.random.default_rng(seed)
    blob = io.BytesIO()
    Image.fromarray(rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)).save(blob, kind)
    return blob.getvalue()


def zipped(files: dict[str, bytes] | list[tuple[str | zipfile.ZipInfo, bytes]], how: int = zipfile.ZIP_STORED) -> bytes:
    blob = io.BytesIO()
    with zipfile.ZipFile(blob, "w", how) as archive:
        for name, content in files.items() if isinstance(files, dict) else files:
            archive.writestr(name, content)
    return blob.getvalue()


def folders(prefix: str = "", each: int = 5, **other: bytes) -> dict[str, bytes]:
    names = [f"{prefix}{kind}/{n}.png" for kind in ("cats", "dogs") for n in range(each)]
    return {**{name: picture(row) for row, name in enumerate(names)}, **other}


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    monkeypatch.setenv("DLCORE_STATE", str(tmp_path / "state"))
    own_images.load.cache_clear()
    return tmp_path


def left_out(found) -> dict[str, int]:
    return {reason: count for reason, count, _names in found["skipped"]}


def refused(blob: bytes) -> str:
    with pytest.raises(Problem) as caught:
        own_images.keep_zip(blob)
    assert caught.value.kind == "zip"
    assert not list(own_images.folder().glob("*.npz"))
    return str(caught.value)
