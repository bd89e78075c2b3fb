"""Dates and numbers as pairs, the encoder-decoder against torch and by hand, and what attention is worth."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from dlcore import attention_story as story
from dlcore.data import dates, numerals
from dlcore.data import pairs as data
from dlcore.data.pairs import UNKNOWN, decode_answer, encode, encode_answers, pairs
from dlcore.events import Checkpoint, Finished, Step, pack, unpack
from dlcore.experiments import attention as lesson
from dlcore.experiments import attention_look, lesson_of
from dlcore.figures import attention as figures
from dlcore.history import History
from dlcore.knobs import build, parse
from dlcore.models.seq2seq import ATTENTIONS, Additive, Dot, Seq2Seq, attend, shifted
from dlcore.steering import Steering
from dlcore.texts import Problem

SMALL = {"threads": 1, "device": "cpu", "examples": 300, "steps": 4, "hidden": 8, "batch_size": 8, "length": 0}


def ran(**settings) -> tuple[History, dict]:
    """A run's history and the state of its last checkpoint."""
    history, state = History(), {}
    for event in lesson.run(build(lesson.Config, {**SMALL, **settings})):
        history.add(event)
        state = event.state if isinstance(event, Checkpoint) else state
    return history, state


# -- the pairs -------------------------------------------------------------------------------------------------------


def test_the_third_of_may_in_all_its_forms():
    day = date(2021, 5, 3)
    assert [form(day) for form in dates.ENGLISH] == [
        "3 May 2021", "May 3, 2021", "May 3, 2021", "the 3rd of May 2021", "May the 3rd, '21", "Monday, 3 May 2021",
        "the third of May, 2021", "3-May-21", "03.05.2021", "3.5.21", "2021/5/3", "2021 May 3",
    ]  # fmt: skip
    assert [form(day) for form in dates.CHINESE] == [
        "2021年5月3日", "2021年5月3号", "21年5月3日", "2021年5月3日，星期一",
        "二〇二一年五月三日", "二零二一年五月三号", "二一年五月三日",
    ]  # fmt: skip
    assert [dates.ordinal(n) for n in (1, 2, 3, 11, 12, 13, 21, 22, 23, 31)] == [
        "1st", "2nd", "3rd", "11th", "12th", "13th", "21st", "22nd", "23rd", "31st",
    ]  # fmt: skip
    assert [dates.hanzi(n) for n in (3, 10, 12, 20, 31)] == ["三", "十", "十二", "二十", "三十一"]


def test_no_text_means_two_days():
    """Whatever the form: who reads a text can tell the day (the rules are in ``dlcore.data.dates``)."""
    meant: dict[str, int] = {}
    for number in range(dates.count()):
        for form in (*dates.ENGLISH[7:11], *dates.CHINESE[2:3], *dates.CHINESE[6:]):  # those that say the least
            assert meant.setdefault(form(dates.day_of(number)), number) == number


def english_value(words: str) -> int:
    """Reads a number in English words, independently of how it was made."""
    total = part = 0
    for word in words.replace("-", " ").split():
        if word in numerals.SMALL:
            part += numerals.SMALL.index(word)
        elif word in numerals.TENS:
            part += 10 * numerals.TENS.index(word)
        elif word == "hundred":
            part *= 100
        elif word == "thousand":
            total, part = part * 1000, 0
        else:
            assert word == "and"
    return total + part


def chinese_value(words: str) -> int:
    """Reads a number in Chinese characters, independently of how it was made."""
    total, digit = 0, 0
    for letter in words.replace("两", "二"):
        unit = {name: size for size, name in numerals.UNITS}.get(letter)
        if unit:
            total, digit = total + max(digit, 1) * unit, 0
        else:
            digit = numerals.DIGITS.index(letter)
    return total + digit


def test_numbers_in_words_are_these_numbers():
    for n in (*range(300), *range(300, numerals.MOST + 1, 37), numerals.MOST):
        assert {english_value(form(n)) for form in numerals.ENGLISH} == {n}
        assert {chinese_value(form(n)) for form in numerals.CHINESE} == {n}
    assert numerals.english(205) == "two hundred and five"
    assert [numerals.chinese(n) for n in (0, 10, 15, 115, 205, 2005, 10_003, 20_200)] == [
        "零", "十", "十五", "一百一十五", "二百零五", "二千零五", "一万零三", "二万零二百",
    ]  # fmt: skip
    assert numerals.chinese(22_222, "两") == "两万两千两百二十二"


