"""Real processes of Weir, stopped when the test ends."""

import logging

import pytest
import structlog

from tests.weir.processes import PATIENCE_S, Process


@pytest.fixture(autouse=True)
def _logging_of_before():
    """A command that runs within the tests sets the logs up for itself: to a stream that is closed when it is done."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.fixture
def start(tmp_path):
    processes = []

    def run(*arguments):
        processes.append(Process(arguments, tmp_path / f"out{len(processes)}"))
        return processes[-1]

    yield run
    for process in processes:
        if process.popen.poll() is None:
            process.popen.kill()
            process.popen.wait(PATIENCE_S)
