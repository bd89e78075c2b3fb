"""What bad and strange pictures are called, and how many are asked. Imports no torch: pages and workers share it."""

from dlcore.texts import N_

EACH = 48  # pictures of each sort whose certainty is compared: known and strange
DRAWS = 3  # random orders beside which a map's deletion is seen
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
