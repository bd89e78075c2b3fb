"""The teacher's page: the room, the queue, what one may take, what is shown to all. Off by default."""

import streamlit as st

from ui import teacher_gate
from ui.i18n import _
from ui.teacher_desk import desk
from ui.teacher_room import board, show_to_all

with st.container(key="intro", gap="xsmall"):
    st.title(_("The classroom"), anchor=False)
    with st.container(key="lead"):
        st.markdown(_("Who is here, what is computed, and what all shall see. Counts and nicknames, no names."))

if teacher_gate.is_teacher():
    desk()
    show_to_all()
    board()
    st.button(_("Leave this page"), on_click=teacher_gate.leave, icon=":material/logout:")
else:
    teacher_gate.ask()
