"""The whole network as a picture, layer by layer, for one image; a unit that is opened shows what it is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
from plotly.colors import sequential

from dlcore import anatomy, jobs, units
from dlcore.figures import DIVERGING, SEQUENTIAL
from dlcore.texts import N_, Problem
from ui.components import component, pack
from ui.i18n import _, ngettext, tell
from ui.session import page_state

_mount = component("anatomy", height="640px")
SCALES = {"sequential": getattr(sequential, SEQUENTIAL), "diverging": [colour for _place, colour in DIVERGING]}
KINDS = {
    "scale": N_("scaling"), "conv": N_("convolution"), "relu": "ReLU", "maxpool": N_("max pooling"),
    "avgpool": N_("mean pooling"), "globalpool": N_("pooling over all"), "flatten": N_("one list"),
    "dense": N_("dense"), "dropout": "dropout", "norm": N_("normalisation"),
}  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """The network that is looked into.

    Args:
        checkpoint: its file, or None for the shipped one.
        version: a number that changes with the file's content.
        dataset, train_size: the images it learned from, as its config names them.
    """

    checkpoint: str | None = None
    version: int = 0
    dataset: str = "digits"
    train_size: int = 0


def anatomy_view(slug: str, seen: np.ndarray, asked: Asked) -> dict[str, Any] | None:
    """Draw it for the image ``seen`` (C, H, W) uint8; returns what the opened unit showed, or None.

    The unit opened last is in ``page_state(slug)["unit"]``, as ``[layer, index]``.
    """
    found, state = _anatomy(seen, asked.checkpoint, asked.version), page_state(slug)
    layers = [_layer(layer, seen.shape[1:]) for layer in found["layers"]]
    name, index = state.get("unit", ("", 0))
    opened = _unit(name, index, asked) if _there(layers, name, index) else None
    unit = None if opened is None else _told(opened, name, index, found["classes"])

    def picked() -> None:
        sent = (st.session_state.get("anatomy") or {}).get("pick")
        if isinstance(sent, dict) and isinstance(sent.get("layer"), str) and isinstance(sent.get("unit"), int):
            state["unit"] = [sent["layer"], sent["unit"]]

    payload = {
        "layers": layers, "first": _first(layers), "image": seen, "softmax": found["softmax"], "unit": unit,
        "classes": [_(name) for name in found["classes"]], "scales": SCALES, "texts": _texts(),
        "network": f"{asked.checkpoint or 'shipped'}@{asked.version}",
    }  # fmt: skip
    _mount(key="anatomy", data=pack(payload), on_pick_change=picked)
    return opened


def _first(layers: list[dict[str, Any]]) -> str:
    """The layer that is open at first: the first with weights."""
    return next((layer["name"] for layer in layers if layer["params"]), layers[-1]["name"])


def _there(layers: list[dict[str, Any]], name: str, index: int) -> bool:
    return any(layer["name"] == name and 0 <= index < layer["shape"][0] for layer in layers)


def _unit(layer: str, index: int, asked: Asked) -> dict[str, Any] | None:
    try:
        return _opened(layer, index, asked)
    except Problem as problem:
        st.warning(tell(problem))
        return None


@st.cache_data(max_entries=64, show_spinner=False)
def _anatomy(seen: np.ndarray, checkpoint: str | None, version: int) -> dict[str, Any]:
    return jobs.call(anatomy.anatomy, seen, checkpoint)


@st.cache_data(max_entries=64, show_spinner=False, hash_funcs={Asked: repr})
def _opened(layer: str, index: int, asked: Asked) -> dict[str, Any]:
    return jobs.call(
        units.unit, layer, index, asked.checkpoint, dataset=asked.dataset, train_size=asked.train_size, timeout=30.0
    )


# --- in words ---------------------------------------------------------------------------------------------------------


def _layer(layer: dict[str, Any], sides: tuple[int, ...]) -> dict[str, Any]:
    """A layer with its texts, for images of so many rows and columns."""
    (height, jump, _top), (width, *_rest) = layer["field"]
    if height == width == 1:
        about = _("The pixels themselves, as numbers of a comfortable size.")
    elif jump:
        about = _("Each number sees {h} × {w} pixels of the image.").format(h=height, w=width)
    elif height >= sides[0] and width >= sides[1]:
        about = _("Each number sees the whole image.")
    else:
        words = _("Each number sees {h} × {w} pixels, nearly the whole image; windows that do not fit drop the rim.")
        about = words.format(h=height, w=width)
    return {
        **layer,
        "label": _label(layer["name"]),
        "what": _(KINDS.get(layer["kind"]) or layer["kind"]),
        "about": about,
    }


def _label(name: str) -> str:
    return _("image") if name == "standardize" else name


def _told(opened: dict[str, Any], layer: str, index: int, classes: list[str]) -> dict[str, Any]:
    """What the browser shows of an opened unit."""
    weights, strongest, wanted = opened["weights"], opened["strongest"], opened["wanted"]
    last = layer == "logits"
    title = _("{layer}: the number for “{name}”") if last else _("{layer}: unit {index}")
    top, left, bottom, right = wanted["box"]
    names = [_(name) for name in strongest["classes"]]
    labels = [
        f"{names[label]} · {_number(value)}"
        for label, value in zip(strongest["labels"], strongest["values"], strict=True)
    ]
    return {
        "layer": layer, "index": index, "values": wanted["values"],
        "title": title.format(layer=layer, index=index, name=_(classes[index]) if last else ""),
        "about": _summary(strongest, names),
        "weights": None if weights is None else {"kernels": weights["kernels"], "text": _weights(weights)},
        "strongest": {
            "images": strongest["images"], "boxes": strongest["boxes"], "names": labels,
            "text": _("Of the {count} images asked, with what it saw there and its value.").format(
                count=f"{strongest['count']:,}"
            ),
        },
        "wanted": {
            "frames": wanted["frames"], "steps": wanted["steps"], "values": wanted["values"],
            "text": _(
                "Made from noise, step by step uphill; {h} × {w} pixels. White: ink is wanted, black: none, grey: "
                "it does not care."
            ).format(h=bottom - top, w=right - left),
        },
    }  # fmt: skip


def _summary(strongest: dict[str, Any], names: list[str]) -> str:
    """What the strongest images have in common, counted."""
    if not len(strongest["values"]) or strongest["values"][0] <= 0:
        return _("It answers to no image at all: a dead unit.")
    counts = np.bincount(strongest["labels"], minlength=len(names))
    most, total = int(counts.argmax()), len(strongest["labels"])
    words = _("Of the {total} images that it answers to most, {n} show “{name}”.")
    return words.format(total=total, n=counts[most], name=names[most])


def _weights(weights: dict[str, Any]) -> str:
    count, height, width = weights["kernels"].shape
    if count == height == 1:
        words = _("{n} weights of {layer}, one for each number before it; bias {bias}.")
        return words.format(n=width, layer=weights["layer"], bias=_number(weights["bias"]))
    words = ngettext(
        "{n} kernel of {h} × {w} weights ({layer}), vermilion adds, blue takes away; bias {bias}.",
        "{n} kernels of {h} × {w} weights ({layer}), one for each map before it; bias {bias}.",
        count,
    )
    return words.format(n=count, h=height, w=width, layer=weights["layer"], bias=_number(weights["bias"]))


def _number(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")


def _texts() -> dict[str, str]:
    return {
        "alt": _("The network, layer by layer; each layer is a button that opens its outputs."),
        "weights": _("{n} weights"), "none": _("no weights"),
        "pick": _("Click a map or a number to open that unit."),
        "maps": _(
            "The outputs of {layer}. Arrow keys move over the values, with Shift from unit to unit; Enter opens one."
        ),
        "input": _("The image that was chosen, with what the value under the pointer sees."),
        "hover": _("Move over the maps: each value, and what it sees of the image."),
        "range": _("here {low} to {high}"),
        "pixel": _("map {unit}, row {row}, column {column}"), "neuron": _("number {unit}"),
        "sees": _("sees {h} × {w} pixels"),
        "softmax": _("From scores to shares: e to the power of each score, divided by their sum (softmax)."),
        "class": _("class"), "sum": _("sum Σ"),
        "layer": _("layer"), "kind": _("kind"), "shape": _("shape"), "params": _("weights"),
        "least": _("least"), "most": _("most"), "table": _("Table of the layers"),
        "invite": _(
            "Open a unit: click one of the maps. Its weights appear here, the images it answers to most, and "
            "the image that it would like best."
        ),
        "wait": _("Asking the images, and climbing …"),
        "filter": _("Its weights"), "no_filter": _("It has none: it takes what the layer before it says."),
        "strongest": _("Strongest images"), "wanted": _("The image it wants"),
        "value": _("Its value: {before} for the noise, {now} now"),
        "play": _("Play"), "pause": _("Pause"), "step": _("Step"), "scrub": _("Step shown; arrow keys move it"),
        "speed": _("Speed"),
    }  # fmt: skip
