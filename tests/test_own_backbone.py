"""A network of one's own on the shipped backbone: taken home, brought back, and asked what its answer hangs on."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from dlcore import own_model
from dlcore.checkpoints import to_plain
from dlcore.data import album as albums
from dlcore.events import pack
from dlcore.experiments.teach_look import ask
from dlcore.own_features import computed
from dlcore.vision.attribution import explain
from dlcore.vision.neighbours import nearest
from tests.borrowed import picture, two_colours

CLASSES = ["mug", "glass", "其他"]


@pytest.fixture(autouse=True)
def own_state(tmp_path, monkeypatch, one_thread):
    monkeypatch.setenv("DLCORE_STATE", str(tmp_path))


def checkpoint(
    folder: Path, classes: list[str], state: dict[str, np.ndarray], mean: float = 0.0, std: float = 1.0
) -> str:
    """A run's checkpoint with that last layer on the shipped network."""
    path = folder / "checkpoint.bin"
    own = {"backbone": "backbone", "mean": mean, "std": std}
    path.write_bytes(pack({"classes": classes, "own": own, "model": state}))
    return str(path)


def test_the_shipped_eyes_go_home_answer_a_phone_s_photo_there_and_come_back(tmp_path):
    """A photograph that its EXIF data turn: the page, the script in a process of its own, and the loaded file agree."""
    torch.manual_seed(2)
    path = checkpoint(tmp_path, CLASSES, to_plain(torch.nn.Linear(256, 3).state_dict()), 0.3, 0.5)
    net, photo = tmp_path / "net", tmp_path / "photo.jpg"
    pixels, exif = np.array(picture((120, 150, 90), 8, 600)[:450]), Image.Exif()
    pixels[:200, :300] //= 3
    exif[0x0112] = 6
    Image.fromarray(pixels).save(photo, "JPEG", exif=exif)
    said = ask(np.frombuffer(photo.read_bytes(), np.uint8), path)["probabilities"]
    assert np.ptp(said) > 0.01

    blob = own_model.packed(path).tobytes()
    with zipfile.ZipFile(io.BytesIO(blob)) as archive:
        archive.extractall(net)
    command = [sys.executable, "-I", str(net / "classify.py"), str(photo)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(list(json.loads(done.stdout)["probabilities"].values()), said, atol=2e-5)
    back = own_model.keep(blob)
    assert (back["network"], back["classes"]) == ("backbone", CLASSES)
    again = ask(np.frombuffer(photo.read_bytes(), np.uint8), back["path"])["probabilities"]
    np.testing.assert_allclose(again, said, atol=1e-6)


def test_grad_cam_is_what_the_last_layer_makes_of_each_place(tmp_path):
    """Where the average of the maps enters the last layer, Grad-CAM is its row of weights on each place's numbers."""
    rng = np.random.default_rng(3)
    state = {"weight": rng.normal(size=(3, 256)).astype(np.float32), "bias": np.zeros(3, np.float32)}
    path, image = checkpoint(tmp_path, CLASSES, state), picture((120, 150, 90), 8)
    image[:100, :100] //= 3
    found = explain(f"run:{path}", image, "gradcam", 1)["map"]
    vision = own_model.vision(path)
    X = vision.prepare(image)[None]
    with torch.no_grad():
        for layer in list(vision.module.children())[:-2]:  # as far as the average
            X = layer(X)
    places = torch.relu((torch.from_numpy(state["weight"][1])[:, None, None] * X[0]).sum(0)) / X[0, 0].numel()
    known = torch.nn.functional.interpolate(places[None, None], (32, 32), mode="bilinear")[0, 0]
    assert known.max() > 0
    np.testing.assert_allclose(found, known, rtol=1e-3, atol=1e-5)


def test_saliency_finds_what_the_answer_hangs_on(tmp_path):
    """With a head that only asks for what a dark corner does to the features, the map is strongest there."""
    plain = np.full((256, 256, 3), 200, np.uint8)
    marked = plain.copy()
    marked[16:112, 16:112] = picture((90, 40, 30), 4, 96)
    seen = computed([plain, marked], "backbone")[:, 0]
    weight = np.stack([np.zeros_like(seen[0]), np.maximum(seen[1] - seen[0], 0)]).astype(np.float32)
    path = checkpoint(tmp_path, ["plain", "marked"], {"weight": weight, "bias": np.zeros(2, np.float32)})
    found = np.abs(explain(f"run:{path}", marked, "saliency", 1)["map"])
    assert found[:16, :16].sum() > 0.5 * found.sum()  # a quarter of the picture


def test_alike_are_pictures_of_the_album_in_features_and_in_pixels(tmp_path):
    album = two_colours(5)
    state = {"weight": np.zeros((2, 256), np.float32), "bias": np.zeros(2, np.float32)}
    path = checkpoint(tmp_path, album.names, state)
    found = nearest(f"run:{path}", picture((190, 90, 80), 700), f"album:{albums.keep(album)}", count=4)
    assert found["of"] == 8
    assert found["labels"].tolist() == found["pixel_labels"].tolist() == [0] * 4
    assert found["images"].shape == (4, 3, 64, 64)
    itself = next(albums.read_pictures(album.kinds[1].pictures))
    best = nearest(f"run:{path}", itself, f"album:{albums.keep(album)}", count=1)
    assert best["alike"][0] > 0.9
