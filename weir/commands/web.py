"""`weir web`: the API and the screens without engines, beside any number of others."""

from weir.commands.console import ConfigFile, configured, say, told_plainly
from weir.commands.options import Broker, Database, Host, LogFormat, LogLevel, Partitions, Port, Redis, SecureCookies
from weir.commands.serve import tell_first_password
from weir.config import check_clustered


@told_plainly
def web(  # one parameter per flag
    *,
    config: ConfigFile = None,
    broker: Broker = None,
    database: Database = None,
    redis: Redis = None,
    host: Host = None,
    port: Port = None,
    secure_cookies: SecureCookies = None,
    partitions: Partitions = None,
    log_format: LogFormat = None,
    log_level: LogLevel = None,
) -> None:
    """Serve the API and the screens, until Ctrl-C; `weir worker` processes. Log, database and bus are services."""
    flags = {name: value for name, value in locals().items() if name != "config"}
    settings = configured(config, flags)
    check_clustered(settings, "web")

    from weir.process import run_process  # noqa: PLC0415 # the parts take long to import: only who runs pays

    def announce(address: str, password: str | None) -> None:
        say(f"Weir's web serves {address}; Ctrl-C stops it")
        tell_first_password(password)

    run_process(settings, role="web", announce=announce)
