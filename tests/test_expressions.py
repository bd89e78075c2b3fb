"""Typed formulas: they mean what Python means, and nothing else than the grammar gets through, however mad."""

from __future__ import annotations

import ast
import math
import re
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcore.autograd import OPERATIONS, Value
from dlcore.expressions import FUNCTIONS, MOST_CHARACTERS, MOST_STEPS, parse
from dlcore.texts import Problem

ONE = sorted(name for name, count in FUNCTIONS.items() if count == 1)
atoms = st.sampled_from(["x", "y", "w1", "2", "0.5", "-3", "1e-2", "pi"])
texts = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from([" + ", "-", "*", "/", " ** "]), inner).map("".join),
        st.tuples(inner, st.sampled_from(["+", "*"]), inner).map(lambda p: f"({p[0]}{p[1]}{p[2]})"),
        inner.map(lambda t: f"-{t}"),
        st.tuples(st.sampled_from(ONE), inner).map(lambda p: f"{p[0]}({p[1]})"),
        st.tuples(st.sampled_from(["max", "min"]), inner, inner).map(lambda p: f"{p[0]}({p[1]}, {p[2]})"),
    ),
    max_leaves=12,
)


def attempt(text: str):
    """The expression, or None and what was said."""
    try:
        return parse(text), ""
    except Problem as problem:
        return None, str(problem)


def python_says(text: str, **names: float):
    """The oracle: Python's own reading of the same text, on float64. For texts that these tests made."""
    known = {name: OPERATIONS[name].forward for name in FUNCTIONS} | {"pi": np.float64(math.pi)}

    class Doubles(ast.NodeTransformer):
        def visit_Constant(self, node):
            return ast.Call(ast.Name("f8", ast.Load()), [node], [])

    tree = ast.fix_missing_locations(Doubles().visit(ast.parse(text, mode="eval")))
    with np.errstate(all="ignore"):
        return eval(compile(tree, "oracle", "eval"), {**known, "f8": np.float64, **names})


@settings(max_examples=400, derandomize=True)
@given(texts)
def test_means_what_python_means(text):
    leaves = {"x": np.float64(0.7), "y": np.float64(-1.3), "w1": np.float64(2.1)}
    expression, problem = attempt(text)
    if expression is None:  # constants alone, without a finite value: 0.5/(2-2), (-3)**0.5
        assert re.search("Division|no finite|number can be|defined", problem)
        return
    mine = expression(**{name: leaves[name] for name in expression.names})
    np.testing.assert_equal(mine, np.float64(python_says(text, **leaves)))


def test_floats_arrays_and_values_agree():
    expression = parse("z = w*x + b\nL = (tanh(z) - y)**2")
    leaves = {"w": 0.5, "b": -1.0, "y": 1.0}
    x = np.linspace(-2, 2, 7)
    grid = expression(x=x, **leaves)
    assert grid.shape == (7,)
    assert [float(expression(x=float(v), **leaves)) for v in x] == pytest.approx(grid.tolist())
    value = expression(x=Value(x[1]), **leaves)
    assert isinstance(value, Value)
    assert value.data == pytest.approx(grid[1])


def test_names_defaults_and_named_nodes():
    expression = parse("x = 2; w = -3; b = 6.5; z = x*w + b; L = tanh(z)")
    assert expression.names == ("x", "w", "b")
    assert expression.defaults == {"x": 2, "w": -3, "b": 6.5}
    assert [node.name for node in expression.nodes if node.op not in ("leaf", "number")] == ["", "z", "L"]
    assert float(expression()) == pytest.approx(math.tanh(0.5))
    assert float(expression(x=1)) == pytest.approx(math.tanh(3.5))
    every = expression.every({"x": 1})
    assert [float(v) for v in every] == pytest.approx([1, -3, 6.5, -3, 3.5, math.tanh(3.5)])


def test_shared_name_is_one_node_and_unused_lines_are_left_out():
    expression = parse("a = x + 1; unused = exp(x); a*a")
    assert [node.op for node in expression.nodes] == ["leaf", "number", "+", "*"]
    assert expression.nodes[-1].inputs == (2, 2)
    assert parse("a = 3").names == ("a",)
    assert float(parse("max(x, 1, 2)")(x=0.5)) == 2


def test_only_the_names_that_are_there():
    assert float(parse("x**2 + 2*y", names=("x", "y"))(x=1, y=2)) == 5
    assert float(parse("a = 3; x**2 + a*y**2", names=("x", "y"))(x=1, y=2)) == 13
    assert "z" in told("x + z", names=("x", "y"))
    assert "“x” already" in told("x = 3; x + y", names=("x", "y"))
    with pytest.raises(Problem, match="no value yet"):
        parse("x + y")(x=1)
    with pytest.raises(Problem, match="not known"):
        parse("x + y")(x=1, y=2, z=3)


