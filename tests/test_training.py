"""The loop against loops written by hand, against torch's own schedules, and against itself after a pause."""

from __future__ import annotations

import time
from itertools import pairwise

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from dlcore.checkpoints import from_plain, to_plain
from dlcore.events import Changed, Checkpoint, Diverged, Epoch, Snapshot, Step, pack, unpack
from dlcore.schedules import SCHEDULES
from dlcore.steering import Steering
from dlcore.texts import Problem
from dlcore.training import Plan, Task, fit

N, FEATURES, CLASSES = 90, 6, 3
OPTIMIZERS = {
    "adam": lambda p: torch.optim.Adam(p, fused=True),
    "sgd": lambda p: torch.optim.SGD(p, momentum=0.9, fused=True),
    "rmsprop": lambda p: torch.optim.RMSprop(p, momentum=0.5),
}
PLAN = Plan(count=N, batch_size=20, epochs=4, learning_rate=0.02)  # 5 steps a pass, the last of 10


def points() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(7)
    return torch.randn(N, FEATURES, generator=generator), torch.randint(CLASSES, (N,), generator=generator)


def task_of(optimizer: str = "adam", *, seed: int = 0, dropout: float = 0.0, **hooks) -> Task:
    torch.manual_seed(seed)
    X, y = points()
    model = nn.Sequential(nn.Linear(FEATURES, 8), nn.Tanh(), nn.Dropout(dropout), nn.Linear(8, CLASSES))
    return Task(model, OPTIMIZERS[optimizer](model.parameters()), lambda i: (X[i], y[i]), **hooks)


def image_task(optimizer: str = "adam") -> Task:
    """A small convolution laid out channels_last, with dropout."""
    torch.manual_seed(0)
    X, y = torch.randn(N, 3, 6, 6).to(memory_format=torch.channels_last), torch.randint(CLASSES, (N,))
    layers = (nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Dropout(0.3), nn.Flatten(), nn.Linear(128, CLASSES))
    model = nn.Sequential(*layers).to(memory_format=torch.channels_last)
    return Task(model, OPTIMIZERS[optimizer](model.parameters()), lambda i: (X[i], y[i]))


def told(events) -> list:
    """Events as comparable tuples, without what the clock says."""
    plain = []
    for e in events:
        if isinstance(e, Step):
            plain.append(("step", e.step, e.loss, {k: v for k, v in e.values.items() if k != "examples_per_second"}))
        elif isinstance(e, Epoch):
            plain.append(("epoch", e.step, e.epoch, e.metrics))
        elif isinstance(e, Changed):
            plain.append(("changed", e.step, e.name, e.value))
    return plain


def weights(task: Task) -> list[torch.Tensor]:
    return [p.detach().clone() for p in task.model.parameters()]


def same(a: list[torch.Tensor], b: list[torch.Tensor]) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


class AskAt(Steering):
    """Asks for a checkpoint, and for changes, when the run stands at given steps."""

    def __init__(self, saves=(), changes=()) -> None:
        super().__init__()
        self.saves, self.wanted = set(saves), dict(changes)

    def due(self, step: int) -> list[Changed]:
        if step in self.saves:
            self.ask_checkpoint()
        if step in self.wanted:
            self.change(*self.wanted[step])
        return super().due(step)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_equals_a_loop_written_by_hand(optimizer, schedule):
    task = task_of(optimizer, dropout=0.3)
    events = list(fit(task, Plan(N, 20, 4, 0.02, schedule)))

    by_hand = task_of(optimizer, dropout=0.3)
    X, y = points()
    losses = []
    for step in range(20):
        if step % 5 == 0:
            order = torch.randperm(N)
        batch = order[step % 5 * 20 : step % 5 * 20 + 20]
        for group in by_hand.optimizer.param_groups:
            group["lr"] = 0.02 * SCHEDULES[schedule](step, 20)
        loss = F.cross_entropy(by_hand.model(X[batch]), y[batch])
        by_hand.optimizer.zero_grad()
        loss.backward()
        by_hand.optimizer.step()
        losses.append(loss.item())

    assert same(weights(task), weights(by_hand))
    assert [e.loss for e in events if isinstance(e, Step)] == losses
    assert [e.step for e in events if isinstance(e, Step)] == list(range(1, 21))


