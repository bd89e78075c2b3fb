"""A config as widgets: one knob, one widget, all of them kept in the address.

The page's truth is what the user set (``page_state(slug)["given"]``): widgets show it, the address repeats it, and all
the rest comes from the recipe and the defaults. So a preset may bring other defaults at any time; what was set wins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import streamlit as st

from dlcore.data import own_images
from dlcore.knobs import Knob, build, check_value, defaults_for, knobs_of, read_value, to_texts
from dlcore.texts import N_, Problem
from ui import address
from ui.i18n import _, sentences, tell
from ui.knob_widgets import draggable, dragged, label_of, short, stock
from ui.names import name_for
from ui.session import arrived, current, imposed, owner, page_state, set_up_by_teacher
from ui.slider import Mark, overrule

C = TypeVar("C")
Values = dict[str, Any]  # the value of every knob, by name
CHANGES = "changes"  # what a link's run is to repeat beside its settings (see ``ui.repeat``)
RESERVED = ("lang", "hide", CHANGES)  # parameters of the address that are no knobs


@dataclass
class _Panel:
    """One drawing of the controls: what is set, and how each knob is to be shown."""

    config_class: type
    given: Values
    overrides: Callable[[Values], Mapping[str, Knob]]
    marks: Callable[[Values], Mapping[str, Sequence[Mark]]]
    labels: Mapping[str, str]
    said: list[str] = field(default_factory=list)
    _asked: tuple[Values, Mapping[str, Knob], Mapping[str, Sequence[Mark]]] | None = None

    def values(self) -> Values:
        """What every knob stands at, by the recipe of what is set."""
        return {**defaults_for(self.config_class, self.given), **self.given}

    def look(self, name: str) -> tuple[Knob, Any, Sequence[Mark]]:
        """A knob with its bounds for the values so far, its value within them, and its marks."""
        values = self.values()
        if self._asked is None or self._asked[0] != values:  # they may read the data: ask only when something moved
            self._asked = values, self.overrides(values), self.marks(values)
        known, (_values, overrides, marks) = knobs_of(self.config_class)[name], self._asked
        knob = overrides.get(name, known)
        value = values[name]
        if name not in self.given and knob.default != known.default:
            value = knob.default
        return knob, value, marks.get(name, ())


def controls(
    config_class: type[C],
    *,
    marks: Mapping[str, Sequence[Mark]] | Callable[[Values], Mapping[str, Sequence[Mark]]] = {},  # noqa: B006
    overrides: Mapping[str, Knob] | Callable[[Values], Mapping[str, Knob]] = {},  # noqa: B006
    labels: Mapping[str, str] = {},
    hidden: Sequence[str] | Callable[[Values], Sequence[str]] = (),
    folded: Sequence[str] = (),
    extra: Sequence[str] = (),
    kept: Sequence[str] = (),
) -> C:
    """Draw the knobs of ``config_class`` where we are, and return the checked config that they show.

    Args:
        marks: marks on the sliders by knob name (a limit, the best value), or a function of the values so far.
        overrides: knobs to use instead of the class's, by name: bounds, default or label that come from the data; or a
            function of the values so far. It is asked again when a value has changed, so keep it cheap (or cached).
            Bounds may only be narrower than the class's own, which the config is checked by.
        labels: what to call a choice, by ``choice`` or ``knob.choice``, marked with ``N_``; else its own name is shown.
        hidden: knobs that this page draws in another way (``put_value`` sets them), or a function of the values so
            far; still in the address.
        folded: knobs that this page puts under "More settings", besides the advanced ones.
        extra: parameters of the address that are the page's own business.
        kept: knobs that “Reset” leaves alone: what the settings are applied to, which no one wants to choose again.

    A value in the address that does not fit is named in a sentence, with what is used instead; the rest is kept.
    """
    state = _state_of(config_class, extra)
    panel = _Panel(config_class, state["given"], _function(overrides), _function(marks), labels)
    chosen, unseen = {}, _function(hidden)(panel.values())
    with st.container(key="controls", gap="small"):
        prepared = set_up_by_teacher()
        notes = st.container() if state["faults"] else None  # above the knobs: below them nobody would see it
        if not prepared:
            chosen = _draw_all(panel, unseen, folded)
        _reset_button(state, prepared, kept)
    config = _config(panel, chosen, unseen)
    if notes and state["given"] == state["as_read"]:  # until the user touches something
        for name, fault in state["faults"]:
            notes.warning(_sentence(panel, name, fault, getattr(config, name, None)), icon=":material/info:")
    for sentence in panel.said:  # a value that had to move with the data: said once
        st.toast(sentence, icon=":material/info:")
    if state.get("extra_faults") and "extra_settled" not in state:
        state["extra_settled"] = _set(state)
    state["extra_names"] = (*extra, CHANGES)
    address.put({**to_texts(build(config_class, panel.given)), **_kept(state, (*extra, CHANGES))})
    return config


def put_value(name: str, value: Any, *, slug: str | None = None) -> None:
    """Set a knob from elsewhere on the page (a click on a surface sets the starting point), as if its widget had.

    Call it from a callback or before ``controls``; ``None`` takes the setting back, so that the default holds again.
    """
    slug = slug or current()
    given = page_state(slug).setdefault("given", {})
    given.pop(name, None)
    overrule(f"{slug}.{name}")
    if value is not None:
        given[name] = value


def put_extra(name: str, text: str, *, slug: str | None = None) -> None:
    """Set an ``extra`` parameter of the address; an empty text removes it."""
    slug = slug or current()
    extras = page_state(slug).setdefault("extra", {})
    if extras.get(name, "") != text:
        address.change(slug, name, text)
    extras[name] = text


def get_extra(name: str, *, slug: str | None = None) -> str:
    """An ``extra`` parameter: what was put, or what the address says when somebody arrives by it; else empty."""
    extras = page_state(slug or current()).setdefault("extra", {})
    if name not in extras:
        extras[name] = st.query_params.get(name, "")
    return extras[name]


def extra_choice(name: str, choices: Sequence[str], *, slug: str | None = None) -> tuple[str, Callable[[str], None]]:
    """An ``extra`` parameter that is one of ``choices``, by default the first; and what to call with another one."""
    slug, asked = slug or current(), get_extra(name, slug=slug)
    value = asked if asked in choices else choices[0]
    return value, lambda chosen: put_extra(name, "" if chosen == choices[0] else chosen, slug=slug)


def read_extra(knob: Knob, *, slug: str | None = None, silent: bool = False) -> Any | None:
    """An ``extra`` parameter as a value of ``knob``; None where there is none, or none that fits.

    What does not fit is told where this is called (unless ``silent``: once a run is enough), until the user touches
    something.
    """
    state, text = page_state(slug or current()), get_extra(knob.name, slug=slug)
    value, faults = None, state.setdefault("extra_faults", {})
    try:
        value = read_value(knob, text) if text else None
    except Problem as fault:
        faults[knob.name] = fault
        state["extra"][knob.name] = ""
    if knob.name in faults and not silent:
        if state.get("extra_settled") in (None, _set(state)):
            st.warning(_named(faults[knob.name], knob), icon=":material/info:")
        else:
            faults.clear()
    return value


def _set(state: Mapping[str, Any]) -> tuple[Values, Values]:
    """All that is set on a page, beside the knobs, too."""
    extras = {name: text for name, text in state.get("extra", {}).items() if text}
    return dict(state.get("given", {})), extras


def _function(given: Any) -> Callable[[Values], Any]:
    return given if callable(given) else lambda _values: given


def _kept(state: dict[str, Any], extra: Sequence[str]) -> dict[str, str]:
    """The parameters beside the knobs that have something to say."""
    others = {name: get_extra(name) for name in extra}  # read now: some are asked for below the controls
    return {name: text for name, text in {**others, "hide": state["hide"]}.items() if text}


def _state_of(config_class: type, extra: Sequence[str]) -> dict[str, Any]:
    """The page's state, after reading the address where that is what decides."""
    state = page_state(current())
    if "as_read" not in state or arrived():
        state["given"], state["faults"] = _read_address(config_class, extra)
        state["as_read"] = dict(state["given"])
    return state


