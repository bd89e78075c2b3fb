"""Texts as numbers, the letter model, and what the lesson says about them."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcore.data import text as data
from dlcore.data.own_text import keep
from dlcore.events import Checkpoint, Epoch, Finished, Started, pack
from dlcore.experiments import lesson_of, text
from dlcore.experiments.text import Config
from dlcore.experiments.text_look import go_on, listen, study, writer
from dlcore.history import History
from dlcore.knobs import build
from dlcore.models.letters import LetterModel, bits_per_character, choose, write
from dlcore.steering import Steering
from dlcore.text_features import FEATURES, by_chance, correlations, features, quoted, since
from dlcore.text_story import goes_in_circles, invented, learned_by_heart, real_words, samples
from dlcore.texts import Problem
from dlcore.training import fit
from tests.test_own_text import state  # noqa: F401 - a fixture
from ui.text_panel import CALM

TINY = {"hidden": 24, "steps": 60, "length": 32, "threads": 1, "precision": "float32", "evaluations": 3}


# -- characters become numbers ----------------------------------------------------------------------------------------


def test_alice_is_whole_and_its_last_tenth_is_held_out():
    made = data.corpus("alice")
    assert data.decode(made.codes, made.symbols).replace(data.RARE, "") in made.text or made.rare
    assert made.split + len(made.test) == len(made.codes) == len(made.text)
    assert 0.09 < len(made.test) / len(made.codes) < 0.11
    assert made.codes.max() == len(made.symbols) - 1
    counts = np.bincount(made.train, minlength=len(made.symbols))
    assert counts[1:].min() >= data.FEW


def test_levels_without_a_network_are_what_they_say():
    made = data.corpus("alice")
    levels = made.levels
    assert levels["uniform"] == pytest.approx(math.log2(len(made.symbols)))
    shares = np.bincount(made.train, minlength=len(made.symbols)) + 0.5
    shares = shares / shares.sum()
    assert levels["letters"] == pytest.approx(-np.log2(shares[made.test]).mean())
    assert levels["uniform"] > levels["letters"] > levels["pairs"] > 2.5


def test_without_data_the_text_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("DLCORE_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for source in ("shakespeare", "poems"):
        with pytest.raises(Problem) as caught:
            data.corpus(source)
        assert caught.value.kind == "data_missing"


# -- the model --------------------------------------------------------------------------------------------------------


def tiny_model(cell: str = "lstm", symbols: int = 12) -> LetterModel:
    torch.manual_seed(0)
    return LetterModel(symbols, cell, 16).eval()


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_reading_letter_by_letter_is_reading_at_once(cell: str):
    model, X, kept = tiny_model(cell), torch.randint(0, 12, (3, 9)), None
    with torch.no_grad():
        whole, steps = model(X), []
        for t in range(9):
            logits, _outputs, kept = model.read(X[:, t : t + 1], kept)
            steps.append(logits)
    torch.testing.assert_close(torch.cat(steps, 1), whole)


def test_bits_are_those_of_the_plain_sum():
    model, codes = tiny_model(), torch.randint(0, 12, (1500,))
    with torch.no_grad():
        logits = model(codes[None, :-1])[0].double()
        plain = -logits.log_softmax(1)[torch.arange(1499), codes[1:]] / math.log(2)
        found = bits_per_character(model, codes, 300)
    assert found == pytest.approx(float(plain[299:].mean()), abs=1e-3)  # an untrained memory reaches back a little


@given(st.integers(0, 2**20), st.integers(0, 6), st.floats(0, 3))
@settings(max_examples=40)
def test_only_allowed_letters_are_drawn_and_the_same_chance_draws_the_same(seed: int, k: int, temperature: float):
    logits = torch.from_numpy(np.random.default_rng(seed).normal(0, 3, (5, 9))).float()
    draws = torch.from_numpy(np.random.default_rng(seed + 1).random(5))
    drawn = choose(logits, draws, torch.full((5,), temperature), k)
    assert (drawn > 0).all(), "the rare symbol is never written"
    assert torch.equal(drawn, choose(logits, draws, torch.full((5,), temperature), k))
    ranks = (logits[:, 1:] > logits.gather(1, drawn[:, None])).sum(1)
    assert (ranks < (k or 8)).all()
    if temperature == 0:
        assert (ranks == 0).all()


def test_letters_are_drawn_as_often_as_their_probabilities_say():
    logits = torch.tensor([[9.0, 0.0, 1.0, 2.0]])
    draws = torch.linspace(0, 1, 20_001)[:-1]
    drawn = choose(logits.expand(20_000, -1), draws, torch.ones(20_000))
    shares = torch.bincount(drawn, minlength=4).double() / 20_000
    torch.testing.assert_close(shares[1:], logits[0, 1:].double().softmax(0), atol=1e-3, rtol=0)
    cold = choose(logits.expand(20_000, -1), draws, torch.full((20_000,), 0.5))
    assert (torch.bincount(cold, minlength=4) / 20_000)[3] > shares[3]


def test_writing_moves_no_generator():
    model, before = tiny_model(), torch.get_rng_state()
    write(model, torch.tensor([1]), torch.rand(2, 5, generator=torch.Generator().manual_seed(0)), torch.ones(2))
    assert torch.equal(torch.get_rng_state(), before)


# -- the run ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def events():
    return list(text.run(build(Config, {**TINY, "cell": "all"})))


def test_a_run_tells_bits_samples_and_speed(events):
    start, end = events[0], events[-1]
    assert isinstance(start, Started)
    assert isinstance(end, Finished)
    levels, metrics = start.info["levels"], end.metrics
    assert 2 < metrics["bits_per_character"] < levels["uniform"]
    assert metrics["bits_per_character"] == min(
        metrics[f"bits_per_character/{cell}"] for cell in ("rnn", "lstm", "gru")
    )
    assert metrics["tokens_per_second"] > 0
    json.dumps(metrics)
    history = History()
    for event in events:
        history.add(event)
    steps, texts = samples(history)
    assert set(texts) == {"rnn", "lstm", "gru"}
    assert steps[0] == 0
    assert steps[-1] == 60
    assert all(len(sample) == text.SAMPLE for sample in texts["gru"])
    assert real_words(texts["gru"][0], "alice", "") != 1.0


def test_three_cells_learn_from_the_same_batches_as_each_alone(events):
    alone = list(text.run(build(Config, {**TINY, "cell": "gru"})))
    together = [e.metrics["test_bits/gru"] for e in events if isinstance(e, Epoch) and "test_bits/gru" in e.metrics]
    assert [e.metrics["test_bits/gru"] for e in alone if isinstance(e, Epoch)] == pytest.approx(together, abs=1e-5)


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_the_windows_do_not_depend_on_how_many_cells_read_them(dropout: float):
    seen: dict[str, list[torch.Tensor]] = {}
    for cell in ("gru", "all"):
        config = build(Config, {**TINY, "cell": cell, "steps": 3, "dropout": dropout, "device": "cpu"})
        task, plan, _exercise = text.made(config, data.corpus("alice"))
        read, windows = task.batch, seen.setdefault(cell, [])
        task.batch = lambda numbers, read=read, windows=windows: windows.append(read(numbers)[0]) or read(numbers)
        list(fit(task, plan))
    assert len(seen["all"]) == 3
    assert all(torch.equal(a, b) for a, b in zip(seen["gru"], seen["all"], strict=True))
    assert not torch.equal(*seen["all"][:2])


def test_a_cell_that_diverged_is_never_the_best(monkeypatch, tmp_path):
    """The first one's weights are spoiled: it comes first, and no number is smaller than its NaN."""

    class Spoiled(LetterModel):
        def __init__(self, symbols: int, cell: str = "lstm", **build):
            super().__init__(symbols, cell, **build)
            if cell == "rnn":
                torch.nn.init.constant_(self.head.weight, math.nan)

    monkeypatch.setattr("dlcore.models.letters.LetterModel", Spoiled)
    events = list(text.run(build(Config, {**TINY, "cell": "all", "steps": 5})))
    end = events[-1]
    assert isinstance(end, Finished)
    assert math.isnan(end.metrics["bits_per_character/rnn"])
    assert end.metrics["cell"] != "rnn"
    assert math.isfinite(end.metrics["bits_per_character"])
    file = tmp_path / "checkpoint"
    file.write_bytes(pack([e.state for e in events if isinstance(e, Checkpoint)][-1]))
    assert writer(str(file)).cell == end.metrics["cell"]


