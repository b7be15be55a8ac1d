"""Debian packages that tests need: installed where allowed, one process at a time."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence

from tests.services import cache

QUIET = {
    "DEBIAN_FRONTEND": "noninteractive",
    "RUNLEVEL": "1",  # an installed server is not started: tests start their own
}


def may_install() -> bool:
    """Whether this user may install packages here."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(packages: Sequence[str]) -> None:
    """Install packages; raises cache.UnavailableError with the reason."""
    if not may_install():
        raise cache.UnavailableError(f"install it with `apt-get install {' '.join(packages)}`")
    with cache.locked("apt"):
        cache.install(["apt-get", "update", "-qq"], extra=QUIET)
        cache.install(
            ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages],
            extra=QUIET,
        )
