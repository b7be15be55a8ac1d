"""`weir demo`: the whole product, a simulated sale that flows in through its API, and emulated platforms.

The sale brings every kind of trouble; the platforms exercise the connectors from end to end: their shops are bound like
real ones, and replies reach buyers who answer.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Annotated

import structlog
import typer

from actors.errors import WeirError
from services.errors import NotFoundError
from services.people.passwords import random_password
from services.people.permissions import Caller
from weir.commands.console import ConfigFile, configured, say, told_plainly
from weir.config import describe

if TYPE_CHECKING:  # the parts take long to import: `weir --help` must not pay for them
    from weir.wiring import Weir

DATA_DIR = "demo-data"
ADMIN = "admin"
TRAFFIC = "demo traffic"
PLATFORMS = "demo platforms"
RATE = 1.5
"""What each emulated shop's buyers write, messages a minute: enough to see, and to answer by hand."""
_log = structlog.get_logger(__name__)


@told_plainly
def demo(
    *,
    config: ConfigFile = None,
    data_dir: Annotated[
        str, typer.Option("--data-dir", "--data", help="Folder of the demo's data.", metavar="DIR")
    ] = DATA_DIR,
    host: Annotated[str | None, typer.Option(help=describe("host"))] = None,
    port: Annotated[int | None, typer.Option(help=f"{describe('port')} Taken: the next free one.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same sale.")] = 1,
    log_level: Annotated[str, typer.Option(help=describe("log_level"))] = "warning",
    log_format: Annotated[str | None, typer.Option(help=describe("log_format"))] = None,
) -> None:
    """Run Weir with a simulated flash sale, injected troubles and emulated platforms, until Ctrl-C.

    The next start goes on from there.
    """
    flags = {"data_dir": data_dir, "host": host, "port": port, "log_level": log_level, "log_format": log_format}
    settings = configured(config, flags)
    say("Weir demo starts ...")

    from weir.process import run_process  # noqa: PLC0415 # the parts take long to import: only who serves pays

    async def sale(weir: "Weir", address: str) -> None:
        password = await _fresh_password(weir)
        people = await _people(weir, password)
        secret = await _fresh_token(weir)
        say()
        say(f"  Weir demo   {address}")
        say(f"  log in as   {ADMIN}")
        say(f"  password    {password}")
        if people:
            say(f"  others      {people}; the same password")
        say()
        say(f"A simulated sale flows in; data in {settings.data_dir}; Ctrl-C stops.")

        from loadtest.live import run_demo  # noqa: PLC0415 # only the demo needs it

        try:
            async with _platforms(weir, address, seed):
                await run_demo(address, secret, seed)
        except asyncio.CancelledError:
            say("Stopping; everything that was accepted is kept.")
            raise

    run_process(settings, announce=lambda _address, _password: None, companion=sale, further_ports=port is None)


@asynccontextmanager
async def _platforms(weir: "Weir", address: str, seed: int) -> AsyncIterator[None]:
    """Emulated platforms on a port of their own, their shops bound; without them the demo goes on all the same."""
    async with AsyncExitStack() as stack:
        try:
            shops, panel = await _emulated(weir, address, seed, stack)
        except WeirError as trouble:
            _log.warning("the demo goes on without emulated platforms", reason=str(trouble))
        else:
            say(f"{shops} emulated shops are bound; their platforms' panel: {panel}")
        yield


async def _emulated(weir: "Weir", address: str, seed: int, stack: AsyncExitStack) -> tuple[int, str]:
    """How many shops are bound, and the address of their platforms' panel. Raises WeirError."""
    from emulator.app import Emulator, Plan  # noqa: PLC0415 # only the demo needs it
    from emulator.server import bound, serving  # noqa: PLC0415 # as above
    from weir.parts.emulated import bind_emulated  # noqa: PLC0415 # as above

    config = weir.config
    emulator = Emulator(Plan(seed=seed, rate=RATE, introduced=True, folder=config.data if config.keeps_files else None))
    platforms = await stack.enter_async_context(serving(emulator, stack.enter_context(bound("127.0.0.1", 0))))
    caller = Caller(name=PLATFORMS, role="admin", via="cli")
    shops = await bind_emulated(weir.services.bindings, caller, emulator=platforms, weir=address)
    return len(shops), f"{platforms}/_emulator/"


async def _people(weir: "Weir", password: str) -> str:
    """Who else may log in, as a text; empty where the shop's people could not be made."""
    from weir.parts.demo_office import furnish  # noqa: PLC0415 # only the demo needs it

    services, caller = weir.services, Caller(name="weir demo", role="admin", via="cli")
    try:
        people = await furnish(weir.accounts, services.teams, services.templates, caller, password)
    except WeirError as trouble:
        _log.warning("the demo goes on without people, teams and templates", reason=str(trouble))
        return ""
    return ", ".join(f"{person.name} ({person.role})" for person in people)


async def _fresh_password(weir: "Weir") -> str:
    """A new password for the demo's admin at every start, so that none needs to be remembered."""
    password = random_password()
    try:
        await weir.accounts.change(ADMIN, who="weir demo", password=password, disabled=False)
    except NotFoundError:
        await weir.accounts.add(ADMIN, "admin", password, who="weir demo")
    return password


async def _fresh_token(weir: "Weir") -> str:
    """A token for this run's traffic; those of earlier runs end."""
    for token in await weir.tokens.tokens():
        if token.name == TRAFFIC and token.revoked_at is None:
            await weir.tokens.revoke(token.id, who="weir demo")
    secret, _ = await weir.tokens.create(TRAFFIC, "supervisor", who="weir demo", days=7)
    return secret
