"""The panels that ask why and that fool: the shipped network, asked in this process instead of a worker."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from dlcore import jobs
from dlcore.data.images import load
from dlcore.vision import attribution
from dlcore.vision.methods import METHODS, MOST_LEVELS, integrated
from dlcore.vision.pixels import open_with
from tests.pages.visit import said
from tests.waiting import patience
from ui import inside_checks, robust_panel
from ui.asked import Asked, Subject


def page() -> None:
    import streamlit as st

    from dlcore.data.images import load
    from dlcore.vision.samples import sample
    from ui.asked import Subject
    from ui.inside_panel import inside_panel
    from ui.lessons import lesson_for
    from ui.maps_panel import feature_maps
    from ui.robust_panel import robust_panel

    st.session_state["here"] = "cnn"
    st.session_state["language"] = st.session_state.get("spoken", "en")
    st.session_state.setdefault("page:cnn", {})
    model, dataset = st.session_state.get("model", "digits"), st.session_state.get("dataset", "digits")
    picture = sample("temple") if model == "backbone" else load("digits").X_test[3]
    subject = None if st.session_state.get("nothing") else Subject(model, picture, dataset=dataset, train_size=300)
    inside_panel(lesson_for("cnn"), subject, feature_maps)
    robust_panel(lesson_for("cnn"), subject)


def here(function: str, *given, timeout: float = 0.0, **more):
    """The call as a worker would make it."""
    module, name = function.split(":")
    return getattr(import_module(module), name)(*given, **more)


@pytest.fixture
def visit(monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    monkeypatch.setattr(jobs, "status", lambda: SimpleNamespace(state="ready"))
    monkeypatch.setattr(jobs, "call", here)

    def opened(**state) -> AppTest:
        at = AppTest.from_function(page, default_timeout=patience(60))
        for name, value in state.items():
            at.session_state[name] = value
        return at.run()

    return opened


def test_each_method_says_what_it_is_and_what_it_is_not_for(visit) -> None:
    at = visit()
    assert not at.exception
    box = next(box for box in at.selectbox if box.label == "Method")
    assert len(box.options) == len(METHODS)
    for title in box.options:
        next(box for box in at.selectbox if box.label == "Method").select(title).run()
        assert not at.exception
        method = next(method for method in METHODS.values() if method.title == title)
        assert method.about in said(at)
        assert method.beware in said(at)
        assert "Area under the curve" in said(at)


def test_more_steps_make_the_map_more_complete(visit) -> None:
    at = visit()
    assert "goes from" in said(at), "integrated gradients come first for a small picture"

    def error() -> float:
        return float(said(at).split("The error is ")[1].split(";")[0])

    few = error()
    at.select_slider[0].set_value(256).run()
    assert error() < few / 4


def test_the_weights_are_shuffled_on_request_only(visit) -> None:
    at = visit()
    assert "layers random" not in said(at)
    at.button(key="inside.shuffle").click().run()
    assert "All 4 layers random: rank correlation" in said(at)
    next(box for box in at.selectbox if box.label == "Method").select(METHODS["edges"].title).run()
    assert "layers random" not in said(at), "of another method it is asked anew"
    at.button(key="inside.shuffle").click().run()
    assert "does not care what the network has learned" in said(at)


@pytest.mark.parametrize(("gaps", "told"), [((), False), ((1,), True), ((1, 4), False), ((4,), False)])
def test_a_gap_in_the_curve_is_explained(visit, monkeypatch, gaps, told) -> None:
    def answer(function: str, *given, timeout: float = 0.0, **more):
        found = here(function, *given, timeout=timeout, **more)
        if function.endswith("sanity:randomised") and inside_checks.STAGES.index(given[-1]) in gaps:
            found = {**found, "map": np.zeros_like(found["map"]), "correlation": float("nan")}
        return found

    monkeypatch.setattr(jobs, "call", answer)
    at = visit()
    at.button(key="inside.shuffle").click().run()
    assert not at.exception
    assert ("line has a gap" in said(at)) is told


def test_an_attack_is_told_beside_noise_of_the_same_size(visit) -> None:
    at = visit()
    assert "random noise of the same size" in said(at)
    wish = next(box for box in at.selectbox if box.label == "It shall say")
    wish.select_index(1).run()
    assert not at.exception
    assert "Attacked, it" in said(at)


def test_in_chinese_no_english_sentence_is_left(visit) -> None:
    at = visit(spoken="zh")
    assert not at.exception
    words = said(at)
    assert "为什么是这个答案？" in words
    assert "它有多容易被骗？" in words
    for english in ("Beware", "Vermilion", "Random noise", "Area under"):
        assert english not in words


def test_without_a_picture_or_a_network_it_says_so(visit) -> None:
    assert "is taken apart here" in said(visit(nothing=True))
    at = visit(model="nonesuch")
    assert not at.exception
    assert "There is no network" in said(at)


def test_without_the_images_that_it_learned_from_the_rest_of_the_page_stays(visit, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("DLCORE_DATA", str(tmp_path))
    monkeypatch.setattr("dlcore.data.catalogue.cache_root", lambda: tmp_path)
    at = visit(model="backbone", dataset="cifar10")
    assert not at.exception
    assert "python -m dlcore download cifar10" in said(at)
    titles = [title.value for title in at.subheader]
    assert titles.index("What it takes for alike") < titles.index("What its layers see")
    assert any(title.value == "How easily is it fooled?" for title in at.header)


@pytest.mark.parametrize("method", METHODS)
def test_a_map_is_compared_with_itself_before_any_weight_is_shuffled(method: str) -> None:
    picture = load("digits").X_test[3]
    target = open_with("digits", picture).best
    if method == "integrated":  # the reader's, of most steps
        heat = integrated(
            [*attribution.path_parts("digits", picture, target, "black", range(MOST_LEVELS + 1))["parts"]]
        )
    else:
        heat = attribution.explain("digits", picture, method, target)["map"]
    question = inside_checks.shuffles(method, target, "black", heat)[0]
    found = here(f"dlcore.vision.{question.function}", "digits", picture, *question.given, **question.more)
    assert found["layers"] == 0
    assert found["correlation"] == pytest.approx(1, abs=1e-4)


def test_a_small_push_of_a_picture_in_colour_is_noted_however_small_the_picture() -> None:
    fooled = {"probabilities": np.array([[0.8, 0.2], [0.3, 0.7], [0.7, 0.3]])}
    noisy = {"probabilities": np.array([[0.8, 0.2], [0.3, 0.7], [0.4, 0.6]])}

    def noted(channels: int, one: dict[str, np.ndarray], epsilon: float, target: int | None = None) -> dict[str, Any]:
        pixels = np.zeros((channels, 32, 32), np.uint8)
        state: dict[str, Any] = {}
        robust_panel._note(state, Asked(Subject("any", pixels), {"pixels": pixels}), one, epsilon, target)
        return state

    assert noted(3, fooled, 1 / 255) == {"pushed_over": True}
    assert noted(3, fooled, 1 / 255, target=1) == {"pushed_over": True, "as_wished": True}
    assert noted(3, fooled, 2 / 255) == {}
    assert noted(3, noisy, 1 / 255, target=1) == {}, "noise of the same size does it, too"
    assert noted(1, fooled, 1 / 255) == {}, "it asks for a photograph"


def test_gains_are_compared_for_one_picture_and_one_empty_picture() -> None:
    state: dict[str, Any] = {}
    inside_checks._note_gain(state, "4/black", "gradcam", 0.2)
    inside_checks._note_gain(state, "4/white", "edges", -0.1)
    assert "told_apart" not in state
    inside_checks._note_gain(state, "4/white", "saliency", 0.01)
    assert "told_apart" not in state
    inside_checks._note_gain(state, "4/white", "gradcam", 0.06)
    assert state["told_apart"]
