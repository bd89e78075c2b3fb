"""A colour for each of a learner's classes, the same on the board, in the answers and on the map."""

from __future__ import annotations

from dlcore.figures import DATA, GRADIENT, INDIGO, MODEL, ON_DARK, REFERENCE, SKY, VIOLET, WARNING

COLORS = (DATA, MODEL, GRADIENT, REFERENCE, WARNING, VIOLET, SKY, INDIGO)  # of classes, in their order; then again


def color_of(place: int) -> str:
    """The colour of the class at that place, as CSS, for light and for dark pages."""
    color = COLORS[place % len(COLORS)]
    return f"light-dark({color}, {ON_DARK.get(color, color)})"
