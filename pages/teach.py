"""Can it learn your things from ten pictures? Classes of one's own: data, training and trying side by side."""

import streamlit as st

from dlcore.data.album import fingerprint
from dlcore.vision.networks import KNOWN
from ui.album_board import album_board
from ui.challenge import challenge
from ui.code_panel import code_panel
from ui.controls import controls
from ui.feature_map import map_of
from ui.i18n import _
from ui.inside_panel import EXTRA
from ui.intro import intro, outro, prose
from ui.lessons import lesson_for
from ui.names import AUGMENTS, BACKBONE_NAMES
from ui.own_model import take_home
from ui.run_panel import run_panel
from ui.teach_results import results_panel
from ui.teach_tasks import teach_tasks
from ui.teach_training import eyes_here, say_what_is_missing, teach_view
from ui.teach_try import network_path, try_panel, why_panel

PARTS = ("results", "why", "map", "take", "what-you-see", "formulas", "challenge", "code")

lesson = lesson_for("teach")
intro(lesson, parts=PARTS)
with st.container(key="teach-steps"):
    data, train, test = st.columns([1.25, 1, 1], gap="large")
with train:
    st.subheader(_("2 · Train"), anchor=False)
    config = controls(
        lesson.config, labels={**AUGMENTS, **BACKBONE_NAMES, **{name: k.title for name, k in KNOWN.items()}},
        overrides=eyes_here(lesson), hidden=("dataset", "data_hash"), folded=("augment", "learning_rate", "epochs"),
        extra=EXTRA,
    )  # fmt: skip
    say_what_is_missing()
with data:
    st.subheader(_("1 · Your classes"), anchor=False)
    album = album_board(config)
with train:
    history = run_panel(lesson, config, teach_view, ready=album.ready)
with test:
    st.subheader(_("3 · Try"), anchor=False)
    try_panel(lesson, history)
results_panel(history)
path = network_path(lesson, history)
why_panel(lesson, path, history.config.get("data_hash", ""))
st.header(_("What it sees: the map"), anchor="map")
count = len({name for kind in album.kinds for name in kind.pictures})
map_of(history, fingerprint(album), count, path)
st.header(_("It is yours"), anchor="take")
take_home(lesson, path)
for section in ("what-you-see", "formulas"):
    prose(lesson.slug, section)
challenge(lesson, teach_tasks(album, history))
code_panel(lesson, config, history, show=["dlcore.own_features:features", "dlcore.own_model:with_head"])
outro(lesson)