@pytest.mark.parametrize("task", data.TASKS)
def test_what_is_tested_was_never_learned_in_any_form(task):
    made = pairs(task, 30, 4000, 3)
    assert not {answer for _text, answer in made.train} & {answer for _text, answer in made.test}
    assert len(made.test) == data.TEST_SIZE
    assert made.fingerprint == pairs.__wrapped__(task, 30, 4000, 3).fingerprint
    assert made.fingerprint != pairs(task, 30, 4000, 4).fingerprint


@given(st.integers(0, 160), st.integers(0, 999), st.integers(0, dates.count() - 1))
def test_a_sentence_holds_the_date_and_is_as_long_as_asked(length, seed, number):
    rng = np.random.default_rng(seed)
    text = dates.ENGLISH[0](dates.day_of(number))
    sentence = data.surrounded(text, length, rng)
    assert text in sentence
    assert len(sentence) <= max(length, len(text))
    assert len(sentence) > length - 30 or sentence == text
    assert not any(letter.isdigit() for letter in sentence.replace(text, ""))


def test_letters_become_numbers_and_answers_symbols():
    X, lengths = encode(["Ab", "ａ", "é!", ""], "ab")
    assert X.tolist() == [[2, 3], [2, 0], [UNKNOWN, UNKNOWN], [0, 0]]
    assert lengths.tolist() == [2, 1, 2, 1]
    Y = encode_answers(["205", "2021-05-03"], 10)
    assert [decode_answer(row) for row in Y] == ["205", "2021-05-03"]
    assert decode_answer([2, 1, 3, 0, 5]) == "0␣1"


# -- the network -----------------------------------------------------------------------------------------------------


def network(attention: str = "dot", cell: str = "gru", **settings) -> Seq2Seq:
    torch.manual_seed(0)
    return Seq2Seq(30, 13, cell=cell, hidden=8, attention=attention, **settings).eval()


