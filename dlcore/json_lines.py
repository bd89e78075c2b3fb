"""Values as lines of strict JSON, for who reads them with a program."""

from __future__ import annotations

import json
import math
from typing import Any


def line(value: Any) -> str:
    """One line of strict JSON: what is not a number becomes null."""
    return json.dumps(_strict(value), ensure_ascii=False, allow_nan=False, separators=(", ", ": "))


def _strict(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _strict(v) for name, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_strict(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
