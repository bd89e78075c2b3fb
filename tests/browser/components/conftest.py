"""The server with nothing but our components."""

from __future__ import annotations

import pytest

from tests.browser.components.kit import ready


@pytest.fixture(scope="session")
def url(serve) -> str:
    return serve("tests/browser/components/app.py", health="/_stcore/health").url


@pytest.fixture
def page(browse, url, request):
    """The page; without its plots for a module with ``PLOTS = 0``: they take most of the time that it needs to open."""
    if getattr(request.module, "PLOTS", 3):
        return ready(browse(url))
    return ready(browse(f"{url}/?plots=none"), plots=0)
