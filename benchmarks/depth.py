"""The figures of the depth lesson, measured again: plain against residual, by depth, start and normalisation.

``python -m benchmarks.depth [NAME …] [--seeds N] [--check] [--quick]``; NAME is one of ``TABLES``. Each line is a run
of the lesson with its own defaults but for what the line names: both networks from the same first weights and batches,
one thread. Told are the training accuracy (at rest), the first block's gradient by the last one's before the first
step, and the seconds of training (both together). ``--check`` ends with an error where a figure that the lesson
tells does not hold. ``--quick`` makes the run at 20 layers shorter and leaves out all others.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from typing import Any

from dlcore.events import Finished
from dlcore.experiments import resnet
from dlcore.knobs import build

TABLES: dict[str, list[dict[str, Any]]] = {
    "dense": [{"depth": depth, "norm": norm} for norm in ("none", "batch") for depth in (8, 20, 40)],
    "layer": [{"depth": depth, "norm": "layer"} for depth in (20, 40)],
    "he": [{"depth": depth, "init": "he"} for depth in (20, 40)],
    "deep": [{"depth": 110, "norm": norm} for norm in ("none", "batch")],
    "conv": [
        {"blocks": "conv", "norm": "batch", "init": "he", "depth": depth} for depth in (8, 20, 40, 80)
    ],
}  # fmt: skip
QUICK = {"depth": 20, "epochs": 6}
Metrics = Mapping[str, Any]
Claim = Callable[[Metrics], bool]


def plain(found: Metrics) -> float:
    """Training accuracy of the plain network."""
    return found["train_accuracy/plain"]


def linked(found: Metrics) -> float:
    """Training accuracy of the residual one."""
    return found["train_accuracy/residual"]


CLAIMS: list[tuple[dict[str, Any], str, Claim]] = [  # for every seed
    ({"depth": 20, "norm": "none"}, "plain at most 0.3, residual at least 0.95",
     lambda m: plain(m) <= 0.3 and linked(m) >= 0.95),
    ({"depth": 20, "norm": "none"}, "both within 60 s", lambda m: m["seconds"] < 60),
    ({"depth": 20, "norm": "none"}, "the plain first block gets under a 100,000th, the residual one a tenth or more",
     lambda m: m["gradient_ratio/plain"] < 1e-5 and m["gradient_ratio/residual"] > 0.1),
    ({"depth": 8, "norm": "none"}, "plain learns something, residual more",
     lambda m: 0.3 < plain(m) < linked(m) - 0.05),
    ({"depth": 40, "norm": "none"}, "plain at most 0.3", lambda m: plain(m) <= 0.3),
    ({"depth": 20, "norm": "batch"}, "with batch normalisation the plain network learns, too",
     lambda m: plain(m) >= 0.8 and linked(m) >= 0.95),
    ({"depth": 40, "norm": "batch"}, "but not at 40 layers: the gradient explodes towards the first",
     lambda m: plain(m) <= 0.5 and linked(m) >= 0.95 and m["gradient_ratio/plain"] > 100),
    ({"depth": 20, "norm": "layer"}, "layer normalisation helps the plain network less",
     lambda m: plain(m) <= 0.8 and linked(m) >= 0.95),
    ({"depth": 20, "init": "he"}, "by He's rule the plain network learns; the sums of the residual one grow too large",
     lambda m: plain(m) >= 0.9 and linked(m) < plain(m)),
]  # fmt: skip


def measured(given: Mapping[str, Any], seed: int) -> Metrics:
    """The metrics of one run; NaN for what a run that diverged has not told."""
    config = build(resnet.Config, {**given, "seed": seed, "threads": 1, "device": "cpu"})
    *_, last = resnet.run(config)
    return last.metrics if isinstance(last, Finished) else {}


def told(given: Mapping[str, Any], seed: int, found: Metrics) -> str:
    """One line."""
    what = " ".join(f"{name}={value}" for name, value in given.items())
    if not found:
        return f"{what} seed={seed}: diverged"
    pairs = [
        f"{name} {found[f'train_accuracy/{name}']:.3f} (gradient {found[f'gradient_ratio/{name}']:.2g})"
        for name in ("plain", "residual")
    ]
    return f"{what} seed={seed}: {', '.join(pairs)}, {found['seconds']:.1f} s"


def broken(given: Mapping[str, Any], found: Metrics) -> list[str]:
    """The claims that a run does not hold."""
    return [text for where, text, holds in CLAIMS if where == given and not (found and holds(found))]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of: {', '.join(TABLES)}")
    parser.add_argument("--seeds", type=int, default=3, help="how many, from 0 on")
    parser.add_argument("--check", action="store_true", help="fail where a claim does not hold")
    parser.add_argument("--quick", action="store_true", help="one short run")
    asked = parser.parse_args()
    if asked.quick:
        found = measured(QUICK, 0)
        print(told(QUICK, 0, found))
        return int(not (plain(found) <= 0.3 and linked(found) >= 0.8))
    faults = []
    for name in asked.names or TABLES:
        for given in TABLES[name]:
            for seed in range(asked.seeds):
                found = measured(given, seed)
                print(told(given, seed, found), flush=True)
                faults += [f"{given} seed={seed}: not so: {text}" for text in broken(given, found)]
    print("\n".join(faults) or "every claim holds")
    return int(bool(faults) and asked.check)


if __name__ == "__main__":
    sys.exit(main())
