"""The server with nothing but our components."""

from __future__ import annotations

import pytest

from tests.browser.components.kit import ready


@pytest.fixture(scope="session")
def url(serve) -> str:
    return serve("tests/browser/components/app.py", health="/_stcore/health").url


@pytest.fixture
def page(browse, url):
    return ready(browse(url))
