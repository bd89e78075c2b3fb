"""A network before pictures that went bad, and before pictures that show nothing it has learned."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dlcore.figures import attribution as figures
from dlcore.figures import images
from dlcore.vision.kinds import CORRUPTIONS, STRANGERS
from ui.asked import Asked, waiting, wanted
from ui.i18n import _
from ui.live_plot import live_plot

LOW, ROW = 280, 230  # px


def weather(asked: Asked) -> None:
    """The picture under every corruption, as cells to click on."""
    st.subheader(_("Bad pictures"), anchor="weather")
    st.caption(
        _("What cameras, weather and files do, in five strengths (kinds after Hendrycks and Dietterich 2019). In each "
          "cell: how sure it still is of its answer. Click one to see the picture.")
    )  # fmt: skip
    if not wanted(asked, "weather", _("Spoil the picture"), ":material/foggy:"):
        return
    with waiting(asked, 31):
        found = asked.call("weathering:weather")
    kinds, state = found["kinds"], st.session_state.setdefault("robust.cell", [0, 2])
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
                kind=_(CORRUPTIONS[kinds[row]]), n=column + 1, name=asked.title(found["answers"][row, column])
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
    with waiting(asked, 7):
        found = asked.call("weathering:strangers")
    titles = [asked.titles[k] for k in found["answers"]]
    sure = [f"{p:.0%}" for p in found["sure"]]
    live_plot(
        figures.row(found["pictures"], [f"{t} {p}" for t, p in zip(titles, sure, strict=True)],
                    [_(STRANGERS[k]) for k in found["kinds"]]),
        key="robust.strangers", height=ROW, alt=_("Strange pictures, each with the network's answer."),
        table={_("picture"): [_(STRANGERS[k]) for k in found["kinds"]], _("answer"): titles,
               _("probability"): found["sure"].round(4)},
    )  # fmt: skip