def _read_address(config_class: type, extra: Sequence[str]) -> tuple[Values, list[tuple[str, Problem]]]:
    """What the address sets, and the parameters of it that do not fit, by name."""
    known, given, faults = knobs_of(config_class), {}, []
    for name, text in st.query_params.items():
        if name in (*RESERVED, *extra):
            continue
        try:
            if name not in known:
                raise Problem(
                    N_("The link sets “{name}”, which this lesson does not have."), kind="knob", name=name[:40]
                )
            value = read_value(known[name], text)
            if name == "data_hash":  # of what somebody has brought: a link gives nobody another one's photographs
                own_images.check_owner(value, owner())
            given[name] = value
        except Problem as fault:
            faults.append((name, fault))
    return given, faults


def _sentence(panel: _Panel, name: str, fault: Problem, instead: Any) -> str:
    """The fault, and what is used instead; knob and choice by the names that stand on the page."""
    knob = knobs_of(panel.config_class).get(name)
    if knob is None:
        return sentences(tell(fault), _("It was left out."))
    value = _(name_for(panel.labels, knob.name, instead)) if knob.choices else short(instead)
    instead_of = _("{name} = {value} is used instead.").format(name=label_of(knob), value=value)
    return sentences(_named(fault, knob), instead_of)


def _named(fault: Problem, knob: Knob) -> str:
    """The fault of a knob's value, with the knob's name as it stands on the page."""
    return tell(Problem(fault.template, kind=fault.kind, **{**fault.params, "name": label_of(knob)}))


