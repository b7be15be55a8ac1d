"""What the commands of processes beside others (`weir connect`, `web`, `worker`) share: their options, how they run."""

from collections.abc import Callable, Mapping
from inspect import Parameter, Signature
from typing import Any, Literal

from weir.commands.console import ConfigFile, configured
from weir.commands.options import Broker, Database, Host, LogFormat, LogLevel, Partitions, Redis
from weir.config import check_clustered

Command = Callable[..., None]


def takes(**own: Any) -> Callable[[Command], Command]:
    """Give a command, which takes its flags as one mapping, the shared options and its own, by name of the setting."""
    options = {
        "config": ConfigFile,
        "broker": Broker,
        "database": Database,
        "redis": Redis,
        "host": Host,
        **own,
        "partitions": Partitions,
        "log_format": LogFormat,
        "log_level": LogLevel,
    }

    def given(command: Command) -> Command:
        # Typer reads a command's options off its signature.
        command.__dict__["__signature__"] = Signature(
            [
                Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=option)
                for name, option in options.items()
            ]
        )
        return command

    return given


def run_beside_others(
    role: Literal["connect", "web", "worker"],
    flags: Mapping[str, Any],
    announce: Callable[[str, str | None], None],
) -> None:
    """Run the role until Ctrl-C; `announce` is told the address and the first password, if one was just made.

    Raises ConfigurationError when a setting is wrong or names a part that other processes do not see.
    """
    settings = configured(flags["config"], {name: value for name, value in flags.items() if name != "config"})
    check_clustered(settings, role)

    from weir.process import run_process  # noqa: PLC0415 # the parts take long to import: only who runs pays

    run_process(settings, role=role, announce=announce)
