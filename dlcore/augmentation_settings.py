"""How strong each random change to an image may be: the knobs of ``dlcore.augmentation``, without torch."""

from __future__ import annotations

from dataclasses import dataclass

from dlcore.knobs import knob
from dlcore.texts import N_


@dataclass(frozen=True)
class Strengths:
    """The most that each operation may do; 0 leaves it out. Every image draws its own amount up to that."""

    probability: float = knob(
        1.0,
        low=0.0,
        high=1.0,
        step=0.05,
        label=N_("Probability"),
        help=N_("How likely each operation is to fall on an image; at 0 the images stay as they are."),
    )
    shift: float = knob(
        0.0,
        low=0.0,
        high=14.0,
        step=0.5,
        unit="px",
        label=N_("Shift"),
        help=N_("Moved by up to so many pixels, black coming in: a crop of the image with a margin round it."),
    )
    rotate: float = knob(
        0.0,
        low=0.0,
        high=180.0,
        step=1,
        unit="°",
        label=N_("Rotation"),
        help=N_("Turned by up to this angle, either way."),
    )
    scale: float = knob(
        0.0,
        low=0.0,
        high=1.0,
        step=0.05,
        label=N_("Scaling"),
        help=N_("At 0.5, between 1/1.5 and 1.5 times as large."),
    )
    shear: float = knob(
        0.0,
        low=0.0,
        high=60.0,
        step=1,
        unit="°",
        label=N_("Shear"),
        help=N_("Slanted by up to this angle, as italics are."),
    )
    crop: float = knob(
        0.0,
        low=0.0,
        high=0.9,
        step=0.05,
        label=N_("Crop"),
        help=N_("Up to this share of the area is cut away, and the rest stretched to the full size."),
    )
    flip: float = knob(
        0.0,
        low=0.0,
        high=1.0,
        step=0.05,
        label=N_("Mirror, left and right"),
        help=N_("How likely an image is to be mirrored, as in a looking-glass, times the probability above."),
    )
    upside_down: float = knob(
        0.0,
        low=0.0,
        high=1.0,
        step=0.05,
        label=N_("Mirror, top and bottom"),
        help=N_("How likely an image is to be mirrored, as in water, times the probability above."),
    )
    brightness: float = knob(
        0.0,
        low=0.0,
        high=1.0,
        step=0.05,
        label=N_("Brightness"),
        help=N_("At 0.4, every pixel times 0.6 to 1.4."),
    )
    contrast: float = knob(
        0.0,
        low=0.0,
        high=1.0,
        step=0.05,
        label=N_("Contrast"),
        help=N_("At 0.4, the distance from the mean brightness times 0.6 to 1.4."),
    )
    saturation: float = knob(
        0.0,
        low=0.0,
        high=1.0,
        step=0.05,
        label=N_("Saturation"),
        help=N_("At 0.4, the distance from grey times 0.6 to 1.4. Grey images have none."),
    )
    hue: float = knob(
        0.0,
        low=0.0,
        high=0.5,
        step=0.01,
        label=N_("Hue"),
        help=N_("Colours turned round the colour circle; 0.5 is half of it, either way. Grey images have none."),
    )
    blur: float = knob(
        0.0,
        low=0.0,
        high=4.0,
        step=0.1,
        unit="px",
        label=N_("Blur"),
        help=N_("Blurred by a Gaussian of up to this standard deviation."),
    )
    noise: float = knob(
        0.0,
        low=0.0,
        high=0.5,
        step=0.01,
        label=N_("Noise"),
        help=N_("Gaussian noise on every pixel, with up to this share of white as its standard deviation."),
    )
    erase: float = knob(
        0.0,
        low=0.0,
        high=0.6,
        step=0.05,
        label=N_("Erasing"),
        help=N_("A black window somewhere, of up to this share of the area."),
    )
    policy: str = knob(
        "none",
        choices=("none", "trivial", "auto"),
        label=N_("Policy"),
        help=N_("TrivialAugment draws one operation and its strength; AutoAugment one of 25 pairs found by search."),
    )
    mix: str = knob(
        "none",
        choices=("none", "mixup", "cutmix"),
        label=N_("Two images in one"),
        help=N_("MixUp lays one image over another, CutMix pastes a window of it. The label is mixed, too."),
    )
    mix_alpha: float = knob(
        1.0,
        low=0.1,
        high=4.0,
        log=True,
        label=N_("α of the mixture"),
        help=N_("Small: one of the two nearly always prevails. 1: every share is as likely. Large: half and half."),
    )
