"""Makes the letter model that is shipped: ``python -m dlcore.models.train_letters``. Two minutes on two cores.

It has read nine tenths of Alice in Wonderland, with half of what its layers pass on switched off at random, since it
would soon know so short a text by heart.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from dlcore.events import Checkpoint, Epoch, Finished
from dlcore.experiments import text
from dlcore.experiments.text_look import SHIPPED, of_state, shipped
from dlcore.knobs import build
from dlcore.models.weights import FOLDER, save

SETTINGS = {
    "source": "alice", "cell": "lstm", "hidden": 160, "length": 64, "dropout": 0.3, "steps": 2000, "threads": 1,
    "learning_rate": 1.6e-2, "precision": "float32", "weight_decay": 0.0, "evaluations": 20,
}  # fmt: skip


def main() -> None:
    """Train, save, load again, and print the bits of what was saved."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--steps", type=int, default=SETTINGS["steps"])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=FOLDER / f"{SHIPPED}.safetensors")
    arguments = parser.parse_args()
    given = {**SETTINGS, "steps": arguments.steps, "seed": arguments.seed}
    state = None
    for event in text.run(build(text.Config, given)):
        if isinstance(event, Epoch):
            print(event.step, {name: round(value, 3) for name, value in event.metrics.items()}, flush=True)
        elif isinstance(event, Checkpoint):
            state = event.state
        elif isinstance(event, Finished):
            print({name: event.metrics[name] for name in ("bits_per_character", "seconds", "params")})
    if state is None:
        raise SystemExit("the run diverged")
    known = of_state(state, str(given["cell"]))
    about = {"build": {"cell": known.cell, **state["build"]}, "symbols": known.symbols, "source": known.source,
             "data_hash": known.data_hash, "settings": given}  # fmt: skip
    save(known.model, arguments.out, about)
    if arguments.out == FOLDER / f"{SHIPPED}.safetensors":
        bits = text.evaluate(text.corpus(known.source), None, shipped().model)["test_bits"]
        print(f"bits per letter of the saved file: {bits:.3f}")


if __name__ == "__main__":
    main()
