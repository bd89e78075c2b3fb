"""Asking a trained reader: what it thinks after each token, what each token contributed, where its embeddings lie.

For ``dlcore.jobs.call``: builtins and arrays in, builtins and arrays out, in a worker. A reader is named by its run's
checkpoint file, which may be that of a run that still goes on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dlcore.data import opinion_grammar, reviews
from dlcore.data.corpora import corpus
from dlcore.data.tokens import TOKENIZERS, UNKNOWN, Vocabulary, batch_sizes, padded
from dlcore.reading_story import negates
from dlcore.sequence_training import best_of
from dlcore.texts import N_, Problem
from dlcore.trained import written

if TYPE_CHECKING:
    from torch import Tensor

    from dlcore.models.reader import Reader

MOST_TOKENS = 200  # of a text that is asked about: all its beginnings are read
LEAVE_OUT, GRADIENTS = "leave_out", "gradients"
STEPS = 64  # of the path of integrated gradients
SHOWN = 160  # embeddings in the picture


@dataclass(frozen=True)
class Trained:
    """A reader in eval mode on the CPU, and what its checkpoint says of it."""

    model: Reader
    vocabulary: Vocabulary
    cell: str
    state: Mapping[str, Any]

    @property
    def classes(self) -> list[str]:
        """Their names, in English."""
        return list(self.state["classes"])


def trained(checkpoint: str) -> Trained:
    """The (best) reader of a checkpoint file as it was last written."""
    return _from_file(checkpoint, written(checkpoint))


@lru_cache(maxsize=4)
def _from_file(path: str, _written: int) -> Trained:
    from dlcore.checkpoints import load_model
    from dlcore.events import unpack
    from dlcore.models.reader import Reader

    state = unpack(Path(path).read_bytes())
    cell = best_of({name: state["metrics"].get(f"test_accuracy/{name}", 0.0) for name in state["cells"]})
    model, head = Reader(cell=cell, **state["build"]), f"{cell}."
    load_model(model, {k.removeprefix(head): v for k, v in state["model"].items() if k.startswith(head)})
    return Trained(model.eval(), Vocabulary(tuple(state["vocabulary"])), cell, state)


def tokenised(network: Trained, text: str) -> list[str]:
    """The text as this reader's tokens. Raises ``Problem`` (kind ``"text"``) where there are none, or too many."""
    tokens = TOKENIZERS[network.state["kind"]](text)
    if not tokens:
        raise Problem(N_("There is nothing to read yet. Type a few letters."), kind="text")
    if len(tokens) > MOST_TOKENS:
        raise Problem(
            N_("This text has {n} pieces. It is read again after each of them, so {most} are the most. Shorten it."),
            kind="text", n=f"{len(tokens):,}", most=MOST_TOKENS,
        )  # fmt: skip
    return tokens


def read_text(checkpoint: str, text: str) -> dict[str, Any]:
    """What the reader thinks after each token: it is asked about every beginning of the text, as if it ended there.

    Returns:
        ``tokens`` (T) and ``known`` (T,) bool, whether it has a number of its own; ``probabilities`` (T, K) float32;
        ``classes``, ``cell``, ``kind``; ``bag`` (K,) float32, what the bag of words says of the whole text;
        ``without_no``: of a sentence with one negation, the probability of praise if it is left out, else None.

    Raises:
        Problem: kind ``"text"``, nothing to read or too much.
    """
    from dlcore.bag_of_words import Bag
    from dlcore.reading_training import beginnings_of

    network = trained(checkpoint)
    tokens = tokenised(network, text)
    (numbers,) = network.vocabulary.numbers([tokens])
    bag = Bag(**network.state["bag"]).probabilities([numbers])[0]
    return {
        "tokens": tokens, "known": numbers != UNKNOWN, "bag": bag.astype(np.float32),
        "without_no": _without_no(network, tokens, numbers),
        "probabilities": _logits(network, beginnings_of(numbers)).softmax(1).numpy(),
        "classes": network.classes, "cell": network.cell, "kind": network.state["kind"],
    }  # fmt: skip


def _without_no(network: Trained, tokens: Sequence[str], numbers: np.ndarray) -> float | None:
    places = [t for t, token in enumerate(tokens) if negates(token)]
    if network.state["kind"] == "letters" or len(places) != 1 or len(tokens) < 2:
        return None
    return float(_logits(network, [np.delete(numbers, places)]).softmax(1)[0, 1])


