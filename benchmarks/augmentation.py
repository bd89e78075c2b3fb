"""Random variants of a batch: ours, one resampling with a draw for each image, against v2 one image at a time.

``python -m benchmarks.augmentation [--check] [--quick]``

v2's own transforms draw once a call, so that a batch would be turned by one angle; who wants a draw for each image
calls them image by image, as a ``DataLoader`` with ``transform=`` does. Both do the same here: turn, move, scale and
shear, on one thread, bilinear, 28 x 28.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable

import torch
from torchvision.transforms import v2

from dlcore.augmentation import augment
from dlcore.augmentation_settings import Strengths

BATCH, LEAST_RATIO = 256, 5.0
OURS = Strengths(rotate=15, shift=3, scale=0.2, shear=10)
THEIRS = v2.RandomAffine(
    [-15.0, 15.0], (3 / 28, 3 / 28), (1 / 1.2, 1.2), [-10.0, 10.0], interpolation=v2.InterpolationMode.BILINEAR
)


def per_second(work: Callable[[torch.Tensor], object], X: torch.Tensor, rounds: int) -> float:
    """Images a second, the best of several rounds."""
    work(X)
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        work(X)
        best = min(best, time.perf_counter() - start)
    return len(X) / best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="fail where ours is not many times faster")
    parser.add_argument("--quick", action="store_true", help="two rounds")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    X, rounds = torch.rand(BATCH, 1, 28, 28) * 255, 2 if arguments.quick else 10
    ours = per_second(lambda batch: augment(batch, OURS), X, rounds)
    theirs = per_second(lambda batch: [THEIRS(image) for image in batch], X, rounds)
    print(f"batched, a draw for each image: {ours:,.0f} images per second")
    print(f"v2.RandomAffine, image by image: {theirs:,.0f} images per second; ours is {ours / theirs:.0f} times faster")
    for policy in ("trivial", "auto"):
        wanted = Strengths(policy=policy)
        grouped, single = (
            per_second(lambda batch, w=wanted, n=n: augment(batch, w, group=n), X, min(rounds, 2)) for n in (4, 1)
        )
        print(f"policy {policy}: {grouped:,.0f} images per second by four, {single:,.0f} one by one")
    if arguments.check and ours / theirs < LEAST_RATIO:
        sys.exit(f"only {ours / theirs:.1f} times faster than v2 image by image")


if __name__ == "__main__":
    main()
