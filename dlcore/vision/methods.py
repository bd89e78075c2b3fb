"""Ways to ask a network why: what each is called, says and must not be used for. Imports NumPy only.

Also the sum behind integrated gradients, which a page can refine step by step with what it already has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dlcore.texts import N_


@dataclass(frozen=True)
class Method:
    """A way to weigh the pixels of one picture.

    Attributes:
        about: what it measures, in one sentence. beware: what it may not be used for.
        signed: its map has places that speak against the answer.
        passes: runs through the network that one map costs, roughly, a gradient counted as three.
    """

    title: str
    about: str
    beware: str
    paper: str
    signed: bool = False
    passes: int = 3


METHODS = {
    "gradcam": Method(
        N_("Grad-CAM"),
        N_("The last maps, each weighed by how much the answer's score grows with it; what speaks for the answer is "
           "kept."),
        N_("It is as coarse as the last maps are. Do not read outlines from it: its smooth edges come from enlarging."),
        "Selvaraju et al. 2017",
    ),
    "integrated": Method(
        N_("Integrated gradients"),
        N_("The gradient, summed on the way from an empty picture to this one, times how far each pixel goes: together "
           "the pixels make up the whole score."),
        N_("It tells the difference to the empty picture that you chose: where both are alike, a pixel gets nothing, "
           "however much it matters."),
        "Sundararajan et al. 2017", signed=True, passes=27,
    ),
    "saliency": Method(
        N_("Saliency"),
        N_("How strongly the score answers to the smallest change of each pixel: the size of its gradient."),
        N_("It tells what would change the score, not what made it: a pixel that could not do more has a gradient of "
           "nearly 0. And it is full of noise."),
        "Simonyan et al. 2014",
    ),
    "smoothgrad": Method(
        N_("SmoothGrad"),
        N_("Saliency, averaged over copies of the picture with a little noise in each."),
        N_("It looks better than saliency; that does not make it truer. The noise decides what you see."),
        "Smilkov et al. 2017", passes=48,
    ),
    "occlusion": Method(
        N_("Occlusion"),
        N_("A patch is laid on each place in turn: how much of the score goes?"),
        N_("A covered picture is one that the network has never seen, and what can be seen in two places is missed in "
           "neither."),
        "Zeiler and Fergus 2014", signed=True, passes=81,
    ),
    "edges": Method(
        N_("Edges (asks no network)"),
        N_("Only how much neighbouring pixels differ. It is here as a control: it looks like an explanation and knows "
           "nothing of the network."),
        N_("For anything. If you like it as much as the others, looking right is no evidence."),
        "Adebayo et al. 2018",
    ),
}  # fmt: skip

BASELINES = {"black": 0.0, "grey": 0.5, "white": 1.0}  # an empty picture, on the scale of pixels
MOST_LEVELS = 8  # 2⁸ = 256 steps


def offered(has_maps: bool, *, large: bool = False) -> list[str]:
    """Names of the methods that a network can be asked with, the most telling first.

    Args:
        has_maps: Grad-CAM needs them.
        large: of photographs, where Grad-CAM shows the thing; of a small picture, the last maps are seldom a network's
            whole mind, and integrated gradients come first.
    """
    names = [name for name in METHODS if has_maps or name != "gradcam"]
    return names if large else sorted(names, key=lambda name: name != "integrated")


def fractions(level: int) -> tuple[np.ndarray, float]:
    """Which points of the way from 0 to 1 come new when the steps are doubled for the ``level``-th time.

    The trapezoid rule of 2ᵏ steps uses all points of 2ᵏ⁻¹ steps, so a finer sum costs the new points only.

    Returns:
        the points, and the weight of each: both ends count half.
    """
    if level == 0:
        return np.array([0.0, 1.0]), 0.5
    steps = 2**level
    return np.arange(1, steps, 2) / steps, 1.0


def integrated(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Integrated gradients ``(H, W)`` of 2ᵏ steps from the ``parts`` of levels 0 … k (``attribution.path_parts``)."""
    return np.sum(parts, axis=0) / 2 ** (len(parts) - 1)


def completeness(parts: Sequence[np.ndarray], difference: float) -> np.ndarray:
    """|sum of the map − difference| for 1, 2, 4, … steps, ``(levels,)``: 0 if the pixels made up the whole score.

    Args:
        difference: the score of the picture less that of the empty one.
    """
    sums = np.cumsum([part.sum(dtype=float) for part in parts])
    return np.abs(sums / 2 ** np.arange(len(parts)) - difference)
