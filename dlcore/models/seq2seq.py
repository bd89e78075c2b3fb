"""An encoder reads a text letter by letter, a decoder writes the answer; between them one vector, or attention.

Shapes: B texts, T letters (padded behind), U symbols of the answer, H hidden units.

The decoder's state asks, once it has read what was written so far, and the context answers just before the next symbol
(Luong et al. 2015, eq. 5 to 7, without input feeding), so the recurrent layers run over all steps at once. Without
attention the context is the encoder's last state at each step (Cho et al. 2014): all else is the same.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from dlcore.data.pairs import PAD, START
from dlcore.models.recurrent import recurrent

ATTENTIONS = ("dot", "additive", "none")
EMBEDDING = 32  # numbers for a letter or a symbol


class Dot(nn.Module):
    """How well a query and a letter's state agree: their dot product (Luong et al. 2015, eq. 8).

    It is divided by the square root of their length, so that it does not grow with it (Vaswani et al. 2017, eq. 1).
    """

    def forward(self, query: Tensor, memory: Tensor) -> Tensor:
        """``(B, U, H)``, ``(B, T, H)`` → scores ``(B, U, T)``."""
        return query @ memory.mT / math.sqrt(memory.shape[-1])


class Additive(nn.Module):
    """The same by a small network, v · tanh(W query + V memory) (Bahdanau et al. 2015, appendix A.1.2)."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.W = nn.Linear(hidden, hidden)
        self.V = nn.Linear(hidden, hidden, bias=False)
        self.v = nn.Linear(hidden, 1, bias=False)

    def forward(self, query: Tensor, memory: Tensor) -> Tensor:
        """``(B, U, H)``, ``(B, T, H)`` → scores ``(B, U, T)``."""
        both = torch.tanh(self.W(query)[:, :, None] + self.V(memory)[:, None])  # (B, U, T, H)
        return self.v(both)[..., 0]


def attend(scores: Tensor, memory: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Scores become weights that add up to 1 over the real letters, and these mix the letters' states.

    ``(B, U, T)``, ``(B, T, H)``, which are letters ``(B, T)`` → contexts ``(B, U, H)``, weights ``(B, U, T)``.
    """
    weights = scores.masked_fill(~mask[:, None], -math.inf).softmax(-1)
    return weights @ memory, weights


class Seq2Seq(nn.Module):
    """Reads texts, writes answers."""

    def __init__(
        self, letters: int, symbols: int, *, cell: str = "gru", hidden: int = 64, attention: str = "dot",
        both_ways: bool = True, forget_bias: float = 0.0, start: str = "usual", radius: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__()
        begin = {"forget_bias": forget_bias, "start": start, "radius": radius}
        self.letters = nn.Embedding(letters, EMBEDDING, padding_idx=PAD)
        self.encoder = recurrent(cell, EMBEDDING, hidden, bidirectional=both_ways, **begin)
        self.join = nn.Linear(hidden * (2 if both_ways else 1), hidden)  # both directions' states become one
        self.symbols = nn.Embedding(symbols, EMBEDDING)
        self.decoder = recurrent(cell, EMBEDDING, hidden, **begin)
        self.mix = nn.Linear(2 * hidden, hidden)
        self.out = nn.Linear(hidden, symbols)
        self.score = {"dot": Dot, "additive": lambda: Additive(hidden), "none": lambda: None}[attention]()

    def forward(self, X: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        """Training: texts (B, T), their lengths (B,), symbols (B, U) that were to be written before → (B, U, S)."""
        text, lengths, before = X
        return self.decode(*self.encode(text, lengths), before)[0]

    def encode(self, text: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Texts ``(B, T)`` → their letters' states ``(B, T, H)``, mask ``(B, T)`` and one vector ``(B, H)`` of all.

        Padding is never read: the texts are packed.
        """
        T = text.shape[1]
        packed = pack_padded_sequence(self.letters(text), lengths.cpu(), batch_first=True, enforce_sorted=False)
        states, last = self.encoder(packed)
        states, _lengths = pad_packed_sequence(states, batch_first=True, total_length=T)
        last = last[0] if isinstance(last, tuple) else last  # an LSTM has a cell state, too
        mask = torch.arange(T, device=text.device) < lengths.to(text.device)[:, None]
        return self.join(states), mask, self.join(last.transpose(0, 1).flatten(1))

    def decode(
        self, memory: Tensor, mask: Tensor, vector: Tensor, before: Tensor, state: Tensor | tuple | None = None
    ) -> tuple[Tensor, Tensor, Tensor | tuple]:
        """Write on from ``state`` (by default the encoder's vector) after the symbols ``before`` ``(B, U)``.

        Returns:
            logits ``(B, U, S)``, attention's weights ``(B, U, T)`` (none without attention: ``(B, U, 0)``), the state
        """
        begin = self._begin(vector) if state is None else state
        states, after = self.decoder(self.symbols(before), begin)
        if self.score is None:
            context, weights = vector[:, None].expand_as(states), states[..., :0]
        else:
            context, weights = attend(self.score(states, memory), memory, mask)
        mixed = torch.tanh(self.mix(torch.cat([context, states], -1)))  # (B, U, H)
        return self.out(mixed), weights, after

    def _begin(self, vector: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """The decoder's first state, ``(1, B, H)``."""
        first = torch.tanh(vector)[None]
        return (first, vector[None]) if isinstance(self.decoder, nn.LSTM) else first

    @torch.no_grad()
    def write(self, text: Tensor, lengths: Tensor, width: int) -> tuple[Tensor, Tensor, Tensor]:
        """Greedy decoding: each time the most probable symbol, which is read before the next.

        Returns:
            symbols ``(B, width)``, their probabilities among all ``(B, width, S)``, weights ``(B, width, T or 0)``
        """
        memory, mask, vector = self.encode(text, lengths)
        symbol, state = torch.full_like(text[:, :1], START), None
        said, shares, looked = [], [], []
        for _step in range(width):
            logits, weights, state = self.decode(memory, mask, vector, symbol, state)
            symbol = logits.argmax(-1)  # (B, 1)
            said.append(symbol)
            shares.append(logits.softmax(-1))
            looked.append(weights)
        return torch.cat(said, 1), torch.cat(shares, 1), torch.cat(looked, 1)


def shifted(answers: Tensor) -> Tensor:
    """What has been written before each symbol: START, then the answers ``(B, U)`` without their last."""
    return torch.cat([torch.full_like(answers[:, :1], START), answers[:, :-1]], 1)
