"""New classes from a few pictures: what is frozen stays, LoRA begins as its base, runs repeat, and frozen wins."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from dlcore import transfer_stages, transfer_story
from dlcore.data import few_shot, new_shapes
from dlcore.data import shapes as old_shapes
from dlcore.data.images import load
from dlcore.device import reproducible
from dlcore.events import Checkpoint, Epoch, Event, Finished, Started, Step, pack, unpack
from dlcore.experiments import transfer
from dlcore.history import History
from dlcore.knobs import build
from dlcore.models import cnn
from dlcore.models.transferred import Base, LowRank, Seat, begin, first_trained, seat
from dlcore.stages import Kept, Stage
from dlcore.steering import Steering
from dlcore.texts import Problem
from dlcore.training import Task, fit
from dlcore.transfer_methods import BASE_LAYERS, SHAPES, Method, blocks_for, blocks_of, letters, methods_of
from dlcore.transfer_methods import trained_parameters as counted
from dlcore.transfer_pupils import pupil_stage

pytestmark = pytest.mark.usefixtures("one_thread")
QUICK = {"threads": 1, "device": "cpu", "seeds": 2, "steps": 10, "images": 5, "source_epochs": 1}


def quick(**given: Any) -> transfer.Config:
    return build(transfer.Config, {**QUICK, **given})


def run_stage(config: transfer.Config, stage: Stage, kept: list[Kept]) -> tuple[Task, Kept]:
    """Train one stage as a run does; its task, and what it leaves."""
    reproducible(config.seed, threads=1)
    task, plan = stage.make(kept)
    events = fit(task, plan)
    while True:
        try:
            next(events)
        except StopIteration as end:
            return task, stage.leave(task, end.value.metrics)


@pytest.fixture(scope="module")
def base() -> Base:
    torch.manual_seed(5)
    about = {"network": "own", "layers": BASE_LAYERS, "shape": (1, 28, 28), "classes": 8, "mean": 0.05, "std": 0.15}
    return Base(cnn.build(**about).eval(), about)


@pytest.fixture(scope="module")
def runs() -> dict[str, list[Event]]:
    """A short run for each question."""
    return {question: list(transfer.run(quick(question=question))) for question in transfer.QUESTIONS}


def metrics(events: list[Event]) -> dict[str, Any]:
    assert isinstance(events[-1], Finished)
    return events[-1].metrics


# the pictures


def test_new_classes_are_others_in_turn_and_never_those_of_the_test() -> None:
    X, y = new_shapes.few(3, seed=7)
    assert (y == np.arange(12) % 4).all()
    assert X.shape == (12, 1, 28, 28)
    assert X.dtype == np.uint8
    new = few_shot.new_classes("shapes")
    tested = {picture.tobytes() for picture in new.X_test}
    assert len(tested) == len(new.y_test) == 4 * few_shot.TESTED
    drawn = [p.tobytes() for seed in range(5) for p in new.learn(2, seed)[0]]
    assert len(set(drawn)) == len(drawn)
    assert not tested & set(drawn)
    assert not set(new.classes) & set(old_shapes.KINDS)


def test_old_shapes_are_what_they_were() -> None:
    """The fingerprint of the eight kinds, which runs and links name, is that of before there were four more."""
    assert load("shapes").hash == "7c847bfef7fe94fd"


@pytest.mark.data
def test_ants_and_bees_are_drawn_without_repetition() -> None:
    if few_shot.insects_folder() is None:
        pytest.skip("needs hymenoptera_data below DLCORE_DATA")
    new = few_shot.new_classes("insects")
    X, y = new.learn(20, seed=1)
    assert (y == np.arange(40) % 2).all()
    assert X.shape == (40, 3, 32, 32)
    assert len({picture.tobytes() for picture in X}) == 40
    with pytest.raises(Problem, match="only"):
        new.learn(1000, seed=1)


# networks that begin with what another has learned


@pytest.mark.parametrize("blocks", ["ffff", "fftt", "nnnn", "tttt", "ffnt"])
def test_blocks_begin_as_asked(base: Base, blocks: str) -> None:
    model = begin(base, Method("own", blocks), 4, seed=3)
    for letter, names in zip(blocks, base.blocks()[:-1], strict=True):
        for name in names:
            for mine, theirs in zip(
                model.get_submodule(name).parameters(), base.model.get_submodule(name).parameters(), strict=True
            ):
                assert torch.equal(mine, theirs) == (letter != "n")
                assert mine.requires_grad == (letter != "f")
    assert model.get_submodule("logits").weight.shape == (4, 48)  # pyright: ignore[reportAttributeAccessIssue]


def test_all_methods_begin_with_the_same_head(base: Base) -> None:
    heads = [begin(base, m, 4, seed=3).get_submodule("logits").state_dict() for m in methods_of(quick())]
    for head in heads:
        assert torch.equal(head["weight"], heads[0]["weight"])


@pytest.mark.parametrize("rank", [0, 1, 3])
def test_lora_begins_as_its_base(base: Base, rank: int) -> None:
    """B is zero at first, so the features are the base's: to the bit with rank 0, to rounding else."""
    X = torch.from_numpy(new_shapes.few(2, 0)[0]).float()
    model = begin(base, Method("lora", "ffff", rank=rank), 4, seed=1).eval()
    with torch.no_grad():
        mine, theirs = model[:-1](X), base.model[:-1](X)
    if rank == 0:
        assert torch.equal(mine, theirs)
    torch.testing.assert_close(mine, theirs)


