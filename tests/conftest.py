"""Fixtures that every folder of tests may use."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:  # a bare `pytest` does not put the work tree there
    sys.path.insert(0, str(ROOT))

from tests.services import chromium  # noqa: E402 # needs the line above


@pytest.fixture
def data_dir(tmp_path):
    """An empty directory of its own for one product under test."""
    path = tmp_path / "weir"
    path.mkdir()
    return path


@pytest.fixture(scope="session")
def chromium_path():
    """Headless Chromium; without it the test is skipped, in continuous integration it fails."""
    found = chromium.find()
    if found is None:
        if chromium.required():
            pytest.fail(chromium.missing())
        pytest.skip(chromium.missing())
    return found


@pytest.fixture(scope="session")
def public_data():
    """The folder of public data beside the work tree; tests that read it are skipped where it is absent."""
    path = ROOT.parent / "shared" / "data"
    if not path.is_dir():
        pytest.skip(f"no public data at {path}")
    return path
