"""The people, teams and templates of the demo's shop: made once, and anybody's to change afterwards."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct

from services.inbox.teams import Teams, TeamWish
from services.people.accounts import Accounts
from services.people.permissions import Caller
from services.templates.templates import Templates, Wanted
from storage.writing_records import TemplateText

FILE = Path(__file__).with_name("demo_office.json")


class Person(Struct, frozen=True, kw_only=True):
    """Who works there."""

    name: str
    role: str


class Group(Struct, frozen=True, kw_only=True):
    """A team, by the names of its members; `channels` as in `shopee/*`."""

    name: str
    members: list[str]
    channels: list[str]


class Prepared(Struct, frozen=True, kw_only=True):
    """A template with its wordings."""

    name: str
    folder: str
    texts: list[TemplateText]


class Office(Struct, frozen=True, kw_only=True):
    """What the file holds."""

    people: list[Person]
    teams: list[Group]
    templates: list[Prepared]


async def furnish(
    accounts: Accounts, teams: Teams, templates: Templates, caller: Caller, password: str
) -> list[Person]:
    """Make what is missing: all of it at the first start, nobody's changes are undone. Everybody gets the password.

    Returns the people who can log in. Raises WeirError.
    """
    office = msgspec.json.decode(FILE.read_bytes(), type=Office)
    known = {user.name: user for user in await accounts.users()}
    first = not any(person.name in known for person in office.people)
    there: list[Person] = []
    for person in office.people:
        if first:
            await accounts.add(person.name, person.role, password, who=caller.name)
        elif person.name in known and not known[person.name].disabled:
            await accounts.change(person.name, who=caller.name, password=password)
        else:
            continue
        there.append(person)
    if first:
        for team in office.teams:
            await teams.add(caller, TeamWish(name=team.name, members=team.members, channels=team.channels))
        for one in office.templates:
            await templates.create(caller, Wanted(name=one.name, folder=one.folder, texts=one.texts))
    return there
