"""A network that reads tokens one by one and then decides: embedding, recurrent layer, and a linear layer on its state.

Texts of different lengths are packed (``torch.nn.utils.rnn``): no step is computed for what only fills a row up, so
the answer to a text is the same whatever it is read together with.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from dlcore.models.recurrent import recurrent

READOUTS = ("last", "max", "mean")


class Batch(NamedTuple):
    """Texts as numbers, filled up to a table; ``lengths`` lie on the CPU, as packing wants them."""

    X: Tensor  # (B, T) int64, 0 where a row has ended
    lengths: Tensor  # (B,) int64, each at least 1


class Reader(nn.Module):
    """``Batch`` → logits ``(B, classes)``.

    Args:
        readout: what the decision is made from: the state after the last token ("last"; read both ways: after the last
            of each direction), or each unit's largest ("max") or mean value over all steps.
        dropout: the share of the embedding's and of the decision's inputs that is switched off in training.
        blanks: the share of tokens that are read as unknown in training, so that the unknown gets a meaning.
    """

    def __init__(
        self,
        tokens: int,
        classes: int,
        *,
        cell: str = "lstm",
        embedding: int = 32,
        hidden: int = 64,
        bidirectional: bool = False,
        readout: str = "last",
        dropout: float = 0.0,
        blanks: float = 0.0,
        forget_bias: float = 0.0,
        start: str = "usual",
        radius: float = 0.0,
    ) -> None:
        super().__init__()
        self.readout, self.blanks = readout, blanks
        self.embedding = nn.Embedding(tokens, embedding, padding_idx=0)
        self.dropout = nn.Dropout(dropout)
        self.rnn = recurrent(
            cell, embedding, hidden, bidirectional=bidirectional, forget_bias=forget_bias, start=start, radius=radius
        )
        self.decide = nn.Linear(hidden * (1 + bidirectional), classes)

    def forward(self, batch: Batch) -> Tensor:
        """Logits (B, classes)."""
        X = batch.X
        if self.training and self.blanks:
            X = X.masked_fill((torch.rand(X.shape, device=X.device) < self.blanks) & (X > 0), 1)
        return self.from_vectors(self.embedding(X), batch.lengths)

    def from_vectors(self, E: Tensor, lengths: Tensor) -> Tensor:
        """Logits from the embedded tokens ``(B, T, E)``: where a gradient by the embedding is wanted."""
        packed = pack_padded_sequence(self.dropout(E), lengths, batch_first=True, enforce_sorted=False)
        states, last = self.rnn(packed)
        return self.decide(self.dropout(self._read(states, last)))  # (B, H or 2 H) → (B, classes)

    def _read(self, states: PackedSequence, last: Tensor | tuple[Tensor, Tensor]) -> Tensor:
        if self.readout == "last":
            h = last[0] if isinstance(last, tuple) else last  # (directions, B, H)
            return torch.cat(h.unbind(0), 1)
        if self.readout == "max":
            H, _ = pad_packed_sequence(states, batch_first=True, padding_value=-torch.inf)  # (B, T, H)
            return H.max(1).values
        H, lengths = pad_packed_sequence(states, batch_first=True)
        return H.sum(1) / lengths.to(H.device)[:, None]
