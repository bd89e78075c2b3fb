"""A language model of letters: a recurrent network that says, after each letter, how likely every next one is.

Graves 2013, arXiv:1308.0850; in this plain form Karpathy 2015, "The unreasonable effectiveness of recurrent neural
networks".
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from dlcore.models.recurrent import recurrent

EMBEDDING = 64  # numbers a letter, at most
PIECE, WARM_UP, AT_ONCE = 400, 100, 64  # how held-out text is read: letters, letters before them, pieces


class LetterModel(nn.Module):
    """Letters ``(B, T)`` int64 → logits of the next letter ``(B, T, V)``."""

    def __init__(self, symbols: int, cell: str = "lstm", hidden: int = 128, layers: int = 1, dropout: float = 0.0,
                 **start: Any) -> None:  # fmt: skip
        super().__init__()
        self.embed = nn.Embedding(symbols, min(EMBEDDING, symbols))
        self.cell = recurrent(cell, self.embed.embedding_dim, hidden, layers=layers, dropout=dropout, **start)
        self.drop = nn.Dropout(dropout)
        self.head = nn.Linear(hidden, symbols)

    def forward(self, X: Tensor) -> Tensor:
        """Logits at every place, each window beginning without memory."""
        return self.head(self.drop(self.cell(self.embed(X))[0]))

    def read(self, X: Tensor, state: Any = None) -> tuple[Tensor, Tensor, Any]:
        """Logits ``(B, T, V)``, the last layer's outputs ``(B, T, H)``, and the memory to go on with."""
        outputs, state = self.cell(self.embed(X), state)
        return self.head(self.drop(outputs)), outputs, state


@torch.no_grad()
def bits_per_character(model: LetterModel, codes: Tensor, start: int, most: int | None = None) -> float:
    """Mean bits that the model needs for each letter of ``codes[start:]``, in eval mode.

    The text is read in pieces side by side; each is preceded by ``WARM_UP`` letters of what stands before it, which
    fill the memory and are not counted. ``codes`` is ``(N,)`` int64, and ``start`` at least 1.

    Args:
        most: read about so many letters, in pieces from the whole length, instead of all.
    """
    begins = torch.arange(start, len(codes), PIECE)
    if most is not None and len(begins) > (few := max(1, most // PIECE)):
        begins = begins[torch.linspace(0, len(begins) - 1, few).long()]
    lost, count, device = 0.0, 0, next(model.parameters()).device
    for some in begins.split(AT_ONCE):
        place = some[:, None] + torch.arange(-WARM_UP - 1, PIECE)  # (b, 1 + WARM_UP + PIECE)
        X = codes[place.clamp(0, len(codes) - 1)].to(device)
        loss = nn.functional.cross_entropy(model(X[:, :-1]).flatten(0, 1), X[:, 1:].flatten(), reduction="none")
        counted = ((place[:, 1:] < len(codes)) & (place[:, 1:] >= some[:, None])).flatten().to(device)
        lost += float(loss.double()[counted].sum())
        count += int(counted.sum())
    return lost / count / math.log(2)


@torch.inference_mode()
def write(
    model: LetterModel,
    prompt: Tensor,
    draws: Tensor,
    temperatures: Tensor,
    top_k: int = 0,
    state: Any = None,
) -> Tensor:
    """Let the model write: ``(B, n)`` letters after a prompt, one drawn at a time and read again.

    Args:
        prompt: (p,) int64 on the model's device, at least one letter; read first, not returned.
        draws: (B, n) uniform numbers in [0, 1): all chance there is, so that the same draws give the same text.
        temperatures: (B,) divisors of the logits; 0 takes the likeliest letter.
        top_k: only the k likeliest letters may be drawn; 0 allows all.
    """
    B, n = draws.shape
    device = prompt.device  # chance is on the CPU, so letters are chosen there
    logits, _outputs, state = model.read(prompt.expand(B, -1), state)
    out = torch.empty(B, n, dtype=torch.int64)
    for i in range(n):
        out[:, i] = choose(logits[:, -1].cpu(), draws[:, i], temperatures, top_k)
        if i + 1 < n:
            logits, _outputs, state = model.read(out[:, i : i + 1].to(device), state)
    return out


def choose(logits: Tensor, draws: Tensor, temperatures: Tensor, top_k: int = 0) -> Tensor:
    """One letter each ``(B,)``: where a uniform number falls in the cumulated probabilities. Symbol 0 is never drawn.

    ``logits`` (B, V); ``draws`` and ``temperatures`` (B,); see ``write``.
    """
    logits = logits.clone()
    logits[:, 0] = -torch.inf  # the rare symbol stands for letters that nobody could print
    if 0 < top_k < logits.shape[1] - 1:
        least = logits.topk(top_k, 1).values[:, -1:]
        logits = logits.masked_fill(logits < least, -torch.inf)
    greedy = temperatures <= 0
    shares = (logits / temperatures.clamp(min=1e-3)[:, None]).softmax(1).double().cumsum(1)
    drawn = torch.searchsorted(shares, (draws.double() * shares[:, -1])[:, None], right=True)[:, 0]
    return torch.where(greedy, logits.argmax(1), drawn.clamp(max=logits.shape[1] - 1))
