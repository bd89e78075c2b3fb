"""The distances at which a run of the memory lesson trains anew, as ``dlcore.sweeps`` wants them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlcore.sequence_training import cells_of
from dlcore.sweeps import Places

if TYPE_CHECKING:
    from dlcore.experiments.sequences import Config

SHORTEST = 2


def distances_of(config: Config) -> list[int]:
    """The distances that a run trains at, rising: evenly spaced up to ``length``, each once."""
    count = config.distances
    return sorted({max(SHORTEST, round(config.length * (place + 1) / count)) for place in range(count)})


def places_of(config: Config) -> Places:
    """The same with the test accuracy of each cell as its score."""
    scores = {f"test_accuracy/{cell}": cell for cell in cells_of(config)}
    return Places("length", distances_of(config), "distances", config.steps, "by_distance", scores)
