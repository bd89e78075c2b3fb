"""Blocks taken out of residual networks and of networks without links: against passes written out by hand."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlcore import surgery
from dlcore import surgery_story as story
from dlcore.models.resnet import Block, Design, Residual, ResNet


def network(seed: int = 0, **design) -> ResNet:
    """A small network with statistics of its own, as after training: eval mode, no mean is 0 and no variance is 1."""
    torch.manual_seed(seed)
    model = ResNet(Design(**{"blocks": (2, 2), "width": 4, **design}), channels=2, classes=5)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.3)
            assert module.running_mean is not None
            assert module.running_var is not None
            module.running_mean.normal_(std=0.3)
            module.running_var.uniform_(0.5, 2.0)
    return model.eval()


def pictures(count: int = 7, seed: int = 1) -> Tensor:
    return torch.randn(count, 2, 8, 8, generator=torch.Generator().manual_seed(seed))


def normalised(X: Tensor, bn: nn.Module) -> Tensor:
    assert isinstance(bn, nn.BatchNorm2d)
    return F.batch_norm(X, bn.running_mean, bn.running_var, bn.weight, bn.bias)


def by_hand(model: ResNet, X: Tensor, removed: set[int]) -> Tensor:
    """Logits of a network with blocks in the paper's first order and option A, written out anew."""
    X = F.relu(normalised(F.conv2d(X, model.conv1.weight, padding=1), model.bn1))
    for k, (_name, block) in enumerate(model.blocks()):
        assert isinstance(block, Block)
        link, stride = X, block.conv1.stride[0]
        if stride == 2:  # every second pixel, and as many channels of zeros as there are of numbers
            half = X[:, :, ::2, ::2]
            nothing = torch.zeros(len(X), X.shape[1] // 2, *half.shape[2:])
            link = torch.cat([nothing, half, nothing], 1)
        if k in removed:
            X = F.relu(link)
            continue
        Z = F.relu(normalised(F.conv2d(X, block.conv1.weight, stride=stride, padding=1), block.bn1))
        X = F.relu(link + normalised(F.conv2d(Z, block.conv2.weight, padding=1), block.bn2))
    return F.linear(X.mean((2, 3)), model.fc.weight, model.fc.bias)


@pytest.mark.parametrize("removed", [set(), {0}, {2}, {1, 3}, {0, 1, 2, 3}])
def test_a_network_without_some_blocks_is_the_one_written_out_by_hand(removed: set[int]) -> None:
    model, X = network(), pictures()
    with torch.no_grad(), surgery.taken_out(model, removed):
        torch.testing.assert_close(model(X), by_hand(model, X, removed), rtol=1e-4, atol=1e-5)
    want = by_hand(model, X, removed).argmax(1).numpy()
    assert (surgery.answers(model, X, removed) == want).all()


def test_a_pre_activation_block_taken_out_leaves_its_input_as_it_is() -> None:
    block = next(network(order="pre").blocks())[1]
    X = torch.randn(3, 4, 8, 8)
    block.removed = True
    assert torch.equal(block(X), X)  # negative numbers, too: nothing is cut after the sum
    block.removed = False
    assert not torch.equal(block(X), X)


def test_all_that_is_put_back_is_as_it_was_bit_for_bit() -> None:
    model, X = network(), pictures()
    weights, before = copy.deepcopy(model.state_dict()), model(X)
    surgery.lesions(model, X)
    surgery.answers(model, X, {0, 3})
    with pytest.raises(RuntimeError), surgery.taken_out(model, {1}):  # whatever goes wrong meanwhile
        model(X[:, :1])
    assert torch.equal(model(X), before)
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())
    assert not any(block.removed for block in surgery.parts(model))


@pytest.mark.parametrize("design", [{}, {"order": "pre"}, {"shortcut": "projection"}, {"residual": False}])
def test_one_walk_says_what_as_many_passes_say(design: dict) -> None:
    model, X = network(**design), pictures(surgery.AT_ONCE + 3)
    found = surgery.lesions(model, X)
    assert found.shape == (5, len(X))
    assert (found[0] == model(X).argmax(1).numpy()).all()
    for k, block in enumerate(surgery.parts(model)):
        if surgery.removable(block):
            assert (found[k + 1] == surgery.answers(model, X, {k})).all()
        else:
            assert (found[k + 1] == surgery.NO_ANSWER).all()


def test_without_links_a_block_that_changes_the_shape_stays() -> None:
    plain = network(residual=False)
    assert [surgery.removable(block) for block in surgery.parts(plain)] == [True, True, False, True]
    assert all(surgery.removable(block) for block in surgery.parts(network()))
    X = pictures()
    assert (surgery.answers(plain, X, {2}) == surgery.answers(plain, X)).all()
    shares = story.accuracies(surgery.lesions(plain, X), np.zeros(len(X)))
    assert np.isnan(shares).tolist() == [False, False, False, True, False]