def test_lora_is_a_layer_with_a_changed_matrix() -> None:
    for layer in (nn.Conv2d(3, 5, 3, stride=2, padding=1), nn.Linear(7, 5)):
        X = torch.randn(4, 3, 9, 9) if isinstance(layer, nn.Conv2d) else torch.randn(4, 7)
        low = LowRank(layer, 2)
        nn.init.normal_(low.B)
        changed = (layer.weight + (low.B @ low.A).view_as(layer.weight)).detach()
        expected = torch.func.functional_call(layer, {"weight": changed}, (X,))
        torch.testing.assert_close(low(X), expected)
        low(X).sum().backward()
        assert layer.weight.grad is None
        assert low.A.grad is not None


def test_the_counter_counts_what_torch_counts(base: Base) -> None:
    blocks = blocks_of(BASE_LAYERS, (1, 28, 28), 4)
    for method in [*methods_of(quick(own="tfnf")), *methods_of(quick(question="layers"))]:
        model = begin(base, method, 4, seed=0)
        assert counted(method, blocks) == sum(p.numel() for p in model.parameters() if p.requires_grad), method


def test_what_comes_before_the_first_trained_block_is_computed_once(base: Base) -> None:
    X, y = (torch.from_numpy(a) for a in new_shapes.few(2, 0))
    for blocks in ("ffff", "fftf", "tfff"):
        method = Method("own", blocks)
        one = seat(base, method, X, y, 4, seed=2)
        with torch.no_grad():
            torch.testing.assert_close(one(torch.arange(8)), begin(base, method, 4, seed=2)(X.float()))
    assert first_trained(base, Method("x", "ffff")) == len(base.model) - 1
    assert first_trained(base, Method("x", "ffff", rank=1)) == 0


def test_frozen_blocks_keep_their_running_statistics() -> None:
    torch.manual_seed(0)
    about = {"network": "own", "layers": "conv 4 3; norm; relu; conv 4 3; norm; relu; average; dense",
             "shape": (1, 12, 12), "classes": 3}  # fmt: skip
    one = Base(cnn.build(**about).eval(), about)
    X, y = torch.rand(6, 1, 12, 12) * 255, torch.arange(6) % 2
    tuned = seat(one, Method("own", "tf"), X, y, 2, seed=0).train()
    before = {name: buffer.clone() for name, buffer in tuned.named_buffers() if "running" in name}
    tuned(torch.arange(6))
    moved = {
        name for name, buffer in tuned.named_buffers() if "running" in name and not torch.equal(buffer, before[name])
    }
    assert moved == {"rest.norm1.running_mean", "rest.norm1.running_var"}


def test_the_loss_of_a_pupil_is_the_papers(base: Base) -> None:
    """T² times the cross-entropy of softened answers; its gradient at large T is that of (z - v) / N (Hinton 2015)."""
    rest = nn.Sequential(nn.Identity())
    z, v, T = torch.randn(1, 4), torch.randn(1, 4), 1000.0
    z, v = (z - z.mean()).requires_grad_(True), v - v.mean()
    one = Seat(rest, [], torch.zeros(1, 1), (v / T).softmax(1), T)
    one.loss(z, torch.zeros(1, dtype=torch.int64)).backward()
    torch.testing.assert_close(z.grad, (z.detach() - v) / 4, atol=1e-2, rtol=1e-2)
    hard = Seat(rest, [], torch.zeros(1, 1), F.one_hot(torch.tensor([2]), 4).float())
    torch.testing.assert_close(hard.loss(z, torch.tensor([0])), F.cross_entropy(z, torch.tensor([2])))


