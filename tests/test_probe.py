"""What is looked at while a network trains: the maps and gradients are torch's, and looking changes nothing."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import nn

from dlcore.data import images
from dlcore.events import Snapshot, Step
from dlcore.experiments import cnn
from dlcore.figures import gradients
from dlcore.history import History
from dlcore.knobs import build
from dlcore.models import cnn as networks
from dlcore.probe import Probe
from ui.film import MOST, thinned
from ui.training_view import gradient_norms


@pytest.mark.parametrize(("name", "shape"), [("article", (1, 28, 28)), ("fast", (3, 32, 32)), ("mlp", (1, 28, 28))])
def test_maps_and_gradients_are_torch_s(name, shape):
    torch.manual_seed(0)
    model = networks.build(name, shape, dropout=0.5)
    image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    probe = Probe(model, image, "cpu")
    before = probe()["frames"]
    assert all(np.isnan(before[f"gradient/{n}"]) for n, layer in model.named_children() if hasattr(layer, "weight"))
    loss = nn.functional.cross_entropy(model(torch.tensor(image)[None].float()), torch.tensor([1]))
    loss.backward()
    model.train()
    frame = probe()["frames"]
    assert model.training, "left as it was"
    X = torch.tensor(image)[None]
    model.eval()
    with torch.no_grad():
        for child, layer in model.named_children():
            X = layer(X)
            if f"maps/{child}" not in frame:
                continue
            low, high = frame[f"scale/{child}"][0]
            told = low + frame[f"maps/{child}"][0] * ((high - low) / 255)
            output = X[0].numpy()[: len(told)]
            assert np.abs(told - output).max() <= (high - low) / 255 + 1e-6
    for child, layer in model.named_children():
        norms = [float(p.grad.norm()) for p in layer.parameters() if p.grad is not None]
        if norms:
            assert frame[f"gradient/{child}"][0] == pytest.approx(np.hypot.reduce(norms), rel=1e-4)


def test_a_run_s_film_has_its_maps_and_gradients_and_looking_changes_no_step():
    given = {"network": "mlp", "epochs": 2, "train_size": 300, "threads": 1, "precision": "float32"}
    config = build(cnn.Config, {**given, "memory_format": "contiguous", "batch_size": 64})
    events = list(cnn.run(config))
    history = History()
    for event in events:
        history.add(event)
    film = [event for event in events if isinstance(event, Snapshot) and event.name == "frames"]
    assert film[0].arrays["step"] == [0]
    assert history.frames.kept[-1]["step"] == history.total_steps
    norms = gradient_norms(history)
    assert list(norms) == ["dense1", "dense2", "logits"]
    assert all((values > 0).all() for _, values in norms.values())
    probe = history.snapshots["probe"].arrays["image"]
    assert (probe == images.load("digits").X_test[0]).all()
    again = [event.loss for event in cnn.run(config) if isinstance(event, Step)]
    assert again == [event.loss for event in events if isinstance(event, Step)]


def test_a_long_film_is_thinned_to_its_ends():
    frames = {"step": np.arange(300), "maps/conv1": np.zeros((300, 4, 2, 2), np.uint8)}
    shown = thinned(frames)
    assert len(shown["step"]) == len(shown["maps/conv1"]) == MOST
    assert (shown["step"][0], shown["step"][-1]) == (0, 299)
    assert thinned({}) == {}


def test_gradient_figures_show_every_positive_norm():
    norms = {
        "conv1": (np.array([1.0, 2.0]), np.array([1e-6, 3e-6])),
        "logits": (np.array([1.0, 2.0]), np.array([2.0, 30.0])),
    }
    low, high = gradients.reach(np.array([1e-6, 30.0, np.nan, 0.0]))
    assert (low, high) == (pytest.approx(1e-6), pytest.approx(100.0))
    past = cast(Any, gradients.by_step(norms, (0, 10)))
    assert [trace.name for trace in past.data] == ["conv1", "logits"]
    assert past.layout.yaxis.range[0] == pytest.approx(-6)
    now = cast(Any, gradients.by_layer(list(norms), np.array([3e-6, 0.0])))
    assert now.data[0].y[0] == 3e-6
    assert np.isnan(now.data[0].y[1])
    assert gradients.by_layer([], np.array([])).layout
