"""`weir serve`: the whole product in one process."""

from typing import Annotated

import typer

from weir.commands.console import ConfigFile, DataDir, configured, say, told_plainly
from weir.config import Config, describe


@told_plainly
def serve(  # one parameter per flag
    *,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    host: Annotated[str | None, typer.Option(help=describe("host"))] = None,
    port: Annotated[int | None, typer.Option(help=describe("port"))] = None,
    partitions: Annotated[int | None, typer.Option(help=describe("partitions"))] = None,
    log_format: Annotated[str | None, typer.Option(help=describe("log_format"))] = None,
    log_level: Annotated[str | None, typer.Option(help=describe("log_level"))] = None,
    secure_cookies: Annotated[bool | None, typer.Option(help=describe("secure_cookies"))] = None,
    broker: Annotated[str | None, typer.Option(help=describe("broker"))] = None,
    database: Annotated[str | None, typer.Option(help=describe("database"))] = None,
    redis: Annotated[str | None, typer.Option(help=describe("redis"))] = None,
) -> None:
    """Run Weir: web, API and processing in one process, until Ctrl-C."""
    flags = {name: value for name, value in locals().items() if name != "config"}
    settings = configured(config, flags)

    from weir.process import run_process  # noqa: PLC0415 # the parts take long to import: only who serves pays

    run_process(settings, announce=lambda address, password: _announce(settings, address, password))


def _announce(settings: Config, address: str, password: str | None) -> None:
    say(f"Weir serves {address} (data in {settings.data_dir}); Ctrl-C stops it")
    if password:
        say(
            f"First start: log in as admin with the password {password} (shown only now; `weir user passwd` changes it)"
        )
