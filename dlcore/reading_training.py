"""Training a reader: what the reading lesson wants learned, as an ``Exercise``. Imports torch: for workers only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from dlcore.bag_of_words import Bag
from dlcore.data.corpora import Corpus
from dlcore.data.tokens import TOKENIZERS, padded
from dlcore.models.reader import Batch, Reader
from dlcore.readings import hits
from dlcore.sequence_training import Exercise

if TYPE_CHECKING:
    from dlcore.experiments.reading import Config

AT_ONCE = 256  # texts that are asked together
BUILT_FROM = (
    "embedding", "hidden", "bidirectional", "readout", "dropout", "blanks", "forget_bias", "start", "radius"
)  # fmt: skip


def exercise_of(config: Config, data: Corpus, bag: Bag, example: str) -> Exercise:
    """The task as ``dlcore.sequence_training`` wants it, for a resolved config.

    Args:
        bag: travels in the checkpoints, so that it can be asked beside the network.
        example: the text whose reading is looked at while the network trains (Snapshot "reading").
    """
    build = arguments(config, data)
    beginnings = beginnings_of(data.vocabulary.numbers([TOKENIZERS[data.kind](example)])[0])
    y, y_test = torch.from_numpy(data.texts.y_train), torch.from_numpy(data.texts.y_test)

    def batch(indices: Tensor) -> tuple[Batch, Tensor]:
        chosen = indices.cpu() % len(data.train)  # one pass after the other, all shuffled together
        return table_of([data.train[k] for k in chosen.tolist()], config.device), y[chosen].to(config.device)

    def evaluate(model: nn.Module) -> dict[str, float]:
        logits = logits_of(model, data.test, config.device).cpu()
        right, loss = hits(logits, y_test).float().mean(), cross_entropy(logits, y_test)
        return {"test_loss": loss.item(), "test_accuracy": right.item()}

    return Exercise(
        make=lambda cell: Reader(cell=cell, **build),
        batch=batch,
        losses=lambda outputs, targets: cross_entropy(outputs, targets, reduction="none"),
        measures={"accuracy": hits},
        evaluate=evaluate,
        look=lambda models: _look(models, beginnings, config.device),
        tokens=data.mean_length,
        about={"build": build, "seed": config.seed, "bag": bag.plain(), **_about(data)},
    )


def _look(models: nn.ModuleDict, beginnings: list[np.ndarray], device: str) -> dict[str, dict[str, np.ndarray]]:
    """What each model thinks after each token of the example: ``(T, K)`` by cell."""
    was = models.training
    models.eval()  # nothing is dropped, so nothing is drawn
    found = {cell: logits_of(model, beginnings, device).softmax(1) for cell, model in models.items()}
    models.train(was)
    return {"reading": {cell: shares.cpu().numpy() for cell, shares in found.items()}}


def _about(data: Corpus) -> dict[str, Any]:
    return {
        "dataset": data.name, "kind": data.kind, "classes": list(data.texts.classes),
        "vocabulary": list(data.vocabulary.tokens),
    }  # fmt: skip


def arguments(config: Config, data: Corpus) -> dict[str, Any]:
    """The arguments of ``dlcore.models.reader.Reader`` beside the cell; they travel in each checkpoint."""
    chosen = {name: getattr(config, name) for name in BUILT_FROM}
    return {"tokens": len(data.vocabulary.tokens), "classes": len(data.texts.classes), **chosen}


def beginnings_of(numbers: np.ndarray) -> list[np.ndarray]:
    """Every beginning of a text (T,): its first token, its first two, … all of it."""
    return [numbers[: t + 1] for t in range(len(numbers))]


def table_of(rows: Sequence[np.ndarray], device: str) -> Batch:
    """Texts as numbers, whole, as one ``Batch``: shorter ones are filled up, none is cut."""
    X, lengths = padded(rows)
    return Batch(torch.from_numpy(X).to(device), torch.from_numpy(lengths))


def logits_of(model: nn.Module, rows: Sequence[np.ndarray], device: str) -> Tensor:
    """Logits of many texts (N, K); those of like length are asked together, and put back in order."""
    order = sorted(range(len(rows)), key=lambda k: len(rows[k]))
    with torch.no_grad():
        parts = [
            model(table_of([rows[k] for k in order[i : i + AT_ONCE]], device)) for i in range(0, len(rows), AT_ONCE)
        ]
    return torch.cat(parts)[torch.argsort(torch.tensor(order))]
