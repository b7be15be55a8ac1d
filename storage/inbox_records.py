"""Records of the inbox's desk: what people and rules decide about conversations, and who may see which.

All times are integer milliseconds since the epoch; keys are those of `actors.keys`. A channel is (platform, account).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol, TypeAlias

from msgspec import UNSET, Struct, UnsetType, field

from actors.keys import split_key

Tab: TypeAlias = Literal["mine", "team", "unassigned", "at_risk", "all", "snoozed", "closed", "archived"]
Sort: TypeAlias = Literal["due", "newest", "oldest", "value"]
Channel: TypeAlias = tuple[str, str]


class Placed(Protocol):
    """What decides who may see a conversation."""

    @property
    def platform(self) -> str:
        """The channel's platform."""
        ...

    @property
    def account(self) -> str:
        """The channel's account."""
        ...

    @property
    def assignee(self) -> str | None:
        """Who has it."""
        ...

    @property
    def team(self) -> str | None:
        """The team it was given."""
        ...

    @property
    def labels(self) -> Sequence[str]:
        """What it is labelled."""
        ...


class Scope(Struct, frozen=True, kw_only=True):
    """Which conversations somebody may see: the same as a condition in each store and as `sees` in Python.

    A conversation's team is the one it was given, else the one that holds its channel. A channel that is held by name
    belongs to that team and not to one that holds its whole platform. `living`: the teams in which somebody can answer.
    """

    everything: bool = False
    me: str | None = None
    """Whose own conversations are seen, whatever their team."""
    teams: tuple[str, ...] = ()
    channels: tuple[Channel, ...] = ()
    """Held by these teams by name; `platforms` as a whole."""
    platforms: tuple[str, ...] = ()
    living: tuple[str, ...] = ()
    held_channels: tuple[Channel, ...] = ()
    """Held by any living team by name; `held_platforms` as a whole."""
    held_platforms: tuple[str, ...] = ()
    strays: bool = False
    """Whether those without a living team are seen."""
    labels: tuple[str, ...] = ()
    """What bears one of these is seen, whoever has it."""

    def sees(self, row: Placed) -> bool:
        """Whether this conversation may be seen."""
        if self.everything or (self.me is not None and row.assignee == self.me):
            return True
        if self.ours(row) or (self.strays and self.is_stray(row)):
            return True
        return any(label in self.labels for label in row.labels)

    def reaches(self, channel: str) -> bool:
        """Whether conversations of a channel, by its key, are seen unless they were given to others.

        False does not mean that none is seen: a conversation of any channel may be given to anybody.
        """
        if self.everything or self.labels:
            return True
        platform, account = split_key(channel)
        place = (platform, account)
        if place in self.held_channels or platform in self.held_platforms:
            return place in self.channels or (platform in self.platforms and place not in self.held_channels)
        return self.strays

    def ours(self, row: Placed) -> bool:
        """Whether one of the own teams has it."""
        if row.team is not None:
            return row.team in self.teams
        channel = (row.platform, row.account)
        return channel in self.channels or (row.platform in self.platforms and channel not in self.held_channels)

    def is_stray(self, row: Placed) -> bool:
        """Whether no living team has it: then it is everybody's, for no message may be invisible (SPEC 8.5)."""
        if row.team is not None:
            return row.team not in self.living
        return row.platform not in self.held_platforms and (row.platform, row.account) not in self.held_channels


class InboxFilter(Struct, frozen=True, kw_only=True):
    """Which conversations the list shows, and in which order; None means all.

    `me`: whose `mine` are; the tab `team` is that of the scope's teams. `now` decides what is still snoozed.
    `team`: the one it was given; `holder`: what a team holds, given or by its channels. `waiting`: the customer's
    message is the last, or a response clock runs.
    """

    now: int
    tab: Tab = "all"
    sort: Sort = "due"
    scope: Scope = Scope(everything=True)
    me: str | None = None
    platform: str | None = None
    account: str | None = None
    label: str | None = None
    lang: str | None = None
    assignee: str | None = None
    team: str | None = None
    sla: str | None = None
    anomaly: str | None = None
    vip: bool | None = None
    sensitive: bool | None = None
    waiting: bool | None = None
    holder: Scope | None = None
    contact: str | None = None
    order: str | None = None
    q: str | None = None


def order_of(where: InboxFilter) -> Sort:
    """The order of the list: what is closed or archived waits for nothing, so that its latest come first."""
    return "newest" if where.sort == "due" and where.tab in {"closed", "archived"} else where.sort


class DeskGroup(Struct, frozen=True, kw_only=True):
    """How many open conversations have these things in common: what the counts of every screen are made of.

    `awake`: those not snoozed; `at_risk` and `sensitive` are among them.
    """

    platform: str
    account: str
    assignee: str | None
    team: str | None
    awake: int
    snoozed: int = 0
    at_risk: int = 0
    sensitive: int = 0
    labels: tuple[str, ...] = ()
    """Of none: labels are no part of what they have in common."""


class DeskChange(Struct, frozen=True, kw_only=True):
    """A change of the desk of one conversation, at `at`; what is not set stays.

    It holds only for the state whose `desk_version` is `replaces`. `automatic`: a rule did it, no person.
    """

    at: int
    replaces: int
    assignee: str | UnsetType | None = UNSET
    team: str | UnsetType | None = UNSET
    snoozed_until: int | UnsetType | None = UNSET
    archived: bool | UnsetType = UNSET
    automatic: bool = False


class Team(Struct, frozen=True, kw_only=True):
    """People who answer the same channels. `channels`: `platform/account`, each part as in keys, or `platform/*`.

    `members` are names of users. `routing`: whether new conversations are given to members by themselves.
    `version` grows with every change.
    """

    id: str
    name: str
    created_at: int
    members: list[str] = field(default_factory=list[str])
    channels: list[str] = field(default_factory=list[str])
    routing: bool = False
    version: int = 1


__all__ = ["Channel", "DeskChange", "DeskGroup", "InboxFilter", "Placed", "Scope", "Sort", "Tab", "Team", "order_of"]
