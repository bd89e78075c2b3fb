"""The backbone that comes with the lessons: small, complete, and as good as its file says."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from dlcore.data.images import load
from dlcore.device import reproducible
from dlcore.models import backbone, train_backbone
from dlcore.models.weights import FOLDER

FILE = FOLDER / f"{backbone.NAME}.safetensors"


@pytest.fixture(scope="module")
def shipped():
    return backbone.shipped()


def test_it_is_small_and_complete(shipped) -> None:
    model, about = shipped
    assert FILE.stat().st_size < 6e6
    assert len(about["classes"]) == 10
    assert not model.training
    X = torch.randint(0, 256, (3, *backbone.SHAPE), dtype=torch.uint8)
    with torch.no_grad():
        found = backbone.features(model, X)
        assert found.shape == (3, 256)
        torch.testing.assert_close(model[-1](found), model(X))


@pytest.mark.data
def test_it_gets_as_many_right_as_its_file_says(shipped) -> None:
    """On 800 of the 10,000 test images; the bound is three standard errors of such a share."""
    model, about = shipped
    data = load("cifar10")
    X, y = data.X_test[:800], data.y_test[:800]
    with torch.no_grad():
        answers = np.concatenate([model(torch.tensor(part)).argmax(1).numpy() for part in np.split(X, 8)])
    told = about["test_accuracy"]
    assert told > 0.8
    assert (answers == y).mean() > told - 3 * np.sqrt(told * (1 - told) / len(y))


def test_pictures_are_moved_by_whole_pixels() -> None:
    """What lies inside is the picture itself, moved; a picture that is not to move stays as it is."""
    X = torch.arange(2 * 3 * 8 * 8, dtype=torch.float32).view(2, 3, 8, 8)
    assert torch.equal(train_backbone.shifted(X, 0), X)
    torch.manual_seed(0)
    moved = train_backbone.shifted(X, 2)
    for one, original in zip(moved, X, strict=True):
        assert any(
            torch.equal(one[:, 2:6, 2:6], original[:, 2 + down : 6 + down, 2 + right : 6 + right])
            for down in range(-2, 3)
            for right in range(-2, 3)
        )


def test_its_training_goes_on_where_it_was_interrupted(tmp_path) -> None:
    """The command's own loop, on noise in the place of photographs and a small network."""
    from dlcore.data.images import image_data
    from dlcore.experiments.cnn import Config
    from dlcore.knobs import build

    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 256, (40, 3, 32, 32), dtype=np.uint8), np.arange(40) % 10
    data = image_data("cifar10", (X, y, X, y), tuple("abcdefghij"), "noise")
    layers = "conv 4 3 stride 4; norm; relu; average; dense"
    given = {**train_backbone.SETTINGS, "layers": layers, "batch_size": 20, "precision": "float32", "threads": 1}
    config = build(Config, given)
    before = torch.get_num_threads()
    whole, _about = train_backbone.train(config, data, tmp_path / "whole.state")
    saved = (tmp_path / "whole.state").read_bytes()
    (tmp_path / "again.state").write_bytes(saved)
    again, about = train_backbone.train(config, data, tmp_path / "again.state")  # nothing is left to do
    reproducible(0, threads=before)
    for name, weights in whole.state_dict().items():
        assert torch.equal(weights, again.state_dict()[name]), name
    assert about["layers"] == layers
