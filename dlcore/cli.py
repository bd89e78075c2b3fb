"""The lessons without a browser: ``python -m dlcore lessons | train | classify | download | doctor``.

Results go to standard output (with ``--json`` one object a line), progress and faults to standard error. Exit status: 0
done, 1 it could not be done, 2 the request was wrong, 130 interrupted, 141 nobody reads the output any more.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, NoReturn

from tqdm import tqdm

from dlcore import changes, cli_classify, cli_download, experiments
from dlcore.data import catalogue
from dlcore.events import Checkpoint, Diverged, Epoch, Event, Finished, Snapshot, Started, Step, to_dict
from dlcore.json_lines import line
from dlcore.knobs import Knob, knobs_of, parse
from dlcore.steering import Steering
from dlcore.texts import N_, Problem

DONE, FAILED, WRONG, INTERRUPTED, BROKEN_PIPE = 0, 1, 2, 130, 141
NOT_THEIR_FAULT = (  # else exit 2
    "no_network", "download", "disk_full", "read_only", "data_broken", "out_of_memory", "weights",
)  # fmt: skip
MISSING = ("data_missing", "weights_missing")
SILENT = (Checkpoint, Snapshot)  # megabytes, of no use on a line


class Parser(argparse.ArgumentParser):
    """An ``ArgumentParser`` that tells a fault as one sentence and exits with 2."""

    def error(self, message: str) -> NoReturn:
        """Tell ``message`` and leave."""
        self.exit(WRONG, f"{message[:1].upper()}{message[1:].rstrip('.')}. Try: {self.prog} --help\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out one command line (by default the process's own) and return its exit status."""
    try:
        args = parser().parse_args(argv)
        status = args.command(args)
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else the interpreter's last flush complains
        return BROKEN_PIPE
    except Problem as problem:
        print(problem, file=sys.stderr)
        return FAILED if problem.kind in NOT_THEIR_FAULT else WRONG
    except Exception as error:
        if type(error).__name__ not in ("MemoryError", "OutOfMemoryError"):  # the second is torch's, not imported here
            raise
        print("The memory of this machine is full. Try a smaller batch or a smaller network.", file=sys.stderr)
        return FAILED


def parser() -> Parser:
    """The grammar of the command line; each command's function is its ``command`` default."""
    top = Parser(prog="python -m dlcore", description="Deep learning lessons without a browser.")
    commands = top.add_subparsers(metavar="COMMAND", required=True, parser_class=Parser)

    one = commands.add_parser("lessons", help="list the lessons and their settings")
    one.add_argument("--json", action="store_true", help="as one JSON array, with every setting's bounds")
    one.set_defaults(command=lessons_command)

    one = commands.add_parser("train", help="run a lesson's experiment")
    one.add_argument("lesson", metavar="LESSON", help=f"one of: {', '.join(experiments.NAMES)}")
    one.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", dest="settings",
                     help="a setting; may be given again. “lessons” lists them")  # fmt: skip
    one.add_argument("--seed", metavar="N", help="the same as --set seed=N")
    one.add_argument("--changes", default="", metavar="[[STEP,NAME,VALUE],…]",
                     help="settings to change while it goes on, as the page's “Repeat it” writes them")  # fmt: skip
    one.add_argument("--json", action="store_true",
                     help="one JSON object a line: started, step, epoch …, at last finished or diverged")  # fmt: skip
    one.set_defaults(command=train_command)

    cli_classify.add(commands)
    cli_download.add(commands)

    one = commands.add_parser("doctor", help="what is here, what is missing, and what to do about it")
    one.add_argument("--json", action="store_true", help="one JSON object a line")
    one.set_defaults(command=doctor_command)
    return top


# --- lessons ----------------------------------------------------------------------------------------------------------


def lessons_command(args: argparse.Namespace) -> int:
    """List every experiment with its knobs."""
    listed = [_lesson(name) for name in experiments.NAMES]
    if args.json:
        print(line(listed))
        return DONE
    for lesson in listed:
        print(f"{lesson['name']}\n  {lesson['summary']}")
        for k in lesson["knobs"]:
            print(f"    {k['name']:<16} {_range(k):<34} {k['help']}")
    return DONE


def _lesson(name: str) -> dict[str, Any]:
    module = experiments.experiment(name)
    summary = (module.__doc__ or "").strip().splitlines()[0]
    return {
        "name": name,
        "summary": summary,
        "lane": module.LANE,
        "knobs": [_described(k) for k in knobs_of(module.Config).values()],
    }