def _logits(network: Trained, rows: Sequence[np.ndarray]) -> Tensor:
    from dlcore.reading_training import logits_of

    return logits_of(network.model, rows, "cpu")  # (B, K)


def log_odds(logits: Tensor, k: int) -> Tensor:
    """ln p/(1 − p) of class ``k`` from logits (B, K): (B,)."""
    others = [j for j in range(logits.shape[1]) if j != k]
    return logits[:, k] - logits[:, others].logsumexp(1)


def contributions(checkpoint: str, text: str, way: str = LEAVE_OUT) -> dict[str, Any]:
    """How much each token moved the decision, in log-odds: of “praises” where there are two classes, or of the answer.

    ``LEAVE_OUT``: the log-odds of the text less those of the text without the token. ``GRADIENTS``: integrated
    gradients (Sundararajan et al. 2017, eq. 1) along the straight path from embeddings of nothing but “unknown”; they
    add up to the difference between text and that beginning, but for ``error``.

    Returns:
        ``values`` (T,) float32; ``of``, the class; ``whole``, the text's log-odds; ``error`` of the sum (0 for
        ``LEAVE_OUT``, which promises none).
    """
    network = trained(checkpoint)
    (numbers,) = network.vocabulary.numbers([tokenised(network, text)])
    (logits,) = _logits(network, [numbers])
    k = 1 if len(logits) == 2 else int(logits.argmax())
    whole = float(log_odds(logits[None], k))
    values, error = _left_out(network, numbers, k, whole) if way == LEAVE_OUT else _integrated(network, numbers, k)
    return {"values": values.astype(np.float32), "of": k, "whole": whole, "error": error}


def _left_out(network: Trained, numbers: np.ndarray, k: int, whole: float) -> tuple[np.ndarray, float]:
    if len(numbers) == 1:  # what is left is nothing: it is read as one unknown
        shorter = [np.array([UNKNOWN])]
    else:
        shorter = [np.delete(numbers, t) for t in range(len(numbers))]
    return whole - log_odds(_logits(network, shorter), k).numpy(), 0.0


def _integrated(network: Trained, numbers: np.ndarray, k: int) -> tuple[np.ndarray, float]:
    import torch

    at = (torch.arange(STEPS) + 0.5) / STEPS  # the midpoint rule
    with torch.no_grad():
        E = network.model.embedding(torch.from_numpy(numbers))  # (T, E)
        nothing = network.model.embedding(torch.full((len(numbers),), UNKNOWN))
    path = (nothing + at[:, None, None] * (E - nothing)).requires_grad_()  # (S, T, E)
    lengths = torch.full((STEPS,), len(numbers))
    log_odds(network.model.from_vectors(path, lengths), k).sum().backward()
    assert path.grad is not None
    values = ((E - nothing) * path.grad.mean(0)).sum(1)  # (T, E) → (T,)
    with torch.no_grad():
        ends = log_odds(network.model.from_vectors(torch.stack([nothing, E]), lengths[:2]), k)
    return values.numpy(), float((values.sum() - (ends[1] - ends[0])).abs())


# -- preprocessing, embeddings, mistakes -------------------------------------------------------------------------------


def prepared(dataset: str, which: Sequence[int]) -> dict[str, Any]:
    """Some training texts on their way to the network.

    Returns:
        ``texts``; ``tokens`` of each; ``table`` (B, T) int64 and ``lengths`` (B,); ``sizes`` (T,), the rows that go on
        at each step; ``vocabulary``, its size; ``labels`` (B,) and ``classes``.
    """
    data = corpus(dataset)
    texts = [data.texts.train[k % len(data.train)] for k in which]
    table, lengths = padded([data.train[k % len(data.train)] for k in which])
    return {
        "texts": texts, "tokens": [TOKENIZERS[data.kind](text) for text in texts], "table": table, "lengths": lengths,
        "sizes": batch_sizes(lengths), "vocabulary": len(data.vocabulary.tokens), "kind": data.kind,
        "labels": data.texts.y_train[[k % len(data.train) for k in which]], "classes": list(data.texts.classes),
    }  # fmt: skip


