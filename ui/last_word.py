"""Who has the last word on a value that both the user and the page can set: what a component must remember.

A browser's message may arrive after the page has set something else, and a rerun may end before it has acted on one.
Each message therefore says which imposed value it answers to (``seq``) and carries a number of its own (``n``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass
class LastWord(Generic[T]):
    """What the server remembers of one such component between reruns. A subclass says what a valid value is."""

    seq: int = 0  # counts the values that the server has imposed; what the browser sent before is void
    read: int | None = None  # number of the browser's last message that was acted on
    given: T | None = None  # the last ``value`` argument
    shown: T | None = None
    put: T | None = None
    void: bool = False  # the page has set the value since the browser's last message

    def valid(self, value: Any) -> T | None:
        """The value of a message; None where it is none."""
        raise NotImplementedError

    def decide(self, state: Any, value: T, controlled: bool = False) -> tuple[T, int | None]:
        """The value to show, from what the browser sent, the page gives and was put; and the message it rests on."""
        if state is None:  # not on the page in the last run: a fresh start
            self.given = self.shown = None
        mine, number = self.sent(state)
        if self.put is not None:
            return self.put, number
        if self.void:
            return value, number
        if mine is not None and number != self.read:
            return mine, number
        if controlled or self.shown is None or value not in (self.given, self.shown):
            return value, self.read
        return self.shown, self.read

    def differs(self, state: Any, shown: T) -> bool:
        """Whether the browser shows something else, so that the value must be imposed."""
        mine, _number = self.sent(state)
        theirs = self.shown if mine is None else mine
        return theirs is not None and theirs != shown

    def drawn(self, seq: int, given: T, shown: T, read: int | None) -> None:
        """Remember what has been mounted. A newer rerun may end this one before: then nothing has changed."""
        self.seq, self.given, self.shown, self.read, self.put, self.void = seq, given, shown, read, None, False

    def sent(self, state: Any) -> tuple[T | None, int | None]:
        """The browser's value and the number of its message; None where there is none that counts."""
        sent = (state or {}).get("value")
        if not isinstance(sent, dict) or sent.get("seq") != self.seq:
            return None, self.read
        value = self.valid(sent.get("value"))
        return (None, self.read) if value is None else (value, sent.get("n"))
