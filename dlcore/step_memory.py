"""How much memory one step of a recurrent network takes, told from its settings: what no worker could hold is refused.

The way back needs what every unit did at every place of every sequence, so batch × places × units numbers are kept.
"""

from __future__ import annotations

from dlcore.texts import N_, Problem

MOST_BYTES = 2_000_000_000  # of one step, beside weights and data
PER_UNIT, PER_SCORE = 22, 8  # float32 numbers kept for a unit (measured: LSTM 20 to 24, GRU 14, RNN 7) and for a score


def step_bytes(batch_size: int, places: float, units: int, *, scores: int = 0, models: int = 1) -> float:
    """About how much memory a step takes.

    Args:
        places: symbols in a sequence, those that are written counted in.
        units: hidden units of all layers and directions. scores: outputs at each place.
        models: how many are trained together.
    """
    return 4.0 * models * batch_size * places * (PER_UNIT * units + PER_SCORE * scores)


def check_step(batch_size: int, places: float, units: int, *, scores: int = 0, models: int = 1) -> None:
    """Refuse what would take more than ``MOST_BYTES``; arguments as ``step_bytes``.

    Raises:
        Problem: kind "memory", with the largest batch that would do.
    """
    needed = step_bytes(batch_size, places, units, scores=scores, models=models)
    if needed <= MOST_BYTES:
        return
    fewer = int(batch_size * MOST_BYTES / needed)
    raise Problem(
        N_(
            "A step on {batch} sequences of {places} symbols would take about {needed} GB with this network, and "
            "{most} GB are the most. Take a batch size of at most {fewer}, shorter sequences or fewer hidden units."
        ),
        kind="memory", batch=f"{batch_size:,}", places=f"{places:,.0f}", needed=f"{needed / 1e9:.1f}",
        most=f"{MOST_BYTES / 1e9:g}", fewer=f"{max(1, fewer):,}",
    )  # fmt: skip
