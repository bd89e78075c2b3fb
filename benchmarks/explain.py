"""What looking inside and fooling cost on photographs of 224 pixels, and what they find: for the page of pictures.

``python -m benchmarks.explain [--check] [--quick]``. One thread, as the worker that answers has. Times: MobileNetV2 and
ResNet-18 with first weights, which take as long as trained ones. Findings: MobileNetV2's own weights, where they are,
on the examples that show something and on photographs of ants and bees, where those are. ``--check`` holds Grad-CAM,
FGSM and ten steps of PGD of MobileNetV2 to ``BOUND`` seconds, and what the prose says to the right side of chance.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torchvision.models import get_model

from dlcore.vision import attacks, attribution, certainty, maps, neighbours, samples, sanity, weathering
from dlcore.vision.methods import METHODS, completeness
from dlcore.vision.networks import KNOWN, here
from dlcore.vision.pixels import open_with

NAME, OTHER = "mobilenet_v2", "resnet18"
BOUND = 3.0  # seconds
QUICK = 8  # times the bound, on a machine that does other things
PHOTOS = 8  # of ants and bees
SIZES = (0.5, 1.0, 2.0, 4.0, 8.0)  # grey levels of 255


def seconds(turn: Callable[[], object]) -> float:
    """Of the second of two turns."""
    turn()
    start = time.perf_counter()
    turn()
    return time.perf_counter() - start


def times(name: str, *, few: bool) -> dict[str, float]:
    """Seconds of everything that a panel asks for, once the network is warm."""
    picture, some = samples.sample("temple"), ("gradcam", "saliency") if few else tuple(METHODS)
    heat = attribution.explain(name, picture, "gradcam", 0)["map"]
    asked: dict[str, Callable[[], Any]] = {
        **{METHODS[m].title: lambda m=m: attribution.explain(name, picture, m, 0) for m in some},
        "FGSM": lambda: attacks.attack(name, picture, "fgsm", 2 / 255),
        "PGD, 10 steps": lambda: attacks.attack(name, picture, "pgd", 2 / 255),
        "maps of a layer": lambda: maps.strongest(name, picture, maps.layers(name, picture)[0]["name"]),
        "features of one picture": lambda: neighbours.described(name, picture),
    }  # fmt: skip
    if not few:
        asked |= {
            "deletion, 4 curves": lambda: sanity.deletion(name, picture, heat, 0),
            "Grad-CAM of shuffled weights": lambda: sanity.randomised(name, picture, "gradcam", 0, 1.0, heat=heat),
            "30 bad pictures": lambda: weathering.weather(name, picture),
            "48 strangers": lambda: certainty.confidence(name, picture, "", known=False),
        }
    return {what: seconds(turn) for what, turn in asked.items()}


def pictures(count: int) -> list[np.ndarray]:
    """The examples that ImageNet has names for, and so many photographs of ants and bees, where they are here."""
    from dlcore.data.uploads import read_image

    files = certainty._photographs()[:count]
    return [
        *(samples.sample(name) for name in certainty.SHOWING),
        *(read_image(f.read_bytes(), most=512) for f in files),
    ]


def explained(shown: list[np.ndarray]) -> dict[str, dict[str, float]]:
    """By method: by how much its maps' deletion beats chance, in how many pictures; and what random weights leave."""
    found = {}
    for method in METHODS:
        gains, kept = [], []
        for picture in shown:
            opened = open_with(NAME, picture)
            heat = attribution.map_of(opened, method, opened.best, 0.5 if method == "occlusion" else 0.0).numpy()
            said = sanity.deletion(NAME, picture, heat, opened.best, baseline="grey")
            areas = np.trapezoid(said["curves"], said["shares"], axis=1)
            gains.append(float(areas[1:].mean() - areas[0]))
            if method not in ("occlusion", "smoothgrad", "integrated"):
                kept.append(sanity.randomised(NAME, picture, method, opened.best, 1.0, heat=heat)["correlation"])
        found[method] = {
            "gain": float(np.mean(gains)), "better": float(np.mean(np.array(gains) > 0)),
            "correlation": float(np.nanmean(kept)) if kept and not np.isnan(kept).all() else float("nan"),
        }  # fmt: skip
    return found


