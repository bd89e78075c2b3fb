"""A page that does nothing but redraw a plot of four lines with 2,000 points each, as a training run would."""

import time

import numpy as np
import streamlit as st

from dlcore.figures import DATA, GRADIENT, MODEL, REFERENCE, figure
from ui.live_plot import live_plot

STEPS = np.arange(2000)
CURVES = np.random.default_rng(0).normal(size=(4, 2000)).cumsum(axis=1)


@st.fragment(run_every=0.25)
def tick() -> None:
    data = [
        {"type": "scatter", "mode": "lines", "x": STEPS, "y": curve + np.sin(time.time()), "line": {"color": color}}
        for curve, color in zip(CURVES, (DATA, MODEL, GRADIENT, REFERENCE), strict=True)
    ]
    live_plot(figure(data, {"xaxis": {"title": {"text": "step"}}}), key="curves", alt="Four curves")
    st.session_state["ticks"] = st.session_state.get("ticks", 0) + 1
    st.caption(f"ticks={st.session_state['ticks']}")


tick()
