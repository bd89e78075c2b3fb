"""What the depth lesson says of its numbers, and what its figures show."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dlcore import resnet_story as story
from dlcore.data.images import EMBEDDED, load
from dlcore.experiments.resnet import NETWORKS, Config
from dlcore.figures import resnet as figures
from dlcore.figures import speed as speed_figures
from dlcore.knobs import build, knobs_of


@pytest.mark.parametrize(
    ("plain", "residual", "kind"),
    [(0.9, 0.014, "plain_lost"), (0.4, 0.02, "plain_behind"), (0.01, 0.02, "both"), (0.9, 0.9, "neither"),
     (0.05, 0.7, "residual_lost"), (0.1, 0.1, "both"), (0.6, 0.1, "plain_lost"), (0.9, 0.3, "plain_behind")],
)  # fmt: skip
def test_verdict_names_what_happened(plain, residual, kind):
    told = story.verdict({"plain": plain, "residual": residual}, 20)
    assert told is not None
    assert told.kind == kind
    sentence = told.sentence.format(**told.values)
    assert "Depth 20" in sentence
    assert story.share(plain) in sentence
    assert story.share(residual) in sentence


def test_a_network_of_the_paper_tells_how_long_it_takes_and_a_stack_does_not():
    given = {"network": "resnet20", "dataset": "cifar10"}
    alone = build(Config, given)
    assert 10 < (story.minutes(alone) or 0) < 15, "benchmarks/resnet_cifar.py: 729 s"
    assert story.minutes(build(Config, {**given, "twin": True})) == pytest.approx(2 * (story.minutes(alone) or 0))
    assert (story.minutes(build(Config, {"network": "resnet20", "train_size": 100})) or 9) < 0.1
    assert story.minutes(Config()) is None
    assert set(story.MILLISECONDS) | {"stack"} == set(NETWORKS)
    for dataset in ("digits", "shapes"):
        assert story.IMAGES[dataset] == len(load(dataset).y_train)


def test_verdict_needs_both_networks():
    assert story.verdict({"plain": 0.9}, 20) is None
    assert story.verdict({"plain": 0.9, "residual": float("nan")}, 20) is None


def test_ratio_is_the_product_of_the_factors():
    row = np.geomspace(1e-7, 1e-2, 6)
    assert story.ratio(row) == pytest.approx(1e-5)
    assert story.per_block(row) ** 5 == pytest.approx(1e-5)
    assert np.isnan(story.ratio(np.zeros(3)))
    assert np.isnan(story.per_block(np.array([0.0, 1.0])))


def test_fresh_sentence_tells_vanishing_from_growing():
    flat, down, up = np.ones(5), np.geomspace(1e-7, 1, 5), np.geomspace(300, 1, 5)
    vanishing = story.fresh({"plain": down, "residual": flat})
    assert vanishing is not None
    assert vanishing.kind == "vanishes"
    assert "10⁻⁷" in vanishing.sentence.format(**vanishing.values).replace("1e-07", "10⁻⁷")
    growing = story.fresh({"plain": flat, "residual": up})
    assert growing is not None
    assert growing.kind == "grows"
    assert story.fresh({"plain": down}) is None


def test_shares_are_read_without_counting_digits():
    assert [story.share(value) for value in (0.899, 0.1, 0.0996, 0.014, 0.0)] == ["90%", "10%", "10%", "1.4%", "0.0%"]


def test_errors_are_what_accuracy_leaves():
    metrics = {"train_accuracy/plain": 0.101, "train_accuracy/residual": 0.986, "test_accuracy/plain": 0.1}
    assert story.errors(metrics) == pytest.approx({"plain": 0.899, "residual": 0.014})
    assert story.errors(metrics, "test") == pytest.approx({"plain": 0.9})


def rows() -> dict[str, np.ndarray]:
    """Three frames of five blocks."""
    return {"plain": np.geomspace(1e-6, 1, 5) * np.ones((3, 1)), "residual": np.ones((3, 5))}


def test_every_frame_of_the_blocks_is_the_networks_own_row():
    film = figures.by_block(rows(), title="gradient", span=(1e-4, 1.0))
    names = [trace.get("text", [""])[0].strip() for trace in film.figure._data]
    assert names[-2:] == ["plain", "residual"], "each line bears its name"
    driven = {index: rules["y"]["at"] for index, rules in film.frames["traces"].items()}
    np.testing.assert_allclose(driven[2], rows()["plain"])
    np.testing.assert_allclose(driven[3], rows()["residual"])
    assert film.frames["count"] == 3
    for index in (2, 3, 4, 5):
        np.testing.assert_allclose(driven[index][-1], film.figure._data[index]["y"] if index < 4 else driven[index][-1])


def test_names_at_the_lines_ends_never_touch():
    film = figures.by_block(rows(), title="gradient", span=(1e-4, 1.0), height=150)
    plain, residual = (np.log10(film.frames["traces"][index]["y"]["at"]) for index in (4, 5))
    low, high = film.figure._layout["yaxis"]["range"]
    pixels = np.abs(plain - residual) / (high - low) * 106  # of the plotting area
    assert (pixels >= 15).all(), "both lines end at 1"


def test_the_playhead_stands_at_the_frames_step():
    steps = np.array([0.0, 10.0, 20.0])
    lines = {name: (steps, np.array([0.9, 0.5, 0.1])) for name in figures.NAMES}
    film = figures.errors(lines, lines, steps=40.0, playhead=steps)
    np.testing.assert_allclose(film.frames["traces"][0]["x"]["at"], [[0, 0], [10, 10], [20, 20]])
    assert film.figure._layout["xaxis"]["range"] == [0.0, 40.0], "the curve grows into its place"


def test_depths_one_after_the_other_are_lines_of_their_own():
    steps, errors = np.arange(2.0, 9.0, 2.0), np.array([0.9, 0.1, 0.8, 0.4])
    plot = figures.errors({"plain": (steps, errors)}, {}, steps=8.0, playhead=steps, depths=[2, 4]).figure
    line = plot._data[-1]
    np.testing.assert_array_equal(line["x"], [2, 4, 4, 6, 8])
    np.testing.assert_array_equal(line["y"], [0.9, 0.1, np.nan, 0.8, 0.4])
    assert {"2", "4"} <= {note["text"] for note in plot._layout["annotations"]}
    empty = figures.errors({"plain": (np.zeros(0), np.zeros(0))}, {}, steps=8.0, playhead=steps, depths=[2, 4])
    assert len(empty.figure._data[-1]["x"]) == 0


def test_numbers_of_trainings_stand_apart_over_their_ends():
    run = (np.array([0.1, 1.0]), np.array([0.5, 0.97]))
    close = (np.array([0.1, 1.01]), np.array([0.5, 0.98]))
    plot = speed_figures.progress([run, close, (np.zeros(0), np.zeros(0))], 0.97, 3)
    notes = [note for note in plot._layout["annotations"] if note["text"] in ("1", "2", "3")]
    assert [note["text"] for note in notes] == ["1", "2"]
    assert [note["x"] for note in notes] == pytest.approx(np.log10([1.0, 1.01]))
    low, high = plot._layout["xaxis"]["range"]
    assert (notes[1]["ax"] - notes[0]["ax"]) / (high - low) >= speed_figures.NUMBER_WIDTH - 1e-9


def test_without_numbers_there_is_room_and_nothing_else():
    film = figures.by_block({}, title="gradient", span=(1e-4, 1.0))
    assert film.frames["count"] == 1
    assert not film.frames["traces"]


def ran(depth: int, plain: float, residual: float = 0.01, **settings) -> story.Ended:
    return story.Ended(replace(Config(), depth=depth, **settings), {"plain": plain, "residual": residual})


def test_the_edge_lies_between_two_runs_that_differ_in_depth_alone():
    assert story.edge([ran(4, 0.07), ran(12, 0.57)], within=8)
    assert not story.edge([ran(4, 0.07), ran(12, 0.57, init="he")], within=8), "other first weights"
    assert not story.edge([ran(4, 0.07), ran(20, 0.9)], within=8), "too far apart"
    assert not story.edge([ran(12, 0.07), ran(4, 0.57)], within=8), "the deeper one learned"
    assert not story.edge([ran(4, 0.07)], within=8)


def test_best_counts_stacks_that_are_deep_enough():
    runs = [ran(8, 0.01), ran(20, 0.3, 0.02), ran(40, 0.8, 0.005), ran(20, 0.05, network="resnet20")]
    assert story.best(runs, "plain", 20) == 0.3
    assert story.best(runs, "residual", 40) == 0.005
    assert story.best([], "plain", 2) == np.inf


def test_a_sweep_counts_as_a_run_at_each_depth():
    table = {"depth": [2, 20], "train_accuracy/plain": [0.9, 0.1], "train_accuracy/residual": [0.98, np.nan]}
    few, many = story.ended(Config(), {"by_depth": table, "train_accuracy/plain": 0.1})
    assert (few.config.depth, many.config.depth) == (2, 20)
    assert few.errors == pytest.approx({"plain": 0.1, "residual": 0.02})
    assert many.errors == pytest.approx({"plain": 0.9}), "what diverged has no score"
    (one,) = story.ended(Config(), {"train_accuracy/plain": 0.75})
    assert one.errors == {"plain": 0.25}


def test_formulas_have_letters_until_the_numbers_are_there():
    assert story.numbers({}, 20)["ratio_plain"] == "…"
    film = {f"weights/{name}": np.array([[0.01, 0.1, 1.0]]) for name in story.NETWORKS}
    told = story.numbers({**film, "x/residual": np.array([[0.5, 1.0, 2.0]])}, 3)
    assert (told["ratio_plain"], told["factor_plain"], told["grown"]) == ("0.01", "0.1", "4")


def test_runs_that_differ_in_what_decides_are_no_points_of_one_line():
    """The page offers stochastic depth at the press of a button: such a run must not replace the point beside it."""
    base = Config()
    point = story.Ended(base, {"plain": 0.9})
    assert point.alike(replace(base, depth=4, seed=7))
    others = {"drop_path": 0.5, "batch_size": 33, "schedule": "step", "shift": 1, "beta2": 0.5}
    assert not any(point.alike(replace(base, **{name: value})) for name, value in others.items())


def test_guessing_is_told_by_the_number_of_classes():
    for dataset in set(EMBEDDED) & set(knobs_of(Config)["dataset"].choices):
        assert story.guessing(dataset) == 1 - 1 / len(load(dataset).classes)
