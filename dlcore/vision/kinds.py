"""What bad and strange pictures are called. Imports no torch: pages name them, ``weathering`` makes them."""

from dlcore.texts import N_

CORRUPTIONS = {
    "noise": N_("noise"),
    "blur": N_("blur"),
    "contrast": N_("less contrast"),
    "brightness": N_("too bright"),
    "pixelate": N_("coarse pixels"),
    "jpeg": N_("JPEG, compressed"),
}
STRANGERS = {
    "noise": N_("noise"),
    "flat": N_("one grey"),
    "stripes": N_("stripes"),
    "drawing": N_("a drawn star"),
    "digit": N_("a digit"),
    "puzzle": N_("the picture, cut up"),
}
