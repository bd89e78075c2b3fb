"""Build your own network: a card for each layer, with what comes out of it and its cost, or why it does not fit."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import streamlit as st

from dlcore import jobs
from dlcore.data import own_images
from dlcore.data.images import DRAWN
from dlcore.jobs import RunInfo
from dlcore.models.layer_shapes import Row, Shape, fault, shapes, step_bytes, total
from dlcore.models.layers import BOUNDS, FIRST, KINDS, MOST_TEXT, PRESETS, parse
from dlcore.texts import N_, Problem
from ui.components import component
from ui.controls import put_value
from ui.i18n import _, ngettext, tell
from ui.names import NETWORKS
from ui.session import page_state, set_up_by_teacher

KEY = "layers"
AT_REST = 10**9  # bytes that a worker takes before it computes anything
MOST_UNDO = 50  # texts that are kept
FORMS: dict[str, tuple[Shape, int]] = {**dict.fromkeys(DRAWN, ((1, 28, 28), 8)), "cifar10": ((3, 32, 32), 10)}
USUAL = ((1, 28, 28), 10)  # of an image, and how many classes
TITLES = {
    "conv": N_("Convolution"), "pool": N_("Pooling"), "norm": N_("Normalise"), "dropout": N_("Dropout"),
    "flatten": N_("Flatten"), "average": N_("Map average"), "largest": N_("Map maximum"), "dense": N_("Dense"),
    "relu": "ReLU", "tanh": "tanh", "gelu": "GELU", "sigmoid": "sigmoid",
}  # fmt: skip

_mount = component("layer_editor", height="22rem")


def layer_editor(slug: str, config: Any) -> bool:
    """Draw the editor where the network is one's own. Returns whether the network can be built, so that it may train.

    Args:
        config: of an image lesson; its ``layers`` are what is edited (``put_value``), its ``dataset`` what is fed in.
    """
    if config.network != "own":
        return True
    shape, classes = form(config)
    try:
        rows = shapes(parse(config.layers), shape, classes)
        problem = fault(rows)
    except Problem as unread:  # a typed text: no cards before it can be read
        rows, problem = [], unread
    if set_up_by_teacher():
        if problem:
            st.warning(tell(problem), icon=":material/info:")
        return problem is None
    state = page_state(slug)
    _mount(
        key=KEY,
        data={
            "text": config.layers, "n": state.get("layers_seen", 0), "undo": bool(state.get("layers_undo")),
            "input": _shape(shape), "layers": [_card(row) for row in rows], "wrong": problem is not None,
            "sum": _sum(rows, problem), "bounds": BOUNDS,
            "kinds": {kind: _(TITLES[kind]) for kind in KINDS}, "hows": {"max": _("largest"), "average": _("mean")},
            "presets": _presets(), "texts": _texts(),
        },
        on_edit_change=lambda: _edited(slug, config.layers),
    )  # fmt: skip
    if problem is None:
        _tell_memory(rows, config.batch_size)
    return problem is None


def folded_editor(slug: str, config: Any, *, unfolded: bool) -> bool:
    """``layer_editor`` in a fold, so that the picture of the training stays in sight; ``unfolded`` at first.

    Why the network does not fit stands below the fold, too, where it may be closed.
    """
    if config.network != "own" or set_up_by_teacher():
        return layer_editor(slug, config)
    fold = st.expander(
        _("Layers of your own network"), expanded=unfolded, icon=":material/layers:", key="own-network",
        on_change="rerun",
    )  # fmt: skip
    with fold:
        fits = layer_editor(slug, config)
    if not fits and not fold.open:
        st.warning(_("Your own network cannot be trained like this: open its layers."), icon=":material/layers:")
    return fits


def shows_own(run: RunInfo | None) -> bool:
    """Whether the page shows a run of one's own network: then its picture comes before the editor."""
    return run is not None and run.config.network == "own"


