"""Whom it concerns that something urgent is nobody's: whoever covers it, else those above, else whoever sees it."""

from __future__ import annotations

import pytest

from services.alerts.covering import circles, nearest
from services.inbox.scope import People
from storage.inbox_records import Team
from storage.records import User
from tests.services_layer.alerts.bell import Changed, message

ROLES = {
    "ada": "admin", "sue": "supervisor", "ann": "agent", "bob": "agent", "col": "agent", "fay": "finance",
    "vic": "viewer", "ray": "after_sales",
}  # fmt: skip


def user(name, **more):
    return User(id=name, name=name, role=ROLES.get(name, "agent"), password_hash="", created_at=0, **more)


def team(name, members=(), channels=()):
    return Team(id=name, name=name.title(), created_at=0, members=list(members), channels=list(channels))


ASIA = team("asia", ["ann", "sue", "vic", "ray"], ["shopee/*"])
VIP = team("vip", ["bob", "fay"], ["shopee/vip"])
DEAD = team("dead", ["gone", "vic"], ["ebay/*"])
USERS = [*map(user, ROLES), user("gone", disabled=True)]
PEOPLE = People(users=USERS, teams=[ASIA, VIP, DEAD])
ABOVE, EVERYBODY = ["ada", "sue"], ["ada", "sue", "ann", "bob", "col"]


def row(platform="shopee", account="shop", given=None):
    return Changed(platform=platform, account=account, assignee=None, team=given, sla="at_risk")


@pytest.mark.parametrize(
    ("where", "covering"),
    [
        (row(), ["sue", "ann"]),
        (row(account="vip"), ["bob"]),
        (row(given="vip"), ["bob"]),
        (row("lazada", given="asia"), ["sue", "ann"]),
    ],
    ids=["the platform's team", "the channel's own team", "the team it was given", "given, of no team's channel"],
)
def test_what_a_team_covers_concerns_its_members_who_may_answer_and_nobody_else(where, covering):
    assert circles(PEOPLE, where) == [covering]


def test_who_sees_certain_labels_alone_is_told_of_these_alone():
    refund = Changed(assignee=None, team=None, vip=True, labels=["refund"])
    assert circles(PEOPLE, refund) == [["sue", "ann", "ray"]]


@pytest.mark.parametrize("where", [row("lazada"), row("ebay"), row(given="dead")])
def test_what_no_team_covers_concerns_those_above_before_everybody_who_sees_it(where):
    assert circles(PEOPLE, where) == [ABOVE, EVERYBODY]


def test_without_any_team_everybody_who_may_answer_covers_everything():
    assert circles(People(users=USERS, teams=[]), row()) == [EVERYBODY]


@pytest.mark.parametrize(
    ("online", "told"),
    [
        ({"ada", "ann"}, ["ada"]),
        ({"bob", "ann"}, ["ann", "bob"]),
        ({"vic"}, []),
        (set(), []),
        (None, ["ada", "sue"]),
    ],
)
def test_the_first_circle_of_which_anybody_is_there_is_told(online, told):
    assert nearest([ABOVE, EVERYBODY], online) == told


async def test_a_deadline_of_nobodys_conversation_rings_for_its_team_and_for_no_other(alerts, online):
    async def concerned(where):
        return circles(PEOPLE, where)

    alerts._concerned = concerned
    online |= {"ada", "col"}
    assert [one.person for one in await alerts.for_change(row(account="vip"))] == ["bob"]
    assert [one.person for one in await alerts.for_change(row(account="vip"), message())] == ["bob"]
