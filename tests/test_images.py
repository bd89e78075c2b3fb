"""Images as arrays: the embedded digits and shapes, the originals, parts of them, and MNIST's own form."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcore.data import catalogue, images, shapes
from dlcore.data.catalogue import CATALOGUE


def test_digits_are_real_scans_in_mnist_form():
    data = images.load("digits")
    assert data.X_train.shape[1:] == (1, 28, 28) == data.X_test.shape[1:]
    assert data.X_train.dtype == np.uint8
    assert data.y_train.dtype == np.int64
    assert len(data.y_train) + len(data.y_test) == 1797
    assert np.bincount(data.y_test).min() >= 34  # stratified
    rows = np.arange(28)
    centre = (data.X_test[:, 0].sum(2) * rows).sum(1) / data.X_test[:, 0].sum((1, 2))
    assert np.abs(centre - 13.5).max() < 1.0


def test_the_split_and_the_hash_do_not_move():
    """A shared link names its data by this hash: it may change only on purpose."""
    assert images.load("digits").hash == "c97c2a299e044ceb"


def test_digits_can_be_told_apart():
    from sklearn.neighbors import KNeighborsClassifier

    data = images.load("digits")
    knn = KNeighborsClassifier(3).fit(data.X_train.reshape(-1, 784), data.y_train)
    assert knn.score(data.X_test.reshape(-1, 784), data.y_test) > 0.95  # labels belong to their images


def test_shapes_are_always_the_same():
    assert images.load("shapes").hash == "7c847bfef7fe94fd"


def test_shapes_are_drawn_whole_and_in_proportion():
    X_train, y_train, X_test, y_test = shapes.shapes()
    assert X_train.shape == (1200, 1, 28, 28)
    assert X_test.shape == (400, 1, 28, 28)
    assert set(np.bincount(y_train)) == {150}
    assert set(np.bincount(y_test)) == {50}
    assert not {x.tobytes() for x in X_train} & {x.tobytes() for x in X_test}
    edge = np.concatenate([X_train[:, 0, [0, -1]].ravel(), X_train[:, 0, :, [0, -1]].ravel()])
    assert np.mean(edge > 128) < 1e-3  # only noise reaches the frame's edge


def test_centred_shapes_differ_from_the_shifted_in_place_alone():
    centred, anywhere = (shapes.draw(400, place=place)[0].astype(float)[:, 0] for place in ("centred", "anywhere"))
    grid = np.arange(28) - 13.5
    for X, least, most in ((centred, 0, 1.6), (anywhere, 3.0, 8)):
        ink = X * (X > 100)
        far = np.hypot((ink.sum(1) * grid).sum(1), (ink.sum(2) * grid).sum(1)) / ink.sum((1, 2))
        assert least <= far.mean() <= most
    brightness = [np.sort(X, axis=None)[-8000:].mean() for X in (centred, anywhere)]
    assert brightness[0] == pytest.approx(brightness[1], rel=0.01)
    learned, asked = images.load("shapes_centred"), images.load("shapes_moved")
    assert (learned.X_train == asked.X_train).all()
    assert (asked.X_test == images.load("shapes").X_test).all()


def test_the_area_of_a_shape_is_the_formulas():
    """Ink on an enlarged grid against closed forms, for all but the crescent."""
    side, size, form = np.linspace(-12, 12, 2001), np.full((1, 1, 1), 7.0), np.full((1, 1, 1), 0.5)
    x, y = side[None, None, :], side[None, :, None]
    cell = (side[1] - side[0]) ** 2
    line, arm = 1.7, 2.2  # thickness of the ring, and of a cross's arm, at form 0.5
    wanted = {
        "disc": np.pi * 49,
        "ring": np.pi * (49 - (7 - line) ** 2),
        "square": (2 * 0.78 * 7) ** 2,
        "triangle": 3 * np.sqrt(3) / 4 * 49,
        "bar": 14 * 2.8,
        "cross": 2 * 14 * arm - arm**2,
        "star": 5 * 7 * (7 * 0.425) * np.sin(np.pi / 5),
    }
    for name, area in wanted.items():
        inside = getattr(shapes, name)(shapes.Drawn(x, y, size, form)) < 0
        assert inside.sum() * cell == pytest.approx(area, rel=0.01), name


def test_pixel_statistics_are_numpys():
    X = np.random.default_rng(0).integers(0, 256, (50, 3, 11, 7), dtype=np.uint8)
    assert images.pixel_statistics(X) == pytest.approx((X.mean() / 255, X.std() / 255), rel=1e-12)


@settings(deadline=None)
@given(st.integers(10, 1400), st.integers(10, 1400))
def test_smaller_training_sets_are_nested_and_in_proportion(a, b):
    y = np.repeat(np.arange(10), np.arange(10, 110, 10))
    order = images.proportional_order(y)
    assert sorted(order) == list(range(len(y)))
    for n in (a % len(y), b % len(y)):
        shares = np.bincount(y[order[:n]], minlength=10)
        assert np.abs(shares - n * np.bincount(y) / len(y)).max() < 2
    assert images.load("digits", train_size=a).hash != images.load("digits", train_size=a + 1).hash


def test_arrays_cannot_be_changed_by_one_of_their_users():
    with pytest.raises(ValueError, match="read-only"):
        images.load("digits").X_train[0] = 0


@settings(deadline=None)
@given(st.integers(0, 19), st.integers(0, 19), st.integers(1, 40), st.integers(1, 40))
def test_mnist_form_does_not_mind_where_and_how_large(top, left, height, width):
    page = np.zeros((80, 80), np.uint8)
    page[top : top + height, left : left + width] = 255
    moved = np.roll(page, (7, 13), (0, 1))
    form = images.mnist_form(page)
    assert (images.mnist_form(moved) == form).all()
    rows, columns = np.nonzero(form > 127)
    sides = np.ptp(rows) + 1, np.ptp(columns) + 1
    assert max(sides) == 20
    assert abs(rows.mean() - 13.5) <= 1
    assert abs(columns.mean() - 13.5) <= 1


def test_mnist_form_of_a_blank_page_is_blank():
    assert not images.mnist_form(np.zeros((28, 28), np.uint8)).any()


@pytest.mark.data
@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_the_originals(name):
    if catalogue.locate(name) is None:
        pytest.skip(f"{name} is not on this machine")
    data = images.load(name)
    assert data.X_train.shape == (60000, 1, 28, 28)
    assert data.X_test.shape == (10000, 1, 28, 28)
    known = {"mnist": (5, 33.318), "fashion_mnist": (9, 72.940)}[name]  # first label, mean grey of the training set
    assert (int(data.y_train[0]), round(float(data.X_train.mean()), 3)) == pytest.approx(known, abs=1e-3)


def test_checksums_are_torchvisions_own():
    from torchvision.datasets import CIFAR10, MNIST, FashionMNIST

    (remote,) = CATALOGUE["cifar10"].remotes
    assert (remote.name, remote.md5) == (CIFAR10.filename, CIFAR10.tgz_md5)
    assert CIFAR10.url == CATALOGUE["cifar10"].mirrors[0] + remote.name
    assert CATALOGUE["cifar10"].folder == CIFAR10.base_folder
    assert set(CATALOGUE["cifar10"].files) == {name for name, _ in CIFAR10.train_list + CIFAR10.test_list}

    for name, theirs in (("mnist", MNIST), ("fashion_mnist", FashionMNIST)):
        ours = CATALOGUE[name]
        assert [(r.name, r.md5) for r in ours.remotes] == theirs.resources
        assert set(theirs.mirrors) <= set(ours.mirrors)
