"""Temporary."""
from dataclasses import dataclass
from typing import Any
from dlcore.texts import N_
@dataclass(frozen=True)
class Preset:
    title: str
    look: str
    settings: dict[str, Any]
PRESETS = {
  "xor_linear": Preset(N_("XOR without a hidden layer"), N_("One straight line cannot part opposite corners."), {"dataset":"xor","layers":""}),
  "spiral": Preset(N_("Spiral"), N_("Watch the layers bend."), {"dataset":"spiral","layers":"8,8,8","optimizer":"adam","learning_rate":0.01}),
}
