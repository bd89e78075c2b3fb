"""What ``streamlit run app.py`` starts. The pages begin in ui/shell.py."""

from pathlib import Path

import streamlit as st

from ui.server import lifespan, middleware, routes
from ui.warm import warmed

app = st.App(
    Path(__file__).parent / "ui" / "shell.py",
    lifespan=warmed(lifespan),
    routes=routes(),
    middleware=middleware(),
)
