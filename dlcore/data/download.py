"""Fetches datasets and weights of networks: several mirrors, retries that resume, checksums, nothing half-way on disk.

A file appears under its final name only when it is whole and its checksum is right, so who finds it may trust it.
"""

from __future__ import annotations

import errno
import gzip
import hashlib
import http.client
import os
import shutil
import ssl
import tarfile
import tempfile
import threading
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from dlcore.data import catalogue
from dlcore.data.catalogue import Dataset, Remote
from dlcore.texts import N_, Problem
from dlcore.vision.networks import torch_homes

Progress = Callable[[int, int], None]  # (bytes done, bytes in all), of the whole dataset
CHUNK = 1 << 16
NETWORK = (urllib.error.URLError, http.client.HTTPException, ssl.SSLError, TimeoutError, ConnectionError)


@dataclass(frozen=True)
class Patience:
    """How long to insist: seconds without an answer, tries per mirror, seconds before the second try (then doubled)."""

    timeout: float = 20.0
    tries: int = 3
    pause: float = 1.0


def destination() -> Path:
    """Where downloads go: ``DLCORE_DATA`` where it can be written, else the user's cache.

    Raises:
        Problem: ``DLCORE_DATA`` names no folder (kind ``"data_root"``), or neither can be written (``"read_only"``).
    """
    root = catalogue.data_root()
    if root and not root.is_dir():
        raise Problem(
            N_("DLCORE_DATA names {root}, which is not a folder. Create it or correct the name, then try again."),
            kind="data_root",
            root=str(root),
        )
    if root and writable(root):
        return root
    cache = catalogue.cache_root()
    if writable(cache):
        return cache
    raise Problem(
        N_("Nothing can be saved: {folder} cannot be written. Set DLCORE_DATA to a folder of yours, then try again."),
        kind="read_only",
        folder=str(cache),
    )


def writable(folder: Path) -> bool:
    """Whether a file can be made in the folder (which is created); tried, since permissions alone do not tell."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def download(
    name: str,
    *,
    progress: Progress | None = None,
    mirrors: Sequence[str] | None = None,
    patience: Patience = Patience(),
) -> Path:
    """Fetch what is missing of a dataset and return the folder that now holds it; does nothing where it is there.

    A copy that serves instead (``Dataset.copy``) does not count: who asks for a download wants the original.

    Args:
        progress: called with (bytes done, bytes in all) after every piece.
        mirrors: base addresses to use instead of the catalogue's.

    Raises:
        Problem: kinds ``"no_network"``, ``"download"`` (no mirror has it whole), ``"disk_full"``, ``"read_only"``,
            ``"data_root"`` and ``"dataset"``.
    """
    entry = catalogue.dataset(name)
    found = catalogue.original(name)
    if found:
        return found
    folder = (torch_homes()[0] if entry.weights else destination()) / entry.folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".part-", dir=folder) as part:
            _all_files(entry, folder, Path(part), progress or (lambda done, total: None), mirrors, patience)
    except OSError as error:
        raise _disk_problem(error, folder, entry) from None
    return folder


def _all_files(
    entry: Dataset, folder: Path, part: Path, progress: Progress, mirrors: Sequence[str] | None, patience: Patience
) -> None:
    if entry.remotes[0].name.endswith(".tar.gz"):
        packed = part / entry.remotes[0].name
        _from_mirrors(entry, entry.remotes[0], packed, mirrors or entry.mirrors, patience, _shifted(progress, 0, entry))
        return _unpack(entry, packed, part, folder)
    done = 0
    for file, remote in zip(entry.files, entry.remotes, strict=True):
        if not catalogue.present(folder, file):
            packed = part / remote.name
            _from_mirrors(entry, remote, packed, mirrors or entry.mirrors, patience, _shifted(progress, done, entry))
            if remote.name != file:
                with gzip.open(packed) as source, open(part / file, "wb") as target:
                    shutil.copyfileobj(source, target)
            os.replace(part / file, folder / file)
        done += remote.size
        progress(done, entry.size)


def _unpack(entry: Dataset, packed: Path, part: Path, folder: Path) -> None:
    """The dataset's files out of an archive, under their own names: no path in the archive decides where they go."""
    try:
        with tarfile.open(packed) as archive:
            for member in archive:
                name = Path(member.name).name
                source = archive.extractfile(member) if name in entry.files and member.isfile() else None
                if source is not None:
                    with open(part / name, "wb") as target:
                        shutil.copyfileobj(source, target)
                    os.replace(part / name, folder / name)
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise OSError("cannot be unpacked") from error


def _shifted(progress: Progress, before: int, entry: Dataset) -> Callable[[int], None]:
    return lambda done: progress(min(before + done, entry.size), entry.size)


def _from_mirrors(
    entry: Dataset,
    remote: Remote,
    target: Path,
    mirrors: Sequence[str],
    patience: Patience,
    progress: Callable[[int], None],
) -> None:
    """One file from the first mirror that gives it whole; what a broken try left is taken up by the next."""
    reasons: list[Exception] = []
    for mirror in mirrors:
        for attempt in range(patience.tries):
            if attempt:
                time.sleep(patience.pause * 2 ** (attempt - 1))
            try:
                _fetch(mirror + remote.name, target, patience.timeout, progress)
                _check(target, remote)
                return
            except NETWORK as error:
                reasons.append(error)
                if isinstance(error, urllib.error.HTTPError) and error.code < 500:
                    break  # asking again would not change a "not found"
            except _WrongSum as error:
                target.unlink()  # damaged: nothing of it may be taken up
                reasons.append(error)
    raise _network_problem(entry, remote, reasons)


