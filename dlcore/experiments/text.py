"""Can a network learn to write? A recurrent network reads a text letter by letter and learns which comes next.

Losses are told in nats, as they are minimised; ``bits_per_character`` and ``test_bits`` in bits. While it trains it
writes now and then: Snapshots named "frames" with ``sample/<cell>`` (1, n), the letters as places in
``Started.info["symbols"]``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from dlcore.data.text import SOURCES, Corpus, corpus
from dlcore.device import PRECISIONS, Layout, choose_layout
from dlcore.events import Event, Finished
from dlcore.experiments.sequence_settings import SequenceConfig
from dlcore.knobs import knob, knob_like
from dlcore.sequence_training import Exercise, Look, best_of, cells_of, prepare, resolve_on, train
from dlcore.steering import Steering
from dlcore.step_memory import check_step
from dlcore.texts import N_, Problem

if TYPE_CHECKING:
    from torch import Generator, Tensor, nn

    from dlcore.models.together import Together
    from dlcore.training import Plan, Task

LANE = "train"
SAMPLE, TEMPERATURE = 240, 0.7  # letters of the sample that is written while it trains, and how boldly
LOOK_SECONDS = 1.5
MEASURED = 16_000  # held-out letters that are measured on the way; at the end all of them
# What the sources ask for: the network, the batches, the steps.
ASKS: dict[str, dict[str, Any]] = {
    "alice": {},
    "shakespeare": {"hidden": 256, "steps": 2000},
    "poems": {"hidden": 192, "length": 48, "steps": 600},
    "own": {},
}


@dataclass(frozen=True)
class Config(SequenceConfig):
    """The settings of the text lesson."""

    source: str = knob(
        "alice", choices=SOURCES, label=N_("Text"),
        help=N_("What it learns to write: a story, plays, Chinese poems, or a text of yours."),
    )  # fmt: skip
    cell: str = knob_like(SequenceConfig, "cell")
    hidden: int = knob_like(SequenceConfig, "hidden", default=128)
    length: int = knob(
        64, low=2, high=400, log=True, step=1, label=N_("Window"),
        help=N_("How many letters are read in one go: no gradient reaches further back."),
    )  # fmt: skip
    steps: int = knob_like(SequenceConfig, "steps", default=1000)
    learning_rate: float = knob_like(SequenceConfig, "learning_rate", default=1.6e-2)
    layers: int = knob(
        1, low=1, high=3, step=1, advanced=True, label=N_("Layers"),
        help=N_("How many recurrent layers stand on one another."),
    )  # fmt: skip
    dropout: float = knob(
        0.0, low=0.0, high=0.8, advanced=True, zero=N_("none"), label=N_("Dropout"),
        help=N_(
            "The share of what a layer passes on that is switched off at random in each step: for each cell others, "
            "so with dropout a cell beside two more ends a little differently than alone, though on the same windows."
        ),
    )  # fmt: skip
    batch_size: int = knob_like(SequenceConfig, "batch_size", default=32, advanced=True)
    forget_bias: float = knob_like(SequenceConfig, "forget_bias", default=1.0, advanced=True)
    beta2: float = knob_like(SequenceConfig, "beta2", default=0.99)
    schedule: str = knob_like(SequenceConfig, "schedule", default="one_cycle")
    precision: str = knob(
        "auto", choices=PRECISIONS, advanced=True, label=N_("Precision"),
        help=N_("Number type of the layers' arithmetic; “auto” tries which is faster here."),
    )  # fmt: skip

    @classmethod
    def recipe(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """Defaults that go with the text."""
        return dict(ASKS[given.get("source", "alice")])


def load(config: Config | Mapping[str, Any]) -> Corpus:
    """The text of a config, or of a run's config as its history has it."""
    known = config if isinstance(config, Mapping) else vars(config)
    return corpus(known["source"], known["data_hash"])


def resolve(config: Config) -> Config:
    """The config with device, precision and the text's fingerprint made definite.

    Raises:
        Problem: the text is not here, is another than the config names, or is shorter than a window; or a step would
            take too much memory.
    """
    data = load(config)
    if len(data.train) <= config.length + 1:
        raise Problem(
            N_("A window of {length} letters is longer than the learned part of this text ({n})."),
            kind="length", length=config.length, n=len(data.train),
        )  # fmt: skip
    check_step(
        config.batch_size, config.length, config.hidden * config.layers,
        scores=len(data.symbols), models=len(cells_of(config)),
    )  # fmt: skip
    config = resolve_on(config, data.hash)
    if config.precision != "auto":
        return config
    layout = choose_layout(
        f"text/{config.cell}/{config.hidden}/{config.layers}/{len(data.symbols)}/{config.batch_size}x{config.length}",
        partial(_trial, config, data),
        wanted=Layout("contiguous", "auto"), device=config.device, threads=config.threads,
    )  # fmt: skip
    return replace(config, precision=layout.precision)


