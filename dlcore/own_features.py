"""What a trained network makes of a learner's pictures: computed once for each picture and network, and kept beside it.

Only the last layer learns, so all before it says the same of a picture at every step: training on kept features takes
a second where training through the network would take minutes (Donahue et al. 2014, "DeCAF"). Workers.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from io import BytesIO

import numpy as np

from dlcore.data.album import SIDE, picture_file, read_pictures, write_whole

VIEWS = {"none": 1, "mirror": 2, "six": 6}  # in how many ways each picture is seen in training
ZOOM = 0.8  # the part of its side that is seen of a picture in the third view and those after it
BATCH = 16


def view(picture: np.ndarray, k: int) -> np.ndarray:
    """The k-th way to see a square picture ``(S, S, 3)`` uint8, of the same size: every second is mirrored.

    0 and 1 show all of it, 2 and 3 its upper left, 4 and 5 its lower right, larger.
    """
    from PIL import Image

    side = len(picture)
    if k >= 2:
        low = 0 if k < 4 else round(side * (1 - ZOOM))
        part = Image.fromarray(picture[low : low + round(side * ZOOM), low : low + round(side * ZOOM)])
        picture = np.asarray(part.resize((side, side), Image.Resampling.BICUBIC))
    return picture[:, ::-1] if k % 2 else picture


def features(names: Sequence[str], network: str, views: int = 1) -> Generator[int, None, np.ndarray]:
    """What enters the network's last layer for kept pictures, ``(N, views, D)`` float32.

    Args:
        names: fingerprints, which may repeat.
        network: as ``dlcore.vision.models.model`` takes it.

    Yields:
        How many different pictures are done, after each batch.

    Raises:
        Problem: a picture is not here any more, or the network is not.
    """
    kept = {name: _kept(name, network, views) for name in names}
    known = {name: found for name, found in kept.items() if found is not None}
    missing, total = [name for name in kept if name not in known], len(kept)
    for start in range(0, len(missing), BATCH):
        part = missing[start : start + BATCH]
        for name, found in zip(part, computed(list(read_pictures(part)), network, views), strict=True):
            known[name] = found
            blob = BytesIO()
            np.save(blob, found)
            write_whole(_file(name, network, views), blob.getvalue())
        yield total - len(missing) + start + len(part)
    return np.stack([known[name] for name in names]) if names else np.zeros((0, views, 1), np.float32)


def seen(names: Sequence[str], network: str) -> np.ndarray:
    """The same as ``features`` of pictures as they are, for who does not ask how far it is: ``(N, D)``."""
    looking = features(names, network)
    while True:
        try:
            next(looking)
        except StopIteration as end:
            return end.value[:, 0]


def computed(pictures: Sequence[np.ndarray], network: str, views: int = 1) -> np.ndarray:
    """The same for pictures ``(H, W, 3)`` uint8 in hand: ``(n, views, D)`` float32."""
    import torch

    from dlcore.vision.models import model

    vision = model(network)
    with torch.inference_mode():
        X = torch.stack([vision.prepare(np.ascontiguousarray(view(p, k))) for p in pictures for k in range(views)])
        X = X.to(memory_format=torch.channels_last)  # faster on a processor, too
        return vision.features(X).reshape(len(pictures), views, -1).float().numpy()


def _file(name: str, network: str, views: int):
    return picture_file(name, f".{network}.{SIDE}.{views}.npy")


def _kept(name: str, network: str, views: int) -> np.ndarray | None:
    """Features that were computed before; those of more views serve, too."""
    for count in VIEWS.values():
        if count < views:
            continue
        try:
            return np.load(_file(name, network, count), allow_pickle=False)[:views]
        except (OSError, ValueError, EOFError):  # not there, or cut short
            continue
    return None
