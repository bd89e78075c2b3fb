"""The branches of a race as they stand in a link: who was left, at which step, for which rule and rate."""

from __future__ import annotations

from dlcore.surfaces import MOST_STEPS
from dlcore.texts import N_, Problem
from dlcore.update_rules import RULES

Branch = tuple[str, int, str, float]  # parent, step, rule, learning rate; branches are called "1", "2" … in their order
MOST_BRANCHES = 6
NO_BRANCH = N_("The branch “{text}” cannot be read. It is written parent_step_rule_rate, like adam_57_adam_0.1.")


def read_branches(text: str) -> list[Branch]:
    """The branches of a link. Raises ``Problem``."""
    found = []
    for part in filter(None, text.split("~")):
        try:
            parent, step, rule, rate = part.split("_")
            entry = parent, int(step), rule, float(rate)
        except ValueError:
            raise Problem(NO_BRANCH, kind="knob", text=part[:60]) from None
        usable = rule in RULES and 1 <= entry[1] <= MOST_STEPS and 0 < entry[3] <= 1e3
        if not usable or len(found) == MOST_BRANCHES:
            raise Problem(NO_BRANCH, kind="knob", text=part[:60])
        found.append(entry)
    return found


def write_branches(branches: list[Branch]) -> str:
    """The inverse of ``read_branches``."""
    return "~".join(f"{parent}_{step}_{rule}_{rate:.4g}" for parent, step, rule, rate in branches)


def without_last(branches: str) -> str:
    """The branches without the one that was made last."""
    return write_branches(read_branches(branches)[:-1])


def changed_branch(branches: str, number: int, *, rule: str | None = None, learning_rate: float | None = None) -> str:
    """The branches with branch ``number`` (from 1) under another rule or rate."""
    entries = read_branches(branches)
    parent, step, old_rule, old_rate = entries[number - 1]
    entries[number - 1] = parent, step, rule or old_rule, learning_rate or old_rate
    return write_branches(entries)
