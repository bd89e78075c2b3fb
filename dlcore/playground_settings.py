"""The playground's text knobs read: which features, which layers, which activations, and the network they describe."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dlcore.data import points2d
from dlcore.mlp import ACTIVATIONS, Architecture, Layer
from dlcore.texts import N_, Problem

MOST_LAYERS, MOST_UNITS = 8, 32


def features(text: str) -> tuple[str, ...]:
    """``"x1,x2"`` as names of ``points2d.FEATURES``, in the order of that table. Raises ``Problem``."""
    names = [name.strip() for name in text.split(",")]
    if not set(names) <= set(points2d.FEATURES):
        raise Problem(
            N_("The features “{text}” cannot be read. Write at least one of these, with commas between: {names}."),
            kind="knob", name="features", text=text[:60], names=", ".join(points2d.FEATURES),
        )  # fmt: skip
    return tuple(name for name in points2d.FEATURES if name in names)


def widths(text: str) -> tuple[int, ...]:
    """``"4,2"`` as the units of each hidden layer; none for an empty text. Raises ``Problem``."""
    parts = [part.strip() for part in text.split(",")] if text.strip() else []
    fits = all(part.isdecimal() and len(part) < 4 and 1 <= int(part) <= MOST_UNITS for part in parts)
    if not fits or len(parts) > MOST_LAYERS:
        raise Problem(
            N_(
                "The layers “{text}” cannot be read. Write the units of each hidden layer with commas between, such as "
                "4,2: at most {layers} layers of 1 to {units} units. An empty text means no hidden layer."
            ),
            kind="knob", name="layers", text=text[:60], layers=MOST_LAYERS, units=MOST_UNITS,
        )  # fmt: skip
    return tuple(int(part) for part in parts)


def activations(text: str, count: int) -> tuple[str, ...]:
    """One name for all ``count`` hidden layers, or one for each, with commas between. Raises ``Problem``."""
    names = tuple(name.strip() for name in text.split(","))
    if not set(names) <= set(ACTIVATIONS):
        raise Problem(
            N_("The activation “{text}” is unknown. Write one of these, or one for each layer: {names}."),
            kind="knob", name="activation", text=text[:60], names=", ".join(ACTIVATIONS),
        )  # fmt: skip
    if len(names) not in (1, count) and count:
        raise Problem(
            N_("There are {n} activations for {layers} hidden layers. Give one for all, or one for each."),
            kind="knob", name="activation", n=len(names), layers=count,
        )  # fmt: skip
    return names * count if len(names) == 1 else names[:count]


def architecture(config: Any) -> Architecture:
    """The network of a config: its hidden layers and the linear output. Raises ``Problem`` for malformed texts."""
    units = widths(config.layers)
    hidden = [
        Layer(n, name, config.dropout, config.batch_norm)
        for n, name in zip(units, activations(config.activation, len(units)), strict=True)
    ]
    return Architecture(len(features(config.features)), (*hidden, Layer(1)), config.residual)


def loss_of(config: Any) -> str:
    """The loss, "auto" made definite: cross-entropy for classes, the squared error for numbers."""
    classes = points2d.is_classification(config)
    if config.loss == "auto":
        return "cross_entropy" if classes else "mse"
    if not classes and config.loss != "mse":
        raise Problem(
            N_("The loss {loss} compares classes, and this data has numbers to predict. Choose mse or auto."),
            kind="knob", name="loss", loss=config.loss,
        )  # fmt: skip
    return config.loss


def described(config: Any) -> dict[str, Any]:
    """The network for a browser, as builtins: inputs, layers, loss, classification."""
    network = architecture(config)
    layers = [
        {
            "units": layer.units,
            "activation": layer.activation,
            "batch_norm": layer.batch_norm,
            "residual": network.is_linked(i),
        }
        for i, layer in enumerate(network.layers)
    ]
    return {
        "inputs": list(features(config.features)),
        "layers": layers,
        "loss": loss_of(config),
        "classification": points2d.is_classification(config),
    }


def place_of(network: Architecture, layer: int, i: int, j: int) -> int:
    """Where a weight stands in the flat parameters: from input i to unit j of a layer, or its bias for i = −1."""
    start = sum(int(np.prod(shape)) for k in range(layer) for shape in network.shapes(k).values())
    n_in, units = network.inputs_of(layer), network.layers[layer].units
    return start + (i * units + j if i >= 0 else n_in * units + j)


def checked_weight(config: Any, value: Any, last: type) -> list[Any]:
    """``[layer, i, j, value]`` where it names a weight of this network and ends in a ``last``. Raises ``Problem``."""
    network = architecture(config)
    whole = isinstance(value, Sequence) and len(value) == 4 and all(type(v) is int for v in value[:3])
    fits = whole and 0 <= value[0] < len(network.layers) and -1 <= value[1] < network.inputs_of(value[0])
    fits = fits and 0 <= value[2] < network.layers[value[0]].units
    if fits and last is bool and isinstance(value[3], bool):
        return list(value)
    number = fits and last is float and isinstance(value[3], (int, float)) and not isinstance(value[3], bool)
    if number and abs(value[3]) <= 1e6:
        return [*value[:3], float(value[3])]
    raise Problem(
        N_("This network has no such weight, or the value does not fit it (a weight is between -1,000,000 and "
           "1,000,000)."),
        kind="knob", name="weight",
    )  # fmt: skip