def incomplete(shown: list[np.ndarray]) -> np.ndarray:
    """The completeness error as a share of the difference, mean over pictures, for 1, 2, 4, … 64 steps."""
    errors = []
    for picture in shown:
        said = attribution.path_parts(NAME, picture, open_with(NAME, picture).best, "grey", range(7))
        difference = said["score"] - said["empty"]
        errors.append(completeness(said["parts"], difference) / abs(difference))
    return np.mean(errors, axis=0)


def fooled(shown: list[np.ndarray]) -> dict[str, np.ndarray]:
    """The share of the answers that change, for each of ``SIZES``; "wished": to the fifth likeliest, by PGD."""
    found: dict[str, list[np.ndarray]] = {"fgsm": [], "pgd": [], "noise": [], "wished": []}
    for picture in shown:
        sizes = [size / 255 for size in SIZES]
        wish = int(torch.argsort(open_with(NAME, picture).logits, descending=True)[4])
        for method in ("fgsm", "pgd"):
            said = attacks.sweep(NAME, picture, method, sizes)
            found[method].append(said["answers"] != said["before"])
        found["noise"].append(said["noise_answers"] != said["before"])
        found["wished"].append(attacks.sweep(NAME, picture, "pgd", sizes, wish)["answers"] == wish)
    return {name: np.mean(rows, axis=0) for name, rows in found.items()}


def say_times(found: dict[str, float], name: str, bound: float) -> None:
    print(name)
    for what, took in found.items():
        print(f"  {what:<30} {took:7.2f} s")
    slow = [what for what in ("Grad-CAM", "FGSM", "PGD, 10 steps") if name == NAME and found[what] > bound]
    if bound and slow:
        sys.exit(f"{', '.join(slow)}: more than {bound:g} s")


def first_weights() -> None:
    """Weights of both networks in a folder of their own, so that nothing need be here."""
    home = tempfile.mkdtemp()
    os.environ["TORCH_HOME"] = home
    folder = Path(home) / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    torch.manual_seed(0)
    for name in (NAME, OTHER):
        torch.save(get_model(name, weights=None).state_dict(), folder / KNOWN[name].file)


def say_findings(shown: list[np.ndarray], *, check: bool) -> None:
    print(f"findings of {NAME} on {len(shown)} photographs and drawings")
    said = explained(shown)
    for method, one in said.items():
        print(f"  {method:<12} deletion beats chance by {one['gain']:+.3f}, in {one['better']:.0%} of the pictures; "
              f"rank correlation with all weights shuffled {one['correlation']:.2f}")  # fmt: skip
    print("  completeness error, share of the score, 1 to 64 steps:", np.round(incomplete(shown), 3))
    pushed = fooled(shown)
    for name, shares in pushed.items():
        print(f"  {name:<8}", ", ".join(f"{size:g}: {share:.0%}" for size, share in zip(SIZES, shares, strict=True)))
    known, strange = (certainty.confidence(NAME, shown[0], "", known=k)["sure"] for k in (True, False))
    cut = np.sort(known)[int(0.05 * len(known))]
    print(f"  medians of certainty: known {np.median(known):.2f}, strangers {np.median(strange):.2f}; keeping 95 % of "
          f"the known lets {(strange >= cut).mean():.0%} of the strangers through")  # fmt: skip
    if check and not (said["gradcam"]["gain"] > 0 and pushed["pgd"][2] > 0.5 > pushed["noise"][2]):
        sys.exit("what the prose says is not what was found")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help=f"fail above {BOUND} s, and where a finding fails")
    parser.add_argument("--quick", action="store_true", help=f"few things, fail above {QUICK * BOUND:g} s")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if here(NAME) and not arguments.quick:
        say_findings(pictures(PHOTOS), check=arguments.check)
    first_weights()
    bound = QUICK * BOUND if arguments.quick else BOUND if arguments.check else 0.0
    for name in (NAME,) if arguments.quick else (NAME, OTHER):
        say_times(times(name, few=arguments.quick), name, bound)


if __name__ == "__main__":
    main()
