"""`weir web`: the API and the screens without engines, beside any number of others."""

from typing import Any

from weir.commands.beside import run_beside_others, takes
from weir.commands.console import say, told_plainly
from weir.commands.options import Port, SecureCookies
from weir.commands.serve import tell_first_password


@told_plainly
@takes(port=Port, secure_cookies=SecureCookies)
def web(**flags: Any) -> None:
    """Serve the API and the screens, until Ctrl-C; `weir worker` processes. Log, database and bus are services."""

    def announce(address: str, password: str | None) -> None:
        say(f"Weir's web serves {address}; Ctrl-C stops it")
        tell_first_password(password)

    run_beside_others("web", flags, announce)
