"""The networks of the memory lesson: one recurrent layer, and a linear layer that reads its last states."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

from dlcore.data.memory_tasks import TASKS, TOLERANCE, Batch
from dlcore.gradients_in_time import by_time
from dlcore.models.recurrent import recurrent

if TYPE_CHECKING:
    from dlcore.experiments.sequences import Config


class Rememberer(nn.Module):
    """Reads a sequence; the states at its last steps are turned into answers.

    Args:
        layer: batch first.
        outputs: numbers of an answer.
        answers: how many are asked for, at the last steps.
    """

    def __init__(self, layer: nn.RNNBase, outputs: int, answers: int) -> None:
        super().__init__()
        self.layer, self.answers = layer, answers
        self.read = nn.Linear(layer.hidden_size, outputs)

    def forward(self, X: Tensor | PackedSequence) -> Tensor:
        """``(B, T, inputs)``, or packed → ``(B, outputs)``; with several answers ``(B, outputs, answers)``."""
        if isinstance(X, PackedSequence):
            _, state = self.layer(X)
            h = state[0] if isinstance(state, tuple) else state  # (1, B, H), at each sequence's own end
            return self.read(h[0])
        H, _ = self.layer(X)  # (B, T, H)
        if self.answers == 1:
            return self.read(H[:, -1])
        return self.read(H[:, -self.answers :]).transpose(1, 2)

    def read_states(self, hidden: list[Tensor]) -> Tensor:
        """The same from T states (B, H), with the reading weights as constants."""
        last = torch.stack(hidden[-self.answers :], 1)  # (B, answers, H)
        out = F.linear(last, self.read.weight.detach(), self.read.bias.detach()).transpose(1, 2)
        return out[..., 0] if self.answers == 1 else out


def build(config: Config, cell: str) -> Rememberer:
    """The network that the config describes; draws its weights from torch's generator."""
    task = TASKS[config.task]
    layer = recurrent(
        cell, task.inputs, config.hidden, forget_bias=config.forget_bias, start=config.start, radius=config.radius
    )
    return Rememberer(layer, task.classes or 1, task.answers)


def tensors(batch: Batch, device: str) -> tuple[Tensor | PackedSequence, Tensor]:
    """Inputs and answers on the device; sequences of different lengths packed."""
    X, y = torch.from_numpy(batch.X), torch.from_numpy(batch.y)
    if batch.equal:
        return X.to(device), y.to(device)
    lengths = torch.from_numpy(batch.lengths)
    packed = pack_padded_sequence(X.to(device), lengths, batch_first=True, enforce_sorted=False)
    return packed, y.to(device)


def losses(outputs: Tensor, y: Tensor) -> Tensor:
    """What is minimised, ``(B,)``: cross-entropy (mean over several answers), or the squared error of a number."""
    if y.is_floating_point():
        return (outputs[:, 0] - y) ** 2
    each = F.cross_entropy(outputs, y, reduction="none")
    return each if each.ndim == 1 else each.mean(1)


def right(outputs: Tensor, y: Tensor) -> Tensor:
    """The share of right answers, ``(B,)``; a number is right within ``TOLERANCE``."""
    if y.is_floating_point():
        return ((outputs[:, 0] - y).abs() <= TOLERANCE).float()
    hit = (outputs.argmax(1) == y).float()
    return hit if hit.ndim == 1 else hit.mean(1)


def gradient_by_time(model: Rememberer, X: Tensor, y: Tensor) -> dict[str, Tensor]:
    """The norms of ∂L/∂h_t, ``{"h": (T,)}``, and of an LSTM's ∂L/∂c_t, ``"c"``, for the mean loss of the batch."""
    return by_time(model.layer, X, lambda hidden: losses(model.read_states(hidden), y).mean())
