"""Looking at a trained image network: what it answers, what each layer makes of a picture, where it fails.

For ``dlcore.jobs.call``: builtins and arrays in, builtins and arrays out, in a worker. A network is named by its
checkpoint file; ``None`` means the one that is shipped with the lessons.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dlcore.texts import N_, Problem

if TYPE_CHECKING:
    from torch import nn

MOST_MAPS = 64  # channels of one layer that are sent; no network here has more in a convolution
NOTHING_THERE = N_("Nothing that looks like ink was found in this picture. Write larger and darker, on plain paper.")


def read_digit(picture: np.ndarray, checkpoint: str | None = None, *, prepared: bool = False) -> dict[str, Any]:
    """What a network makes of a drawing, a photograph or an image of its own kind.

    Args:
        picture: ``(H, W)`` uint8 as drawn; or ``(n,)`` uint8, the bytes of an uploaded file.
        checkpoint: path of a run's checkpoint, or None for the shipped network.
        prepared: the picture is (28, 28) and as the network knows them: it is shown to it untouched.

    Returns:
        ``probabilities`` (K,) float32; ``classes`` of the network; ``page`` (H, W) uint8, the picture in grey as it
        came; ``seen`` (28, 28) uint8, what was made of it; ``tensor`` (28, 28) float32, the very numbers that enter
        the first layer.

    Raises:
        Problem: kind ``"upload"`` (a file that cannot be read), ``"blank"`` (no ink in it).
    """
    from dlcore.data.ink import as_mnist
    from dlcore.data.uploads import read_image

    page = read_image(picture.tobytes(), grey=True) if picture.ndim == 1 else picture
    seen = page if prepared else as_mnist(page)
    if not seen.any():
        raise Problem(NOTHING_THERE, kind="blank")
    layers, classes = _outputs(seen, checkpoint)
    return {
        "probabilities": softmax(layers["logits"]),
        "classes": classes,
        "page": page[:: max(1, len(page) // 256), :: max(1, page.shape[1] // 256)],
        "seen": seen,
        "tensor": layers["standardize"][0],
    }


def feature_maps(seen: np.ndarray, checkpoint: str | None = None) -> dict[str, np.ndarray]:
    """The output of every layer for one image ``(28, 28)`` uint8, in order, by the layer's name, float16.

    ``"standardize"`` and the convolutional layers are ``(channels, h, w)``, the dense ones ``(n,)``.
    """
    layers, _ = _outputs(seen, checkpoint)
    return {name: output[:MOST_MAPS].astype(np.float16) for name, output in layers.items()}


def first_filters(checkpoint: str | None = None) -> np.ndarray | None:
    """The first convolution's weights, ``(filters, h, w)`` float32; None for a network that has none."""
    from torch import nn as layers

    network, _ = _network(checkpoint)
    first = next((m for m in network.modules() if isinstance(m, layers.Conv2d)), None)
    return None if first is None else first.weight.detach().float().numpy()[:, 0].copy()


def run_report(dataset: str, probabilities: np.ndarray, labels: np.ndarray, most: int = 18) -> dict[str, Any]:
    """What a run's answers on the test images are worth, with the worst mistakes as images.

    Args:
        dataset: a name of ``dlcore.data.images``.
        probabilities: ``(N, K)`` of the test images, in the data's order.
        labels: ``(N,)`` true classes.
        most: how many mistakes to send.

    Returns:
        ``dlcore.evaluation.report`` and ``worst``: image numbers (n,), with their ``images`` (n, 28, 28) uint8.
    """
    from dlcore.data.images import load
    from dlcore.evaluation import report, worst_mistakes

    probabilities = probabilities.astype(np.float32)
    worst = worst_mistakes(probabilities, labels, most)
    images = load(dataset).X_test[worst, 0]
    return {**report(labels, probabilities.argmax(1), probabilities.shape[1]), "worst": worst, "images": images}


def sample_images(dataset: str, count: int = 16) -> dict[str, np.ndarray]:
    """Some test images to look at, every class in turn: ``images`` (n, 28, 28) uint8 and ``labels`` (n,)."""
    from dlcore.data.images import load, proportional_order

    data = load(dataset)
    few = np.sort(proportional_order(data.y_test)[:count])
    return {"images": data.X_test[few, 0], "labels": data.y_test[few]}


def softmax(logits: np.ndarray) -> np.ndarray:
    """Logits ``(K,)`` as probabilities: the network itself ends with logits, as cross-entropy wants them."""
    shares = np.exp(logits - logits.max())
    return (shares / shares.sum()).astype(np.float32)


def _outputs(seen: np.ndarray, checkpoint: str | None) -> tuple[dict[str, np.ndarray], list[str]]:
    """Every layer's output for one image ``(28, 28)``, float32 without the batch axis; and the classes."""
    import torch

    network, classes = _network(checkpoint)
    X = torch.from_numpy(np.array(seen))[None, None]  # (1, 1, 28, 28)
    outputs = {}
    with torch.inference_mode():
        for name, layer in network.named_children():
            X = layer(X)
            outputs[name] = X[0].numpy()
    return outputs, classes


def _network(checkpoint: str | None) -> tuple[nn.Module, list[str]]:
    if checkpoint is None:
        return _shipped()
    return _from_checkpoint(checkpoint, Path(checkpoint).stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _from_checkpoint(path: str, _written: int) -> tuple[nn.Module, list[str]]:
    """The network in a checkpoint file. The time of writing is part of the key, since a run goes on writing it."""
    from dlcore.checkpoints import load_model
    from dlcore.events import unpack
    from dlcore.models.cnn import build

    state = unpack(Path(path).read_bytes())
    network = build(**state["build"])
    load_model(network, state["model"])
    return network.eval(), list(state["classes"])


@lru_cache(maxsize=1)
def _shipped() -> tuple[nn.Module, list[str]]:
    from dlcore.models.weights import load_shipped

    return load_shipped()