def _trial(config: Config, data: Corpus, layout: Layout) -> Any:
    """A function that does one training step in a layout."""
    from dlcore.training import stepper

    tried = replace(config, precision=layout.precision)
    return stepper(*made(tried, data)[:2])


def made(config: Config, data: Corpus) -> tuple[Task, Plan, Exercise]:
    """All that ``train`` needs, for a config whose device and precision are definite. Draws the first weights."""
    exercise = make_exercise(config, data)
    task, plan = prepare(config, exercise)
    return task, replace(plan, precision=config.precision, look_seconds=LOOK_SECONDS), exercise


def make_exercise(config: Config, data: Corpus) -> Exercise:
    """What is learned: windows anywhere in the learned part, each beginning without memory."""
    import torch

    from dlcore.models.letters import LetterModel

    train_codes = torch.from_numpy(data.train.astype(np.int64)).to(config.device)
    window = torch.arange(config.length + 1, device=config.device)
    build = {
        "symbols": len(data.symbols), "hidden": config.hidden, "layers": config.layers, "dropout": config.dropout,
        "forget_bias": config.forget_bias, "start": config.start, "radius": config.radius,
    }  # fmt: skip

    def batch(numbers: Tensor) -> tuple[Tensor, Tensor]:
        shape = (len(numbers), 1)
        starts = torch.randint(0, len(train_codes) - config.length, shape, generator=_chance(config, numbers))
        letters = train_codes[starts.to(config.device) + window]  # (B, T + 1)
        return letters[:, :-1], letters[:, 1:]

    return Exercise(
        lambda cell: LetterModel(cell=cell, **build), batch, losses,
        evaluate=partial(evaluate, data, MEASURED), look=partial(look, data), best="test_bits", lower=True,
        tokens=float(config.length),
        about={"build": build, "symbols": list(data.symbols), "source": data.source, "data_hash": data.hash},
    )  # fmt: skip


def _chance(config: Config, numbers: Tensor) -> Generator | None:
    """Where the windows of a batch are drawn from: the global generator, which a checkpoint keeps (None).

    Dropout draws there as well, as often as there are cells. So that a cell sees the same windows alone and among
    others, they are then drawn from what the batch is called: numbers (B,) that were shuffled before any dropout.
    """
    import torch

    if not config.dropout:
        return None
    return torch.Generator().manual_seed(config.seed * config.steps * config.batch_size + int(numbers[0]))


def losses(logits: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy of each window in nats, (B,), of logits ``(B, T, V)`` and letters ``(B, T)``."""
    from torch.nn.functional import cross_entropy

    return cross_entropy(logits.float().flatten(0, 1), targets.flatten(), reduction="none").view_as(targets).mean(1)


def evaluate(data: Corpus, most: int | None, model: nn.Module) -> dict[str, float]:
    """Bits for each held-out letter; of about ``most`` of them, from its whole length, or of all."""
    import torch

    from dlcore.models.letters import bits_per_character

    codes = torch.from_numpy(data.codes.astype(np.int64))
    return {"test_bits": bits_per_character(model, codes, data.split, most)}  # pyright: ignore[reportArgumentType]


def look(data: Corpus, models: Together) -> Look:
    """One frame of the film: what each cell writes now, with the same chance at every look."""
    import torch

    from dlcore.models.letters import write

    draws = torch.from_numpy(np.random.default_rng(0).random((1, SAMPLE)))
    prompt = torch.tensor([data.encode("\n")[0]], dtype=torch.int64)
    frames = {}
    for cell, model in models.items():
        was, device = model.training, next(model.parameters()).device
        model.eval()
        letters = write(model, prompt.to(device), draws, torch.tensor([TEMPERATURE]))  # pyright: ignore
        model.train(was)
        frames[f"sample/{cell}"] = letters.numpy().astype(np.int16)
    return {"frames": frames}


def run(config: Config, *, resume: dict[str, Any] | None = None, steering: Steering | None = None) -> Iterator[Event]:
    """Train the cells that the config names, from the same windows, and measure them on all held-out letters."""
    import torch

    from dlcore.device import reproducible

    config = resolve(config)
    reproducible(config.seed, threads=config.threads, device=config.device)
    data = load(config)
    task, plan, exercise = made(config, data)
    info = {
        "symbols": list(data.symbols), "characters": len(data.codes), "held_out": len(data.test),
        "rare": data.rare, "levels": data.levels,
    }  # fmt: skip
    for event in train(task, plan, config, exercise, info=info, resume=resume, steering=steering):
        if isinstance(event, Finished):
            task.model.eval()
            with torch.no_grad():
                bits = {cell: evaluate(data, None, model)["test_bits"] for cell, model in task.parts.items()}
            named = {f"bits_per_character/{cell}": value for cell, value in bits.items()}
            best = best_of(bits, lower=True)
            event = replace(event, metrics={**event.metrics, **named, "bits_per_character": bits[best], "cell": best})
        yield event
