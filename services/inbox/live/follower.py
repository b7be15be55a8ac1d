"""Follows the live bus for all open inboxes of this process, and tells each of them what it shows.

Each changed conversation is read once, encoded once, and handed to the screens that have it in sight and may see it.
What changes outside of a screen's window is only counted for it: the screen asks for its list again when it wants to.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import contextmanager
from secrets import token_hex
from time import monotonic
from typing import Any, Protocol, TypeAlias

import structlog
from msgspec import Raw

from actors.errors import RetriableError
from services.errors import TooManyAttemptsError
from services.inbox.live.changes import Changes
from services.inbox.live.frames import Hello, Watch, encoded, raw
from services.inbox.live.screens import Screen
from services.inbox.live.stays import ONLINE, PRESENT, Stays, others
from services.inbox.telling import TOPIC as DESK
from services.people.permissions import Caller
from storage.inbox_records import Scope
from storage.records import ConversationRow
from streams.bus import Bus
from streams.coordination.presence import Presence
from streams.deltas import TOPIC as DELTAS
from streams.deltas import decode_delta

PERIOD_S = 0.1
COUNTS_S = 1.0
RENEW_S = 2.0
UNTOLD_S = 10
"""A screen says within this time what it has read."""
STAY_S = 10.0
MOST_READ = 500
MOST_TOLD_OF = 2_000
MOST_SCREENS = 2_000
MOST_OF_ONE = 20
OVER, TOO_SLOW = 4401, 4408

View: TypeAlias = Callable[[ConversationRow], dict[str, Any]]
_log = structlog.get_logger(__name__)


class Desk(Protocol):
    """What the follower reads."""

    async def rows(self, keys: Sequence[str]) -> list[ConversationRow]:
        """These conversations; unknown ones are absent."""
        ...

    async def scope(self, caller: Caller) -> Scope:
        """Whose eyes these are, as roles and teams are now."""
        ...

    async def counts(self, scopes: Sequence[Scope]) -> list[dict[str, int]]:
        """How many conversations each tab has, for each of these scopes."""
        ...


class Follower:
    """One a process; `run` does the work. `renewed` gives a caller as he is now, or None when his session has ended."""

    def __init__(
        self,
        *,
        bus: Bus,
        desk: Desk,
        presence: Presence,
        view: View,
        renewed: Callable[[Caller], Awaitable[Caller | None]],
        now: Callable[[], int],
    ) -> None:
        """`now` in ms."""
        self._bus = bus
        self._desk = desk
        self._stays = Stays(presence, bus)
        self._view = view
        self._renewed = renewed
        self._now = now
        self.epoch = token_hex(8)
        self._changes = Changes()
        self._waiting: dict[str, None] = {}
        self._news = asyncio.Event()
        self._screens: set[Screen] = set()
        self._watchers: dict[str, set[Screen]] = {}
        self._readers: dict[str, set[Screen]] = {}
        self._rooms: dict[str, None] = {}
        self._counts_due = True
        self._marks: deque[int] = deque(maxlen=round(UNTOLD_S / COUNTS_S))
        """The numbers of changes, one for each of the last seconds."""

    @property
    def open(self) -> int:
        """How many inboxes are open in this process."""
        return len(self._screens)

    @property
    def seq(self) -> int:
        """The number of the latest change that was handed out."""
        return self._changes.seq

    @contextmanager
    def screen(self, caller: Caller, scope: Scope) -> Generator[Screen]:
        """An open inbox for the length of the block; raises TooManyAttemptsError when there are too many."""
        own = sum(screen.caller.name == caller.name for screen in self._screens)
        if len(self._screens) >= MOST_SCREENS or own >= MOST_OF_ONE:
            raise TooManyAttemptsError(10)
        screen = Screen(token_hex(8), caller, scope)
        self._screens.add(screen)
        self._counts_due = True
        self._news.set()
        try:
            yield screen
        finally:
            self._screens.discard(screen)
            self._forget(screen)

    async def scope(self, caller: Caller) -> Scope:
        """Whose eyes these are."""
        return await self._desk.scope(caller)

    def hello(self, hello: Hello) -> bytes:
        """The answer to a screen's first frame: what changed since the socket before."""
        known = self._changes.since(hello.seq, MOST_TOLD_OF) if hello.epoch == self.epoch else None
        return encoded(
            {
                "type": "hello",
                "epoch": self.epoch,
                "seq": self._changes.seq,
                "complete": known is not None,
                "changed": known or [],
            }
        )

    async def watch(self, screen: Screen, watch: Watch) -> None:
        """The screen shows something else now."""
        left = screen.thread if screen.thread != watch.thread else None
        new = [key for key in watch.keys if key not in screen.keys]
        opened = watch.thread if watch.thread != screen.thread else None
        self._forget(screen)
        screen.keys, screen.thread = frozenset(watch.keys), watch.thread
        for key in screen.keys:
            self._watchers.setdefault(key, set()).add(screen)
        if screen.thread:
            self._readers.setdefault(screen.thread, set()).add(screen)
        await self._catch_up(screen, new, opened)
        if left:
            await self._stays.left(screen, left)
        if screen.thread:
            await self._stays.came(screen, screen.thread)

    async def _catch_up(self, screen: Screen, keys: Sequence[str], opened: str | None) -> None:
        """What changed between the screen's reading of these and its word that it shows them."""
        before = self._marks[0] if self._marks else 0
        if opened and self._changes.number(opened) > before:
            screen.thread_changed()
        late = [key for key in keys if self._changes.number(key) > before]
        if not late:
            return
        found = {row.key: row for row in await self._desk.rows(late)}
        for key in late:
            if key in screen.keys:
                self._show(screen, key, found.get(key), None)

    async def typing(self, screen: Screen, key: str) -> None:
        """The person writes in the conversation that is open."""
        if key == screen.thread:
            await self._stays.came(screen, key, typing=True)

    async def left(self, screen: Screen) -> None:
        """The screen is closed."""
        for room in (screen.thread, ONLINE):
            if room:
                await self._stays.left(screen, room)

    def news_of(self, screen: Screen) -> list[bytes]:
        """What waits to be told to a screen, as frames."""
        return screen.take(self._changes.seq, self._now())

    def sessions_ended(self, name: str) -> None:
        """A person was logged out: the open inboxes end at once."""
        for screen in self._screens:
            if screen.caller.name == name and screen.caller.via == "session":
                screen.close(OVER)

    def ring(self, person: str, name: str, frame: Raw) -> bool:
        """Have all screens of a person tell something once; False when none is open here."""
        screens = [screen for screen in self._screens if screen.caller.name == person]
        for screen in screens:
            screen.say(name, frame)
        return bool(screens)

    def degraded(self) -> str | None:
        """Why news may not arrive now; None while all is well."""
        return self._bus.trouble

    async def run(self) -> None:
        """For ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow(DELTAS, self._saved))
            group.create_task(self._follow(DESK, self._named))
            group.create_task(self._follow(PRESENT, self._moved))
            group.create_task(self._hand_out())
            group.create_task(self._count())
            group.create_task(self._renew())

    async def _follow(self, topic: str, heard: Callable[[Any], None]) -> None:
        subscription = self._bus.subscribe(topic)
        try:
            async for published in subscription:
                if published.missed and topic != PRESENT:
                    self._missed()
                if published.data is not None:
                    heard(published.data)
        finally:
            subscription.close()

    def _missed(self) -> None:
        """Nobody knows what changed: everything in sight is read again, and everybody asks for his list again."""
        self._changes.lost()
        self._waiting.update(dict.fromkeys([*self._watchers, *self._readers]))
        for screen in self._screens:
            screen.fresh(1)
        self._counts_due = True
        self._news.set()

    def _saved(self, data: Any) -> None:
        if isinstance(data, bytes):
            keys = decode_delta(data).conversations
            if keys:
                self._waiting.update(dict.fromkeys(keys))
                self._news.set()

    def _named(self, data: Any) -> None:
        key = data.get("key") if isinstance(data, dict) else None
        if isinstance(key, str):
            self._waiting[key] = None
            self._news.set()

    def _moved(self, data: Any) -> None:
        key = data.get("key") if isinstance(data, dict) else None
        if isinstance(key, str) and key in self._readers:
            self._rooms[key] = None
            self._news.set()

    async def _hand_out(self) -> None:
        """What changed, at once; what changes in the meantime, together."""
        while True:
            await self._news.wait()
            self._news.clear()
            began = monotonic()
            try:
                await self._tell_changes()
                await self._tell_presence()
            except RetriableError as wrong:
                _log.info("open inboxes are told later", reason=str(wrong))
                self._missed()
                await asyncio.sleep(1)
            await asyncio.sleep(max(0.0, PERIOD_S - (monotonic() - began)))

    async def _tell_changes(self) -> None:
        keys, self._waiting = list(self._waiting), {}
        if not keys:
            return
        self._changes.add(keys)
        self._counts_due = True
        self._tell_fresh(keys)
        wanted = [key for key in keys if key in self._watchers]
        for key in keys:
            for screen in self._readers.get(key, ()):
                screen.thread_changed()
        for start in range(0, len(wanted), MOST_READ):
            part = wanted[start : start + MOST_READ]
            self._tell_rows(part, await self._desk.rows(part))

    def _tell_rows(self, keys: Sequence[str], rows: Sequence[ConversationRow]) -> None:
        found = {row.key: row for row in rows}
        for key in keys:
            screens = self._watchers.get(key)
            if not screens:
                continue
            row = found.get(key)
            shown = None if row is None else raw(self._view(row))
            for screen in screens:
                self._show(screen, key, row, shown)

    def _show(self, screen: Screen, key: str, row: ConversationRow | None, shown: Raw | None) -> None:
        if row is None or not screen.scope.sees(row):
            screen.gone(key)
        else:
            screen.row(key, shown or raw(self._view(row)))

    def _tell_fresh(self, keys: Sequence[str]) -> None:
        by_channel = Counter(key.rpartition("/")[0] for key in keys)
        in_sight: Counter[Screen] = Counter()
        for key in keys:
            in_sight.update(self._watchers.get(key, ()))
        for screen in self._screens:
            reached = sum(count for channel, count in by_channel.items() if screen.scope.reaches(channel))
            if reached > in_sight[screen]:
                screen.fresh(reached - in_sight[screen])

    async def _tell_presence(self) -> None:
        rooms, self._rooms = list(self._rooms), {}
        for key in rooms:
            screens = self._readers.get(key)
            if not screens:
                continue
            present = await self._stays.present(key)
            for screen in screens:
                screen.say("present", others(key, present, screen.caller.name))

    async def _count(self) -> None:
        while True:
            await asyncio.sleep(COUNTS_S)
            self._marks.append(self._changes.seq)
            try:
                await self._tell_counts()
            except RetriableError as wrong:
                _log.info("open inboxes are told their counts later", reason=str(wrong))
                self._counts_due = True
            for screen in self._screens:
                screen.second()

    async def _tell_counts(self) -> None:
        screens = list(self._screens)
        if not self._counts_due or not screens:
            return
        self._counts_due = False
        for screen, count in zip(screens, await self._desk.counts([one.scope for one in screens]), strict=True):
            screen.counts(raw(count))

    async def _renew(self) -> None:
        """Rights as they are now, and everybody's stay before it is forgotten."""
        stayed = 0.0
        while True:
            await asyncio.sleep(RENEW_S)
            try:
                for caller in {screen.caller.credential: screen.caller for screen in self._screens}.values():
                    await self._renew_one(caller)
                if monotonic() - stayed >= STAY_S:
                    stayed = monotonic()
                    await self._all_stay()
            except RetriableError as wrong:
                _log.info("rights of open inboxes are looked up later", reason=str(wrong))

    async def _renew_one(self, caller: Caller) -> None:
        now = await self._renewed(caller)
        scope = None if now is None else await self._desk.scope(now)
        for screen in list(self._screens):
            if screen.caller.credential != caller.credential:
                continue
            if now is None or scope is None:
                screen.close(OVER)
            else:
                screen.caller, screen.scope = now, scope

    async def _all_stay(self) -> None:
        for screen in list(self._screens):
            await self._stays.again(screen, screen.thread)
        self._rooms.update(dict.fromkeys(self._readers))
        self._news.set()

    def _forget(self, screen: Screen) -> None:
        for key in screen.keys:
            _drop(self._watchers, key, screen)
        if screen.thread:
            _drop(self._readers, screen.thread, screen)


def _drop(places: dict[str, set[Screen]], key: str, screen: Screen) -> None:
    screens = places.get(key)
    if screens is not None:
        screens.discard(screen)
        if not screens:
            del places[key]


__all__ = ["OVER", "TOO_SLOW", "Desk", "Follower"]