def test_a_block_out_of_a_plain_network_is_the_network_with_the_layers_cut_out() -> None:
    plain, X = network(residual=False, blocks=(3,)), pictures()
    shorter = copy.deepcopy(plain)
    first, _second, third = surgery.parts(shorter)
    shorter.layer1 = nn.Sequential(first, third)
    assert (surgery.answers(plain, X, {1}) == shorter(X).argmax(1).numpy()).all()


def test_accuracies_count_right_answers() -> None:
    said = np.array([[0, 1, 2, 3], [0, 1, 0, 0], [surgery.NO_ANSWER] * 4])
    np.testing.assert_allclose(story.accuracies(said, np.array([0, 1, 2, 2])), [0.75, 0.5, np.nan])


def test_random_orders_name_every_block_once_and_one_after_another_adds_them_up() -> None:
    model, X = network(residual=False), pictures(40)
    y = surgery.answers(model, X)
    for order in surgery.orders(model, 5, np.random.default_rng(0)):
        assert sorted(order) == [0, 1, 3]
        shares = surgery.one_after_another(model, X, y, order)
        assert shares[0] == 1.0
        assert shares[2] == (surgery.answers(model, X, order[:2]) == y).mean()


def test_paths_are_those_that_one_finds_by_walking() -> None:
    walked = [bin(path).count("1") for path in range(2**9)]
    np.testing.assert_array_equal(surgery.path_lengths(9), np.bincount(walked))
    assert surgery.path_lengths(54).sum() == pytest.approx(2.0**54)
    assert surgery.path_lengths(6)[3] == math.comb(6, 3)


def test_a_block_counts_its_own_flag_only() -> None:
    model = network()
    with surgery.taken_out(model, {1}):
        assert [block.removed for block in surgery.parts(model)] == [False, True, False, False]
    assert Residual.removed is False


def test_an_address_names_blocks_from_one_and_what_names_none_is_left_out() -> None:
    assert story.read_removed("3,1,3, 2 ,99,0,-1,x,", 9) == [0, 1, 2]
    assert story.write_removed([4, 0]) == "1,5"
    for removed in ([], [0], [2, 5, 8]):
        assert story.read_removed(story.write_removed(removed), 9) == removed


def test_classes_are_counted_by_the_true_one() -> None:
    labels = np.array([0, 0, 1, 1, 1, 3])
    found = story.by_class(np.array([0, 1, 1, 1, 0, 3]), labels, 4)
    np.testing.assert_allclose(found, [0.5, 2 / 3, np.nan, 1.0])


def test_stretches_of_images_are_put_together_in_order() -> None:
    model, X = network(), pictures(30)
    whole = surgery.lesions(model, X)
    pieces = [{"labels": np.arange(i, i + 10), "residual": surgery.lesions(model, X[i : i + 10])} for i in (0, 10, 20)]
    found = story.gathered(pieces)
    assert (found["residual"] == whole).all()
    assert (found["labels"] == np.arange(30)).all()


@pytest.mark.parametrize(
    ("share", "out", "piece"),
    [(0.97, 0, "All blocks are in"), (0.98, 1, "Nothing is lost"), (0.96, 1, "less than with all"),
     (0.8, 2, "points are lost"), (0.12, 3, "not much is left")],
)  # fmt: skip
def test_the_live_answer_says_what_the_numbers_say(share: float, out: int, piece: str) -> None:
    words, numbers = story.told(share, 0.97, out)
    assert piece in words.format(**numbers)


def test_the_verdict_names_the_worst_block_and_does_not_pity_a_twin_that_knew_nothing() -> None:
    own, twin = np.array([0.9, 0.5, np.nan, 0.94]), np.array([0.1, 0.1, np.nan, 0.2])
    first, second = (words.format(**numbers) for words, numbers in story.verdict(0.95, own, 0.9, twin))
    assert "3 blocks" in first
    assert "block 2: 50.0%" in first
    assert "from 90.0% to 13.3%" in second
    assert "not learned enough" in story.verdict(0.95, own, 0.2, twin)[1][0]
    assert len(story.verdict(0.95, own, None, None)) == 1


def test_products_are_counted_as_on_paper() -> None:
    model = ResNet(Design(blocks=(1, 1), width=4, norm="none"), channels=2, classes=5).eval()
    stem, first = 4 * 64 * 2 * 9, 2 * (4 * 64 * 4 * 9)
    second = 8 * 16 * 4 * 9 + 8 * 16 * 8 * 9
    assert surgery.multiplications(model, pictures(1)) == stem + first + second + 8 * 5
