"""`weir emulate`: the platforms, emulated on this machine, for work on connectors and for tests of troubles."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from weir.commands.console import say, told_plainly

if TYPE_CHECKING:  # starting takes long to import: only who emulates pays
    from emulator.app import Plan

PORT = 8090


@told_plainly
def emulate(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0: any that is free.")] = PORT,
    seed: Annotated[int, typer.Option(help="The same seed gives the same shops, buyers and secrets.")] = 1,
    rate: Annotated[float, typer.Option(help="What buyers of each shop write, messages a minute; 0: nothing.")] = 6.0,
    shops: Annotated[int, typer.Option(help="How many shops at each platform.")] = 1,
    shared_apps: Annotated[
        bool, typer.Option("--shared-apps", help="All shops of a platform by one app, their webhooks to one address.")
    ] = False,
    platforms: Annotated[
        list[str] | None, typer.Option("--platform", help="One to emulate; all without it.", metavar="NAME")
    ] = None,
    faults: Annotated[
        list[str] | None,
        typer.Option(
            "--faults",
            help="A fault to begin with, as kind@platform/shop:share:seconds, all but the kind optional.",
            metavar="FAULT",
        ),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option("--data-dir", "--data", help="Folder to keep what the platforms hold; nowhere without it."),
    ] = None,
) -> None:
    """Emulate the platforms: their webhooks, APIs and buyers, and troubles of all kinds, until Ctrl-C."""
    from emulator.app import Plan  # noqa: PLC0415 # only who emulates pays for it
    from emulator.faults import read_fault  # noqa: PLC0415 # as above

    plan = Plan(
        seed=seed,
        shops=shops,
        shared_apps=shared_apps,
        platforms=platforms or (),
        rate=rate,
        faults=[read_fault(one) for one in faults or []],
        folder=folder,
    )
    asyncio.run(_run(plan, host, port))


async def _run(plan: Plan, host: str, port: int) -> None:
    from emulator.app import Emulator  # noqa: PLC0415 # only who emulates pays for it
    from emulator.server import bound, serving  # noqa: PLC0415 # as above
    from weir.server import stop_signals  # noqa: PLC0415 # as above

    emulator = Emulator(plan)
    sock = bound(host, port)
    with sock, stop_signals(deadline_s=10) as stop:
        async with serving(emulator, sock) as address:
            say(f"The platforms answer at {address}/<platform>; panel and bindings: {address}/_emulator/")
            for shop in emulator.stage.world.shops.values():
                say(f"  {shop.key}")
            say("Ctrl-C stops it")
            await stop.wait()
