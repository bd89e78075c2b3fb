"""Every component once, with what Python gets back written below it."""

import time
from pathlib import Path

import numpy as np
import streamlit as st

from dlcore import figures
from ui import style
from ui.coloured_text import coloured_html
from ui.concept_map import Edge, Node, concept_map
from ui.draw_pad import draw_pad
from ui.i18n import set_language
from ui.live_plot import frame_text, live_plot
from ui.slider import Mark, put, slider
from ui.type_box import put_text, type_box

LIMIT = 0.0249
STEPS = 2000


def main() -> None:
    st.set_page_config(layout="wide")
    set_language(st.query_params.get("lang", "en"))
    style.apply()
    st.title("How big may a step be?")
    with st.container(key="lab"):
        left, right = st.columns([1, 2.7], gap="large")
    with left:
        rate, points = knobs()
    with right:
        if st.query_params.get("plots") != "none":
            pictures(rate, points)
    with st.container(key="prose-sample"):
        st.markdown((Path(__file__).parent / "sample.md").read_text(encoding="utf-8"))
    the_map()
    typing()


def knobs() -> tuple[float, int]:
    if st.button("Reset"):
        put("rate", 0.01)
    marks = [Mark(LIMIT, "diverges above", "limit"), Mark(0.0164, "best rate", "best"), Mark(1e-3, "a note")]
    rate = slider("Learning rate", key="rate", low=LIMIT / 1000, high=3 * LIMIT, value=0.01, log=True,
                  help="How far one step goes.", color=figures.GRADIENT, marks=marks)  # fmt: skip
    points = slider("Points", key="points", low=10, high=2000, value=100, step=10, unit="points")
    epochs = slider("Epochs", key="epochs", low=1, high=60, value=3, log=True, step=1)
    kept = st.session_state.setdefault("kept", 0.0)
    noise = slider("Noise", key="noise", low=-1, high=1, value=kept, controlled=True, zero="none")
    st.session_state["kept"] = noise
    st.write(f"rate={rate!r} points={points!r} noise={noise!r} epochs={epochs!r}")
    time.sleep(0.15 if st.checkbox("slow") else 0)  # a page that takes longer than the slider's interval
    image = draw_pad(key="pad")
    st.write("pad=None" if image is None else f"pad={image.shape} {image.dtype} row={image.max(axis=1).tolist()}")
    return rate, int(points)


def descent(rate: float) -> np.ndarray:
    theta = np.empty((STEPS, 2))
    theta[0] = (-1.5, 2.5)
    for k in range(1, STEPS):
        theta[k] = theta[k - 1] - rate * np.array([2.0, 60.0]) * theta[k - 1]
    return np.clip(theta, -1e3, 1e3)


def pictures(rate: float, points: int) -> None:
    rng = np.random.default_rng(0)
    x = np.sort(rng.uniform(0, 10, points))
    y = 1.5 * x + 2 + rng.normal(0, 1, points)
    theta = descent(rate)
    film = {"count": STEPS, "group": "descent", "controls": False}
    left, right = st.columns(2)
    with left:
        click = data_plot(x, y, theta, film)
    with right:
        surface_plot(theta, film)
    loss_plot(theta, {**film, "controls": True})
    formula = (
        "<i>θ</i><sub>1</sub> ← <b class='model'>{before}</b> − {rate} · <b class='gradient'>{gradient}</b>"
        " <span id='now'>{step:d}</span>"
    )
    values = {"before": theta[:, 0], "rate": rate, "gradient": 2 * theta[:, 0]}
    frame_text(formula, values, group="descent", key="formula")
    st.write(f"click={click}")


def data_plot(x: np.ndarray, y: np.ndarray, theta: np.ndarray, film: dict) -> dict | None:
    ends = np.array([0.0, 10.0])
    data = [
        {"type": "scatter", "mode": "markers", "x": x, "y": y, "marker": {"color": figures.DATA}, "name": "data"},
        {"type": "scatter", "mode": "lines", "x": ends, "y": ends, "line": {"color": figures.MODEL, "width": 3}},
    ]
    layout = {"xaxis": {"title": {"text": "x"}}, "yaxis": {"title": {"text": "y"}, "range": [-5, 25]}}
    line = {"mix": [theta + np.array([1.5, 2.0]), np.stack([ends, np.ones(2)], axis=1)]}
    return live_plot(figures.figure(data, layout), key="data", alt="Points and a line", on_click=True, height=330,
                     frames={**film, "traces": {1: {"y": line}}})  # fmt: skip


def surface_plot(theta: np.ndarray, film: dict) -> None:
    w = np.linspace(-3, 3, 60)
    z = np.log10(w[None, :] ** 2 + 30 * w[:, None] ** 2 + 1e-3)
    paint = {"color": figures.MODEL}
    data = [
        {"type": "contour", "x": w, "y": w, "z": z, "colorscale": figures.SEQUENTIAL, "showscale": False},
        {"type": "scatter", "mode": "lines", "x": theta[:, 0], "y": theta[:, 1], "line": paint},
        {"type": "scatter", "mode": "markers", "x": theta[-1:, 0], "y": theta[-1:, 1], "marker": {**paint, "size": 11}},
    ]
    layout = {axis: {"title": {"text": name}, "range": [-3, 3]} for axis, name in [("xaxis", "θ₁"), ("yaxis", "θ₀")]}
    path = {axis: {"grow": theta[:, i]} for i, axis in enumerate("xy")}
    ball = {axis: {"at": theta[:, i]} for i, axis in enumerate("xy")}
    live_plot(figures.figure(data, layout), key="surface", alt="A valley and the path in it", height=330,
              frames={**film, "traces": {1: path, 2: ball}})  # fmt: skip


def loss_plot(theta: np.ndarray, film: dict) -> None:
    steps, loss = np.arange(STEPS), theta[:, 0] ** 2 + 30 * theta[:, 1] ** 2
    data = [{"type": "scatter", "mode": "lines", "x": steps, "y": loss, "line": {"color": figures.MODEL}, "name": "a"}]
    layout = {
        "xaxis": {"title": {"text": "step"}, "range": [0, STEPS]},
        "yaxis": {"title": {"text": "loss"}, "type": "log", "range": [-8, 3]},
    }
    live_plot(figures.figure(data, layout), key="loss", alt="Loss against steps", height=220,
              frames={**film, "traces": {0: {"x": {"grow": steps}, "y": {"grow": loss}}}})  # fmt: skip


def the_map() -> None:
    nodes = [
        Node("nn", "Neural network", 0.0, 0.5, "?open=nn&lang=en", note="What can eight neurons learn?"),
        Node("bp", "Backpropagation", 0.5, 0.1, "?open=bp&lang=en"),
        Node("opt", "Optimizers", 0.5, 0.9, state="coming"),
        Node("cnn", "Convolutional network", 1.0, 0.5, "?open=cnn&lang=en"),
    ]
    pairs = [("nn", "bp"), ("nn", "opt"), ("bp", "cnn"), ("opt", "cnn")]
    opened = concept_map(nodes, [Edge(*pair) for pair in pairs], key="map", height=300, inside=True)
    st.write(f"opened={opened}")


def typing() -> None:
    if st.button("A sample"):
        put_text("typed", "a sample")
    text = type_box("Your text", key="typed", value="first", placeholder="type", most=20)
    st.text(f"typed={text!r} times={st.session_state.setdefault('reruns', 0)}")
    st.session_state["reruns"] += 1
    st.html(coloured_html(list(text), [(-1) ** i * min(1.0, i / 5) for i in range(len(text))], "By place."))


main()
