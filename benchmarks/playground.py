"""How fast the playground's engine is: against NumPy, PyTorch and TensorFlow Playground's engine.

``python -m benchmarks.playground [--check] [--quick]``. Epochs a second; tanh, 250 points, batches of 10, gradient
descent, squared error, one thread each. All engines take turns, so that what else the machine does falls on all; the
figure is the median of the turns. TensorFlow Playground's engine is not here: its figures were recorded once under node
on 2 cores of this kind, and are the named baseline. ``--check`` fails where the engine is not ahead of it, or where the
spiral's card takes more than 10 s from Start to done; ``--quick`` takes short turns and checks only what noise cannot
reach.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from itertools import pairwise

import torch

from dlcore import mlp_fast, mlp_training
from dlcore.data import points2d
from dlcore.events import Finished
from dlcore.experiments import neural_network as nn
from dlcore.knobs import build
from dlcore.mlp import Architecture, Layer
from dlcore.mlp_training import Rates, Setup
from dlcore.playground_presets import preset

RECORDED = {(4, 2): 5213, (8, 8, 8): 998, (8,) * 6: 391}  # TensorFlow Playground's engine under node, epochs a second
RATE, BATCH, SPIRAL_SECONDS, SPIRAL_LOSS = 0.03, 10, 10.0, 0.05


def setup_of(widths: tuple[int, ...]) -> Setup:
    X, y, _, _ = points2d.dataset(build(nn.Config, {"dataset": "circle"}))
    layers = (*(Layer(units, "tanh") for units in widths), Layer(1))
    return Setup(Architecture(2, layers), X, y, "mse", "sgd", BATCH, 0)


def ours(engine: Callable[..., bool], setup: Setup) -> Callable[[int], None]:
    state = mlp_training.start(setup, "xavier")

    def epochs(count: int) -> None:
        assert engine(setup, state, Rates(RATE), count * setup.steps_per_epoch)

    return epochs


def eager(setup: Setup, widths: tuple[int, ...]) -> Callable[[int], None]:
    """The same training as one writes it with PyTorch, the whole data as one tensor."""
    sizes = (2, *widths, 1)
    modules: list[torch.nn.Module] = []
    for n_in, n_out in pairwise(sizes):
        modules += [torch.nn.Linear(n_in, n_out), torch.nn.Tanh()]
    model = torch.nn.Sequential(*modules[:-1])
    optimizer = torch.optim.SGD(model.parameters(), RATE)
    X, y = torch.tensor(setup.X), torch.tensor(setup.y)

    def epochs(count: int) -> None:
        for _ in range(count):
            order = torch.randperm(len(y))
            for start in range(0, len(y), BATCH):
                rows = order[start : start + BATCH]
                loss = torch.nn.functional.mse_loss(model(X[rows])[:, 0], y[rows])
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                optimizer.step()

    return epochs


def speed(epochs: Callable[[int], None], seconds: float) -> float:
    """Epochs a second over a turn of about that length."""
    count, took = 1, 0.0
    while took < seconds / 4:
        start = time.perf_counter()
        epochs(count)
        took = time.perf_counter() - start
        rate, count = count / took, max(count * 2, int(seconds * count / took))
    return rate


def measure(widths: tuple[int, ...], turns: int, seconds: float) -> dict[str, float]:
    setup = setup_of(widths)
    engines = {
        "numba": ours(mlp_fast.advance, setup),
        "numpy": ours(mlp_training.advance, setup),
        "torch": eager(setup, widths),
    }
    for epochs in engines.values():
        epochs(1)
    found: dict[str, list[float]] = {name: [] for name in engines}
    for turn in range(turns):
        for name in list(engines)[:: 1 if turn % 2 else -1]:
            found[name].append(speed(engines[name], seconds))
    return {name: statistics.median(values) for name, values in found.items()}


def spiral(seed: int, pace: float | None = None) -> tuple[float, float]:
    """Seconds and test loss of the spiral's card at its own pace (or another, 0: none), all events included."""
    settings = {**preset("spiral").settings, **({} if pace is None else {"epochs_per_second": pace})}
    start = time.perf_counter()
    *_, last = nn.run(build(nn.Config, {**settings, "seed": seed}))
    assert isinstance(last, Finished)
    return time.perf_counter() - start, last.metrics["test_loss"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="fail where a target is missed")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="short turns, the spiral without its pace; fail where we are behind NumPy or PyTorch",
    )
    arguments = parser.parse_args()
    turns, seconds, pace = (3, 0.05, 0.0) if arguments.quick else (7, 0.6, None)
    torch.set_num_threads(1)
    missed = []
    print(f"{'network':20} {'numba':>8} {'numpy':>7} {'torch':>7} {'node *':>7}   numba / numpy, torch, node")
    for widths, recorded in RECORDED.items():
        rate = measure(widths, turns, seconds)
        name = "-".join(map(str, (2, *widths, 1)))
        ratios = [rate["numba"] / other for other in (rate["numpy"], rate["torch"], recorded)]
        print(
            f"{name:20} {rate['numba']:8.0f} {rate['numpy']:7.0f} {rate['torch']:7.0f} {recorded:7}   "
            + ", ".join(f"{ratio:.1f}" for ratio in ratios),
            flush=True,
        )
        missed += [name] * (min(ratios[:2] if arguments.quick else ratios) <= 1)
    print("* recorded, not measured here: TensorFlow Playground's engine")
    for seed in range(1 if arguments.quick else 3):
        took, loss = spiral(seed, pace)
        print(f"spiral's card, seed {seed}: {took:.1f} s to done, test loss {loss:.4f}", flush=True)
        missed += ["spiral"] * (loss >= SPIRAL_LOSS or (took > SPIRAL_SECONDS and not arguments.quick))
    if (arguments.check or arguments.quick) and missed:
        sys.exit(f"missed: {', '.join(missed)}")


if __name__ == "__main__":
    main()
