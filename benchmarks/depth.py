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
from dlcore.experiments import resnet, resnet_look
from dlcore.knobs import build

TABLES: dict[str, list[dict[str, Any]]] = {
    "dense": [
        *({"depth": depth, "norm": "none"} for depth in (2, 4, 8, 12, 20, 40)),
        *({"depth": depth, "norm": "batch"} for depth in (8, 20, 40)),
    ],
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


# Training errors of seed 0 that the prose and docs/teaching.md tell, (plain, residual), and how far off they may be.
TOLD: list[tuple[dict[str, Any], float, float]] = [
    ({"depth": 2, "norm": "none"}, 0.03, 0.02),
    ({"depth": 4, "norm": "none"}, 0.05, 0.01),
    ({"depth": 8, "norm": "none"}, 0.20, 0.01),
    ({"depth": 12, "norm": "none"}, 0.50, 0.00),
    ({"depth": 20, "norm": "none"}, 0.90, 0.03),
    ({"depth": 40, "norm": "none"}, 0.90, 0.09),
    ({"depth": 20, "init": "he"}, 0.03, 0.14),
    ({"depth": 40, "norm": "batch"}, 0.84, 0.00),
]
NEAR = 0.01, 0.2  # errors may differ by so much, or by this share of what is told
# Before training, of the residual network: size of X in the first and last block, F(X) / X there, the last variance.
SIZES: list[tuple[dict[str, Any], str, float]] = [
    ({"depth": 40, "norm": "none"}, "first X", 0.43),
    ({"depth": 40, "norm": "none"}, "last X", 44.0),
    ({"depth": 40, "norm": "batch"}, "first X", 0.71),
    ({"depth": 40, "norm": "batch"}, "last X", 6.0),
    ({"depth": 40, "norm": "batch"}, "first F/X", 1.4),
    ({"depth": 40, "norm": "batch"}, "last F/X", 0.17),
]


def sizes(given: Mapping[str, Any]) -> dict[str, float]:
    """What goes through the first and the last block of the residual network of seed 0 before it is trained."""
    config = build(resnet.Config, {**given, "seed": 0})
    found = resnet_look.fresh({name: getattr(config, name) for name in resnet_look.SHAPING})
    x, f, variance = (found[f"{name}/residual"][0] for name in ("x", "f", "activation"))
    return {
        "first X": x[0], "last X": x[-1], "first F/X": f[0] / x[0], "last F/X": f[-1] / x[-1],
        "last variance": variance[-1],
    }  # fmt: skip


def off(told: float, found: float) -> bool:
    """Whether a figure is told too wrongly."""
    least, share = NEAR
    return abs(told - found) > max(least, share * told)


def misquoted(given: Mapping[str, Any], found: Metrics) -> list[str]:
    """The errors that the prose tells of a run of seed 0 and that are not so."""
    rows = [(("plain", p, 1 - plain(found)), ("residual", r, 1 - linked(found))) for g, p, r in TOLD if g == given]
    return [f"{given}: {name} told {told:.2f}, found {error:.3f}" for row in rows for name, told, error in row
            if off(told, error)]  # fmt: skip


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
                faults += misquoted(given, found) if seed == 0 else []
    faults += [f"{given}: {name} told {told}, found {value:.3g}" for given, name, told in SIZES
               if off(told, value := sizes(given)[name])]  # fmt: skip
    huge = sizes({"depth": 20, "init": "he"})["last variance"]
    print(f"He's first weights, depth 20: variance behind the last block {huge:.3g}")
    faults += [] if huge > 1e5 else [f"variance with He's weights: {huge:.3g}, told above 100,000"]
    print("\n".join(faults) or "every claim holds")
    return int(bool(faults) and asked.check)


if __name__ == "__main__":
    sys.exit(main())
