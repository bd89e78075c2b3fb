"""What makes the image lessons fast: the set on the device as one tensor, steps that wait for nothing, large batches.

Speed itself is measured by benchmarks/throughput.py; here stands what does not depend on the machine.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torchvision.transforms import v2

from dlcore import device, training
from dlcore.augmentation import augment, mirrored
from dlcore.augmentation_settings import Strengths
from dlcore.data.images import ImageData
from dlcore.events import Step
from dlcore.experiments import augmentation, cnn
from dlcore.image_training import infer, prepare, resolve_on
from dlcore.knobs import build
from dlcore.training import fit, stepper

PLAIN = {"memory_format": "channels_last", "precision": "float32", "device": "cpu", "epochs": 1}
CHANGES = {
    "moved": {"shift": 3.0, "rotate": 15.0, "flip": 0.5, "scale": 0.2, "shear": 5.0, "crop": 0.2},
    "coloured": {"brightness": 0.2, "contrast": 0.2, "saturation": 0.2, "hue": 0.1, "noise": 0.1, "erase": 0.2},
    "mixup": {"mix": "mixup"},
    "cutmix": {"mix": "cutmix"},
}
READS = ("_local_scalar_dense", "nonzero", "masked_select")  # what would make a GPU's program wait for its numbers


def pictures(count: int, shape: tuple[int, ...] = (3, 12, 12), tests: int = 10) -> ImageData:
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 256, (count, *shape), np.uint8), rng.integers(0, 10, count)
    return ImageData("random", X, y, X[:tests], y[:tests], tuple("0123456789"), "0" * 16, "")


def posed(data: ImageData, changes: dict, **settings):
    """A small network's task and plan: of the CNN lesson, or of the augmentation lesson where there are changes."""
    lesson = augmentation if changes else cnn
    layers = "conv 4 3; norm; relu; pool 2; flatten; dense"
    config = build(lesson.Config, {**PLAIN, "network": "own", "layers": layers, **changes, **settings})
    return augmentation.prepare(config, data) if isinstance(config, augmentation.Config) else prepare(config, data)


class Watched(TorchDispatchMode):
    """Counts the operations by name."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.counts[func.overloadpacket.__name__] += 1
        return func(*args, **(kwargs or {}))


def counted(name: str, asked: Counter[str]) -> Callable:
    """The method of that name, which counts its calls."""
    original = getattr(torch.Tensor, name)

    def method(tensor, *more, **others):
        asked[name] += 1
        return original(tensor, *more, **others)

    return method


@pytest.fixture
def read_out(monkeypatch):
    """How often a tensor's numbers were asked for by a method; ``Watched`` sees the other ways."""
    asked: Counter[str] = Counter()
    for name in ("cpu", "numpy", "tolist"):
        monkeypatch.setattr(torch.Tensor, name, counted(name, asked))
    return asked


@pytest.mark.parametrize("changes", [{}, *CHANGES.values()], ids=["plain", *CHANGES])
def test_a_step_reads_no_number_of_a_tensor(changes, read_out):
    step = stepper(*posed(pictures(64), changes, batch_size=16))
    with Watched() as watched:
        for _ in range(3):
            step()
    assert sum(watched.counts[name] for name in READS) == 0
    assert not read_out
    assert watched.counts["convolution_backward"] == 3, "the steps were real ones"


def test_the_watch_sees_what_it_watches_for(read_out):
    with Watched() as watched:
        float(torch.ones(()))
        bool(torch.ones(()))
        torch.ones(3)[torch.ones(3) > 0]
        torch.ones(3).tolist()
    assert watched.counts["_local_scalar_dense"] == 2
    assert watched.counts["nonzero"] or watched.counts["index"]
    assert read_out["tolist"] == 1


def test_losses_are_read_many_at_once(monkeypatch, read_out):
    """Between two evaluations the numbers are read once, however many steps there were."""
    monkeypatch.setattr(training, "TELL_SECONDS", math.inf)
    reads = {}
    for count in (32, 160):
        task, plan = posed(pictures(count), {}, batch_size=16)
        read_out.clear()
        with Watched() as watched:
            events = list(fit(replace(task, look=None), replace(plan, checkpoint_seconds=math.inf)))
        assert sum(isinstance(e, Step) for e in events) == count // 16
        reads[count] = (dict(read_out), watched.counts["_local_scalar_dense"])
    assert reads[32] == reads[160]


