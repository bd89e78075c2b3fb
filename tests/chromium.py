"""Where the browser of the tests is."""

from __future__ import annotations

import shutil


def browser() -> str | None:
    """Debian's Chromium: the shell without windows, which costs less, else the whole of it; None where there is none."""
    return shutil.which("chromium-headless-shell") or shutil.which("chromium")
