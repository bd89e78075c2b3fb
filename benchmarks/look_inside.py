"""How long a look inside takes: all feature maps of a new image, and a unit opened, in the worker that answers.

``python -m benchmarks.look_inside [--check] [--quick]``. One thread, as that worker has; the network is the article's
with its first weights, which take as long as trained ones, on 28 x 28 digits. ``--check`` holds the maps to 200 ms.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from dlcore import anatomy, units
from dlcore.checkpoints import to_plain
from dlcore.data.images import load
from dlcore.events import pack, unpack
from dlcore.models.cnn import build

BOUND, QUICK_BOUND = 0.2, 2.0  # seconds for the maps of a new image


def checkpoint(folder: str) -> str:
    """The article's network as a run would have written it."""
    torch.manual_seed(0)
    about = {"network": "article", "shape": (1, 28, 28), "classes": 10}
    path = Path(folder) / "checkpoint.bin"
    state = {"build": about, "classes": [str(k) for k in range(10)], "model": to_plain(build(**about).state_dict())}
    path.write_bytes(pack(state))
    return str(path)


def seconds(turn: Callable[[], object]) -> float:
    start = time.perf_counter()
    turn()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help=f"fail above {BOUND} s")
    parser.add_argument("--quick", action="store_true", help=f"few turns, fail above {QUICK_BOUND} s")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    images = load("digits").X_test
    with tempfile.TemporaryDirectory() as folder:
        path = checkpoint(folder)

        def maps(image: np.ndarray) -> int:
            blob = pack(anatomy.anatomy(image, path))  # as it crosses to the page
            unpack(blob)
            return len(blob)

        size = maps(images[0])
        turns = [seconds(lambda k=k: maps(images[k])) for k in range(1, 10 if arguments.quick else 100)]
        first = seconds(lambda: units.unit("conv3", 5, path))
        more = statistics.median(
            seconds(lambda k=k: units.unit("conv3", k, path)) for k in range(2 if arguments.quick else 10)
        )
    found, slow = statistics.median(turns), float(np.quantile(turns, 0.95))
    print(f"all maps of a new image  {found * 1e3:7.1f} ms (95 % within {slow * 1e3:.1f} ms; {size / 1e3:.0f} kB)")
    print(f"first unit of a network  {first * 1e3:7.1f} ms (asks 1,442 training images)")
    print(f"every further unit       {more * 1e3:7.1f} ms")
    bound = QUICK_BOUND if arguments.quick else BOUND
    if (arguments.check or arguments.quick) and slow > bound:
        sys.exit(f"the maps of a new image took {slow * 1e3:.0f} ms; at most {bound * 1e3:.0f} ms are allowed")


if __name__ == "__main__":
    main()
