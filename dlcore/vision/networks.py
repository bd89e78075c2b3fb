"""The ImageNet networks by torchvision's names, and where their weights lie on this machine. Imports no torch.

Weights lie where torchvision puts them, under its file names, so what either downloads serves both. The first weights
that torchvision published for each network are the ones asked for: later recipes (label smoothing, mixed images) score
a little higher but answer with probabilities that are far too low, and lessons read probabilities.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

MIRROR = "https://download.pytorch.org/models/"
SHIPPED = ("backbone", "digits")  # networks of this project that come along, the better one for photographs first
ASSETS = Path(__file__).resolve().parents[2] / "assets" / "weights"


@dataclass(frozen=True)
class Known:
    """What is known of a network before it is here.

    Attributes:
        title: as its paper writes it.
        parameters: how many weights.
        gflops: billions of multiply-adds for one image, as torchvision counts (one multiply-add as one).
        megabytes: of the file, in 1024² bytes.
        top1: share of ImageNet's validation images answered rightly, as torchvision states it, 0 to 1.
        year, paper: of the publication; the number at arXiv.
        file: its name under ``hub/checkpoints``; the hex digits in it begin the SHA-256 of its bytes.
        others: files of other weights that torchvision has for the same network, which serve where they are.
    """

    name: str
    title: str
    parameters: int
    gflops: float
    megabytes: float
    top1: float
    year: int
    paper: str
    file: str
    others: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        """Where the weights come from."""
        return MIRROR + self.file

    @property
    def sha256(self) -> str:
        """The first digits of the file's SHA-256, in hex."""
        return self.file.removesuffix(".pth").rpartition("-")[2]


KNOWN = {
    k.name: k
    for k in (
        Known("mobilenet_v2", "MobileNetV2", 3504872, 0.301, 13.555, 0.71878, 2018, "1801.04381",
              "mobilenet_v2-b0353104.pth", ("mobilenet_v2-7ebf99e0.pth",)),
        Known("mobilenet_v3_small", "MobileNetV3-Small", 2542856, 0.057, 9.829, 0.67668, 2019, "1905.02244",
              "mobilenet_v3_small-047dcff4.pth"),
        Known("mobilenet_v3_large", "MobileNetV3-Large", 5483032, 0.217, 21.114, 0.74042, 2019, "1905.02244",
              "mobilenet_v3_large-8738ca79.pth", ("mobilenet_v3_large-5c1a4163.pth",)),
        Known("squeezenet1_0", "SqueezeNet 1.0", 1248424, 0.819, 4.778, 0.58092, 2016, "1602.07360",
              "squeezenet1_0-b66bff10.pth"),
        Known("resnet18", "ResNet-18", 11689512, 1.814, 44.661, 0.69758, 2015, "1512.03385",
              "resnet18-f37072fd.pth"),
        Known("resnet50", "ResNet-50", 25557032, 4.089, 97.781, 0.7613, 2015, "1512.03385",
              "resnet50-0676ba61.pth", ("resnet50-11ad3fa6.pth",)),
        Known("efficientnet_b0", "EfficientNet-B0", 5288548, 0.386, 20.451, 0.77692, 2019, "1905.11946",
              "efficientnet_b0_rwightman-7f5810bc.pth"),
        Known("convnext_tiny", "ConvNeXt-Tiny", 28589128, 4.456, 109.119, 0.8252, 2022, "2201.03545",
              "convnext_tiny-983f1562.pth"),
        Known("vit_b_16", "ViT-B/16", 86567656, 17.564, 330.285, 0.81072, 2020, "2010.11929",
              "vit_b_16-c867db91.pth"),
    )
}  # fmt: skip


def torch_homes() -> list[Path]:
    """Where torch keeps what it downloads, the place for new files first: ``TORCH_HOME``, then its default."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", "").strip() or Path.home() / ".cache")
    given = os.environ.get("TORCH_HOME", "").strip()
    return [*([Path(given).expanduser()] if given else []), cache / "torch"]


def here(name: str) -> Path | None:
    """The file with a network's weights on this machine, or None. Raises ``KeyError`` for a name not in ``KNOWN``."""
    known = KNOWN[name]
    for home in torch_homes():
        for file in (known.file, *known.others):
            path = home / "hub" / "checkpoints" / file
            try:
                if path.stat().st_size:
                    return path
            except OSError:  # missing, or a folder that may not be entered
                continue
    return None


def available() -> list[str]:
    """Names of the networks that can answer now without a connection: ImageNet's that are here, then the shipped."""
    return [*(name for name in KNOWN if here(name)), *(name for name in SHIPPED if shipped(name))]


def shipped(name: str) -> bool:
    """Whether a network of ``SHIPPED`` did come along."""
    return name == "digits" or any(ASSETS.glob(f"{name}*.safetensors"))
