"""Formulas that a learner types, read by a grammar of our own over Python's syntax tree. Nothing is ever executed.

``parse("z = w*x + b; L = (tanh(z) - y)**2")`` gives an ``Expression`` that is called with floats, NumPy arrays or
autograd values. What the grammar does not name is refused with a sentence that quotes it.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, NamedTuple, NoReturn

import numpy as np

from dlcore.autograd import OPERATIONS, Value, apply
from dlcore.syntax import parse as parse_python
from dlcore.texts import N_, Problem

MOST_CHARACTERS = 2000
MOST_STEPS = 500  # leaves, numbers and operations together
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,19}")
SIGNS: dict[type[ast.AST], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}
FUNCTIONS = {name: 2 if name in ("max", "min") else 1 for name in OPERATIONS if name.isalpha() and name != "neg"}
CONSTANTS = {"pi": math.pi}
ALLOWED = "+ - * / ** ( ), " + ", ".join([*FUNCTIONS, *CONSTANTS])

TOO_LONG = N_("This formula has {count} characters, and at most {most} can be read. Make it shorter.")
TOO_MANY = N_("This formula has more than {most} numbers, names and operations. Make it smaller.")
EMPTY = N_("There is no formula yet. Type one, for example {example}.")
UNREADABLE = N_("Line {line} cannot be read as a formula near “{piece}”. An example of one: {example}.")
FOREIGN = N_("The character “{piece}” cannot be used here. Formulas are typed in plain Latin letters: {allowed}.")
NOT_ALLOWED = N_(
    "“{piece}” is not allowed in a formula. Allowed are numbers, names, lines like a = x*y, and {allowed}."
)
POWER_SIGN = N_("A power is written with two stars: x**2 instead of x^2.")
NO_FUNCTION = N_("There is no function “{piece}” here. The functions are: {functions}.")
ARGUMENTS = N_("“{piece}”: {function} takes {wanted} here, and it was given {given}.")
BAD_NAME = N_("“{piece}” cannot be a name here: a letter, then letters, digits and _, at most 20 of them.")
TAKEN = N_("“{piece}” already means something. Give it another name.")
UNKNOWN = N_("“{piece}” is not known here. The names are: {names}.")
MISSING = N_("“{piece}” has no value yet. Give it one, for example with the line {piece} = 0.5.")
NUMBER_TOO_LARGE = N_("The number “{piece}” is larger than a computer’s number can be (about 1.8·10³⁰⁸).")
EXAMPLE = "L = (w*x + b - y)**2"


class Node(NamedTuple):
    """One node of the graph: ``op`` is a key of ``autograd.OPERATIONS``, ``"leaf"`` or ``"number"``.

    ``inputs`` are indices of earlier nodes; ``name`` is what the learner calls it, or empty; ``number`` is a leaf's
    value where the text gives one, and a constant's.
    """

    op: str
    inputs: tuple[int, ...] = ()
    name: str = ""
    number: float | None = None


@dataclass(frozen=True)
class Expression:
    """A formula that was understood.

    Attributes:
        text: as typed.
        nodes: in the order of computation, the result last.
        names: the leaves, in order of appearance.
        defaults: values of leaves that the text itself gives (``w = 0.5``).
    """

    text: str
    nodes: tuple[Node, ...]
    names: tuple[str, ...]
    defaults: dict[str, float]

    def __call__(self, **leaves: Any) -> Any:
        """The result: a ``Value`` if any leaf is one, else a float or an array (which may hold inf and nan).

        Raises:
            Problem: a leaf has no value, or there is no leaf of that name.
        """
        return self.every(leaves)[-1]

    def every(self, leaves: dict[str, Any]) -> list[Any]:
        """The value of every node, in the order of ``nodes``. Arguments and errors as for a call."""
        given = {**self.defaults, **leaves}
        for name in given:
            if name not in self.names:
                raise Problem(UNKNOWN, kind="expression", piece=name, names=", ".join(self.names))
        recorded = any(isinstance(value, Value) for value in given.values())
        results: list[Any] = []
        with np.errstate(all="ignore"):
            for node in self.nodes:
                results.append(self._compute(node, given, [results[i] for i in node.inputs], recorded))
        return results

    def _compute(self, node: Node, given: dict[str, Any], inputs: list[Any], recorded: bool) -> Any:
        if node.op == "leaf":
            if node.name not in given:
                raise Problem(MISSING, kind="expression", piece=node.name)
            value = given[node.name]
            return value if isinstance(value, Value) else np.asarray(value, dtype=float)[()]
        if node.op == "number":
            return Value(node.number, "number") if recorded else np.float64(node.number or 0.0)
        return apply(node.op, *inputs) if recorded else OPERATIONS[node.op].forward(*inputs)


def parse(text: str, names: Collection[str] | None = None) -> Expression:
    """Read a formula: one expression, or lines ``name = expression`` (also parted by ``;``) whose last is the result.

    Args:
        text: at most ``MOST_CHARACTERS`` characters. ``name = number`` gives a leaf its value.
        names: the leaves that are there; None allows any.

    Raises:
        Problem: what is not allowed, and what is (kind ``"expression"``).
    """
    reader = _Reader(text, _statements(text), names)
    for statement in reader.statements:
        reader.read(statement)
    nodes = reader.needed()
    leaves = [node for node in nodes if node.op == "leaf"]
    return Expression(
        text,
        nodes,
        tuple(node.name for node in leaves),
        {node.name: node.number for node in leaves if node.number is not None},
    )


def refuse(template: str, **params: Any) -> NoReturn:
    """Raise the Problem of an expression, quoted pieces cut to a readable length."""
    short = {k: v if not isinstance(v, str) or k in ("allowed", "functions") else _short(v) for k, v in params.items()}
    raise Problem(template, kind="expression", **short)


def _short(piece: str) -> str:
    return piece if len(piece) <= 40 else piece[:39] + "…"


def _statements(text: str) -> Sequence[ast.stmt]:
    """The statements of a text that is short and plain enough to be handed to Python's parser."""
    if len(text) > MOST_CHARACTERS:
        refuse(TOO_LONG, count=len(text), most=MOST_CHARACTERS)
    foreign = next((c for c in text if not (c.isascii() and (c.isprintable() or c in "\n\r\t"))), None)
    if foreign is not None:  # Python would read the fullwidth ｅｘｐ as exp
        piece = foreign if foreign.isprintable() else f"U+{ord(foreign):04X}"
        refuse(FOREIGN, piece=piece, allowed="a b … z, 0 1 … 9, . = , " + ALLOWED)
    lines = "\n".join(line.strip() for line in text.splitlines())
    try:
        statements = parse_python(lines).body
    except SyntaxError as fault:
        line = max(1, fault.lineno or 1)
        near = (lines.splitlines() or [""])[min(line, lines.count("\n") + 1) - 1]
        piece = near[max(0, (fault.offset or 1) - 1) :] or near
        refuse(UNREADABLE, line=line, piece=piece or "…", example=EXAMPLE)
    except (ValueError, RecursionError, MemoryError):
        refuse(TOO_MANY, most=MOST_STEPS)
    if not statements:
        refuse(EMPTY, example=EXAMPLE)
    return statements


