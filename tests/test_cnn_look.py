"""Looking at a trained network: answers, layers and mistakes are those of the network in the file."""

from __future__ import annotations

import os

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from torch.nn import functional as F

from dlcore import evaluation
from dlcore.data import images
from dlcore.events import Checkpoint, pack
from dlcore.experiments import cnn, cnn_look
from dlcore.knobs import build
from dlcore.models import cnn as networks
from dlcore.models.weights import FOLDER
from dlcore.texts import Problem
from tests.untrained import write


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> str:
    """The checkpoint of a real run: the dense network, a few seconds on the digits."""
    plain = {"memory_format": "contiguous", "precision": "float32", "threads": 1}
    config = build(cnn.Config, {"network": "mlp", "epochs": 8, **plain})
    path = tmp_path_factory.mktemp("run") / "checkpoint.bin"
    for event in cnn.run(config):
        if isinstance(event, Checkpoint):
            path.write_bytes(pack(event.state))
    return str(path)


def test_a_trained_network_reads_what_it_did_not_learn(trained):
    data = images.load("digits")
    answers = [cnn_look.read_picture(image[0], trained) for image in data.X_test[:100]]
    said = [int(answer["probabilities"].argmax()) for answer in answers]
    assert np.mean(said == data.y_test[:100]) > 0.85
    assert answers[0]["classes"] == list("0123456789")
    assert all(abs(answer["probabilities"].sum() - 1) < 1e-5 for answer in answers)


def test_the_same_drawing_inverted_large_or_moved_is_the_same_answer(trained):
    seven = images.load("digits").X_test[images.load("digits").y_test == 7][0, 0]
    wanted = cnn_look.read_picture(seven, trained)["probabilities"]
    large = np.kron(seven, np.ones((5, 5), np.uint8))
    moved = np.pad(large, ((20, 90), (70, 3)))
    for page in (255 - seven, large, moved):
        answer = cnn_look.read_picture(page, trained)["probabilities"]
        assert answer.argmax() == wanted.argmax() == 7


def test_an_uploaded_file_is_read(trained):
    from io import BytesIO

    from PIL import Image

    data = images.load("digits")
    three = data.X_test[data.y_test == 3][0, 0]
    buffer = BytesIO()
    Image.fromarray(255 - np.kron(three, np.ones((9, 9), np.uint8))).save(buffer, "PNG")
    answer = cnn_look.read_picture(np.frombuffer(buffer.getvalue(), np.uint8), trained)
    assert answer["probabilities"].argmax() == 3
    assert answer["seen"].shape == (1, 28, 28)
    with pytest.raises(Problem, match="not a picture"):
        cnn_look.read_picture(np.frombuffer(b"no picture at all", np.uint8), trained)


def test_a_blank_page_is_answered_with_a_sentence(trained):
    with pytest.raises(Problem, match="Write larger") as caught:
        cnn_look.read_picture(np.zeros((28, 28), np.uint8), trained)
    assert caught.value.kind == "blank"


@pytest.mark.parametrize("network", networks.NETWORKS)
def test_the_answer_is_torch_s(tmp_path, network):
    path = write(tmp_path / "checkpoint.bin", network)
    image = images.load("digits").X_test[0]
    answer = cnn_look.read_picture(image, path, prepared=True)
    assert np.allclose(answer["tensor"], (image / 255 - 0.15) / 0.3, atol=1e-5)
    torch.manual_seed(0)
    about = {"network": network, "shape": (1, 28, 28), "classes": 10, "mean": 0.15, "std": 0.3}
    model = networks.build(**about).eval()
    with torch.no_grad():
        wanted = F.softmax(model(torch.tensor(image)[None]), 1)[0].numpy()
    assert np.allclose(answer["probabilities"], wanted, atol=1e-6)


def test_a_photograph_for_a_network_of_colour_images_is_its_middle_square(tmp_path):
    from io import BytesIO

    from PIL import Image

    path = write(tmp_path / "checkpoint.bin", "fast", shape=(3, 32, 32), classes=4)
    page = np.zeros((60, 100, 3), np.uint8)
    page[:, 20:80, 0] = 255  # a red square between black margins
    buffer = BytesIO()
    Image.fromarray(page).save(buffer, "PNG")
    answer = cnn_look.read_picture(np.frombuffer(buffer.getvalue(), np.uint8), path)
    assert answer["seen"].shape == answer["tensor"].shape == (3, 32, 32)
    assert answer["seen"][0, :, 1:-1].min() > 250  # its edge blends with the margin
    assert (answer["seen"][1:] == 0).all()
    assert len(answer["probabilities"]) == 4


