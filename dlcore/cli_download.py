"""``python -m dlcore download``: datasets, and the weights of networks."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from tqdm import tqdm

from dlcore.data import catalogue
from dlcore.data.download import download
from dlcore.texts import Problem
from dlcore.vision.networks import KNOWN, here

DONE, FAILED = 0, 1


def add(commands: Any) -> None:
    """Add the command to the grammar of the command line."""
    one = commands.add_parser("download", help="fetch datasets and networks, so that lessons need no network later")
    one.add_argument("names", nargs="*", metavar="NAME",
                     help=f"datasets: {', '.join(catalogue.CATALOGUE)}; networks: {', '.join(KNOWN)}")  # fmt: skip
    one.add_argument("--all", action="store_true", help="every dataset (networks are fetched by name)")
    one.set_defaults(command=download_command)


def download_command(args: argparse.Namespace) -> int:
    """Fetch what is named; all are tried, and each that fails is told. Without names: what there is."""
    names = [*catalogue.CATALOGUE, *args.names] if args.all else args.names
    for name in names:
        catalogue.dataset(name)  # a wrong name is told before anything is fetched
    if not names and not args.all:
        _list()
        return DONE
    status = DONE
    for name in dict.fromkeys(names):
        try:
            fetch(name)
        except Problem as problem:
            print(problem, file=sys.stderr)
            status = FAILED
    missing = [name for name in KNOWN if not here(name)]
    if args.all and missing:
        print(f"Networks are fetched by name: python -m dlcore download {' '.join(missing)}", file=sys.stderr)
    return status


def _list() -> None:
    """Datasets, then networks: how large each is, its licence, and whether it is here."""
    for name in (*catalogue.CATALOGUE, *KNOWN):
        entry, place = catalogue.dataset(name), catalogue.locate(name)
        note = catalogue.note(name, place) if place else ""
        where = f"{place}, {note}" if note else place or "not here"
        print(f"{name:<18} {entry.size / 1e6:5.1f} MB   {entry.licence:<13} {entry.title} ({where})")


def fetch(name: str) -> None:
    """Download one dataset or network with a bar on standard error, and say there where it lies."""
    total = catalogue.dataset(name).size
    with tqdm(desc=name, total=total, unit="B", unit_scale=True, disable=None, leave=False) as bar:

        def show(done: int, _total: int) -> None:
            bar.update(done - bar.n)

        folder = download(name, progress=show)
    print(f"{name} lies in {folder}", file=sys.stderr)
