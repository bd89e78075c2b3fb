"""Which word turned the sentence? A recurrent network reads names letter by letter, sentences word by word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dlcore.data.corpora import AUTO, BUILT_IN, REAL, TASKS, Corpus, corpus, dataset_of
from dlcore.data.tokens import TOKENIZERS
from dlcore.events import Event, Finished, Snapshot
from dlcore.experiments.sequence_settings import SequenceConfig
from dlcore.knobs import knob
from dlcore.reading_story import SAMPLES
from dlcore.steering import Steering
from dlcore.step_memory import check_step
from dlcore.texts import N_

LANE = "train"
TURNING = ("rt_polarity", "waimai", "grammar", "grammar_zh")

GRAMMAR = {"hidden": 32, "embedding": 16, "learning_rate": 0.01, "dropout": 0.1}
RECIPES: dict[str, dict[str, Any]] = {
    "names": {"hidden": 96, "batch_size": 128, "steps": 600, "learning_rate": 0.01},
    "territories": {"cell": "gru", "steps": 400, "learning_rate": 0.01, "dropout": 0.3, "forget_bias": 1.0},
    "rt_polarity": {"hidden": 48, "embedding": 64, "steps": 450, "learning_rate": 0.015, "dropout": 0.5,
                    "blanks": 0.1, "readout": "mean", "bidirectional": True},
    "waimai": {"hidden": 48, "embedding": 48, "steps": 200, "learning_rate": 0.01, "dropout": 0.4, "readout": "mean"},
    "grammar": GRAMMAR,
    "grammar_zh": GRAMMAR,
}  # fmt: skip
# One thread: a step's matrices are small, and two threads wait for each other where several runs share the machine.
RECIPES = {name: {"schedule": "one_cycle", "threads": 1, **settings} for name, settings in RECIPES.items()}


@dataclass(frozen=True)
class Config(SequenceConfig):
    """The settings of the reading lesson."""

    task: str = knob(
        "names",
        choices=TASKS,
        label=N_("Task"),
        help=N_("Which country a name comes from, letter by letter; or whether a sentence praises, word by word."),
    )
    language: str = knob(
        "en",
        choices=("en", "zh"),
        label=N_("Sentences in"),
        help=N_("English sentences are read word by word, Chinese ones character by character."),
    )
    dataset: str = knob(
        AUTO,
        choices=(AUTO, REAL, BUILT_IN),
        label=N_("Data"),
        help=N_("Real names and reviews where they are on this machine; or what comes along, which needs no file."),
    )
    embedding: int = knob(
        32,
        low=1,
        high=256,
        log=True,
        step=1,
        label=N_("Numbers per token"),
        help=N_("Each letter or word is looked up in a table of so many learned numbers: its embedding."),
    )
    bidirectional: bool = knob(
        False,
        advanced=True,
        label=N_("Both directions"),
        help=N_("A second layer reads from the end to the beginning; the decision is made from both."),
    )
    readout: str = knob(
        "last",
        choices=("last", "max", "mean"),
        advanced=True,
        label=N_("Decides from"),
        help=N_("The state after the last token; or each unit’s largest or mean value over all of them."),
    )
    dropout: float = knob(
        0.2,
        low=0.0,
        high=0.9,
        advanced=True,
        label=N_("Dropout"),
        help=N_("The share of the embedding and of the state that is switched off at random in each step."),
    )
    blanks: float = knob(
        0.0,
        low=0.0,
        high=0.9,
        advanced=True,
        label=N_("Words blanked out"),
        help=N_("The share of tokens that are read as “unknown” in training, so that no single one is relied on."),
    )

    @classmethod
    def recipe(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """Defaults that go with the task and with the data that it will find; docs/teaching.md has what was tried."""
        task, language = given.get("task", "names"), given.get("language", "en")
        return RECIPES[dataset_of(task, language, given.get("dataset", AUTO))]


def data_of(config: Config) -> Corpus:
    """The texts that the config names. Raises ``Problem`` where they are not here."""
    return corpus(dataset_of(config.task, config.language, config.dataset))


def resolve(config: Config) -> Config:
    """The config with device, source and fingerprint of the data made definite.

    Raises:
        Problem: the data is not here, is not the data that the config names, or the device is missing; or a step
            would take too much memory.
    """
    from dlcore.sequence_training import cells_of, resolve_on

    data = data_of(config)
    units = config.hidden * (1 + config.bidirectional) + config.embedding // 4  # an embedding is kept a few times only
    check_step(config.batch_size, data.mean_length, units, models=len(cells_of(config)))
    real = data.name == dataset_of(config.task, config.language, REAL)
    return resolve_on(replace(config, dataset=REAL if real else BUILT_IN), data.texts.hash)


def run(config: Config, *, resume: dict[str, Any] | None = None, steering: Steering | None = None) -> Iterator[Event]:
    """Train and tell; at the end the probabilities of the held-out texts as Snapshot "test_predictions".

    ``Finished.metrics``: what ``sequence_training.train`` tells, bag_accuracy (a logistic regression on how often each
    token occurs) and majority_accuracy (always the most frequent class).
    """
    from dlcore.bag_of_words import fit, scores
    from dlcore.device import reproducible
    from dlcore.reading_training import exercise_of, logits_of
    from dlcore.sequence_training import prepare, train

    config, data = resolve(config), data_of(config)
    bag = fit(data)
    plain = scores(data, bag)
    reproducible(config.seed, threads=config.threads, device=config.device)
    exercise = exercise_of(config, data, bag, example_of(data.name))
    task, plan = prepare(config, exercise)
    info = {**plain, **about_data(data)}
    for event in train(task, plan, config, exercise, info=info, resume=resume, steering=steering):
        if isinstance(event, Finished):
            found = logits_of(task.parts[event.metrics["cell"]].eval(), data.test, config.device).softmax(1)
            arrays = {"probabilities": found.cpu().numpy(), "labels": data.texts.y_test}
            yield Snapshot(event.step, "test_predictions", arrays)
            event = replace(event, metrics={**event.metrics, **plain})
        yield event


def about_data(data: Corpus) -> dict[str, Any]:
    """What the page tells of the data: name, classes, and what was done with repeats; builtins only."""
    texts = data.texts
    example = example_of(data.name)
    return {
        "example": example, "example_tokens": TOKENIZERS[data.kind](example),
        "dataset": data.name, "classes": list(texts.classes), "train_size": len(texts.train),
        "test_size": len(texts.test), "repeats": texts.repeats, "shared": texts.shared,
        "tokens": len(data.vocabulary.tokens), "longest": max(map(len, data.train)),
    }  # fmt: skip


def example_of(name: str) -> str:
    """The text whose reading is shown while the network trains: long enough for a turn."""
    return max(SAMPLES[name], key=len) if name in TURNING else SAMPLES[name][0]
