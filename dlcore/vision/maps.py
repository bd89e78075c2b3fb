"""What the layers of any image network make of a picture: maps of features, the strongest first. For workers."""

from __future__ import annotations

from collections import OrderedDict
from threading import get_ident
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dlcore.texts import N_, Problem
from dlcore.vision.models import Vision
from dlcore.vision.pixels import Opened, open_with

NO_LAYER = N_("This network has no layer “{layer}” with maps.")


def stages(vision: Vision) -> OrderedDict[str, nn.Module]:
    """The parts of a network, in order, by their names in the module: those that it is a list of, at the top.

    A part that is itself the list (``features`` of torchvision's networks) is replaced by its members.
    """
    found: OrderedDict[str, nn.Module] = OrderedDict()
    for name, part in vision.module.named_children():
        if name == "features":
            found.update((f"features.{inner}", member) for inner, member in part.named_children())
        else:
            found[name] = part
    return found


def layers(name: str, picture: np.ndarray) -> list[dict[str, Any]]:
    """The layers that have maps, in order: ``name``, ``count`` of maps, ``places`` (h, w) of each; none: []."""
    return [
        {"name": layer, "count": maps.shape[0], "places": tuple(maps.shape[1:])}
        for layer, maps in _all_maps(open_with(name, picture)).items()
    ]


def strongest(name: str, picture: np.ndarray, layer: str, *, count: int = 24) -> dict[str, Any]:
    """The maps of a layer that answer to the picture most, by their largest value.

    Returns:
        ``maps`` (count, h, w) float32; ``numbers`` (count,) of them in the layer; ``peaks`` (count,) their largest
        values; ``active`` (count,), the share of places above 0; ``silent``: how many of all maps are nowhere above 0.

    Raises:
        Problem: kind ``"layer"``: there is no such layer with maps.
    """
    maps = _all_maps(open_with(name, picture)).get(layer)
    if maps is None:
        raise Problem(NO_LAYER, kind="layer", layer=layer[:80])
    peaks = maps.amax((1, 2))
    best = torch.argsort(peaks, descending=True, stable=True)[:count]
    return {
        "maps": maps[best].numpy(),
        "numbers": best.numpy(),
        "peaks": peaks[best].numpy(),
        "active": (maps[best] > 0).float().mean((1, 2)).numpy(),
        "silent": int((peaks <= 0).sum()),
    }


def _all_maps(opened: Opened) -> dict[str, Tensor]:
    """What each stage says of the picture, ``(D, h, w)``, for those whose output has places."""
    found: dict[str, Tensor] = {}
    asker = get_ident()  # another thread may be using the same module just now

    def keep(layer: str, output: Any) -> None:
        if get_ident() == asker and isinstance(output, Tensor) and output.ndim == 4 and output[0, 0].numel() > 1:
            found[layer] = output[0].detach().clone()  # a layer that works in place would change it afterwards

    handles = [
        part.register_forward_hook(lambda _part, _inputs, output, layer=layer: keep(layer, output))
        for layer, part in stages(opened.vision).items()
    ]
    try:
        with torch.no_grad():
            opened.net(opened.P)
    finally:
        for handle in handles:
            handle.remove()
    return found