def some(lengths: Sequence[int], U: int = 4) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Random texts of these lengths, padded, and symbols that were written before."""
    generator = torch.Generator().manual_seed(1)
    text = torch.randint(2, 30, (len(lengths), max(lengths)), generator=generator)
    for row, length in zip(text, lengths, strict=True):
        row[length:] = 0
    return text, torch.tensor(lengths), torch.randint(1, 13, (len(lengths), U), generator=generator)


def test_dot_attention_is_torchs():
    torch.manual_seed(0)
    query, memory = torch.randn(3, 5, 8), torch.randn(3, 7, 8)
    mask = torch.arange(7) < torch.tensor([7, 4, 1])[:, None]
    ours, weights = attend(Dot()(query, memory), memory, mask)
    theirs = F.scaled_dot_product_attention(query, memory, memory, attn_mask=mask[:, None].expand(3, 5, 7))
    torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=0)
    torch.testing.assert_close(weights.sum(-1), torch.ones(3, 5))
    assert weights[1, :, 4:].abs().max() == 0


def test_additive_attention_by_hand():
    torch.manual_seed(0)
    score, query, memory = Additive(4), torch.randn(1, 2, 4), torch.randn(1, 3, 4)
    found = score(query, memory)[0].detach().numpy()
    W, b, V, v = (p.detach().numpy() for p in (score.W.weight, score.W.bias, score.V.weight, score.v.weight[0]))
    for u in range(2):
        for t in range(3):
            by_hand = v @ np.tanh(W @ query[0, u].numpy() + b + V @ memory[0, t].numpy())
            assert found[u, t] == pytest.approx(by_hand, abs=1e-6)


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("attention", ATTENTIONS)
def test_padding_changes_nothing(attention, cell):
    model = network(attention, cell)
    text, lengths, before = some([3, 9, 6])
    together, weights, _state = model.decode(*model.encode(text, lengths), before)
    for i, n in enumerate(lengths.tolist()):
        alone, seen, _state = model.decode(*model.encode(text[i : i + 1, :n], lengths[i : i + 1]), before[i : i + 1])
        torch.testing.assert_close(together[i], alone[0], atol=1e-6, rtol=0)
        if attention != "none":
            torch.testing.assert_close(weights[i, :, :n], seen[0], atol=1e-6, rtol=0)
            torch.testing.assert_close(weights[i, :, :n].sum(-1), torch.ones(4))
            assert not weights[i, :, n:].any()


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_writing_alone_is_reading_ones_own_symbols(attention):
    """Greedy decoding, symbol by symbol, and all steps at once with the same symbols before them: the same numbers."""
    model = network(attention, "lstm")
    text, lengths, _before = some([5, 8])
    said, shares, looks = model.write(text, lengths, 6)
    logits, weights, _state = model.decode(*model.encode(text, lengths), shifted(said))
    torch.testing.assert_close(shares, logits.softmax(-1), atol=1e-6, rtol=0)
    torch.testing.assert_close(looks, weights, atol=1e-6, rtol=0)
    assert (logits.argmax(-1) == said).all()


def test_only_the_wiring_differs():
    """With the dot product both networks have the same weights, and begin with the same."""
    one, other = network("dot").state_dict(), network("none").state_dict()
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
    extra = network("additive").state_dict().keys() - one.keys()
    assert {name.split(".")[0] for name in extra} == {"score"}


def test_without_attention_the_vector_is_all_there_is():
    model = network("none")
    text, lengths, before = some([5, 8])
    memory, mask, vector = model.encode(text, lengths)
    same = model.decode(torch.randn_like(memory), mask, vector, before)[0]
    torch.testing.assert_close(same, model((text, lengths, before)))


# -- the experiment --------------------------------------------------------------------------------------------------


def test_a_run_tells_of_both_networks():
    history, state = ran()
    assert history.state == "finished"
    assert history.info["cells"] == ["none", "dot"]
    assert history.info["params"]["none"] == history.info["params"]["dot"]
    assert {"test_accuracy", "test_accuracy/none", "test_accuracy/dot", "test_characters/dot"} <= history.metrics.keys()
    frame = history.frames.kept[-1]
    assert frame["said"].shape == (2, lesson.SAMPLES, 10)
    text, symbols = story.example(history)
    assert (text, symbols) == ("May the 3rd, '21", "2021-05-03")
    steps, maps = story.film(history)
    assert maps.shape == (len(steps), 10, len(text))
    np.testing.assert_allclose(maps.sum(-1), 1, atol=1e-5)
    assert state["cells"] == ["none", "dot"]
    told = story.numbers(history, 8)
    assert float(told["w1"]) >= float(told["w2"])
    assert told.keys() == story.numbers(History(), 8).keys()


@pytest.mark.parametrize(
    ("settings", "names"),
    [({"attention": "none"}, ["none"]), ({"compare": False, "cell": "lstm"}, ["dot"]),
     ({"attention": "additive", "task": "numerals", "length": 40}, ["none", "additive"])],
)  # fmt: skip
def test_other_settings(settings, names):
    history, _state = ran(**settings)
    assert history.info["cells"] == names
    assert 0 <= history.metrics["test_accuracy"] <= history.metrics["test_characters"] <= 1
    steps, maps = story.film(history)
    assert len(maps) == len(steps) == (0 if names == ["none"] else len(history.frames.kept))


def test_alone_or_together_the_network_learns_the_same():
    both, alone = ran()[0], ran(compare=False)[0]
    assert both.metrics["test_characters/dot"] == pytest.approx(alone.metrics["test_characters"], abs=1e-6)
    ours, theirs = both.steps.column("loss/dot"), alone.steps.column("loss/dot")
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_a_run_is_repeated_and_resumed_to_the_bit():
    config, steering = build(lesson.Config, SMALL), Steering()
    losses = [event.loss for event in lesson.run(config) if isinstance(event, Step)]
    steering.until = 2
    rest = lesson.run(config, steering=steering)
    state = next(event.state for event in rest if isinstance(event, Checkpoint))
    rest.close()  # pyright: ignore[reportAttributeAccessIssue]
    assert state["step"] == 2
    resumed = lesson.run(config, resume=unpack(pack(state)))
    assert [event.loss for event in resumed if isinstance(event, Step)] == losses[2:]


def test_the_tasks_are_reached_by_the_name_of_the_part():
    for task in data.TASKS:
        home, settings = lesson_of("sequences", {"task": task, "length": "30"})
        assert home == "attention"
        assert parse(lesson.Config, settings).task == task
    with pytest.raises(Problem, match="cell"):
        parse(lesson.Config, {"cell": "transformer"})


@pytest.mark.slow
def test_attention_learns_from_sentences_what_one_vector_cannot_yet():
    """The lesson's effect, long before its default end; a seed of its own."""
    settings = {"device": "cpu", "seed": 11, "steps": 180, "evaluations": 1, "threads": 1}
    *_events, last = lesson.run(build(lesson.Config, settings))
    assert isinstance(last, Finished)
    assert last.metrics["test_accuracy/dot"] >= 0.85
    assert last.metrics["test_accuracy/none"] <= 0.3


