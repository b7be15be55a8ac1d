"""Headless Chromium for the browser tests: found on the machine, or installed with apt-get where allowed."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PACKAGES = ("chromium", "fonts-noto-cjk", "fonts-thai-tlwg", "fonts-noto-color-emoji")
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")
"""What Chromium needs as root and in containers."""

INSTALL_TIMEOUT_S = 600


def find() -> Path | None:
    """Where Chromium is, or None."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    return Path(found) if found else None


def ensure() -> str:
    """Install Chromium and the fonts where it is missing and that is possible; says what there is now."""
    if found := find():
        return f"{found}"
    if not may_install():
        return missing()
    for command in (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *PACKAGES],
    ):
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S, check=False)
        except subprocess.TimeoutExpired:
            return f"{missing()} (`{' '.join(command)}` took more than {INSTALL_TIMEOUT_S} s)"
        if done.returncode:
            return f"{missing()} (`{' '.join(command)}`: {done.stderr.strip()[-300:]})"
    found = find()
    return f"{found}, installed just now" if found else missing()


def may_install() -> bool:
    """Whether this user may install packages here."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def missing() -> str:
    """What to do without a browser."""
    return f"NO CHROMIUM: the browser tests cannot run; install it with `apt-get install {' '.join(PACKAGES)}`"


def required() -> bool:
    """In continuous integration a missing browser is a failure, elsewhere a reason to skip."""
    return os.getenv("CI", "").lower() in {"1", "true", "yes"}
