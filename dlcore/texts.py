"""Texts that a person will read, marked here and translated at the edge.

``dlcore`` knows no language. It marks a text with ``N_`` so that the extractor finds it, and raises ``Problem`` with an
English template and its parameters; the page translates the template and fills it in.
"""

from __future__ import annotations

from typing import Any


def N_(message: str) -> str:
    """Return ``message`` unchanged; marks it for translation (gettext's usual name for "no-op")."""
    return message


class Problem(ValueError):
    """A fault that the person at the keyboard can mend, as one helpful sentence.

    Args:
        template: English sentence in ``str.format`` style, marked with ``N_``. It says what happened and what to do.
        kind: short machine-readable name, e.g. ``"knob"``, ``"data_missing"``, ``"out_of_memory"``.
        **params: values for the template (builtins only, so that a Problem can cross processes).
    """

    def __init__(self, template: str, *, kind: str = "problem", **params: Any) -> None:
        super().__init__(template)
        self.template = template
        self.kind = kind
        self.params = params

    def __str__(self) -> str:
        return self.template.format(**self.params)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self.template, self.kind, self.params)

    def to_dict(self) -> dict[str, Any]:
        """As builtins: ``{"kind", "template", "params"}``; ``Problem.from_dict`` reads it back."""
        return {"kind": self.kind, "template": self.template, "params": self.params}

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> Problem:
        """The inverse of ``to_dict``."""
        return cls(fields["template"], kind=fields["kind"], **fields["params"])


def _rebuild(template: str, kind: str, params: dict[str, Any]) -> Problem:
    return Problem(template, kind=kind, **params)
