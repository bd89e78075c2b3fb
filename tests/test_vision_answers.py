"""What is answered to pictures: likeliest classes, costs, changes, and the command line."""

from __future__ import annotations

import json
import os
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torchvision.models import get_model

from dlcore import cli
from dlcore.vision import answers, models
from dlcore.vision.changes import NONE, SWEEPS, WORK_SIDE, Changes, changed, swept, touched
from dlcore.vision.models import RUN, model
from dlcore.vision.networks import KNOWN, here
from tests.untrained import write

PHOTOS = Path(os.environ.get("DLCORE_DATA", "")) / "uploads" / "photos"


def picture(height: int = 60, width: int = 80, seed: int = 0) -> np.ndarray:
    small = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))


def saved(array: np.ndarray, kind: str = "PNG") -> bytes:
    buffer = BytesIO()
    Image.fromarray(array).save(buffer, kind)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> str:
    return RUN + write(tmp_path_factory.mktemp("vision") / "run.bin", "fast", shape=(3, 32, 32), classes=7)


@pytest.fixture
def drawn_one(tmp_path) -> Path:
    page = np.full((120, 90, 3), 255, np.uint8)
    page[20:100, 40:50] = 0
    path = tmp_path / "one.png"
    path.write_bytes(saved(page))
    return path


# --- answers ----------------------------------------------------------------------------------------------------------


def test_the_likeliest_classes_with_their_probabilities(run):
    vision = model(run)
    with torch.no_grad():
        logits = vision.module(vision.prepare(picture())[None])[0]
    wanted = logits.softmax(0).sort(descending=True)
    found = answers.answer(picture(), run, top=3)
    assert found["index"] == wanted.indices[:3].tolist()
    np.testing.assert_allclose(found["shares"], wanted.values[:3], rtol=1e-5)
    assert found["labels"] == [vision.classes[k] for k in found["index"]]
    assert found["classes"] == 7
    p = logits.softmax(0).double()
    assert found["entropy"] == pytest.approx(float(-(p * p.log2()).sum()), rel=1e-4)
    assert 0 < found["seconds"] < 60


def test_many_pictures_of_any_sizes_are_answered_as_one_by_one(run):
    pictures = [picture(20 + 3 * k, 90 - 2 * k, k) for k in range(answers.TOGETHER + 3)]
    together = answers.probabilities(model(run), pictures)
    alone = np.concatenate([answers.probabilities(model(run), [one]) for one in pictures])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    np.testing.assert_allclose(together.sum(1), 1, atol=1e-5)


def test_a_file_and_its_pixels_get_the_same_answer(run):
    pixels = picture(300, 500)
    file = np.frombuffer(saved(pixels), np.uint8)
    one, other = answers.answer(file, run), answers.answer(pixels, run)
    assert one["index"] == other["index"]
    np.testing.assert_array_equal(one["shares"], other["shares"])
    assert (answers.read_file(file) == pixels).all()


def test_the_tensor_is_what_enters_the_first_layer(run):
    vision = model(run)
    X = vision.prepare(picture())
    standardize = next(iter(vision.module.children()))
    torch.testing.assert_close(torch.from_numpy(answers.tensor(picture(), run)), standardize(X[None])[0])


@pytest.mark.parametrize("name", KNOWN)
def test_multiply_adds_are_those_that_torchvision_states(name):
    with torch.device("meta"):
        counted = answers.multiply_adds(get_model(name, weights=None).eval(), (3, 224, 224))
    assert counted / 1e9 == pytest.approx(KNOWN[name].gflops, abs=6e-4)
    assert answers.costs(name)["parameters"] == KNOWN[name].parameters


def test_multiply_adds_by_hand():
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 5, 3), torch.nn.Flatten(), torch.nn.Linear(5 * 6 * 6, 4))
    assert answers.multiply_adds(net, (3, 8, 8)) == 6 * 6 * 5 * 27 + 5 * 6 * 6 * 4
    found = answers.costs("digits")
    assert found["shape"] == (1, 28, 28)
    assert found["classes"] == 10
    assert found["parameters"] == sum(p.numel() for p in model("digits").module.parameters())


# --- changes ----------------------------------------------------------------------------------------------------------


def work(height: int = WORK_SIDE, width: int = 500) -> np.ndarray:
    return picture(height, width)


def test_without_changes_the_picture_itself_is_answered():
    X = picture()
    assert changed(X, NONE) is X
    assert changed(X, Changes(left=0.1, top=0.9)) is X  # a box without area


