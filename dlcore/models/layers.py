"""A small language for networks: ``conv 32 3; relu; pool 2; flatten; dense 64; relu; dense``. No torch in it.

``parse`` reads it, ``spell`` writes it; ``dlcore.models.layer_shapes`` says what comes out of every layer, and
``dlcore.models.cnn.build`` makes a network of it.

========================================  ==============================================================
``conv 32 3 [stride 2] [pad 1]``          32 filters of 3 x 3
``pool [max|average] 2 [stride 1]``       the largest (or the mean) of each window; its steps are its size
``relu``, ``tanh``, ``gelu``, ``sigmoid``  at every number
``norm``                                  batch normalisation of every map, or of every number of a list
``dropout 0.25``                          a share is switched off in training
``flatten``                               maps to one list
``average``, ``largest``                  each map to its mean, or to its largest number: one for each map
``dense 64``; ``dense``                   all with all; without a number: one score per class, the end
========================================  ==============================================================
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from dlcore.texts import N_, Problem

ACTIVATIONS = ("relu", "tanh", "gelu", "sigmoid")
POOLS = ("max", "average")
TO_LIST = ("flatten", "average", "largest")  # maps become a list
KINDS = ("conv", "pool", *ACTIVATIONS, "norm", "dropout", *TO_LIST, "dense")

PRESETS = {
    "article": "conv 32 3; relu; pool 2; conv 64 3; relu; pool 2; conv 64 3; relu; flatten; dense 64; relu; dense",
    # made for speed: the first convolution goes in steps of 2, the second is pooled before its relu (the same result)
    "fast": "conv 16 5 stride 2; relu; conv 32 3; pool 2; relu; flatten; dense 128; relu; dense",
    # keeps of each map the largest answer and not where it stood: 23,816 weights for 8 classes
    "small": "conv 16 3 pad 1; relu; pool 2; conv 32 3 pad 1; relu; pool 2; conv 64 3 pad 1; relu; largest; dense",
    # for colour photographs: batch normalisation lets large steps be taken, the first stride spares three quarters
    "norm": "conv 24 5 stride 2 pad 2; norm; relu; conv 48 3 pad 1; pool 2; norm; relu; "
    "conv 96 3 pad 1; pool 2; norm; relu; flatten; dense",
    # for a processor with matrix units: wide maps on a quarter of the picture, and the largest answer of each; without
    # dropout it had 95 % of its training images right and a point less of the others
    "wide": "conv 32 4 stride 2 pad 1; norm; relu; conv 64 3 pad 1; norm; relu; conv 128 3 pad 1; pool 2; norm; relu; "
    "conv 256 3 pad 1; pool 2; norm; relu; largest; dropout 0.3; dense",
    # knows nothing of neighbourhood: as good on shuffled pixels as on pictures
    "mlp": "flatten; dense 128; relu; dense 64; relu; dense",
}
BACKBONE = (  # for photographs, shipped; pairs of layers as in Keller Jordan’s cifar10-airbench, with fewer maps
    "conv 24 2; relu; "
    "conv 64 3 pad 1; pool 2; norm; relu; conv 64 3 pad 1; norm; relu; "
    "conv 128 3 pad 1; pool 2; norm; relu; conv 128 3 pad 1; norm; relu; "
    "conv 256 3 pad 1; pool 2; norm; relu; conv 256 3 pad 1; norm; relu; average; dense"
)
FIRST = "conv 16 3; relu; pool 2; conv 32 3; relu; pool 2; flatten; dense 64; relu; dense"  # what one's own begins as

MOST_LAYERS, MOST_TEXT = 40, 1500


@dataclass(frozen=True)
class Layer:
    """One layer. ``kind`` is one of ``KINDS``; of the rest it has what the module's table shows.

    Attributes:
        size: conv: filters; dense: neurons, 0 for one score per class.
        window, stride, pad: conv and pool, in pixels; the window is square.
        how: pool: one of ``POOLS``.
        share: dropout, 0 to below 1.
    """

    kind: str
    size: int = 0
    window: int = 0
    stride: int = 1
    pad: int = 0
    how: str = "max"
    share: float = 0.0


# The whole numbers of each kind: the smallest and the largest, in the order in which they are written.
BOUNDS: dict[str, dict[str, tuple[int, int]]] = {
    "conv": {"size": (1, 512), "window": (1, 11), "stride": (1, 8), "pad": (0, 5)},
    "pool": {"window": (2, 8), "stride": (1, 8)},
    "dense": {"size": (1, 4096)},
}
MOST_SHARE = 0.95


def parse(text: str) -> list[Layer]:
    """The layers of a text; parts are set apart by ``;`` or new lines, and capitals do not matter.

    Raises:
        Problem: a part is no layer, a number is missing or out of bounds, or there are too many (kind ``"layers"``).
    """
    if len(text) > MOST_TEXT:
        raise Problem(N_("This list of layers is too long: at most {most} characters."), kind="layers", most=MOST_TEXT)
    layers = [read(part) for part in re.split(r"[;\n]", text) if part.strip()]
    if len(layers) > MOST_LAYERS:
        raise Problem(N_("{n} layers are too many: at most {most}."), kind="layers", n=len(layers), most=MOST_LAYERS)
    return layers


def read(part: str) -> Layer:
    """One layer of its text, e.g. ``"conv 32 3 pad 1"``. Raises ``Problem`` (kind ``"layers"``)."""
    words = re.sub(r"\b(\d+)\s*[x×]\s*\1\b", r"\1", part.lower()).split()  # 3x3 is 3: windows are square
    kind, rest = (words[0], words[1:]) if words else ("", [])
    if kind not in KINDS:
        raise Problem(
            N_("“{part}” is no layer that I know. A layer begins with one of: {kinds}."),
            kind="layers", part=part.strip()[:40], kinds=", ".join(KINDS),
        )  # fmt: skip
    try:
        return check(_READERS.get(kind, _bare)(kind, rest))
    except (ValueError, IndexError) as fault:
        if isinstance(fault, Problem):
            raise
        example = EXAMPLES.get(kind, kind)
        raise Problem(
            N_("“{part}” cannot be read. It is written like this: {example}."),
            kind="layers", part=part.strip()[:40], example=example,
        ) from None  # fmt: skip


EXAMPLES = {
    "conv": "conv 32 3 stride 1 pad 1", "pool": "pool max 2", "dropout": "dropout 0.25", "dense": "dense 64",
}  # fmt: skip


def check(layer: Layer) -> Layer:
    """The layer itself where its numbers are within bounds; else a ``Problem`` (kind ``"layers"``)."""
    for name, (low, high) in BOUNDS.get(layer.kind, {}).items():
        value = getattr(layer, name)
        if low <= value <= high or (layer.kind == "dense" and value == 0):
            continue
        raise Problem(
            N_("{value} is out of range for “{what}” of “{layer}”: it goes from {low} to {high}."),
            kind="layers", value=value, what=name, layer=layer.kind, low=low, high=high,
        )  # fmt: skip
    if layer.kind == "dropout" and not 0 <= layer.share <= MOST_SHARE:
        raise Problem(
            N_("dropout {share} is out of range: it goes from 0 to {most}."),
            kind="layers", share=f"{layer.share:g}", most=MOST_SHARE,
        )  # fmt: skip
    if layer.pad and 2 * layer.pad > layer.window:
        raise Problem(
            N_("pad {pad} is too much for a window of {window}: at its edge it would see nothing but the margin. "
               "At most {most}."),
            kind="layers", pad=layer.pad, window=layer.window, most=layer.window // 2,
        )  # fmt: skip
    return layer


def _conv(kind: str, words: list[str]) -> Layer:
    options = _options(words[2:], ("stride", "pad"))
    return Layer(kind, size=int(words[0]), window=int(words[1]), **options)


def _pool(kind: str, words: list[str]) -> Layer:
    how, rest = ({"avg": "average"}.get(words[0], words[0]), words[1:]) if words[0].isalpha() else ("max", words)
    if how not in POOLS:
        raise ValueError(how)
    options = {"stride": int(rest[0]), **_options(rest[1:], ("stride",))}
    return Layer(kind, window=int(rest[0]), how=how, **options)


def _dense(kind: str, words: list[str]) -> Layer:
    if len(words) > 1 or words == ["0"]:
        raise ValueError(words)
    return Layer(kind, size=int(words[0]) if words else 0)


def _dropout(kind: str, words: list[str]) -> Layer:
    (share,) = words
    return Layer(kind, share=float(share))


def _bare(kind: str, words: list[str]) -> Layer:
    if words:
        raise ValueError(words)
    return Layer(kind)


_READERS: dict[str, Callable[[str, list[str]], Layer]] = {
    "conv": _conv, "pool": _pool, "dense": _dense, "dropout": _dropout,
}  # fmt: skip


def _options(words: Sequence[str], known: Sequence[str]) -> dict[str, Any]:
    """``["stride", "2", "pad", "1"]`` as numbers by name."""
    names, values = words[::2], words[1::2]
    if len(names) != len(values) or len(set(names)) < len(names) or not set(names) <= set(known):
        raise ValueError(words)
    return {name: int(value) for name, value in zip(names, values, strict=True)}


def spell(layers: Sequence[Layer]) -> str:
    """The shortest text that ``parse`` reads as these layers."""
    return "; ".join(map(write, layers))


def write(layer: Layer) -> str:
    """One layer as ``read`` reads it."""
    parts = [layer.kind]
    if layer.kind == "pool":
        parts += [layer.how] * (layer.how != "max") + [str(layer.window)]
        parts += ["stride", str(layer.stride)] * (layer.stride != layer.window)
    elif layer.kind == "conv":
        parts += [str(layer.size), str(layer.window)]
        parts += ["stride", str(layer.stride)] * (layer.stride != 1) + ["pad", str(layer.pad)] * (layer.pad != 0)
    elif layer.kind == "dense" and layer.size:
        parts.append(str(layer.size))
    elif layer.kind == "dropout":
        parts.append(f"{layer.share:.10g}")
    return " ".join(parts)
