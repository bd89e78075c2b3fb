"""The lesson's mathematics against independent references, and the effects that it teaches, measured again."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given as forall
from hypothesis import settings
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression

from dlcore import descent_story as story
from dlcore import descent_views as look
from dlcore.data.tabular import DIABETES
from dlcore.descent import batch_rows, descend
from dlcore.events import Changed, Checkpoint, Diverged, Finished, Started, Step, pack, unpack
from dlcore.experiments import linear_regression as lr
from dlcore.knobs import build, parse, to_texts
from dlcore.quadratic import compress, growth, noise_limit, spectrum
from dlcore.steering import Steering

OFFERED = [
    *({"feature": name, "standardize": s} for name in [*DIABETES, "all"] for s in (True, False)),
    *({"dataset": "line", "standardize": s, "seed": k, "outliers": 5 * k} for s in (True, False) for k in range(3)),
    *({"dataset": "points", "standardize": s} for s in (True, False)),
]


def named(given: dict) -> str:
    return "-".join(str(v) for v in given.values())


def by_hand(X, y, rate, steps, *, theta, momentum=0.0, rows=None):
    """Gradient descent as a textbook writes it, sharing nothing with the code under test."""
    theta, velocity, path = np.array(theta, dtype=np.float64), 0.0, []
    for k in range(steps + 1):
        path.append(theta)
        chosen = slice(None) if rows is None else rows(k)
        a, b = X[chosen], y[chosen]
        gradient = np.zeros_like(theta)
        for j in range(len(theta)):
            gradient[j] = -2.0 / len(b) * np.sum((b - np.sum(a * theta, axis=1)) * a[:, j])
        velocity = momentum * velocity - rate * gradient
        theta = theta + velocity
    path = np.array(path)
    return path, np.array([np.mean((y - np.sum(X * t, axis=1)) ** 2) for t in path])


@pytest.fixture(params=OFFERED, ids=named)
def config(request):
    return build(lr.Config, request.param)


def test_default_config_is_what_the_recipe_says():
    assert build(lr.Config, {}) == lr.Config()


def test_path_equals_the_reference(config):
    task = lr.task(config)
    path = descend(task.X, task.y, config)
    theta, loss = by_hand(task.X, task.y, config.learning_rate, config.steps, theta=path.theta[0])
    np.testing.assert_allclose(path.theta, theta, rtol=1e-12, atol=1e-12 * np.abs(theta).max())
    np.testing.assert_allclose(path.loss, loss, rtol=1e-12)


@pytest.mark.parametrize("extra", [{"momentum": 0.9}, {"batch_size": 7}, {"batch_size": 1, "momentum": 0.5}], ids=named)
def test_path_equals_the_reference_with_momentum_and_batches(extra):
    config = build(lr.Config, {"dataset": "line", "standardize": False, "theta0": 3.0, "theta1": -1.0, **extra})
    task = lr.task(config)
    path = descend(task.X, task.y, config)
    rows = None if "batch_size" not in extra else lambda k: batch_rows(config, 100, k)
    theta, loss = by_hand(
        task.X, task.y, config.learning_rate, config.steps, theta=[3, -1], momentum=config.momentum, rows=rows
    )
    np.testing.assert_allclose(path.theta, theta, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(path.loss, loss, rtol=1e-12)


@pytest.mark.parametrize("batch", [1, 3, 50, 99])
def test_each_epoch_visits_every_row_once(batch):
    config = lr.Config(dataset="line", batch_size=batch)
    per_epoch = -(-100 // batch)
    for epoch in range(2):
        seen = np.concatenate([np.asarray(batch_rows(config, 100, epoch * per_epoch + k)) for k in range(per_epoch)])
        assert sorted(seen) == list(range(100))
    first, second = (np.asarray(batch_rows(config, 100, epoch * per_epoch)) for epoch in range(2))
    assert not np.array_equal(first, second)


def test_run_and_descend_tell_the_same(config):
    task = lr.task(config)
    path = descend(task.X, task.y, config)
    events = list(lr.run(config))
    steps = [e for e in events if isinstance(e, Step)]
    assert isinstance(events[0], Started)
    assert isinstance(events[-1], Finished)
    thetas = np.array([e.values["theta"] for e in steps])
    np.testing.assert_allclose(thetas, path.theta, rtol=1e-11, atol=1e-12 * np.abs(path.theta).max())
    np.testing.assert_allclose([e.loss for e in steps], path.loss, rtol=1e-12)
    found = events[-1].metrics
    assert {"theta", "loss", "optimum_loss", "lambda_max", "optimum", "learning_rate_limit", "condition_number"} <= set(
        found
    )
    assert found["theta"] == steps[-1].values["theta"]


def test_optimum_is_scikit_learns(config):
    task = lr.task(config)
    reference = LinearRegression().fit(task.data.X, task.data.y)
    ours = task.raw(task.spectrum.optimum)
    fitted = np.array([float(reference.intercept_), *reference.coef_], dtype=float)
    scale = np.abs(fitted).max()
    np.testing.assert_allclose(ours, fitted, rtol=1e-8, atol=1e-8 * scale)
    predicted = np.mean((task.y - reference.predict(task.data.X)) ** 2)
    assert task.spectrum.optimum_loss == pytest.approx(predicted, rel=1e-8, abs=1e-20)
    np.testing.assert_allclose(lr.sklearn_optimum(task.X, task.y), task.spectrum.optimum, rtol=1e-8, atol=1e-8 * scale)


def steep_excess(task, path):
    """Excess loss along the steepest eigenvector, for each state."""
    bowl = task.spectrum
    return 0.5 * bowl.lambda_max * ((path.theta - bowl.optimum) @ bowl.eigenvectors[:, -1]) ** 2


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_below_the_limit_it_falls_and_above_it_grows(config, momentum):
    task = lr.task(config)
    limit = task.spectrum.limit(momentum)
    for share, grows in ((0.98, False), (1.02, True)):
        settings_ = {**vars(config), "learning_rate": share * limit, "momentum": momentum, "steps": 300, "theta1": 1.0}
        excess = steep_excess(task, descend(task.X, task.y, lr.Config(**settings_)))
        if momentum:
            assert (excess[-1] > excess[0]) == grows
        else:  # exactly |1 − ηλ|² per step
            seen = excess[: 120 if grows else 30]
            assert (np.diff(seen) > 0).all() if grows else (np.diff(seen) < 0).all()
            np.testing.assert_allclose(seen[20] / seen[0], (1 - 2 * share) ** 40, rtol=1e-4)


def test_golden_line():
    """x ~ U(0, 10), n = 100: the limit is 0.02499; 0.98 of it ends at the optimum, 1.02 of it at a thousand million."""
    ends = []
    for share in (0.98, 1.02):
        config = lr.Config(dataset="line", standardize=False, learning_rate=share * 0.0249877, steps=200)
        task = lr.task(config)
        ends.append(descend(task.X, task.y, config).loss[-1])
    assert task.spectrum.limit() == pytest.approx(0.02499, abs=1e-5)
    assert task.spectrum.condition_number == pytest.approx(174.3, abs=0.1)
    assert task.spectrum.optimum_loss == pytest.approx(0.94005, abs=1e-4)
    assert ends[0] == pytest.approx(0.9413, abs=1e-3)
    assert ends[1] == pytest.approx(1.15e9, rel=0.02)


def test_golden_standardizing():
    """Steps at the best rate until a millionth of the excess loss is left: 603 in the valley, one in the bowl."""
    steps = []
    for standardize in (False, True):
        config = lr.Config(dataset="line", standardize=standardize, steps=2000)
        task = lr.task(config)
        config = lr.Config(**{**vars(config), "learning_rate": task.spectrum.best()})
        steps.append(story.arrival(descend(task.X, task.y, config)))
    assert task.spectrum.condition_number == pytest.approx(1, abs=1e-9)
    assert steps[0] == pytest.approx(603, abs=3)
    assert steps[1] == 1


@pytest.mark.parametrize(
    ("given", "limit"),
    [
        ({"feature": "s1", "standardize": False}, 2.705e-5),
        ({"feature": "sex", "standardize": False}, 0.3003),
        ({"feature": "bmi", "standardize": False}, 1.396e-3),
        ({"feature": "all", "standardize": False}, 1.359e-5),
        ({"feature": "bmi"}, 1.0),
        ({"feature": "all"}, 0.2485),
    ],
    ids=str,
)
def test_golden_limits_of_diabetes(given, limit):
    assert lr.task(lr.Config(**given)).spectrum.limit() == pytest.approx(limit, rel=1e-3)


def test_golden_all_features():
    assert lr.task(lr.Config(feature="all")).spectrum.condition_number == pytest.approx(470.08, abs=0.1)


def test_momentum_pays_for_the_root_of_the_condition_number():
    """All ten features: plain descent needs some 1,600 steps, momentum at its best under 150 (the third challenge)."""
    task = lr.task(lr.Config(feature="all"))
    bowl = task.spectrum
    root = np.sqrt(bowl.condition_number)
    beta = ((root - 1) / (root + 1)) ** 2
    steps = {}
    for momentum, rate in ((0.0, bowl.best()), (beta, (1 + np.sqrt(beta)) ** 2 / bowl.lambda_max)):
        config = lr.Config(feature="all", learning_rate=rate, momentum=momentum, steps=2000)
        steps[bool(momentum)] = story.arrival(descend(task.X, task.y, config))
    assert 1000 < steps[False] < 2000
    assert steps[True] < 150


@settings(max_examples=60, deadline=None)
@forall(st.floats(0, 0.98), st.floats(0.01, 3.9))
def test_growth_is_the_spectral_radius(momentum, step):
    """Of the matrix that takes (error, last error) to the next, for a curvature of 1."""
    matrix = np.array([[1 + momentum - step, -momentum], [1, 0]])
    assert growth(step, 1.0, momentum) == pytest.approx(np.abs(np.linalg.eigvals(matrix)).max(), rel=1e-6, abs=1e-7)
    if abs(step - 2 * (1 + momentum)) > 1e-6:
        assert (growth(step, 1.0, momentum) > 1) == (step > 2 * (1 + momentum))


@settings(max_examples=50, deadline=None)
@forall(st.integers(0, 10**6), st.integers(2, 40), st.integers(2, 5))
def test_compressed_rows_have_the_same_loss_and_gradient(seed, n, d):
    rng = np.random.default_rng(seed)
    X, y, theta = rng.normal(size=(n, d)), rng.normal(size=n), rng.normal(size=d)
    loss, gradient = lr.mse_and_gradient(theta, X, y)
    small = compress(X, y)
    loss_small, gradient_small = lr.mse_and_gradient(theta, *small)
    assert len(small[1]) <= d + 1
    assert loss_small == pytest.approx(loss, rel=1e-12)
    np.testing.assert_allclose(gradient_small, gradient, rtol=1e-10, atol=1e-12)


def test_gradient_is_the_slope_of_the_loss():
    rng = np.random.default_rng(3)
    X, y, theta, h = rng.normal(size=(30, 3)), rng.normal(size=30), rng.normal(size=3), 1e-6
    _, gradient = lr.mse_and_gradient(theta, X, y)
    for k, unit in enumerate(np.eye(3)):
        ahead, behind = (lr.mse_and_gradient(theta + s * h * unit, X, y)[0] for s in (1, -1))
        assert gradient[k] == pytest.approx((ahead - behind) / (2 * h), rel=1e-6)


@pytest.mark.parametrize("batch", [1, 5, 30])
def test_noise_limit_parts_falling_from_growing(batch):
    """Mean squared error of 300 independent descents on noise-free data, where only the random batches are left."""
    rng = np.random.default_rng(batch)
    x = rng.uniform(0, 10, 40)
    X = np.column_stack([np.ones(40), x])
    limit = noise_limit(X, batch, spectrum(X, x))
    ends = []
    for share in (0.8, 1.25):
        error = np.tile([1.0, 1.0], (3000, 1))
        for _ in range(60):
            rows = rng.permuted(np.tile(np.arange(40), (3000, 1)), axis=1)[:, :batch]
            a = X[rows]  # (3000, batch, 2)
            error = error - share * limit * 2 / batch * np.einsum("sbi,sb->si", a, np.einsum("sbi,si->sb", a, error))
        second = np.einsum("si,sj->sij", error, error).mean(0)
        ends.append(np.trace(second @ (X.T @ X / 40)))
    start = np.mean((X @ np.ones(2)) ** 2)
    if batch == 30:  # hardly any noise: the mean decides, and 60 steps show it
        assert ends[0] < start < ends[1]
    assert noise_limit(X, 40, spectrum(X, x)) == spectrum(X, x).limit()
    assert _radius(X, batch, 0.999 * limit) < 1 < _radius(X, batch, 1.001 * limit)


def _radius(X, batch, rate):
    """Spectral radius of the map of second moments, built row by row: E[(I − ηh) ⊗ (I − ηh)] over batches."""
    n, d = X.shape
    eye, singles = np.eye(d), [2 * np.outer(x, x) for x in X]
    H = sum(singles) / n
    pairs = sum(np.kron(h, h) for h in singles) / n
    second = np.kron(H, H) + (pairs - np.kron(H, H)) / batch * (n - batch) / (n - 1)
    step = np.eye(d * d) - rate * (np.kron(H, eye) + np.kron(eye, H)) + rate**2 * second
    return np.abs(np.linalg.eigvals(step)).max()


def test_diverging_run_says_why_with_its_own_numbers():
    events = list(lr.run(lr.Config(learning_rate=1.5, steps=2000)))
    end = events[-1]
    assert isinstance(end, Diverged)
    text = end.reason.format(**end.params)
    assert "1.5" in text
    assert "limit 1 " in text
    assert "2 times as large" in text
    assert all(np.isfinite(e.loss) for e in events if isinstance(e, Step))


def test_diverged_path_is_cut_and_can_still_be_drawn():
    config = lr.Config(learning_rate=1.5, steps=2000)
    task = lr.task(config)
    path = descend(task.X, task.y, config)
    assert path.diverged
    assert len(path.theta) == len(path.loss) == len(path.excess) == len(path.gradient) + 1 < 2001
    assert np.isfinite(path.loss).all()
    for bowl in (False, True):
        for film in look.views(task, config, path, bowl=bowl):
            assert film.frames["count"] == len(path.loss)


@pytest.mark.parametrize("batch", [0, 8])
@pytest.mark.parametrize("at", [1, 7, 23])
def test_resumed_run_is_bit_for_bit(batch, at):
    config = lr.Config(dataset="line", standardize=False, learning_rate=0.004, momentum=0.5, batch_size=batch, steps=40)
    whole = list(lr.run(config))
    steering, state = Steering(), None
    for event in lr.run(config, steering=steering):
        if isinstance(event, Step) and event.step == at:
            steering.ask_checkpoint()
        if isinstance(event, Checkpoint):
            state = unpack(pack(event.state))
            break
    rest = list(lr.run(config, resume=state))
    assert [e.values for e in rest if isinstance(e, Step)] == [
        e.values for e in whole if isinstance(e, Step) and e.step > at
    ]
    assert rest[-1] == whole[-1]


def test_steered_run_repeats_and_goes_on():
    config = lr.Config(learning_rate=0.01, steps=30)
    record = [Changed(10, "learning_rate", 0.4), Changed(20, "momentum", 0.5)]
    first, second = (list(lr.run(config, steering=Steering(record))) for _ in range(2))
    assert [e for e in first if isinstance(e, Changed)] == record
    assert [e.loss for e in first if isinstance(e, Step)] == [e.loss for e in second if isinstance(e, Step)]
    plain = [e.loss for e in lr.run(config) if isinstance(e, Step)]
    steered = [e.loss for e in first if isinstance(e, Step)]
    assert steered[:11] == plain[:11]
    assert steered[11] != plain[11]


def test_resolved_config_names_its_data():
    resolved = lr.resolve(lr.Config())
    assert resolved.data_hash == lr.task(lr.Config()).data.digest
    assert lr.resolve(resolved) == resolved
    assert lr.resolve(lr.Config(dataset="line", seed=1)).data_hash != lr.resolve(lr.Config(dataset="line")).data_hash


@pytest.mark.parametrize("given", OFFERED, ids=named)
def test_first_rate_descends_visibly_on_all_data(given):
    """A learner's first look: the loss falls, some way but not at once, and never diverges."""
    config = build(lr.Config, given)
    task = lr.task(config)
    path = descend(task.X, task.y, config)
    assert path.excess[-1] < 0.25 * path.excess[0]
    assert path.excess[1] > 0.05 * path.excess[0]
    assert config.learning_rate < task.spectrum.limit()
    low, high = (getattr(look.bounds(vars(config))["learning_rate"], end) for end in ("low", "high"))
    assert low == pytest.approx(task.spectrum.limit() / 1000, rel=1e-2)
    assert high == pytest.approx(3 * task.spectrum.limit(), rel=1e-2)
    assert low < config.learning_rate < high


@pytest.mark.parametrize("batch", [1, 10])
@pytest.mark.parametrize("standardize", [True, False])
def test_first_rate_of_small_batches_does_not_diverge(batch, standardize):
    config = build(lr.Config, {"dataset": "line", "standardize": standardize, "batch_size": batch, "steps": 2000})
    task = lr.task(config)
    path = descend(task.X, task.y, config)
    assert path.excess[-200:].mean() < 0.05 * path.excess[0]


def test_small_batches_leave_a_noise_floor():
    floors = []
    for rate in (0.1, 0.01):
        config = lr.Config(learning_rate=rate, batch_size=8, steps=2000)
        task = lr.task(config)
        floors.append(descend(task.X, task.y, config).excess[-1000:].mean())
    assert floors[0] > 5 * floors[1] > 0


def test_what_is_set_wins_over_the_recipe_and_comes_back_from_a_link():
    config = build(lr.Config, {"dataset": "line", "learning_rate": 0.003})
    assert config.learning_rate == 0.003
    assert parse(lr.Config, to_texts(config)) == config
    for given in OFFERED:
        one = build(lr.Config, given)
        assert parse(lr.Config, to_texts(one)) == one
