"""The playground's points: in their square, repeatable, balanced, and read from links with care."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlcore.data import own, points2d
from dlcore.experiments.neural_network import Config
from dlcore.texts import Problem


@pytest.mark.parametrize("name", [*points2d.CLASSES, *points2d.FUNCTIONS])
@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_every_set_is_in_its_square_and_repeats(name, noise):
    config = Config(dataset=name, noise=noise, seed=3)
    X, y, X_test, y_test = points2d.dataset(config)
    assert X.shape == X_test.shape == (250, 2)
    assert all(a.dtype == np.float32 for a in (X, y, X_test, y_test))
    assert np.abs(np.concatenate([X, X_test])).max() <= 6
    points2d._dataset.cache_clear()
    for first, second in zip((X, y, X_test, y_test), points2d.dataset(config), strict=True):
        np.testing.assert_array_equal(first, second)
    other = points2d.dataset(replace(config, seed=4))[0]
    assert not np.array_equal(X, other)
    if points2d.is_classification(config):
        assert set(np.unique(y)) == {-1, 1}
        assert abs(np.concatenate([y, y_test]).mean()) < 0.15
    elif not noise:
        assert np.abs(y).max() <= 1.3


def test_noise_moves_points_by_what_it_says_and_leaves_labels_and_draws():
    clean, noisy = (points2d.generate("gauss", 2000, noise, 0) for noise in (0.0, 0.2))
    np.testing.assert_array_equal(clean.y, noisy.y)
    inside = np.abs(noisy.X).max(1) < 6
    assert (noisy.X - clean.X)[inside].std() == pytest.approx(0.4, rel=0.05)
    clean, noisy = (points2d.generate("plane", 2000, noise, 0) for noise in (0.0, 0.2))
    np.testing.assert_array_equal(clean.X, noisy.X)
    assert (noisy.y - clean.y).std() == pytest.approx(0.2, rel=0.05)


def test_clean_sets_are_what_they_are_called():
    radius = np.linalg.norm(points2d.generate("circle", 500, 0, 0).X, axis=1)
    y = points2d.generate("circle", 500, 0, 0).y
    assert radius[y > 0].max() < radius[y < 0].min()
    xor = points2d.generate("xor", 500, 0, 0)
    np.testing.assert_array_equal(np.sign(xor.X.prod(1)), xor.y)
    board = points2d.generate("checkerboard", 500, 0, 0)
    cells = np.floor((board.X + 5) / 2.5).sum(1)
    np.testing.assert_array_equal(np.where(cells % 2, -1, 1), board.y)
    spiral = points2d.generate("spiral", 500, 0, 0)
    angle = np.arctan2(spiral.X[:, 0], spiral.X[:, 1]) - 1.75 * 2 * np.pi * np.linalg.norm(spiral.X, axis=1) / 5
    np.testing.assert_allclose(np.cos(angle), spiral.y, atol=1e-6)


@pytest.mark.parametrize(("count", "share"), [(10, 0.1), (10, 0.9), (500, 0.5), (2000, 0.3)])
def test_parts_have_their_share(count, share):
    X, _, X_test, _ = points2d.dataset(Config(count=count, train_share=share))
    assert len(X) == round(count * share)
    assert len(X) + len(X_test) == count


def test_features_are_their_formulas():
    X = np.array([[1.5, -2.0]], np.float32)
    expected = [1.5, -2, 2.25, 4, -3, np.sin(1.5), np.sin(-2)]
    found = points2d.expand(X, tuple(points2d.FEATURES))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[0], expected, rtol=1e-6)


hundredths = st.integers(-600, 600).map(lambda n: n / 100)


@given(st.lists(st.tuples(hundredths, hundredths, st.sampled_from([-1.0, 1.0])), max_size=100))
def test_drawn_points_come_back_from_a_link(rows):
    text = points2d.write_points(np.array(rows))
    np.testing.assert_allclose(points2d.read_points(text), np.reshape(rows, (-1, 3)), atol=1e-12)
    assert len(text) <= 100 * 14
    assert not set(text) - set("0123456789._~-")


@pytest.mark.parametrize(
    "text", ["1_2", "a_b_1", "1_2_3", "1_2_0", "7_0_1", "nan_0_1", "1_2_1~", "1_2_1~1_2", "1_2_inf", "~", "_" * 999]
)
def test_malformed_points_are_explained(text):
    with pytest.raises(Problem, match="x1_x2_label"):
        points2d.read_points(text)


def test_too_many_or_too_few_points():
    with pytest.raises(Problem, match="At most 100"):
        points2d.read_points("~".join(["1_2_1"] * 101))
    with pytest.raises(Problem, match="At least two"):
        points2d.dataset(Config(dataset="points", points="1_2_1"))
    X, _, X_test, _ = points2d.dataset(Config(dataset="points", points="1_2_1~2_3_-1", train_share=0.9))
    assert len(X) == len(X_test) == 1


def test_an_own_table_of_two_classes():
    lines = "".join(f"{i},{i % 7},{'5' if i % 2 else '9'}\n" for i in range(40))
    fingerprint = own.keep(own.read_csv(("height,width,kind\n" + lines).encode()))
    config = Config(dataset="csv", data_hash=fingerprint)
    found = points2d.points(config)
    assert found.classification
    assert points2d.is_classification(config)
    assert found.names == ("height", "width", "kind")
    assert (found.X.min(), found.X.max()) == (-5, 5)
    assert set(found.y) == {-1, 1}
    turned = points2d.points(replace(config, columns="width~kind~height"))
    assert not turned.classification
    assert (turned.y.min(), turned.y.max()) == (-1, 1)
    assert len(points2d.points(replace(config, count=10)).y) == 10
    with pytest.raises(Problem, match="height, width, kind"):
        points2d.points(replace(config, columns="width~kind~depth"))
    with pytest.raises(Problem, match="Upload the same"):
        points2d.points(replace(config, data_hash="0" * 16))


def test_a_table_of_two_columns_is_too_narrow():
    fingerprint = own.keep(own.read_csv(b"a,b\n1,2\n3,4\n"))
    with pytest.raises(Problem, match="three are needed"):
        points2d.points(Config(dataset="csv", data_hash=fingerprint))