@pytest.mark.gpu
def test_it_learns_and_writes_on_a_gpu():
    events = list(text.run(build(Config, {**TINY, "cell": "all", "steps": 5, "device": "cuda"})))
    assert isinstance(events[-1], Finished)


def test_a_resumed_run_ends_like_one_that_never_stopped():
    config, steering = build(Config, TINY), Steering()
    plain = list(text.run(config))
    steering.until = 25
    states = (e.state for e in text.run(config, steering=steering) if isinstance(e, Checkpoint) and e.step == 25)
    resumed = list(text.run(config, resume=next(states)))
    ends = [run[-1] for run in (plain, resumed)]
    bits = [end.metrics["bits_per_character"] for end in ends if isinstance(end, Finished)]
    assert len(bits) == 2
    assert bits[0] == bits[1]


def test_the_command_line_finds_the_lesson():
    assert lesson_of("sequences", {"task": "text", "source": "alice"}) == ("text", {"source": "alice"})


@pytest.mark.usefixtures("state")
def test_too_long_a_window_says_so():
    kept = keep(b"some words, " * 100)
    config = build(Config, {"source": "own", "data_hash": kept.hash})
    with pytest.raises(Problem, match="window"):
        text.resolve(replace(config, length=5000))


# -- what is asked of it ----------------------------------------------------------------------------------------------


