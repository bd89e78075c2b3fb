"""The CNN lesson told in a run's own numbers: what its formulas are filled with, and what its challenges ask."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from dlcore.history import History

NARROW, WIDE = 5, 15  # pixels of a row that a unit sees


def numbers(history: History) -> dict[str, str]:
    """What the formulas are filled with, ready to print: the run's numbers; before it, those of guessing."""
    loss = history.epochs.column("test_loss")
    if not len(loss):
        guess = {"first_loss": r"\ln 10 = 2.303", "loss": "2.303", "typical": r"10\%"}
        return {"params": "n", "batch": "N", **guess}
    return {
        "params": f"{history.info['params']:,}".replace(",", r"\,"),
        "batch": str(history.config["batch_size"]),
        "first_loss": f"{loss[0]:.3f}",
        "loss": f"{loss[-1]:.3f}",
        "typical": rf"{100 * math.exp(-loss[-1]):.1f}\%",
    }


def best_accuracy(
    runs: Iterable[History], dataset: str, *, most_images: float = math.inf, most_params: float = math.inf
) -> float:
    """The best test accuracy of finished runs on a dataset, of at most so many images and weights; 0 if none."""
    scores = [
        run.metrics["test_accuracy"]
        for run in runs
        if _finished(run)
        and run.config["dataset"] == dataset
        and run.info["train_size"] <= most_images
        and run.info["params"] <= most_params
    ]
    return max(scores, default=0.0)


def beats_dense(runs: Iterable[History]) -> float:
    """Whether a network with fewer weights than a dense one got more right on the same images: 1; half way: 0.5.

    Half way is a finished run of the dense network, which is the one to beat.
    """
    runs = [run for run in runs if _finished(run)]
    dense = [run for run in runs if run.config["network"] == "mlp"]
    beaten = any(
        run.metrics["test_accuracy"] > rival.metrics["test_accuracy"] and run.info["params"] < rival.info["params"]
        for rival in dense
        for run in runs
        if run.config["network"] != "mlp" and run.config["data_hash"] == rival.config["data_hash"]
    )
    return 1.0 if beaten else 0.5 if dense else 0.0


def across(opened: Mapping[str, Any]) -> int | None:
    """How many pixels of a row an opened unit sees (``dlcore.units.unit``); None if it is not one place of a map."""
    _top, left, _bottom, right = opened["wanted"]["box"]
    return int(right - left) if opened["local"] else None


def of_one_class(opened: Mapping[str, Any]) -> bool:
    """Whether an opened place of a map answers most to images of one class only."""
    values, labels = opened["strongest"]["values"], opened["strongest"]["labels"]
    return across(opened) is not None and len(values) > 1 and values.min() > 0 and len(set(labels.tolist())) == 1


def growth(widths: Iterable[int]) -> float:
    """How far the growth of what units see has been looked at: half for a narrow one, half for a wide one."""
    widths = list(widths)
    return 0.5 * any(width <= NARROW for width in widths) + 0.5 * any(width >= WIDE for width in widths)


def _finished(run: History) -> bool:
    return run.state == "finished" and "test_accuracy" in run.metrics