def _fetch(url: str, target: Path, timeout: float, progress: Callable[[int], None]) -> None:
    """Add to ``target`` what it still lacks of ``url``. Raises ``IncompleteRead`` where the connection ends early."""
    have = target.stat().st_size if target.is_file() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    with urllib.request.urlopen(request, timeout=timeout) as answer:
        resumes = have and answer.status == 206  # else the server sends all of it again
        left = int(answer.headers.get("Content-Length") or -1)
        with open(target, "ab" if resumes else "wb") as file:
            done = have if resumes else 0
            while chunk := answer.read(CHUNK):
                file.write(chunk)
                done, left = done + len(chunk), left - len(chunk)
                progress(done)
    if left > 0:
        raise http.client.IncompleteRead(b"", left)


class _WrongSum(Exception):
    """The bytes arrived, but they are not the published ones."""


def _check(path: Path, remote: Remote) -> None:
    kind, wanted = ("sha256", remote.sha256) if remote.sha256 else ("md5", remote.md5)
    with open(path, "rb") as file:
        if not wanted or hashlib.file_digest(file, kind).hexdigest()[: len(wanted)] != wanted:
            raise _WrongSum("checksum")


def _network_problem(entry: Dataset, remote: Remote, reasons: Sequence[Exception]) -> Problem:
    """What to say when no mirror gave the file: no network at all, or mirrors that answer but do not have it."""
    answered = [r for r in reasons if isinstance(r, (urllib.error.HTTPError, http.client.IncompleteRead, _WrongSum))]
    if not answered and entry.weights:
        return Problem(
            N_(
                "{title} could not be downloaded: there is no connection to the internet, or a firewall blocks it. "
                "Try again when online, or copy {file} from another machine into {folder}. What works meanwhile is "
                "built in."
            ),
            kind="no_network",
            name=entry.name,
            title=entry.title,
            file=remote.name,
            folder=str(torch_homes()[0] / entry.folder),
        )
    if not answered:
        return Problem(
            N_(
                "{title} could not be downloaded: there is no connection to the internet, or a firewall blocks it. "
                "Try again when online, or copy the files from another machine into {folder} below the folder that "
                "DLCORE_DATA names. What works meanwhile is built in."
            ),
            kind="no_network",
            name=entry.name,
            title=entry.title,
            folder=entry.folder,
        )
    why = {
        urllib.error.HTTPError: N_("{title} could not be downloaded: no mirror has {file} (the last said {code})."),
        http.client.IncompleteRead: N_("{title} could not be downloaded: {file} broke off each time. Try again."),
        _WrongSum: N_("{title} could not be downloaded: {file} arrived damaged (wrong checksum). Try again later."),
    }
    last = answered[-1]
    return Problem(
        why[type(last)],
        kind="download",
        name=entry.name,
        title=entry.title,
        file=remote.name,
        code=getattr(last, "code", 0),
    )


def _disk_problem(error: OSError, folder: Path, entry: Dataset) -> Problem:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        template = N_("{title} does not fit: the disk of {folder} is full. Free about {megabytes} MB and try again.")
        kind = "disk_full"
    elif isinstance(error, gzip.BadGzipFile) or error.errno is None:
        template, kind = N_("{title} could not be unpacked in {folder}. Try again."), "download"
    else:
        template, kind = (
            N_("{title} could not be saved: {folder} cannot be written. Choose another folder."),
            "read_only",
        )
    grows = 2 if entry.weights else 6 if entry.remotes[0].name.endswith("ubyte.gz") else 3
    megabytes = round(entry.size * grows / 1e6)  # packed and unpacked together, with room to spare
    return Problem(template, kind=kind, title=entry.title, folder=str(folder), megabytes=megabytes)


class Background:
    """One download in a thread of its own. A page looks at ``done`` and ``total`` (bytes), ``running``, ``problem``."""

    def __init__(self, name: str) -> None:
        self.name, self.done, self.total = name, 0, catalogue.dataset(name).size
        self.problem: Problem | None = None
        self._thread = threading.Thread(target=self._work, name=f"download-{name}", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        try:
            download(self.name, progress=self._note)
        except Problem as problem:
            self.problem = problem

    def _note(self, done: int, total: int) -> None:
        self.done, self.total = done, total

    @property
    def running(self) -> bool:
        """Whether it still works."""
        return self._thread.is_alive()


_background: dict[str, Background] = {}
_lock = threading.Lock()


def in_background(name: str) -> Background:
    """Start a download of a dataset, or join the one that goes on: two browsers never fetch the same file twice."""
    with _lock:
        if name not in _background or not _background[name].running:
            _background[name] = Background(name)
        return _background[name]


def background(name: str) -> Background | None:
    """The newest download of a dataset that was started here, if any."""
    return _background.get(name)
