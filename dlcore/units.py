"""One unit of a trained network opened: its weights, the training images it answers to most, the image it wants most.

A unit is a channel of a convolution (at one place of its map) or one number of a dense layer. For workers.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from dlcore.anatomy import Fields, box, fields, kind_of
from dlcore.data.images import ImageData, load
from dlcore.texts import N_, Problem
from dlcore.trained import Trained, network, outputs, written

if TYPE_CHECKING:
    from torch import Tensor, nn

STRONGEST = 9
MOST_IMAGES = 5_000  # training images that are asked, each class in proportion; more would keep a reader waiting
AT_ONCE = 250
STEPS, EVERY = 96, 4  # of the gradient ascent, and of its film
RATE, DECAY, NOISE = 6.0, 0.02, 25.0  # grey levels; DECAY is the share of the way back to grey in each step
GREY = 127.5
LEAK = 0.1  # slope of a sleeping relu at first, where a true one would give no direction; 0 from half way on

Best = tuple[np.ndarray, np.ndarray, np.ndarray]  # values (U, n), images' numbers (U, n), places (U, n, 2)


def unit(
    layer: str,
    index: int,
    checkpoint: str | None = None,
    *,
    dataset: str = "digits",
    train_size: int = 0,
    seed: int = 0,
) -> dict[str, Any]:
    """All that can be shown of one unit.

    Args:
        layer, index: the layer's name, and the number of the channel or neuron.
        checkpoint: path of a run's checkpoint, or None for the shipped network.
        dataset, train_size: which images it learned from (0: all), as the config names them.
        seed: of the noise from which the wanted image grows.

    Returns:
        ``weights``, ``strongest`` and ``wanted``, see ``weights_of``, ``strongest_of`` and ``wanted_by``; ``local``,
        whether it is one place of a map.

    Raises:
        Problem: there is no such unit (kind ``"unit"``), or the images are not here.
    """
    trained = network(checkpoint)
    where, shape = _place(trained, layer, index)
    return {
        "local": len(shape) == 3 and fields(trained.model, trained.shape)[layer][0].jump > 0,
        "weights": weights_of(trained, layer, index),
        "strongest": strongest_of(trained, layer, index, checkpoint, dataset, train_size),
        "wanted": wanted_by(trained, layer, index, where, shape, seed=seed),
    }


def _place(trained: Trained, layer: str, index: int) -> tuple[tuple[int, int], tuple[int, ...]]:
    """The middle of the unit's map, and the shape of its layer's output."""
    import torch

    found = {}
    with torch.inference_mode():
        found = outputs(trained.model, torch.zeros(1, *trained.shape))
    if layer not in found or not 0 <= index < found[layer].shape[1]:
        raise Problem(
            N_("There is no unit {index} in layer “{layer}” of this network."), kind="unit", index=index, layer=layer
        )
    shape = tuple(found[layer].shape[1:])
    return (shape[1] // 2, shape[2] // 2) if len(shape) == 3 else (0, 0), shape


# --- weights ----------------------------------------------------------------------------------------------------------


def weights_of(trained: Trained, layer: str, index: int) -> dict[str, Any] | None:
    """The weights that make a unit: of its own layer, or of the last one before it that has a unit of that number.

    Returns:
        ``layer`` whose they are; ``kernels`` float32: ``(inputs, h, w)`` of a convolution, or of a dense layer that
        follows a flattened map; ``(1, 1, n)`` of another dense layer; ``bias``. None where there are none.
    """
    import torch

    children = dict(trained.model.named_children())
    names = list(children)
    at = names.index(layer)
    while at and kind_of(children[names[at]]) not in ("conv", "dense", "flatten"):
        at -= 1
    source = children[names[at]]
    if kind_of(source) not in ("conv", "dense"):
        return None
    weight, bias = source.get_parameter("weight").detach()[index], getattr(source, "bias", None)
    kernels = weight if weight.ndim == 3 else weight.reshape(1, 1, -1)
    if kind_of(source) == "dense" and at and kind_of(children[names[at - 1]]) == "flatten":
        with torch.inference_mode():
            found = outputs(trained.model, torch.zeros(1, *trained.shape))
        before = found[names[at - 2]] if at > 1 else None
        kernels = weight.reshape(before.shape[1:]) if before is not None and before.ndim == 4 else kernels
    return {
        "layer": names[at],
        "kernels": kernels.float().numpy().copy(),
        "bias": 0.0 if bias is None else float(bias.detach()[index]),
    }


# --- strongest training images ----------------------------------------------------------------------------------------


def strongest_of(
    trained: Trained, layer: str, index: int, checkpoint: str | None, dataset: str, train_size: int
) -> dict[str, Any]:
    """The training images that a unit answers to most, the strongest first.

    Returns:
        ``images`` (n, C, H, W) uint8, their ``labels`` (n,) and ``numbers`` (n,) in the training set asked, the unit's
        largest ``values`` (n,) float32 in each, the ``boxes`` (n, 4) that it saw there (top, left, bottom, right), and
        ``count``, how many images were asked; ``classes`` of the images.
    """
    data = asked_images(dataset, train_size)
    if data.X_train.shape[1:] != trained.shape:
        raise Problem(
            N_("These images are {there} numbers each, and the network takes {wanted}."),
            kind="shape",
            there=" × ".join(map(str, data.X_train.shape[1:])),
            wanted=" × ".join(map(str, trained.shape)),
        )
    values, numbers, places = _strongest(checkpoint, written(checkpoint), dataset, train_size)[layer]
    chosen, field = numbers[index], fields(trained.model, trained.shape)[layer]
    return {
        "images": data.X_train[chosen],
        "labels": data.y_train[chosen],
        "numbers": chosen,
        "values": values[index],
        "boxes": np.array([box(field, (int(y), int(x)), trained.shape) for y, x in places[index]]),
        "count": len(data.X_train),
        "classes": list(data.classes),
    }


def asked_images(dataset: str, train_size: int) -> ImageData:
    """The training images that are asked: all of a run's, or the first ``MOST_IMAGES`` in proportion."""
    data = load(dataset, train_size=train_size or None)
    return data if len(data.X_train) <= MOST_IMAGES else load(dataset, train_size=MOST_IMAGES)