@pytest.mark.parametrize(
    ("text", "whole"), [("", "ffff"), ("t", "tttt"), ("FN", "fnnn"), ("tx!n", "tffn"), ("tttttt", "tttt")]
)
def test_a_links_letters_become_whole(text: str, whole: str) -> None:
    assert letters(text, 4) == whole


@pytest.mark.parametrize("base", SHAPES)
def test_every_network_to_begin_with_has_blocks(base: str) -> None:
    rows = blocks_for(base, 2)
    assert all(row.problem is None for block in rows for row in block)
    given = {"dataset": "shapes"} if base == "shapes" else {"dataset": "insects", "base": base}
    assert len(rows) == len(methods_of(quick(**given))[0].blocks) + 1


# training


def test_frozen_parameters_do_not_change_by_a_bit() -> None:
    config = quick(own="ftff", learning_rate=0.01)
    source = transfer_stages.source_stage(config)
    _task, left = run_stage(config, source, [])
    new, methods = few_shot.new_classes("shapes"), methods_of(config)
    task, _left = run_stage(config, transfer_stages.few_stage(config, new, methods, 2), [left])
    known = {name: torch.from_numpy(array) for name, array in left["base"].items()}
    seats: Any = task.model
    for method in methods:
        state = seats[f"{method.name}-0"].rest.state_dict()
        for block, letter in enumerate(method.blocks, 1):
            name = f"conv{block}.layer" if method.rank else f"conv{block}"
            if f"{name}.weight" in state:
                same = torch.equal(state[f"{name}.weight"], known[f"conv{block}.weight"])
                assert same == (letter == "f"), (method, block)


def test_each_learns_what_it_would_alone(base: Base) -> None:
    config = quick(seeds=1)
    new, methods = few_shot.new_classes("shapes"), methods_of(config)
    found = []
    for chosen in (methods, [methods[2]]):
        task, plan = transfer_stages.few_task(config, new, chosen, 2, base)
        list(fit(task, plan))
        seats: Any = task.model
        found.append(seats["finetuned-0"].state_dict())
    for name, weights in found[0].items():
        assert torch.equal(weights, found[1][name]), name


def test_lower_blocks_learn_more_slowly(base: Base) -> None:
    config = quick(slower=0.5, head_rate=4.0, seeds=1)
    slow = next(m for m in methods_of(config) if m.name == "slower")
    scales = [transfer_stages.scale_of(config, slow, f"conv{k}") for k in (1, 2, 3, 4)]
    assert scales == [0.125, 0.25, 0.5, 1.0]
    assert transfer_stages.scale_of(config, slow, "logits") == 4.0
    task, plan = transfer_stages.few_task(config, few_shot.new_classes("shapes"), [slow], 2, base)
    rates = [e.values["learning_rate"] for e in fit(task, plan) if isinstance(e, Step)]
    last = {group["scale"]: group["lr"] for group in task.optimizer.param_groups}
    assert last == pytest.approx({scale: rates[-1] * scale for scale in (*scales, 4.0)})


def test_a_run_tells_all(runs: dict[str, list[Event]]) -> None:
    for question, events in runs.items():
        assert isinstance(events[0], Started)
        assert metrics(events)["seconds"] > 0
        steps = [e.step for e in events if isinstance(e, Step)]
        assert steps == list(range(1, events[0].total_steps + 1)), question
    told = metrics(runs["methods"])
    assert told["by_images"]["images"] == [2, 5]
    assert told["trained/frozen"] < told["trained/lora"] < told["trained/last"] < told["trained/finetuned"]
    for name in ("scratch", "frozen", "finetuned"):
        assert told[f"{name}_accuracy"] == told["by_images"][name][0]
    assert {"teacher_accuracy", "alone_accuracy", "hard_accuracy", "soft_accuracy"} <= set(metrics(runs["distil"]))


def test_a_page_can_tell_every_state_of_a_run(runs: dict[str, list[Event]]) -> None:
    for question, events in runs.items():
        history = History()
        config = quick(question=question)
        seen = set()
        for event in events:
            history.add(event)
            words, values = transfer_story.said(config, history)
            assert words.format(**values)
            seen.add(transfer_story.under_way(history)[0])
        assert {"source", "5"} <= seen
        assert len(transfer_story.table(history)) == (7 if question == "methods" else 0)


