"""`weir channel`: channels bound to their platforms. A secret never stands on a command line."""

import getpass
import sys
from typing import Annotated

import typer

from actors.errors import RejectedError
from actors.times import rfc3339
from connectors.contract.connector import Connector, Setting
from connectors.registry import BY_PLATFORM
from services.channels.binding_checks import SHOWN, kind_of
from services.channels.bindings import Resealed
from services.channels.states import ChannelState, ChannelStates
from services.channels.views import platform_view, state_view
from services.contacts.contact_data import Safe
from services.contacts.learning import Learning, Resealing
from storage.ports import Store
from storage.records import BoundChannel
from weir.commands import channel_looks, channel_template
from weir.commands.bound import Account, Platform, bindings_of, caller
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
from weir.commands.stores import wall_clock, with_store
from weir.parts.vault import made_vault

app = typer.Typer(help="Bind channels to their platforms.", no_args_is_help=True)
app.command("test")(channel_looks.look)
app.command("authorise")(channel_looks.authorise)
app.command("unset")(channel_looks.unset)
app.command("template")(channel_template.template)


@app.command("add")
@told_plainly
def add(
    platform: Platform,
    account: Account,
    *,
    url: Annotated[str, typer.Option("--url", help="The webhook address registered at the platform.")],
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="A setting that is no secret.", metavar="NAME=VALUE")
    ] = None,
    asked: Annotated[
        list[str] | None, typer.Option("--secret", help="A secret one; its value is asked for.", metavar="NAME")
    ] = None,
    piped: Annotated[
        list[str] | None,
        typer.Option(
            "--secret-stdin", help="The same, from standard input; of several each has a line.", metavar="NAME"
        ),
    ] = None,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Bind a channel, or change its binding: settings not named keep their values. Takes effect within five seconds."""
    kind = kind_of(BY_PLATFORM, platform)
    _check_names(kind, asked or [], piped or [])
    values = _plain(kind, settings or []) | _from_stdin(piped or []) | _asked(asked or [])
    given = configured(config, {"data_dir": data_dir})

    async def work(store: Store) -> BoundChannel:
        return await bindings_of(store, given).bind(caller(), platform, account, url, values)

    bound = with_store(given, work, create=True)
    if as_json:
        say_json({"platform": bound.platform, "account": bound.account, "url": bound.url, "key": bound.key})
    else:
        say(f"channel {bound.platform}/{bound.account} is bound")


@app.command("list")
@told_plainly
def list_channels(*, data_dir: DataDir = None, config: ConfigFile = None, as_json: Json = False) -> None:
    """Show bound channels: names of what is set, never values."""
    given = configured(config, {"data_dir": data_dir})

    async def work(store: Store) -> list[ChannelState]:
        return await ChannelStates(store, bindings_of(store, given)).all()

    states = with_store(given, work)
    if as_json:
        say_json([state_view(channel) for channel in states])
        return
    rows = [
        (
            c.channel.platform,
            c.channel.account,
            c.channel.url,
            " ".join(c.channel.settings),
            " ".join(c.channel.secrets),
            c.channel.key,
            rfc3339(c.channel.changed_at),
            rfc3339(c.expires_at) if c.expires_at is not None else "",
            _trouble(c),
        )
        for c in states
    ]
    say_table(("platform", "account", "url", "settings", "secrets", "key", "changed", "expires", "trouble"), rows)


@app.command("remove")
@told_plainly
def remove(
    platform: Platform,
    account: Account,
    *,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Forget a binding with its secrets; what the channel told so far stays."""
    given = configured(config, {"data_dir": data_dir})

    async def work(store: Store) -> None:
        await bindings_of(store, given).unbind(caller(), platform, account)

    with_store(given, work)
    if as_json:
        say_json({"platform": platform, "account": account, "bound": False})
    else:
        say(f"channel {platform}/{account} is bound no more; take its webhook away at the platform as well")


@app.command("platforms")
@told_plainly
def platforms(*, as_json: Json = False) -> None:
    """Show which platforms there are and which settings each wants."""
    kinds = [BY_PLATFORM[name] for name in sorted(BY_PLATFORM)]
    if as_json:
        say_json([platform_view(kind) for kind in kinds])
        return
    rows = [(kind.platform, one.name, _how(one), one.about) for kind in kinds for one in kind.settings]
    bare = [(kind.platform, "", "", "no settings") for kind in kinds if not kind.settings]
    say_table(("platform", "setting", "", "about"), sorted(rows + bare, key=lambda row: row[0]))


