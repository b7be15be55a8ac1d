"""Who is to hear of an urgent conversation that nobody has: whoever covers it, as lists and routing have it.

Covered is what a living team was given, or whose channel it holds. What no team covers is for those above, who can put
that right; while none of them is there, for everybody who sees it. Without any team everybody covers everything.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TypeAlias

from services.alerts.deciding import Row, is_above
from services.inbox.coverage import holding
from services.inbox.scope import LABELS, People, answers
from storage.records import User

Circles: TypeAlias = list[list[str]]
"""Names, in circles: the first one of which anybody is there is told, the others are not."""


def circles(people: People, row: Row) -> Circles:
    """Whom a conversation concerns that nobody has."""
    living = people.living
    given = row.team is not None
    teams = [team for team in living if team.id == row.team] if given else holding(living, row.platform, row.account)
    able = [user for user in people.users if answers(user) and _is_matter_of(user, row)]
    members = {name for team in teams for name in team.members}
    covering = [user.name for user in able if user.name in members]
    everybody = [user.name for user in able]
    if covering:
        return [covering]
    if not people.teams:
        return [everybody]
    return [[user.name for user in able if is_above(user)], everybody]


def _is_matter_of(user: User, row: Row) -> bool:
    """Whether a role that sees certain labels alone sees it."""
    labels = LABELS.get(user.role)
    return labels is None or any(label in labels for label in row.labels)


def nearest(concerned: Circles, online: Collection[str] | None) -> list[str]:
    """Those of the first circle of which anybody is there; the whole first one when nobody can say who is (None)."""
    for circle in concerned:
        there = set(circle) if online is None else set(circle) & set(online)
        if there:
            return sorted(there)
    return []


__all__ = ["Circles", "circles", "nearest"]
