"""A picture of concepts and how they build on each other, each a link; on a narrow screen a list with a spine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from ui.components import component
from ui.i18n import _

_mount = component("concept_map", height="24rem")


@dataclass(frozen=True)
class Node:
    """One concept. ``x`` and ``y`` run from 0 to 1, left to right and top to bottom; texts are translated."""

    id: str
    title: str
    x: float
    y: float
    href: str | None = None  # link with its language, e.g. "/cnn?lang=zh"; None where there is nothing to open
    state: Literal["ready", "coming"] = "ready"
    note: str = ""  # one line: what it is about


@dataclass(frozen=True)
class Edge:
    """``target`` builds on ``source`` (ids of nodes)."""

    source: str
    target: str


def concept_map(
    nodes: Sequence[Node], edges: Sequence[Edge], *, key: str, alt: str = "", height: int = 440, inside: bool = False
) -> str | None:
    """Draw the map. Nodes that are ready are ordinary links: they open by mouse, touch and keyboard, in a new tab too.

    Args:
        alt: what the map shows, for those who do not see it.
        height: in pixels, of the wide picture.
        inside: a plain click returns the node's id instead of loading its link, so that the page can ``st.switch_page``
            within the session; all other ways to open it still work.

    Returns:
        The id of the node just clicked, with ``inside``; else None.

    Raises:
        ValueError: an edge names a node that is not there.
    """
    known = {node.id for node in nodes}
    lost = [edge for edge in edges if not {edge.source, edge.target} <= known]
    if lost:
        raise ValueError(f"edges between unknown nodes: {lost}")
    data = {
        "nodes": [asdict(node) for node in nodes], "edges": [asdict(edge) for edge in edges],
        "height": height, "inside": inside, "alt": alt or _("Concept map"), "coming": _("in preparation"),
    }  # fmt: skip
    opened = _mount(key=key, data=data, on_open_change=lambda: None).open
    return opened if opened in known else None