@app.command("reseal")
@told_plainly
def reseal(
    *,
    new_key: Annotated[
        bool, typer.Option("--new-key", help="First put a new key into the key file; the others stay, for reading.")
    ] = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Seal the secrets of all channels and customers' addresses anew; exit code 1 when some could not be."""
    given = configured(config, {"data_dir": data_dir})
    vault = made_vault(given)

    async def work(store: Store) -> tuple[Resealed, Resealing]:
        if new_key:
            vault.renew()
        channels = await bindings_of(store, given, vault).reseal(caller())
        return channels, await Learning(store, Safe(vault), wall_clock).reseal()

    result, contacts = with_store(given, work)
    if as_json:
        say_json(
            {"done": result.done, "failed": result.failed, "contacts": contacts.done, "contacts_left": contacts.left}
        )
    else:
        say(f"{len(result.done)} channels are sealed with the present key")
        say(f"the addresses of {contacts.done} customers were sealed anew")
        if contacts.left:
            say(f"NOT SEALED: the addresses of {contacts.left} customers: give their key by WEIR_SECRET_KEY_OLD")
        for name, reason in result.failed.items():
            say(f"NOT SEALED: {name}: {reason}")
    if result.failed or contacts.left:
        raise typer.Exit(EXIT_FAILED)


def _plain(kind: type[Connector], pairs: list[str]) -> dict[str, str]:
    """What `--set` gives; a secret there is refused: other users of the machine could see it."""
    secret = {one.name for one in kind.settings if one.secret}
    values: dict[str, str] = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign:
            raise RejectedError("--set: give it as NAME=VALUE")
        if name in secret:
            raise RejectedError(
                f"--set: {name} is a secret, and a command line is seen by others: give it with --secret {name}."
                " What was typed is in the shell's history: remove it there, or let the platform make another"
            )
        values[name] = value
    return values


def _check_names(kind: type[Connector], asked: list[str], piped: list[str]) -> None:
    """Before anybody types a secret in for nothing; what follows an equals sign may be one, and is not repeated."""
    known, names = [one.name for one in kind.settings if one.secret], asked + piped
    for name in names:
        if name not in known:
            shown = name.partition("=")[0][:SHOWN]
            there = ", ".join(known) or "none"
            raise RejectedError(f"--secret: {kind.platform} has no secret {shown!r}; its secrets are: {there}")
        if names.count(name) > 1:
            raise RejectedError(f"--secret: {name} is named twice")


def _from_stdin(names: list[str]) -> dict[str, str]:
    """One takes the whole of standard input, which may have several lines; of several each takes a line."""
    if not names:
        return {}
    if len(names) == 1:
        return {names[0]: sys.stdin.read().rstrip("\r\n")}
    return {name: sys.stdin.readline().rstrip("\r\n") for name in names}


def _asked(names: list[str]) -> dict[str, str]:
    if names and not sys.stdin.isatty():
        raise RejectedError(f"--secret: nobody can be asked here; give {names[0]} with --secret-stdin {names[0]}")
    return {name: getpass.getpass(f"{name}: ") for name in names}


def _trouble(state: ChannelState) -> str:
    """The worst of it, with what to do; empty when all is well."""
    channel, since = state.channel, state.signatures_since
    troubles = (
        channel.trouble,
        bool(channel.missing) and f"lacks {', '.join(channel.missing)}: give it with `weir channel add`",
        state.auth in ("expired", "revoked") and f"authorisation {state.auth}: authorise it again",
        bool(state.lacking) and f"permissions lack: {', '.join(state.lacking)}; authorise it again and allow them",
        since is not None and f"signatures fail since {rfc3339(since)}: was the secret changed at the platform?",
        state.standing.subscription == "disabled" and "the platform sends no webhooks: switch them on there",
        state.standing.trouble,
    )
    return next((told for told in troubles if isinstance(told, str) and told), "")


def _how(setting: Setting) -> str:
    return ("--secret" if setting.secret else "--set") + ("" if setting.required else ", optional")
