"""``python -m dlcore classify IMAGE…``: what a network sees in pictures, one line for each."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from dlcore import cli_download
from dlcore.json_lines import line
from dlcore.texts import N_, Problem
from dlcore.vision.networks import KNOWN, SHIPPED, available, here

DONE, FAILED = 0, 1
UNREADABLE = N_("The file {path} cannot be read ({error}). Check its name and whether you may read it.")


def add(commands: Any) -> None:
    """Add the command to the grammar of the command line."""
    one = commands.add_parser("classify", help="say what is in pictures")
    one.add_argument("images", nargs="+", metavar="IMAGE", help="PNG, JPEG, WebP, GIF or BMP files")
    one.add_argument("--model", metavar="NAME", help=f"one of: {', '.join((*KNOWN, *SHIPPED))}")
    one.add_argument("--top", metavar="K", type=_count, default=5, help="how many classes to name (5)")
    one.add_argument("--json", action="store_true",
                     help="one JSON object a line: image and predictions, or image and error")  # fmt: skip
    one.set_defaults(command=classify_command)


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 1000:
        raise argparse.ArgumentTypeError(f"“{text[:20]}” is no whole number from 1 to 1000")
    return int(text)


def classify_command(args: argparse.Namespace) -> int:
    """Answer every picture that can be read; 1 where one could not."""
    name = _network(args.model)
    from dlcore.vision.answers import file_predictions  # imports torch: not for who only asks for help
    from dlcore.vision.models import model

    model(name)  # its own faults are told once, and before any picture
    status = DONE
    for path in args.images:
        try:
            row: dict[str, Any] = {"image": path, "predictions": file_predictions(_bytes(path), name, args.top)}
        except Problem as problem:
            row, status = {"image": path, "error": str(problem)}, FAILED
        _tell(row, json=args.json)
    return status


def _network(asked: str | None) -> str:
    """The network to ask: the one asked for, fetched where it is not here; else the best one that is, and say which."""
    if asked is None:
        name = next(name for name in ("mobilenet_v2", *available()) if name not in KNOWN or here(name))
        if name in SHIPPED:
            print(
                f"No ImageNet network is on this machine; {name} answers, which knows few classes. "
                "For 1000 classes run: python -m dlcore download mobilenet_v2",
                file=sys.stderr,
            )
        elif name != "mobilenet_v2":
            print(f"{name} answers.", file=sys.stderr)
        return name
    if asked in KNOWN and not here(asked):
        cli_download.fetch(asked)
    return asked


def _bytes(path: str) -> bytes:
    from dlcore.data.uploads import MOST_BYTES

    try:
        with open(Path(path), "rb") as file:
            return file.read(MOST_BYTES + 1)  # what is longer is refused, and need not be read
    except (OSError, ValueError) as error:
        raise Problem(UNREADABLE, kind="upload", path=path, error=_why(error)) from None


def _why(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else str(error)) or type(error).__name__


def _tell(row: dict[str, Any], *, json: bool) -> None:
    if json:
        print(line(row), flush=True)
    elif "error" in row:
        print(f"{row['image']}: {row['error']}", file=sys.stderr)
    else:
        print(row["image"])
        for answer in row["predictions"]:
            print(f"  {answer['probability']:6.1%}  {answer['label']}")
