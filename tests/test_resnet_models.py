"""Residual networks: the paper's, equal to torchvision's where they are the same, and the stacks of the experiment."""

from __future__ import annotations

import copy
from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torchvision.models import resnet18

from dlcore.models.cnn import parameter_count
from dlcore.models.resnet import NETWORKS, Block, Design, Padded, ResNet
from dlcore.models.stacks import blocks_of, build

SHAPE = (1, 8, 8)


@pytest.fixture(autouse=True)
def _few_threads():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def block(**design) -> Block:
    """A block with norms that are not the identity, its weights from a seed of its own."""
    torch.manual_seed(5)
    made = Block(4, 8, 2, Design(**design))
    for module in made.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias)
    return made


def stack(seed: int = 3, **given) -> nn.Sequential:
    torch.manual_seed(seed)
    return build("stack", SHAPE, 10, **{"width": 8, "depth": 6, **given})


@pytest.mark.parametrize(
    ("name", "millions"),
    [("resnet20", 0.27), ("resnet32", 0.46), ("resnet44", 0.66), ("resnet56", 0.85), ("resnet110", 1.7)],
)
def test_parameters_are_as_many_as_in_the_paper(name, millions):
    """He et al. 2016, table 6, in millions as rounded there."""
    digits = 1 if millions > 1 else 2
    assert round(parameter_count(ResNet(NETWORKS[name])) / 1e6, digits) == millions
    layers = [m for n, m in ResNet(NETWORKS[name]).named_modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    assert len(layers) == int(name.removeprefix("resnet"))


def test_resnet18_is_torchvisions():
    """The same names, outputs, gradients and running statistics, with its stem for large images."""
    torch.manual_seed(0)
    theirs = resnet18(num_classes=10)
    ours = ResNet(Design((2, 2, 2, 2), 64, shortcut="projection", stem="large"), 3, 10)
    ours.load_state_dict(theirs.state_dict())
    X, y = torch.randn(4, 3, 64, 64), torch.arange(4)
    for model in (ours, theirs):
        F.cross_entropy(model(X), y).backward()
    for (name, a), (other, b) in zip(ours.named_parameters(), theirs.named_parameters(), strict=True):
        assert name == other
        torch.testing.assert_close(a.grad, b.grad, rtol=1e-4, atol=1e-6, msg=name)
    for model in (ours, theirs):
        model.eval()
    torch.testing.assert_close(ours(X), theirs(X), rtol=1e-5, atol=1e-5)
    theirs.load_state_dict(ours.state_dict())


def test_a_block_is_the_sum_of_its_branch_and_what_is_carried_past_it():
    made, X = block(shortcut="projection").eval(), torch.randn(3, 4, 6, 6)
    branch = made.bn2(made.conv2(F.relu(made.bn1(made.conv1(X)))))
    projection = F.conv2d(X, made.downsample[0].weight, stride=2)  # type: ignore[index]
    torch.testing.assert_close(made(X), F.relu(branch + made.downsample[1](projection)))  # type: ignore[index]


def test_pre_activation_leaves_the_link_free():
    """He et al. 2016b, figure 1 (b): nothing but sums lies on the way from the first block to the last."""
    torch.manual_seed(1)
    made = Block(4, 4, 1, Design(order="pre")).eval()
    X = torch.randn(3, 4, 6, 6)
    hidden = made.conv1(F.relu(made.bn1(X)))
    torch.testing.assert_close(made(X), X + made.conv2(F.relu(made.bn2(hidden))))
    nn.init.zeros_(made.conv2.weight)
    assert torch.equal(made(X), X)  # also where X is negative
    post = Block(4, 4, 1, Design()).eval()
    nn.init.zeros_(post.conv2.weight)
    torch.testing.assert_close(post(X), F.relu(X))


def test_option_a_leaves_pixels_out_and_adds_zeros_without_a_weight():
    X = torch.randn(2, 4, 6, 6)
    carried = Padded(4, 2)(X)
    assert carried.shape == (2, 8, 3, 3)
    assert torch.equal(carried[:, 2:6], X[:, :, ::2, ::2])
    assert not carried[:, :2].any()
    assert not carried[:, 6:].any()
    assert parameter_count(Padded(4, 2)) == 0


def test_a_removed_block_carries_only():
    made, X = block(), torch.randn(3, 4, 6, 6)
    made.removed = True
    assert torch.equal(made(X), F.relu(Padded(4, 2)(X)))
    assert isinstance(made.removed, bool)
    whole, without = stack(blocks="conv", norm="batch").eval(), stack(blocks="conv", norm="batch").eval()
    pixels = torch.randint(0, 256, (5, *SHAPE))
    blocks_of(without)[1][1].removed = True
    assert not torch.equal(whole(pixels), without(pixels))
    whole.network.layer1[1].__class__ = _Passing  # type: ignore[union-attr, index]
    assert torch.equal(whole(pixels), without(pixels))


class _Passing(Block):
    def branch(self, X):
        return torch.zeros_like(X)


@pytest.mark.parametrize("given", [
    {"blocks": "dense"}, {"blocks": "dense", "norm": "layer", "order": "pre", "start": "he"},
    {"blocks": "conv", "norm": "batch", "start": "he"}, {"network": "resnet20", "shortcut": "projection"},
], ids=str)  # fmt: skip
def test_twins_begin_with_the_same_numbers(given):
    """The plain network is the residual one without its links, and draws as much."""
    given = {"network": "stack", "width": 8, "depth": 6, **given}
    states = []
    for residual in (True, False):
        torch.manual_seed(7)
        states.append(build(shape=(1, 8, 8), classes=10, residual=residual, **given).state_dict())
        after = torch.rand(1)
        states[-1]["drawn after"] = after
    linked, plain = states
    assert {name for name in linked if "downsample" not in name} == set(plain)
    for name, value in plain.items():
        assert torch.equal(value, linked[name]), name


@pytest.mark.parametrize("blocks", ["dense", "conv"])
@pytest.mark.parametrize("order", ["post", "pre"])
def test_a_plain_stack_is_its_branches_one_after_the_other(blocks, order):
    model = stack(blocks=blocks, order=order, residual=False, norm="batch").eval()
    pixels = torch.randint(0, 256, (5, *SHAPE))
    outputs = []
    for _, part in blocks_of(model):
        part.register_forward_hook(lambda m, given, output: outputs.append((m, given[0], output)))
    model(pixels)
    assert len(outputs) == (6 if blocks == "dense" else 3)
    for made, X, output in outputs:
        branch = made.branch(X)
        torch.testing.assert_close(output, branch if order == "pre" else F.relu(branch))
    for (_, _, before), (_, after, _) in pairwise(outputs):
        assert before is after


@pytest.mark.parametrize(
    ("blocks", "depth", "count"),
    [("dense", 2, 2), ("dense", 110, 110), ("conv", 2, 1), ("conv", 7, 3), ("conv", 110, 55)],
)
def test_depth_counts_the_layers_in_the_blocks(blocks, depth, count):
    model = stack(blocks=blocks, depth=depth)
    found = blocks_of(model)
    assert len(found) == count
    assert all(model.get_submodule(name) is module for name, module in found)
    layers = [m for _, made in found for m in made.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    assert len(layers) == (depth if blocks == "dense" else depth // 2 * 2)


def test_he_keeps_the_variance_and_torchs_own_start_divides_it_by_six():
    """Through a dense layer with relu: 2 / n against 1 / (3 n) (He et al. 2015, section 2.2)."""
    torch.manual_seed(0)
    X = F.relu(torch.randn(400, 512))
    for start, factor in (("he", 1.0), ("default", 1 / 6)):
        made = blocks_of(build("stack", SHAPE, 10, width=512, depth=1, residual=False, norm="none", start=start))[0][1]
        if start == "default":
            nn.init.zeros_(made.fc.bias)  # type: ignore[union-attr]
        ratio = made(X).pow(2).mean() / X.pow(2).mean()
        assert ratio.item() == pytest.approx(factor, rel=0.08)


@pytest.mark.parametrize("norm", ["none", "batch", "layer"])
@pytest.mark.parametrize(
    "given", [{"blocks": "dense"}, {"blocks": "conv"}, {"blocks": "dense", "order": "pre"}], ids=str
)
def test_a_last_batch_of_one_image_can_be_learned_from(norm, given):
    model = build("stack", (1, 4, 4), 10, width=8, depth=4, norm=norm, **given)
    model(torch.randint(0, 256, (1, 1, 4, 4))).sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


def test_normalised_blocks_have_mean_zero_and_variance_one():
    model, pixels = stack(norm="layer", order="post"), torch.randint(0, 256, (5, *SHAPE))
    found = []
    model.network.stack[0].bn.register_forward_hook(lambda m, given, output: found.append(output))  # type: ignore
    model(pixels)
    torch.testing.assert_close(found[0].mean(1), torch.zeros(5), atol=1e-5, rtol=0)
    torch.testing.assert_close(found[0].var(1, correction=0), torch.ones(5), atol=5e-3, rtol=0)


def test_stochastic_depth_leaves_out_whole_branches_and_keeps_the_mean():
    made = block(order="pre", drop_path=0.4)
    made.drop = 0.25
    for module in made.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
    X = torch.randn(2, 4, 6, 6)
    carried, branch = made.carried(X), made.branch(X)
    torch.manual_seed(11)
    outputs = [made(X) for _ in range(400)]
    dropped = [torch.equal(output, carried) for output in outputs]
    for output, out in zip(outputs, dropped, strict=True):
        if not out:
            torch.testing.assert_close(output, carried + branch / 0.75)
    assert sum(dropped) == pytest.approx(100, abs=30)  # three and a half deviations
    torch.testing.assert_close(made.eval()(X), carried + branch)  # nothing is scaled at rest


def test_stochastic_depth_rises_from_the_first_block_to_the_last():
    for model in (stack(drop_path=0.5, depth=5), stack(drop_path=0.5, depth=10, blocks="conv")):
        assert [made.drop for _, made in blocks_of(model)] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5])


def test_stochastic_depth_is_the_same_from_the_same_seed():
    model, pixels = stack(drop_path=0.6, norm="batch"), torch.randint(0, 256, (8, *SHAPE))
    twin = copy.deepcopy(model)
    found = []
    for one in (model, twin, model):
        torch.manual_seed(2 if len(found) < 2 else 3)
        found.append(torch.stack([one(pixels) for _ in range(5)]))
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])
