"""What the landscape lesson says in a run's own numbers, and what its challenges ask. NumPy only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from dlcore.graph_math import number
from dlcore.history import History
from dlcore.landscape_numbers import HELD, PATH, RANDOM, SEEN
from dlcore.landscape_views import guessing, landscape_of, networks_of
from dlcore.texts import N_

Label = Callable[[str], str]
PLAIN, RESIDUAL = "plain", "residual"
LEARNED, LOST = 0.95, 0.2  # share of right answers on what was learned: from which on, and up to which
FLAT = 0.01  # losses of a plane that differ by less, as a share of their mean, are a flat one
NARROWER, DECEIVED = 0.9, 3.0
VERDICTS = {
    "flat": N_(
        "The plain network has learned nothing ({plain_right} of its training images right), and its ground is flat: "
        "from {low} to {high} everywhere, the loss of guessing. It sees no direction that leads down. The residual "
        "network gets {residual_right} right; its basin reaches {residual_reach} far."
    ),
    "both": N_(
        "Both have learned ({plain_right} and {residual_right} right). Before it is no better than guessing, the plain "
        "network can go {plain_reach} in a random direction, the residual one {residual_reach}. The plain ground bends "
        "down at {plain_bent} of all places, the residual one at {residual_bent}."
    ),
    "behind": N_(
        "Before it is no better than guessing, the plain network can go {plain_reach} in a random direction, the "
        "residual one {residual_reach}. But the plain one has also learned less ({plain_right} of its training images "
        "right, the other {residual_right}): a fair comparison needs two that have learned."
    ),
    "other": N_(
        "The plain network gets {plain_right} of its training images right and its basin reaches {plain_reach}; the "
        "residual one {residual_right} and {residual_reach}."
    ),
}
GAP = N_(
    "Look at step {step} of the {network} network: its weights had a loss of {true} (solid line), their shadow on the "
    "map has {shadow} (dotted). The map holds {explained} of the path’s variance; at that step the weights lie {off} "
    "away from it, and {far} from where they end."
)
OTHERS = N_("Reach and bending are measured on the images learned from; the maps show the loss on test images.")
DOT = N_(
    "In this plane the whole run is a dot: from its first weights to its last it moves by {moved} here, on a map that "
    "reaches from {low} to {high}. Two random directions among {numbers} have nothing to do with the way that was gone."
)


def right(history: History, network: str) -> float:
    """The share of training images that a network of a finished run answers right; NaN where it was not trained."""
    return float(history.metrics.get(f"train_accuracy/{network}", float("nan")))


def kind(history: History) -> str:
    """Which of the verdicts fits a finished run; "" where not both networks were measured."""
    if any(f"reach/{name}" not in history.metrics for name in (PLAIN, RESIDUAL)):
        return ""
    plain, residual = right(history, PLAIN), right(history, RESIDUAL)
    if plain < LOST < residual:
        return "flat" if flatness(history, PLAIN) < FLAT else "behind"
    if min(plain, residual) >= LEARNED:
        return "both"
    return "behind" if plain < residual else "other"


def flatness(history: History, network: str) -> float:
    """How much the losses of the random plane differ, highest from lowest, as a share of their mean."""
    around = landscape_of(history).slice(RANDOM, network)
    return float(np.ptp(around.loss) / around.loss.mean()) if around is not None and around.complete else float("nan")


def verdict(history: History, label: Label) -> str:
    """What the random plane says of a finished run; "" where there are not two networks."""
    found = kind(history)
    if not found:
        return ""
    around = landscape_of(history).slice(RANDOM, PLAIN)
    assert around is not None
    values = {"low": f"{around.loss.min():.3f}", "high": f"{around.loss.max():.3f}"}
    for name in (PLAIN, RESIDUAL):
        values |= {
            f"{name}_right": f"{right(history, name):.1%}",
            f"{name}_bent": f"{history.metrics[f'bent_down/{name}']:.0%}",
            f"{name}_reach": f"{history.metrics[f'reach/{name}']:.2f}",
        }  # fmt: skip
    return label(VERDICTS[found]).format(**values)


def of_which(history: History, images: int, label: Label) -> str:
    """Whose numbers the verdict's are, where the maps beside it show others; else ""."""
    return label(OTHERS) if images == HELD and kind(history) else ""