class _Reader:
    """Turns statements into nodes, with a stack of its own, so that no depth of nesting can exhaust Python's."""

    def __init__(self, text: str, statements: Sequence[ast.stmt], allowed: Collection[str] | None) -> None:
        self.statements, self.allowed = statements, allowed
        self.source = "\n".join(line.strip() for line in text.splitlines())
        self.nodes: list[Node] = []
        self.known: dict[str, int] = {}  # name → node
        self.constants: dict[int, float] = {}  # node → its value, where it rests on no leaf
        self.result = -1  # the node computed last; where leaves are all there is, the last of them

    def read(self, statement: ast.stmt) -> None:
        """Add one statement's nodes. Only the last may lack a name; a name is given once, before it is used."""
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                self.check_name(name)
                if name in self.known or name in CONSTANTS or name in FUNCTIONS or name in (self.allowed or ()):
                    refuse(TAKEN, piece=name)
            case ast.Expr(value=value) if statement is self.statements[-1]:
                name = ""
            case _:
                self.not_allowed(statement)
        number = _number(value)
        if name and number is not None:
            self.known[name] = self.add(Node("leaf", (), name, self.finite(number, value)))
            return
        place = self.expression(value)
        node = self.nodes[place]
        if name and not node.name and node.op not in ("leaf", "number"):
            self.nodes[place] = node._replace(name=name)
        if name:
            self.known[name] = place
        self.result = place

    def expression(self, root: ast.expr) -> int:
        """The node of an expression: inputs first, from an explicit stack of (syntax, are its inputs done)."""
        todo: list[tuple[ast.expr, bool]] = [(root, False)]
        done: list[int] = []
        while todo:
            syntax, ready = todo.pop()
            inputs, make = self.parts(syntax)
            if inputs and not ready:
                todo += [(syntax, True), *((child, False) for child in reversed(inputs))]
                continue
            places = done[len(done) - len(inputs) :]
            del done[len(done) - len(inputs) :]
            done.append(make(places))
        return done[0]

    def parts(self, syntax: ast.expr) -> tuple[list[ast.expr], Callable[[list[int]], int]]:
        """The inputs of a piece of syntax, and what makes its node from theirs. This is the whole grammar."""
        if (number := _number(syntax)) is not None:
            return [], lambda _places: self.add(Node("number", (), "", self.finite(number, syntax)))
        match syntax:
            case ast.Name(id=name):
                return [], lambda _places: self.name(name)
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return [operand], lambda places: places[0]
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return [operand], lambda places: self.operate("neg", places)
            case ast.BinOp(left=left, op=sign, right=right) if type(sign) in SIGNS:
                return [left, right], lambda places: self.operate(SIGNS[type(sign)], places)
            case ast.BinOp(op=ast.BitXor()):
                refuse(POWER_SIGN)
            case ast.Call(func=ast.Name(id=function), args=arguments, keywords=[]):
                self.check_call(function, arguments, syntax)
                return arguments, lambda places: self.call(function, places)
            case _:
                self.not_allowed(syntax)

    def name(self, name: str) -> int:
        """The node that a name stands for; a new leaf where it stands for nothing yet."""
        self.check_name(name)
        if name in CONSTANTS and name not in self.known:
            return self.add(Node("number", (), name, CONSTANTS[name]))
        if name in FUNCTIONS:
            refuse(ARGUMENTS, piece=name, function=name, wanted=f"{name}(x)", given="–")
        if name not in self.known:
            if self.allowed is not None and name not in self.allowed:
                refuse(UNKNOWN, piece=name, names=", ".join([*self.allowed, *self.known]))
            self.known[name] = self.add(Node("leaf", (), name))
        return self.known[name]

    def call(self, function: str, places: list[int]) -> int:
        """A function's node; max and min of several are taken pair by pair."""
        if len(places) < 2:
            return self.operate(function, places)
        return reduce(lambda a, b: self.operate(function, [a, b]), places)

    def operate(self, op: str, places: list[int]) -> int:
        """An operation's node; one on constants alone is computed at once and refused where it has no finite value."""
        place = self.add(Node(op, tuple(places)))
        if all(i in self.constants for i in places):
            value = apply(op, *(self.constants[i] for i in places))
            if value.fault and value.fault.kind == "not_finite":
                raise Problem(value.fault.template, kind="expression", **value.fault.params)
            self.constants[place] = float(value.data)
        return place

    def add(self, node: Node) -> int:
        """Append a node; returns its place."""
        if len(self.nodes) >= MOST_STEPS:
            refuse(TOO_MANY, most=MOST_STEPS)
        if node.op == "number" and node.number is not None:
            self.constants[len(self.nodes)] = node.number
        self.nodes.append(node)
        return len(self.nodes) - 1

    def check_name(self, name: str) -> None:
        """Refuse names that are too long or begin with an underscore."""
        if not NAME.fullmatch(name):
            refuse(BAD_NAME, piece=name)

    def check_call(self, function: str, arguments: list[ast.expr], syntax: ast.expr) -> None:
        """Refuse what is no function of ours, and wrong numbers of arguments."""
        if function not in FUNCTIONS:
            refuse(NO_FUNCTION, piece=function, functions=", ".join(FUNCTIONS))
        if any(isinstance(argument, ast.Starred) for argument in arguments):
            self.not_allowed(syntax)
        wanted, given = FUNCTIONS[function], len(arguments)
        if given < wanted or (wanted == 1 and given > 1):
            count = "1" if wanted == 1 else "2 …"
            refuse(ARGUMENTS, piece=self.quote(syntax), function=function, wanted=count, given=str(given))

    def finite(self, number: float, syntax: ast.expr) -> float:
        """The number itself, if a float can hold it."""
        if not math.isfinite(number):
            refuse(NUMBER_TOO_LARGE, piece=self.quote(syntax))
        return number

    def not_allowed(self, syntax: ast.AST) -> NoReturn:
        """Refuse a piece of syntax by quoting it."""
        refuse(NOT_ALLOWED, piece=self.quote(syntax), allowed=ALLOWED)

    def quote(self, syntax: ast.AST) -> str:
        """The text of a piece of syntax."""
        return ast.get_source_segment(self.source, syntax) or type(syntax).__name__

    def needed(self) -> tuple[Node, ...]:
        """The nodes on which the result rests, the result last; what was defined and never used is left out."""
        used, stack = set(), [self.result % len(self.nodes)]
        while stack:
            place = stack.pop()
            if place not in used:
                used.add(place)
                stack += self.nodes[place].inputs
        kept = sorted(used)
        new = {old: i for i, old in enumerate(kept)}
        return tuple(self.nodes[i]._replace(inputs=tuple(new[j] for j in self.nodes[i].inputs)) for i in kept)


def _number(syntax: ast.expr) -> float | None:
    """The number that is written here, with or without a sign; else None. Integers too large for a float are inf."""
    sign = 1.0
    if isinstance(syntax, ast.UnaryOp) and isinstance(syntax.op, ast.USub) and isinstance(syntax.operand, ast.Constant):
        sign, syntax = -1.0, syntax.operand
    if not isinstance(syntax, ast.Constant) or type(syntax.value) not in (int, float):
        return None
    try:
        return sign * float(syntax.value)  # pyright: ignore[reportArgumentType]  (int or float, see above)
    except OverflowError:
        return math.inf
