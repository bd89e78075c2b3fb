"""The living picture of a network that trains: its curves and filters, its maps of one image, its gradients."""

from __future__ import annotations

import numpy as np
import streamlit as st

from dlcore.figures import DATA, GREY, MODEL, gradients, images
from dlcore.figures.curves import LINE_HEIGHT, Curve, Level, curves, running_mean
from dlcore.history import History
from dlcore.texts import N_
from ui.film import film, forget
from ui.i18n import _
from ui.live_plot import live_plot
from ui.session import current, page_state
from ui.thread import thread

CURVES, MAPS, GRADIENTS = "curves", "maps", "gradients"
VIEWS = {CURVES: N_("Curves"), MAPS: N_("Feature maps"), GRADIENTS: N_("Gradients")}
HEIGHT = 270
SMOOTHING = 20  # batches that are averaged for the bold line of the training loss


def training_view(history: History) -> None:
    """Draw all of it; quick enough for every tick (under 5 ms). Space is kept before there is anything to see."""
    thread(history)
    shown = st.segmented_control(
        _("What is shown of the training"), list(VIEWS), format_func=lambda name: _(VIEWS[name]), default=CURVES,
        key="training.view", required=True, label_visibility="collapsed",
        help=_("The curves; what each layer makes of one test image; or how large the gradient is in each layer."),
    )  # fmt: skip
    if shown != MAPS:
        forget(current())
    with st.container(height=HEIGHT + 30, border=False, key="training-view"):
        if shown == MAPS:
            film(history, slug=current(), run=str(page_state(current()).get("run", "")))
        elif shown == GRADIENTS:
            _gradients(history)
        else:
            _curves(history)
    st.caption(_pace(history))


def _curves(history: History) -> None:
    loss, accuracy, first = st.columns([2.1, 2.1, 1.2], gap="small")
    with loss:
        live_plot(
            loss_figure(history), key="loss", height=HEIGHT,
            alt=_("Loss against steps, for the training batches and for the test images."),
        )  # fmt: skip
    with accuracy:
        live_plot(
            accuracy_figure(history), key="accuracy", height=HEIGHT,
            alt=_("Share of right answers against steps, for the training batches and for the test images."),
        )  # fmt: skip
    with first:
        _filters(history)


def _gradients(history: History) -> None:
    """The norm of each layer's gradient: now, from the first layer to the last; and over the run."""
    norms = gradient_norms(history)
    now, past = st.columns(2, gap="small")
    newest = np.array([values[-1] for _steps_seen, values in norms.values()], float)
    with now:
        live_plot(
            gradients.by_layer(list(norms), newest, label=_), key="gradient-now", height=HEIGHT,
            alt=_("The norm of the gradient in each layer, in the order of the layers, on a logarithmic scale."),
        )  # fmt: skip
    with past:
        live_plot(
            gradients.by_step(norms, _steps(history), label=_), key="gradient-past", height=HEIGHT,
            alt=_("The norm of the gradient against steps, one line for each layer, on a logarithmic scale."),
        )  # fmt: skip


def gradient_norms(history: History) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """For each layer with weights, in order: the steps (n,) at which it was looked, and its gradient's norms (n,)."""
    frames = [frame for frame in history.frames.kept if frame["step"] > 0]
    names = [name for name in (frames[0] if frames else {}) if name.startswith("gradient/")]
    steps = np.array([frame["step"] for frame in frames], float)
    return {name.removeprefix("gradient/"): (steps, np.array([f[name] for f in frames], float)) for name in names}


def loss_figure(history: History):
    """Loss of each batch (faint), its running mean, and the test loss, on a logarithmic scale."""
    step, loss = history.steps.column("step"), history.steps.column("loss")
    lines = [
        Curve(step, loss, color=DATA, width=1, opacity=0.3),
        Curve(step, running_mean(loss, SMOOTHING), N_("training"), DATA),
        Curve(history.epochs.column("step"), history.epochs.column("test_loss"), N_("test"), MODEL, markers=True),
    ]
    lowest, highest = np.nanmin([1e-2, *loss[loss > 0]]), np.nanmax([4.0, *loss])
    decades = (10 ** np.floor(np.log10(lowest)), highest)  # whole ones, so that the axis seldom moves
    return curves(
        lines, x_title=N_("step"), y_title=N_("loss"), log_y=True, x_range=_steps(history), y_range=decades, label=_
    )  # fmt: skip


def accuracy_figure(history: History, line_height: float = LINE_HEIGHT):
    """Share of right answers: of each batch while training, and on the test images.

    Args:
        line_height: as of ``curves``; more where the plot is low.
    """
    step, accuracy = history.steps.column("step"), history.steps.column("accuracy")
    classes = len(history.info.get("classes", ())) or 10
    lines = [
        Curve(step, running_mean(accuracy, SMOOTHING), N_("training"), DATA),
        Curve(history.epochs.column("step"), history.epochs.column("test_accuracy"), N_("test"), MODEL, markers=True),
    ]
    return curves(
        lines, x_title=N_("step"), y_title=N_("right answers"), x_range=_steps(history), y_range=(0.0, 1.02),
        y_format=".0%", levels=[Level(1 / classes, N_("guessing"), GREY)], label=_, line_height=line_height,
    )  # fmt: skip


def _steps(history: History) -> tuple[float, float]:
    """The whole run's length, so that the curves grow into their place and nothing jumps."""
    return 0.0, float(history.total_steps or 100)


def _filters(history: History) -> None:
    snapshot = history.snapshots.get("filters")
    st.caption(_("First layer's filters"))
    if snapshot is None:
        words = _("They appear here as they are learned.")
        if history.config.get("network") == "mlp":
            words = _("This network has none.")
        st.container(height=HEIGHT - 40, border=False).caption(words)
        return
    live_plot(
        images.filters(snapshot.arrays["weight"], columns=6), key="filters", height=HEIGHT - 40,
        alt=_("The filters of the first layer: vermilion where a bright pixel adds, blue where it takes away."),
    )  # fmt: skip


def _pace(history: History) -> str:
    """How fast it goes, and at the end what has been reached; a line that is always there."""
    speed, seconds = history.steps.last("examples_per_second"), history.steps.last("seconds")
    if not speed or not history.info:
        return _("Blue: the images it learns from. Vermilion: test images that it never learns from.")
    if history.state == "finished":
        return _(
            "After {seconds} s of training ({speed} images per second) {share} of {total} test images are answered "
            "right. "
            "[Ask it yourself](#ask) or [look at its mistakes](#evaluation)."
        ).format(
            seconds=f"{history.metrics['seconds']:.3g}",
            speed=_rounded(history.metrics["examples_per_second"]),
            share=f"{history.metrics['test_accuracy']:.2%}",
            total=f"{history.info['test_size']:,}",
        )
    per_epoch = history.info["steps_per_epoch"]
    return _("Epoch {epoch} of {epochs} · {speed} images per second · {seconds} s of training").format(
        epoch=min(history.step // per_epoch + 1, history.total_steps // per_epoch),
        epochs=history.total_steps // per_epoch,
        speed=_rounded(speed),
        seconds=f"{seconds:.1f}",
    )


def _rounded(speed: float) -> str:
    """To two digits: the rest flickers and means nothing."""
    return f"{float(f'{speed:.2g}'):,.0f}"
