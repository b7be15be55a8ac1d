"""`weir connect`: the way in alone, beside any number of others."""

from weir.commands.console import ConfigFile, configured, say, told_plainly
from weir.commands.options import Broker, Database, Host, LogFormat, LogLevel, Partitions, Port, Redis
from weir.config import check_clustered


@told_plainly
def connect(  # one parameter per flag
    *,
    config: ConfigFile = None,
    broker: Broker = None,
    database: Database = None,
    redis: Redis = None,
    host: Host = None,
    port: Port = None,
    partitions: Partitions = None,
    log_format: LogFormat = None,
    log_level: LogLevel = None,
) -> None:
    """Take events in, until Ctrl-C; no screens, no engines. Log, database and bus are services."""
    flags = {name: value for name, value in locals().items() if name != "config"}
    settings = configured(config, flags)
    check_clustered(settings, "connect")

    from weir.process import run_process  # noqa: PLC0415 # the parts take long to import: only who runs pays

    def announce(address: str, _password: str | None) -> None:
        say(f"Weir takes events in at {address}; Ctrl-C stops it")

    run_process(settings, role="connect", announce=announce)
