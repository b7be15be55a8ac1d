"""What goes on in web chats right now: whose conversation changed, who is writing, who is connected.

Nothing here is kept: whoever misses a call reads the conversation a few seconds later all the same.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager, suppress
from typing import Literal, TypeAlias

import structlog

from actors.errors import RetriableError
from actors.keys import channel_key
from connectors.webchat import Webchat
from services.errors import TooManyAttemptsError
from streams.bus import Bus, Subscription
from streams.deltas import TOPIC as DELTAS
from streams.deltas import decode_delta

TOPIC = "webchat"
TYPING_MS = 6_000
MOST_PER_ADDRESS = 50
MOST_PER_VISITOR = 8
MOST = 5_000
Who: TypeAlias = Literal["visitor", "agent"]
_MARK = channel_key(Webchat.platform, "").encode()
_log = structlog.get_logger(__name__)


class Ear:
    """One connection's: `news` is set when its conversation changed or an agent began to write."""

    def __init__(self) -> None:
        self.news = asyncio.Event()
        self.changed = False
        self.typing = False

    async def wait(self, seconds: float) -> None:
        """Return at the next news, or after that many seconds."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.news.wait(), seconds)
        self.news.clear()

    def tell(self, *, typing: bool = False) -> None:
        """There is news."""
        self.typing = self.typing or typing
        self.changed = self.changed or not typing
        self.news.set()


class Live:
    """One process's ear to the live bus. `now` in ms."""

    def __init__(self, bus: Bus, now: Callable[[], int]) -> None:
        self._bus = bus
        self._now = now
        self._ears: dict[str, set[Ear]] = {}
        self._typing: dict[tuple[str, Who], int] = {}
        self._connections: Counter[str] = Counter()
        self._tasks: list[asyncio.Task[None]] = []
        self._subscriptions: list[Subscription] = []

    @property
    def connected(self) -> int:
        """How many connections there are."""
        return self._connections.total() // 2

    @contextmanager
    def connection(self, address: str, visitor: str) -> Generator[None]:
        """A connection for the length of the block; raises TooManyAttemptsError when there are too many already."""
        place, who = f"a {address}", f"v {visitor}"
        full = self._connections[place] >= MOST_PER_ADDRESS or self._connections[who] >= MOST_PER_VISITOR
        if full or self.connected >= MOST:
            raise TooManyAttemptsError(10)
        self._connections.update((place, who))
        try:
            yield
        finally:
            self._connections.subtract((place, who))
            self._connections += Counter()  # forgets those that are zero

    @contextmanager
    def ear(self, key: str) -> Generator[Ear]:
        """Hear of a conversation for the length of the block."""
        self._start()
        ear = Ear()
        self._ears.setdefault(key, set()).add(ear)
        try:
            yield ear
        finally:
            ears = self._ears[key]
            ears.discard(ear)
            if not ears:
                del self._ears[key]

    async def types(self, key: str, who: Who) -> None:
        """Somebody is writing in a conversation; the other side is told, if it can be."""
        try:
            await self._bus.publish(TOPIC, {"key": key, "who": who})
        except RetriableError as wrong:
            _log.info("typing not told", reason=str(wrong))

    def is_typing(self, key: str, who: Who) -> bool:
        """Whether somebody was writing a moment ago."""
        self._start()
        return self._typing.get((key, who), 0) > self._now()

    async def close(self) -> None:
        """Hear nothing any more."""
        for subscription in self._subscriptions:
            subscription.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    def _start(self) -> None:
        if self._tasks:
            return
        for topic, heard in ((DELTAS, self._saved), (TOPIC, self._told)):
            subscription = self._bus.subscribe(topic)
            self._subscriptions.append(subscription)
            self._tasks.append(asyncio.create_task(self._listen(subscription, heard), name=f"web chat: {topic}"))

    async def _listen(self, subscription: Subscription, heard: Callable[[object], Awaitable[None]]) -> None:
        async for published in subscription:
            if published.missed:
                for ears in self._ears.values():
                    for ear in ears:
                        ear.tell()
            await heard(published.data)

    async def _saved(self, data: object) -> None:
        """What a flush changed, of which most is not about web chats."""
        if isinstance(data, bytes) and self._ears and _MARK in data:
            for key in decode_delta(data).conversations:
                for ear in self._ears.get(key, ()):
                    ear.tell()

    async def _told(self, data: object) -> None:
        if not isinstance(data, dict):
            return
        key, who = data.get("key"), data.get("who")
        if isinstance(key, str) and who in {"visitor", "agent"}:
            now = self._now()
            self._typing = {place: until for place, until in self._typing.items() if until > now}
            self._typing[key, who] = now + TYPING_MS
            if who == "agent":
                for ear in self._ears.get(key, ()):
                    ear.tell(typing=True)


__all__ = ["TYPING_MS", "Ear", "Live", "Who"]
