"""The playground's lab: data left, the network in the middle, its answer right, the run's buttons above."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import streamlit as st

from dlcore import jobs
from dlcore.experiments.neural_network import Config, resolve
from dlcore.history import History
from dlcore.knobs import build
from dlcore.playground_presets import PRESETS, Preset
from dlcore.playground_view import rows, same_run, thumbnails
from dlcore.texts import N_, Problem
from ui import own_data
from ui.components import component, pack
from ui.controls import controls, put_value
from ui.i18n import _, language, tell
from ui.intro import lab
from ui.lessons import lesson_for
from ui.playground_edits import KNOBS, SLUG, fresh, run_of_page
from ui.playground_picture import picture
from ui.run_panel import ACTIVE, run_panel
from ui.session import imposed, owner, page_state, set_up_by_teacher

SETS = {
    "circle": N_("Circle"), "xor": N_("Exclusive or"), "gauss": N_("Two clouds"), "spiral": N_("Spiral"),
    "moons": N_("Two moons"), "checkerboard": N_("Checkerboard"), "sine": N_("Sine"), "cubic": N_("Cubic"),
    "abs": N_("Absolute value"), "plane": N_("Plane"), "hills": N_("Hills"), "csv": N_("My CSV file"),
    "points": N_("My own points"),
}  # fmt: skip
LABELS = {
    "xavier": "Xavier", "he": "He", "small": N_("small"), "zeros": N_("zeros"), "sgd": N_("Gradient descent"),
    "momentum": N_("Momentum"), "nesterov": "Nesterov", "adagrad": "AdaGrad", "rmsprop": "RMSProp", "adam": "Adam",
    "adamw": "AdamW", "auto": N_("automatic"), "mse": N_("squared error"), "cross_entropy": N_("cross-entropy"),
    "hinge": N_("hinge"), "numba": N_("machine code"), "numpy": "NumPy",
}  # fmt: skip
MARKS = {"csv": "CSV", "points": "✎"}  # what stands in place of a small picture
IN_THE_PICTURE = ("dataset", "features", "layers", "activation", "points", "data_hash", "columns")
FOLDED = ("count", "initialization", "epochs")

_mount_sets = component("playground_data", height="146px")


def draw() -> tuple[Config, History]:
    """Draw all of the lab; returns the settings and the run that it shows (an empty history for a fresh network)."""
    cards = st.container(gap="xxsmall")
    panel, wide = lab(4.3)
    with panel:
        data_sets = st.container()
        config = controls(Config, labels=LABELS, hidden=_hidden, folded=FOLDED)
    with cards:
        _cards(config)
    with data_sets:
        if not set_up_by_teacher():
            _data_sets(config)
    with wide:
        return config, _run(config)


def _hidden(values: Mapping[str, Any]) -> tuple[str, ...]:
    """What the picture draws itself, and what this data does not have."""
    without = {"points": ("count", "noise"), "csv": ("noise",)}
    return *IN_THE_PICTURE, *without.get(values["dataset"], ())


def _run(config: Config) -> History:
    """The run's panel and picture, or why there is none to draw."""
    lesson = lesson_for(SLUG)
    if config.dataset == "csv" and not set_up_by_teacher():
        _own_table(config)
    try:
        resolve(config)
        ready = True
    except Problem as problem:
        st.info(tell(problem), icon=":material/info:")
        ready = False
        if not _drawable(config):
            _usual_network(problem)
            return History()
    _let_go(config)
    return run_panel(lesson, config, partial(_view, config), ready=ready, changes=partial(fresh, config))


def _view(config: Config, history: History) -> None:
    """The picture, and under it what the computer has had to do for it."""
    picture(config, history)
    st.caption(_effort(history))


def _effort(history: History) -> str:
    """How long the computing took, waiting and drawing left out: for comparing networks, batches and engines."""
    seconds, epoch = history.epochs.last("seconds", 0.0), history.epochs.last("epoch", 0)
    if not seconds or not epoch:
        return _("How fast the network is computed will stand here.")
    return _("{epochs} epochs took {seconds} s of computing with {engine}: {rate} epochs a second.").format(
        epochs=f"{epoch:,}", seconds=f"{seconds:.2g}", rate=f"{epoch / seconds:,.0f}",
        engine=_(LABELS[str(history.config.get("engine", "auto"))]),
    )  # fmt: skip