def _moved(knob: Knob, value: Any) -> str:
    """That the data on screen moved a value."""
    return _("{name} was set to {value}: the data on screen allows no more than {low} to {high}.").format(
        name=label_of(knob), value=short(value), low=short(knob.low), high=short(knob.high)
    )


def _draw_all(panel: _Panel, hidden: Sequence[str], under: Sequence[str]) -> Values:
    """Draw every knob, the advanced ones folded; returns the values shown, by name."""
    shown: Values = {}
    knobs = [knob for name, knob in knobs_of(panel.config_class).items() if name not in hidden]
    folded = [k for k in knobs if k.advanced or k.name in under]
    for knob in (k for k in knobs if k not in folded):
        shown[knob.name] = _draw(panel, knob.name)
    if folded:
        with st.expander(_("More settings")):
            for knob in folded:
                shown[knob.name] = _draw(panel, knob.name)
    return shown


def _draw(panel: _Panel, name: str) -> Any:
    """One knob's widget; what the user changed is noted in ``panel.given``."""
    knob, value, marks = panel.look(name)
    value = _within(panel, knob, value)
    key = f"{current()}.{name}"
    if draggable(knob):
        shown = dragged(knob, key, value, marks)
    else:
        slug = current()
        stock(knob, panel.labels, imposed(key, value, lambda chosen: put_value(name, knob.kind(chosen), slug=slug)))
        shown = value
    if shown != value:
        panel.given[name] = shown
    return shown


def _within(panel: _Panel, knob: Knob, value: Any) -> Any:
    """The value, or the nearest that the knob allows now; the data may have moved its bounds."""
    try:
        return check_value(knob, value)
    except Problem as fault:
        if knob.kind not in (int, float) or knob.low is None or knob.high is None:
            nearest = knob.default
            words = _sentence(panel, knob.name, fault, nearest)
        else:
            nearest = knob.kind(min(max(value, knob.low), knob.high))
            words = _moved(knob, nearest)
        if knob.name in panel.given:
            panel.given[knob.name] = nearest
            panel.said.append(words)
        return nearest


def _reset_button(state: dict[str, Any], prepared: bool, kept: Sequence[str]) -> None:
    """Back to the defaults; on a page that a teacher has set up, back to what the link says."""

    def reset() -> None:
        if not prepared:
            state["as_read"], state["faults"] = {}, []
        for name in {*state["given"], *state["as_read"]}:
            overrule(f"{slug}.{name}")
        state["given"] = {**state["as_read"], **left_alone}

    slug = current()
    left_alone = {name: value for name, value in state["given"].items() if name in kept}
    back = _("Every setting goes back to where the link put it.")
    first = _("Every setting goes back to where it stood at first.")
    st.button(
        _("Reset") if prepared else _("Reset to defaults"),
        icon=":material/restart_alt:",
        type="tertiary",
        key=f"{current()}.reset",
        on_click=reset,
        disabled=state["given"] == {**(state["as_read"] if prepared else {}), **left_alone},
        help=back if prepared else first,
    )


def _config(panel: _Panel, shown: Values, hidden: Sequence[str]) -> Any:
    """The config of all that is shown; an overriding knob's default counts as shown, a hidden knob as given."""
    names = [name for name in knobs_of(panel.config_class) if name not in shown]
    rest = {}
    for name in names:
        knob, value, _marks = panel.look(name)
        rest[name] = _within(panel, knob, value)
    try:
        return build(panel.config_class, {**rest, **shown})
    except Problem as fault:  # bounds that only the config as a whole knows
        panel.said.append(sentences(tell(fault), _("The defaults are used instead.")))
        panel.given.clear()
        return build(panel.config_class, {})