def wasted(dataset: str, batch_size: int, batches: int = 50) -> float:
    """Share of the steps that padding would waste in batches drawn at random: 1 less tokens over cells of the table."""
    lengths, rng = np.array([len(row) for row in corpus(dataset).train]), np.random.default_rng(0)
    drawn = [rng.choice(lengths, min(batch_size, len(lengths)), replace=False) for _ in range(batches)]
    return 1 - sum(d.sum() for d in drawn) / sum(len(d) * d.max() for d in drawn)


def embeddings(checkpoint: str) -> dict[str, Any]:
    """The most frequent tokens' embeddings on their two principal axes, as they were drawn and as they are now.

    Returns:
        ``tokens`` (n); ``before`` and ``now`` (n, 2) float32, each on its own axes; ``shares`` (2, 2), how much of all
        variance each axis shows; ``counted`` (n,) float32, the log-odds of praise of the training texts that have the
        token, less those of all (NaN where there are more than two classes); ``kind`` (n,) float32, how kind the word
        is, 1 to −1: as the grammar knows where it made the texts, else as counted (log-odds of 2 are 1); ``counts``
        (n,); ``read_as``, the tokenizer.
    """
    import torch

    from dlcore.models.reader import Reader

    network = trained(checkpoint)
    with torch.random.fork_rng(devices=[]):  # whoever else draws in this process goes on undisturbed
        torch.manual_seed(network.state["seed"])
        first = Reader(cell=network.cell, **network.state["build"])  # drawn again as the run drew it
    tokens = list(network.vocabulary.tokens[2 : 2 + SHOWN])
    pairs = [
        principal(model.embedding.weight.detach().numpy()[2 : 2 + SHOWN].astype(float))
        for model in (first, network.model)
    ]
    counted, counts = _tones(network, len(tokens))
    return {
        "tokens": tokens, "before": pairs[0][0], "now": pairs[1][0], "shares": np.array([p[1] for p in pairs]),
        "kind": _kindness(network.state["dataset"], tokens, counted), "counted": counted, "counts": counts,
        "read_as": network.state["kind"],
    }  # fmt: skip


def principal(E: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Principal components: ``E (n, d)`` on its two axes of largest variance, (n, 2) float32, and their shares (2,)."""
    centred = E - E.mean(0)
    U, s, _Vt = np.linalg.svd(centred, full_matrices=False)
    places = np.zeros((len(E), 2), np.float32)
    places[:, : min(2, len(s))] = (U * s)[:, :2]
    shares = np.zeros(2)
    shares[: min(2, len(s))] = (s**2 / max((s**2).sum(), 1e-12))[:2]
    return places, shares


def _kindness(dataset: str, tokens: Sequence[str], counted: np.ndarray) -> np.ndarray:
    language = next((code for code, name in reviews.BUILT_IN.items() if name == dataset), None)
    if language is None:
        return np.clip(counted / 2, -1, 1)
    known = opinion_grammar.kind_words(language)
    return np.array([known.get(token, 0) for token in tokens], np.float32)


def _tones(network: Trained, count: int) -> tuple[np.ndarray, np.ndarray]:
    from dlcore.bag_of_words import counts

    data = corpus(network.state["dataset"])
    occurs = counts(data.train, len(network.vocabulary.tokens)).minimum(1)[:, 2 : 2 + count]  # (N, n), 0 or 1
    total = np.asarray(occurs.sum(0)).ravel()
    if len(network.classes) != 2:
        return np.full(count, np.nan, np.float32), total
    y = data.texts.y_train
    praises = np.asarray(occurs[y == 1].sum(0)).ravel()
    prior = np.log(y.sum() / (len(y) - y.sum()))
    return (np.log((praises + 0.5) / (total - praises + 0.5)) - prior).astype(np.float32), total


def held_out(dataset: str, probabilities: np.ndarray, labels: np.ndarray, most: int = 400) -> dict[str, Any]:
    """What a run's answers to the held-out texts are worth, with the worst mistakes in full.

    Returns:
        ``dlcore.evaluation.report``; ``worst`` (n,), numbers of mistakes, and their ``texts``.
    """
    from dlcore.evaluation import report, worst_mistakes

    texts = corpus(dataset).texts.test
    worst = worst_mistakes(probabilities, labels, most)
    return {
        **report(labels, probabilities.argmax(1), probabilities.shape[1]),
        "worst": worst, "texts": [texts[k] for k in worst.tolist()],
    }  # fmt: skip