@lru_cache(maxsize=4)
def _strongest(checkpoint: str | None, _written: int, dataset: str, train_size: int) -> dict[str, Best]:
    """For each layer, what its units answer to most: the strongest first."""
    import torch

    model, X = network(checkpoint).model, asked_images(dataset, train_size).X_train
    best: dict[str, tuple[Tensor, Tensor, Tensor]] = {}
    widths: dict[str, int] = {}
    with torch.inference_mode():
        for start in range(0, len(X), AT_ONCE):
            batch = torch.from_numpy(X[start : start + AT_ONCE].copy()).to(memory_format=torch.channels_last)
            for name, output in outputs(model, batch).items():
                widths[name] = output.shape[-1] if output.ndim == 4 else 1
                values, places = output.flatten(2).max(2) if output.ndim == 4 else (output, torch.zeros_like(output))
                numbers = torch.arange(start, start + len(values))[:, None].expand_as(values)
                best[name] = _merge(best.get(name), (values, numbers, places.long()))
    return {name: _as_arrays(*found, widths[name]) for name, found in best.items()}


def _merge(before: tuple[Tensor, ...] | None, new: tuple[Tensor, ...]) -> tuple[Tensor, Tensor, Tensor]:
    """The strongest of two tables, each ``(images, units)``: values, numbers, places."""
    import torch

    both = new if before is None else tuple(torch.cat(pair) for pair in zip(before, new, strict=True))
    values, order = torch.sort(both[0], dim=0, descending=True, stable=True)
    order = order[:STRONGEST]
    return values[:STRONGEST], both[1].gather(0, order), both[2].gather(0, order)


