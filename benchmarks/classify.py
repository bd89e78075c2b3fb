"""How long an answer to a photograph takes once the network is warm, and one while a slider or the cover is dragged.

``python -m benchmarks.classify [--check] [--quick]``. One thread, as the worker that answers has; MobileNetV2 with its
first weights, which take as long as trained ones, so nothing need be here. ``--check`` holds an answer to a photograph
of 12 megapixels, from its file on, to 500 ms, and a redraw after a change to 150 ms.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torchvision.models import get_model

from dlcore.experiments import classify_look
from dlcore.vision import samples
from dlcore.vision.networks import KNOWN

NAME = "mobilenet_v2"
SIZES = {"a photograph of 0.8 megapixels": (1024, 768), "a photograph of 12 megapixels": (4032, 3024)}
BOUND, DRAGGED_BOUND = 0.5, 0.15  # seconds
QUICK = 8  # times the bounds, on a machine that does other things


def photograph(size: tuple[int, int]) -> np.ndarray:
    """The bytes of a JPEG file of that width and height, ``(n,)`` uint8."""
    buffer = BytesIO()
    Image.fromarray(samples.sample("temple")).resize(size, Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=90)
    return np.frombuffer(buffer.getvalue(), np.uint8)


def seconds(turn: Callable[[], object], turns: int) -> float:
    """The median of some turns, after one that does not count."""
    turn()
    found = []
    for _turn in range(turns):
        start = time.perf_counter()
        turn()
        found.append(time.perf_counter() - start)
    return statistics.median(found)


def measured(turns: int) -> dict[str, float]:
    """Seconds of each thing, in order."""
    found = {}
    for what, size in SIZES.items():
        file = photograph(size)
        found[what] = seconds(lambda file=file: classify_look.read_and_answer(file, NAME), turns)
    picture = classify_look.read(photograph((1024, 768)))["picture"]
    changes = {"rotate": 20.0, "blur": 0.5, "noise": 0.1, "left": 0.2, "top": 0.2, "width": 0.3, "height": 0.3}
    found["a redraw with everything changed"] = seconds(lambda: classify_look.look(picture, [NAME], changes), turns)
    found["a redraw with a cover"] = seconds(
        lambda: classify_look.look(picture, [NAME], {"left": 0.2, "top": 0.2, "width": 0.3, "height": 0.3}), turns
    )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help=f"fail above {BOUND} and {DRAGGED_BOUND} s")
    parser.add_argument("--quick", action="store_true", help=f"few turns, fail above {QUICK} times as much")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as home:
        os.environ["TORCH_HOME"] = home
        folder = Path(home) / "hub" / "checkpoints"
        folder.mkdir(parents=True)
        torch.manual_seed(0)
        torch.save(get_model(NAME, weights=None).state_dict(), folder / KNOWN[NAME].file)
        found = measured(3 if arguments.quick else 20)
    slack = QUICK if arguments.quick else 1
    for what, took in found.items():
        print(f"{what:<34} {1e3 * took:7.1f} ms")
        bound = slack * (DRAGGED_BOUND if "redraw" in what else BOUND)
        if (arguments.check or arguments.quick) and took > bound:
            sys.exit(f"{what} took {1e3 * took:.0f} ms; at most {1e3 * bound:.0f} ms are allowed")


if __name__ == "__main__":
    main()
