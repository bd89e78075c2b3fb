"""The picture of a block against the network itself, and what goes through it against the chain rule."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dlcore.experiments import resnet
from dlcore.experiments.resnet import Config
from dlcore.experiments.resnet_look import SHAPING, fresh
from dlcore.resnet_blocks import STAGES, chain

DESIGNS = [
    {"depth": 3},
    {"depth": 3, "norm": "batch", "order": "pre"},
    {"depth": 5, "blocks": "conv", "width": 8, "norm": "layer"},
    {"depth": 4, "blocks": "conv", "width": 8},
    {"network": "resnet20", "norm": "batch"},
    {"network": "resnet20", "norm": "batch", "order": "pre", "shortcut": "projection"},
    {"network": "resnet18", "norm": "batch", "shortcut": "projection"},
]


def flow(**settings) -> dict[str, np.ndarray]:
    config = replace(Config(), **settings)
    return fresh({name: getattr(config, name) for name in SHAPING})


@pytest.mark.parametrize("settings", DESIGNS, ids=str)
def test_the_picture_has_the_networks_own_blocks(settings):
    import torch

    from dlcore.models.cnn import parameter_count
    from dlcore.models.stacks import blocks_of, build

    config = replace(Config(), **settings)
    data = resnet.load_data(config)
    model = build(**resnet.arguments(config, data, residual=True))
    drawn, shapes = chain(config), []
    for _name, block in blocks_of(model):
        block.register_forward_hook(lambda _m, given, out: shapes.append((given[0].shape[1:], out.shape[1:])))
    model(torch.tensor(data.X_test[:2]))
    blocks = [block for _, block in blocks_of(model)]
    kinds = [drawn.kinds[k] for k in drawn.kind_of]
    assert [parameter_count(block) for block in blocks] == [kind.params for kind in kinds]
    assert [" × ".join(map(str, a)) for a, _ in shapes] == [kind.shape_in for kind in kinds]
    assert [" × ".join(map(str, b)) for _, b in shapes] == [kind.shape_out for kind in kinds]


def test_stages_are_the_models():
    from dlcore.models.resnet import NETWORKS

    assert {name: (design.width, design.blocks) for name, design in NETWORKS.items()} == STAGES


@pytest.mark.parametrize("order", ["post", "pre"])
def test_both_ways_back_add_up_to_the_gradient(order):
    """Of the parts' vectors: autograd's gradient with the branch held fast is the link's part."""
    import torch

    from dlcore.block_flow import Passage
    from dlcore.models.resnet import Design
    from dlcore.models.stacks import DenseBlock

    torch.manual_seed(0)
    block, X = DenseBlock(Design((1,), 6, order=order, norm="none")), torch.randn(5, 6, requires_grad=True)
    weights = torch.randn(5, 6)
    Y = block(X)
    gX, gY = torch.autograd.grad((Y * weights).sum(), [X, Y])
    told = Passage(block, X, Y).told(gX, gY)
    held = X.detach() * 0 + block.branch(X).detach()
    alone = X + held
    gate = 1.0 if order == "pre" else (alone > 0).float()
    link = torch.autograd.grad((alone * gate * weights).sum(), X)[0]
    branch = torch.autograd.grad(((X.detach() + block.branch(X)) * gate * weights).sum(), X)[0]
    torch.testing.assert_close(told["link"], link.norm())
    torch.testing.assert_close(told["through"], branch.norm())
    torch.testing.assert_close(gX, link + branch)


def test_a_changed_shape_hands_on_less_through_the_link():
    """Option A keeps every second pixel, so that most of the picture gets nothing back through the link."""
    found = flow(network="resnet20", norm="batch", init="he")
    kinds = chain(replace(Config(), network="resnet20")).kind_of
    assert len(kinds) == 9
    assert (found["link/residual"] > 0).all()
    assert (found["through/residual"] > 0).all()
    assert (found["link/plain"] == 0).all()


def test_sizes_are_handed_from_block_to_block():
    found = flow(depth=6)
    for name in ("plain", "residual"):
        np.testing.assert_allclose(found[f"y/{name}"][0, :-1], found[f"x/{name}"][0, 1:], rtol=1e-6)
        np.testing.assert_allclose(found[f"gradient/{name}"][0, :-1], found[f"gx/{name}"][0, 1:], rtol=1e-5)
    np.testing.assert_allclose(found["x/plain"][0, 0], found["x/residual"][0, 0], err_msg="the same first layer")


def test_fresh_networks_are_those_of_a_run():
    from dlcore.events import Snapshot

    run = resnet.run(replace(Config(), depth=4, epochs=1, threads=1, device="cpu"))
    frame = next(e for e in run if isinstance(e, Snapshot) and e.name == "frames").arrays
    for name, row in flow(depth=4).items():
        np.testing.assert_allclose(row[0], frame[name][0], rtol=1e-5, err_msg=name)


def test_the_gradient_vanishes_without_links():
    found = flow(depth=20)
    ratio = {name: found[f"weights/{name}"][0, 0] / found[f"weights/{name}"][0, -1] for name in ("plain", "residual")}
    assert ratio["plain"] < 1e-5
    assert ratio["residual"] > 0.1
