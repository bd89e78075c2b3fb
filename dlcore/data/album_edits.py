"""What a learner does to an album: each edit gives a new one. Standard library only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dlcore.data.album import MOST_CLASSES, MOST_NAME, MOST_PICTURES, Album, Kind
from dlcore.texts import N_, Problem

TWICE = N_("A picture that was in this class already was left out.")
ELSEWHERE = N_("A picture is in two classes now: nobody could tell it apart. Take it out of one.")
FULL = N_("A class holds at most {most} pictures; what was more was left out.")
UNBALANCED = 4  # times as many pictures in the largest class as in the smallest are worth a hint


def add_pictures(album: Album, place: int, pictures: Sequence[str]) -> tuple[Album, list[Problem]]:
    """Pictures for the class at ``place``, and what is to be said of them. With a given split they are learned from."""
    kind, told = album.kinds[place], []
    new = [name for name in dict.fromkeys(pictures) if name not in kind.pictures]
    if len(new) < len(pictures):
        told.append(Problem(TWICE, kind="album"))
    room = MOST_PICTURES - len(kind.pictures)
    if len(new) > room:
        told.append(Problem(FULL, kind="album", most=MOST_PICTURES))
    if any(name in other.pictures for other in album.kinds if other is not kind for name in new):
        told.append(Problem(ELSEWHERE, kind="album"))
    return _with(album, place, replace(kind, pictures=(*kind.pictures, *new[: max(room, 0)]))), told


def remove_picture(album: Album, place: int, picture: str) -> Album:
    """The class at ``place`` without that picture."""
    kind = album.kinds[place]
    kept = tuple(name for name in kind.pictures if name != picture)
    return _with(album, place, replace(kind, pictures=kept, test=tuple(name for name in kind.test if name in kept)))


def rename(album: Album, place: int, name: str) -> Album:
    """Another name for the class at ``place``; an empty one changes nothing, one that is taken gets a number."""
    name = " ".join("".join(letter if letter.isprintable() else " " for letter in name).split())[:MOST_NAME].strip()
    others = [kind.name for k, kind in enumerate(album.kinds) if k != place]
    return _with(album, place, replace(album.kinds[place], name=_free(name, others))) if name else album


def add_class(album: Album, name: str) -> Album:
    """One class more, empty, where there is room for one."""
    if len(album.kinds) >= MOST_CLASSES:
        return album
    return replace(album, kinds=(*album.kinds, Kind(_free(name, album.names))))


def drop_class(album: Album, place: int) -> Album:
    """The album without the class at ``place``; two always stay."""
    if len(album.kinds) <= 2:
        return album
    return replace(album, kinds=(*album.kinds[:place], *album.kinds[place + 1 :]))


def unbalanced(album: Album) -> tuple[Kind, Kind] | None:
    """The largest and the smallest class where one has ``UNBALANCED`` times as many pictures as the other."""
    filled = sorted((kind for kind in album.kinds if kind.pictures), key=lambda kind: len(kind.pictures))
    if len(filled) < 2 or len(filled[-1].pictures) < UNBALANCED * len(filled[0].pictures):
        return None
    return filled[-1], filled[0]


def _with(album: Album, place: int, kind: Kind) -> Album:
    return replace(album, kinds=(*album.kinds[:place], kind, *album.kinds[place + 1 :]))


def _free(name: str, taken: Sequence[str]) -> str:
    """The name, with the first number behind it that nobody has."""
    tries = (name if n == 1 else f"{name[: MOST_NAME - 4]} {n}" for n in range(1, len(taken) + 2))
    return next(tried for tried in tries if tried not in taken)
