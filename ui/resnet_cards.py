"""Networks to begin with, one press each: the small experiment, and the paper's own networks on several datasets."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from dlcore.experiments.resnet import Config
from dlcore.texts import N_
from ui.controls import put_value
from ui.i18n import _
from ui.session import page_state, set_up_by_teacher

SLUG = "resnet"
CARDS: dict[str, dict[str, Any]] = {
    N_("20 layers, digits"): {"network": "stack", "dataset": "digits", "depth": 20, "norm": "none",
                              "order": "post"},
    N_("20 layers, normalised"): {"network": "stack", "dataset": "digits", "depth": 20, "norm": "batch",
                                  "order": "pre"},
    N_("Ten convolutional blocks, clothes"): {"network": "stack", "blocks": "conv", "dataset": "fashion_mnist",
                                              "norm": "batch", "init": "he"},
    N_("ResNet-20, digits"): {"network": "resnet20", "dataset": "digits"},
    N_("ResNet-20, clothes"): {"network": "resnet20", "dataset": "fashion_mnist"},
    N_("ResNet-20, photographs"): {"network": "resnet20", "dataset": "cifar10"},
    N_("ResNet-18, photographs"): {"network": "resnet18", "dataset": "cifar10"},
}  # fmt: skip


def cards(config: Config) -> None:
    """Draw the presets; one that is pressed sets the controls above, and everything else goes back to its default."""
    if set_up_by_teacher():
        return
    with st.container(key="prose-cards"), st.container(horizontal=True, gap="small"):
        for title, settings in CARDS.items():
            here = all(getattr(config, name) == value for name, value in settings.items())
            st.button(
                _(title), key=f"card.{title}", type="primary" if here else "secondary", on_click=partial(_set, settings)
            )


def _set(settings: dict[str, Any]) -> None:
    for name in list(page_state(SLUG).get("given", {})):
        put_value(name, None, slug=SLUG)
    for name, value in settings.items():
        put_value(name, value, slug=SLUG)
