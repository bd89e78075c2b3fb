"""A server with nothing but our components: ``streamlit run tests/browser/components/app.py``."""

import streamlit as st

from ui.components import routes

app = st.App("page.py", routes=routes())
