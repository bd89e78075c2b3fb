"""What a block of the depth lesson is made of, for a picture of it: layers in order, the link, shapes and weights."""

from __future__ import annotations

from dataclasses import dataclass

from dlcore.texts import N_


@dataclass(frozen=True)
class Part:
    """A layer as a box.

    Attributes:
        name: what it is called, marked with ``N_`` where it is a word.
        detail: a second line; "" for none.
        params: how many weights it has.
        kind: ``weight``, ``norm`` or ``act``.
    """

    name: str
    detail: str = ""
    params: int = 0
    kind: str = "act"


@dataclass(frozen=True)
class Kind:
    """One sort of block: the branch's layers in order, the link, what comes after the sum, and the shapes."""

    layers: tuple[Part, ...]
    link: Part
    after: tuple[Part, ...]
    shape_in: str
    shape_out: str

    @property
    def params(self) -> int:
        """All weights of the block."""
        return sum(part.params for part in (*self.layers, self.link, *self.after))


@dataclass(frozen=True)
class Chain:
    """A network's blocks: which kinds there are, and the kind of each block."""

    kinds: tuple[Kind, ...]
    kind_of: tuple[int, ...]


RELU = Part("ReLU")
