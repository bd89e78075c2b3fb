"""A network, whatever it was trained on, as the lessons on photographs use it: what it takes, says and knows. Workers.

``model("mobilenet_v2")`` answers exactly as torchvision's own weights and transform do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib import import_module
from pathlib import Path
from threading import get_ident
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from dlcore.experiments.cnn_look import as_known
from dlcore.texts import N_, Problem
from dlcore.trained import network, written
from dlcore.vision.networks import KNOWN, SHIPPED, here

RUN = "run:"  # before the path of a checkpoint
SIDE = 224  # of what enters an ImageNet network
INK_SHAPE = (1, 28, 28)  # of networks of written signs, for which the ink is looked for
LONGEST = 400  # times the shorter side: of longer pictures only the middle is scaled, the rest is cropped away anyway


@dataclass(frozen=True)
class Vision:
    """A network in eval mode on the CPU, float32.

    Attributes:
        name: as ``model`` takes it.
        module: ``(B, C, H, W)`` as ``prepare`` makes them → logits ``(B, K)``; gradients may be asked for.
        classes: K English names; the index is the class's.
        shape: ``(C, H, W)`` of what enters.
        prepare: ``(H, W, 3)`` uint8 RGB → float32 of ``shape``; for ImageNet's networks torchvision's own transform.
        last_maps: the last layer whose output has places, ``(B, D, h, w)``; None for networks without such maps.
        window: side of the middle square that enters, as a share of the picture's shorter side; 0 where the network
            is shown something else (a sign is looked for in the whole picture).
    """

    name: str
    module: nn.Module
    classes: list[str]
    shape: tuple[int, int, int]
    prepare: Callable[[np.ndarray], Tensor]
    last_maps: nn.Module | None
    window: float = 1.0

    def features(self, X: Tensor) -> Tensor:
        """What enters the last linear layer: ``(B, C, H, W)`` → ``(B, D)``. Maps are averaged over their places.

        (SqueezeNet's last linear layer is a 1x1 convolution.)
        """
        found: list[Tensor] = []
        asker = get_ident()  # another thread may be using the same module just now

        def keep(_layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            if get_ident() == asker:
                found.append(inputs[0])

        handle = _last_linear(self.module).register_forward_pre_hook(keep)
        try:
            self.module(X)
        finally:
            handle.remove()
        return found[-1].mean((2, 3)) if found[-1].ndim == 4 else found[-1]


def model(name: str) -> Vision:
    """The network of that name.

    Args:
        name: a key of ``KNOWN``, one of ``SHIPPED``, or ``run:`` and the path of a checkpoint of an image network.

    Raises:
        Problem: kinds ``"weights_missing"`` (its weights are not on this machine), ``"weights"`` (they cannot be used)
            and ``"model"`` (there is no such network).
    """
    if name in KNOWN:
        path = here(name)
        if path is None:
            raise Problem(NOT_HERE, kind="weights_missing", name=name, title=KNOWN[name].title)
        return _imagenet(name, str(path), written(str(path)))
    if name == "backbone":
        return _backbone()
    from dlcore import own_model  # which is built on this module

    checkpoint = name.removeprefix(RUN) if name.startswith(RUN) else None
    if checkpoint is None and name != "digits":
        raise Problem(NO_SUCH, kind="model", name=name[:80], names=", ".join((*KNOWN, *SHIPPED)))
    try:
        if checkpoint and own_model.is_own(checkpoint):
            return own_model.vision(checkpoint)
        return _trained(name, checkpoint, written(checkpoint))
    except (KeyError, OSError, TypeError) as error:  # no file, or a state without an image network
        raise Problem(NO_NETWORK, kind="model") from error


NOT_HERE = N_("The weights of {title} are not on this machine. Run: python -m dlcore download {name}.")
NO_SUCH = N_("There is no network “{name}”. There are: {names}.")
NO_NETWORK = N_("This run has no image network that could answer.")
BROKEN = N_("The weights in {path} cannot be used: the file is damaged or of another network. Remove it.")


def imagenet(name: str, module: nn.Module, file: str = "") -> Vision:
    """``module``, built by torchvision for ``name``, with the transform and classes that belong to the weights.

    Args:
        file: name of the weights' file, which decides on the transform; by default the one of ``KNOWN``.
    """
    from torchvision.models import get_model_weights

    file = file or KNOWN[name].file
    weights: Any = next(w for w in get_model_weights(name) if w.value.url.endswith(f"/{file}"))
    transform = weights.transforms()
    return Vision(
        name=name,
        module=module.eval(),
        classes=list(weights.meta["categories"]),
        shape=(3, SIDE, SIDE),
        prepare=partial(_transformed, transform),
        last_maps=_imagenet_maps(module),
        window=transform.crop_size[0] / transform.resize_size[0],
    )


def _imagenet_maps(module: nn.Module) -> nn.Module | None:
    """The last stage of the convolutional part; a vision transformer's patches are a list and have none."""
    features = getattr(module, "features", None)
    return getattr(module, "layer4", None) if features is None else features[-1]


def _transformed(transform: Callable[[Image.Image], Tensor], picture: np.ndarray) -> Tensor:
    return transform(Image.fromarray(_middle(picture)))


def _middle(picture: np.ndarray) -> np.ndarray:
    """The picture, or the middle of one so long and thin that scaling its shorter side would fill the memory."""
    H, W = picture.shape[:2]
    most = LONGEST * min(H, W)
    top, left = max(0, (H - most) // 2), max(0, (W - most) // 2)
    return picture[top : H - top, left : W - left]


@lru_cache(maxsize=2)  # ViT-B/16 alone has 330 MB
def _imagenet(name: str, path: str, _written: int) -> Vision:
    from torchvision.models import get_model

    with torch.inference_mode(False):  # who asks first may be in it; who comes later may want gradients
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
            with torch.device("meta"):  # no first weights are drawn, only to be overwritten
                module = get_model(name, weights=None)
            module.load_state_dict(state, assign=True)
        except Exception as error:  # torch, pickle and zipfile have many ways to say it
            raise Problem(BROKEN, kind="weights", path=path) from error
        return imagenet(name, module.float(), Path(path).name)


def _last_linear(module: nn.Module) -> nn.Module:
    """The last dense layer, else the last convolution."""
    for kind in (nn.Linear, nn.Conv2d):
        if layers := [layer for layer in module.modules() if isinstance(layer, kind)]:
            return layers[-1]
    raise ValueError("the network has no linear layer")


@lru_cache(maxsize=8)
def _trained(name: str, checkpoint: str | None, _written: int) -> Vision:
    """A network of this project, which takes pixels 0 to 255: its first layer standardises them."""
    trained = network(checkpoint)
    return _of_pixels(name, trained.model, trained.classes, trained.shape)


def _of_pixels(name: str, module: nn.Module, classes: list[str], shape: tuple[int, int, int]) -> Vision:
    window = 0.0 if shape == INK_SHAPE else 1.0
    return Vision(name, module.eval(), classes, shape, partial(_pixels, shape), last_maps(module, shape), window)


def _pixels(shape: tuple[int, int, int], picture: np.ndarray) -> Tensor:
    page = picture if shape[0] == 3 else np.asarray(Image.fromarray(picture).convert("L"))
    return torch.from_numpy(np.array(as_known(page, shape))).float()


def last_maps(module: nn.Module, shape: tuple[int, int, int]) -> nn.Module | None:
    """The last layer of a network ``(B, *shape)`` → ``(B, K)`` whose output is maps made by convolutions.

    It is found by sending an empty image through. Layers within layers are looked at, too.
    """
    found: list[nn.Module] = []
    state = {"convolved": False}
    asker = get_ident()

    def look(layer: nn.Module, _inputs: Any, output: Any) -> None:
        if get_ident() != asker:
            return
        state["convolved"] |= isinstance(layer, nn.Conv2d)
        if state["convolved"] and isinstance(output, Tensor) and output.ndim == 4 and output[0, 0].numel() > 1:
            found.append(layer)

    handles = [layer.register_forward_hook(look) for layer in module.modules() if layer is not module]
    try:
        with torch.no_grad():
            module(torch.zeros(1, *shape))
    finally:
        for handle in handles:
            handle.remove()
    return found[-1] if found else None


@lru_cache(maxsize=1)
def _backbone() -> Vision:
    try:
        shipped = import_module("dlcore.models.backbone").shipped
    except ImportError:
        raise Problem(NO_SUCH, kind="model", name="backbone", names=", ".join((*KNOWN, "digits"))) from None
    with torch.inference_mode(False):
        module, about = shipped()
    return _of_pixels("backbone", module, list(about["classes"]), (3, 32, 32))
