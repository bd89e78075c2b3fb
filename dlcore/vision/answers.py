"""What networks answer to pictures, how long that takes, and what it costs. For workers, and the command line.

Builtins and arrays in, builtins and arrays out. A network is named as ``dlcore.vision.models.model`` takes it.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from dlcore.data.uploads import MOST_SIDE, WHOLE_SIDE, read_image
from dlcore.vision.changes import Changes, changed
from dlcore.vision.models import SIDE, Vision, model
from dlcore.vision.networks import KNOWN

TOGETHER = 8  # pictures in one batch: the maps of 8 in ConvNeXt take 200 MB


def file_predictions(blob: bytes, name: str, top: int = 5) -> list[dict[str, Any]]:
    """The likeliest classes of a picture file, the likeliest first: ``label`` (English), ``index``, ``probability``.

    Raises:
        Problem: kind ``"upload"``, the file is no picture that can be read; and those of ``model``.
    """
    vision = model(name)
    shares = probabilities(vision, [read_image(blob, most=WHOLE_SIDE)])[0]
    return [{"label": vision.classes[k], "index": k, "probability": float(shares[k])} for k in likeliest(shares, top)]


def probabilities(vision: Vision, pictures: list[np.ndarray]) -> np.ndarray:
    """Softmax of the network's logits for pictures ``(H, W, 3)`` uint8 of any sizes: ``(N, K)`` float32."""
    with torch.inference_mode():
        parts = [
            vision.module(torch.stack([vision.prepare(picture) for picture in pictures[k : k + TOGETHER]])).softmax(-1)
            for k in range(0, len(pictures), TOGETHER)
        ]
        return torch.cat(parts).numpy()


def likeliest(shares: np.ndarray, top: int) -> list[int]:
    """Numbers of the ``top`` largest of ``(K,)``, the largest first; of equals, the first."""
    return np.argsort(-shares, kind="stable")[:top].tolist()


def read_file(blob: np.ndarray) -> np.ndarray:
    """An uploaded file's bytes ``(n,)`` uint8 as a picture ``(H, W, 3)``, at most ``MOST_SIDE`` a side."""
    return read_image(blob.tobytes(), most=MOST_SIDE)


def answer(picture: np.ndarray, name: str, changes: dict[str, Any] | None = None, top: int = 5) -> dict[str, Any]:
    """What a network says to one picture, after some changes to it.

    Args:
        picture: ``(H, W, 3)`` uint8, or a file's bytes ``(n,)`` uint8, of which every pixel is then used.
        changes: fields of ``dlcore.vision.changes.Changes``.

    Returns:
        ``labels`` (English), ``index`` and ``shares`` of the ``top`` likeliest classes; ``seconds`` for preparing and
        answering; ``classes``: how many there are; ``entropy`` in bits.

    Raises:
        Problem: kinds ``"upload"``, ``"blank"`` (nothing to be read, for networks of signs), and those of ``model``.
    """
    vision = model(name)
    pixels = read_image(picture.tobytes(), most=WHOLE_SIDE) if picture.ndim == 1 else picture
    pixels = changed(pixels, Changes(**(changes or {})))
    started = time.perf_counter()
    shares = probabilities(vision, [pixels])[0]
    seconds = time.perf_counter() - started
    best = likeliest(shares, top)
    return {
        "labels": [vision.classes[k] for k in best],
        "index": best,
        "shares": shares[best],
        "seconds": seconds,
        "classes": len(shares),
        "entropy": float(-(shares * np.log2(np.maximum(shares, 1e-12))).sum()),
    }


def tensor(picture: np.ndarray, name: str, changes: dict[str, Any] | None = None) -> np.ndarray:
    """The numbers that enter the network: ``(C, H, W)`` float32, standardised by whoever does that for this network."""
    vision = model(name)
    X = vision.prepare(changed(picture, Changes(**(changes or {}))))
    first = getattr(vision.module, "standardize", None)
    with torch.inference_mode():
        return (first(X[None])[0] if first is not None else X).numpy().astype(np.float32)


def costs(name: str) -> dict[str, Any]:
    """What a network has and does: ``parameters``, ``multiply_adds`` for one image, ``shape``, ``classes``.

    Counted are the multiply-adds of convolutions and matrix products, as torchvision does for the networks of ``KNOWN``
    (which need not be here).
    """
    if name in KNOWN:
        known = KNOWN[name]
        counts = {"parameters": known.parameters, "multiply_adds": round(known.gflops * 1e9)}
        return {**counts, "shape": (3, SIDE, SIDE), "classes": 1000}
    vision = model(name)
    parameters = sum(p.numel() for p in vision.module.parameters())
    counts = {"parameters": parameters, "multiply_adds": multiply_adds(vision.module, vision.shape)}
    return {**counts, "shape": vision.shape, "classes": len(vision.classes)}


def multiply_adds(module: torch.nn.Module, shape: tuple[int, int, int]) -> int:
    """How many a module needs for one image, counted while it runs; on torch's "meta" device that costs nothing."""
    device = next(module.parameters()).device
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        module(torch.zeros(1, *shape, device=device))
    return counter.get_total_flops() // 2