def _described(knob: Knob) -> dict[str, Any]:
    return {**asdict(knob), "kind": knob.kind.__name__}


def _range(knob: Mapping[str, Any]) -> str:
    """The values that a setting takes, and its default, as short text."""
    if knob["choices"]:
        values = "|".join(knob["choices"])
    elif knob["low"] is not None and knob["high"] is not None:
        values = f"{knob['low']:g}..{knob['high']:g}"
    else:
        values = {"bool": "true|false", "str": "text", "int": "number", "float": "number"}[knob["kind"]]
    return f"{values} [{knob['default']}]" if knob["default"] != "" else values


# --- train ------------------------------------------------------------------------------------------------------------


def train_command(args: argparse.Namespace) -> int:
    """Run one experiment to its end, telling its events as they come."""
    lesson, settings = experiments.lesson_of(args.lesson, _settings(args))
    module = experiments.experiment(lesson)
    config = parse(module.Config, settings)
    changed = changes.read(args.changes, lesson, asdict(config))
    events = _with_data(lambda: module.run(config, steering=Steering(changed)))
    last = _tell_json(events) if args.json else _tell_text(events)
    if isinstance(last, Diverged):
        print(last.reason.format(**last.params), file=sys.stderr)
        return FAILED
    return DONE


def _settings(args: argparse.Namespace) -> dict[str, str]:
    pairs = {}
    for text in args.settings:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise Problem(N_("“{text}” is not a setting: write --set NAME=VALUE."), kind="argument", text=text[:80])
        pairs[name.strip()] = value
    if args.seed is not None:
        pairs["seed"] = args.seed
    return pairs


def _with_data(start: Callable[[], Iterator[Event]]) -> Iterator[Event]:
    """The run's events; where its data or its network is not on this machine, it is fetched first (once)."""
    events = start()
    try:
        first = next(events)
    except Problem as problem:
        if problem.kind not in MISSING or not catalogue.offered(problem.params.get("name", "")):
            raise
        cli_download.fetch(problem.params["name"])
        events = start()
        first = next(events)
    yield first
    yield from events


def _tell_json(events: Iterator[Event]) -> Event | None:
    event = None
    for event in events:
        if not isinstance(event, SILENT):
            print(line(_flat(event)), flush=not isinstance(event, Step))
    return event


def _flat(event: Event) -> dict[str, Any]:
    """An event as one flat row: a lesson's own values and metrics stand beside the common fields."""
    row = to_dict(event)
    if isinstance(event, Diverged):
        row["reason"] = event.reason.format(**event.params)
    own = {**row.pop("values", {}), **row.pop("metrics", {})}
    return {**row, **{name: value for name, value in own.items() if name not in row}}


def _tell_text(events: Iterator[Event]) -> Event | None:
    """A bar on a terminal, a line per epoch, and the metrics at the end."""
    event = None
    with tqdm(unit=" steps", disable=None, leave=False, dynamic_ncols=True) as bar:
        for event in events:
            if isinstance(event, Started):
                bar.reset(event.total_steps)
                bar.write(_facts(event.info) or "started", file=sys.stdout)
            elif isinstance(event, Step):
                bar.set_postfix_str(f"loss {event.loss:.4g}", refresh=False)
            elif isinstance(event, Epoch):
                bar.write(f"epoch {event.epoch}   {_facts(event.metrics)}   {event.seconds:.1f} s", file=sys.stdout)
            bar.update(event.step - bar.n)
    if isinstance(event, Finished):
        print("\n".join(f"{name:<22} {_shown(value)}" for name, value in event.metrics.items()))
    return event


def _facts(values: Mapping[str, Any]) -> str:
    return "   ".join(f"{name} {_shown(value)}" for name, value in values.items())


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.5g}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_shown(v) for v in value) + "]"
    return str(value)


# --- doctor -----------------------------------------------------------------------------------------------------------


def doctor_command(args: argparse.Namespace) -> int:
    """Look at everything that a lesson may need."""
    from dlcore.doctor import examine

    findings = list(examine())
    for finding in findings:
        if args.json:
            print(line(asdict(finding)))
        else:
            print(f"{'ok ' if finding.ok else '-- '} {finding.name:<16} {finding.found}")
            if finding.advice:
                print(f"    {'':<16} {finding.advice}")
    return FAILED if any(finding.needed and not finding.ok for finding in findings) else DONE