def _tell_memory(rows: list[Row], batch_size: int) -> None:
    """Whether a step would need more memory than a worker has; then the run would be ended in the midst of it."""
    room, needed = jobs.status().train_memory - AT_REST, step_bytes(rows, batch_size)
    if room <= 0 or needed <= room:
        return
    words = _(
        "A step on {batch:,} images would take about {needed:.1f} GB with this network, and a worker here has "
        "{room:.1f} GB for it. Take a batch size of at most {most:,}, or smaller maps."
    )
    most = int(batch_size * room / needed)
    st.warning(
        words.format(batch=batch_size, needed=needed / 1e9, room=room / 1e9, most=most), icon=":material/memory:"
    )


def form(config: Any) -> tuple[Shape, int]:
    """Shape of one image (channels, height, width) and how many classes there are, without loading the images."""
    if config.dataset != "own":
        return FORMS.get(config.dataset, USUAL)
    channels, side = own_images.FORMS[config.own_form]
    return (channels, side, side), len(own_images.summary(config.data_hash)["classes"])


def _edited(slug: str, now: str) -> None:
    """What was done in the browser: a new text, or a step back."""
    sent = (st.session_state.get(KEY) or {}).get("edit")
    state = page_state(slug)
    if not isinstance(sent, dict) or not isinstance(number := sent.get("n"), int):
        return
    state["layers_seen"] = number
    undo: list[str] = state.setdefault("layers_undo", [])
    text = sent.get("text")
    if sent.get("undo"):
        if undo:
            _put(slug, undo.pop())
    elif isinstance(text, str) and len(text) <= MOST_TEXT and text != now:
        undo.append(now)
        del undo[:-MOST_UNDO]
        _put(slug, text)


def _put(slug: str, text: str) -> None:
    put_value("layers", None if text == FIRST else text, slug=slug)


def _card(row: Row) -> dict[str, Any]:
    """What the browser shows of one layer: its numbers, and their consequences as words."""
    params = ngettext("{n} weight", "{n} weights", row.params).format(n=f"{row.params:,}") if row.params else ""
    return {
        **asdict(row.layer), "name": row.name, "shape": _shape(row.shape), "params": params,
        "problem": tell(row.problem, markdown=False) if row.problem else "",
    }  # fmt: skip


def _shape(shape: Shape) -> str:
    return " × ".join(map(str, shape)) or "–"


def _sum(rows: list[Row], problem: Problem | None) -> str:
    if problem and not rows:
        return tell(problem, markdown=False)
    if problem:
        place = next(n for n, row in enumerate(rows, 1) if row.problem)
        return _("It cannot be trained like this: see layer {n}.").format(n=place)
    work = sum(row.work for row in rows)
    return _("Together {params} weights, and {work} million multiplications for each image.").format(
        params=f"{total(rows):,}", work=f"{work / 1e6:.2g}" if work < 1e7 else f"{work / 1e6:,.0f}"
    )


def _presets() -> list[dict[str, str]]:
    known = [{"title": _(NETWORKS[name]), "text": text} for name, text in PRESETS.items()]
    return [{"title": _("Two conv."), "text": FIRST}, *known]


def _texts() -> dict[str, str]:
    return {
        "name": _("Layers of your own network"),
        "keys": _("Arrow keys go from layer to layer; with Alt they move it, Delete takes it out, Ctrl+Z undoes."),
        "start": _("Begin with"), "undo": _("Undo"), "add": _("Add a layer"), "scores": _("Dense: class scores"),
        "end": _("one score per class"),
        "line": _("The same as text"), "lineHelp": _("Also on the command line: --set network=own --set layers=…"),
        "image": _("Image"), "earlier": _("One place earlier"), "later": _("One place later"), "remove": _("Take out"),
        "conv.size": _("filters"), "dense.size": _("neurons"), "window": _("window"), "stride": _("stride"),
        "pad": _("margin"), "share": _("share"), "how": _("What is kept of each window"),
    }  # fmt: skip