@pytest.mark.parametrize("changes", [{}, *CHANGES.values()], ids=["plain", *CHANGES])
def test_a_batch_costs_as_many_calls_whatever_its_size(changes):
    """No Python and no kernel a sample: a batch of 64 is made by the very calls that make one of 8."""
    calls = []
    for size in (8, 64):
        task, _ = posed(pictures(64), changes, batch_size=size)
        with Watched() as watched:
            task.batch(torch.arange(size))
        calls.append(watched.counts)
    differ = calls[0] - calls[1] | calls[1] - calls[0]
    assert not differ, differ


def test_the_set_is_one_tensor_of_bytes_on_the_device():
    data = pictures(64)
    task, plan = posed(data, {}, batch_size=16)
    with Watched() as watched:
        X, y = task.batch(torch.tensor([5, 3, 60]))
    assert watched.counts["index_select"] == 2, "one cut for the images and one for the labels"
    np.testing.assert_array_equal(X.numpy(), data.X_train[[5, 3, 60]])
    np.testing.assert_array_equal(y.numpy(), data.y_train[[5, 3, 60]])
    kept = [cell.cell_contents for cell in task.batch.__closure__ or ()]
    (images,) = [t for t in kept if isinstance(t, torch.Tensor) and t.ndim == 4]
    assert (images.dtype, tuple(images.shape), images.device.type) == (torch.uint8, data.X_train.shape, plan.device)


def test_mirrored_images_are_those_of_augment_and_exact():
    X = torch.randint(256, (200, 3, 8, 9)).float()
    torch.manual_seed(4)
    ours = mirrored(X, 0.5)
    turned = torch.tensor([not torch.equal(a, b) for a, b in zip(X, ours, strict=True)])
    assert torch.equal(ours[turned], v2.functional.hflip(X[turned]))
    assert 60 < int(turned.sum()) < 140
    torch.testing.assert_close(augment(X, Strengths(flip=1.0)), mirrored(X, 1.0), atol=1e-3, rtol=0)


def test_mirroring_is_in_the_batch_and_nothing_is_drawn_without_it():
    task, _ = posed(pictures(64), {}, batch_size=16)
    assert cnn.mirroring(task, 0.0) is task
    torch.manual_seed(0)
    X, y = cnn.mirroring(task, 0.5).batch(torch.arange(16))
    torch.manual_seed(0)
    plain, labels = task.batch(torch.arange(16))
    assert torch.equal(X, mirrored(plain, 0.5))
    assert torch.equal(y, labels)


def test_evaluation_asks_the_network_once_for_a_thousand_images():
    data = pictures(20, tests=20)
    task, _ = posed(data, {})
    sizes = []
    task.model.register_forward_pre_hook(lambda _, inputs: sizes.append(len(inputs[0])))
    config = build(cnn.Config, {**PLAIN, "network": "own", "layers": "conv 4 3; norm; relu; pool 2; flatten; dense"})
    logits = infer(task.model.eval(), torch.tensor(data.X_train).repeat(105, 1, 1, 1), config)
    assert (sizes, len(logits)) == ([1000, 1000, 100], 2100)


def test_a_network_is_measured_once_and_then_remembered(tmp_path, monkeypatch):
    """``resolve`` of the lesson itself: its second call builds and times nothing; another network is measured anew."""
    monkeypatch.setenv("DLCORE_STATE", str(tmp_path))
    rounds = []

    def fastest(layouts, trial, *more):
        rounds.append(layouts)
        trial(layouts[0])()  # a real step of the real network
        return layouts[-1]

    monkeypatch.setattr(device, "fastest", fastest)
    asked = {"network": "own", "device": "cpu", "layers": "conv 4 3; relu; flatten; dense", "threads": 1}
    data = pictures(64)
    for _ in range(2):
        config = resolve_on(build(cnn.Config, asked), data)
        assert (config.memory_format, config.precision) == tuple(device.LAYOUTS[-1])
    assert rounds == [list(device.LAYOUTS)]
    resolve_on(build(cnn.Config, asked | {"layers": "conv 5 3; relu; flatten; dense"}), data)
    assert len(rounds) == 2