def test_a_checkpoint_that_was_written_again_is_read_again(tmp_path):
    image = images.load("digits").X_test[0, 0]
    path = write(tmp_path / "checkpoint.bin", "mlp", seed=0)
    before = cnn_look.read_picture(image, path)["probabilities"]
    assert (cnn_look.read_picture(image, path)["probabilities"] == before).all()
    write(tmp_path / "checkpoint.bin", "mlp", seed=1)
    os.utime(path, ns=(0, 12345))
    assert not np.allclose(cnn_look.read_picture(image, path)["probabilities"], before)


@pytest.mark.skipif(not (FOLDER / "mnist_fast.safetensors").exists(), reason="no shipped weights yet")
def test_the_shipped_network_reads_digits_of_another_source():
    """It learned MNIST; these are other people's digits, scanned at 8 x 8."""
    data = images.load("digits")
    said = [int(cnn_look.read_picture(image[0])["probabilities"].argmax()) for image in data.X_test[:100]]
    assert np.mean(said == data.y_test[:100]) > 0.8


def test_samples_show_every_class():
    samples = cnn_look.sample_images("digits")
    assert samples["images"].shape == (16, 1, 28, 28)
    assert set(samples["labels"]) == set(range(10))


def test_the_report_of_a_run_shows_its_worst_mistakes():
    data, rng = images.load("digits"), np.random.default_rng(0)
    probabilities = rng.dirichlet(np.ones(10), len(data.y_test)).astype(np.float16)
    report = cnn_look.run_report("digits", probabilities, data.y_test.astype(np.uint8), most=7)
    assert report["images"].shape == (7, 1, 28, 28)
    assert (report["images"] == data.X_test[report["worst"]]).all()
    assert report["confusion"].sum() == len(data.y_test)


# --- evaluation -------------------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=40)
@given(arrays.arrays(np.int64, st.tuples(st.integers(1, 40), st.just(2)), elements=st.integers(0, 3)))
def test_report_counts_as_one_would_by_hand(pairs):
    labels, said = pairs.T
    report = evaluation.report(labels, said, 4)
    for k in range(4):
        hit = int(((labels == k) & (said == k)).sum())
        called, real = int((said == k).sum()), int((labels == k).sum())
        assert report["confusion"][k, k] == hit
        assert report["support"][k] == real
        assert report["precision"][k] == pytest.approx(hit / called if called else 0.0)
        assert report["recall"][k] == pytest.approx(hit / real if real else 0.0)
        assert report["f1"][k] == pytest.approx(2 * hit / (called + real) if called + real else 0.0)
    assert report["accuracy"] == pytest.approx((labels == said).mean())
    assert report["macro_f1"] == pytest.approx(report["f1"].mean())


@given(st.integers(0, 10**6), st.integers(1, 30), st.integers(0, 20))
def test_worst_mistakes_are_mistakes_and_sorted(seed, count, most):
    rng = np.random.default_rng(seed)
    probabilities, labels = rng.dirichlet(np.ones(3), count), rng.integers(0, 3, count)
    worst = evaluation.worst_mistakes(probabilities, labels, most)
    wrong = np.flatnonzero(probabilities.argmax(1) != labels)
    assert len(worst) == min(most, len(wrong))
    of_truth = probabilities[worst, labels[worst]]
    assert (np.diff(of_truth) >= 0).all()
    assert set(worst) <= set(wrong)
    rest = np.setdiff1d(wrong, worst)
    assert not len(rest) or not len(worst) or of_truth.max() <= probabilities[rest, labels[rest]].min()


def test_first_filters_are_the_first_convolution_s(tmp_path):
    from dlcore.trained import network

    path = write(tmp_path / "checkpoint.bin", "article")
    weight = network(path).model.get_submodule("conv1").get_parameter("weight")
    assert (cnn_look.first_filters(path) == weight[:, 0].detach().numpy()).all()
    assert cnn_look.first_filters(write(tmp_path / "dense.bin", "mlp")) is None
