"""`weir serve`: the whole product in one process."""

from weir.commands.console import ConfigFile, DataDir, configured, say, told_plainly
from weir.commands.options import (
    Broker,
    Database,
    Host,
    LogFormat,
    LogLevel,
    Partitions,
    Port,
    Redis,
    SecureCookies,
)


@told_plainly
def serve(  # one parameter per flag
    *,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    host: Host = None,
    port: Port = None,
    partitions: Partitions = None,
    log_format: LogFormat = None,
    log_level: LogLevel = None,
    secure_cookies: SecureCookies = None,
    broker: Broker = None,
    database: Database = None,
    redis: Redis = None,
) -> None:
    """Run Weir: web, API and processing in one process, until Ctrl-C."""
    flags = {name: value for name, value in locals().items() if name != "config"}
    settings = configured(config, flags)

    from weir.process import run_process  # noqa: PLC0415 # the parts take long to import: only who serves pays

    def announce(address: str, password: str | None) -> None:
        place = f" (data in {settings.data_dir})" if settings.keeps_files else ""
        say(f"Weir serves {address}{place}; Ctrl-C stops it")
        tell_first_password(password)

    run_process(settings, announce=announce)


def tell_first_password(password: str | None) -> None:
    """Show the password of the first admin, if this process has just made one."""
    if password:
        say(
            f"First start: log in as admin with the password {password} (shown only now; `weir user passwd` changes it)"
        )
