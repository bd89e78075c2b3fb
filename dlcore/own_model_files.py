"""The files of a network of the learner's own: the script that goes with it, and how a file from outside is looked at.

A weights file is looked at before any library opens it: what it is by its first bytes, how long its header claims to
be, what that says. Files that could run code (pickles, which ``torch.save`` makes) are refused unread.
"""

from __future__ import annotations

import json
import struct
import zipfile
from collections.abc import Collection
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlcore.data.album import MOST_CLASSES, MOST_NAME, SIDE
from dlcore.texts import N_, Problem

if TYPE_CHECKING:
    from torch import nn

WEIGHTS, LABELS, SCRIPT = "model.safetensors", "labels.json", "classify.py"
MOST_BYTES = 400_000_000  # ViT-B/16 has 330 MB
MOST_HEADER, MOST_TENSORS = 500_000, 2_000
TYPES = {"F32": 4, "F16": 2, "I64": 8}  # bytes a number
TEMPLATE = Path(__file__).resolve().parents[1] / "assets" / "export" / f"{SCRIPT}.txt"

PICKLE = N_("This is a pickle, as torch.save writes it: opening it could run anything. Load a .safetensors file, or "
            "the zip that this page makes.")  # fmt: skip
OTHER = N_("This is neither a network from this page (a zip) nor a .safetensors file. Load one of these.")
TOO_LARGE = N_("This file has {size:.0f} MB; the most that is read is {most:.0f} MB.")
DAMAGED = N_("This file is damaged, or was made to look like weights: {what}. Load it again, or another one.")
UNKNOWN = N_("This file does not say which network its weights are of, or names one that this page does not have: "
             "{name}. Load a file from this page.")  # fmt: skip
LABELLED = N_("The names of the classes in this file cannot be used: they must be 2 to {most} different texts.")


