"""The living picture of the attention lesson: right answers, the map of one example as a film, and translations."""

from __future__ import annotations

from functools import lru_cache
from html import escape

import streamlit as st

from dlcore import attention_story as story
from dlcore.data.pairs import decode_answer
from dlcore.experiments.attention import NONE, SAMPLES
from dlcore.figures import GREY, MODEL, attention
from dlcore.figures.curves import Curve, curves
from dlcore.history import History
from dlcore.texts import N_
from ui.components import ASSETS
from ui.film import thinned
from ui.i18n import _
from ui.live_plot import frame_text, live_plot
from ui.session import page_state

HEIGHT = 290
COLORS = {NONE: GREY, "dot": MODEL, "additive": MODEL}


def attention_view(history: History) -> None:
    """Draw all of it; quick enough for every tick. Space is kept before there is anything to see."""
    left, right = st.columns([1, 1.9], gap="small")
    with left:
        live_plot(
            accuracy_figure(history), key="attention-accuracy", height=HEIGHT,
            alt=_("The share of whole answers that are right on texts never learned from, against steps."),
        )  # fmt: skip
    with right:
        _map(history)
    st.html(translations(history))


def accuracy_figure(history: History):
    """Whole answers right on held-out texts, and, pale, on the batches (there it is told the right symbols so far)."""
    steps, epochs, names = history.steps, history.epochs, history.info.get("cells", ())
    lines = []
    for name in names:
        title, color = story.SHORT[name], COLORS[name]
        lines.append(Curve(steps.column("step"), steps.column(f"accuracy/{name}"), color=color, width=1, opacity=0.25))
        values = epochs.column(f"test_accuracy/{name}")
        lines.append(Curve(epochs.column("step"), values, title, color, markers=True))
    return curves(
        lines, x_title=N_("step"), y_title=N_("whole answers right"), y_range=(0.0, 1.03), y_format=".0%",
        x_range=(0.0, float(history.total_steps or 300)), label=_,
    )  # fmt: skip


def _map(history: History) -> None:
    text, symbols = story.example(history)
    steps, maps = story.film(history)
    if history.info and not len(maps) and history.frames.kept:
        st.container(height=HEIGHT, border=False).caption(_("This network has no attention, so there is no map of it."))
        return
    frames = thinned({"step": steps, "maps": maps}) if len(maps) else {"maps": maps}
    plot = attention.film(frames["maps"], text, symbols, label=_)
    group = f"attention-{page_state('attention').get('run')}"
    words = _("After {step:d} steps: where it looks before each symbol of the right answer")
    seen = frames.get("step", steps)
    frame_text(f"<small>{words}</small>", {"step": seen if len(seen) else 0.0}, group=group, key="attention-step")
    alt = _("For each symbol of the right answer (rows) how much of the attention each letter read (columns) gets.")
    film = {**plot.frames, "group": group, "steps": seen, "controls": True}
    with st.container(key="wide-map"):  # on a phone it is moved sideways
        live_plot(plot.figure, key="attention-map", height=HEIGHT - 72, frames=film, alt=alt)


@lru_cache
def _style() -> str:
    return f"<style>{(ASSETS / 'translations.css').read_text(encoding='utf-8')}</style>"


def translations(history: History) -> str:
    """Held-out texts with what each network writes now, wrong symbols marked; HTML."""
    names, samples = history.info.get("cells", ()), history.info.get("samples", ())
    frame = history.frames.kept[-1] if history.frames.kept else None
    head = "".join(f"<th>{escape(_(story.TITLES[name]))}</th>" for name in names)
    rows = []
    for i, (text, answer) in enumerate(samples):
        said = [decode_answer(frame["said"][m, i]) for m in range(len(names))] if frame else [""] * len(names)
        cells = "".join(f"<td>{_marked(words, answer)}</td>" for words in said)
        rows.append(f'<tr><td title="{escape(text)}">{escape(text)}</td><td>{escape(answer)}</td>{cells}</tr>')
    if not rows:
        words = escape(_("Press Train: six texts that it never learns from, and what it makes of them, appear here."))
        rows = [f'<tr><td colspan="4">{words}</td></tr>', *['<tr><td colspan="4">&nbsp;</td></tr>'] * (SAMPLES - 1)]
    title = f"<th>{escape(_('Text, never learned from'))}</th><th>{escape(_('right answer'))}</th>"
    table = f"<thead><tr>{title}{head}</tr></thead><tbody>{''.join(rows)}</tbody>"
    return f'{_style()}<table class="dl-translations">{table}</table>'


def _marked(said: str, answer: str) -> str:
    """What was written, each symbol that is wrong at its place marked."""
    padded = answer.ljust(len(said))
    marked = "".join(escape(c) if c == right else f"<mark>{escape(c)}</mark>" for c, right in zip(said, padded))  # noqa: B905
    return marked + ('<i aria-label="✓"></i>' if said == answer else "")