@pytest.mark.parametrize("total", [10, 235, 1000])
def test_schedules_are_torchs(total):
    def rates(scheduler_of) -> list[float]:
        optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
        scheduler = scheduler_of(optimizer)
        seen = []
        for _ in range(total):
            seen.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step() if len(seen) < total else None
        return seen

    one_cycle = rates(lambda o: torch.optim.lr_scheduler.OneCycleLR(o, 1.0, total, cycle_momentum=False))
    cosine = rates(lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, total))
    np.testing.assert_allclose([SCHEDULES["one_cycle"](k, total) for k in range(total)], one_cycle, atol=1e-12)
    np.testing.assert_allclose([SCHEDULES["cosine"](k, total) for k in range(total)], cosine, atol=1e-12)


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("total", [1, 2, 3, 9, 235])
def test_schedules_stay_between_0_and_1(name, total):
    factors = [SCHEDULES[name](k, total) for k in range(total)]
    assert all(0 <= f <= 1 + 1e-12 for f in factors)
    assert max(factors) > 0, "a run of any length must move"


def test_linear_rises_for_a_tenth_and_falls_straight():
    factors = [SCHEDULES["linear"](k, 200) for k in range(200)]
    assert factors[0] == 1 / 20
    assert factors[19] == factors[20] == max(factors) == 1
    np.testing.assert_allclose(np.diff(factors[20:]), -1 / 180, atol=1e-12)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("make", [image_task, lambda o: task_of(o, dropout=0.4)], ids=["channels_last", "dense"])
@pytest.mark.parametrize("schedule", ["constant", "one_cycle"])
def test_resumes_bit_for_bit_from_any_step(optimizer, make, schedule):
    plan = Plan(N, 20, 3, 0.02, schedule, clip_norm=0.5, gradient_norms=True)
    whole = make(optimizer)
    events = list(fit(whole, plan, steering=AskAt({0, 3, 5, 8, 14})))
    saved = [e for e in events if isinstance(e, Checkpoint)]
    assert [e.step for e in saved] == [0, 3, 5, 8, 14, 15]
    for checkpoint in saved:
        state = unpack(pack(checkpoint.state))  # as it comes back from disk
        again = make(optimizer)
        torch.manual_seed(99)  # what the process did meanwhile must not matter
        later = list(fit(again, plan, resume=state))
        assert same(weights(again), weights(whole))
        assert told(later) == [t for t in told(events) if t[1] > checkpoint.step]


def test_a_checkpoint_does_not_grow_with_the_examples():
    sizes = []
    for count in (1_000, 2_000_000):
        task = task_of()
        task.batch = lambda numbers: (points()[0][:20], points()[1][:20])
        run = fit(task, Plan(count, 20, 1, 0.02), steering=AskAt({3}))
        sizes.append(len(pack(next(e.state for e in run if isinstance(e, Checkpoint)))))
        run.close()
    assert abs(sizes[1] - sizes[0]) < 1000


def test_twice_the_same_run_tells_the_same():
    first, second = (told(fit(task_of(dropout=0.5), PLAN)) for _ in range(2))
    assert first == second
    assert first != told(fit(task_of(dropout=0.5, seed=1), PLAN))


def test_a_change_takes_effect_at_its_step_and_can_be_replayed():
    steered = task_of()
    events = list(fit(steered, PLAN, steering=AskAt(changes={7: ("learning_rate", 0.5)})))
    changed = [e for e in events if isinstance(e, Changed)]
    assert changed == [Changed(7, "learning_rate", 0.5)]
    rates = {e.step: e.values["learning_rate"] for e in events if isinstance(e, Step)}
    assert (rates[7], rates[8]) == (0.02, 0.5)
    order = [type(e).__name__ + str(e.step) for e in events if isinstance(e, (Step, Changed))]
    assert order[6:9] == ["Step7", "Changed7", "Step8"]

    replayed = task_of()
    assert told(fit(replayed, PLAN, steering=Steering(changed))) == told(events)
    assert same(weights(replayed), weights(steered))


