"""Every component once, with what Python gets back written below it."""

import time
from pathlib import Path

import numpy as np
import streamlit as st

from dlcore import figures
from ui import style
from ui.concept_map import Edge, Node, concept_map
from ui.draw_pad import draw_pad
from ui.i18n import set_language
from ui.live_plot import frame_text, live_plot
from ui.slider import Mark, put, slider

st.set_page_config(layout="wide")
set_language(st.query_params.get("lang", "en"))
style.apply()
st.title("How big may a step be?")

controls, picture = st.columns([1, 2], gap="large")
with controls:
    if st.button("Reset", key="reset"):
        put("rate", 0.01)
    limit = 0.0249
    rate = slider(
        "Learning rate", key="rate", low=limit / 1000, high=3 * limit, value=0.01, log=True, help="How far one step goes.",
        color=figures.GRADIENT,
        marks=[Mark(limit, "diverges above", "limit"), Mark(0.0164, "best rate", "best"), Mark(1e-3, "a note", "note")],
    )  # fmt: skip
    points = slider("Points", key="points", low=10, high=2000, value=100, step=10, unit="points")
    noise = slider("Noise", key="noise", low=-1, high=1, value=0.0)
    st.write(f"rate={rate!r} points={points!r} noise={noise!r}")
    if st.session_state.get("slow"):
        time.sleep(0.15)
    st.checkbox("slow", key="slow")
    image = draw_pad(key="pad", size=28)
    st.write(
        "pad=None" if image is None else f"pad={image.shape} {image.dtype} sum={int(image.sum())} max={image.max()}"
    )


def descent(rate: float, count: int = 2000) -> np.ndarray:
    theta = np.empty((count, 2))
    theta[0] = (-1.5, 2.5)
    for k in range(1, count):
        theta[k] = theta[k - 1] - rate * np.array([2.0, 60.0]) * theta[k - 1]
    return np.clip(theta, -1e3, 1e3)


rng = np.random.default_rng(0)
x = np.sort(rng.uniform(0, 10, int(points)))
y = 1.5 * x + 2 + rng.normal(0, 1 + abs(noise), x.size)
theta = descent(rate)
ends = np.array([0.0, 10.0])
line = theta + [1.5, 2.0]
loss = theta[:, 0] ** 2 + 30 * theta[:, 1] ** 2
steps = np.arange(len(theta))

with picture:
    left, right = st.columns(2)
    data = figures.figure(
        [
            {"type": "scatter", "mode": "markers", "x": x, "y": y, "marker": {"color": figures.DATA, "size": 6}, "name": "data"},
            {"type": "scatter", "mode": "lines", "x": ends, "y": ends, "line": {"color": figures.MODEL, "width": 3}, "name": "line"},
        ],
        {"xaxis": {"title": {"text": "x"}}, "yaxis": {"title": {"text": "y"}, "range": [-5, 25]}},
    )  # fmt: skip
    basis = np.stack([ends, np.ones(2)], axis=1)
    with left:
        click = live_plot(
            data, key="data", alt="Points and a line", on_click=True, height=330,
            frames={"count": len(theta), "group": "descent", "traces": {1: {"y": {"mix": [line, basis]}}}, "controls": False},
        )  # fmt: skip
        st.write(f"click={click}")
    w = np.linspace(-3, 3, 60)
    z = np.log10(w[None, :] ** 2 + 30 * w[:, None] ** 2 + 1e-3)
    surface = figures.figure(
        [
            {"type": "contour", "x": w, "y": w, "z": z, "colorscale": figures.SEQUENTIAL, "showscale": False, "ncontours": 20},
            {"type": "scatter", "mode": "lines", "x": theta[:, 0], "y": theta[:, 1], "line": {"color": figures.MODEL}},
            {"type": "scatter", "mode": "markers", "x": theta[-1:, 0], "y": theta[-1:, 1], "marker": {"color": figures.MODEL, "size": 11}},
        ],
        {"xaxis": {"title": {"text": "θ₁"}, "range": [-3, 3]}, "yaxis": {"title": {"text": "θ₀"}, "range": [-3, 3]}},
    )  # fmt: skip
    grown = {axis: {"grow": theta[:, i]} for i, axis in enumerate("xy")}
    point = {axis: {"at": theta[:, i]} for i, axis in enumerate("xy")}
    with right:
        live_plot(
            surface, key="surface", alt="A valley and the path in it", height=330,
            frames={"count": len(theta), "group": "descent", "traces": {1: grown, 2: point}, "controls": False},
        )  # fmt: skip
    curve = figures.figure(
        [{"type": "scatter", "mode": "lines", "x": steps, "y": loss, "line": {"color": figures.MODEL}, "name": "loss"}],
        {
            "xaxis": {"title": {"text": "step"}, "range": [0, 2000]},
            "yaxis": {"title": {"text": "loss"}, "type": "log", "range": [-8, 3]},
        },
    )
    live_plot(
        curve, key="loss", alt="Loss against steps", height=220,
        frames={"count": len(theta), "group": "descent", "traces": {0: {"x": {"grow": steps}, "y": {"grow": loss}}}},
    )  # fmt: skip
    frame_text(
        "<i>θ</i><sub>1</sub> ← <b class='model'>{before}</b> − {rate} · <b class='gradient'>{gradient}</b> at step {step:d}",
        {"before": theta[:, 0], "rate": rate, "gradient": 2 * theta[:, 0]}, group="descent", key="formula",
    )  # fmt: skip

st.markdown((Path(__file__).parent / "page_text.md").read_text(encoding="utf-8"))
concept_map(
    [
        Node("nn", "Neural network", 0.1, 0.5, "/neural_network?lang=en", "ready"),
        Node("bp", "Backpropagation", 0.4, 0.2, "/backpropagation?lang=en", "ready"),
        Node("opt", "Optimizers", 0.4, 0.8, "/optimizers?lang=en", "coming"),
        Node("cnn", "Convolutional network", 0.8, 0.5, "/cnn?lang=en", "ready"),
    ],
    [Edge("nn", "bp"), Edge("nn", "opt"), Edge("bp", "cnn"), Edge("opt", "cnn")],
    key="map",
)
