"""CIFAR-10: 60,000 small colour photographs, from the original batches or from JPEG copies. Imports NumPy only.

The original files are pickles. A pickle may run any code, so they are read by an unpickler that knows nothing but the
arrays they hold (in shells of our own) and refuses all else.
"""

from __future__ import annotations

import pickle
import tokenize
import zipfile
import zlib
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from dlcore.texts import N_

KINDS = (
    N_("airplane"), N_("automobile"), N_("bird"), N_("cat"), N_("deer"),
    N_("dog"), N_("frog"), N_("horse"), N_("ship"), N_("truck"),
)  # fmt: skip
SHAPE = (3, 32, 32)
TRAIN, TEST = tuple(f"data_batch_{n}" for n in range(1, 6)), ("test_batch",)
JPEG = "cifar10_jpeg.npz"  # arrays x_train (N, 32, 32, 3) uint8, y_train, x_test, y_test
JPEG_NOTE = N_("decoded from JPEG copies: close to the original pixels, but not the same")
FAULTS = (OSError, EOFError, ValueError, KeyError, TypeError, IndexError, AttributeError, MemoryError, OverflowError,
          RuntimeError, SyntaxError, pickle.UnpicklingError, tokenize.TokenError, zipfile.BadZipFile, zlib.error,
          )  # fmt: skip # what a damaged file raises: whoever reads a length out of it believes it


def read(place: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """X_train ``(N, 3, 32, 32)`` uint8, y_train ``(N,)`` int64, X_test, y_test.

    Args:
        place: the folder ``cifar-10-batches-py``, or the file ``cifar10_jpeg.npz``.

    Raises:
        one of ``FAULTS``: it is damaged, or not what its name says.
    """
    if place.is_file():
        with np.load(place, allow_pickle=False) as file:
            parts = [(file[f"x_{part}"].transpose(0, 3, 1, 2), file[f"y_{part}"]) for part in ("train", "test")]
    else:
        parts = [_batches(place, names) for names in (TRAIN, TEST)]
    (X_train, y_train), (X_test, y_test) = [_checked(X, y) for X, y in parts]
    return X_train, y_train, X_test, y_test


def _checked(X: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    y = y.astype(np.int64).reshape(-1)
    if X.dtype != np.uint8 or X.shape != (len(y), *SHAPE) or not len(y) or y.min() < 0 or y.max() >= len(KINDS):
        raise ValueError("not CIFAR-10")
    return np.ascontiguousarray(X), y


def _batches(folder: Path, names: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    batches = [_batch(folder / name) for name in names]
    return np.concatenate([X for X, _ in batches]), np.concatenate([y for _, y in batches])


def _batch(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """One file: a dict with ``b"data"``, (N, 3072) bytes, channel after channel, and ``b"labels"``, N whole numbers."""
    with open(path, "rb") as file:
        batch = _Unpickler(file, encoding="bytes").load()
    batch = {key.decode() if isinstance(key, bytes) else key: value for key, value in batch.items()}
    return batch["data"].array().reshape(-1, *SHAPE), np.array(batch["labels"], dtype=np.int64)


class _Type:
    """Stands for ``numpy.dtype``: keeps its name."""

    def __init__(self, name: Any, *_more: Any) -> None:
        self.name = name.decode() if isinstance(name, bytes) else name

    def __setstate__(self, _state: Any) -> None:
        pass  # byte order and the like: one byte has none


class _Array:
    """Stands for ``numpy.ndarray``: keeps shape, type, order and bytes."""

    def __init__(self, *_more: Any) -> None:
        self.state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def array(self) -> np.ndarray:
        """The array itself, where it is one of bytes."""
        _version, shape, kind, column_major, content = self.state
        if kind.name not in ("u1", "uint8"):
            raise ValueError("not bytes")
        return np.frombuffer(content, np.uint8).reshape(shape, order="F" if column_major else "C")


def _latin1(text: str, _encoding: str) -> bytes:
    """How Python 3 writes bytes into an old pickle."""
    return text.encode("latin1")


class _Unpickler(pickle.Unpickler):
    KNOWN: ClassVar[dict[tuple[str, str], Any]] = {
        ("numpy.core.multiarray", "_reconstruct"): _Array,
        ("numpy._core.multiarray", "_reconstruct"): _Array,
        ("numpy", "ndarray"): _Array,
        ("numpy", "dtype"): _Type,
        ("_codecs", "encode"): _latin1,
    }

    def find_class(self, module_name: str, global_name: str) -> Any:
        """A shell of ours; whatever else the file asks for is refused."""
        if (module_name, global_name) not in self.KNOWN:
            raise pickle.UnpicklingError(f"{module_name}.{global_name} has no place in an image file")
        return self.KNOWN[module_name, global_name]