def worst_gap(history: History, images: int = SEEN) -> tuple[str, int, float, float] | None:
    """Network, point of the path, loss of its weights and of their shadow, where the map deceives most; or None."""
    land = landscape_of(history)
    gaps = [(name, *land.gap(name, images)) for name in land.networks]
    gaps = [gap for gap in gaps if np.isfinite(gap[2]) and min(gap[2:]) > 0]
    return max(gaps, key=lambda gap: abs(np.log(gap[2] / gap[3])), default=None)


def caveat(history: History, names: Mapping[str, str], label: Label, images: int = SEEN) -> str:
    """How far the map of the path is from the truth; "" before the path is measured. ``names`` of the networks."""
    found = worst_gap(history, images)
    if found is None:
        return ""
    name, point, true, shadow = found
    land = landscape_of(history)
    return label(GAP).format(
        step=int(land.arrays[PATH]["step"][point]), network=names[name], true=number(true, 2), shadow=number(shadow, 2),
        explained=f"{land.path('explained', name).sum():.0%}", off=number(land.path("off", name)[point], 2),
        far=number(land.path("far", name)[point], 2),
    )  # fmt: skip


def dot(history: History, label: Label) -> str:
    """How little of the run the random plane shows; "" before the path is known."""
    land = landscape_of(history)
    if not land.networks or not land.arrays.get(RANDOM):
        return ""
    name = land.networks[-1]
    moved = float(np.abs(land.path("random", name)).max())
    x = land.arrays[RANDOM][f"x/{name}"]
    total = history.info.get("params_by_network", {}).get(name, 0)
    return label(DOT).format(moved=number(moved, 1), low=number(x[0], 3), high=number(x[-1], 3), numbers=f"{total:,}")


def numbers(history: History) -> dict[str, str]:
    """What the prose's placeholders stand for; letters before there is a run."""
    known = history.info.get("params_by_network", {})
    land = landscape_of(history)
    name = networks_of(history)[-1]
    explained = f"{land.path('explained', name).sum():.0%}".replace("%", r"\%") if name in land.networks else r"\rho"
    return {
        "numbers": f"{known[name]:,}".replace(",", r"\,") if name in known else "D",
        "guess": f"{guessing(history):.3f}",
        "points": str(len(land.arrays[PATH]["step"]) - 1) if name in land.networks else "n",
        "explained": explained,
    }


# --- challenges -------------------------------------------------------------------------------------------------------


def fair(history: History) -> float:
    """Both have learned, and the plain one's basin is clearly narrower: 1; both have learned: 0.5."""
    if kind(history) != "both":
        return 0.0
    reach = [history.metrics[f"reach/{name}"] for name in (PLAIN, RESIDUAL)]
    return 1.0 if reach[0] < NARROWER * reach[1] else 0.5


def on_a_plain(history: History) -> float:
    """The plain network's ground is flat, the residual one has learned: 1."""
    return float(kind(history) == "flat" and right(history, RESIDUAL) > 0.9)


def deceived(history: History) -> float:
    """How far the map is from a factor of ``DECEIVED`` between a loss and its shadow's, 0 to 1, on a log scale."""
    found = worst_gap(history)
    return 0.0 if found is None else min(1.0, abs(float(np.log(found[2] / found[3]))) / float(np.log(DECEIVED)))


def finished_any(histories: Any, check: Callable[[History], float]) -> float:
    """The best that a check says of finished runs."""
    return max((check(one) for one in histories if one.state == "finished"), default=0.0)
