"""A network with a last layer of one's own: the same answers wherever it runs, and no file from outside is trusted."""

from __future__ import annotations

import io
import json
import pickle
import struct
import subprocess
import sys
import zipfile
from contextlib import suppress

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from safetensors.torch import load_file, save

from dlcore import own_model
from dlcore.checkpoints import to_plain
from dlcore.events import pack
from dlcore.own_model_files import checked, header
from dlcore.texts import Problem
from tests.borrowed import mobilenet, picture, tiny

CLASSES = ["mug", "glass", "其他"]


@pytest.fixture(scope="module")
def base():
    return mobilenet()


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory, base):
    """A run's checkpoint on a random MobileNetV2, whose module is lent to whoever asks for that network."""
    torch.manual_seed(1)
    head = torch.nn.Linear(1280, 3)
    path = tmp_path_factory.mktemp("run") / "checkpoint.bin"
    own = {"backbone": "mobilenet_v2", "mean": 0.1, "std": 0.7}
    path.write_bytes(pack({"classes": CLASSES, "own": own, "model": to_plain(head.state_dict())}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(own_model, "model", lambda _name: base)
        yield str(path)
    own_model._vision.cache_clear()


@pytest.fixture(scope="module")
def zipped(checkpoint):
    return own_model.packed(checkpoint).tobytes()


@pytest.fixture(autouse=True)
def own_state(tmp_path, monkeypatch):
    monkeypatch.setenv("DLCORE_STATE", str(tmp_path))


def answer(found, image):
    with torch.inference_mode():
        return found.module(found.prepare(image)[None]).softmax(1)[0].numpy()


def test_folding_says_the_same():
    generator = torch.Generator().manual_seed(0)
    weight, bias, X = (torch.randn(shape, generator=generator) for shape in ((3, 7), (3,), (5, 7)))
    folded_weight, folded_bias = own_model.folded(weight, bias, 0.4, 2.5)
    torch.testing.assert_close(X @ folded_weight.T + folded_bias, ((X - 0.4) / 2.5) @ weight.T + bias)


def test_the_whole_network_is_features_then_the_layer(checkpoint, base):
    found, image = own_model.vision(checkpoint), picture((90, 140, 60), 3)
    with torch.inference_mode():
        features = base.features(base.prepare(image)[None]).numpy()
    weight, bias = own_model.last_layer(checkpoint)
    logits = features[0] @ weight.T + bias
    np.testing.assert_allclose(answer(found, image), np.exp(logits) / np.exp(logits).sum(), rtol=1e-4)
    assert found.classes == CLASSES


def test_the_network_that_was_borrowed_from_stays_as_it_was():
    base = tiny()
    before = {name: value.clone() for name, value in base.module.state_dict().items()}
    found = own_model.with_head(base, torch.zeros(2, 16), torch.zeros(2), ["a", "b"], "x")
    assert found.last_maps is found.module.get_submodule("3")
    assert found.last_maps is not base.last_maps
    assert base.module.get_parameter("6.bias").shape == (5,)
    torch.testing.assert_close(dict(base.module.state_dict()), before, rtol=0, atol=0)


def test_what_is_downloaded_answers_alone_and_loads_again(checkpoint, zipped, tmp_path):
    """The script runs in a process that knows nothing of this project."""
    image = picture((200, 60, 90), 5)
    Image.fromarray(image).save(tmp_path / "photo.png")
    with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
        archive.extractall(tmp_path / "net")
    said = answer(own_model.vision(checkpoint), image)
    command = [sys.executable, "-I", str(tmp_path / "net" / "classify.py"), str(tmp_path / "photo.png")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert list(told["probabilities"]) == CLASSES
    np.testing.assert_allclose(list(told["probabilities"].values()), said, atol=2e-5)
    assert told["says"] == CLASSES[int(said.argmax())]

    back = own_model.keep(zipped)
    assert (back["network"], back["classes"]) == ("mobilenet_v2", CLASSES)
    np.testing.assert_allclose(answer(own_model.vision(back["path"]), image), said, atol=1e-6)


def test_a_network_with_another_head_is_shown_what_it_sees(checkpoint, base):
    """Pixels between black and white, whatever the borrowed network's own transform makes of them, and its answer."""
    from dlcore.vision.pixels import open_with

    image = picture((200, 60, 90), 5)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dlcore.vision.models.written", lambda _path: 0)
        opened = open_with(f"run:{checkpoint}", image)
    seen = opened.P[0].mean((1, 2)).numpy()
    np.testing.assert_allclose(seen, image.mean((0, 1)) / 255, atol=0.02)
    np.testing.assert_allclose(opened.logits.softmax(0), answer(own_model.vision(checkpoint), image), atol=1e-4)


def test_torchvision_s_own_network_takes_the_weights(zipped, tmp_path):
    from torchvision.models import mobilenet_v2

    (tmp_path / "m.safetensors").write_bytes(weights_of(zipped))
    mobilenet_v2(num_classes=3).load_state_dict(load_file(tmp_path / "m.safetensors"))  # strict


def weights_of(blob: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(blob)) as archive:
        return archive.read("model.safetensors")


def file(arrays=None, **about) -> bytes:
    about = {"network": "mobilenet_v2", "classes": ["a", "b"], **about}
    return save(arrays or {"x": torch.zeros(2)}, {key: json.dumps(value) for key, value in about.items()})


def with_header(said: dict, body: bytes = b"", size: int | None = None) -> bytes:
    text = json.dumps(said).encode()
    return struct.pack("<Q", len(text) if size is None else size) + text + body


def torch_saved() -> bytes:
    blob = io.BytesIO()
    torch.save({"w": torch.zeros(2)}, blob)
    return blob.getvalue()


def a_zip(**files: bytes) -> bytes:
    blob = io.BytesIO()
    with zipfile.ZipFile(blob, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "."), content)
    return blob.getvalue()


TENSOR = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


@pytest.mark.parametrize(
    ("blob", "says"),
    [
        (pickle.dumps({"w": 1}), "pickle"),
        (torch_saved(), "pickle"),
        (a_zip(model__safetensors=pickle.dumps([1])), "pickle"),
        (a_zip(readme__txt=b"hello"), "neither"),
        (b"", "neither"),
        (b"GIF89a" + bytes(100), "neither"),
        (b"PK\3\4 not really", "damaged"),
        (with_header({"x": TENSOR}, bytes(8), size=1 << 60), "damaged"),
        (with_header({"x": TENSOR}, bytes(4)), "damaged"),
        (with_header({"x": TENSOR}, bytes(12)), "damaged"),
        (with_header({"x": TENSOR, "y": TENSOR}, bytes(8)), "damaged"),
        (with_header({"x": {**TENSOR, "shape": [1 << 62]}}, bytes(8)), "damaged"),
        (with_header({"x": {**TENSOR, "dtype": "BOOM"}}, bytes(8)), "damaged"),
        (with_header({"x": TENSOR}, bytes(8)), "does not say"),
        (file(network="../../x"), "does not say"),
        (file(classes=["a", "a"]), "names of the classes"),
        (file(classes=["only"]), "names of the classes"),
        (file(classes=[f"c{k}" for k in range(21)]), "names of the classes"),
        (file(), "do not fit"),
    ],
)
def test_no_file_from_outside_is_trusted(blob, says):
    with pytest.raises(Problem, match=says) as refused:
        own_model.keep(blob)
    assert refused.value.kind == "own_model"
    assert not list((own_model.folder() / "models").glob("*.safetensors"))


def test_a_weight_that_is_no_number_is_refused(zipped, tmp_path):
    (tmp_path / "m.safetensors").write_bytes(weights_of(zipped))
    arrays = load_file(tmp_path / "m.safetensors")
    arrays["classifier.1.bias"] = arrays["classifier.1.bias"] * float("nan")
    with pytest.raises(Problem, match="no numbers"):
        own_model.keep(file(arrays, classes=CLASSES))


VALID = file({"x": torch.zeros(2, 3), "y": torch.ones(4)})


@settings(max_examples=300)
@given(st.data())
def test_a_mutated_file_is_a_sentence_or_a_file(data):
    blob = bytearray(VALID)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(blob) - 1))
        blob[place] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(blob)))
    for mutant in (bytes(blob), bytes(blob[:cut])):
        with suppress(Problem):
            weights, about = checked(mutant, own_model.BACKBONES)
            assert header(weights)
            assert len(about["classes"]) == 2
