"""Who is told of what, and what keeps it quiet: rules over values, without a look at store or clock."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Literal, Protocol, TypeAlias
from zoneinfo import ZoneInfo

from msgspec import Struct

from actors.keys import channel_key
from services.people.permissions import can
from storage.alert_records import AlertSettings, Urgency
from storage.records import MessageRow, User

Quiet: TypeAlias = Literal["muted_by_user", "quiet_hours", "role_excludes", "nobody_online"]
COMPLAINT = "complaint"
PREVIEW = 160


class Alert(Struct, frozen=True, kw_only=True):
    """Something to ring for on one person's screens. `id` is the same in every process that finds it.

    `sound` and `desktop` say what the person wants; with both off nothing is shown. `at` in ms.
    """

    id: str
    person: str
    key: str
    urgency: Urgency
    why: Literal["message", "assigned", "deadline", "escalated", "test"]
    title: str
    text: str
    at: int
    message: str | None = None
    desktop: bool = True
    sound: bool = True


class Row(Protocol):
    """A conversation, as far as telling people depends on it."""

    @property
    def key(self) -> str:
        """Its key."""
        ...

    @property
    def platform(self) -> str:
        """The channel's platform."""
        ...

    @property
    def account(self) -> str:
        """The channel's account."""
        ...

    @property
    def conversation(self) -> str:
        """The platform's own id."""
        ...

    @property
    def status(self) -> str:
        """Open or closed."""
        ...

    @property
    def contact_id(self) -> str | None:
        """Who writes, by the platform's id."""
        ...

    @property
    def contact_name(self) -> str | None:
        """Who writes."""
        ...

    @property
    def vip(self) -> bool:
        """Whether he matters more than others."""
        ...

    @property
    def sla(self) -> str | None:
        """ok, at_risk or breached."""
        ...

    @property
    def sla_due_at(self) -> int | None:
        """When the answer is due (ms)."""
        ...

    @property
    def last_text(self) -> str | None:
        """What was written last."""
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
    def assigned_at(self) -> int | None:
        """Since when (ms)."""
        ...

    @property
    def labels(self) -> list[str]:
        """What it is labelled."""
        ...

    @property
    def sensitive(self) -> bool:
        """Whether it is for the priority queue."""
        ...


def alert_id(person: str, key: str, *what: object) -> str:
    """The name of one person's alert of one thing."""
    text = "\n".join((person, key, *(str(part) for part in what)))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24]


def urgency(row: Row, message: MessageRow | None = None) -> Urgency:
    """Urgent: its deadline is near or over, it is sensitive, a complaint, or from a customer of importance."""
    pressing = row.sla in ("at_risk", "breached") or row.vip or (message is not None and message.vip)
    return "urgent" if pressing or row.sensitive or COMPLAINT in row.labels else "normal"


def silence(row: Row, wishes: AlertSettings, user: User | None, now: int) -> Quiet | None:
    """Why this person is not rung for; None when he is."""
    if user is None or user.disabled or not can(user.role, "reply"):
        return "role_excludes"
    if channel_key(row.platform, row.account) in wishes.muted or not (wishes.desktop or wishes.sound):
        return "muted_by_user"
    return "quiet_hours" if is_quiet(wishes, now) else None


def is_above(user: User) -> bool:
    """Whether somebody is told of what nobody opened."""
    return not user.disabled and user.role in ("supervisor", "admin") and can(user.role, "reply")


def is_quiet(wishes: AlertSettings, now: int) -> bool:
    """Whether `now` (ms) lies in the person's quiet hours, which may go over midnight."""
    start, end = wishes.quiet_from, wishes.quiet_to
    if start is None or end is None or start == end:
        return False
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    here = (epoch + timedelta(milliseconds=now)).astimezone(ZoneInfo(wishes.zone))
    minute = here.hour * 60 + here.minute
    return start <= minute < end if start < end else minute >= start or minute < end


def title_of(row: Row) -> str:
    """Whom it is from."""
    return row.contact_name or row.contact_id or row.conversation


def text_of(row: Row, message: MessageRow | None) -> str:
    """The beginning of what was written."""
    text = (message.text if message is not None else row.last_text) or ""
    flat = " ".join(text.split())
    return flat if len(flat) <= PREVIEW else flat[: PREVIEW - 1] + "…"


def reach(fates: Mapping[str, int]) -> float | None:
    """How much of what was to be told did ring or was seen (0 to 1); None where nothing was to be told."""
    told = fates.get("fired", 0) + fates.get("seen", 0)
    wanted = told + fates.get("failed", 0) + fates.get("excluded", 0) + fates.get("expected", 0)
    return told / wanted if wanted else None


__all__ = [
    "Alert",
    "Quiet",
    "Row",
    "alert_id",
    "is_above",
    "is_quiet",
    "reach",
    "silence",
    "text_of",
    "title_of",
    "urgency",
]
