"""The server of page_latency's second measurement."""

import streamlit as st

from ui.components import routes

app = st.App("page.py", routes=routes())
