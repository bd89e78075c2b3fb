"""A computation graph as a film: values fill in from the left, then gradients flow back, each with its formula.

``film(expression, leaves)`` computes everything with ``dlcore.autograd`` and says, frame by frame, what appears. The
browser only draws it (``assets/components/graph.js``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from dlcore.autograd import Value
from dlcore.expressions import Expression
from dlcore.figures import Label
from dlcore.graph_layout import Layout, layout
from dlcore.graph_math import SIGNS, SLOPES, fraction, names_of, number, spoken, term
from dlcore.texts import N_, Problem

MOST_DRAWN = 90  # nodes in a picture that can still be read
TOO_BIG = N_("This graph has {count} nodes, and at most {most} can be drawn. Make the formula smaller.")


@dataclass(frozen=True)
class Graph:
    """A computed graph. ``values[i]`` belongs to ``expression.nodes[i]``; gradients are those of one backward call."""

    expression: Expression
    values: tuple[Value, ...]

    @property
    def drawn(self) -> list[int]:
        """The nodes of the picture: all but constants, which stand in the formula of what uses them."""
        return [i for i, node in enumerate(self.expression.nodes) if node.op != "number"]

    @property
    def result(self) -> Value:
        """The value that everything is differentiated from."""
        return self.values[-1]

    def gradients(self) -> dict[str, float]:
        """∂result/∂leaf for every leaf."""
        nodes = zip(self.expression.nodes, self.values, strict=True)
        return {node.name: float(value.grad) for node, value in nodes if node.op == "leaf"}

    def fault(self) -> Problem | None:
        """Why a value is not finite, told by the first node where it is so."""
        return next((value.fault for value in self.values if value.fault), None)


def compute(expression: Expression, leaves: Mapping[str, float]) -> Graph:
    """Forward and one backward call with these leaves. Raises ``Problem`` for a graph too big, or a leaf missing."""
    values = expression.every({name: Value(leaves.get(name, expression.defaults.get(name, 1.0)))
                               for name in expression.names})  # fmt: skip
    graph = Graph(expression, tuple(v if isinstance(v, Value) else Value(v, "number") for v in values))
    if len(graph.drawn) > MOST_DRAWN:
        raise Problem(TOO_BIG, kind="expression", count=len(graph.drawn), most=MOST_DRAWN)
    graph.result.backward()
    return graph


@lru_cache(maxsize=64)
def _laid(inputs: tuple[tuple[int, ...], ...]) -> Layout:
    return layout(inputs)


def film(graph: Graph, calls: int = 1, label: Label = str) -> dict[str, Any]:
    """The payload of the component: nodes, edges and frames, texts in HTML of our own.

    Args:
        calls: how many times ``backward`` is called without setting the gradients to zero in between.
        label: translator of the words.

    Returns:
        ``nodes``: name, op, place, value, slope texts; ``edges``: from, to, local derivative, contribution, route;
        ``frames``: what is known or moves at each, with ``grads`` (node → its gradient from here on).
    """
    teller = _Teller(graph, label)
    drawn = graph.drawn
    index = {node: k for k, node in enumerate(drawn)}
    nodes = graph.expression.nodes
    laid = _laid(tuple(tuple(index[j] for j in nodes[i].inputs if j in index) for i in drawn))
    edges = teller.edges(index, laid)
    frames: list[dict[str, Any]] = [{"phase": "leaves", "text": teller.leaves()}]
    frames += [{"phase": "forward", "node": index[i], "text": teller.forward(i)} for i in drawn if nodes[i].inputs]
    total = dict.fromkeys(drawn, 0.0)
    for call in range(1, calls + 1):
        frames += teller.backward(call, calls, total, index, edges)
    return {
        "nodes": [teller.node(i, laid.places[index[i]]) for i in drawn],
        "edges": edges,
        "frames": frames,
        "size": laid.places.max(0).tolist() if len(drawn) else [0, 0],
    }


class _Teller:
    """Names and sentences of one graph."""

    def __init__(self, graph: Graph, label: Label) -> None:
        self.graph, self.label = graph, label
        self.nodes, self.values = graph.expression.nodes, graph.values
        self.names = names_of(self.nodes)
        self.root = self.names[-1]
        self.order = [i for i in reversed(range(len(self.nodes))) if self.reached(i)]

    def reached(self, i: int) -> bool:
        """Whether a gradient arrives here: an operation or a leaf, not a constant."""
        return self.nodes[i].op != "number"

    def node(self, i: int, place: np.ndarray) -> dict[str, Any]:
        """What the picture needs to know of a node."""
        node, value = self.nodes[i], self.values[i]
        fault = value.fault
        return {
            "name": node.name or ("" if node.op != "leaf" else self.names[i]),
            "alias": spoken(self.names[i]),
            "op": node.op,
            "sign": self.sign(i),
            "x": float(place[0]),
            "y": float(place[1]),
            "value": shown(value.data),
            "fault": self.label(fault.template).format(**fault.params) if fault else "",
            "formula": self.forward(i) if node.inputs else "",
            "slopes": [line for line, _local in self.slopes(i)],
            "uses": self.uses(i),
        }

    def sign(self, i: int) -> str:
        """The operation as it stands in the node, a constant operand with it: "+ 1", "( )²"."""
        node = self.nodes[i]
        sign = SIGNS.get(node.op, node.op)
        constants = [self.names[j] if self.nodes[j].op == "number" else "" for j in node.inputs]
        if len(constants) < 2 or not any(constants):
            return {"*": "×", "neg": "−( )", "**": "aᵇ"}.get(node.op, sign)
        if node.op == "**" and constants[1]:
            return {"2": "( )²", "3": "( )³"}.get(constants[1], f"^ {constants[1]}")
        sign = "×" if node.op == "*" else sign
        return f"{sign} {constants[1]}" if constants[1] else f"{constants[0]} {sign}"

    def operation(self, i: int, parts: Sequence[str]) -> str:
        """The operation with its inputs written in: ``w·x``, ``tanh(z)``."""
        op = self.nodes[i].op
        if op == "**":
            return f"{parts[0]}<sup>{parts[1]}</sup>"
        if op == "neg":
            return f"−{parts[0]}"
        if op in SIGNS:
            tight = op in ("*", "/")
            return f"{parts[0]}{SIGNS[op] if tight else f' {SIGNS[op]} '}{parts[1]}"
        return f"{op}({', '.join(parts)})"

    def forward(self, i: int) -> str:
        """``z = w·x + b = 1.2 + 0.3 = 1.5``."""
        inputs = self.nodes[i].inputs
        symbols = self.operation(i, [self.names[j] for j in inputs])
        infix = self.nodes[i].op in SIGNS
        numbers = self.operation(i, [number(self.values[j].data, inner=infix) for j in inputs])
        value = f'<b class="model">{number(self.values[i].data)}</b>'
        return f"{self.names[i]} = {symbols} = {numbers} = {value}"

    def slopes(self, i: int) -> list[tuple[str, float]]:
        """For each input that gets a gradient: ``∂z/∂w = x = 2``, and the number."""
        lines = []
        inputs, edges = self.nodes[i].inputs, self.values[i].edges
        names = dict(zip("ab", (self.names[j] for j in inputs), strict=False), y=self.names[i])
        for k, (j, (_parent, local)) in enumerate(zip(inputs, edges, strict=True)):
            if self.reached(j):
                symbol = SLOPES[self.nodes[i].op][k].format(**names)
                equals = "" if symbol in ("1", "−1") else f" = {number(local)}"
                lines.append((f"{fraction(self.names[i], self.names[j])} = {symbol}{equals}", float(local)))
        return lines

    def uses(self, i: int) -> list[str]:
        """How the gradient of a node comes together: one line for each way out of it."""
        lines = []
        for k, node in enumerate(self.nodes):
            for j, (_parent, local) in zip(node.inputs, self.values[k].edges, strict=True):
                if j == i and self.reached(i):
                    lines.append(self.product(k, i, float(self.values[k].grad), float(local)))
        return lines

    def product(self, k: int, j: int, upstream: float, local: float) -> str:
        """Local derivative × upstream, with the names over the numbers."""
        down, slope = fraction(self.root, self.names[k]), fraction(self.names[k], self.names[j])
        return (
            f"{term(number(upstream, inner=True), down, 'gradient')} <span>×</span> "
            f"{term(number(local, inner=True), slope, 'local')} <span>=</span> "
            f'<b class="gradient">{number(upstream * local)}</b>'
        )

    def leaves(self) -> str:
        """The first frame."""
        return self.label(N_("The leaves have their values. Everything else follows from them, from left to right."))

    def edges(self, index: Mapping[int, int], laid: Layout) -> list[dict[str, Any]]:
        """The lines, with their local derivative and what flows back along them."""
        edges = []
        for i in index:
            drawn = [(j, e[1]) for j, e in zip(self.nodes[i].inputs, self.values[i].edges, strict=True) if j in index]
            for (j, local), route in zip(drawn, laid.routes[index[i]], strict=True):
                flow = float(self.values[i].grad) * float(local)
                edges.append({"from": index[j], "to": index[i], "local": shown(local), "flow": shown(flow),
                              "route": route.tolist()})  # fmt: skip
        return edges

    def backward(
        self, call: int, calls: int, total: dict[int, float], index: Mapping[int, int], edges: list[dict[str, Any]]
    ) -> list[dict[str, Any]]:
        """The frames of one backward call; ``total`` holds every gradient so far and is brought forward."""
        last = len(self.nodes) - 1
        total[last] += float(self.values[last].grad)
        seed = self.label(N_("Backward begins at the end: {seed} = 1.")).format(seed=fraction(self.root, self.root))
        if calls > 1:
            words = self.label(N_("backward() call {call} of {calls}, gradients not set to zero.")) if call > 1 else (
                self.label(N_("backward() call {call} of {calls}."))
            )  # fmt: skip
            seed = words.format(call=call, calls=calls) + " " + seed
        frames = [{"phase": "backward", "node": index[last], "text": seed, "grads": {index[last]: shown(total[last])},
                   "call": call}]  # fmt: skip
        for i in self.order:
            lines, grads, moving = [], {}, []
            for j, (_parent, local) in zip(self.nodes[i].inputs, self.values[i].edges, strict=True):
                if not self.reached(j):
                    continue
                before, upstream = total[j], float(self.values[i].grad)
                total[j] = before + upstream * float(local)
                grads[index[j]] = shown(total[j])
                lines.append(self.arrival(i, j, before, upstream, float(local)))
            if lines:
                moving = [k for k, edge in enumerate(edges) if edge["to"] == index[i]]
                frames.append({"phase": "backward", "node": index[i], "text": "<br>".join(lines), "grads": grads,
                               "edges": moving, "call": call})  # fmt: skip
        return frames

    def arrival(self, i: int, j: int, before: float, upstream: float, local: float) -> str:
        """``∂L/∂w: upstream × local = …``, and the sum where there was something already."""
        line = f"{fraction(self.root, self.names[j])} ← {self.product(i, j, upstream, local)}"
        if before:
            after = f'<b class="gradient">{number(before + upstream * local)}</b>'
            line += f" <small>{self.label(N_('added to {before}: {after}')).format(before=number(before), after=after)}"
            line += "</small>"
        return line


def shown(value: Any) -> float | str:
    """The number, for the browser to write; as a text where it is not finite, since JSON has no such numbers."""
    return float(value) if np.isfinite(value) else number(value)


def most_to_blame(graph: Graph) -> tuple[str, float]:
    """The leaf whose gradient is largest in size, and that gradient; ``("", 0.0)`` where none is finite."""
    finite = {name: g for name, g in graph.gradients().items() if np.isfinite(g)}
    name = max(finite, key=lambda n: abs(finite[n]), default="")
    return name, finite.get(name, 0.0)
