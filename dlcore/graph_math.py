"""How a computation graph's formulas are written: names, signs, derivatives and numbers, in HTML of our own.

Names come from ``dlcore.expressions`` and hold letters, digits and _ only, so nothing in them can be markup.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dlcore.expressions import Node

RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
SIGNS = {"+": "+", "-": "−", "*": "·", "/": "/", "**": "^", "neg": "−"}
SLOPES = {  # derivatives by each input, from the names of inputs and output
    "+": ("1", "1"),
    "-": ("1", "−1"),
    "*": ("{b}", "{a}"),
    "/": ("1/{b}", "−{y}/{b}"),
    "**": ("{b}·{a}<sup>{b} − 1</sup>", "{y}·log {a}"),
    "neg": ("−1",),
    "exp": ("{y}",),
    "log": ("1/{a}",),
    "sqrt": ("1/(2·{y})",),
    "sin": ("cos {a}",),
    "cos": ("−sin {a}",),
    "tanh": ("1 − {y}²",),
    "sigmoid": ("{y}·(1 − {y})",),
    "relu": ("[{a} &gt; 0]",),
    "softplus": ("σ({a})",),
    "gelu": ("Φ({a}) + {a}·φ({a})",),
    "abs": ("sign {a}",),
    "max": ("[{a} &gt; {b}]", "[{b} &gt; {a}]"),
    "min": ("[{a} &lt; {b}]", "[{b} &lt; {a}]"),
}


def names_of(nodes: Sequence[Node]) -> list[str]:
    """What each node is called in formulas: its name, a constant's number, or v₁, v₂, … ; names end in subscripts."""
    names, count = [], 0
    for node in nodes:
        if node.op == "number":
            names.append("π" if node.name == "pi" else number(node.number or 0.0, inner=True))
        elif node.name:
            names.append(symbol(node.name))
        else:
            count += 1
            names.append(f"<i>v</i><sub>{count}</sub>")
    return names


def symbol(name: str) -> str:
    """``w1`` as w with a subscript, in italics."""
    head = name.rstrip("0123456789_")
    tail = name[len(head) :].strip("_")
    return f"<i>{head}</i>" + (f"<sub>{tail}</sub>" if tail else "")


def spoken(name: str) -> str:
    """The same for a screen reader."""
    for mark in ("<i>", "</i>", "<sub>", "</sub>"):
        name = name.replace(mark, "")
    return name


def fraction(of: str, by: str) -> str:
    """∂of over ∂by."""
    return f'<span class="dl-d"><span>∂{of}</span><span>∂{by}</span></span>'


def term(value: str, name: str, kind: str) -> str:
    """A factor with its name beside it; ``kind`` is the colour: "gradient" or "local"."""
    return f'<span class="dl-term {kind}"><b>{value}</b>{name}</span>'


def number(value: Any, digits: int = 4, *, inner: bool = False) -> str:
    """A true minus sign, powers of ten raised; in brackets where it is negative and stands inside a formula."""
    value = float(value)
    if not np.isfinite(value):
        return "NaN" if np.isnan(value) else ("∞" if value > 0 else "−∞")
    text, _e, power = f"{value:.{digits}g}".partition("e")
    text = text.replace("-", "−") + (f"·10{str(int(power)).translate(RAISED)}" if power else "")
    return f"({text})" if inner and value < 0 else text
