"""Here an unforeseen fault of a page is an exception (``at.exception``), not the sentence that readers get."""

import pytest
import streamlit as st
from streamlit import config


@pytest.fixture(autouse=True)
def full_details():
    before = st.get_option("client.showErrorDetails")
    config.set_option("client.showErrorDetails", "full")
    yield
    config.set_option("client.showErrorDetails", before)
