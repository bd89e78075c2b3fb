"""What the panels ask of networks for photographs: maps by layer, likeness, certainty, and long answers in parts."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torchvision.models import get_model

from dlcore.data.images import load
from dlcore.experiments import classify_look
from dlcore.texts import Problem
from dlcore.vision import answers, attacks, attribution, certainty, maps, neighbours, samples, sanity, weathering
from dlcore.vision.methods import integrated
from dlcore.vision.models import imagenet, model
from dlcore.vision.pixels import Opened, on_pixels, open_with

NETWORKS = ("digits", "backbone")


@pytest.fixture(scope="module")
def photograph() -> np.ndarray:
    return samples.sample("temple")


def large(name: str) -> Opened:
    """An ImageNet network with first weights, and noise for it."""
    torch.manual_seed(0)
    vision = imagenet(name, get_model(name, weights=None))
    net, P = on_pixels(vision), torch.rand(1, 3, 224, 224)
    with torch.no_grad():
        return Opened(vision, net, P, net(P)[0])


@pytest.mark.parametrize(("name", "count", "last"), [("mobilenet_v2", 19, (7, 7)), ("resnet18", 8, (7, 7))])
def test_the_maps_of_imagenet_s_networks_come_layer_by_layer(name, count, last) -> None:
    opened = large(name)
    found = maps._all_maps(opened)
    assert len(found) == count
    assert tuple(found[list(found)[-1]].shape[1:]) == last
    sides = [one.shape[1] for one in found.values()]
    assert sides == sorted(sides, reverse=True), "fine ones first"
    first = opened.vision.module.get_submodule(next(iter(found)))
    with torch.no_grad():
        expected = first(opened.net.entering(opened.P))[0]
    torch.testing.assert_close(next(iter(found.values())), expected)
    assert not any(layer._forward_hooks for layer in opened.vision.module.modules())


def test_a_vision_transformer_has_no_last_maps() -> None:
    vision = imagenet("vit_b_16", torch.nn.Sequential())  # its own weights would be 330 MB
    assert vision.last_maps is None
    assert imagenet("mobilenet_v2", get_model("mobilenet_v2", weights=None)).last_maps is not None


@pytest.mark.parametrize("name", NETWORKS)
def test_the_strongest_maps_are_those_with_the_largest_values(name) -> None:
    picture = samples.sample("digit")
    layers = maps.layers(name, picture)
    for layer in layers:
        found, every = maps.strongest(name, picture, layer["name"], count=4), 10**6
        whole = maps.strongest(name, picture, layer["name"], count=every)
        assert len(whole["maps"]) == layer["count"]
        assert whole["maps"].shape[1:] == layer["places"]
        np.testing.assert_allclose(found["peaks"], np.sort(whole["maps"].max((1, 2)))[::-1][:4])
        np.testing.assert_array_equal(found["maps"], whole["maps"][:4])
        assert whole["silent"] == int((whole["maps"].max((1, 2)) <= 0).sum())
    with pytest.raises(Problem, match="no layer"):
        maps.strongest(name, picture, "nonesuch")


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("changes", [{}, {"rotate": 20.0, "noise": 0.1}])
def test_what_a_network_sees_is_answered_as_the_picture_is(name, changes) -> None:
    picture = samples.sample("digit")
    seen = classify_look.seen(picture, name, changes)
    assert seen.shape == model(name).shape
    said = classify_look.look(picture, [name], changes)["answers"][0]
    shares = attribution.ask(name, seen)["probabilities"]
    assert answers.likeliest(shares, 5) == said["index"]
    np.testing.assert_allclose(shares[said["index"]], said["shares"], atol=2e-3)


def test_a_picture_is_likest_itself_and_then_one_like_it(photograph) -> None:
    mine = neighbours.described("backbone", photograph)
    for measure in ("features", "pixels"):
        assert np.linalg.norm(mine[measure]) == pytest.approx(1, abs=1e-5)
    darker = neighbours.described("backbone", (0.8 * photograph).astype(np.uint8))
    other = neighbours.described("backbone", samples.sample("digit"))
    assert mine["features"] @ darker["features"] > 0.9 > mine["features"] @ other["features"]
    assert mine["pixels"] @ darker["pixels"] > 0.99, "how bright it is does not count"
    assert mine["thumb"].shape == (3, 32, 32)
    file = np.frombuffer(samples.jpeg(photograph, 95), np.uint8)
    assert neighbours.described("backbone", file)["features"] @ mine["features"] > 0.95


def test_a_network_is_surer_of_what_it_knows_than_of_strangers() -> None:
    picture = load("digits").X_test[0]
    known, strange = (certainty.confidence("digits", picture, "digits", known=k) for k in (True, False))
    assert known["source"] == "images"
    assert len(known["sure"]) == len(strange["sure"]) == certainty.EACH
    assert np.median(known["sure"]) > 0.85 > 0.6 > np.median(strange["sure"])
    parts = [certainty.confidence("digits", picture, "digits", known=False, part=(k, 3))["sure"] for k in range(3)]
    np.testing.assert_allclose(np.concatenate(parts), strange["sure"], atol=1e-6)


def test_a_reader_of_digits_is_shown_no_digits_as_strangers() -> None:
    reader = model("digits")
    pictures = [certainty._stranger(reader, k) for k in range(8)]
    assert all(picture.shape == (1, 28, 28) and picture.dtype == np.uint8 for picture in pictures)
    assert len({picture.tobytes() for picture in pictures}) == 8
    digits = {image.tobytes() for image in load("digits").X_test}
    assert not digits & {picture.tobytes() for picture in pictures}


def test_an_attack_in_pieces_is_the_same_attack() -> None:
    picture = load("digits").X_test[3]
    whole = attacks.attack("digits", picture, "pgd", 0.1, steps=6)
    half = attacks.attack("digits", picture, "pgd", 0.1, steps=6, now=4)
    rest = attacks.attack("digits", picture, "pgd", 0.1, steps=6, now=2, start=half["next"])
    np.testing.assert_allclose(rest["next"], whole["next"], atol=1e-6)
    np.testing.assert_allclose(rest["probabilities"], whole["probabilities"], atol=1e-5)
    assert not np.allclose(half["next"], whole["next"])


def test_sums_and_curves_in_parts_are_those_of_the_whole() -> None:
    picture = load("digits").X_test[3]
    target = open_with("digits", picture).best
    whole = attribution.path_parts("digits", picture, target, "black", range(4))["parts"]
    shares = [attribution.path_parts("digits", picture, target, "black", range(4), part=(k, 2)) for k in range(2)]
    np.testing.assert_allclose(shares[0]["parts"] + shares[1]["parts"], whole, atol=1e-4)
    heat = integrated([*whole])
    every = sanity.deletion("digits", picture, heat, target)["curves"]
    for k in range(1 + sanity.DRAWS):
        one = sanity.deletion("digits", picture, heat, target, which=[k])["curves"]
        np.testing.assert_allclose(one, every[k : k + 1], atol=1e-6)
    sky = weathering.weather("digits", picture)
    foggy = weathering.weather("digits", picture, ["contrast"])
    np.testing.assert_allclose(
        foggy["probabilities"][0], sky["probabilities"][sky["kinds"].index("contrast")], atol=1e-6
    )
