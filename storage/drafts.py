"""What one flush adds to the inbox's read model, one draft a conversation: the same for every adapter."""

from __future__ import annotations

import math
from collections.abc import Iterable

from actors.anomaly import Anomaly
from actors.effects import ConversationChanged, MessageStored
from actors.events import Value
from actors.sla import Clock

PREVIEW = 200
"""Characters of the last text that a list shows."""

ID_LIFE_MS = 7 * 86_400_000
"""An id that comes again later than this names a new message (SPEC ruling 30); sooner, it is the one already held."""


class Draft:
    """What a flush adds to one conversation."""

    __slots__ = (
        "contact_id", "contact_name", "first", "inbound_at", "lang", "last", "last_at", "messages", "order", "seen",
        "unseen", "value", "vip",
    )  # fmt: skip

    def __init__(self, first: MessageStored) -> None:
        self.first = first
        self.last = first
        self.last_at = first.at
        self.inbound_at = -1
        self.messages = 0
        self.vip = 0
        self.contact_id: str | None = None
        self.contact_name: str | None = None
        self.order: str | None = None
        self.lang: str | None = None
        self.value: Value | None = None
        self.seen = False
        """Whether somebody opened or answered it in this flush: then only what came after that is unread."""
        self.unseen: list[int] = []
        """When the unread messages came."""

    def add(self, stored: MessageStored) -> None:
        """One more message, in the order in which they were stored."""
        event = stored.event
        self.messages += 1
        self.last_at = max(self.last_at, stored.at)
        if (event.sent_at, stored.at) >= (self.last.event.sent_at, self.last.at):
            self.last = stored
        if event.vip:
            self.vip = 1
        if event.order:
            self.order = event.order
        self.value = worth(event.value) or self.value
        if event.direction != "in":
            if not event.history and (event.sender is None or event.sender.role in {None, "agent"}):
                self.seen_at(stored.at)
            return
        if not event.history:
            self.inbound_at = stored.at
            self.unseen.append(stored.at)
        self.lang = event.lang or self.lang
        sender = event.sender
        if sender is not None and sender.role in {None, "customer"}:
            self.contact_id = sender.id or self.contact_id
            self.contact_name = sender.name or self.contact_name

    def seen_at(self, at: int) -> None:
        """Somebody has seen what had come until then."""
        self.seen = True
        self.unseen = [came for came in self.unseen if came > at]

    @property
    def last_text(self) -> str | None:
        """What a list shows of the last message."""
        text = self.last.event.text
        return text[:PREVIEW] if text else None


def drafts_of(stored: Iterable[MessageStored]) -> dict[str, Draft]:
    """By conversation; merged messages never count."""
    drafts: dict[str, Draft] = {}
    for effect in stored:
        if effect.merged_into is None:
            draft = drafts.get(effect.key)
            if draft is None:
                draft = drafts[effect.key] = Draft(effect)
            draft.add(effect)
    return drafts


def closings(drafts: dict[str, Draft], changes: Iterable[ConversationChanged]) -> dict[str, bool]:
    """Which conversations are closed or open after a flush, of those it says something about.

    People close and reopen; a customer's message that came later than the last closing opens the conversation again.
    """
    last: dict[str, ConversationChanged] = {}
    for change in changes:
        if change.what in {"closed", "reopened"}:
            last[change.key] = change
    found = {key: False for key, draft in drafts.items() if draft.inbound_at >= 0}
    for key, change in last.items():
        draft = drafts.get(key)
        found[key] = change.what == "closed" and (draft is None or draft.inbound_at <= change.at)
    return found


def openings(drafts: dict[str, Draft], changes: Iterable[ConversationChanged]) -> list[str]:
    """Tell the drafts of those that somebody opened; the conversations opened of which there is no draft."""
    last = {change.key: change.at for change in changes if change.what == "opened"}
    for key, at in last.items():
        if key in drafts:
            drafts[key].seen_at(at)
    return [key for key in last if key not in drafts]


def worth(value: Value | None) -> Value | None:
    """A value with its amount as a number; None when it tells none."""
    if value is None or value.amount is None:
        return None
    try:
        amount = float(value.amount)
    except (ValueError, OverflowError):
        return None
    return Value(amount=amount, currency=value.currency) if math.isfinite(amount) else None


def clock_state(clock: Clock) -> str | None:
    """How a running response clock colours its conversation: ok, at_risk, breached; None when it runs no more."""
    if clock.answered_at is not None or clock.stopped:
        return None
    return "breached" if clock.breached_at is not None else "at_risk" if clock.warned_at is not None else "ok"


def cause_of(anomaly: Anomaly) -> str:
    """The cause its evidence names, or nothing."""
    cause = anomaly.evidence.get("cause")
    return cause if isinstance(cause, str) else ""
