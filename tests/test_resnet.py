"""The depth lesson: two networks from the same numbers and batches, what is told of their blocks, what they reach."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from dlcore.data.images import load
from dlcore.depth_film import DepthFilm, by_block
from dlcore.depth_training import loss_of
from dlcore.events import Checkpoint, Epoch, Event, Finished, Snapshot, Started, Step, pack, unpack
from dlcore.experiments import resnet
from dlcore.knobs import build, parse
from dlcore.models.stacks import blocks_of, rebuild
from dlcore.models.stacks import build as network
from dlcore.steering import Steering
from dlcore.trained import network as trained

QUICK = {"depth": 4, "width": 8, "epochs": 2, "train_size": 200, "batch_size": 64, "threads": 1}
REAL = {"network": "resnet20", "precision": "float32", "memory_format": "channels_last"}
BOTH = ("plain", "residual")


@pytest.fixture(autouse=True)
def _as_before():
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def quick(**given) -> resnet.Config:
    return build(resnet.Config, {**QUICK, **given})


def ran(config: resnet.Config, **how) -> list[Event]:
    return list(resnet.run(config, **how))


def column(events: list[Event], name: str) -> list[float]:
    return [e.values[name] for e in events if isinstance(e, Step)]


def metrics(events: list[Event]) -> dict:
    assert isinstance(events[-1], Finished)
    return events[-1].metrics


def frames(events: list[Event]) -> list[dict[str, np.ndarray]]:
    return [e.arrays for e in events if isinstance(e, Snapshot) and e.name == "frames"]


def final(events: list[Event]) -> dict:
    return next(e for e in events if isinstance(e, Checkpoint) and e.final).state


class Pausing(Steering):
    """Asks for a checkpoint before step ``at`` + 1."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.at = at

    def due(self, step):
        if step == self.at:
            self.ask_checkpoint()
        return super().due(step)


# what is trained


@pytest.mark.parametrize("given", [{}, {"blocks": "conv", "norm": "batch"}, {"norm": "layer", "order": "pre"}], ids=str)
def test_each_learns_what_it_would_alone_from_the_same_batches(given):
    both = ran(quick(**given))
    for residual, name in ((True, "residual"), (False, "plain")):
        alone = ran(quick(**given, residual=residual, twin=False))
        assert column(alone, f"loss/{name}") == column(both, f"loss/{name}")
        for kind in ("train_accuracy", "test_loss", "gradient_ratio"):
            assert metrics(alone)[kind] == metrics(alone)[f"{kind}/{name}"] == metrics(both)[f"{kind}/{name}"]
    assert column(both, "loss/plain")[0] != column(both, "loss/residual")[0]


def test_numbers_without_a_name_are_those_of_the_network_asked_for():
    for residual, name in ((True, "residual"), (False, "plain")):
        events = ran(quick(residual=residual))
        found = metrics(events)
        for kind in ("train_accuracy", "test_accuracy", "train_loss", "test_loss", "gradient_ratio"):
            assert found[kind] == found[f"{kind}/{name}"]
        assert column(events, "accuracy") == column(events, f"accuracy/{name}")
        assert found["gradient_ratio/plain"] != found["gradient_ratio/residual"]


def test_the_start_says_what_is_trained():
    events = ran(quick(blocks="conv", depth=6, residual=False))
    start = events[0]
    assert isinstance(start, Started)
    assert start.info["networks"] == list(BOTH)
    assert start.info["blocks"] == ["layer1.0", "layer1.1", "layer1.2"]
    params = start.info["params_by_network"]
    assert params["plain"] == params["residual"] == start.info["params"] == metrics(events)["params"]
    assert start.config == asdict(resnet.resolve(quick(blocks="conv", depth=6, residual=False)))


def test_training_accuracy_is_that_of_the_network_at_rest_on_images_as_they_are():
    events = ran(quick(norm="batch", shift=3.0, drop_path=0.3))
    data = load("digits", train_size=200)
    X, y = torch.tensor(data.X_train), torch.tensor(data.y_train)
    for name, model in rebuild(final(events)).items():
        with torch.no_grad():
            share = (model(X).argmax(1) == y).float().mean().item()
        assert metrics(events)[f"train_accuracy/{name}"] == pytest.approx(share, abs=1e-6)
    told = [e.metrics for e in events if isinstance(e, Epoch)]
    assert len(told) == 3  # before the first step, too
    assert all({"train_accuracy", "train_accuracy/plain", "test_accuracy/residual"} <= set(one) for one in told)


def test_resumed_run_is_the_same_bit_for_bit():
    """With all that draws: branches left out, images mirrored and moved; and with running statistics."""
    config = quick(drop_path=0.4, flip=0.5, shift=2.0, norm="batch", blocks="conv")
    whole, saved = ran(config), None
    for event in resnet.run(config, steering=Pausing(3)):
        if isinstance(event, Checkpoint) and event.step == 3:
            saved = unpack(pack(event.state))
            break
    assert saved
    torch.manual_seed(99)
    rest = ran(config, resume=saved)
    for name in BOTH:
        assert column(rest, f"loss/{name}") == column(whole, f"loss/{name}")[3:]
    ours, theirs = final(rest)["model"], final(whole)["model"]
    assert all(np.array_equal(ours[name], theirs[name]) for name in theirs)
    assert metrics(rest)["gradient_ratio"] == metrics(whole)["gradient_ratio"]


