"""`weir connect`: the way in alone, beside any number of others."""

from typing import Any

from weir.commands.beside import run_beside_others, takes
from weir.commands.console import say, told_plainly
from weir.commands.options import Port


@told_plainly
@takes(port=Port)
def connect(**flags: Any) -> None:
    """Take events in, until Ctrl-C; no screens, no engines. Log, database and bus are services."""

    def announce(address: str, _password: str | None) -> None:
        say(f"Weir takes events in at {address}; Ctrl-C stops it")

    run_beside_others("connect", flags, announce)
