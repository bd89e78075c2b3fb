"""The networks that know photographs, held to torchvision's own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torchvision.models import get_model, get_model_weights, get_weight

from dlcore.texts import Problem
from dlcore.vision import models
from dlcore.vision.models import RUN, imagenet, last_maps, model
from dlcore.vision.names import is_imagenet, names
from dlcore.vision.networks import KNOWN, SHIPPED, available, here
from tests.untrained import write

DEPTHS = {  # numbers that enter the last linear layer, from the papers' tables
    "mobilenet_v2": 1280, "mobilenet_v3_small": 1024, "mobilenet_v3_large": 1280, "squeezenet1_0": 512,
    "resnet18": 512, "resnet50": 2048, "efficientnet_b0": 1280, "convnext_tiny": 768, "vit_b_16": 768,
}  # fmt: skip
MAPS = {
    "mobilenet_v2": (1280, 7), "mobilenet_v3_small": (576, 7), "mobilenet_v3_large": (960, 7),
    "squeezenet1_0": (512, 13), "resnet18": (512, 7), "resnet50": (2048, 7), "efficientnet_b0": (1280, 7),
    "convnext_tiny": (768, 7),
}  # fmt: skip


def weights(name: str):
    return next(w for w in get_model_weights(name) if w.value.url.endswith(KNOWN[name].file))


def picture(height: int = 300, width: int = 400, seed: int = 0) -> np.ndarray:
    small = np.random.default_rng(seed).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))


@pytest.mark.parametrize("name", KNOWN)
def test_what_is_known_of_a_network_is_what_torchvision_says(name):
    known, theirs = KNOWN[name], weights(name)
    assert known.url == theirs.url
    assert theirs.meta["num_params"] == known.parameters
    assert theirs.meta["_ops"] == known.gflops
    assert theirs.meta["_file_size"] == known.megabytes
    assert theirs.meta["_metrics"]["ImageNet-1K"]["acc@1"] == pytest.approx(100 * known.top1)
    assert len(known.sha256) == 8
    assert int(known.sha256, 16) >= 0
    for file in known.others:
        assert any(w.value.url.endswith(f"/{file}") for w in get_model_weights(name))


@pytest.mark.parametrize("name", KNOWN)
def test_every_network_gives_features_and_maps(name):
    """On torch's "meta" device, where shapes are computed and numbers are not: all nine in no time."""
    with torch.device("meta"):
        vision = imagenet(name, get_model(name, weights=None))
        X = torch.zeros(2, *vision.shape)
    shapes = []
    if vision.last_maps is not None:
        vision.last_maps.register_forward_hook(lambda _layer, _inputs, output: shapes.append(output.shape))
    with torch.no_grad():
        assert vision.features(X).shape == (2, DEPTHS[name])
    if name in MAPS:
        depth, side = MAPS[name]
        assert shapes == [(2, depth, side, side)]
    else:
        assert vision.last_maps is None
    assert len(vision.classes) == 1000
    assert vision.classes == list(weights(name).meta["categories"])
    assert not vision.module.training


@pytest.mark.parametrize("name", ["mobilenet_v2", "efficientnet_b0", "convnext_tiny"])
@pytest.mark.parametrize("shape", [(300, 400), (7, 5), (224, 224), (12, 4000)])
def test_a_picture_is_prepared_as_torchvision_does_it(name, shape):
    with torch.device("meta"):
        vision = imagenet(name, get_model(name, weights=None))
    X = picture(*shape)
    theirs = weights(name).transforms()(Image.fromarray(X))
    torch.testing.assert_close(vision.prepare(X), theirs, rtol=0, atol=0)


def test_other_weights_bring_their_own_transform():
    with torch.device("meta"):
        module = get_model("resnet50", weights=None)
    first, second = imagenet("resnet50", module), imagenet("resnet50", module, KNOWN["resnet50"].others[0])
    X = picture()
    assert not torch.equal(first.prepare(X), second.prepare(X))
    torch.testing.assert_close(
        second.prepare(X), get_weight("ResNet50_Weights.DEFAULT").transforms()(Image.fromarray(X))
    )


def test_a_picture_that_is_a_line_does_not_fill_the_memory():
    """Scaled to 256 pixels of height, 12,000 × 1 pixels would take 2.4 GB."""
    with torch.device("meta"):
        vision = imagenet("resnet18", get_model("resnet18", weights=None))
    line = np.zeros((1, 12_000, 3), np.uint8)
    line[:, 5_900:6_100] = 255
    assert float(vision.prepare(line).min()) > 2.0  # white: what is in the middle is kept
    assert vision.prepare(line.transpose(1, 0, 2).copy()).shape == (3, 224, 224)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A torch home of its own, and no other."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    yield folder
    models._imagenet.cache_clear()


def test_weights_are_found_where_torch_keeps_them(home):
    assert available() == [name for name in SHIPPED if name != "backbone" or "backbone" in available()]
    with pytest.raises(Problem, match="download resnet18") as caught:
        model("resnet18")
    assert caught.value.kind == "weights_missing"
    (home / KNOWN["resnet50"].others[0]).write_bytes(b"x")
    assert here("resnet50") == home / KNOWN["resnet50"].others[0]
    (home / KNOWN["resnet50"].file).write_bytes(b"x")
    assert here("resnet50") == home / KNOWN["resnet50"].file  # the ones asked for come first
    assert available()[0] == "resnet50"
    default = home.parents[1] / "cache" / "torch" / "hub" / "checkpoints"
    default.mkdir(parents=True)
    (default / KNOWN["resnet18"].file).write_bytes(b"x")
    assert here("resnet18") == default / KNOWN["resnet18"].file