def test_a_steered_run_resumes_with_its_changed_rate():
    steered = task_of()
    events = list(fit(steered, PLAN, steering=AskAt({7, 12}, {7: ("learning_rate", 0.5)})))
    for checkpoint in (e for e in events if isinstance(e, Checkpoint)):
        again = task_of()
        changes = Steering(e for e in events if isinstance(e, Changed))  # the record is handed over whole
        list(fit(again, PLAN, resume=checkpoint.state, steering=changes))
        assert same(weights(again), weights(steered))


def test_a_change_that_the_task_does_not_know_is_told():
    with pytest.raises(Problem, match="cannot be changed"):
        list(fit(task_of(), PLAN, steering=AskAt(changes={3: ("batch_size", 4)})))


def test_the_tasks_own_changes_reach_it():
    seen = []
    list(fit(task_of(change=lambda *c: seen.append(c)), PLAN, steering=AskAt(changes={3: ("frozen", True)})))
    assert seen == [("frozen", True)]


def test_divergence_ends_the_run_with_its_reason():
    def overflowing(outputs, targets):
        return (outputs * outputs).sum()

    task = task_of("sgd", loss=overflowing, measures={})
    events = list(fit(task, Plan(N, 20, 4, 50.0)))
    steps = [e for e in events if isinstance(e, Step)]
    (last,) = [e for e in events if isinstance(e, Diverged)]
    assert events[-1] is last
    assert steps
    assert all(np.isfinite(e.loss) for e in steps)
    assert last.step == steps[-1].step
    assert f"After {last.step} steps" in last.reason.format(**last.params)
    assert "50" in last.reason.format(**last.params)


@pytest.mark.parametrize(("growth", "diverges"), [(1e3, False), (1e5, True), (-1e5, True), (float("-inf"), True)])
def test_a_loss_that_grew_out_of_all_proportion_is_divergence_too(growth, diverges):
    factors = iter([3.0] * 5 + [3.0 * growth] * 15)
    events = list(fit(task_of("sgd", loss=lambda o, t: o.sum() * 0 + next(factors), measures={}), PLAN))
    told_why = [(e.step, e.reason.format(**e.params)) for e in events if isinstance(e, Diverged)]
    assert bool(told_why) == diverges
    for step, why in told_why:
        assert step == 5
        assert f"{3 * growth:.3g}" in why


def test_no_checkpoint_is_made_of_a_diverged_state():
    def breaks_at_step_4(outputs, targets):
        breaks_at_step_4.calls += 1
        return outputs.sum() * (float("nan") if breaks_at_step_4.calls == 4 else 1.0)

    breaks_at_step_4.calls = 0
    events = list(fit(task_of("sgd", loss=breaks_at_step_4, measures={}), PLAN, steering=AskAt({2, 4, 6})))
    assert [e.step for e in events if isinstance(e, Checkpoint)] == [2]
    assert isinstance(events[-1], Diverged)
    assert events[-1].step == 3


def test_gradient_norms_are_those_of_the_gradient_before_clipping():
    task = task_of("sgd")
    X, y = points()
    plan = Plan(N, N, 1, 0.1, clip_norm=0.01, gradient_norms=True)
    before = weights(task)
    F.cross_entropy(task.model(X), y).backward()
    gradients = [p.grad.clone() for p in task.model.parameters() if p.grad is not None]
    (step,) = [e for e in fit(task, plan) if isinstance(e, Step)]

    total = torch.cat([g.flatten() for g in gradients]).norm()
    assert step.values["gradient_norm"] == pytest.approx(total.item(), rel=1e-5)
    names = [n for n, _ in task.model.named_parameters()]
    for name, gradient in zip(names, gradients, strict=True):
        assert step.values[f"gradient/{name}"] == pytest.approx(gradient.norm().item(), rel=1e-5)
    moved = torch.cat([(b - a).flatten() for a, b in zip(before, weights(task), strict=True)]).norm()
    assert moved.item() == pytest.approx(0.1 * 0.01, rel=1e-3)  # rate times the norm left by clipping


def test_epoch_metrics_are_means_over_the_examples():
    events = list(fit(task_of(evaluate=lambda: {"test_accuracy": 0.5}), PLAN))
    epochs = [e for e in events if isinstance(e, Epoch)]
    assert [(e.step, e.epoch) for e in epochs] == [(0, 0), (5, 1), (10, 2), (15, 3), (20, 4)]
    assert epochs[0].metrics == {"test_accuracy": 0.5}
    losses = [e.loss for e in events if isinstance(e, Step)][:5]
    assert epochs[1].metrics["train_loss"] == pytest.approx(np.average(losses, weights=[20, 20, 20, 20, 10]))


