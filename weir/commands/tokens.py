"""`weir token`: API tokens for programs."""

from typing import Annotated, Any

import typer

from actors.times import rfc3339
from services.people.permissions import ROLES
from services.people.tokens import Tokens
from storage.ports import Store
from storage.records import Token
from weir.commands.console import ConfigFile, DataDir, Json, configured, say, say_json, say_table, told_plainly
from weir.commands.stores import operator, wall_clock, with_store

app = typer.Typer(help="Manage API tokens.", no_args_is_help=True)


@app.command("create")
@told_plainly
def create(
    name: Annotated[str, typer.Argument(help="What the token is for.", metavar="NAME")],
    *,
    role: Annotated[str, typer.Option("--role", help=f"One of {', '.join(ROLES)}.")] = "viewer",
    days: Annotated[int | None, typer.Option("--days", help="Days until it ends; without: never.")] = None,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Create a token and show its secret, once. Sending events needs the role supervisor or admin."""

    async def work(store: Store) -> tuple[str, Token]:
        return await Tokens(store, wall_clock).create(name, role, who=operator(), days=days)

    secret, token = with_store(configured(config, {"data_dir": data_dir}), work, create=True)
    if as_json:
        say_json(_view(token) | {"secret": secret})
    else:
        say(secret)


@app.command("list")
@told_plainly
def list_tokens(*, data_dir: DataDir = None, config: ConfigFile = None, as_json: Json = False) -> None:
    """Show all tokens, revoked ones too; never their secrets."""

    async def work(store: Store) -> list[Token]:
        return await store.tokens()

    tokens = with_store(configured(config, {"data_dir": data_dir}), work)
    if as_json:
        say_json([_view(token) for token in tokens])
        return
    rows = [
        (t.id, t.name, t.role, t.created_by, _time(t.last_used_at), _time(t.expires_at), _time(t.revoked_at))
        for t in tokens
    ]
    say_table(("id", "name", "role", "by", "last used", "ends", "revoked"), rows)


@app.command("revoke")
@told_plainly
def revoke(
    token_id: Annotated[str, typer.Argument(help="Its id, see `weir token list`.", metavar="ID")],
    *,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """End a token; a running Weir knows within two seconds."""

    async def work(store: Store) -> Token:
        return await Tokens(store, wall_clock).revoke(token_id, who=operator())

    token = with_store(configured(config, {"data_dir": data_dir}), work)
    if as_json:
        say_json(_view(token))
    else:
        say(f"token {token.id} ({token.name}) is revoked")


def _view(token: Token) -> dict[str, Any]:
    return {
        "id": token.id,
        "name": token.name,
        "role": token.role,
        "created_by": token.created_by,
        "created_at": rfc3339(token.created_at),
        "expires_at": _time(token.expires_at),
        "revoked_at": _time(token.revoked_at),
        "last_used_at": _time(token.last_used_at),
    }


def _time(ms: int | None) -> str | None:
    return None if ms is None else rfc3339(ms)