def told(text: str, **options) -> str:
    began = time.perf_counter()
    with pytest.raises(Problem) as caught:
        parse(text, **options)
    assert time.perf_counter() - began < 2
    assert caught.value.kind == "expression"
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('__import__("os").system("ls")', "not allowed"),
        ("__import__(x)", "no function “__import__”"),
        ("eval(x)", "The functions are: exp, log"),
        ("x.__class__", "“x.__class__” is not allowed"),
        ("__class__ + 1", "cannot be a name"),
        ("x[0]", "“x[0]”"),
        ("lambda: x", "“lambda: x”"),
        ("[x for x in y]", "“[x for x in y]”"),
        ("sum(x for x in y)", "no function “sum”"),
        ('f"{x}"', "not allowed"),
        ("'a' * 10", "“'a'”"),
        ("b'a'", "not allowed"),
        ("True + 1", "“True”"),
        ("1j * x", "“1j”"),
        ("x if y else 1", "not allowed"),
        ("x < 1", "“x < 1”"),
        ("x and y", "not allowed"),
        ("x % 2", "“x % 2”"),
        ("x // 2", "“x // 2”"),
        ("x @ y", "“x @ y”"),
        ("x ^ 2", "two stars"),
        ("~x", "“~x”"),
        ("(a := 3) + x", "not allowed"),
        ("import os", "“import os”"),
        ("def f(): pass", "not allowed"),
        ("while 1: x", "not allowed"),
        ("del x", "not allowed"),
        ("a, b = x, y", "not allowed"),
        ("a = b = x", "not allowed"),
        ("x.y = 3", "not allowed"),
        ("a += x", "not allowed"),
        ("a: int = 3", "not allowed"),
        ("x; y", "not allowed"),
        ("exp(*x)", "not allowed"),
        ("exp(x=1)", "not allowed"),
        ("exp(x, y)", "takes 1"),
        ("exp()", "takes 1"),
        ("max(x)", "takes 2"),
        ("exp + 1", "exp"),
        ("exp = 3", "already means"),
        ("pi = 3", "already means"),
        ("a = x; a = y", "already means"),
        ("L = a*b; a = 3", "already means"),
        ("a" * 21, "cannot be a name"),
        ("", "no formula yet"),
        ("  \n# nothing", "no formula yet"),
        ("x +", "Line 1"),
        ("a = x\nb = = y", "Line 2"),
        ("(x", "Line 1"),
        ("λ + 1", "“λ”"),
        ("ｅｘｐ(x)", "“ｅ”"),
        ("x\u200b", "U+200B"),
        ("x − 1", "“−”"),
        ("（x）", "“（”"),
        ("x\0", "U+0000"),
        ("10**10**10", "number can be"),
        ("x + 1/(2-2)", "Division by zero"),
        ("log(-1)", "positive numbers"),
        ("log(0)", "positive numbers"),
        ("1e999", "“1e999”"),
        ("-1e999 * x", "1e999"),
        ("9" * 1500, "larger than"),
        ("9" * (MOST_CHARACTERS + 1), "characters"),
        ("x+" * 9999 + "x", "characters"),
        ("x+" * 999 + "x", f"more than {MOST_STEPS}"),
        ("-" * 1999 + "x", f"more than {MOST_STEPS}"),
        ("x**" * 600 + "x", f"more than {MOST_STEPS}"),
        ("(" * 900 + "x" + ")" * 900, "Line 1"),
        ("exp(" * 199 + "x" + ")" * 199 + "+" + "+".join("x" * 400), f"more than {MOST_STEPS}"),
        ("[" * 1900, "Line 1"),
        ("~" * 1900 + "x", ""),
        ("not " * 400 + "x", ""),
        ("x" + " if x else x" * 100, "not allowed"),
    ],
)
def test_mad_formula_is_refused_in_a_sentence(text, words):
    assert words in told(text)


@pytest.mark.parametrize(
    "text", ["x/0", "log(-x)", "exp(exp(exp(x)))", "x**10**10", "(-x)**0.5", "1/(x-x)", "sqrt(-x)"]
)
def test_faults_that_depend_on_leaves_are_explained_by_the_node(text):
    expression = parse(text)
    assert not np.isfinite(expression(x=9.0))
    nodes = expression.every({"x": Value(9.0)})
    assert any(node.fault for node in nodes)


@settings(max_examples=500, derandomize=True)
@given(st.text(max_size=200) | st.text("()x+-*/,=;\n.[]{}:'\"\\ 019eE_@^~%<>!#lambdifor", max_size=120))
def test_whatever_is_typed_is_read_or_refused(text):
    expression, problem = attempt(text)
    assert expression is not None or problem


def test_largest_formula_is_read_and_differentiated_at_once():
    text = "x" + "+x" * (MOST_STEPS - 2)  # one leaf and its sums
    began = time.perf_counter()
    x = Value(1.0)
    parse(text)(x=x).backward()
    assert time.perf_counter() - began < 1
    assert x.grad == MOST_STEPS - 1