def checked(blob: bytes, networks: Collection[str]) -> tuple[bytes, dict[str, Any]]:
    """The weights file in a zip of this page, or the file itself, and what it says: ``network`` and ``classes``.

    Raises:
        Problem: kind "own_model".
    """
    if len(blob) > MOST_BYTES:
        raise Problem(TOO_LARGE, kind="own_model", size=len(blob) / 1e6, most=MOST_BYTES / 1e6)
    weights = _unzipped(blob) if blob[:2] == b"PK" else blob
    if weights[:1] == b"\x80" and weights[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        raise Problem(PICKLE, kind="own_model")
    return weights, _about(header(weights), networks)


def _unzipped(blob: bytes) -> bytes:
    try:
        with zipfile.ZipFile(BytesIO(blob)) as archive:
            names = archive.namelist()
            if any(name.endswith(".pkl") for name in names):
                raise Problem(PICKLE, kind="own_model")
            name = next((name for name in names if name.rsplit("/", 1)[-1] == WEIGHTS), None)
            if name is None:
                raise Problem(OTHER, kind="own_model")
            if archive.getinfo(name).compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise OSError("an unusual way of packing")
            with archive.open(name) as file:
                weights = file.read(MOST_BYTES + 1)
    except Problem:
        raise
    except Exception:  # zipfile and zlib have many ways to say it
        raise Problem(DAMAGED, kind="own_model", what="zip") from None
    if len(weights) > MOST_BYTES:
        raise Problem(TOO_LARGE, kind="own_model", size=len(weights) / 1e6, most=MOST_BYTES / 1e6)
    return weights


def header(blob: bytes) -> dict[str, Any]:
    """The header of a safetensors file: eight bytes of length, JSON; every tensor lies where it says, none on another.

    Raises:
        Problem: kind "own_model".
    """
    size = struct.unpack("<Q", blob[:8])[0] if len(blob) > 8 else 0
    if not blob[8:9] == b"{" or size < 2:
        raise Problem(OTHER, kind="own_model")
    if size > min(MOST_HEADER, len(blob) - 8):
        raise Problem(DAMAGED, kind="own_model", what=f"header {size:,}")
    try:
        said = json.loads(blob[8 : 8 + size])
        spans = [_span(name, tensor) for name, tensor in said.items() if name != "__metadata__"]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise Problem(DAMAGED, kind="own_model", what="header") from None
    ends = 0
    for begin, end in sorted(spans):
        if begin != ends:
            raise Problem(DAMAGED, kind="own_model", what=f"offset {begin:,}")
        ends = end
    if not 0 < len(spans) <= MOST_TENSORS or ends != len(blob) - 8 - size:
        raise Problem(DAMAGED, kind="own_model", what=f"{len(spans)} × {ends:,}")
    return said


def _span(name: str, tensor: dict[str, Any]) -> tuple[int, int]:
    """From where to where a tensor's bytes lie. Raises ``ValueError`` where its shape needs another number of them."""
    count = TYPES[tensor["dtype"]]
    for side in tensor["shape"]:
        if not isinstance(side, int) or not 0 <= side <= MOST_BYTES:
            raise ValueError(name)
        count *= side
    begin, end = tensor["data_offsets"]
    if not (isinstance(begin, int) and isinstance(end, int) and begin >= 0 and end - begin == count):
        raise ValueError(name)
    return begin, end


def _about(said: dict[str, Any], networks: Collection[str]) -> dict[str, Any]:
    notes = said.get("__metadata__")
    try:
        found = {key: json.loads(notes[key]) for key in ("network", "classes")}  # pyright: ignore[reportOptionalSubscript]
    except (TypeError, KeyError, ValueError, RecursionError):
        raise Problem(UNKNOWN, kind="own_model", name="–") from None
    network, classes = found["network"], found["classes"]
    if not isinstance(network, str) or network not in networks:
        raise Problem(UNKNOWN, kind="own_model", name=str(network)[:40])
    texts = isinstance(classes, list) and all(isinstance(name, str) and name.strip() for name in classes)
    if not texts or not 2 <= len(classes) <= MOST_CLASSES or len(set(classes)) < len(classes):
        raise Problem(LABELLED, kind="own_model", most=MOST_CLASSES)
    return {"network": network, "classes": [name[:MOST_NAME] for name in classes]}


# -- the script that goes with it ------------------------------------------------------------------------------------

OF_TORCHVISION = """def build(classes):
    return models.get_model("{name}", weights=None, num_classes=classes)"""
PREPARE = """prepare = transforms.Compose([
    transforms.Resize({resize}, transforms.InterpolationMode.{how}),
    transforms.CenterCrop({crop}),
    transforms.ToTensor(),
    transforms.Normalize({mean}, {std}),
])"""
OF_LAYERS = """class Standardize(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.tensor(0.0))
        self.register_buffer("std", torch.tensor(1.0))

    def forward(self, X):
        return (X / 255 - self.mean) / self.std


class Average(nn.Module):
    def forward(self, X):
        return X.mean((2, 3))


def build(classes):
    network = nn.Sequential()
{layers}
    return network"""
PIXELS = """def prepare(picture):
    small = ImageOps.fit(picture, ({side}, {side}), Image.Resampling.LANCZOS)
    return transforms.functional.pil_to_tensor(small).float()"""


def script(network: str, module: nn.Module, head: str) -> str:
    """The Python file that rebuilds the network with torch and torchvision alone, and answers for image files."""
    from dlcore.vision.networks import KNOWN

    if network in KNOWN:
        how = prepare_of(network)
        prepare = PREPARE.format(
            resize=how.resize_size[0], how=how.interpolation.name, crop=how.crop_size[0], mean=how.mean, std=how.std
        )
        build = OF_TORCHVISION.format(name=network)
    else:
        build = OF_LAYERS.format(layers="\n".join(_line(*row, head) for row in module.named_children()))
        prepare = PIXELS.format(side=32)
    text = TEMPLATE.read_text(encoding="utf-8")
    return text.replace("{{build}}", build).replace("{{prepare}}", prepare).replace("{{side}}", f"{SIDE}")


def prepare_of(network: str) -> Any:
    """Torchvision's transform for the weights of a network of its own that are used here."""
    from torch import device
    from torchvision.models import get_model

    from dlcore.vision.models import imagenet

    with device("meta"):
        found = imagenet(network, get_model(network, weights=None))
    return found.prepare.args[0]  # pyright: ignore[reportFunctionMemberAccess]


def _line(name: str, layer: nn.Module, head: str) -> str:
    from torch import nn

    known = {"Standardize": "Standardize()", "_Average": "Average()"}
    made = known.get(type(layer).__name__)
    if made is None:
        base = next(kind.__name__ for kind in type(layer).__mro__ if kind.__module__.startswith("torch.nn"))
        made = f"nn.{base}{repr(layer).removeprefix(type(layer).__name__)}"
        if name == head and isinstance(layer, nn.Linear):
            made = f"nn.Linear({layer.in_features}, classes)"
    return f'    network.add_module("{name}", {made})'
