"""`weir worker`: the engines of a share of the partitions, beside any number of others."""

from weir.commands.console import ConfigFile, configured, say, told_plainly
from weir.commands.options import Broker, Database, Host, LogFormat, LogLevel, Partitions, Redis, WorkerPort
from weir.config import check_clustered


@told_plainly
def worker(  # one parameter per flag
    *,
    config: ConfigFile = None,
    broker: Broker = None,
    database: Database = None,
    redis: Redis = None,
    host: Host = None,
    worker_port: WorkerPort = None,
    partitions: Partitions = None,
    log_format: LogFormat = None,
    log_level: LogLevel = None,
) -> None:
    """Process a share of the partitions, until Ctrl-C. Log, database and bus are services."""
    flags = {name: value for name, value in locals().items() if name != "config"}
    settings = configured(config, flags)
    check_clustered(settings, "worker")

    from weir.process import run_process  # noqa: PLC0415 # the parts take long to import: only who runs pays

    def announce(address: str, _password: str | None) -> None:
        say(f"Weir's worker answers /readyz and /metrics on {address}; Ctrl-C stops it")

    run_process(settings, role="worker", announce=announce)
