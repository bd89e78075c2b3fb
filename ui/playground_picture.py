"""The playground's picture: what the browser needs in order to evaluate, draw and play the network by itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import streamlit as st

from dlcore import playground_settings as settings
from dlcore.data import points2d
from dlcore.experiments.neural_network import Config
from dlcore.history import History
from dlcore.jobs import RunInfo
from dlcore.mlp import ACTIVATIONS
from dlcore.playground_view import first_frame, rows, still
from dlcore.texts import N_
from ui.components import component, pack
from ui.i18n import _, language
from ui.playground_edits import KEY, SLUG, Change, acknowledged, fresh, frozen, held, receive, run_of_page
from ui.session import in_fragment, page_state, set_up_by_teacher

HEIGHT = "520px"
OVERLAP = 3  # messages whose frames are sent again, since one that is overtaken by the next never arrives
FUNCTIONS = {
    "linear": N_("linear"), "sigmoid": N_("sigmoid"), "tanh": "tanh", "relu": "ReLU", "leaky_relu": "leaky ReLU",
    "gelu": "GELU", "sin": "sin",
}  # fmt: skip
TEXTS = {
    "features": N_("Features"),
    "network": N_("The network"),
    "layers": N_("{n} hidden layers"),
    "fewer_layers": N_("One hidden layer less"),
    "more_layers": N_("One hidden layer more"),
    "fewer_units": N_("Layer {n}: one unit less"),
    "more_units": N_("Layer {n}: one unit more"),
    "units": N_("Units of layer {n}"),
    "activation": N_("Activation of layer {n}"),
    "feature": N_("Feature {name}"),
    "feature_on": N_("Give this feature to the network"),
    "feature_off": N_("Take this feature away"),
    "unit": N_("layer {layer}, unit {unit}"),
    "output_unit": N_("Output unit"),
    "output": N_("Output"),
    "surface": N_("The network’s answer for every point of the plane."),
    "look_keys": N_("Arrow keys choose the point whose numbers an opened unit shows."),
    "draw_keys": N_("Arrow keys move a cross; Enter draws a point there, Delete erases."),
    "show_test": N_("Test points"),
    "show_test_help": N_("Show the points that the network never learns from, with a dark rim."),
    "discretize": N_("Two colors"),
    "discretize_help": N_("Show the decision only, not how sure it is."),
    "draw": N_("Draw points"),
    "plus": N_("Draw points of class +1"),
    "minus": N_("Draw points of class −1"),
    "erase": N_("Erase points (or the right mouse button)"),
    "undo": N_("Undo"),
    "clear": N_("Remove all"),
    "invite": N_("Draw points of both classes here."),
    "train_loss": N_("Training loss"),
    "test_loss": N_("Test loss"),
    "epoch": N_("Epoch"),
    "curves": N_("Loss over the epochs. At epoch {epoch}: training {train}, test {test}."),
    "curves_title": N_("Loss of training and test by epoch"),
    "matrix": N_("{share} of {n} test points right"),
    "matrix_train": N_("{share} of {n} training points right"),
    "said_minus": N_("said −1"),
    "said_plus": N_("said +1"),
    "is_minus": N_("is −1"),
    "is_plus": N_("is +1"),
    "go_to": N_("Go to epoch"),
    "go_label": N_("Go to this epoch"),
    "go_help": N_("Any epoch of the run; one that was not kept is computed again, exactly as it was."),
    "opened": N_("One unit"),
    "close": N_("Close"),
    "input": N_("input"),
    "weight": N_("weight"),
    "value": N_("value"),
    "product": N_("product"),
    "hold": N_("freeze"),
    "hold_help": N_("A frozen weight is left as it is while the others learn."),
    "bias": N_("bias"),
    "bias_explained": N_("The bias is added whatever the inputs are: it moves the unit’s line away from the origin."),
    "normalised": N_("u: z, normalized as the batches were on average"),
    "click_hint": N_("click to edit"),
    "bias_hint": N_("added whatever the inputs are; click to edit"),
    "play": N_("Play"),
    "pause": N_("Pause"),
    "step": N_("Step"),
    "scrub": N_("Frame shown; arrow keys move it"),
    "speed": N_("Speed"),
    "table": N_("Data table"),
    "csv": N_("Download as CSV"),
    "png": N_("Download as PNG"),
    "more": N_("The table shows the first {shown} of {all} rows; the CSV file has all of them."),
}

_mount = component("playground", height=HEIGHT)


def picture(config: Config, history: History) -> None:
    """Draw the network as the run of ``history`` has it, or fresh where nothing has run; for every tick of a run."""
    state = page_state(SLUG)
    if state.pop("whole", False) and in_fragment():
        st.rerun()  # a knob was changed in the picture: the whole page follows
    info = run_of_page() if history.config else None
    film = _film(history, info) or _preview(config)
    changes = [(c.name, c.value) for c in history.changes] if info else fresh(config)
    begun = [(c.name, c.value) for c in history.changes if c.step == 0] if info else fresh(config)
    waiting = held(info, history.step) if info and info.state not in ("running", "queued") else []
    train, test = rows(config)
    described = settings.described(config)
    payload = {
        **film,
        "language": language(),
        "texts": {name: _(text) for name, text in TEXTS.items()},
        "network": {"inputs": described["inputs"], "layers": described["layers"][:-1]},
        "loss": described["loss"],
        "shape": {
            "all": list(points2d.FEATURES),
            "activations": {name: _(FUNCTIONS[name]) for name in ACTIVATIONS},
            "activation": config.activation.split(",")[0],
        },
        "points": {
            "train": train,
            "test": test,
            "classification": described["classification"],
            "drawable": config.dataset == "points" and not set_up_by_teacher(),
            "drawn": points2d.read_points(config.points) if config.dataset == "points" else [],
        },
        "editable": not set_up_by_teacher(),
        "running": info is not None and info.state == "running",
        "steerable": info is None or info.state != "queued",
        "frozen": frozen([*changes, *waiting]),
        "first": weights(begun),
        "rest": weights(waiting),
        "can_replay": info is not None and info.state not in ("queued",),
        "again": _again(info),
        "ack": acknowledged(),
    }  # fmt: skip
    state["shown"] = {name: getattr(config, name) for name in config.__dataclass_fields__}
    _mount(key=KEY, data=pack(payload), on_edits_change=receive)


def weights(changes: Iterable[Change]) -> list[list[Any]]:
    """The weights among the changes, as [layer, i, j, value]."""
    return [value for name, value in changes if name == "weight"]


def _preview(config: Config) -> dict[str, Any]:
    """The untrained network as a film of one frame."""
    return {"run": f"fresh:{hash(still(config))}", "since": -1, "frames": first_frame(config)}


def _film(history: History, info: RunInfo | None) -> dict[str, Any] | None:
    """The frames that the browser does not have yet; all of them where it has none. None while there are none."""
    if info is None or not len(history.frames):
        return None
    state = page_state(SLUG)
    sent = state.get("sent", {})
    if state.pop("resend", False) or sent.get("run") != info.run_id:
        sent = {"run": info.run_id, "ends": []}
    ends = sent["ends"]
    since = ends[0] if len(ends) == OVERLAP else -1
    frames = history.frames.all() if since < 0 else history.frames.since(since)
    newest = int(frames["step"][-1]) if frames else since
    state["sent"] = {"run": info.run_id, "ends": [*ends, newest][-OVERLAP:]}
    return {"run": info.run_id, "since": since, "frames": frames}


def _again(info: RunInfo | None) -> dict[str, Any] | None:
    """The epoch that was asked for, while its run is shown."""
    asked = page_state(SLUG).get("again")
    return {"n": asked["n"], "frames": asked["frames"]} if asked and info and asked["run"] == info.run_id else None
