"""Rings: follows what changes, asks `Alerts` whom it concerns, and has their open screens tell.

It runs in every process that has screens, and each finds the same: an alert's id tells. What floods in is looked at a
conversation at a time, the newest state of each, and never for more than a part of the time: nothing is left out, but
the engine and the screens come first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from time import monotonic
from typing import Any, Protocol, TypeAlias

import structlog

from actors.errors import RetriableError
from services.alerts.deciding import Alert, urgency
from services.inbox.telling import TOPIC as DESK
from storage.records import ConversationRow, MessageRow
from streams.bus import Bus, Subscription
from streams.deltas import TOPIC as DELTAS
from streams.deltas import decode_delta

GIVEN = frozenset({"assigned", "claimed"})
ESCALATED = "escalated"
"""Nobody has opened something urgent: those above are told."""
MOST = 200
SHARE = 4
"""After each look it rests so many times as long as the look took."""
PAUSE_S = 0.1
FRESH_MS = 600_000
"""What came before that rang when it came, or never will: a note or a label of today makes it no news."""
MOST_REMEMBERED = 50_000

Ring: TypeAlias = Callable[[Alert], bool]
_log = structlog.get_logger(__name__)


class Asked(Protocol):
    """`Alerts`, as far as it is asked here."""

    async def for_change(
        self, row: ConversationRow, message: MessageRow | None = None, *, by: str | None = None
    ) -> list[Alert]:
        """What to ring for."""
        ...

    async def for_escalation(self, row: ConversationRow) -> list[Alert]:
        """What to ring for on the screens of those above."""
        ...


class Read(Protocol):
    """What is read of conversations."""

    async def rows(self, keys: Sequence[str]) -> list[ConversationRow]:
        """These conversations."""
        ...

    async def latest_messages(self, key: str, limit: int) -> list[MessageRow]:
        """The last messages of one, the last one first."""
        ...


class Ringing:
    """One a process; `run` does the work. `ring` has a person's screens of this process tell, if any is open."""

    def __init__(self, *, bus: Bus, store: Read, alerts: Asked, ring: Ring, now: Callable[[], int]) -> None:
        """`now` in ms."""
        self._bus = bus
        self._now = now
        self._store = store
        self._alerts = alerts
        self._ring = ring
        self._waiting: dict[str, str | None] = {}
        self._escalated: dict[str, None] = {}
        self._rung: dict[str, None] = {}
        self._news = asyncio.Event()

    @property
    def waiting(self) -> int:
        """How many conversations are still to be looked at."""
        return len(self._waiting)

    async def run(self) -> None:
        """For ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow(self._bus.subscribe(DELTAS), self._saved))
            group.create_task(self._follow(self._bus.subscribe(DESK), self._given))
            group.create_task(self._look())

    async def _follow(self, subscription: Subscription, heard: Callable[[Any], None]) -> None:
        try:
            async for published in subscription:
                if published.data is not None:
                    heard(published.data)
        finally:
            subscription.close()

    def _saved(self, data: Any) -> None:
        if isinstance(data, bytes):
            for key in decode_delta(data).conversations:
                self._waiting.setdefault(key, None)
            self._news.set()

    def _given(self, data: Any) -> None:
        if isinstance(data, dict) and data.get("what") == ESCALATED and isinstance(data.get("key"), str):
            self._escalated[data["key"]] = None
            self._news.set()
        if not isinstance(data, dict) or data.get("what") not in GIVEN:
            return
        key, who = data.get("key"), data.get("who")
        if isinstance(key, str) and isinstance(who, str):
            self._waiting[key] = who
            self._news.set()

    async def _look(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            await self._look_above()
            while self._waiting:
                began = monotonic()
                part = {key: self._waiting.pop(key) for key in list(self._waiting)[:MOST]}
                try:
                    await self._look_at(part)
                except RetriableError as wrong:
                    _log.info("whom to tell is found out later", reason=str(wrong))
                    self._waiting = {**part, **self._waiting}
                    await asyncio.sleep(1)
                await asyncio.sleep(max(PAUSE_S, SHARE * (monotonic() - began)))

    async def _look_above(self) -> None:
        keys, self._escalated = list(self._escalated), {}
        try:
            for row in await self._store.rows(keys) if keys else ():
                await self._tell(self._alerts.for_escalation(row))
        except RetriableError as wrong:
            _log.info("those above are told by their other ways alone", reason=str(wrong))

    async def _look_at(self, part: dict[str, str | None]) -> None:
        for row in await self._store.rows(list(part)):
            by = part[row.key]
            if by is not None:
                await self._tell(self._alerts.for_change(row, by=by))
            if row.assignee is None and urgency(row) == "normal":
                continue  # nobody's, and nothing to hurry for: it waits in the list
            if row.last_direction == "in" and self._now() - row.last_at < FRESH_MS:
                for latest in await self._store.latest_messages(row.key, 1):
                    await self._tell(self._alerts.for_change(row, latest))
            await self._tell(self._alerts.for_change(row))

    async def _tell(self, found: Awaitable[list[Alert]]) -> None:
        for alert in await found:
            if alert.id not in self._rung:
                if len(self._rung) >= MOST_REMEMBERED:
                    self._rung.clear()
                self._rung[alert.id] = None
                self._ring(alert)


__all__ = ["Ring", "Ringing"]