def test_weights_answer_as_torchvision_does(home):
    """Random weights, written and read again: the same logits as of torchvision's transform and model."""
    torch.manual_seed(0)
    theirs: Any = get_model("mobilenet_v3_small", weights=None).eval()
    torch.save(theirs.state_dict(), home / KNOWN["mobilenet_v3_small"].file)
    X = picture(seed=1)
    batch = weights("mobilenet_v3_small").transforms()(Image.fromarray(X))[None]
    with torch.inference_mode():
        vision = model("mobilenet_v3_small")
        torch.testing.assert_close(vision.module(vision.prepare(X)[None]), theirs(batch), rtol=1e-4, atol=1e-4)
        entered = theirs.classifier[:3](theirs.avgpool(theirs.features(batch)).flatten(1))
        torch.testing.assert_close(vision.features(batch), entered)
    asked = batch.clone().requires_grad_()
    vision.module(asked)[0, 0].backward()  # also of weights that were first read under inference mode
    assert asked.grad is not None
    assert asked.grad.abs().sum() > 0


class Evil:
    def __reduce__(self):
        return os.mkdir, (os.environ["DLCORE_TEST_EVIL"],)


def test_weights_that_would_run_code_are_refused(home, tmp_path, monkeypatch):
    target = tmp_path / "run"
    monkeypatch.setenv("DLCORE_TEST_EVIL", str(target))
    torch.save({"conv.weight": Evil()}, home / KNOWN["resnet18"].file)
    with pytest.raises(Problem, match="cannot be used"):
        model("resnet18")
    assert not target.exists()


@pytest.mark.parametrize("blob", [b"<html>not found</html>", b"", b"PK\x03\x04broken"])
def test_damaged_weights_are_one_sentence(home, blob):
    (home / KNOWN["resnet18"].file).write_bytes(blob)
    with pytest.raises(Problem) as caught:
        model("resnet18")
    assert caught.value.kind == ("weights" if blob else "weights_missing")


def test_weights_of_another_network_are_one_sentence(home):
    torch.save(nn.Linear(2, 2).state_dict(), home / KNOWN["resnet18"].file)
    with pytest.raises(Problem, match="of another network"):
        model("resnet18")


def test_a_name_that_no_network_has():
    with pytest.raises(Problem, match="no network “resnet19”") as caught:
        model("resnet19")
    assert caught.value.kind == "model"


def test_the_shipped_network_reads_a_drawn_digit():
    page = np.full((120, 90, 3), 255, np.uint8)
    page[20:100, 40:50] = 0  # a one, black on white
    vision = model("digits")
    assert vision.shape == (1, 28, 28)
    with torch.no_grad():
        X = vision.prepare(page)[None]
        logits = vision.module(X)
        assert vision.classes[int(logits.argmax())] == "1"
        features = vision.features(X)
        torch.testing.assert_close(list(vision.module.children())[-1](features), logits)
    with pytest.raises(Problem, match="ink"):
        vision.prepare(np.full((50, 50, 3), 255, np.uint8))


@pytest.mark.parametrize(("network", "maps"), [("fast", True), ("article", True), ("mlp", False)])
def test_a_run_is_a_network_too(tmp_path, network, maps):
    path = write(tmp_path / "run.bin", network, shape=(3, 32, 32), classes=4)
    vision = model(RUN + path)
    assert vision.classes == ["0", "1", "2", "3"]
    X = vision.prepare(picture())
    assert X.shape == (3, 32, 32)
    assert 0 <= float(X.min()) < float(X.max()) <= 255
    assert (vision.last_maps is not None) == maps
    with torch.no_grad():
        last = [layer for layer in vision.module.modules() if isinstance(layer, nn.Linear)][-1]
        torch.testing.assert_close(last(vision.features(X[None])), vision.module(X[None]))


def test_the_last_maps_are_the_last_layer_with_places():
    net = nn.Sequential(
        nn.Conv2d(1, 3, 3), nn.Sequential(nn.ReLU(), nn.MaxPool2d(2)), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(3, 2),
    )  # fmt: skip
    assert last_maps(net, (1, 12, 12)) is net[1]
    assert last_maps(nn.Sequential(nn.Identity(), nn.Flatten(), nn.Linear(144, 2)), (1, 12, 12)) is None


def test_a_file_without_a_network_is_one_sentence(tmp_path):
    with pytest.raises(Problem, match="no image network"):
        model(f"{RUN}{tmp_path / 'none.bin'}")


def test_names_of_classes():
    classes = list(weights("resnet18").meta["categories"])
    assert is_imagenet(classes)
    assert names(classes, "en") == classes
    assert len(names(classes, "zh")) == 1000
    assert names(["0", "1"], "zh") == ["0", "1"]
    assert not is_imagenet(classes[1:])


PHOTOS = Path(os.environ.get("DLCORE_DATA", "")) / "uploads" / "photos"


@pytest.mark.data
def test_real_weights_answer_as_torchvision_does():
    """On every photograph: the logits of torchvision’s model and transform, called directly, up to last bits."""
    path = here("mobilenet_v2")
    if path is None or not PHOTOS.is_dir():
        pytest.skip("needs the weights of mobilenet_v2 under TORCH_HOME and photographs")
    theirs = get_model("mobilenet_v2", weights=None).eval()
    theirs.load_state_dict(torch.load(path, weights_only=True))
    transform, vision = weights("mobilenet_v2").transforms(), model("mobilenet_v2")
    for photo in sorted(PHOTOS.iterdir())[:12]:
        image = Image.open(photo).convert("RGB")
        with torch.inference_mode():
            ours = vision.module(vision.prepare(np.asarray(image))[None])
            torch.testing.assert_close(ours, theirs(transform(image)[None]), rtol=1e-4, atol=1e-4)
