"""Who may see which conversation, as a condition on its document; the same as `Scope.sees`."""

from __future__ import annotations

from collections.abc import Sequence

from storage.inbox_records import Channel, Scope
from storage.label_records import OTHER
from storage.mongodb.connection import Row

NOTHING: Row = {"_id": {"$in": []}}


def scope_condition(scope: Scope) -> list[Row]:
    """What keeps to what the scope sees, to be joined by AND."""
    if scope.everything:
        return []
    ways: list[Row] = [{"desk.assignee": scope.me}] if scope.me is not None else []
    ways += ours(scope)
    if scope.strays:
        held = [*_named(scope.held_channels), *_whole(scope.held_platforms)]
        ways.append({"desk.team": {"$nin": [*scope.living, None]}})
        ways.append({"desk.team": None, **({"$nor": held} if held else {})})
    ways += [labelled(label) for label in scope.labels]
    return [{"$or": ways} if ways else NOTHING]


def labelled(label: str) -> Row:
    """Bears this label; the same as `storage.label_records.in_effect`."""
    by_people: Row = {f"given.labels.{label}": True}
    by_rules: Row = {f"row.auto.{label}": True, f"given.labels.{label}": {"$ne": False}}
    if label == OTHER:
        by_rules = {"row.auto": {OTHER: True}, f"given.labels.{OTHER}": {"$ne": False}, "given.any": {"$ne": True}}
    return {"$or": [by_people, by_rules]}


def ours(scope: Scope) -> list[Row]:
    """The ways in which an own team has it, to be joined by OR."""
    ways: list[Row] = [{"desk.team": {"$in": list(scope.teams)}}] if scope.teams else []
    ways += [{"desk.team": None, **channel} for channel in _named(scope.channels)]
    apart = _named(scope.held_channels)
    ways += [
        {"desk.team": None, **platform, **({"$nor": apart} if apart else {})} for platform in _whole(scope.platforms)
    ]
    return ways


def _named(channels: Sequence[Channel]) -> list[Row]:
    return [{"platform": platform, "account": account} for platform, account in channels]


def _whole(platforms: Sequence[str]) -> list[Row]:
    return [{"platform": {"$in": list(platforms)}}] if platforms else []
