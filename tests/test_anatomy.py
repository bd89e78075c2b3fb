"""Looking into a network: layers, receptive fields, strongest images and wanted images are what torch says they are."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from dlcore import anatomy, units
from dlcore.cnn_story import across, of_one_class
from dlcore.data.images import ImageData
from dlcore.models import cnn as networks
from dlcore.texts import Problem
from dlcore.trained import _shipped, network
from tests.untrained import write

SHAPES = [
    ("article", (1, 28, 28), 10), ("fast", (3, 32, 32), 4), ("mlp", (1, 28, 28), 8), ("article", (3, 32, 32), 2),
    ("small", (1, 28, 28), 8),
]  # fmt: skip


pytestmark = pytest.mark.usefixtures("one_thread")  # as the worker that answers: one image is too little work for two


def random_images(count: int, shape: tuple[int, int, int], classes: int) -> ImageData:
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 256, (count, *shape), np.uint8), rng.integers(0, classes, count)
    return ImageData("random", X, y, X[:9], y[:9], tuple(str(k) for k in range(classes)), "", "")


@pytest.mark.parametrize(("name", "shape", "classes"), SHAPES)
def test_layers_are_what_torch_s_hooks_see(tmp_path, name, shape, classes):
    path = write(tmp_path / "checkpoint.bin", name, shape=shape, classes=classes)
    image = random_images(1, shape, classes).X_train[0]
    found = anatomy.anatomy(image, path)
    model, seen = network(path).model, {}
    for child, layer in model.named_children():

        def note(_layer: nn.Module, _given: Any, out: torch.Tensor, child: str = child) -> None:
            seen[child] = out[0].detach().numpy()

        layer.register_forward_hook(note)
    model(torch.tensor(image)[None])
    assert [layer["name"] for layer in found["layers"]] == list(seen)
    for layer in found["layers"]:
        output, span = seen[layer["name"]], layer["high"] - layer["low"]
        assert layer["shape"] == list(output.shape)
        told = layer["low"] + layer["values"].astype(float) * span / 65535
        assert np.abs(told - output[: len(told)]).max() <= span / 65535 + 1e-5
    assert sum(layer["params"] for layer in found["layers"]) == networks.parameter_count(model)
    logits = torch.tensor(seen["logits"]).double()
    assert np.allclose(found["softmax"]["shares"], logits.softmax(0), atol=1e-6)
    assert np.allclose(found["softmax"]["exp"] / found["softmax"]["sum"], logits.softmax(0), atol=1e-6)


def all_pass(model: nn.Sequential) -> nn.Sequential:
    """The same windows, but nothing that a gradient cannot pass: means instead of maxima, and no relu."""
    parts = []
    for name, layer in model.named_children():
        if isinstance(layer, nn.MaxPool2d):
            layer = nn.AvgPool2d(layer.kernel_size, layer.stride, layer.padding)
        elif isinstance(layer, nn.AdaptiveMaxPool2d):
            layer = nn.AdaptiveAvgPool2d(layer.output_size)
        elif anatomy.kind_of(layer) == "globalpool":
            layer = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        parts.append((name, nn.Identity() if isinstance(layer, nn.ReLU) else layer))
    return nn.Sequential(OrderedDict(parts))


PADDED = nn.Sequential(
    OrderedDict(
        conv1=nn.Conv2d(2, 3, 5, stride=2, padding=2),
        pool1=nn.MaxPool2d(3, 2, padding=1),
        conv2=nn.Conv2d(3, 2, 3, padding=1),
        pool2=nn.AdaptiveMaxPool2d(1),
    )
)


@pytest.mark.parametrize("name", ["article", "fast", "mlp", "padded", "small", "norm", "wide"])
def test_a_receptive_field_is_where_the_input_gradient_is_not_zero(name):
    torch.manual_seed(0)
    model = PADDED if name == "padded" else networks.build(name).eval()
    shape = (2, 28, 28) if name == "padded" else (1, 28, 28)
    seen, smooth = anatomy.fields(model, shape), all_pass(model)
    rng = np.random.default_rng(0)
    X = torch.rand(1, *shape, requires_grad=True)
    out = X
    for child, layer in smooth.named_children():
        out = layer(out)
        if child == "flatten":
            continue  # a number of it is still one place of a map
        for _ in range(4):
            place = tuple(int(rng.integers(side)) for side in out.shape[2:]) or (0, 0)
            at = (0, 0, *place) if out.ndim == 4 else (0, 0)
            (slope,) = torch.autograd.grad(out[at], X, retain_graph=True)
            rows, columns = np.nonzero(np.abs(slope[0].numpy()).sum(0))
            wanted = (rows.min(), columns.min(), rows.max() + 1, columns.max() + 1)
            told = anatomy.box(seen[child], (place[0], place[1]), shape)
            rim = told[0] == 0 or told[1] == 0 or told[2] == 28 or told[3] == 28
            if rim and name in ("padded", "small", "norm", "wide"):
                assert told[:2] <= wanted[:2]
                assert told[2:] >= wanted[2:]  # at a padded rim it may see less
            else:
                assert told == wanted, child


def test_where_pixels_are_shuffled_a_window_may_see_any_of_them():
    seen = anatomy.fields(networks.build("article", shuffled=True), (1, 28, 28))
    assert anatomy.box(seen["standardize"], (3, 4), (1, 28, 28)) == (3, 4, 4, 5)
    for name in ("shuffle", "conv1", "pool2", "logits"):
        assert anatomy.box(seen[name], (3, 4), (1, 28, 28)) == (0, 0, 28, 28)
        assert seen[name][0].jump == 0, "so no unit has a place of its own"


def test_the_rim_of_the_article_s_images_is_seen_by_nothing_deep():
    seen = anatomy.fields(networks.build("article"), (1, 28, 28))
    assert [seen[name][0].size for name in ("conv1", "pool1", "conv2", "pool2", "conv3")] == [3, 4, 8, 10, 18]
    assert anatomy.box(seen["logits"], (0, 0), (1, 28, 28)) == (0, 0, 26, 26)


@pytest.mark.parametrize(("name", "shape", "classes"), SHAPES[:3])
def test_the_strongest_images_are_those_of_a_search_by_hand(tmp_path, monkeypatch, name, shape, classes):
    data = random_images(40, shape, classes)
    monkeypatch.setattr(units, "load", lambda _name, train_size=None: data)
    monkeypatch.setattr(units, "AT_ONCE", 16)
    path = write(tmp_path / "checkpoint.bin", name, shape=shape, classes=classes)
    model = network(path).model
    layers = [n for n, _ in model.named_children() if n[:4] in ("conv", "relu", "pool", "dens", "logi")]
    for layer in layers:
        found = units.strongest_of(network(path), layer, 1, path, "random", 0)
        with torch.no_grad():
            out = model[: list(dict(model.named_children())).index(layer) + 1](torch.tensor(data.X_train)).numpy()
        most = out[:, 1].reshape(len(out), -1).max(1)
        assert np.allclose(found["values"], np.sort(most)[::-1][:9], atol=1e-5)
        assert np.allclose(most[found["numbers"]], found["values"], atol=1e-5)
        assert (found["images"] == data.X_train[found["numbers"]]).all()
        assert (found["labels"] == data.y_train[found["numbers"]]).all()
        field = anatomy.fields(model, shape)[layer]
        for number, box, value in zip(found["numbers"], found["boxes"], found["values"], strict=True):
            if field[0].jump == 0:
                assert box.tolist() == list(anatomy.box(field, (0, 0), shape))
            elif value > 0:
                row, column = np.argwhere(np.isclose(out[number, 1], value, atol=1e-6))[0]
                assert box.tolist() == list(anatomy.box(field, (int(row), int(column)), shape))


def test_weights_are_the_unit_s_own(tmp_path):
    path = write(tmp_path / "checkpoint.bin", "article")
    trained = network(path)
    model = trained.model
    for layer, source in {"conv2": "conv2", "relu2": "conv2", "pool2": "conv2", "conv3": "conv3"}.items():
        weights = units.weights_of(trained, layer, 7)
        assert weights is not None
        assert weights["layer"] == source
        assert (weights["kernels"] == model.get_submodule(source).get_parameter("weight")[7].detach().numpy()).all()
    dense = units.weights_of(trained, "relu4", 3)
    assert dense is not None
    assert dense["kernels"].shape == (64, 3, 3)
    assert (dense["kernels"].ravel() == model.get_submodule("dense1").get_parameter("weight")[3].detach().numpy()).all()
    assert units.weights_of(trained, "standardize", 0) is None
    pixels = units.weights_of(network(write(tmp_path / "dense.bin", "mlp")), "dense1", 0)
    assert pixels is not None
    assert pixels["kernels"].shape == (1, 28, 28), "a dense layer's weights as a picture"


def test_the_wanted_image_is_wanted_more_than_any_real_one_and_the_same_by_seed():
    """The shipped network, a unit of each kind of layer."""
    for layer in ("conv1", "relu2", "dense1", "logits"):
        opened = units.unit(layer, 5)
        wanted = opened["wanted"]
        assert wanted["values"][-1] > wanted["values"][0]
        assert wanted["values"][-1] > opened["strongest"]["values"][0]
        again = units.unit(layer, 5)["wanted"]
        assert (again["frames"] == wanted["frames"]).all()
        other = units.unit(layer, 5, seed=1)["wanted"]
        assert (other["frames"][0] != wanted["frames"][0]).any()
        top, left, bottom, right = wanted["box"]
        assert wanted["frames"].shape[1:] == (1, bottom - top, right - left)


def test_the_value_of_a_wanted_image_is_the_network_s_own():
    wanted = units.unit("logits", 3)["wanted"]
    with torch.no_grad():
        logits = network(None).model(torch.tensor(wanted["frames"][-1])[None])
    assert wanted["values"][-1] == pytest.approx(float(logits[0, 3]), abs=1e-4)


def test_a_unit_that_is_not_there_is_told():
    with pytest.raises(Problem, match="no unit 99"):
        units.unit("conv1", 99)
    with pytest.raises(Problem, match="no unit 0"):
        units.unit("conv9", 0)


def test_what_was_not_learned_from_such_images_is_told(tmp_path):
    path = write(tmp_path / "checkpoint.bin", "fast", shape=(3, 32, 32))
    with pytest.raises(Problem, match="1 × 28 × 28"):
        units.unit("conv1", 0, path, dataset="digits")


def test_the_shipped_network_has_a_specialist_for_the_challenge():
    """Map 11 of its second convolution answers most to nine fours, none of the first convolution to one class."""
    found = units.unit("conv2", 11)
    assert of_one_class(found)
    assert across(found) == 9
    assert set(found["strongest"]["labels"]) == {4}
    first = [units.strongest_of(network(None), "conv1", k, None, "digits", 0) for k in range(16)]
    assert not any(of_one_class({**found, "strongest": one}) for one in first)
    assert not of_one_class(units.unit("logits", 4)), "the scores are made for that"


def test_the_shipped_network_can_be_asked_for_gradients_whoever_asked_first():
    _shipped.cache_clear()
    with torch.inference_mode():
        model = network(None).model
    assert not any(parameter.is_inference() for parameter in model.parameters())
