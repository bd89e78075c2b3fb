"""What does the loss look like around a trained network? Slices through it, of a plain and of a residual network.

A run trains both as the depth lesson does (``dlcore.experiments.resnet``), keeps the weights at every test, and then
measures (``dlcore.survey``): the path, a plane of random directions, and the plane of the path's principal components.
A training that was done before with the same settings is told again from its record, so other slices cost no training.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any, cast

from dlcore.device import device_name, reproducible
from dlcore.events import Changed, Checkpoint, Diverged, Epoch, Event, Finished, Started, Step
from dlcore.experiments import resnet
from dlcore.image_training import load_data
from dlcore.knobs import knob, knob_like
from dlcore.steering import Steering
from dlcore.texts import N_, Problem

if TYPE_CHECKING:
    from torch import Tensor

    from dlcore.data.images import ImageData
    from dlcore.training import Plan, Task

LANE = "train"
MOST_KEPT = 50  # points of the path
MOST_BYTES = 2_000_000_000  # of what one pass through a network keeps at a time
ALIVE = 4  # tensors of a block's size that exist at once: link, branch, and in and out of a layer
MOST_NUMBERS = 20_000_000  # float32 numbers of all kept points together: 80 MB


@dataclass(frozen=True)
class Config(resnet.Config):
    """The settings of the landscape lesson: the depth lesson's, and where the loss is measured."""

    depth: int = knob_like(resnet.Config, "depth")
    norm: str = knob_like(resnet.Config, "norm", default="batch")
    width: int = knob_like(resnet.Config, "width", default=32)  # fewer weights, the same sight
    span: float = knob(
        1.0, low=0.05, high=3.0, log=True, label=N_("Span"),
        help=N_("How far the random plane reaches each way. At 1, every filter is changed by as much as it is long."),
    )  # fmt: skip
    points: int = knob(
        25, low=9, high=51, step=2, label=N_("Points each way"),
        help=N_("The loss is measured at so many points across and down: 25 × 25 are 625 networks."),
    )  # fmt: skip
    directions: int = knob(
        0, low=0, high=9999, advanced=True, label=N_("Seed of the directions"),
        help=N_("Draws other random directions through the same networks."),
    )  # fmt: skip
    images: int = knob(
        1000, low=50, high=10_000, log=True, step=1, advanced=True, label=N_("Images measured"),
        help=N_("The loss is the mean over so many of the images that were learned, each class in proportion."),
    )  # fmt: skip
    twin: bool = knob_like(resnet.Config, "twin", advanced=True)
    residual: bool = knob_like(resnet.Config, "residual", advanced=True)
    depths: int = knob_like(resnet.Config, "depths", high=1, advanced=True)  # one at a time
    evaluations: int = knob_like(
        resnet.Config, "evaluations", default=3, label=N_("Points of the path per epoch"),
        help=N_("How often the weights are kept while the networks train, and the networks are tried on test images."),
    )  # fmt: skip

    @classmethod
    def recipe(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """The depth lesson's defaults; batch normalisation in stacks, too, and fewer points where each one is dear."""
        dear = given.get("network", "stack") != "stack" or given.get("blocks") == "conv"
        sparse = {"points": 11, "images": 250} if dear else {}
        long = {"epochs": 15} if not dear and given.get("dataset", "digits") == "digits" else {}
        return {**resnet.Config.recipe(given), "norm": "batch", "twin": True, **sparse, **long}


SLICE = ("span", "points", "directions", "images")  # knobs that the training does not depend on


def resolve(config: Config) -> Config:
    """The config with device, precision, memory format and the data's fingerprint made definite.

    Raises:
        Problem: the data is not here, is not the data that the config names, or the device is missing; or so many
            images do not fit into memory at once (kind "memory").
    """
    return _resolved(config, load_data(config))


def _resolved(config: Config, data: ImageData) -> Config:
    check_images(config, data.X_train.shape[1:])
    return cast(Config, resnet.resolved(config, data))


def check_images(config: Config, shape: tuple[int, ...]) -> None:
    """Refuse more images than a worker can hold: batch normalisation wants all that are measured in one batch.

    Args:
        shape: (C, H, W) of an image.

    Raises:
        Problem: kind "memory", with the most images that would do.
    """
    stack = config.network == "stack"
    channels = config.width if stack else 64 if config.network == "resnet18" else 16
    places = 1 if stack and config.blocks == "dense" else shape[1] * shape[2]
    most = int(MOST_BYTES / (4 * ALIVE * channels * places))
    if config.norm != "none" and min(config.images, config.train_size or config.images) > most:
        raise Problem(
            N_("So many images do not fit through this network at once. Measure at most {most}."),
            kind="memory", most=f"{most:,}",
        )  # fmt: skip


def run(config: Config, *, resume: dict[str, Any] | None = None, steering: Steering | None = None) -> Iterator[Event]:
    """Train and measure. Steps up to ``info["training_steps"]`` are updates; each one after them is a measured point.

    Snapshots "path", "random" and "along" are those of ``dlcore.survey``. ``Finished.metrics``: what the depth lesson
    measures of each network, what ``dlcore.survey.Survey.metrics`` says, and ``seconds`` (of training alone),
    ``survey_seconds``, ``device``.
    """
    from dlcore.survey import Survey

    steering = steering or Steering()
    data = load_data(config)
    config = _resolved(config, data)
    reproducible(config.seed, threads=config.threads, device=config.device)
    task, plan = resnet.prepare(config, data)
    survey = Survey(config, dict(task.parts), data, first=plan.total_steps, kept=len(_kept(task, plan)))
    yield Started(resume["step"] if resume else 0, asdict(config), survey.last, _info(config, data, task, plan))
    state = resume if resume and "survey" in resume else (yield from _trained(config, task, plan, resume, steering))
    if state is None:
        return
    yield from survey.run(state, steering)
    metrics = {**state["metrics"], "seconds": state["seconds"], "device": device_name(config.device)}
    yield Checkpoint(survey.last, {**_model(state), "step": survey.last}, final=True)
    yield Finished(survey.last, {**metrics, **survey.metrics(), "survey_seconds": survey.seconds})


def _info(config: Config, data: ImageData, task: Task, plan: Plan) -> dict[str, Any]:
    from dlcore.depth_training import described

    return {
        **described(task), "training_steps": plan.total_steps, "classes": list(data.classes),
        "train_size": len(data.y_train), "test_size": len(data.y_test), "device": device_name(config.device),
        "steps_per_epoch": plan.steps_per_epoch,
    }  # fmt: skip


def _model(state: Mapping[str, Any]) -> dict[str, Any]:
    """What it takes to build the networks again (``dlcore.models.stacks.rebuild``)."""
    return {name: state[name] for name in ("builds", "model", "classes", "main", "network")}


def _trained(
    config: Config, task: Task, plan: Plan, resume: dict[str, Any] | None, steering: Steering
) -> Iterator[Event]:  # a generator that returns the end of the training; None if it diverged
    """Train, or tell again how it was done before. Only a training that nobody steered has a record."""
    from dlcore import training_records

    settings = {f.name: getattr(config, f.name) for f in fields(config) if f.name not in SLICE}
    name = training_records.fingerprint(settings)
    fresh = resume is None and not steering.pending and steering.horizon(-1) is None
    if fresh and (found := training_records.find(name)):
        events, end = found
        yield from events
        return end
    told: list[Event] = []
    walk = _Walk(task, plan, resume)
    for event in walk.run(resume, steering):
        if isinstance(event, (Step, Epoch)):
            told.append(event)
        fresh = fresh and not isinstance(event, Changed)
        yield event
    if walk.end is not None and fresh:
        training_records.keep(name, told, walk.end)
    return walk.end


def _kept(task: Task, plan: Plan) -> set[int]:
    """Which of the tests leave their weights in the path, counted from 0: evenly, as there is room, and the last."""
    from dlcore.models.cnn import parameter_count

    count = 1 + plan.epochs * len(plan.evaluation_points)
    numbers = sum(parameter_count(model) for model in task.parts.values())
    room = max(3, min(MOST_KEPT, MOST_NUMBERS // numbers))
    return {*range(0, count, -(-(count - 1) // (room - 1))), count - 1}


class _Walk:
    """A training that leaves a trail: the weights at every test, as far as there is room for them.

    Attributes:
        end: what the survey begins with: the last checkpoint's state and ``path``, {network: (n, D)}; None before.
    """

    def __init__(self, task: Task, plan: Plan, resume: Mapping[str, Any] | None) -> None:
        import torch

        self.task, self.plan = replace(task, look=None), plan
        self.end: dict[str, Any] | None = None
        self.wanted = _kept(task, plan)
        kept = resume["path"] if resume else {}
        self.steps: list[int] = [int(step) for step in resume["path_steps"]] if resume else []
        self.seen: int = resume["path_seen"] if resume else 0
        self.path: dict[str, list[Tensor]] = {
            name: [torch.from_numpy(theta) for theta in kept.get(name, ())] for name in task.parts
        }

    def run(self, resume: Mapping[str, Any] | None, steering: Steering) -> Iterator[Event]:
        """``fit``'s events; checkpoints carry the trail."""
        from dlcore.training import fit

        for event in fit(self.task, self.plan, resume=resume, steering=steering):
            if isinstance(event, Epoch):
                self._note(event.step)
            if isinstance(event, Checkpoint) and event.final:
                self.end = {**event.state, **self._trail()}
            elif isinstance(event, Checkpoint):
                yield replace(event, state={**event.state, **self._trail()})
            else:
                yield event
            if isinstance(event, Diverged):
                return

    def _note(self, step: int) -> None:
        from dlcore.landscape import weights_of

        if self.seen in self.wanted:
            self.steps.append(step)
            for name, model in self.task.parts.items():
                self.path[name].append(weights_of(model))
        self.seen += 1

    def _trail(self) -> dict[str, Any]:
        import torch

        arrays = {name: torch.stack(thetas).numpy() for name, thetas in self.path.items() if thetas}
        return {"path": arrays, "path_steps": list(self.steps), "path_seen": self.seen}
