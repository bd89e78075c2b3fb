"""What ImageNet's thousand classes are called in other languages. Imports nothing but JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "assets" / "classes"
ENDS = ("tench", "toilet paper", "toilet tissue")  # ImageNet's first class, and its last as torchvision writes it


def names(classes: Sequence[str], language: str) -> list[str]:
    """The classes' names in a language ("en", "zh"), in their order; English where it has no list for them.

    Only ImageNet's 1000 classes have lists; what is called "crane" twice in English has two names there.
    """
    listed = _listed(language) if is_imagenet(classes) else None
    return list(listed or classes)


def imagenet(language: str) -> list[str] | None:
    """ImageNet's 1000 classes in a language, by their index; None where there is no list (English has none)."""
    return _listed(language)


def is_imagenet(classes: Sequence[str]) -> bool:
    """Whether these are ImageNet's thousand classes in torchvision's order."""
    return len(classes) == 1000 and classes[0] == ENDS[0] and classes[-1] in ENDS[1:]


@cache
def _listed(language: str) -> list[str] | None:
    path = FOLDER / f"imagenet.{language}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