def test_one_that_diverges_does_not_stop_the_other():
    models = {name: network("stack", (1, 8, 8), 4, depth=1, width=4) for name in BOTH}
    film = DepthFilm(models, torch.zeros(2, 1, 8, 8), torch.zeros(2, dtype=torch.int64))
    told: dict[str, torch.Tensor] = {}
    loss = loss_of(quick(), film, told)
    outputs, y = torch.zeros(3, 2, 4, requires_grad=True), torch.zeros(3, dtype=torch.int64)
    for spoiled in (math.nan, math.inf, -1e6):
        outputs.grad = None
        one = outputs + torch.tensor([[spoiled, 0, 0, 0], [0, 0, 0, 0]])
        loss(one, y).backward()
        assert outputs.grad is not None
        torch.testing.assert_close(outputs.grad[:, 1, 0], torch.full((3,), (1 / 4 - 1) / 3))
        assert told["loss/residual"].item() == pytest.approx(math.log(4))
    assert loss(outputs * math.nan, y).isnan()


def test_a_run_in_which_one_diverges_goes_on():
    """Without normalisation a deep residual network explodes at a rate at which the plain one sleeps."""
    events = ran(quick(depth=30, optimizer="sgd", learning_rate=1.0, init="he", epochs=3, schedule="constant"))
    found = metrics(events)
    assert math.isfinite(found["train_loss/plain"])
    assert not found["train_loss/residual"] < 1e3
    assert found["test_accuracy/residual"] <= 0.2 or math.isnan(found["test_accuracy/residual"])


# what is told of the blocks


def test_gradients_and_activations_of_blocks_are_torchs():
    torch.manual_seed(4)
    model: Any = network("stack", (1, 8, 8), 10, depth=5, width=8, norm="none", start="default")
    X, y = torch.randint(0, 256, (7, 1, 8, 8)), torch.arange(7)
    loss, found = by_block(model, X, y)
    body, outputs = model.network, []
    hidden = F.relu(body.stem(model.standardize(X).flatten(1)))
    for made in body.stack:
        hidden = F.relu(hidden + made.fc(hidden))
        hidden.retain_grad()
        outputs.append(hidden)
    expected = F.cross_entropy(body.fc(hidden), y)
    expected.backward()
    torch.testing.assert_close(loss, expected.detach())
    for place, (output, made) in enumerate(zip(outputs, body.stack, strict=True)):
        torch.testing.assert_close(found["gradient"][place], output.grad.norm())
        torch.testing.assert_close(found["weights"][place], made.fc.weight.grad.norm())
        variance = ((output - output.mean(0)) ** 2).sum(0) / 6
        torch.testing.assert_close(found["activation"][place], variance.mean())


def test_a_look_changes_nothing_and_draws_nothing():
    torch.manual_seed(4)
    model = network("stack", (1, 8, 8), 10, blocks="conv", depth=6, width=8, norm="batch", drop_path=0.5)
    X, y = torch.randint(0, 256, (7, 1, 8, 8)), torch.arange(7)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    generator, first = torch.get_rng_state(), by_block(model, X, y)[1]
    again = by_block(model, X, y)[1]
    assert torch.equal(torch.get_rng_state(), generator)
    assert model.training
    assert all(module.training for module in model.modules())
    assert all(parameter.grad is None for parameter in model.parameters())
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]), name
    for kind in first:
        assert torch.equal(first[kind], again[kind])
        assert (first[kind] > 0).all()  # no block was dropped
    with torch.no_grad():
        model.eval()
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d) and module.running_mean is not None:
                module.running_mean += 100
    shifted = by_block(model, X, y)[1]
    assert torch.equal(shifted["gradient"], first["gradient"])  # the images' own mean counts, as in training
    assert not any(module.training for module in model.modules())


def test_a_block_that_was_removed_learns_nothing():
    model = network("stack", (1, 8, 8), 10, depth=3, width=8)
    blocks_of(model)[1][1].removed = True
    _, found = by_block(model, torch.randint(0, 256, (7, 1, 8, 8)), torch.arange(7))
    assert found["weights"][1] == 0
    assert found["weights"][0] > 0
    assert (found["gradient"] > 0).all()


def test_film_begins_before_the_first_step():
    events = ran(quick(depth=5))
    told = frames(events)
    assert told[0]["step"].tolist() == [0]
    assert told[-1]["step"].tolist() == [8]
    for frame in told:
        for name in BOTH:
            for kind in ("gradient", "weights", "activation"):
                assert frame[f"{kind}/{name}"].shape == (1, 5)
    first = told[0]["weights/plain"][0]
    assert metrics(events)["gradient_ratio/plain"] == pytest.approx(first[0] / first[-1])


