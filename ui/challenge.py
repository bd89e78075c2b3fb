"""Challenges: tasks that are checked against what the run really did."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from dlcore.room import Room
from ui.i18n import _, ngettext
from ui.lessons import Lesson
from ui.session import owner, page_state

FEW = 3  # tasks that stand below each other; more go side by side


@dataclass(frozen=True)
class Task:
    """One thing to achieve.

    Args:
        name: stable and short, e.g. ``"diverge"``; under it the success is remembered.
        text: the task, translated.
        check: whether it is achieved now, or how far (0 to 1), or None where that cannot be said yet.
        hint: translated; shown on request.
        praise: translated; what has been seen, shown once it is achieved.
    """

    name: str
    text: str
    check: Callable[[], bool | float | None]
    hint: str = ""
    praise: str = ""


def challenge(lesson: Lesson, tasks: Sequence[Task]) -> None:
    """Draw the tasks with what has been achieved; once achieved stays achieved in this session."""
    solved = page_state(lesson.slug).setdefault("solved", [])
    reached = {task.name: _reached(lesson, task, solved) for task in tasks}
    done = sum(share >= 1 for share in reached.values())
    with st.container(key="challenge", border=True):
        st.header(_("Challenge"), anchor="challenge")
        if len(tasks) <= FEW:
            for task in tasks:
                _draw(task, reached[task.name])
        else:
            _in_two_columns(tasks, reached)
        left = len(tasks) - done
        st.caption(
            ngettext("{n} task to go.", "{n} tasks to go.", left).format(n=left)
            if left
            else _("All done. Well observed!")
        )


def achieved(state: dict[str, Any], name: str, now: bool) -> None:
    """Note under ``name`` what a part of the page has seen happen; the whole page, with its tasks, looks once more."""
    if now and not state.get(name):
        state[name] = True
        st.rerun()


def _in_two_columns(tasks: Sequence[Task], reached: Mapping[str, float]) -> None:
    """Row by row, so that the order is that of reading, and of a narrow screen."""
    for first in range(0, len(tasks), 2):
        for place, task in zip(st.columns(2, gap="large"), tasks[first : first + 2], strict=False):
            with place:
                _draw(task, reached[task.name])


def _reached(lesson: Lesson, task: Task, solved: list[str]) -> float:
    """How far the task is achieved, 0 to 1; the moment of success is noted and celebrated, quietly."""
    if task.name in solved:
        return 1.0
    share = float(task.check() or 0.0)
    if share >= 1:
        solved.append(task.name)
        Room().note(owner(), lesson.slug, solved)
        st.toast(_("Challenge achieved!"), icon=":material/check_circle:")
    return min(max(share, 0.0), 1.0)


def _draw(task: Task, share: float) -> None:
    achieved = share >= 1
    icon = ":green[:material/check_circle:]" if achieved else ":gray[:material/radio_button_unchecked:]"
    st.markdown(f"{icon} {task.text}")
    if achieved and task.praise:
        st.caption(task.praise)
    elif 0 < share < 1:
        st.progress(share)
    if task.hint and not achieved:
        with st.expander(_("A hint")):
            st.markdown(task.hint)