def _usual_network(problem: Problem) -> None:
    """A way out of a link whose network cannot be read: it is drawn nowhere, so it cannot be changed in the picture."""

    def take() -> None:
        for name in KNOBS:
            put_value(name, None, slug=SLUG)

    if problem.params.get("name") in KNOBS:
        st.button(_("Take the usual network"), icon=":material/undo:", key="usual-network", on_click=take)


def _drawable(config: Config) -> bool:
    """Whether there is a picture even so: a plane without points, to draw some."""
    try:
        rows(config)
        return config.dataset == "points"
    except Problem:
        return False


def _let_go(config: Config) -> None:
    """A run with other settings is over once the picture shows another network: it is stopped and put aside."""
    state, info = page_state(SLUG), run_of_page()
    if "run" not in state:
        newest = next(iter(jobs.runs(owner(), SLUG)), None)
        state["run"] = newest.run_id if newest and same_run(newest.config, config) else None
    elif info and not same_run(info.config, config):
        if info.state in ACTIVE:
            jobs.stop(info.run_id, owner=owner())
        state["run"] = None


# -- data ------------------------------------------------------------------------------------------------------------


def _data_sets(config: Config) -> None:
    """Small pictures of all data to choose from."""
    try:
        train, test = rows(config)
    except Problem:
        train = test = []
    small = thumbnails()
    payload = {
        "chosen": config.dataset, "language": language(), "train": train, "test": test,
        "sets": {
            name: {"name": _(text), "points": small[name], "mark": MARKS.get(name)} for name, text in SETS.items()
        },
        "texts": {
            "sets": _("Data"), "save": _("Save the points"), "save_help": _("Download the points as a CSV file."),
        },
    }  # fmt: skip
    _mount_sets(key="playground-sets", data=pack(payload), on_chosen_change=_choose_set)


def _choose_set() -> None:
    chosen = (st.session_state.get("playground-sets") or {}).get("chosen")
    if chosen in SETS:
        put_value("dataset", chosen, slug=SLUG)


def _own_table(config: Config) -> None:
    """Upload of a table, and the choice of its three columns."""
    hint = _("Three columns of numbers will do: two to predict from, and what is to be predicted.")
    table = own_data.table_of(config, hint)
    if table is None:
        return
    names = config.columns.split("~") if config.columns else [*table.names[:2], table.names[-1]]
    labels = (_("First column (x₁)"), _("Second column (x₂)"), _("Column to predict"))
    *columns, another = st.columns([2, 2, 2, 1], vertical_alignment="bottom")
    with another:
        own_data.other_file()
    known = [name if name in table.names else table.names[0] for name in names]
    for place, (label, column) in enumerate(zip(labels, columns, strict=True)):
        choose = partial(_choose_column, known, place)
        column.selectbox(label, table.names, **imposed(f"{SLUG}.column{place}", known[place], choose))


def _choose_column(names: list[str], place: int, name: str) -> None:
    put_value("columns", "~".join([*names[:place], name, *names[place + 1 :]]), slug=SLUG)


# -- lesson cards ----------------------------------------------------------------------------------------------------


def _cards(config: Config) -> None:
    """One button for each thing worth seeing; below them what to look at in the one that is set up."""
    if set_up_by_teacher():
        return
    chosen = chosen_card(config)
    with st.container(key="playground-cards", horizontal=True, gap="small"):
        for card in PRESETS:
            kind = "primary" if card is chosen else "secondary"
            st.button(_(card.title), key=f"{SLUG}.card.{card.slug}", type=kind, on_click=set_up, args=(card,))
    with st.container(key="playground-hint"):
        st.caption(_(chosen.text) if chosen else _("A card sets up one thing to see. Or change whatever you like."))


def set_up(preset: Preset) -> None:
    """Make a card's settings the page's."""
    page_state(SLUG)["given"] = dict(preset.settings)


def chosen_card(config: Config) -> Preset | None:
    """The card whose settings the page has, live ones left out."""
    return next((card for card in PRESETS if same_run(build(Config, card.settings), config)), None)


def csv_of(config: Config) -> str:
    """The points as CSV: x1, x2, y, and which part each belongs to."""
    train, test = rows(config)
    parts = [("train", row) for row in train.tolist()] + [("test", row) for row in test.tolist()]
    return "x1,x2,y,part\n" + "".join(f"{x1:.6g},{x2:.6g},{y:.6g},{part}\n" for part, (x1, x2, y) in parts)