# -- asking ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> str:
    _history, state = ran()
    path = Path(tmp_path_factory.mktemp("attention")) / "checkpoint.bin"
    path.write_bytes(pack(state))
    return str(path)


@pytest.mark.parametrize(
    "text", ["May the 3rd, '21", "二〇二一年五月三日", "31 February 2021", "٣ مايو", "🙂", "x" * 200, "  3\n"]
)
def test_whatever_is_typed_is_answered(checkpoint, text):
    asked = attention_look.read(text, checkpoint)
    T = len(asked["letters"])
    assert asked["unknown"].shape == (T,)
    for name, found in asked["networks"].items():
        U = len(found["said"])
        assert found["shares"].shape == (U, 13)
        np.testing.assert_allclose(found["shares"].sum(1), 1, atol=1e-5)
        assert found["needs"].shape == (U, T)
        assert ((found["needs"] >= 0) & (found["needs"] <= 1)).all()
        assert 0 < story.surest(found) <= 1
        if name == "none":
            assert found["looks"] is None
            assert found["vector"].shape == (8,)
        else:
            np.testing.assert_allclose(found["looks"].sum(1), 1, atol=1e-5)
    if text == "🙂":
        assert asked["unknown"].all()


@pytest.mark.parametrize(("text", "kind"), [("", "empty"), (" \n", "empty"), ("x" * 201, "long")])
def test_nothing_and_too_much_are_told(checkpoint, text, kind):
    with pytest.raises(Problem) as told:
        attention_look.read(text, checkpoint)
    assert told.value.kind == kind


def test_what_a_letter_counts_for_is_what_hiding_it_costs(checkpoint):
    text, letters = "3 May 2021", attention_look.network(checkpoint).letters
    model = attention_look.network(checkpoint).models["dot"]
    found = attention_look.read(text, checkpoint)["networks"]["dot"]
    said = torch.from_numpy(found["said"])[None]
    X, lengths = (torch.from_numpy(part) for part in encode([text], letters))
    shares = []
    for hide in (None, 2):
        if hide is not None:
            X[0, hide] = UNKNOWN
        shares.append(model((X, lengths, shifted(said))).softmax(-1)[0].gather(1, said.T)[:, 0])
    lost = (shares[0] - shares[1]).clamp(min=0).detach().numpy()
    np.testing.assert_allclose(found["needs"][:, 2], lost, atol=1e-6)


# -- the story and the figures ---------------------------------------------------------------------------------------


def test_days_that_are_none():
    assert not story.impossible("dates", "2024-02-29")
    for answer in ("2021-02-29", "2021-02-31", "2021-13-01", "20210503", "", "2021-5-3"):
        assert story.impossible("dates", answer)
    assert not story.impossible("numerals", "205")
    assert story.impossible("numerals", "")
    assert story.impossible("numerals", "2-5")


def test_a_glance_in_vain():
    looks = np.array([[0.1, 0.9], [0.6, 0.4], [0.5, 0.5]], np.float32)
    needs = np.array([[0.9, 0.0], [0.5, 0.0], [0.0, 0.0]], np.float32)
    found = {"looks": looks, "needs": needs}
    assert [story.looked_in_vain(found, symbol) for symbol in range(3)] == [True, False, False]
    assert not story.looked_in_vain({"looks": None}, 0)


def finished(length: int, steps: int = 300, **accuracy: float) -> History:
    history = History(state="finished", config={"length": length, "steps": steps})
    history.metrics = {f"test_accuracy/{name}": value for name, value in accuracy.items()}
    history.metrics["test_accuracy"] = max(accuracy.values())
    return history


def test_challenges_are_about_finished_runs():
    assert story.caught_up([]) == 0
    assert story.caught_up([finished(0, none=0.99)]) == 0
    assert story.caught_up([finished(40, none=0.45, dot=1.0)]) == pytest.approx(0.5)
    assert story.caught_up([finished(40, none=0.91), finished(40, dot=0.99)]) > 1
    assert story.from_afar([finished(40, dot=0.99), finished(120, 601, dot=0.99)]) == 0
    assert story.from_afar([finished(120, none=0.1, dot=0.96)]) > 1


def test_figures_are_valid():
    weights = np.random.default_rng(0).random((3, 4, 6), dtype=np.float32)
    for film in (figures.film(weights, "3 <&5.", "2021"), figures.film(weights[:0], "", "")):
        go.Figure(film.figure.to_dict())
    texts = figures.film(weights, "3 <&5.", "2021").figure.to_dict()["layout"]["xaxis"]["ticktext"]
    assert list(texts) == ["3", "␣", "&lt;", "&", "5", "."]
