"""The opening page: the map of concepts, where to start, and what runs where."""

import streamlit as st

from dlcore import jobs
from ui.concept_map import concept_map
from ui.concepts import EDGES, lesson_of, nodes
from ui.i18n import _, language, ngettext, tell
from ui.intro import lesson_link, passage
from ui.lessons import READY

with st.container(key="intro", gap="xsmall"):
    st.title(_("See deep learning work"), anchor=False)
    with st.container(key="lead"):
        st.markdown(passage("home", "lead"))

opened = concept_map(
    nodes(),
    EDGES,
    key="map",
    height=570,
    inside=True,
    alt=_("Map of the concepts: each leads to the ones that build on it. Those that are ready are links."),
)
if opened:
    st.switch_page(lesson_of(opened), query_params={"lang": language()})

st.header(_("Where to start"), anchor="start")
with st.grid(4, gap="small"):
    for lesson in READY:
        with st.container(key=f"start-{lesson.slug}", border=True, gap="small", height="stretch"):
            minutes = ngettext("{n} minute", "{n} minutes", lesson.minutes).format(n=lesson.minutes)
            st.caption(f"{_(lesson.section)} · {minutes}")
            st.subheader(_(lesson.question), anchor=False)
            lesson_link(lesson, _(lesson.title))

how, teachers = st.columns(2, gap="large")
with how:
    st.markdown(passage("home", "how"))
with teachers:
    st.markdown(passage("home", "teachers"))

status = jobs.status()
st.header(_("What runs where"), anchor="machine")
if status.state == "ready":
    words = ngettext(
        "Training runs on {device}, in {n} worker process; this page only looks on.",
        "Training runs on {device}, in {n} worker processes; this page only looks on.",
        trainers := (status.lanes or {}).get("train", 0),
    )
    on_cpu = status.device.startswith("cpu") or not status.device
    st.markdown(words.format(device=_("the processor") if on_cpu else status.device, n=trainers))
elif status.state == "starting":
    st.markdown(_("The workers are starting; this takes a few seconds. You can read and set things up meanwhile."))
else:
    st.markdown(_("Nothing can be trained now: the workers do not answer."))
    st.caption(tell(status.problem) if status.problem else "")