def test_turned_by_right_angles():
    square = work(width=WORK_SIDE)
    for turns in (1, 2, 3):
        made = changed(square, Changes(rotate=90.0 * turns - 360 * (turns > 2)))
        assert np.abs(made.astype(float) - np.rot90(square, turns)).mean() < 1


def test_cropped_to_the_middle():
    X = work()
    made = changed(X, Changes(crop=0.5))
    H, W = X.shape[:2]
    middle = Image.fromarray(X[H // 4 : H - H // 4, W // 4 : W - W // 4]).resize((W, H), Image.Resampling.BICUBIC)
    assert np.abs(made.astype(float) - np.asarray(middle)).mean() < 2


def test_smaller_with_grey_round_it():
    X = work()
    made = changed(X, Changes(scale=0.5))
    assert (made[0, 0] == made[-1, -1]).all()
    few = np.asarray(Image.fromarray(X).resize((X.shape[1] // 2, X.shape[0] // 2)))
    top, left = (X.shape[0] - few.shape[0]) // 2, (X.shape[1] - few.shape[1]) // 2
    inside = made[top : top + few.shape[0], left : left + few.shape[1]]
    assert np.abs(inside.astype(float) - few).mean() < 2


def test_blur_is_a_gaussian():
    from scipy import ndimage

    X = work()
    made = changed(X, Changes(blur=1.0))
    theirs = ndimage.gaussian_filter(X.astype(float), (0.01 * WORK_SIDE, 0.01 * WORK_SIDE, 0), mode="nearest")
    assert np.abs(made - theirs).mean() < 1


def test_noise_brightness_grey_and_negative():
    X = np.full((WORK_SIDE, WORK_SIDE, 3), (100, 120, 140), np.uint8)
    noisy = changed(X, Changes(noise=0.1)).astype(float)
    assert noisy.std() == pytest.approx(np.hypot(25.5, X.std()), rel=0.03)
    assert (changed(X, Changes(noise=0.1)) == noisy).all(), "the same seed, the same noise"
    assert (changed(X, Changes(brightness=0.5)) == X // 2).all()
    assert (changed(X, Changes(brightness=5.0)) == 255).all()
    luma = np.asarray(Image.fromarray(X).convert("L"))[..., None]
    assert np.abs(changed(X, Changes(grey=1.0)).astype(int) - luma).max() <= 1
    assert (changed(X, Changes(invert=True)) == 255 - X).all()


def test_the_box_covers_its_place_and_nothing_else():
    X = work(width=2 * WORK_SIDE)
    made = changed(X, Changes(left=0.25, top=0.5, width=0.5, height=0.25))
    inside = np.zeros(X.shape[:2], bool)
    inside[WORK_SIDE // 2 : 3 * WORK_SIDE // 4, WORK_SIDE // 2 : 3 * WORK_SIDE // 2] = True
    assert (made[~inside] == X[~inside]).all()
    assert (made[inside] == made[inside][0]).all()


@pytest.mark.parametrize("change", SWEEPS)
def test_sweeps_go_from_nothing_to_the_strongest(change):
    assert not touched(swept(change, 0.0))
    assert touched(swept(change, 0.5))
    X = work(width=WORK_SIDE)
    half, whole = (np.abs(changed(X, swept(change, share)).astype(float) - X).mean() for share in (0.2, 1.0))
    assert whole > half > 0


@settings(max_examples=25)
@given(
    st.integers(1, 12), st.integers(1, 12), st.floats(0, 0.9), st.floats(0.1, 1), st.floats(-180, 180),
    st.floats(0, 6), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1),
)  # fmt: skip
def test_any_picture_with_any_changes_stays_a_picture(H, W, crop, scale, rotate, blur, noise, left, width):
    few = Changes(crop, scale, rotate, blur, noise, left=left, width=width, height=0.3)
    made = changed(np.zeros((H, W, 3), np.uint8), few)
    assert made.dtype == np.uint8
    assert made.shape[2] == 3
    assert min(made.shape[:2]) == WORK_SIDE or not touched(few)
    assert max(made.shape[:2]) <= 10 * WORK_SIDE


# --- the command line -------------------------------------------------------------------------------------------------


@pytest.fixture
def no_weights(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "none"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "none"))
    yield
    models._imagenet.cache_clear()


def test_classify_answers_line_by_line_and_fails_if_one_failed(drawn_one, tmp_path, capsys):
    text = tmp_path / "文 本.png"
    text.write_text("not a picture")
    paths = [str(drawn_one), str(text), str(tmp_path / "none.jpg"), str(tmp_path), str(drawn_one)]
    assert cli.main(["classify", *paths, "--model", "digits", "--top", "3", "--json"]) == 1
    out, err = capsys.readouterr()
    rows = [json.loads(line) for line in out.splitlines()]
    assert [row["image"] for row in rows] == paths
    assert ["error" in row for row in rows] == [False, True, True, True, False]
    assert [row.keys() for row in rows][1] == {"image", "error"}
    best = rows[0]["predictions"][0]
    assert best.keys() == {"label", "index", "probability"}
    assert (best["label"], best["index"]) == ("1", 1)
    shares = [answer["probability"] for answer in rows[0]["predictions"]]
    assert len(shares) == 3
    assert shares == sorted(shares, reverse=True)
    assert err == ""
    assert "PNG, JPEG" in rows[1]["error"]
    assert "\n" not in rows[2]["error"]


def test_classify_for_people_names_the_network_that_stands_in(no_weights, drawn_one, capsys):
    assert cli.main(["classify", str(drawn_one), "--model", "digits"]) == 0
    assert "1\n" in capsys.readouterr().out
    assert cli.main(["classify", str(drawn_one)]) == 0
    out, err = capsys.readouterr()
    assert "%" in out
    assert "python -m dlcore download mobilenet_v2" in err
    assert err.count("\n") == 1


def test_classify_takes_the_default_network_where_it_is(no_weights, drawn_one, tmp_path, monkeypatch, capsys):
    torch.manual_seed(0)
    folder = tmp_path / "none" / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    torch.save(get_model("mobilenet_v2", weights=None).state_dict(), folder / KNOWN["mobilenet_v2"].file)
    assert cli.main(["classify", str(drawn_one), "--json", "--top", "1000"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    row = json.loads(out)
    assert sorted(answer["index"] for answer in row["predictions"]) == list(range(1000))
    assert sum(answer["probability"] for answer in row["predictions"]) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(
    ("args", "says"),
    [((), "IMAGE"), (("x.png", "--model", "resnet19"), "no network “resnet19”"), (("x.png", "--top", "0"), "1 to 1000"),
     (("x.png", "--top", "many"), "1 to 1000")],
)  # fmt: skip
def test_bad_requests_are_one_sentence_with_status_2(args, says, capsys):
    try:
        status = cli.main(["classify", *args])
    except SystemExit as left:
        status = left.code
    out, err = capsys.readouterr()
    assert status == 2
    assert not out
    assert says in err
    assert err.count("\n") == 1


def test_a_run_of_one_s_own_answers_too(run, drawn_one, capsys):
    assert cli.main(["classify", str(drawn_one), "--model", run, "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["predictions"]) == 5


# --- real photographs -------------------------------------------------------------------------------------------------


def real() -> list[Path]:
    found = sorted(PHOTOS.glob("imagenet_*.jpg")) if PHOTOS.is_dir() else []
    if not found or here("mobilenet_v2") is None:
        pytest.skip("needs the weights of mobilenet_v2 under TORCH_HOME, and photographs under DLCORE_DATA")
    return found


@pytest.mark.data
def test_most_photographs_are_named_rightly():
    """Top-1 on the labelled photographs; which class each shows is in its file's name."""
    right = []
    for path in real():
        first = answers.file_predictions(path.read_bytes(), "mobilenet_v2", 1)[0]
        right.append(first["index"] == int(path.name.split("_")[1]))
    assert len(right) >= 15
    assert np.mean(right) >= 0.7


@pytest.mark.data
def test_files_are_answered_as_torchvision_answers_them():
    """From the file's bytes on: Pillow, torchvision's transform and its model, called directly."""
    from torchvision.models import MobileNet_V2_Weights

    path = here("mobilenet_v2")
    photos = real()[:6]
    assert path
    theirs = get_model("mobilenet_v2", weights=None).eval()
    theirs.load_state_dict(torch.load(path, weights_only=True))
    transform = MobileNet_V2_Weights.IMAGENET1K_V1.transforms()
    for photo in photos:
        with torch.inference_mode():
            shares = theirs(transform(Image.open(photo).convert("RGB"))[None]).softmax(-1)[0]
        wanted = shares.topk(5)
        found = answers.file_predictions(photo.read_bytes(), "mobilenet_v2", 5)
        assert [answer["index"] for answer in found] == wanted.indices.tolist()
        np.testing.assert_allclose([answer["probability"] for answer in found], wanted.values, rtol=1e-5)
