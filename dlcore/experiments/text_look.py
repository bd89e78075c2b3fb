"""Asking a language model of letters: what comes next, how surprised it was, what it writes, what its units know.

For ``dlcore.jobs.call``: builtins and arrays in and out, in a worker. A network is named by its run's checkpoint file;
``None`` means the one that is shipped with the lessons, which has read Alice in Wonderland.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dlcore.data.text import Corpus, corpus, decode, encode, places
from dlcore.sequence_training import best_of
from dlcore.trained import written

if TYPE_CHECKING:
    from torch import Tensor

    from dlcore.models.letters import LetterModel

SHIPPED = "alice_letters"
STUDIED, SHOWN, BEFORE, WARM_UP, PIECE = 16_000, 1400, 5000, 150, 250  # letters


@dataclass(frozen=True)
class Writer:
    """A model in eval mode on the CPU, its letters (V,), its cell, the text that it has read, and how it was built."""

    model: LetterModel
    symbols: list[str]
    cell: str
    source: str
    data_hash: str
    build: Mapping[str, Any]  # arguments of ``LetterModel`` beside the cell

    def codes(self, text: str) -> np.ndarray:
        """The text as the model reads it, (n,) int16, with a line's end before it: how every text begins."""
        return encode("\n" + text, places(self.symbols))


def writer(checkpoint: str | None) -> Writer:
    """The best model of a checkpoint file as it was last written, or the shipped one."""
    return _from_checkpoint(checkpoint, written(checkpoint)) if checkpoint else shipped()


@lru_cache(maxsize=4)
def _from_checkpoint(path: str, _written: int) -> Writer:
    from dlcore.events import unpack

    state = unpack(Path(path).read_bytes())
    bits = {cell: state["metrics"].get(f"test_bits/{cell}", np.inf) for cell in state["cells"]}
    return of_state(state, best_of(bits, lower=True))


def of_state(state: dict[str, Any], cell: str) -> Writer:
    """The model of one cell in a checkpoint's state."""
    from dlcore.checkpoints import load_model
    from dlcore.models.letters import LetterModel

    model = LetterModel(cell=cell, **state["build"])
    own = {n.removeprefix(f"{cell}."): v for n, v in state["model"].items() if n.startswith(f"{cell}.")}
    load_model(model, own)
    return Writer(model.eval(), list(state["symbols"]), cell, state["source"], state["data_hash"], state["build"])


@lru_cache(maxsize=1)
def shipped() -> Writer:
    """The network that comes with the lessons. Raises ``Problem`` where its file is missing or damaged."""
    from dlcore.models.letters import LetterModel
    from dlcore.models.weights import read_shipped

    about, arrays = read_shipped(SHIPPED)
    cell, build = about["build"].pop("cell"), about["build"]
    model = LetterModel(cell=cell, **build)
    model.load_state_dict(arrays)
    return Writer(model.eval(), about["symbols"], cell, about["source"], about["data_hash"], build)


def listen(text: str, checkpoint: str | None = None, most: int = 10) -> dict[str, Any]:
    """What the network expects after a text, and how surprised it was by each of its letters.

    Returns:
        ``next`` the likeliest letters, ``probabilities`` theirs (most,), ``bits`` of each typed letter (n,),
        ``expected`` the likeliest letter at each place, ``unknown`` which typed letters it does not know (n,) bool.
    """
    import torch

    known = writer(checkpoint)
    codes = known.codes(text)
    with torch.inference_mode():
        logits = known.model(torch.from_numpy(codes.astype(np.int64))[None])[0]  # (n + 1, V)
        shares = logits.softmax(1).numpy()
    best = np.argsort(-shares[-1])[:most]
    bits = -np.log2(np.maximum(shares[np.arange(len(text)), codes[1:]], 1e-12))
    return {
        "next": [known.symbols[i] for i in best],
        "probabilities": shares[-1][best],
        "bits": bits.astype(np.float32),
        "expected": [known.symbols[i] for i in shares[:-1].argmax(1)],
        "unknown": codes[1:] == 0,
        "symbols": len(known.symbols),
        "cell": known.cell,
    }


def go_on(
    prompt: str, temperatures: list[float], checkpoint: str | None = None, *, length: int = 400, top_k: int = 0,
    seed: int = 0,
) -> list[str]:  # fmt: skip
    """What the network writes after a prompt, once for each temperature, from the same chance (``seed``)."""
    import torch

    from dlcore.models.letters import write

    known = writer(checkpoint)
    row = np.random.default_rng(seed).random((1, length))
    draws = torch.from_numpy(np.repeat(row, len(temperatures), 0))
    codes = torch.from_numpy(known.codes(prompt).astype(np.int64))
    letters = write(known.model, codes, draws, torch.tensor(temperatures, dtype=torch.float32), top_k)
    return [decode(row, known.symbols) for row in letters.tolist()]


def study(checkpoint: str | None = None) -> dict[str, Any]:
    """What the units know: their correlations with features of the held-out text, and their activity in a part of it.

    Of an LSTM the cell state is looked at (its tanh), of the others the hidden state.

    Returns:
        ``features`` names (F,), ``r`` (H, F), ``chance`` (F,) and ``untrained`` (F,): the largest |r| by chance, and in
        the same network before training; ``text`` and ``activity`` (n, H) float16, −1 to 1; ``studied`` letters.
    """
    import torch

    from dlcore.models.letters import LetterModel
    from dlcore.text_features import by_chance, correlations, features

    known = writer(checkpoint)
    data = corpus(known.source, known.data_hash)
    n = min(STUDIED, len(data.test))
    before = max(0, data.split - BEFORE)  # a line or a quotation may have been begun there
    whole = features(data.text[before : data.split + n])
    known_features = {name: v for name, values in whole.items() if np.ptp(v := values[data.split - before :]) > 0}
    activity = _activity(known.model, data, n)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        fresh = LetterModel(cell=known.cell, **known.build).eval()
    return {
        "features": list(known_features),
        "r": correlations(activity, known_features),
        "chance": by_chance(activity, known_features),
        "untrained": np.abs(correlations(_activity(fresh, data, n), known_features)).max(0),
        "text": data.text[data.split : data.split + SHOWN],
        "activity": activity[:SHOWN].astype(np.float16),
        "studied": n,
        "cell": known.cell,
    }


def _activity(model: LetterModel, data: Corpus, n: int) -> np.ndarray:
    """The memory after each of the first ``n`` held-out letters, (n, H): read in pieces side by side, each warmed up by
    the letters before it."""
    import torch

    begins = np.arange(data.split, data.split + n, PIECE)
    place = np.clip(begins[:, None] + np.arange(-WARM_UP, PIECE), 0, len(data.codes) - 1)
    state, rows = None, []
    with torch.inference_mode():
        X = model.embed(torch.from_numpy(data.codes[place].astype(np.int64)))  # (pieces, WARM_UP + PIECE, E)
        for t in range(X.shape[1]):
            _outputs, state = model.cell(X[:, t : t + 1], state)
            rows.append(_memory(state))
    found = torch.stack(rows[WARM_UP:], 1).flatten(0, 1)  # (pieces · PIECE, H)
    return found[:n].numpy()


def _memory(state: Any) -> Tensor:
    """The last layer's memory, (B, H), between −1 and 1."""
    return state[1][-1].tanh() if isinstance(state, tuple) else state[-1]
