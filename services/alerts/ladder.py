"""What is urgent and was not opened climbs: the screen, then the person's own addresses, then those above.

One process does it at a time, and what it does is noted before it is done: an attempt that was begun is not begun
again. A person hears of everything that waits in one letter. When the last rung holds nobody either, that is a failure
of its own: it is noted in the log of changes, and the message counts as one that nobody was told of.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Literal, Protocol, TypeAlias, cast

import structlog
from msgspec.structs import replace

from actors.errors import RetriableError, WeirError
from services.alerts.alerts import URGENT_MS, Alerts, Medium
from services.alerts.deciding import Row, is_above
from services.alerts.letters import letter
from services.alerts.senders import DeadAddressError, Letter, Sender
from services.alerts.wishes import masked
from storage.alert_ports import AlertStore
from storage.alert_records import ExpectedAlert, Rung, Told, Way
from storage.ports import AccountStore
from storage.records import AuditRow, ConversationRow, User

PERIOD_S = 5.0
MOST_AT_ONCE = 100
WARN_MS = 600_000
OWN: frozenset[str] = frozenset({"email", "webhook"})
WISHED = frozenset({"muted_by_user", "quiet_hours", "role_excludes"})
"""Whoever wants quiet gets no letter either: those above do."""
Publish: TypeAlias = Callable[[str], Awaitable[None]]
_log = structlog.get_logger(__name__)


class LadderStore(AlertStore, AccountStore, Protocol):
    """The parts of a store used here."""

    async def conversation(self, key: str) -> ConversationRow | None:
        """One conversation."""
        ...


class Ladder:
    """`site`: the address of the screens; `escalated` has the screens of those above ring for a conversation."""

    def __init__(
        self,
        store: LadderStore,
        alerts: Alerts,
        senders: Mapping[str, Sender],
        now: Callable[[], int],
        *,
        site: str = "",
        escalated: Publish | None = None,
    ) -> None:
        self._store = store
        self._alerts = alerts
        self._senders = senders
        self._now = now
        self._site = site
        self._escalated = escalated
        self._unreached = 0
        self._warned_at = 0

    async def run(self) -> None:
        """For ever; what fails for a moment is tried again."""
        while True:
            try:
                await self.once()
            except RetriableError as wrong:
                _log.info("the next rungs of alerts are put off", reason=str(wrong))
            await asyncio.sleep(PERIOD_S)

    async def once(self) -> int:
        """Everything that is due; how many alerts climbed."""
        due = await self._store.alerts_due(self._now(), MOST_AT_ONCE)
        waiting: dict[tuple[str, bool], list[tuple[ExpectedAlert, ConversationRow]]] = {}
        for one in due:
            row = await self._store.conversation(one.key)
            if row is None or looked_after(row, one):
                await self._store.change_alert(replace(one, due_at=None, version=one.version + 1))
            else:
                waiting.setdefault((one.person, await self._own_turn(one)), []).append((one, row))
        people = {user.name: user for user in await self._store.users()}
        climbed = 0
        for (person, own), some in waiting.items():
            claimed = [(taken, row) for one, row in some if (taken := await self._claimed(one))]
            if claimed:
                climbed += len(claimed)
                await (self._to_person(people.get(person), claimed) if own else self._to_those_above(people, claimed))
        self._warn()
        return climbed

    def _warn(self) -> None:
        """Once in ten minutes at most: at a bad moment there are hundreds, each of them in the log of changes."""
        if self._unreached and self._now() - self._warned_at >= WARN_MS:
            _log.warning(
                "nobody could be told of urgent messages; look at Settings, Notifications", count=self._unreached
            )
            self._unreached, self._warned_at = 0, self._now()

    async def try_out(self, person: str) -> list[Told]:
        """A letter to each of a person's own addresses, to find out whether they work."""
        user = await self._store.user(person)
        wishes = await self._alerts.wishes.of(person)
        words = letter("test", [], user.lang if user else None, self._site)
        return [await self._sent(person, way, words) for way in wishes.ways if way.ended_at is None]

    async def _own_turn(self, one: ExpectedAlert) -> bool:
        if not one.person or one.reason in WISHED or any(told.rung in OWN for told in one.rungs):
            return False
        return any(way.ended_at is None for way in (await self._alerts.wishes.of(one.person)).ways)

    async def _claimed(self, one: ExpectedAlert) -> ExpectedAlert | None:
        """The alert as this process alone may go on with it; None when another was faster."""
        taken = replace(one, due_at=self._now() + URGENT_MS, version=one.version + 1)
        return taken if await self._store.change_alert(taken) else None

    async def _to_person(self, user: User | None, some: Sequence[tuple[ExpectedAlert, ConversationRow]]) -> None:
        person = some[0][0].person
        ways = [way for way in (await self._alerts.wishes.of(person)).ways if way.ended_at is None]
        words = letter("own", _rows(some), user.lang if user else None, self._site)
        told = [await self._sent(person, way, words) for way in ways]
        reached = [one for one in told if one.status == "sent"]
        for one, _ in some:
            # What reached nobody goes up at once.
            due = self._now() + (URGENT_MS if reached else 0)
            await self._note(replace(one, rungs=[*one.rungs, *told], due_at=due))
            if reached:
                await self._alerts.told(one, "fired", cast("Medium", reached[0].rung))

    async def _to_those_above(
        self, people: Mapping[str, User], some: Sequence[tuple[ExpectedAlert, ConversationRow]]
    ) -> None:
        person = some[0][0].person
        above = [user for user in people.values() if is_above(user) and user.name != person]
        told: list[Told] = []
        for user in above:
            words = letter("above", _rows(some), user.lang, self._site)
            ways = [way for way in (await self._alerts.wishes.of(user.name)).ways if way.ended_at is None]
            told += [replace(await self._sent(user.name, way, words), rung="supervisor") for way in ways]
        there = await self._alerts.there([user.name for user in above])
        told += [Told(rung="supervisor", at=self._now(), status="sent", whom=name) for name in there]
        for one, row in some:
            if there and self._escalated:
                await self._escalated(row.key)
            await self._end(one, told)

    async def _end(self, one: ExpectedAlert, told: Sequence[Told]) -> None:
        """The last rung was climbed: those above know, or nobody does."""
        reached = any(attempt.status == "sent" for attempt in told)
        rungs = [*told] or [Told(rung="supervisor", at=self._now(), status="none", detail="nobody")]
        await self._note(replace(one, rungs=[*one.rungs, *rungs], due_at=None))
        what = "alert.escalated" if reached else "alert.unreachable"
        about = {"person": one.person or None, "reason": one.reason, "message": one.message}
        await self._store.append_audit(AuditRow(at=self._now(), who="weir", what=what, subject=one.key, after=about))
        if reached:
            return
        self._unreached += 1
        await self._alerts.told(one, "failed", "email")

    async def _sent(self, person: str, way: Way, words: Letter) -> Told:
        """One attempt; an address that turns out dead is used no more."""
        status: Literal["sent", "failed"] = "sent"
        detail: str | None = None
        try:
            await self._senders[way.kind].send(way.address, words)
        except DeadAddressError as dead:
            status, detail = "failed", str(dead)
            await self._alerts.wishes.end_way(person, way.id, str(dead))
        except WeirError as wrong:
            status, detail = "failed", str(wrong)
        whom = f"{person} ({masked(way)})"
        return Told(rung=cast("Rung", way.kind), at=self._now(), status=status, whom=whom, detail=detail)

    async def _note(self, one: ExpectedAlert) -> None:
        """Keep what was tried; when a screen has said something meanwhile, both count."""
        wanted = replace(one, version=one.version + 1)
        if await self._store.change_alert(wanted):
            return
        now = await self._store.alert(one.id)
        if now is not None:
            seen = now.fate == "seen"
            due = None if seen else one.due_at
            await self._store.change_alert(replace(now, rungs=one.rungs, due_at=due, version=now.version + 1))


def looked_after(row: ConversationRow, one: ExpectedAlert) -> bool:
    """Whether somebody has opened or answered the conversation since, or it is closed."""
    answered = row.last_direction == "out" and row.last_at > one.at
    return row.status == "closed" or answered or (one.why == "message" and row.unread == 0)


def _rows(some: Sequence[tuple[ExpectedAlert, ConversationRow]]) -> list[Row]:
    found: dict[str, Row] = {row.key: row for _, row in some}
    return list(found.values())


__all__ = ["Ladder", "looked_after"]
