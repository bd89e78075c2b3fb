"""The seven steps of every training, as a thread through the lesson: each with its number."""

from __future__ import annotations

from functools import lru_cache
from html import escape

import streamlit as st

from dlcore.history import History
from dlcore.texts import N_
from ui.components import ASSETS
from ui.i18n import _

STEPS = (  # name, what it is (on hover)
    (N_("Preprocessing"), N_("Images become numbers of a comfortable size.")),
    (N_("Model"), N_("A network is built; its weights start at random.")),
    (N_("Forward"), N_("A batch of images runs through the layers and comes out as scores, one per class.")),
    (N_("Loss"), N_("One number: how far the scores are from the labels.")),
    (N_("Backward"), N_("The chain rule, back through the layers: a slope for every weight.")),
    (N_("Training"), N_("The optimizer moves every weight a little, against its slope. Then comes the next batch.")),
    (N_("Evaluation"), N_("The network is tried on images that it never learned from.")),
)
PREPARED, LOOP, EVALUATION = (0, 1), (2, 3, 4, 5), (6,)


def thread(history: History) -> None:
    """Draw the thread for a run. Forward to training repeat for every batch, many times a second: lit together."""
    lit = _lit(history)
    items = "".join(
        f'<li class="{"lit" if place in lit else ""}" title="{escape(_(hint))}">'
        f"<span>{escape(_(name))}</span><b>{escape(number)}</b></li>"
        for place, ((name, hint), number) in enumerate(zip(STEPS, _numbers(history), strict=True))
    )
    label = escape(_("The seven steps of a training run"))
    st.html(f'{_style()}<ol class="dl-thread" aria-label="{label}">{items}</ol>')


@lru_cache
def _style() -> str:
    return f"<style>{(ASSETS / 'thread.css').read_text(encoding='utf-8')}</style>"


def _lit(history: History) -> tuple[int, ...]:
    """Which steps the newest event was about."""
    measured = len(history.epochs) > 0 and history.epochs.last("step") == history.step
    match history.state:
        case "running" | "paused" | "stopped":
            if history.step == 0:
                return PREPARED
            return EVALUATION if measured else LOOP
        case "finished":
            return EVALUATION
        case "diverged":
            return (3,)
    return ()


def _numbers(history: History) -> list[str]:
    """One short fact for each step; a dash where it is not known yet."""
    info, config, last = history.info, history.config, history.steps.last
    if not info:
        return ["–"] * len(STEPS)
    batch, params = config["batch_size"], f"{info['params']:,}"
    rate, loss, accuracy = last("learning_rate"), last("loss"), history.epochs.last("test_accuracy")
    return [
        _("{n} images").format(n=f"{info['train_size']:,}"),
        _("{n} weights").format(n=params),
        _("{n} × {k} scores").format(n=batch, k=len(info["classes"])),
        "–" if loss is None else f"{loss:.3g}",
        _("{n} slopes").format(n=params),
        "–" if rate is None else _("rate {rate}").format(rate=f"{rate:.2g}"),
        "–" if accuracy is None else _("{share} right").format(share=f"{accuracy:.1%}"),
    ]
