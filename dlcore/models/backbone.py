"""The backbone that comes with the lessons: a network for colour pictures of 32 × 32, to learn other classes from.

It was trained on the ten classes of CIFAR-10 by ``dlcore.models.train_backbone``; ``assets/weights/MODEL_CARD.md``
says how good it is and what it is not for. It is a list of layers like every other network of ``dlcore.models.cnn``.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from dlcore.models.weights import load_shipped, read_shipped

NAME = "backbone"
SHAPE = (3, 32, 32)


def shipped() -> tuple[nn.Sequential, dict[str, Any]]:
    """The network, in float32 and eval mode, and what its file says of it.

    It takes pixels 0 to 255, ``(B, 3, 32, 32)``, and gives logits ``(B, 10)``. Of the description, ``classes`` are the
    names of CIFAR-10's classes, ``settings`` those of its training, ``test_accuracy`` as measured then.

    Raises:
        Problem: the file is missing or damaged (kind ``"weights"``).
    """
    model, _classes = load_shipped(NAME)
    return model, read_shipped(NAME)[0]


def features(model: nn.Sequential, X: Tensor) -> Tensor:
    """What enters the last dense layer of a network of ``dlcore.models.cnn``: ``(B, C, H, W)`` → ``(B, D)``."""
    for layer in list(model)[:-1]:
        X = layer(X)
    return X
