"""The numbers in the prose of the lesson on pictures."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

STRANGERS = 400  # drawn shapes that our digit reader was shown
STRANGE_SURE = 0.34  # and the share of them that it gave more than half of the probability to some digit
UNKNOWN = {"network": "…", "name": "…", "share": "p_1", "bits": "…", "most_bits": "…", "classes": "K", "lost": "…"}


def numbers(answer: Mapping[str, Any] | None, name: str = "") -> dict[str, str]:
    """What stands in the formulas, from an answer of ``dlcore.vision.answers.answer`` and its class's name."""
    said = {"strangers": str(STRANGERS), "strange_sure": f"{STRANGE_SURE:.0%}"}
    if answer is None or "problem" in answer:
        return {**UNKNOWN, **said}
    share, classes = float(answer["shares"][0]), int(answer["classes"])
    return {
        **UNKNOWN, **said, "name": name, "share": f"{min(share, 0.9999):.4f}", "bits": f"{answer['entropy']:.2f}",
        "most_bits": f"{math.log2(classes):.2f}", "classes": str(classes),
        "lost": f"{-math.log(max(share, 1e-12)):.3g}",
    }  # fmt: skip
