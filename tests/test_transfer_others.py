"""Transfer on other pictures and other networks: own classes, MobileNetV2 in blocks, ants and bees."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from dlcore import transfer_stages
from dlcore.data import album as albums
from dlcore.data import few_shot
from dlcore.events import Started
from dlcore.experiments import transfer
from dlcore.knobs import build
from dlcore.models import mobilenet
from dlcore.models.transferred import Base, begin, seat
from dlcore.texts import Problem
from dlcore.transfer_methods import SHAPES, Method, blocks_for, methods_of
from dlcore.transfer_methods import trained_parameters as counted
from dlcore.vision.networks import available
from tests.borrowed import two_colours
from tests.test_transfer import metrics, quick, run_stage

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def album(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("DLCORE_STATE", str(tmp_path))
    return albums.keep(two_colours(6))


def test_a_run_on_own_classes_uses_all_there_are_and_none_that_are_held_out(album: str) -> None:
    """Two colours, five of six pictures of each to learn from, examined on the sixth."""
    assert transfer.resolve(quick(dataset="album", data_hash=album, images=50)).images == 5
    short = replace(quick(dataset="album", data_hash=album, images=3, seeds=1), steps=2)
    events = list(transfer.run(short))
    assert isinstance(events[0], Started)
    assert events[0].info["classes"] == ["red", "blue"]
    assert events[0].info["tested"] == 2
    assert metrics(events)["by_images"]["images"] == [2, 3]
    names, _y, test = albums.load(album).samples()
    new = few_shot.new_classes("album", 32, album)
    held = next(albums.read_pictures([names[int(np.flatnonzero(test)[0])]], 32)).transpose(2, 0, 1)
    assert np.array_equal(new.X_test[0], held)
    assert not any(np.array_equal(held, one) for one in new.learn(new.most, 0)[0])


def test_own_classes_are_learned_on_frozen_features(album: str) -> None:
    config = transfer.resolve(quick(dataset="album", data_hash=album, steps=40))
    frozen = methods_of(config)[1]
    _task, left = run_stage(config, transfer_stages.few_stage(config, transfer_stages.news(config), [frozen], 5), [])
    assert left["accuracy"].mean() == 1.0


def test_few_or_no_own_pictures_are_told(album: str) -> None:
    with pytest.raises(Problem, match="at least three"):
        transfer.resolve(quick(dataset="album", data_hash=albums.keep(two_colours(2))))
    with pytest.raises(Problem):
        transfer.resolve(quick(dataset="album"))


@pytest.fixture(scope="module")
def imagenet() -> Base:
    """MobileNetV2 with random weights in the place of ImageNet's."""
    torch.manual_seed(0)
    return Base(mobilenet.build(5).eval(), {}, mobilenet.build)


def test_mobilenet_in_blocks_is_torchvisions(imagenet: Base) -> None:
    from torchvision.models import mobilenet_v2

    torch.manual_seed(1)
    known = mobilenet_v2(weights=None, num_classes=5).eval()
    X = torch.randint(0, 256, (2, 3, 64, 64)).float()
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in (mobilenet.MEAN, mobilenet.STD))
    with torch.no_grad():
        torch.testing.assert_close(mobilenet.in_blocks(known)(X), known((X / 255 - mean) / std), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("method", [Method("x", "fffffff"), Method("x", "ffffftt"), Method("x", "fffffff", rank=2)])
def test_mobilenets_counter_counts_what_torch_counts(imagenet: Base, method: Method) -> None:
    model = begin(imagenet, method, 3, seed=0)
    blocks = blocks_for("mobilenet_v2", 3)
    assert counted(method, blocks) == sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert sum(row.params for block in blocks for row in block) == sum(
        p.numel() for p in mobilenet.build(3).parameters()
    )
    X = torch.rand(1, *SHAPES["mobilenet_v2"]) * 255
    with torch.no_grad():
        shapes = [imagenet.model[: k + 2](X).shape[1:] for k in range(7)]
    assert shapes == [block[-1].shape for block in blocks[:-1]]


def test_frozen_blocks_of_mobilenet_keep_their_weights_and_statistics(imagenet: Base) -> None:
    X, y = torch.randint(0, 256, (4, 3, 96, 96), dtype=torch.uint8), torch.arange(4) % 2
    for method in (Method("own", "ffffftf"), Method("lora", "fffffff", rank=1)):
        one = seat(imagenet, method, X, y, 2, seed=0).train()
        rows = torch.arange(4)
        optimizer = torch.optim.SGD([p for p in one.parameters() if p.requires_grad], lr=0.1)
        for _step in range(2):  # LoRA's A has no gradient before B has moved
            optimizer.zero_grad()
            one.loss(one(rows), rows).backward()
            optimizer.step()
        state, known = one.rest.state_dict(), imagenet.model.state_dict()
        for name, value in state.items():
            plain = name.replace(".layer.", ".")
            if plain in known and not name.startswith(("logits", "conv6")):
                assert torch.equal(value, known[plain]), name
        if method.rank:
            assert any(bool(value.any()) for name, value in state.items() if name.endswith(".B"))


def test_mobilenet_that_is_trained_on_begins_as_it_answers(imagenet: Base) -> None:
    """In training, too: the pictures of a step do not move what a norm takes for usual; in new blocks they do."""
    X, y = torch.randint(0, 256, (4, 3, 96, 96), dtype=torch.uint8), torch.arange(4) % 2
    rows = torch.arange(4)
    for blocks, same in (("ttttttt", True), ("ffffttt", True), ("ffffffn", False)):
        one = seat(imagenet, Method("own", blocks), X, y, 2, seed=0)
        before = {name: value.clone() for name, value in one.named_buffers() if "running" in name}
        with torch.no_grad():
            asked, learning = one.eval()(rows), one.train()(rows)
        assert torch.allclose(asked, learning, atol=1e-5) == same
        assert all(torch.equal(value, before[name]) for name, value in one.named_buffers() if name in before) == same


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize(("base", "most"), [("backbone", 2), ("mobilenet_v2", 5)])
def test_ants_and_bees_end_to_end(base: str, most: int) -> None:
    """As the page's cards ask for them, with fewer pictures and one thread: frozen ImageNet features win by far."""
    if few_shot.insects_folder() is None or base not in (*available(), "backbone"):
        pytest.skip("needs hymenoptera_data below DLCORE_DATA, and MobileNetV2 under TORCH_HOME")
    given = {"dataset": "insects", "base": base, "seeds": 1, "images": most, "threads": 1, "device": "cpu"}
    told = metrics(list(transfer.run(build(transfer.Config, given))))["by_images"]
    assert told["images"][-1] == most
    frozen, scratch = told["frozen"][-1], told["scratch"][-1]
    if base == "mobilenet_v2":
        assert frozen >= 0.65
        assert frozen - scratch >= 0.1
    else:
        assert 0.4 <= frozen <= 0.8  # 32 × 32 pixels, two pictures of each: hard


# what the lesson teaches
