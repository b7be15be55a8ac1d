"""`weir channel test`, `authorise` and `unset`: one bound channel, looked at and put right."""

from typing import Annotated, Any
from urllib.parse import quote, urlsplit

import msgspec
import typer

from actors.errors import RejectedError
from actors.times import rfc3339
from connectors.contract.connector import Connector
from services.errors import NotFoundError
from storage.ports import Store
from storage.records import BoundChannel
from weir.commands.bound import Account, Platform, bindings_of, caller
from weir.commands.console import (
    EXIT_FAILED,
    ConfigFile,
    DataDir,
    Json,
    configured,
    say,
    say_json,
    told_plainly,
)
from weir.commands.stores import wall_clock, with_store
from weir.config import Config

STATES = {
    "ok": "the platform accepts the authorisation",
    "denied": "the platform does not accept the authorisation: authorise the channel again",
    "unasked": "the platform could not be asked",
    "unknown": "nobody can tell",
}
SUBSCRIPTIONS = {
    "active": "webhooks are sent to us",
    "disabled": "webhooks are NOT sent to us: switch them on at the platform",
    "unknown": "the platform does not tell whether webhooks are sent",
}


@told_plainly
def look(
    platform: Platform,
    account: Account,
    *,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Ask the platform how the channel stands; exit code 1 unless it accepts us and sends its webhooks."""
    given = configured(config, {"data_dir": data_dir})

    async def work(store: Store) -> dict[str, Any]:
        from services.channels.platform_api import Apis  # noqa: PLC0415 # only who asks a platform loads the HTTP client
        from services.channels.probes import probed  # noqa: PLC0415 # as above
        from streams.coordination.rate_limits import LocalRateLimits  # noqa: PLC0415 # as above

        _, connector = await _current(store, given, platform, account)
        apis = Apis(LocalRateLimits(), wall_clock)
        try:
            found = await probed(connector, apis.of(connector))
        finally:
            await apis.close()
        expires = None if found.expires_at is None else rfc3339(found.expires_at)
        return {"platform": platform, "account": account} | msgspec.to_builtins(found) | {"expires_at": expires}

    told = with_store(given, work)
    if as_json:
        say_json(told)
    else:
        say(f"channel {platform}/{account}: {STATES[told['state']]}")
        if told["state"] == "ok":
            say(SUBSCRIPTIONS[told["subscription"]])
        if told["lacking"]:
            say(f"permissions lack: {', '.join(told['lacking'])}; authorise it again and allow them")
        if told["expires_at"]:
            say(f"the authorisation ends {told['expires_at']}")
        if told["reason"]:
            say(told["reason"])
    if told["state"] in ("denied", "unasked") or told["lacking"] or told["subscription"] == "disabled":
        raise typer.Exit(EXIT_FAILED)


@told_plainly
def authorise(
    platform: Platform,
    account: Account,
    *,
    origin: Annotated[
        str | None, typer.Option("--origin", help="Where people open Weir; that of the webhook address otherwise.")
    ] = None,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Print the address at which an admin who is logged in authorises the channel in a browser."""
    given = configured(config, {"data_dir": data_dir})

    async def work(store: Store) -> str:
        row, connector = await _current(store, given, platform, account)
        if connector.oauth is None:
            raise RejectedError(f"{platform} is not authorised in a browser; give its settings with `weir channel add`")
        parts = urlsplit(origin or row.url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise RejectedError("--origin: give it like https://weir.example.com")
        place = "/".join(quote(part, safe="") for part in (platform, account))
        return f"{parts.scheme}://{parts.netloc}/api/v1/bindings/{place}/authorise"

    address = with_store(given, work)
    if as_json:
        say_json({"platform": platform, "account": account, "address": address})
    else:
        say(address)


@told_plainly
def unset(
    platform: Platform,
    account: Account,
    name: Annotated[str, typer.Argument(help="An optional setting.", metavar="NAME")],
    *,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Take an optional setting away. Takes effect within five seconds."""
    given = configured(config, {"data_dir": data_dir})

    async def work(store: Store) -> bool:
        row = await store.binding(platform, account)
        if row is None:
            raise _not_bound(platform, account)
        bindings = bindings_of(store, given)
        return await bindings.bind(caller(), platform, account, row.url, {}, unset=[name]) != row

    changed = with_store(given, work)
    if as_json:
        say_json({"platform": platform, "account": account, "name": name, "changed": changed})
    else:
        say(f"{name} of channel {platform}/{account} {'is taken away' if changed else 'was not set'}")


async def _current(store: Store, config: Config, platform: str, account: str) -> tuple[BoundChannel, Connector]:
    found = await bindings_of(store, config).current(platform, account)
    if found is None:
        raise _not_bound(platform, account)
    return found


def _not_bound(platform: str, account: str) -> NotFoundError:
    return NotFoundError(f"no channel {platform}/{account} is bound; `weir channel list` shows them")
