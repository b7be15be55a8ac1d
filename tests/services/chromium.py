"""Headless Chromium for the browser tests: found on the machine, or installed with apt-get where allowed."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.services import apt, cache

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PACKAGES = ("chromium", "fonts-noto-cjk", "fonts-thai-tlwg", "fonts-noto-color-emoji")
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")
"""What Chromium needs as root and in containers."""


def find() -> Path | None:
    """Where Chromium is, or None."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    return Path(found) if found else None


def ensure() -> str:
    """Install Chromium and the fonts where it is missing and that is possible; says what there is now."""
    if found := find():
        return f"{found}"
    if not apt.may_install():
        return missing()
    try:
        apt.install(PACKAGES)
    except cache.UnavailableError as wrong:
        return f"{missing()} ({wrong})"
    found = find()
    return f"{found}, installed just now" if found else missing()


def missing() -> str:
    """What to do without a browser."""
    return f"NO CHROMIUM: the browser tests cannot run; install it with `apt-get install {' '.join(PACKAGES)}`"
