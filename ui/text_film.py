"""What a network writes while it trains, as a film: the newest sample live, and back over the whole run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ui.components import component
from ui.i18n import _

_mount = component("text_film", height="260px")


def text_film(
    steps: Sequence[int],
    texts: Mapping[str, Sequence[str]],
    marks: Mapping[str, Sequence[Sequence[tuple[int, int]]]],
    *,
    key: str,
    group: str,
    height: int,
    names: Mapping[str, str],
    invite: str,
) -> None:
    """Draw it; a playhead at the end stays at the end when samples are added.

    Args:
        steps: (n,) when each sample was written.
        texts: by writer (a cell), n samples each.
        marks: by writer, for each sample the (begin, end) of what is to be underlined.
        names: of the writers, as they are shown; one alone stands without a name.
        invite: translated; what stands there before the first sample.
    """
    writers: list[dict[str, Any]] = [
        {"name": names.get(cell, cell) if len(texts) > 1 else "", "cell": cell, "texts": list(samples),
         "marks": [[list(span) for span in spans] for spans in marks[cell]]}
        for cell, samples in texts.items()
    ]  # fmt: skip
    words = {
        "play": _("Play"), "pause": _("Pause"), "scrub": _("Step shown; arrow keys move it"), "speed": _("Speed"),
        "step": _("Step"), "at": _("after step {step}"), "alt": _("What it wrote after step {step}"), "invite": invite,
    }  # fmt: skip
    data = {"steps": [int(step) for step in steps], "writers": writers, "group": group, "height": height,
            "words": words}  # fmt: skip
    _mount(key=key, data=data)
