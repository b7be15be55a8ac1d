"""Who sees which conversation, by role and team."""

import pytest

from services.inbox.coverage import gaps_of, holding, reach_of
from services.inbox.scope import MONEY, People, scope_of
from services.people.permissions import ROLES, can
from storage.inbox_records import Team
from storage.records import ConversationRow, User


def user(name, role="agent", **more):
    return User(id=name, name=name, role=role, password_hash="", created_at=0, **more)


def team(name, members=(), channels=()):
    return Team(id=name, name=name.title(), created_at=0, members=list(members), channels=list(channels))


def row(platform="shopee", account="shop", **more):
    return ConversationRow(
        key=f"{platform}/{account}/c1", platform=platform, account=account, conversation="c1", **more
    )


PEOPLE = People(
    users=[user("ann"), user("bob"), user("sue", "supervisor"), user("fay", "finance"), user("gone", disabled=True)],
    teams=[
        team("asia", ["ann", "sue"], ["shopee/*"]),
        team("vip", ["bob"], ["shopee/vip"]),
        team("dead", ["gone", "fay"], ["ebay/*"]),
    ],
)


def sees(name, role, what, **more):
    return scope_of(PEOPLE, name, role, **more).sees(what)


@pytest.mark.parametrize("role", ["admin", "viewer"])
def test_admins_and_viewers_see_everything(role):
    assert sees("x", role, row("anything", team="vip", assignee="bob"))


@pytest.mark.parametrize("role", ["agent", "supervisor"])
def test_a_team_sees_its_channels_and_what_it_was_given_and_nothing_of_others(role):
    assert sees("ann", role, row())
    assert not sees("bob", role, row())
    assert sees("bob", role, row(account="vip"))
    # Who names a channel has it before who holds the whole platform.
    assert not sees("ann", role, row(account="vip"))
    assert sees("ann", role, row(account="vip", team="asia"))
    assert not sees("ann", role, row(team="vip"))


def test_one_sees_what_one_has_wherever_it_is():
    assert sees("ann", "agent", row(account="vip", assignee="ann"))
    assert not sees("ann", "agent", row(account="vip", assignee="bob"))


@pytest.mark.parametrize("what", [row("ebay"), row("line"), row(team="dead"), row(team="deleted")])
def test_what_no_team_has_in_which_somebody_can_answer_is_everybodys(what):
    assert sees("ann", "agent", what)
    assert sees("bob", "agent", what)
    assert sees("nobody", "agent", what, person=False)
    assert not sees("fay", "finance", what)


@pytest.mark.parametrize("role", ["finance", "after_sales"])
def test_money_matters_are_seen_by_who_handles_them(role):
    for label in MONEY:
        assert sees("fay", role, row(team="vip", labels=["other", label]))
    assert not sees("fay", role, row(labels=["logistics"]))
    assert not sees("fay", role, row())
    assert sees("fay", role, row(assignee="fay"))


@pytest.mark.parametrize("role", ["product", "operations"])
def test_feedback_is_seen_by_who_learns_from_it(role):
    assert sees("pat", role, row(labels=["feedback"]))
    assert not sees("pat", role, row(labels=["refund"]))


def test_every_conversation_is_seen_by_somebody_who_can_answer_it():
    answering = [one for one in PEOPLE.users if not one.disabled and can(one.role, "reply")]
    for platform in ("shopee", "ebay", "line"):
        for account in ("shop", "vip"):
            for given in (None, "asia", "vip", "dead", "deleted"):
                what = row(platform, account, team=given)
                assert any(sees(one.name, one.role, what) for one in answering), what.key


def test_a_name_of_a_program_is_in_no_team():
    assert not sees("ann", "agent", row(), person=False)


def test_scopes_reach_the_channels_of_their_conversations():
    ann, bob = scope_of(PEOPLE, "ann", "agent"), scope_of(PEOPLE, "bob", "agent")
    for channel, by_ann, by_bob in (
        ("shopee/shop", True, False), ("shopee/vip", False, True), ("line/x", True, True), ("ebay/x", True, True),
    ):  # fmt: skip
        assert (ann.reaches(channel), bob.reaches(channel)) == (by_ann, by_bob)
    assert all(scope_of(PEOPLE, "x", role).reaches("shopee/shop") for role in ("admin", "finance", "product"))


def test_every_role_has_a_scope():
    for role in ROLES:
        assert scope_of(PEOPLE, "x", role) is not None


def test_channels_left_alone_and_held_twice_are_found_the_worst_first():
    people = People(users=PEOPLE.users, teams=[*PEOPLE.teams, team("night", ["bob"], ["shopee/vip"])])
    places = [("shopee", "shop"), ("shopee", "vip"), ("ebay", "x"), ("line", "x")]
    found = [(gap.platform, gap.account, gap.kind, gap.people) for gap in gaps_of(people, places)]
    assert found == [("ebay", "x", "nobody", 0), ("shopee", "vip", "several", 1), ("line", "x", "no_team", 3)]
    assert [one.id for one in holding(people.teams, "shopee", "vip")] == ["vip", "night"]
    assert reach_of(people, "shopee", "shop").people == ["ann", "sue"]
    assert reach_of(people, "ebay", "x").people == []
    assert gaps_of(People(users=[], teams=[]), [("line", "x")])[0].kind == "nobody"
    assert gaps_of(People(users=PEOPLE.users, teams=[]), places) == []
