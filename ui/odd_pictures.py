"""A network before pictures that went bad, and before pictures that show nothing it has learned."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from dlcore.figures import attribution as figures
from dlcore.figures import images
from dlcore.texts import N_, Problem
from dlcore.vision.kinds import CORRUPTIONS, EACH, STRANGERS
from ui.asked import Asked, wanted
from ui.i18n import _, tell
from ui.in_pieces import Question, in_pieces, pieces_for
from ui.live_plot import live_plot
from ui.session import page_state

LOW, ROW = 280, 230  # px
SOURCES = {
    "photographs": N_("photographs of ants and bees, two of ImageNet’s subjects"),
    "views": N_("pieces of the examples that come along"), "images": N_("test images"),
}  # fmt: skip


def weather(asked: Asked) -> None:
    """The picture under every corruption, as cells to click on."""
    st.subheader(_("Bad pictures"), anchor="weather")
    st.caption(
        _("What cameras, weather and files do, in five strengths (kinds after Hendrycks and Dietterich 2019). In each "
          "cell: how sure it still is of its answer. Click one to see the picture.")
    )  # fmt: skip
    if not wanted(asked, "weather", _("Spoil the picture"), ":material/foggy:"):
        return
    answers = in_pieces(asked, "weather", [
        Question("weathering:weather", ((kind,),), 6) for kind in CORRUPTIONS
    ])  # fmt: skip
    if answers is None:
        return
    found = {
        name: np.concatenate([answer[name] for answer in answers]) for name in ("probabilities", "answers", "pictures")
    }
    kinds, state = list(CORRUPTIONS), page_state("robust").setdefault("cell", [0, 2])
    titles = [[asked.titles[k] for k in row] for row in found["answers"]]

    def chosen(click: dict[str, Any]) -> None:
        row, column = round(click["y"]), round(click["x"])
        if 0 <= row < len(kinds) and 0 <= column < 5:
            state[:] = [row, column]

    left, right = st.columns([1.7, 1], gap="large")
    with left:
        live_plot(
            figures.weathered([CORRUPTIONS[k] for k in kinds], found["probabilities"], titles, label=_),
            key="robust.weather", height=LOW + 20, on_click=chosen,
            alt=_("How sure the network is of its first answer under six corruptions in five strengths."),
            table={"": [_(CORRUPTIONS[k]) for k in kinds],
                   **{str(s + 1): found["probabilities"][:, s].round(3) for s in range(5)}},
        )  # fmt: skip
    row, column = state
    with right:
        st.caption(
            _("{kind}, strength {n}: it says “{name}”").format(
                kind=_(CORRUPTIONS[kinds[row]]), n=column + 1, name=asked.title(int(found["answers"][row, column]))
            )
        )
        live_plot(
            images.pictures(found["pictures"][row, column][None], 1), key="robust.spoiled", height=LOW - 20, aspect=1.0,
            alt=_("The picture under the chosen corruption."),
        )  # fmt: skip


def strangers(asked: Asked) -> None:
    """What it says of pictures that show nothing it has learned."""
    st.subheader(_("Pictures of nothing it has learned"), anchor="strangers")
    st.caption(
        _("It has no answer “I do not know”: softmax shares out 100% whatever it is shown. Below each picture what it "
          "says, and how sure it is.")
    )  # fmt: skip
    if not wanted(asked, "strangers", _("Show it strange things"), ":material/question_mark:"):
        return
    answers = in_pieces(asked, "strangers", [Question("weathering:strangers", (), 7)])
    if answers is None:
        return
    found = answers[0]
    titles = [asked.titles[k] for k in found["answers"]]
    sure = [f"{p:.0%}" for p in found["sure"]]
    live_plot(
        figures.row(found["pictures"], [f"{t} {p}" for t, p in zip(titles, sure, strict=True)],
                    [_(STRANGERS[k]) for k in found["kinds"]]),
        key="robust.strangers", height=ROW, alt=_("Strange pictures, each with the network's answer."),
        table={_("picture"): [_(STRANGERS[k]) for k in found["kinds"]], _("answer"): titles,
               _("probability"): found["sure"].round(4)},
    )  # fmt: skip
    _how_sure(asked)


def _how_sure(asked: Asked) -> None:
    """How sure it is of many strangers, beside many pictures of its kind."""
    parts = pieces_for(asked, EACH, EACH // 4)
    questions = [
        Question("certainty:confidence", (asked.subject.dataset,), EACH / parts, {"known": known, "part": (k, parts)})
        for known in (True, False) for k in range(parts)
    ]  # fmt: skip
    try:
        answers = in_pieces(asked, "certainty", questions)
    except Problem as problem:  # the images that it learned from are not here
        st.caption(tell(problem))
        return
    if answers is None:
        return
    known, strange = (np.concatenate([a["sure"] for a in some]) for some in (answers[:parts], answers[parts:]))
    cut, through = missed(known, strange)
    left, right = st.columns([1, 1.7], gap="large", vertical_alignment="center")
    left.markdown(
        _("**Could certainty tell them apart?** {n} pictures of things that it knows ({source}) and {n} of nothing: "
          "the medians are {known} and {strange}. To keep 95% of the known ones, one must believe every answer that "
          "is at least {cut} sure, and so believes **{through}** of the strangers.").format(
            n=EACH, source=_(SOURCES[answers[0]["source"]]), known=f"{np.median(known):.0%}",
            strange=f"{np.median(strange):.0%}", cut=f"{cut:.0%}", through=f"{through:.0%}",
        )
    )  # fmt: skip
    with right:
        live_plot(
            figures.certainties(known, strange, cut, label=_), key="robust.certainty", height=LOW,
            alt=_("How sure the network is of pictures that it knows, and of strangers: two histograms."),
            table={_("probability of the answer"): [f"{k / 10:.0%}" for k in range(10)],
                   _("known pictures"): figures.tenths(known), _("strangers"): figures.tenths(strange)},
        )  # fmt: skip


def missed(known: np.ndarray, strange: np.ndarray) -> tuple[float, float]:
    """The certainty from which on 95 % of the known pictures are believed, and the share of strangers that then are."""
    cut = float(np.sort(known)[int(0.05 * len(known))])
    return cut, float((strange >= cut).mean())