def test_the_shipped_network_knows_alice_and_says_so_in_bits():
    known = listen("`What is the use of a book,' thought Alice")
    strange = listen("Zq4#jj vvx kkpq wzzt qqy xjx zzk")
    assert known["bits"].mean() < 2.5 < 4 < strange["bits"].mean()
    assert known["probabilities"].sum() <= 1.0 + 1e-6
    after_q = listen("a q")
    assert after_q["next"][0] == "u"
    assert after_q["probabilities"][0] > 0.8
    assert listen("")["bits"].shape == (0,)
    assert listen("猫")["unknown"].tolist() == [True]


def test_the_same_chance_writes_the_same_and_cold_writing_goes_in_circles():
    warm = go_on("Alice ", [0.8, 0.8], length=60, seed=3)
    assert warm[0] == warm[1] == go_on("Alice ", [0.8], length=60, seed=3)[0]
    assert warm[0] != go_on("Alice ", [0.8], length=60, seed=4)[0]
    assert goes_in_circles(go_on("Alice ", [0.0], length=600)[0])
    assert not goes_in_circles(go_on("Alice ", [0.9], length=420)[0])
    assert listen("Alice " + go_on("Alice ", [0.0], length=80)[0])["bits"].mean() < CALM


def test_units_of_the_shipped_network_know_more_than_before_training():
    found = study()
    best, untrained = (
        dict(zip(found["features"], r, strict=True)) for r in (np.abs(found["r"]).max(0), found["untrained"])
    )
    assert best["capitals"] == pytest.approx(0.70, abs=0.03)  # the numbers that the prose names
    assert untrained["capitals"] == pytest.approx(0.24, abs=0.03)
    assert best["quote"] == pytest.approx(0.27, abs=0.03)
    assert untrained["quote"] == pytest.approx(0.20, abs=0.03)
    assert best["line"] == pytest.approx(0.16, abs=0.03), "it does not count"
    assert untrained["line"] == pytest.approx(0.31, abs=0.03)
    assert found["chance"].max() < 0.1
    assert found["activity"].shape == (len(found["text"]), found["r"].shape[0])
    assert np.abs(found["activity"]).max() <= 1


def test_features_look_back_only():
    words = "He said `Don't go (please)!' and\nleft.\n\nALICE: “So!”\n"
    whole = features(words)
    assert set(whole) <= set(FEATURES)
    for end in (5, 20, 30, len(words) - 1):
        for name, values in features(words[:end]).items():
            if name != "quote":  # whether ' closes is seen by the letter after it
                assert np.array_equal(values, whole[name][:end]), name
    inside = quoted(words)
    assert inside[words.index("Don't")]
    assert inside[words.index("please")]
    assert not inside[words.index("and")]
    assert since("ab\ncd", "\n").tolist() == [1, 2, 0, 1, 2]


def test_correlations_are_pearsons_and_chance_is_small():
    rng = np.random.default_rng(0)
    activity, feature = rng.normal(size=(4000, 3)), rng.normal(size=4000)
    activity[:, 1] = 0.6 * feature + 0.8 * activity[:, 1]
    found = correlations(activity, {"line": feature})
    assert found[:, 0] == pytest.approx([np.corrcoef(activity[:, k], feature)[0, 1] for k in range(3)], abs=1e-6)
    assert by_chance(activity, {"line": feature})[0] < 0.06
    assert correlations(np.ones((10, 1)), {"line": np.arange(10.0)})[0, 0] == 0


def test_invented_words_and_circles():
    assert invented("Alice was very curiouz indeed and", "alice", "") == ((15, 22),)
    assert real_words("Alice was glorp here ", "alice", "") == pytest.approx(0.75)
    assert goes_in_circles("the queen of hearts said " * 3)
    assert not goes_in_circles("the queen of hearts said nothing at all, and the king went on reading")


@pytest.mark.slow
@pytest.mark.usefixtures("state")
def test_too_many_steps_on_a_short_text_are_learned_by_heart():
    words = data.text_of("alice")[:6000]
    kept = keep(words.encode())
    history = History()
    config = {"source": "own", "data_hash": kept.hash, "hidden": 96, "steps": 500, "threads": 1,
              "precision": "float32", "schedule": "constant", "learning_rate": 1e-2}  # fmt: skip
    for event in text.run(build(Config, config)):
        history.add(event)
    assert learned_by_heart([history]) == 1
