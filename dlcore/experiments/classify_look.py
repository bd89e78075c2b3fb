"""Looking at pictures with networks: for ``dlcore.jobs.call``, builtins and arrays in, builtins and arrays out."""

from __future__ import annotations

from typing import Any

import numpy as np

from dlcore.data.uploads import WHOLE_SIDE, read_image
from dlcore.experiments.classify import Config, at, row
from dlcore.texts import Problem
from dlcore.vision import answers, samples
from dlcore.vision.changes import Changes, changed
from dlcore.vision.models import model
from dlcore.vision.pixels import as_bytes, enter, on_pixels

THUMB = 72  # pixels of the longer side of a picture in a list


def read(blob: np.ndarray) -> dict[str, Any]:
    """An uploaded file's bytes ``(n,)`` uint8 as ``picture`` (H, W, 3) uint8 of at most 1024 pixels a side."""
    return {"picture": answers.read_file(blob)}


def look(
    picture: np.ndarray, names: list[str], changes: dict[str, Any], seed: int = 0, file: np.ndarray | None = None
) -> dict[str, Any]:
    """What networks say to a picture after some changes to it.

    Args:
        picture: ``(H, W, 3)`` uint8.
        names: of the networks.
        changes: fields of ``dlcore.vision.changes.Changes``.
        file: the bytes that the picture was read from: where nothing is changed, every pixel of theirs is used.

    Returns:
        ``jpeg``, the picture as it was changed; ``size`` (H, W) of it; ``answers``, for each network that of
        ``dlcore.vision.answers.answer`` with ``window`` (see ``Vision``), or {"problem": …} why it cannot answer.
    """
    asked = Changes(**changes)
    shown = changed(picture, asked, seed)
    pixels = file if file is not None and shown is picture else shown
    found = [_answer(pixels, name) for name in names]
    return {"jpeg": samples.jpeg(shown), "size": shown.shape[:2], "answers": found}


def _answer(pixels: np.ndarray, name: str) -> dict[str, Any]:
    try:
        return {**answers.answer(pixels, name), "window": model(name).window}
    except Problem as problem:
        return {"problem": problem.to_dict()}


def tensor(picture: np.ndarray, name: str, changes: dict[str, Any], seed: int = 0) -> np.ndarray:
    """The numbers that enter the network, ``(C, H, W)`` float32; see ``dlcore.vision.answers.tensor``."""
    return answers.tensor(changed(picture, Changes(**changes), seed), name)


def seen(
    picture: np.ndarray, name: str, changes: dict[str, Any], seed: int = 0, file: np.ndarray | None = None
) -> np.ndarray:
    """What a network sees of a picture (arguments as for ``look``), as pixels ``(C, H, W)`` uint8.

    Shown to the same network, it is answered as the picture itself is: a network sees whole grey levels only.
    """
    vision = model(name)
    shown = changed(picture, Changes(**changes), seed)
    pixels = read_image(file.tobytes(), most=WHOLE_SIDE) if file is not None and shown is picture else shown
    return as_bytes(enter(vision, on_pixels(vision), pixels))


def sweep(picture: np.ndarray, settings: dict[str, Any], ways: list[float], first: int | None = None) -> dict[str, Any]:
    """A piece of the sweep of ``dlcore.experiments.classify``, for any picture.

    Args:
        settings: fields of ``Config``, with a definite ``model``.
        ways: how far the change has grown, 0 to 1 each.
        first: the class that the picture got at 0; None where ``ways`` begins there.

    Returns:
        ``rows`` as ``classify.row`` makes them; ``labels`` of the answers in them, by their index.
    """
    config = Config(**settings)
    vision = model(config.model)
    shares = answers.probabilities(vision, [at(picture, config, way) for way in ways])
    first = int(shares[0].argmax()) if first is None else first
    rows = [row(config, way, p, first) for way, p in zip(ways, shares, strict=True)]
    return {"rows": rows, "labels": {str(k): vision.classes[k] for k in {first, *(r["index"] for r in rows)}}}


def read_and_answer(blob: np.ndarray, name: str, top: int = 5) -> dict[str, Any]:
    """One file of several: ``thumb`` (a small JPEG), ``size`` (H, W), what ``answers.answer`` says; or ``problem``."""
    from PIL import Image

    try:
        found = answers.answer(blob, name, top=top)
        image = Image.fromarray(answers.read_file(blob))
    except Problem as problem:
        return {"problem": problem.to_dict()}
    size = image.size[::-1]
    image.thumbnail((THUMB, THUMB))
    return {**found, "thumb": samples.jpeg(np.asarray(image)), "size": size}


def sample(name: str) -> np.ndarray:
    """A picture that comes along, ``(H, W, 3)`` uint8."""
    return samples.sample(name)


def thumbnails() -> dict[str, bytes]:
    """Those pictures, small, as JPEG files by name."""
    return samples.thumbnails()


def costs(name: str) -> dict[str, Any]:
    """See ``dlcore.vision.answers.costs``."""
    return answers.costs(name)