# several depths


def test_depths_rise_by_the_same_factor():
    assert resnet.depths_of(quick(depth=32, depths=5)) == [2, 4, 8, 16, 32]
    assert resnet.depths_of(quick(depth=110, depths=1)) == [110]
    assert resnet.depths_of(quick(depth=2, depths=4)) == [2]
    assert resnet.depths_of(quick(depth=4, depths=8)) == [2, 3, 4]


def test_a_sweep_is_its_depths_one_after_the_other():
    events = ran(quick(depth=8, depths=3, epochs=1))
    found = metrics(events)["by_depth"]
    assert found["depth"] == [2, 4, 8]
    for place, depth in enumerate(found["depth"]):
        alone = metrics(ran(quick(depth=depth, epochs=1)))
        for name in BOTH:
            assert found[f"train_accuracy/{name}"][place] == alone[f"train_accuracy/{name}"]
            assert found[f"gradient_ratio/{name}"][place] == alone[f"gradient_ratio/{name}"]
    assert [e.step for e in events if isinstance(e, Step)] == list(range(1, 13))
    assert {frame["gradient/plain"].shape for frame in frames(events)} == {(1, 8)}  # of the deepest: one shape
    parts = [e.arrays["depth"].tolist() for e in events if isinstance(e, Snapshot) and e.name == "by_depth"]
    assert parts == [[2], [2, 4], [2, 4, 8]]


def test_a_sweep_is_resumed_within_a_depth_bit_for_bit():
    config = quick(depth=6, depths=2, epochs=1)
    whole, saved = ran(config), None
    for event in resnet.run(config, steering=Pausing(6)):
        if isinstance(event, Checkpoint) and event.step == 6:
            saved = unpack(pack(event.state))
            break
    assert saved
    rest = ran(config, resume=saved)
    assert [e.step for e in rest if isinstance(e, Step)] == [7, 8]
    assert column(rest, "loss/plain") == column(whole, "loss/plain")[6:]
    assert metrics(rest)["by_depth"] == metrics(whole)["by_depth"]


# the trained networks again


def test_a_checkpoint_says_how_to_build_its_networks(tmp_path):
    events = ran(quick(blocks="conv", norm="batch", shortcut="projection", residual=False))
    state = unpack(pack(final(events)))
    told = next(e.arrays for e in events if isinstance(e, Snapshot) and e.name == "test_predictions")
    models, X = rebuild(state), torch.tensor(load("digits").X_test)
    assert list(models) == list(BOTH)
    np.testing.assert_allclose(models["plain"](X).softmax(1).detach(), told["probabilities"], atol=1e-5)
    path = tmp_path / "checkpoint.bin"
    path.write_bytes(pack(state))
    asked = trained(str(path))
    assert torch.equal(asked.model(X[:5]), models["plain"](X[:5]))
    assert (asked.shape, len(asked.classes)) == ((1, 28, 28), 10)


# what it teaches, in short; in full by benchmarks/depth.py


def test_twenty_plain_layers_do_not_learn_what_twenty_residual_ones_do():
    """TEACHING: training accuracy at most 0.3 against at least 0.95; the first layer gets a millionth of the last's."""
    found = metrics(ran(parse(resnet.Config, {"depth": "20", "epochs": "6", "threads": "1"})))
    assert found["train_accuracy/plain"] <= 0.3
    assert found["train_accuracy/residual"] >= 0.8  # 0.95 and more after the whole run
    assert found["gradient_ratio/plain"] < 1e-5
    assert 0.1 < found["gradient_ratio/residual"] < 2


def test_the_command_of_the_issue_is_a_config():
    given = {"dataset": "digits", "blocks": "dense", "depth": "20", "residual": "false"}
    config = parse(resnet.Config, given)
    assert (config.network, config.twin, config.norm, config.init) == ("stack", True, "none", "default")
    real = parse(resnet.Config, {"network": "resnet20", "dataset": "cifar10"})
    assert (real.twin, real.norm, real.init, real.flip, real.shift) == (False, "batch", "he", 0.5, 4.0)
    assert parse(resnet.Config, {"network": "resnet18"}).shortcut == "projection"
    assert parse(resnet.Config, {"network": "resnet20", "norm": "none"}).norm == "none"


def test_a_network_of_the_paper_learns_digits():
    config = resnet.resolve(quick(**REAL, train_size=64, batch_size=32, seed=1))
    task, plan = resnet.prepare(config, load("digits", train_size=64))
    losses, indices = [], torch.arange(10)
    for group in task.optimizer.param_groups:
        group["lr"] = 0.05
    for _ in range(12):
        X, y = task.batch(indices)
        loss = task.loss(task.model(X), y)
        task.optimizer.zero_grad()
        loss.backward()
        task.optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
    assert plan.total_steps == 4
    assert list(task.parts) == ["residual"]
    assert sum(p.numel() for p in task.parts["residual"].parameters()) == 269_434  # 0.27 M; one channel, not three
    assert task.look is not None
    assert task.look()["frames"]["gradient/residual"].shape == (1, 9)
