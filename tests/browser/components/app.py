"""A server with nothing but our components, for test_components.py: ``streamlit run tests/browser/components/app.py``."""

import streamlit as st

from ui.components import routes

app = st.App("page.py", routes=routes())
