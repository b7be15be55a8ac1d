"""`weir user`: people who may log in."""

import getpass
import sys
from typing import Annotated, Any

import typer

from actors.errors import RejectedError
from actors.times import rfc3339
from services.people.accounts import Accounts
from services.people.passwords import random_password
from services.people.permissions import ROLES
from storage.ports import Store
from storage.records import User
from weir.commands.console import ConfigFile, DataDir, Json, configured, say, say_json, say_table, told_plainly
from weir.commands.stores import operator, wall_clock, with_store

app = typer.Typer(help="Manage people.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="Login name.", metavar="NAME")]
RoleName = Annotated[str, typer.Option("--role", help=f"One of {', '.join(ROLES)}.")]
FromStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]
Made = Annotated[bool, typer.Option("--random", help="Make a password up and show it once.")]


@app.command("add")
@told_plainly
def add(
    name: Name,
    *,
    role: RoleName = "agent",
    password_stdin: FromStdin = False,
    random: Made = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Add a person; without a password given one is asked for, or made up where nobody can be asked."""
    password, shown = _new_password(stdin=password_stdin, random=random)

    async def work(store: Store) -> User:
        return await Accounts(store, wall_clock).add(name, role, password, who=operator())

    user = with_store(configured(config, {"data_dir": data_dir}), work, create=True)
    _tell(f"{user.name} may log in as {user.role}", user, shown, as_json=as_json)


@app.command("list")
@told_plainly
def list_users(*, data_dir: DataDir = None, config: ConfigFile = None, as_json: Json = False) -> None:
    """Show everybody."""

    async def work(store: Store) -> list[User]:
        return await store.users()

    users = with_store(configured(config, {"data_dir": data_dir}), work)
    if as_json:
        say_json([_view(user) for user in users])
        return
    rows = [(u.name, u.role, "disabled" if u.disabled else "", rfc3339(u.created_at)) for u in users]
    say_table(("name", "role", "", "since"), rows)


@app.command("passwd")
@told_plainly
def passwd(
    name: Name,
    *,
    password_stdin: FromStdin = False,
    random: Made = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Give a person another password; ends the person's sessions."""
    password, shown = _new_password(stdin=password_stdin, random=random)
    user = _changed(config, data_dir, name, password=password)
    _tell(f"{user.name} has another password", user, shown, as_json=as_json)


@app.command("disable")
@told_plainly
def disable(
    name: Name,
    *,
    again: Annotated[bool, typer.Option("--enable", help="The other way round: allow again.")] = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Forbid a person to log in; ends the person's sessions."""
    user = _changed(config, data_dir, name, disabled=not again)
    _tell(f"{user.name} may {'' if again else 'not '}log in", user, None, as_json=as_json)


@app.command("role")
@told_plainly
def role(
    name: Name,
    new: Annotated[str, typer.Argument(help=f"One of {', '.join(ROLES)}.", metavar="ROLE")],
    *,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Give a person another role; ends the person's sessions."""
    user = _changed(config, data_dir, name, role=new)
    _tell(f"{user.name} is {user.role} now", user, None, as_json=as_json)


def _changed(config: str | None, data_dir: str | None, name: str, **change: Any) -> User:
    async def work(store: Store) -> User:
        return await Accounts(store, wall_clock).change(name, who=operator(), **change)

    return with_store(configured(config, {"data_dir": data_dir}), work)


def _new_password(*, stdin: bool, random: bool) -> tuple[str, str | None]:
    """(the password, itself again when it must be shown)."""
    if stdin:
        return sys.stdin.readline().rstrip("\r\n"), None
    if random or not sys.stdin.isatty():
        made = random_password()
        return made, made
    first = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != first:
        raise RejectedError("the two passwords differ; try again")
    return first, None


def _tell(text: str, user: User, password: str | None, *, as_json: bool) -> None:
    if as_json:
        say_json(_view(user) | ({"password": password} if password else {}))
        return
    say(text)
    if password:
        say(f"password (shown only now): {password}")


def _view(user: User) -> dict[str, Any]:
    return {"name": user.name, "role": user.role, "disabled": user.disabled, "created_at": rfc3339(user.created_at)}
