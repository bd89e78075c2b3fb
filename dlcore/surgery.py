"""Taking blocks out of a trained network: what is left of its answers? The lesion study of Veit et al. 2016.

A residual network of ``n`` blocks has ``2 ** n`` paths (arXiv 1605.06431, section 3): each block is passed through its
branch or around it. Taking a block out halves the paths and leaves the others there; a network without links has a
single path, which the same cut severs. Nothing is trained here, and nothing stays changed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from dlcore.models.resnet import Residual
from dlcore.models.stacks import blocks_of

NO_ANSWER = -1  # of a network whose block cannot be taken out, since it has no link and changes the shape
AT_ONCE = 250  # images: what a stage hands on to the next stays within the processor's reach


def parts(network: nn.Module) -> list[Residual]:
    """The blocks of a network in the order in which it uses them."""
    return [block for _name, block in blocks_of(network)]


def removable(block: Residual) -> bool:
    """Whether something is left where the block was: its link, or, without one, what came in in the same shape."""
    return block.residual or block.keeps_shape


@contextmanager
def taken_out(network: nn.Module, removed: Collection[int]) -> Iterator[None]:
    """Within the ``with`` the blocks of these numbers (from 0) are out; after it all are as they were."""
    blocks = parts(network)
    before = [block.removed for block in blocks]
    try:
        for k, block in enumerate(blocks):
            block.removed = k in removed
        yield
    finally:
        for block, was in zip(blocks, before, strict=True):
            block.removed = was


@torch.inference_mode()
def answers(network: nn.Module, X: Tensor, removed: Collection[int] = ()) -> np.ndarray:
    """Classes ``(N,)`` int16 that the network names for inputs ``(N, …)`` without the blocks of these numbers."""
    with taken_out(network, removed):
        return np.concatenate([_named(network(part)) for part in X.split(AT_ONCE)])


@torch.inference_mode()
def lesions(network: nn.Module, X: Tensor) -> np.ndarray:
    """Answers with every block in, and with each block alone taken out: classes ``(n + 1, N)`` int16.

    Row 0 is the whole network, row ``k + 1`` the one without block ``k``; ``NO_ANSWER`` where it cannot be taken out.
    What comes before a block is computed once, so all of it costs about ``n / 2`` times the whole network.
    """
    return np.concatenate([_lesions(network, part) for part in X.split(AT_ONCE)], axis=1)


def _lesions(network: nn.Module, X: Tensor) -> np.ndarray:
    blocks = parts(network)
    rows = np.full((len(blocks) + 1, len(X)), NO_ANSWER, np.int16)
    with taken_out(network, ()), _overheard(blocks) as states:
        rows[0] = _named(network(X))
    for k, block in enumerate(blocks):
        if removable(block):
            with taken_out(network, {k}), _begun(blocks, k, states[k]):
                rows[k + 1] = _named(network(X))
    return rows


@contextmanager
def _overheard(blocks: list[Residual]) -> Iterator[list[Tensor]]:
    """What each block gets while the network is used within the ``with``."""
    states: list[Tensor] = []
    with ExitStack() as stack:
        for block in blocks:
            hook = block.register_forward_pre_hook(lambda _block, given: states.append(given[0]))
            stack.callback(hook.remove)
        yield states


@contextmanager
def _begun(blocks: list[Residual], k: int, state: Tensor) -> Iterator[None]:
    """Within the ``with`` block ``k`` gets ``state`` whatever came before it, and the blocks before it do nothing."""
    hook = blocks[k].register_forward_pre_hook(lambda _block, _given: (state,))
    try:
        for block in blocks[:k]:
            vars(block)["forward"] = lambda X: X  # stands before the class's own
        yield
    finally:
        hook.remove()
        for block in blocks[:k]:
            vars(block).pop("forward", None)


def _named(logits: Tensor) -> np.ndarray:
    return logits.argmax(1).to(torch.int16).cpu().numpy()


def orders(network: nn.Module, draws: int, rng: np.random.Generator) -> list[list[int]]:
    """``draws`` random orders in which all blocks that can be taken out go, one after the other."""
    able = [k for k, block in enumerate(parts(network)) if removable(block)]
    return [[able[i] for i in rng.permutation(len(able))] for _draw in range(draws)]


def one_after_another(network: nn.Module, X: Tensor, y: np.ndarray, order: list[int]) -> np.ndarray:
    """Accuracy ``(len(order) + 1,)`` with 0, 1, 2, … blocks of ``order`` out."""
    return np.array([(answers(network, X, order[:count]) == y).mean() for count in range(len(order) + 1)])


def path_lengths(blocks: int) -> np.ndarray:
    """How many of the ``2 ** blocks`` paths go through 0, 1, … ``blocks`` branches: binomial coefficients, floats."""
    counts = np.ones(1)
    for _block in range(blocks):
        counts = np.convolve(counts, [1.0, 1.0])
    return counts


@torch.inference_mode()
def multiplications(network: nn.Module, X: Tensor) -> int:
    """How many products of a weight with a number the convolutions and dense layers of a network take for ``X``."""
    total, hooks = 0, []

    def count(layer: nn.Module, _given: object, out: Tensor) -> None:
        nonlocal total
        weight = layer.weight
        assert isinstance(weight, Tensor)
        total += out.numel() * weight[0].numel()

    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            hooks.append(module.register_forward_hook(count))
    try:
        network(X)
    finally:
        for hook in hooks:
            hook.remove()
    return total
