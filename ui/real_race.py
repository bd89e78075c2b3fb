"""The race of the optimizers on a real network and real images: up to four trainings that differ in the rule alone."""

from __future__ import annotations

import streamlit as st

from dlcore.experiments import cnn
from dlcore.figures.race import STYLES
from dlcore.knobs import build
from dlcore.optimizers import USUAL
from dlcore.update_rules import RULES
from ui.compare_runs import Contender, compare_runs
from ui.i18n import _
from ui.intro import prose
from ui.lessons import Lesson
from ui.slider import slider

MOST = 4  # a browser may have that many runs at a time
FIRST = ("gd", "momentum", "rmsprop", "adam")
TORCH = {"gd": "sgd", "momentum": "sgd"}  # what dlcore.optimizers calls them; the rest have the same names
PLAIN_RATE = 0.1  # of gradient descent without momentum, which USUAL does not have


def real_race(lesson: Lesson) -> None:
    """Draw the section: prose, who runs, and the comparison."""
    prose(lesson.slug, "real-network")
    with st.container(key="prose-real-race", gap="small"):
        rules = st.pills(_("Rules, at most four"), list(RULES), selection_mode="multi", default=FIRST,
                         format_func=lambda rule: _(RULES[rule].title), key="real.rules") or []  # fmt: skip
        left, right = st.columns(2)
        with left:
            epochs = int(slider(_("Epochs"), key="real.epochs", low=1, high=30, value=8, step=1))
        with right:
            factor = slider(_("All usual rates times"), key="real.factor", low=0.01, high=100, value=1, log=True,
                            help=_("How much does each rule mind a rate that was badly chosen?"))  # fmt: skip
        if len(rules) > MOST:
            st.info(_("Four at a time: the first four of these will run."), icon=":material/info:")
        contenders = [contender(rule, epochs, factor) for rule in RULES if rule in rules][:MOST]
        compare_runs(lesson.slug, "cnn", contenders, start=_("Train them"),
                     alt=_("Loss on the test images for each run, on a logarithmic scale."))  # fmt: skip


def contender(rule: str, epochs: int, factor: float) -> Contender:
    """The dense network on the built-in digits, trained by this rule at its usual rate times ``factor``."""
    name = TORCH.get(rule, rule)
    usual = {**USUAL[name], **({"learning_rate": PLAIN_RATE, "momentum": 0.0} if rule == "gd" else {})}
    rate = float(f"{min(max(usual['learning_rate'] * factor, 1e-5), 10.0):.3g}")
    settings = {
        **usual,
        "learning_rate": rate,
        "schedule": "constant",
        "epochs": epochs,
        "batch_size": 32,
        "evaluations": 6,
    }
    given = {"dataset": "digits", "network": "mlp", "optimizer": name, **settings}
    return Contender(rule, _(RULES[rule].title), STYLES[rule][0], build(cnn.Config, given))
