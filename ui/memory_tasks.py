"""The memory lesson's challenges, checked against this browser's runs and the gradient on screen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from dlcore import jobs
from dlcore.experiments.sequences import Config
from dlcore.history import History
from dlcore.memory_story import ratios
from ui.challenge import Task
from ui.i18n import _
from ui.memory_lab import SLUG, finished_rows
from ui.session import owner

MASTERED = 0.95  # of the held-out sequences
EXPLODED = 100.0  # a gradient this long, in a run without clipping


def tasks(config: Config, fresh: Mapping[str, np.ndarray], history: History) -> list[Task]:
    """The challenges, for the settings and the run on screen."""
    return [
        Task(
            "arrives",
            _("Before any training: distance 100, and step 1 gets at least a tenth of what the last step gets."),
            lambda: arrives(config, fresh),
            hint=_("With the gate as drawn nearly nothing is left. What must the gate’s value be, to the power of 99?"),
            praise=_("The first weights alone decided that. Training only begins with it."),
        ),
        Task(
            "lstm-60",
            _("Train an LSTM that remembers the first letter for 60 steps: at least {share} right.").format(
                share=f"{MASTERED:.0%}"
            ),
            lambda: remembered("lstm", 60),
            hint=_("A bias that is enough for 30 steps is too small for 60. Watch the left picture while you move it."),
            praise=_("PyTorch’s default LSTM only guesses there. One number made the difference."),
        ),
        Task(
            "rnn-20",
            _("Train a plain RNN that remembers it for 20 steps: at least {share} right.").format(
                share=f"{MASTERED:.0%}"
            ),
            lambda: remembered("rnn", 20),
            hint=_("It has no gate. Which first weights change no length?"),
            praise=_("A rotation keeps every length, so the product of the Jacobians neither vanishes nor explodes."),
        ),
        Task(
            "tame",
            _(
                "Make it explode and tame it: one run in which a gradient is longer than {norm} with clipping off, and "
                "one with the same recurrent weights that clips and gets {share} right."
            ).format(norm=f"{EXPLODED:g}", share=f"{MASTERED:.0%}"),
            tamed,
            hint=_("A spectral radius above 1 lets the gradient grow. Then put the longest gradient back to 1."),
            praise=_("The direction of a huge gradient is still worth something; only its length is not."),
        ),
    ]


def arrives(config: Config, fresh: Mapping[str, np.ndarray]) -> float:
    """How far the gradient arrives at distance 100, in the best cell on screen (0 to 1)."""
    if config.length < 100 or not fresh:
        return 0.0
    best = max((value for value in ratios(fresh).values() if np.isfinite(value)), default=0.0)
    return 1.0 if best >= 0.1 else 0.5 if best >= 1e-3 else 0.0


def remembered(cell: str, length: int) -> float:
    """How near the best run of a cell is to remembering the first letter for so long (0 to 1)."""
    rows = finished_rows("first_symbol")
    scores = [score for form, distance, score in rows if form[0] == cell and distance >= length]
    return 1.0 if max(scores, default=0) >= MASTERED else 0.0


def tamed() -> float:
    """Half for an explosion, all for a run with the same recurrent weights that clips and masters its task."""
    wild, done = set(), set()
    for run in jobs.runs(owner(), SLUG)[:30]:
        key = (run.config.start, run.config.radius, run.config.task)
        history = jobs.history(run.run_id, owner=owner())
        if run.config.clip_norm == 0 and run.state in ("finished", "diverged"):
            if run.state == "diverged" or longest(history) >= EXPLODED:
                wild.add(key)
        elif run.state == "finished" and history.metrics.get("test_accuracy/rnn", 0) >= MASTERED:
            done.add(key)
    return 1.0 if wild & done else 0.5 if wild else 0.0


def longest(history: History) -> float:
    """The longest gradient of any cell in a run; what was no number does not count."""
    found: list[Any] = [history.steps.column(f"gradient_norm/{cell}") for cell in history.info.get("cells", ())]
    if not found or not len(found[0]):
        return 0.0
    norms = np.concatenate(found)
    return float(np.max(np.where(np.isnan(norms), 0.0, norms)))
