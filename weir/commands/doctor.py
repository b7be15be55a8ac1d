"""`weir doctor`: says what is wrong and how to mend it."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import to_builtins

from weir.commands.console import (
    EXIT_FAILED,
    ConfigFile,
    DataDir,
    Json,
    configured,
    say,
    say_json,
    say_table,
    told_plainly,
)
from weir.commands.stores import wall_clock
from weir.config import Config

if TYPE_CHECKING:  # the parts take long to import: `weir --help` must not pay for them
    from weir.checkup.finding import Finding


@told_plainly
def doctor(
    *,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    port: int | None = None,
    online: Annotated[bool, typer.Option("--online", help="Ask the platforms of bound channels as well.")] = False,
    as_json: Json = False,
) -> None:
    """Check settings, disk, clocks, log, database, bus, processes, people, channels; exit code 1 when one is broken."""
    findings = asyncio.run(_examined(configured(config, {"data_dir": data_dir, "port": port}), online=online))
    broken = [finding for finding in findings if finding.state == "broken"]
    if as_json:
        say_json({"ok": not broken, "findings": to_builtins(findings)})
    else:
        say_table(("", "what", "found", "what to do"), [(f.state, f.what, f.found, f.mend) for f in findings])
        say()
        say(f"{len(broken)} things are broken." if broken else "Weir is well.")
    if broken:
        raise typer.Exit(EXIT_FAILED)


async def _examined(settings: Config, *, online: bool) -> "list[Finding]":
    from weir.checkup.examine import examine  # noqa: PLC0415 # only this command needs it

    return [finding async for finding in examine(settings, wall_clock(), online=online)]
