"""What the features of the shipped backbone are worth for other pictures than it was trained on.

    python -m benchmarks.backbone [--check] [--quick]

Logistic regression on the features of frozen weights, against the same on the pixels: ants and bees, if they are here
(all 244 training photographs, and 5 of each class), and from 5 pictures of each class the drawn shapes and the built-in
digits; means of 5 repetitions. ``--check`` ends with status 1 where features are not ahead of pixels, but for digits,
which stand in the middle so that pixels do as well.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
import torch
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from dlcore.data import few_shot
from dlcore.data.images import load
from dlcore.models.backbone import features, shipped

FEW, REPETITIONS = 5, 5
Split = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]  # X (N, C, H, W) uint8, y, and those of the test


def colour32(X: np.ndarray) -> np.ndarray:
    """Pictures ``(N, C, H, W)`` as the backbone takes them, ``(N, 3, 32, 32)`` uint8."""
    out = np.empty((len(X), 3, 32, 32), np.uint8)
    for row, image in enumerate(X):
        pixels = image[0] if len(image) == 1 else image.transpose(1, 2, 0)
        small = Image.fromarray(pixels).resize((32, 32), Image.Resampling.BICUBIC).convert("RGB")
        out[row] = np.asarray(small).transpose(2, 0, 1)
    return out


def probe(split: Split) -> tuple[float, float]:
    """Right answers on the test by logistic regression on features, and on pixels."""
    model, _about = shipped()
    X, y, X_test, y_test = split
    pair = [colour32(X), colour32(X_test)]
    with torch.no_grad():
        seen = [features(model, torch.from_numpy(part).float()).numpy() for part in pair]
    pixels = [part.reshape(len(part), -1) for part in pair]
    return fitted(seen[0], seen[1], y, y_test), fitted(pixels[0], pixels[1], y, y_test)


def fitted(X: np.ndarray, X_test: np.ndarray, y: np.ndarray, y_test: np.ndarray) -> float:
    """The share of right answers of logistic regression on standardised inputs."""
    scaler = StandardScaler().fit(X)
    found = LogisticRegression(C=0.1, max_iter=1000).fit(scaler.transform(X), y)
    return float(found.score(scaler.transform(X_test), y_test))


def digits(seed: int) -> Split:
    """``FEW`` built-in digits of each kind, and all test digits."""
    data, rng = load("digits"), np.random.default_rng(seed)
    rows = np.concatenate([rng.permutation(np.flatnonzero(data.y_train == k))[:FEW] for k in range(10)])
    return data.X_train[rows], data.y_train[rows], data.X_test, data.y_test


def main() -> int:
    """Print a line for each kind of pictures; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--quick", action="store_true", help="two repetitions")
    arguments = parser.parse_args()
    count = 2 if arguments.quick else REPETITIONS
    model, about = shipped()
    print(f"backbone: {sum(p.numel() for p in model.parameters()):,} parameters, CIFAR-10 {about['test_accuracy']:.4f}")
    shapes = few_shot.new_classes("shapes")
    tried = {
        "new shapes, 5 each": [(*shapes.learn(FEW, s), shapes.X_test, shapes.y_test) for s in range(count)],
        "digits, 5 each": [digits(s) for s in range(count)],
    }
    if few_shot.insects_folder():
        insects = few_shot.new_classes("insects")
        assert insects.pool is not None
        tried["ants and bees, all 244"] = [(*insects.pool, insects.X_test, insects.y_test)]
        tried["ants and bees, 5 each"] = [
            (*insects.learn(FEW, s), insects.X_test, insects.y_test) for s in range(count)
        ]
    ahead = True
    for name, splits in tried.items():
        scores = np.array([probe(split) for split in splits])  # (repetitions, 2)
        mean, spread = scores.mean(0), scores.std(0)
        print(f"{name:24} features {mean[0]:.3f} ± {spread[0]:.3f}   pixels {mean[1]:.3f} ± {spread[1]:.3f}")
        ahead &= bool(mean[0] > mean[1]) or name.startswith("digits")
    return 0 if ahead or not arguments.check else 1


if __name__ == "__main__":
    sys.exit(main())