def _as_arrays(values: Tensor, numbers: Tensor, places: Tensor, width: int) -> Best:
    at = places.T.numpy()
    return values.T.float().numpy(), numbers.T.numpy(), np.stack([at // width, at % width], -1)


# --- the image that a unit wants most ---------------------------------------------------------------------------------


def wanted_by(
    trained: Trained, layer: str, index: int, place: tuple[int, int], shape: tuple[int, ...], *, seed: int = 0
) -> dict[str, Any]:
    """The image that makes a unit answer most, by gradient ascent from noise (Erhan and others 2009).

    Each step goes along the normalised gradient of the unit's value; towards grey, a little (L2); and for fields large
    enough with a jitter and a blur, against patterns that only a network sees (Mordvintsev and others 2015; Olah and
    others, "Feature visualization", Distill 2017). The value counted is the network's own, for the image shown.

    Returns:
        ``frames`` (F, C, h, w) uint8, cut to what the unit sees; ``steps`` (F,); ``values`` (F,) float32, the unit's
        value for each frame; ``box`` (4,), where in the image that lies.
    """
    import torch

    generator = torch.Generator().manual_seed(seed)
    x = GREY + NOISE * torch.randn(1, *trained.shape, generator=generator)
    field = fields(trained.model, trained.shape)[layer]
    top, left, bottom, right = box(field, place, trained.shape)
    reach = _jitter(field)
    at = (0, index, *place) if len(shape) == 3 else (0, index)
    frames, steps, values = [], [], []
    for step in range(STEPS + 1):
        if step % EVERY == 0:
            shown = x.clamp(0, 255).round()
            frames.append(shown[0, :, top:bottom, left:right].to(torch.uint8).numpy())
            steps.append(step)
            values.append(_value(trained.model, layer, shown, at))
        move = torch.randint(-reach, reach + 1, (2,), generator=generator).tolist()
        x = _climb(trained.model, layer, x, at, move, LEAK * max(0.0, 1 - 2 * step / STEPS))
        if reach and step % 4 == 3 and step < STEPS - 8:
            x = _blurred(x)
    return {
        "frames": np.stack(frames),
        "steps": np.array(steps),
        "values": np.array(values, np.float32),
        "box": np.array([top, left, bottom, right]),
    }


def _climb(model: nn.Sequential, layer: str, x: Tensor, at: tuple[int, ...], move: list[int], leak: float) -> Tensor:
    """One step uphill from ``x`` (1, C, H, W), seen shifted by ``move`` pixels."""
    import torch

    moved = x.roll(move, (2, 3)).requires_grad_()
    with torch.enable_grad():
        (slope,) = torch.autograd.grad(_leaky(model, layer, moved, leak)[at], moved)
    slope = slope.roll([-n for n in move], (2, 3))
    size = slope.square().mean().sqrt().clamp_min(1e-12)
    x = x + RATE * slope / size
    return (x + DECAY * (GREY - x)).clamp(0, 255)


def _leaky(model: nn.Sequential, layer: str, X: Tensor, leak: float) -> Tensor:
    """The layer's output, with a small slope where a relu sleeps."""
    from torch.nn.functional import leaky_relu

    for name, module in model.named_children():
        X = leaky_relu(X, leak) if kind_of(module) == "relu" else module(X)
        if name == layer:
            break
    return X


def _value(model: nn.Sequential, layer: str, X: Tensor, at: tuple[int, ...]) -> float:
    import torch

    with torch.inference_mode():
        return float(outputs(model, X)[layer][at])


def _jitter(field: Fields) -> int:
    """How many pixels the image is moved about: none where the unit sees few, since all would be blurred away."""
    return min(2, min(f.size for f in field) // 12)


def _blurred(x: Tensor) -> Tensor:
    """A light binomial blur, each channel alone."""
    import torch
    from torch.nn.functional import conv2d, pad

    line = torch.tensor([1.0, 6.0, 1.0]) / 8
    kernel = (line[:, None] * line).expand(x.shape[1], 1, 3, 3)
    return conv2d(pad(x, (1, 1, 1, 1), mode="replicate"), kernel, groups=x.shape[1])
