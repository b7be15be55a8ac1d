"""The live bus: what was just saved, for those who watch. Losing a message here loses no data, only a redraw.

A subscriber who is too slow keeps the newest messages and is told how many it missed, so that it can read the whole
state again. Publishing never waits for anybody. Between processes `streams.redis.RedisBus` is behind the same `Bus`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, Protocol, TypeAlias

from msgspec import Struct

Payload: TypeAlias = bytes | dict[str, Any]

KEPT = 256


class Published(Struct, frozen=True):
    """One message; `missed` older ones, or more, never came: whoever follows the topic reads the whole state anew.

    `data` is None when there is nothing but that to tell.
    """

    data: Payload | None
    missed: int = 0


class Subscription(Protocol):
    """An open ear: iterate over it, close it."""

    def __aiter__(self) -> Subscription:
        """Itself."""
        ...

    async def __anext__(self) -> Published:
        """The next message; ends when closed."""
        ...

    def close(self) -> None:
        """Hear nothing any more."""
        ...


class Bus(Protocol):
    """Publish and subscribe by topic."""

    @property
    def trouble(self) -> str | None:
        """Why news may not arrive now, as a sentence; None while all is well."""
        ...

    async def publish(self, topic: str, data: Payload) -> None:
        """Tell every subscriber of the topic. May raise RetriableError; the message is then lost."""
        ...

    def subscribe(self, topic: str) -> Subscription:
        """Hear everything published from now on; what may have been missed until then is told as `missed`."""
        ...


class LocalSubscription:
    """A subscriber in this process."""

    def __init__(self, bus: LocalBus, topic: str, kept: int) -> None:
        self._bus = bus
        self._topic = topic
        self._waiting: deque[Payload] = deque(maxlen=kept)
        self._missed = 0
        self._news = asyncio.Event()
        self._closed = False

    def __aiter__(self) -> LocalSubscription:
        return self

    async def __anext__(self) -> Published:
        while not self._waiting and not self._missed:
            if self._closed:
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        missed, self._missed = self._missed, 0
        return Published(self._waiting.popleft() if self._waiting else None, missed)

    def put(self, data: Payload) -> None:
        """Keep a message, the oldest giving way."""
        if len(self._waiting) == self._waiting.maxlen:
            self._missed += 1
        self._waiting.append(data)
        self._news.set()

    def miss(self, count: int) -> None:
        """Tell that messages, `count` at least, will never come."""
        self._missed += count
        self._news.set()

    def close(self) -> None:
        """Hear nothing any more; what waits may still be read."""
        self._closed = True
        self._bus.forget(self._topic, self)
        self._news.set()


class LocalBus:
    """The bus within one process. `kept`: how many messages wait for a slow subscriber."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._subscribers: dict[str, list[LocalSubscription]] = {}

    @property
    def trouble(self) -> str | None:
        """Never any: nothing is between publisher and subscriber."""
        return None

    @property
    def topics(self) -> frozenset[str]:
        """Those that somebody is subscribed to."""
        return frozenset(self._subscribers)

    async def publish(self, topic: str, data: Payload) -> None:
        """Tell every subscriber of the topic; waits for none."""
        self.put(topic, data)

    def put(self, topic: str, data: Payload) -> None:
        """The same, without a loop to run in."""
        for subscriber in self._subscribers.get(topic, ()):
            subscriber.put(data)

    def miss(self, topic: str, count: int = 1) -> None:
        """Tell every subscriber of the topic that messages, `count` at least, will never come."""
        for subscriber in self._subscribers.get(topic, ()):
            subscriber.miss(count)

    def subscribe(self, topic: str) -> LocalSubscription:
        """Hear everything published from now on."""
        subscription = LocalSubscription(self, topic, self._kept)
        self._subscribers.setdefault(topic, []).append(subscription)
        return subscription

    def forget(self, topic: str, subscription: LocalSubscription) -> None:
        """Drop a closed subscription."""
        subscribers = self._subscribers.get(topic, [])
        if subscription in subscribers:
            subscribers.remove(subscription)
        if not subscribers:
            self._subscribers.pop(topic, None)


__all__ = ["Bus", "LocalBus", "LocalSubscription", "Payload", "Published", "Subscription"]