@pytest.mark.parametrize("evaluations", [1, 2, 5, 20])
def test_evaluations_are_spread_over_a_pass(evaluations):
    events = fit(task_of(evaluate=lambda: {"a": 1.0}), Plan(N, 20, 2, 0.02, evaluations=evaluations))
    at = [e.step for e in events if isinstance(e, Epoch)]
    assert at == sorted(set(at))
    assert {0, 5, 10} <= set(at)
    assert len(at) == 1 + 2 * min(evaluations, 5)


def test_evaluation_sees_the_model_in_eval_mode_and_leaves_training_alone():
    modes = []
    looking = task_of(dropout=0.5)
    looking.evaluate = lambda: modes.append(looking.model.training) or {"test_loss": float(torch.is_grad_enabled())}
    events = list(fit(looking, Plan(N, 20, 2, 0.02, evaluations=3)))
    assert modes
    assert not any(modes)
    assert all(e.metrics["test_loss"] == 0 for e in events if isinstance(e, Epoch))
    blind = task_of(dropout=0.5)
    list(fit(blind, Plan(N, 20, 2, 0.02)))
    assert same(weights(looking), weights(blind))


def test_snapshots_are_copies_at_start_and_end():
    task = task_of()
    task.look = lambda: {"weights": {"w": next(task.model.parameters()).detach().numpy().copy()}}
    shots = [e for e in fit(task, PLAN) if isinstance(e, Snapshot)]
    assert (shots[0].step, shots[-1].step) == (0, 20)
    assert not np.array_equal(shots[0].arrays["w"], shots[-1].arrays["w"])


def test_seconds_leave_out_the_listener_and_the_evaluation():
    def slow() -> dict[str, float]:
        time.sleep(0.02)
        return {"test_loss": 0.0}

    start, slept, result = time.perf_counter(), 0.0, None
    run = fit(task_of(evaluate=slow), PLAN)
    stamps = []
    while True:
        try:
            event = next(run)
        except StopIteration as stop:
            result = stop.value
            break
        time.sleep(0.005)
        slept += 0.02 if isinstance(event, Epoch) else 0.005
        stamps += [event.seconds] if isinstance(event, Step) else []
    assert result is not None
    assert 0 < result.seconds <= time.perf_counter() - start - slept
    assert all(a < b for a, b in pairwise(stamps))
    assert stamps[-1] == pytest.approx(result.seconds)


def test_checkpoints_come_by_themselves():
    plan = Plan(N, 20, 4, 0.02, checkpoint_seconds=0.0)
    events = list(fit(task_of(), plan))
    assert [e.step for e in events if isinstance(e, Checkpoint)] == [*range(20), 20]
    assert [e.final for e in events if isinstance(e, Checkpoint)] == [False] * 20 + [True]
    assert isinstance(events[-1], Checkpoint)


def test_can_be_closed_at_any_event():
    for stop_after in range(1, 8):
        run = fit(task_of(), PLAN)
        for _ in range(stop_after):
            next(run)
        run.close()


def test_plain_trees_hold_builtins_and_arrays_and_come_back_equal():
    tree = {
        "half": torch.randn(3, 2).bfloat16(),
        "nested": [{"step": torch.tensor(3.0)}, (1, "two", None)],
        "image": torch.randn(2, 3, 4, 4).to(memory_format=torch.channels_last),
        0: torch.arange(4, dtype=torch.uint8),
    }
    back = from_plain(unpack(pack(to_plain(tree))))
    assert back["nested"][1] == (1, "two", None)
    for a, b in [
        (tree["half"], back["half"]),
        (tree["nested"][0]["step"], back["nested"][0]["step"]),
        (tree["image"], back["image"]),
        (tree[0], back[0]),
    ]:
        assert a.dtype == b.dtype
        assert torch.equal(a, b)


def test_a_checkpoint_does_not_change_when_training_goes_on():
    task = task_of()
    run = fit(task, PLAN, steering=AskAt({4}))
    state = next(e for e in run if isinstance(e, Checkpoint)).state
    frozen = pack(state)
    list(run)
    assert pack(state) == frozen
