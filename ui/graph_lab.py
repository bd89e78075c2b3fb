"""The laboratory of a computation graph: a formula, its leaves to be moved, and the film of both passes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from zlib import crc32

import streamlit as st

from dlcore.expressions import MOST_CHARACTERS, Expression, parse
from dlcore.graph_math import names_of, number
from dlcore.graph_presets import MOST_CALLS, PRESETS, bounds, read_leaves, starting, write_leaves
from dlcore.graph_story import Graph, compute, most_to_blame
from dlcore.texts import Problem
from ui.controls import get_extra, put_extra
from ui.graph_view import graph_view
from ui.i18n import _, tell
from ui.intro import lab
from ui.session import imposed, page_state, set_up_by_teacher
from ui.slider import slider

EXTRA = ("graph", "formula", "leaves", "calls", "leaf")  # of the address
FIRST, OWN = "neuron", "own"
FEW = 6  # leaves that stand side by side; more go into a list


@dataclass(frozen=True)
class Bench:
    """What is on the bench: the formula with its leaves' values, the leaf in hand, and the graph computed from them."""

    preset: str
    expression: Expression
    leaves: dict[str, float]
    leaf: str
    calls: int
    graph: Graph


def draw() -> Bench | None:
    """Draw controls and picture; None while the formula cannot be read."""
    panel, picture = lab()
    with panel:
        bench, problem = _panel()
    with picture:
        if bench is None:
            st.info(tell(problem) if problem else "", icon=":material/edit:")
            return None
        graph_view(bench.graph, key="graph", name=bench.preset, calls=bench.calls, on_pick=_pick)
        _words(bench)
    return bench


def _panel() -> tuple[Bench | None, Problem | None]:
    preset = get_extra("graph") if get_extra("graph") in PRESETS else FIRST
    text = get_extra("formula") or PRESETS[preset].text
    shown = not set_up_by_teacher()
    if shown:
        _choose(preset, text != PRESETS[preset].text)
        _type(text)
    try:
        expression = parse(text)
        leaves = _leaves(expression)
        compute(expression, leaves)
    except Problem as problem:
        return None, problem
    names = expression.names
    leaf = get_extra("leaf") if get_extra("leaf") in names else (names[0] if names else "")
    calls = _calls(preset)
    if shown and names:
        leaf = _leaf_in_hand(leaf, names)
        leaves[leaf] = _move(leaf, leaves[leaf], starting(expression)[leaf], f"{preset}.{crc32(text.encode())}")
        put_extra("leaves", write_leaves(leaves, expression))
        calls = _how_often(calls, preset)
    return Bench(preset, expression, leaves, leaf, calls, compute(expression, leaves)), None


def _leaves(expression: Expression) -> dict[str, float]:
    """Every leaf's value; what the link says of them and cannot be read is told once."""
    leaves = starting(expression)
    try:
        return {**leaves, **read_leaves(get_extra("leaves"), expression)}
    except Problem as problem:
        st.warning(tell(problem), icon=":material/info:")
        put_extra("leaves", "")
        return leaves


def _choose(preset: str, own: bool) -> None:
    titles = {name: _(graph.title) for name, graph in PRESETS.items()} | ({OWN: _("My own formula")} if own else {})
    st.selectbox(
        _("Graph"), list(titles), format_func=titles.__getitem__,
        help=_("Graphs that each show one thing. You can change every formula."),
        **imposed("backpropagation.preset", OWN if own else preset, _take),
    )  # fmt: skip


def _take(preset: str) -> None:
    if preset == OWN:
        return
    for name in EXTRA:
        put_extra(name, "", slug="backpropagation")
    put_extra("graph", "" if preset == FIRST else preset, slug="backpropagation")


def _type(text: str) -> None:
    def typed(text: str) -> None:
        for name in ("leaves", "leaf"):
            put_extra(name, "", slug="backpropagation")
        put_extra("formula", text.strip(), slug="backpropagation")

    st.text_area(
        _("Formula"), height=122, max_chars=MOST_CHARACTERS,
        help=_("Lines like a = x*y; the last line is what is differentiated. Ctrl+Enter computes it."),
        **imposed("backpropagation.formula", text, typed),
    )  # fmt: skip


def _pick(leaf: str) -> None:
    put_extra("leaf", leaf, slug="backpropagation")
    page_state("backpropagation")["picked"] = leaf


def _leaf_in_hand(leaf: str, names: tuple[str, ...]) -> str:
    help = _("The leaf that the slider moves; or click on it in the graph.")
    changed = {"help": help, **imposed("backpropagation.leaf", leaf, lambda chosen: _pick(chosen or leaf))}
    if len(names) <= FEW:
        st.pills(_("Leaf in hand"), names, **changed)
    else:
        st.selectbox(_("Leaf in hand"), names, **changed)
    return leaf


def _move(leaf: str, value: float, start: float, identity: str) -> float:
    """The leaf's slider; further out for a value that was typed into the link."""
    low, high = bounds(max(abs(start), abs(value) / 1.4))
    return slider(
        leaf, key=f"backpropagation.leaf.{identity}.{leaf}", low=low, high=high, value=value, step=high / 300,
        controlled=True, help=_("Move it, or type a number: values and gradients follow."),
    )  # fmt: skip


def _calls(preset: str) -> int:
    text = get_extra("calls")
    return int(text) if text in map(str, range(1, MOST_CALLS + 1)) else PRESETS[preset].calls


def _how_often(calls: int, preset: str) -> int:
    chosen = int(slider(
        _("Calls of backward()"), key=f"backpropagation.calls.{preset}", low=1, high=MOST_CALLS, value=calls, step=1,
        controlled=True, help=_("How often it is called without setting the gradients to zero in between."),
    ))  # fmt: skip
    put_extra("calls", "" if chosen == PRESETS[preset].calls else str(chosen))
    return chosen


def _words(bench: Bench) -> None:
    """What to see in this graph, and who is to blame with the numbers on screen."""
    with st.container(key="story"):
        fault = bench.graph.fault()
        if fault is not None:
            st.markdown(f":orange[:material/warning:] {tell(fault)}")
        elif bench.leaves:
            name, gradient = most_to_blame(bench.graph)
            result = re.sub("<.*?>", "", names_of(bench.expression.nodes)[-1])
            sentence = (
                _("{result} depends most on **{name}**: moving it by 0.001 moves {result} by about {change} (its "
                  "gradient is {gradient}).")
                if gradient
                else _("No leaf can change the result: every gradient is 0.")
            )  # fmt: skip
            numbers = {"change": number(gradient / 1000, 3), "gradient": number(gradient)}
            st.markdown(f":green[:material/target:] {sentence.format(name=name, result=result, **numbers)}")
        if bench.calls > 1:
            st.markdown(":orange[:material/functions:] " + _(
                "After {k} calls every gradient in the picture is {k} × the right one. An optimizer would take a step "
                "{k} times too long.").format(k=bench.calls))  # fmt: skip
        elif not get_extra("formula"):
            st.markdown(f":blue[:material/visibility:] {_(PRESETS[bench.preset].look)}")
