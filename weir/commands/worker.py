"""`weir worker`: the engines of a share of the partitions, beside any number of others."""

from typing import Any

from weir.commands.beside import run_beside_others, takes
from weir.commands.console import say, told_plainly
from weir.commands.options import WorkerPort


@told_plainly
@takes(worker_port=WorkerPort)
def worker(**flags: Any) -> None:
    """Process a share of the partitions, until Ctrl-C. Log, database and bus are services."""

    def announce(address: str, _password: str | None) -> None:
        say(f"Weir's worker answers /readyz and /metrics on {address}; Ctrl-C stops it")

    run_beside_others("worker", flags, announce)
