"""Who may see which conversation, as a condition on `conversations c`; the same as `Scope.sees`."""

# ruff: noqa: S608 - what is put together are constants of this file; every value is bound

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from storage.inbox_records import Channel, Scope

# Given by rules or people, not taken away by people; `other` by rules only while there is nothing else.
LABEL_IN_EFFECT = """l.removed_at IS NULL AND (l.label <> 'other' OR l.manual OR NOT EXISTS (
    SELECT 1 FROM conversation_labels o WHERE o.conversation = l.conversation AND o.label <> 'other'
    AND (o.automatic OR o.manual)))"""
_LABELLED = f"""EXISTS (SELECT 1 FROM conversation_labels l
    WHERE l.conversation = c.id AND l.label IN ({{marks}}) AND {LABEL_IN_EFFECT})"""


NEVER = "0"
"""A condition that nothing fulfils."""


class Condition:
    """Conditions that must all hold, with their values in order."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.values: list[Any] = []

    def add(self, part: str, *values: Any) -> None:
        """One more."""
        self.parts.append(part)
        self.values += values

    @property
    def text(self) -> str:
        """To be put behind WHERE."""
        return " AND ".join(self.parts) if self.parts else "1"


def add_scope(condition: Condition, scope: Scope) -> None:
    """Keep to what the scope sees."""
    if scope.everything:
        return
    either = Condition()
    if scope.me is not None:
        either.add("c.assignee = ?", scope.me)
    add_ours(either, scope)
    if scope.strays:
        _add_strays(either, scope)
    if scope.labels:
        add_labels(either, *scope.labels)
    condition.add(f"({' OR '.join(either.parts)})" if either.parts else NEVER, *either.values)


def add_labels(condition: Condition, *labels: str) -> None:
    """Bears one of these labels."""
    condition.add(_LABELLED.replace("{marks}", marks(labels)), *labels)


def add_ours(either: Condition, scope: Scope) -> None:
    """One more way in: an own team has it."""
    values: list[Any] = list(scope.teams)
    ways = [f"c.team IN ({marks(scope.teams)})"] if scope.teams else []
    held: list[str] = []
    if scope.channels:
        held.append(_among(scope.channels, values))
    if scope.platforms:
        values += scope.platforms
        apart = f" AND NOT {_among(scope.held_channels, values)}" if scope.held_channels else ""
        held.append(f"(c.platform IN ({marks(scope.platforms)}){apart})")
    if held:
        ways.append(f"(c.team IS NULL AND ({' OR '.join(held)}))")
    if ways:
        either.add(f"({' OR '.join(ways)})", *values)


def _add_strays(either: Condition, scope: Scope) -> None:
    given = f"c.team IS NOT NULL AND c.team NOT IN ({marks(scope.living)})"
    values: list[Any] = [*scope.living, *scope.held_platforms]
    free = f"c.team IS NULL AND c.platform NOT IN ({marks(scope.held_platforms)})"
    if scope.held_channels:
        free += f" AND NOT {_among(scope.held_channels, values)}"
    either.add(f"({given} OR {free})", *values)


def marks(values: Sequence[Any]) -> str:
    """As many question marks."""
    return ", ".join("?" * len(values))


def _among(channels: Sequence[Channel], values: list[Any]) -> str:
    """Platform by platform, which is fifteen times as fast as pairs are."""
    accounts: dict[str, list[str]] = {}
    for platform, account in channels:
        accounts.setdefault(platform, []).append(account)
    for platform, some in accounts.items():
        values += [platform, *some]
    ways = [f"c.platform = ? AND c.account IN ({marks(some)})" for some in accounts.values()]
    return f"({' OR '.join(ways)})"
