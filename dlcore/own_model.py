"""A network with a last layer of the learner's own: put together, taken home as files, and read back in. Workers.

A run keeps the last layer alone; what is downloaded is whole, with torchvision's own names of weights where the rest
is a network of torchvision's, so that ``mobilenet_v2(num_classes=3).load_state_dict(…)`` takes it.
"""

from __future__ import annotations

import copy
import hashlib
import io
import json
import zipfile
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dlcore.data.album import folder, make_folder, tidy, write_whole
from dlcore.events import unpack
from dlcore.own_model_files import LABELS, SCRIPT, WEIGHTS, checked, script
from dlcore.texts import N_, Problem
from dlcore.trained import written
from dlcore.vision.models import RUN, Vision, imagenet, model
from dlcore.vision.networks import KNOWN

BACKBONES = (*(name for name in KNOWN if name != "squeezenet1_0"), "backbone")  # SqueezeNet has no dense layer


def is_own(path: str) -> bool:
    """Whether a checkpoint or weights file is of this kind; it must exist. The rest of it is not looked at."""
    return path.endswith(".safetensors") or "own" in _state(path, written(path))


def vision(path: str) -> Vision:
    """The whole network of a run's checkpoint, or of a file that ``keep`` has kept.

    Raises:
        Problem: the network that it was built on is not here.
    """
    return _vision(path, written(path))


@lru_cache(maxsize=2)
def _vision(path: str, stamp: int) -> Vision:
    with torch.inference_mode(False):
        if path.endswith(".safetensors"):
            return _of_file(path)
        state = _state(path, stamp)
        weight, bias = (torch.from_numpy(array) for array in last_layer(path))
        return with_head(model(state["own"]["backbone"]), weight, bias, list(state["classes"]), RUN + path)


@lru_cache(maxsize=4)
def _state(path: str, _stamp: int) -> dict[str, Any]:
    return unpack(Path(path).read_bytes())


def last_layer(path: str) -> tuple[np.ndarray, np.ndarray]:
    """Weights ``(K, D)`` and bias ``(K,)`` of a run's last layer, for features as they are."""
    state = _state(path, written(path))
    weight, bias = (torch.from_numpy(np.array(state["model"][name])) for name in ("weight", "bias"))
    weight, bias = folded(weight, bias, state["own"]["mean"], state["own"]["std"])
    return weight.numpy(), bias.numpy()


def folded(weight: Tensor, bias: Tensor, mean: float, std: float) -> tuple[Tensor, Tensor]:
    """The layer that does to ``x`` what ``weight (K, D)``, ``bias (K,)`` do to ``(x - mean) / std``."""
    return weight / std, bias - weight.sum(1) * (mean / std)


def with_head(base: Vision, weight: Tensor, bias: Tensor, classes: list[str], name: str) -> Vision:
    """A copy of a network with another last layer, ``(K, D)`` and ``(K,)``."""
    known: dict[int, Any] = {}
    module = copy.deepcopy(base.module, known)
    head = nn.Linear(weight.shape[1], weight.shape[0])
    head.weight, head.bias = nn.Parameter(weight.clone()), nn.Parameter(bias.clone())
    put_head(module, head)
    maps = None if base.last_maps is None else known[id(base.last_maps)]
    return replace(base, name=name, module=module.eval(), classes=classes, last_maps=maps)


def put_head(module: nn.Module, head: nn.Linear) -> None:
    """Exchange the last dense layer."""
    parent, _dot, own_name = head_name(module).rpartition(".")
    setattr(module.get_submodule(parent), own_name, head)


def head_name(module: nn.Module) -> str:
    """The name of the last dense layer, as its weights are called in a state dict."""
    return [name for name, layer in module.named_modules() if isinstance(layer, nn.Linear)][-1]


# -- to take home ----------------------------------------------------------------------------------------------------


def packed(path: str) -> np.ndarray:
    """A zip of the weights, the labels and a script that classifies an image file with them, bytes (n,) uint8."""
    from safetensors.torch import save

    found = vision(path)
    about = {"network": base_of(path), "classes": found.classes}
    arrays = {name: value.contiguous() for name, value in found.module.state_dict().items()}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(WEIGHTS, save(arrays, {key: json.dumps(value) for key, value in about.items()}))
        archive.writestr(LABELS, json.dumps(about, ensure_ascii=False, indent=1))
        archive.writestr(SCRIPT, script(about["network"], found.module, head_name(found.module)))
    return np.frombuffer(out.getvalue(), np.uint8)


def base_of(path: str) -> str:
    """The network that it was built on, as ``dlcore.vision.models.model`` names it."""
    if path.endswith(".safetensors"):
        return _about(path)["network"]
    return _state(path, written(path))["own"]["backbone"]


# -- and back --------------------------------------------------------------------------------------------------------


def keep(blob: np.ndarray | bytes) -> dict[str, Any]:
    """Read a downloaded zip, or its weights file alone, with suspicion, and keep it for a day.

    Returns:
        ``path`` (for ``vision``), ``classes``, ``network``.

    Raises:
        Problem: kind "own_model"; the sentence says what is wrong with the file.
    """
    weights, about = checked(bytes(blob), BACKBONES)
    place = folder() / "models"
    make_folder(place)
    path = place / f"{hashlib.sha256(weights).hexdigest()[:16]}.safetensors"
    write_whole(path, weights)
    try:
        vision(str(path))  # that its weights fit
    except Problem:
        path.unlink(missing_ok=True)
        raise
    tidy()
    return {"path": str(path), **about}


def _about(path: str) -> dict[str, Any]:
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        return {key: json.loads(text) for key, text in file.metadata().items()}


def _of_file(path: str) -> Vision:
    """The network in a kept file: built by its name, its weights put in where names and sizes agree."""
    from safetensors.torch import load_file

    about = _about(path)
    network, classes = about["network"], about["classes"]
    arrays = load_file(path)
    base = _bare(network) if network in KNOWN else model(network)
    name = head_name(base.module)
    try:
        found = with_head(base, arrays[f"{name}.weight"], arrays[f"{name}.bias"], classes, RUN + path)
        found.module.load_state_dict(arrays)
    except (KeyError, RuntimeError, TypeError, ValueError):
        raise Problem(
            N_("The weights in this file do not fit the network “{name}” that it names. Load a file from this page."),
            kind="own_model", name=network,
        ) from None  # fmt: skip
    if not all(bool(torch.isfinite(value).all()) for value in arrays.values()):
        raise Problem(N_("Some of the weights in this file are no numbers. Load another one."), kind="own_model")
    return found


def _bare(name: str) -> Vision:
    """A network of torchvision's with weights that are about to be replaced."""
    from torchvision.models import get_model

    return imagenet(name, get_model(name, weights=None))
