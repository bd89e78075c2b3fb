"""The language of layers: what it reads, what it says of shapes and costs (held to torch), what it refuses and why."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from dlcore.models import cnn as networks
from dlcore.models.layer_shapes import MOST_PARAMETERS, fault, shapes, total
from dlcore.models.layers import FIRST, PRESETS, Layer, parse, spell
from dlcore.texts import Problem

DIGIT = (1, 28, 28)

CONV = st.builds(
    lambda size, window, stride, pad: Layer("conv", size, window, stride, min(pad, window // 2)),
    st.integers(1, 6), st.integers(1, 7), st.integers(1, 4), st.integers(0, 3),
)  # fmt: skip
POOL = st.builds(
    lambda window, stride, how: Layer("pool", window=window, stride=stride, how=how),
    st.integers(2, 4), st.integers(1, 4), st.sampled_from(["max", "average"]),
)  # fmt: skip
PLAIN = st.sampled_from(["relu", "tanh", "gelu", "sigmoid", "norm", "flatten", "average", "largest"]).map(Layer)
DROPOUT = st.integers(0, 95).map(lambda percent: Layer("dropout", share=percent / 100))
DENSE = st.integers(0, 9).map(lambda size: Layer("dense", size))
ANY = st.one_of(CONV, POOL, PLAIN, DROPOUT, DENSE)
ON_MAPS = st.lists(st.one_of(CONV, POOL, DROPOUT, st.sampled_from(["relu", "norm", "gelu"]).map(Layer)), max_size=5)
ON_LISTS = st.lists(st.one_of(st.integers(1, 9).map(lambda n: Layer("dense", n)), DROPOUT, PLAIN), max_size=3)
SENSIBLE = st.builds(
    lambda maps, way, lists: [*maps, Layer(way), *lists, Layer("dense")],
    ON_MAPS, st.sampled_from(["flatten", "average", "largest"]), ON_LISTS,
)  # fmt: skip
SHAPES = st.tuples(st.integers(1, 3), st.integers(3, 14), st.integers(3, 14))


def module(layer: Layer, inputs: tuple[int, ...], classes: int) -> nn.Module:
    """The layer as its name says it in torch, by hand: the oracle knows nothing of our shapes."""
    maps = len(inputs) == 3
    if layer.kind in ("conv", "pool", "flatten", "average", "largest") and not maps:
        raise RuntimeError("torch would take a list for one image without a batch; we mean maps")
    if layer.kind == "dense" and maps:
        raise RuntimeError("torch would multiply each row of the picture")
    norm = nn.BatchNorm2d if maps else nn.BatchNorm1d
    pool = nn.MaxPool2d if layer.how == "max" else nn.AvgPool2d
    return {
        "conv": lambda: nn.Conv2d(inputs[0], layer.size, layer.window, layer.stride, layer.pad),
        "pool": lambda: pool(layer.window, layer.stride),
        "norm": lambda: norm(inputs[0]),
        "dropout": lambda: nn.Dropout(layer.share),
        "flatten": nn.Flatten,
        "average": lambda: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()),
        "largest": lambda: nn.Sequential(nn.AdaptiveMaxPool2d(1), nn.Flatten()),
        "dense": lambda: nn.Linear(inputs[0], layer.size or classes),
        "relu": nn.ReLU, "tanh": nn.Tanh, "gelu": nn.GELU, "sigmoid": nn.Sigmoid,
    }[layer.kind]()  # fmt: skip


@settings(max_examples=120, deadline=None)
@given(st.one_of(SENSIBLE, st.lists(ANY, min_size=1, max_size=7)), SHAPES, st.integers(2, 5))
def test_shapes_and_parameters_are_torchs_or_both_refuse(layers, shape, classes):
    rows = shapes(layers, shape, classes)
    X, place = torch.zeros(2, *shape), 0
    for place, (layer, row) in enumerate(zip(layers, rows, strict=True)):
        try:
            made = module(layer, tuple(X.shape[1:]), classes).eval()
            X = made(X)
        except RuntimeError:
            break
        assert row.shape == tuple(X.shape[1:])
        assert row.params == networks.parameter_count(made)
        if row.problem:  # torch would build it, but it is not a classifier: something stands after or for the end
            assert (layer.kind == "dense" and not layer.size) != (place == len(layers) - 1)
            break
    else:
        assert fault(rows) is None
        model = networks.build("own", shape, classes, layers=spell(layers))
        assert model.eval()(torch.zeros(2, *shape)).shape == (2, classes)
        assert networks.parameter_count(model) == total(rows)
        return
    assert rows[place].problem is not None, f"torch refuses {layers[place]} here"
    assert all(row.shape == () for row in rows[place + 1 :])
    with pytest.raises(Problem) as caught:
        networks.build("own", shape, classes, layers=spell(layers))
    assert str(caught.value) == str(rows[place].problem)


@given(st.lists(ANY, max_size=12))
def test_what_is_written_is_read_again(layers):
    assert parse(spell(layers)) == layers


@settings(max_examples=300)
@given(st.text(alphabet="convplrdens 0123456789x×;.-\n", max_size=60))
def test_any_text_is_read_or_refused_in_words(text):
    try:
        layers = parse(text)
    except Problem as problem:
        told = str(problem)
    else:
        told = spell(layers)
        assert parse(told) == layers
    assert told or not text.strip(";\n ")


def test_several_ways_to_write_the_same():
    assert parse("CONV 16 3x3 Pad 1;\n pool avg 2; Pool max 2 ;;") == [
        Layer("conv", 16, 3, 1, 1),
        Layer("pool", window=2, stride=2, how="average"),
        Layer("pool", window=2, stride=2),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("convolution 3", "no layer that I know"),
        ("conv 32", "written like this: conv 32 3"),
        ("conv 32 3 stride", "written like this"),
        ("conv 32 3x5", "written like this"),
        ("conv 32 3 stride 1 stride 1", "written like this"),
        ("conv 9999 3", "from 1 to 512"),
        ("conv 8 3 pad 2", "At most 1"),
        ("pool sideways 2", "written like this: pool max 2"),
        ("dense 0", "written like this"),
        ("dropout 1.5", "from 0 to 0.95"),
        ("dropout nan", "from 0 to 0.95"),
        ("relu 3", "written like this: relu"),
        ("relu;" * 41, "at most 40"),
        ("relu;" * 900, "too long"),
    ],
)
def test_what_cannot_be_read_is_told_with_what_to_write(text, words):
    with pytest.raises(Problem, match=words):
        parse(text)


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("pool 2; pool 2; pool 2; conv 8 5; flatten; dense", 3, "“conv 5 × 5” does not fit on 3 × 3"),
        ("conv 8 3; dense", 1, "8 maps of 26 × 26"),
        ("flatten; conv 8 3; dense", 1, "a list of 784 numbers"),
        ("flatten; dense; relu", 1, "nothing may follow"),
        ("flatten; dense 10", 1, "must be “dense” without a number"),
        ("conv 512 1; flatten; dense 4096; dense", 2, "parameters; at most 5,000,000"),
        ("conv 512 3; conv 512 3; flatten; dense", 1, "million multiplications"),
    ],
)
def test_the_fault_stands_at_the_layer_where_it_breaks(text, place, words):
    rows = shapes(parse(text), DIGIT, 10)
    assert [n for n, row in enumerate(rows) if row.problem] == [place]
    assert words in str(rows[place].problem)


def test_no_layers_is_a_fault_too():
    assert "no layer yet" in str(fault(shapes([], DIGIT, 10)))
    with pytest.raises(Problem, match="no layer yet"):
        networks.build("own", layers="")


@pytest.mark.parametrize("text", [*PRESETS.values(), FIRST])
@pytest.mark.parametrize("shape", [DIGIT, (3, 32, 32)])
def test_presets_fit_and_stay_small(text, shape):
    rows = shapes(parse(text), shape, 10)
    assert fault(rows) is None
    assert rows[-1].name == "logits"
    assert total(rows) < MOST_PARAMETERS


def test_work_of_the_article_by_hand():
    rows = {row.name: row.work for row in shapes(parse(PRESETS["article"]), DIGIT, 10)}
    assert rows["conv1"] == 32 * 9 * 26 * 26
    assert rows["conv2"] == 64 * 32 * 9 * 11 * 11
    assert rows["dense1"] == 576 * 64
    assert rows["pool1"] == 0


def test_presets_draw_the_weights_they_always_drew():
    """The golden numbers of runs hang on which random number becomes which weight, checkpoints on the names."""
    torch.manual_seed(3)
    by_hand = [nn.Conv2d(1, 16, 5, 2), nn.Conv2d(16, 32, 3), nn.Linear(800, 128), nn.Linear(128, 10)]
    torch.manual_seed(3)
    built = dict(networks.build("fast", dropout=0.5).named_parameters())
    assert list(built) == [f"{n}.{part}" for n in ("conv1", "conv2", "dense1", "logits") for part in ("weight", "bias")]
    for ours, theirs in zip(built.values(), (p for layer in by_hand for p in layer.parameters()), strict=True):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize("text", ["flatten; dense 4; norm; dense", "conv 4 3; norm; average; norm; dense"])
def test_normalisation_lets_a_last_batch_of_one_pass(text):
    model = networks.build("own", (1, 3, 3), 3, layers=text).train()
    out = model(torch.rand(1, 1, 3, 3))
    out.sum().backward()
    assert out.shape == (1, 3)
    assert torch.isfinite(out).all()


def test_the_language_needs_no_torch():
    code = "import sys, dlcore.models.layers, dlcore.models.layer_shapes; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
