"""Real processes of Weir, stopped when the test ends."""

import pytest

from tests.weir.processes import PATIENCE_S, Process


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
