"""The whole product in a process of its own, and a browser logged in to it."""

from pathlib import Path

import pytest

from tests.ui.programs import served, windows

PRODUCT = Path(__file__).parent / "product.py"


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """The address of one product for all tests of a file; they must not rely on each other's changes."""
    with served(PRODUCT, tmp_path_factory.mktemp("workload")) as address:
        yield address


@pytest.fixture
async def logged_in(browser, desk):
    """`logged_in(path, name=, password=, lang=, phone=)` opens a page for a person; script errors fail the test."""
    async with windows(browser, desk) as opened:
        yield opened
