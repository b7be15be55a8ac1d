"""Notes whom each message is to reach, and what their screens say became of it.

`for_change` is asked of every conversation that changed; what it gives back is to ring on the screens of those persons.
What a screen says (`receipt`) becomes a `notification` event through the gateway, so that the message's trace and the
watch over missed notifications know of it. Nothing counts as told before somebody's screen has said so.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Literal, Protocol, TypeAlias

from msgspec.structs import replace

from actors.errors import RejectedError
from actors.events import Notification
from actors.keys import split_key
from services.alerts.covering import Circles, nearest
from services.alerts.deciding import (
    Alert,
    Row,
    alert_id,
    is_above,
    reach,
    silence,
    text_of,
    title_of,
    urgency,
)
from services.alerts.wishes import Wishes
from services.errors import ConflictError, NotFoundError
from storage.alert_ports import AlertStore
from storage.alert_records import AlertFilter, ExpectedAlert, Fate, Told, Urgency
from storage.ports import AccountStore
from storage.records import MessageRow, Page, User
from streams.ports import Gateway

Medium: TypeAlias = Literal["desktop", "mobile", "email", "webhook"]
Said: TypeAlias = Literal["fired", "seen", "failed"]
URGENT_MS = 120_000
"""What is urgent and was not opened for so long goes to the next rung."""
ASSIGNED_MS = 60_000
PEOPLE_MS = 2_000
MOST_REMEMBERED = 50_000
LONGEST_REASON = 200
_ATTEMPTS = 5


class AlertsStore(AlertStore, AccountStore, Protocol):
    """The parts of a store used here."""


Concerned: TypeAlias = Callable[[Row], Awaitable[Circles]]
Online: TypeAlias = Callable[[], Awaitable[Collection[str] | None]]
"""None when nobody can say."""


class Alerts:
    """`concerned`: whom a conversation concerns that nobody has; `online`: who has a screen open, in any process."""

    def __init__(self, store: AlertsStore, gateway: Gateway, *, concerned: Concerned, online: Online) -> None:
        self._store = store
        self._gateway = gateway
        self._now = gateway.now
        self._concerned = concerned
        self._online = online
        self.wishes = Wishes(store, gateway.now)
        self._people: dict[str, User] = {}
        self._people_until = 0
        self._noted: dict[str, None] = {}

    async def for_change(self, row: Row, message: MessageRow | None = None, *, by: str | None = None) -> list[Alert]:
        """What to ring for, and for whom, now that a conversation has changed; everybody expected is noted once.

        `message`: the customer's message that came; without one the news is a deadline, or that `by` gave the
        conversation to somebody. Asked twice of the same it gives the same alerts: their ids tell.
        """
        if row.status == "closed" or (message is not None and (message.direction != "in" or message.history)):
            return []
        news = self._news(row, message, by)
        if news is None:
            return []
        why, name, urgent = news
        people = await self._recipients(row, urgent)
        found = [await self._expected(row, message, person, why, name, urgent) for person in people]
        if not people and urgent == "urgent":
            found = [self._nobody(row, message, why, name)]
        await self._note([expected for expected, _ in found])
        return [alert for _, alert in found if alert is not None]

    def _news(
        self, row: Row, message: MessageRow | None, by: str | None
    ) -> tuple[Literal["message", "assigned", "deadline"], object, Urgency] | None:
        """What is new, what names it, and how urgent it is; None when it is nothing to ring for."""
        urgent = urgency(row, message)
        if message is not None:
            return "message", message.message, urgent
        if by is not None:
            fresh = row.assigned_at is not None and self._now() - row.assigned_at < ASSIGNED_MS
            return ("assigned", row.assigned_at, urgent) if row.assignee not in (None, by) and fresh else None
        if row.sla in ("at_risk", "breached"):
            return "deadline", f"{row.sla} {row.sla_due_at}", "urgent"
        return None

    async def _recipients(self, row: Row, urgent: Urgency) -> list[str]:
        """Who has it; of what is urgent and nobody's, whom it concerns and who is there."""
        if row.assignee is not None:
            return [row.assignee]
        return nearest(await self._concerned(row), await self._online()) if urgent == "urgent" else []

    async def _expected(
        self,
        row: Row,
        message: MessageRow | None,
        person: str,
        why: Literal["message", "assigned", "deadline"],
        name: object,
        urgent: Urgency,
    ) -> tuple[ExpectedAlert, Alert | None]:
        now = self._now()
        wishes = await self.wishes.of(person)
        quiet = silence(row, wishes, await self._person(person), now)
        expected = ExpectedAlert(
            id=alert_id(person, row.key, why, name),
            person=person,
            key=row.key,
            at=now,
            why=why,
            message=None if message is None else message.message,
            urgency=urgent,
            fate="excluded" if quiet else "expected",
            reason=quiet,
            due_at=now + URGENT_MS if urgent == "urgent" else None,
        )
        if quiet:
            return expected, None
        alert = Alert(
            id=expected.id,
            person=person,
            key=row.key,
            urgency=urgent,
            why=why,
            title=title_of(row),
            text=text_of(row, message),
            at=now,
            message=expected.message,
            desktop=wishes.desktop,
            sound=wishes.sound,
        )
        return expected, alert

    def _nobody(
        self, row: Row, message: MessageRow | None, why: Literal["message", "assigned", "deadline"], name: object
    ) -> tuple[ExpectedAlert, None]:
        """Urgent, and nobody of the team is there: whoever is above is told at once."""
        now = self._now()
        expected = ExpectedAlert(
            id=alert_id("", row.key, why, name),
            person="",
            key=row.key,
            at=now,
            why=why,
            message=None if message is None else message.message,
            urgency="urgent",
            fate="excluded",
            reason="nobody_online",
            due_at=now,
        )
        return expected, None

    async def _note(self, expected: Sequence[ExpectedAlert]) -> None:
        new = [one for one in expected if one.id not in self._noted]
        if not new:
            return
        await self._store.add_alerts(new)
        if len(self._noted) >= MOST_REMEMBERED:
            self._noted.clear()
        self._noted.update(dict.fromkeys(one.id for one in new))

    async def receipt(self, alert_id: str, person: str, status: Said, reason: str | None = None) -> ExpectedAlert:
        """A person's screen says whether it rang. Raises NotFoundError, RejectedError (no reason), ConflictError."""
        if status == "failed" and not reason:
            raise RejectedError("reason: say why nothing rang, for example permission_denied")
        for _ in range(_ATTEMPTS):
            expected = await self._store.alert(alert_id)
            if expected is None or expected.person != person:
                raise NotFoundError("there is no such alert of yours")
            changed = self._after(expected, status, (reason or "")[:LONGEST_REASON] or None)
            if changed is None:
                return expected
            if await self._store.change_alert(changed):
                await self._tell_engine(changed, status)
                return changed
        raise ConflictError("this alert is being changed elsewhere; say it again")

    def _after(self, expected: ExpectedAlert, status: Said, reason: str | None) -> ExpectedAlert | None:
        """The alert after what a screen said; None when that is nothing new. One screen that rang is enough."""
        now = self._now()
        version = expected.version + 1
        match status:
            case "seen":
                if expected.fate == "seen":
                    return None
                return replace(expected, fate="seen", seen_at=now, due_at=None, version=version)
            case "fired":
                if expected.fate in ("fired", "seen"):
                    return None
                rungs = [*expected.rungs, Told(rung="desktop", at=now, status="sent", whom=expected.person)]
                return replace(expected, fate="fired", reason=None, fired_at=now, rungs=rungs, version=version)
            case "failed":
                if expected.fate != "expected":
                    return None
                told = Told(rung="desktop", at=now, status="failed", whom=expected.person, detail=reason)
                due = now if expected.urgency == "urgent" else None
                rungs = [*expected.rungs, told]
                return replace(expected, fate="failed", reason=reason, due_at=due, rungs=rungs, version=version)

    async def _tell_engine(self, expected: ExpectedAlert, status: Said) -> None:
        """The `notification` event; a failure counts only when nobody is left who may still be told."""
        if expected.message is None or expected.why == "test":
            return
        if status == "failed":
            others = await self._store.alerts_of_message(expected.key, expected.message)
            if any(one.fate in ("expected", "fired", "seen") for one in others if one.id != expected.id):
                return
        await self.told(expected, status, "desktop")

    async def told(self, expected: ExpectedAlert, status: Said, medium: Medium) -> None:
        """Put the fate of telling into the log."""
        if expected.message is None:
            return
        platform, account, conversation = split_key(expected.key)
        event = Notification(
            platform=platform,
            account=account,
            at=self._now(),
            conversation=conversation,
            message=expected.message,
            status=status,
            medium=medium,
        )
        await self._gateway.submit([event])

    async def opened(self, key: str, person: str) -> None:
        """A person has the conversation before him: all his alerts of it are seen."""
        page = await self._store.alerts(AlertFilter(person=person, key=key, since=self._now() - URGENT_MS * 30), 50)
        for one in page.items:
            if one.fate != "seen":
                await self.receipt(one.id, person, "seen")

    async def try_out(self, person: str) -> Alert:
        """An alert that tells of nothing, to find out whether the person's screen rings; muted or not."""
        now = self._now()
        wishes = await self.wishes.of(person)
        name = alert_id(person, "", "test", now)
        expected = ExpectedAlert(id=name, person=person, key="", at=now, why="test")
        await self._store.add_alerts([expected])
        return Alert(
            id=name,
            person=person,
            key="",
            urgency="normal",
            why="test",
            title="Weir",
            text="",
            at=now,
            desktop=wishes.desktop,
            sound=wishes.sound,
        )

    async def there(self, people: Collection[str]) -> list[str]:
        """Which of these have a screen open; none when nobody can say."""
        return sorted(set(people) & set(await self._online() or ()))

    async def for_escalation(self, row: Row) -> list[Alert]:
        """What to ring for on the screens of those above who are there: nobody has opened something urgent."""
        now, found = self._now(), list[Alert]()
        noted: list[ExpectedAlert] = []
        people = [user.name for user in await self._store.users() if is_above(user)]
        for person in await self.there(people):
            name = alert_id(person, row.key, "escalated", now // URGENT_MS)
            noted.append(ExpectedAlert(id=name, person=person, key=row.key, at=now, why="escalated"))
            wishes = await self.wishes.of(person)
            alert = Alert(
                id=name,
                person=person,
                key=row.key,
                urgency="urgent",
                why="escalated",
                title=title_of(row),
                text=text_of(row, None),
                at=now,
                desktop=wishes.desktop,
                sound=wishes.sound,
            )
            found.append(alert)
        await self._note(noted)
        return found

    async def page(self, where: AlertFilter, limit: int, cursor: str | None = None) -> Page[ExpectedAlert]:
        """Expected alerts, newest first."""
        return await self._store.alerts(where, limit, cursor)

    async def reach(self, since: int) -> list[tuple[str, dict[Fate, int], float | None]]:
        """By person: what became of the alerts since then, and how much of it reached him. Nobody's stand under ""."""
        fates = await self._store.alert_fates(since)
        return [(person, fates[person], reach({**fates[person]})) for person in sorted(fates)]

    async def _person(self, name: str) -> User | None:
        now = self._now()
        if now >= self._people_until:
            self._people = {user.name: user for user in await self._store.users()}
            self._people_until = now + PEOPLE_MS
        return self._people.get(name)


__all__ = ["Alerts"]