class Pausing(Steering):
    """Asks for a checkpoint before step ``at`` + 1."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.at = at

    def due(self, step: int) -> list[Any]:
        if step == self.at:
            self.ask_checkpoint()
        return super().due(step)


@pytest.mark.parametrize("at", [5, 38, 50])
def test_a_run_that_is_paused_goes_on_as_if_it_never_had(runs: dict[str, list[Event]], at: int) -> None:
    """In the middle of the first stage, at the seam between two, within one, and near the end."""
    whole, config = runs["methods"], quick()
    assert sum(isinstance(e, Step) for e in whole) == 58
    for event in transfer.run(config, steering=Pausing(at)):
        if isinstance(event, Checkpoint) and event.step == at:
            state = unpack(pack(event.state))
            break
    rest = list(transfer.run(config, resume=state))
    assert [e.loss for e in rest if isinstance(e, Step)] == [e.loss for e in whole if isinstance(e, Step)][at:]
    last = [e.metrics for e in whole if isinstance(e, Epoch)][-1]
    assert [e.metrics for e in rest if isinstance(e, Epoch)][-1] == last
    assert metrics(rest)["by_images"] == metrics(whole)["by_images"]


def test_another_fingerprint_is_refused() -> None:
    with pytest.raises(Problem, match="fingerprint"):
        transfer.resolve(quick(data_hash="0123456789abcdef"))
    config = transfer.resolve(quick())
    assert transfer.resolve(replace(config)) == config


# photographs: the reader's own classes, and a larger network


@pytest.fixture(scope="module")
def learned() -> tuple[transfer.Config, list[Kept]]:
    """A network that knows the eight shapes, by the default settings and a seed of its own."""
    config = build(transfer.Config, {"threads": 1, "device": "cpu", "seeds": 3, "seed": 21})
    return config, [run_stage(config, transfer_stages.source_stage(config), [])[1]]


@pytest.mark.slow
def test_frozen_features_win_with_two_pictures_of_each_class(learned: tuple[transfer.Config, list[Kept]]) -> None:
    config, kept = learned
    assert kept[0]["test_accuracy"] > 0.9
    methods = methods_of(config)[:3]
    stage = transfer_stages.few_stage(config, few_shot.new_classes("shapes"), methods, 2)
    scratch, frozen, finetuned = run_stage(config, stage, kept)[1]["accuracy"].mean(1)
    assert frozen - scratch >= 0.2
    assert frozen > finetuned > scratch


def test_a_story_knows_where_the_lines_cross() -> None:
    def of(frozen: list[float], tuned: list[float]) -> str:
        zero = np.zeros(len(frozen))
        return transfer_story.crossing({"frozen": (np.array(frozen), zero), "finetuned": (np.array(tuned), zero)})

    assert of([0.8, 0.9], [0.7, 0.95]) == "crossed"
    assert of([0.8, 0.9], [0.7, 0.8]) == "ahead"
    assert of([0.8, 0.9], [0.7, 0.9]) == "level"
    assert of([0.7, 0.9], [0.8, 0.9]) == "behind"


@pytest.mark.slow
def test_more_blocks_taken_over_are_better_and_a_pupil_learns_from_its_teacher(
    learned: tuple[transfer.Config, list[Kept]],
) -> None:
    """Figures of the prose, with a seed of their own."""
    config, kept = learned
    new = few_shot.new_classes("shapes")
    asked = replace(config, question="layers", images=5)
    chosen = [m for m in methods_of(asked) if m.name in ("scratch", "frozen1", "frozen4")]
    row = run_stage(asked, transfer_stages.few_stage(asked, new, chosen, 5), kept)[1]["accuracy"].mean(1)
    assert row[2] - row[1] > 0.08
    assert row[1] > row[0] - 0.03
    asked = replace(config, question="distil", images=5)
    teacher = methods_of(asked)[0]
    taught = run_stage(asked, transfer_stages.few_stage(asked, new, [teacher], 5), kept)[1]
    pupils = run_stage(asked, pupil_stage(asked, new, teacher), [*kept, taught])[1]["pupils"].mean(1)
    assert taught["accuracy"].mean() > pupils.max()
    assert pupils[1] - pupils[0] > 0.05
    assert pupils[2] - pupils[0] > 0.08
