"""The live bus over Redis' PUBLISH and SUBSCRIBE: one subscribed connection per process, fanned out by a LocalBus.

Publishing never waits: messages go to a bounded outbox that a task of its own empties in pipelines. What cannot be sent
is dropped and counted, and when Redis is back the other processes are told that they missed something, as are the own
subscribers after every reconnect: nobody who follows a topic stays behind without knowing.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# redis-py annotates its subscriber in part only.

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque

import msgspec
from msgspec import Struct
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from streams.bus import KEPT, LocalBus, LocalSubscription, Payload
from streams.coordination.errors import CoordinationLostError
from streams.redis.heeding import heeding
from streams.redis.link import LOST, RedisLink

logger = logging.getLogger(__name__)

MOST_WAITING = 4096
MOST_WAITING_BYTES = 16 * 2**20
PIPELINE_BYTES = 2**20
SEND_S = 0.5
PAUSE_S = 0.2
"""After Redis refused to publish: it may do so for long."""
TICK_S = 1.0
SILENT_S = 3.0
"""A subscribed connection that not even answered a PING for this long is given up."""
RETRY_S = 1.0
"""A connection that broke sooner than this is not made anew at once."""
ALIVE = ""
"""The topic every process is subscribed to, so that there is always a subscription."""


class Envelope(Struct, frozen=True, array_like=True):
    """What travels: the payload, and how many messages of this topic, or more, its publisher dropped before it."""

    data: Payload | None
    missed: int = 0


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Envelope).decode


class RedisBus:
    """The bus between processes. `start` it after its link, `close` it before. `kept` as in LocalBus."""

    def __init__(self, link: RedisLink, kept: int = KEPT) -> None:
        self._link = link
        self._local = LocalBus(kept)
        self._root = link.channel("")
        self._heard: set[str] = set()
        """Topics whose subscription Redis has confirmed on the connection of now."""
        self._refused: str | None = None
        self._outbox: deque[tuple[str, bytes]] = deque()
        self._outbox_bytes = 0
        self._dropped: Counter[str] = Counter()
        """By topic: messages the other processes have not been told they missed."""
        self._work = asyncio.Event()
        self._adjusting = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.lost = 0
        """Messages that were published here and not sent."""

    @property
    def trouble(self) -> str | None:
        """Why news from other processes may not arrive now; None while it does."""
        if self._link.trouble is not None or self._refused is not None:
            return self._link.trouble or self._refused
        if self._heard >= {ALIVE, *self._local.topics}:
            return None
        return f"the subscriptions at Redis at {self._link.name} are being restored"

    async def start(self) -> None:
        """Begin to send and to hear."""
        self._tasks = [
            asyncio.create_task(self._send(), name="redis bus: send"),
            asyncio.create_task(self._listen(), name="redis bus: listen"),
        ]

    async def close(self) -> None:
        """Send what waits, if Redis takes it, and stop."""
        if self._tasks and self._link.connected:
            await self._empty()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        self._tasks = []

    async def publish(self, topic: str, data: Payload) -> None:
        """Tell every subscriber of the topic in every process; never waits, never raises, counts what is `lost`."""
        if not self._link.connected or len(self._outbox) >= MOST_WAITING:
            self._drop(topic)
            return
        message = _encode(Envelope(data, self._dropped[topic]))
        if self._outbox_bytes + len(message) > MOST_WAITING_BYTES:
            self._drop(topic)
            return
        self._dropped.pop(topic, None)
        self._outbox.append((topic, message))
        self._outbox_bytes += len(message)
        self._work.set()

    def subscribe(self, topic: str) -> LocalSubscription:
        """Hear everything from now on. Until Redis has confirmed it something may be missed: that is told then."""
        subscription = self._local.subscribe(topic)
        self._adjusting.set()
        return subscription

    def _drop(self, topic: str) -> None:
        self.lost += 1
        self._dropped[topic] += 1
        self._work.set()

    async def _send(self) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            await self._link.up()
            if not await self._empty():
                await asyncio.sleep(PAUSE_S)

    async def _empty(self) -> bool:
        """Send all that waits, and tell of what was dropped; False, and all of it dropped, when it cannot be sent."""
        for topic, count in list(self._dropped.items()):
            del self._dropped[topic]
            self._outbox.append((topic, message := _encode(Envelope(None, count))))
            self._outbox_bytes += len(message)
        while self._outbox:
            batch = self._batch()
            try:
                await self._link.call(lambda client, batch=batch: self._pipeline(client, batch), within_s=SEND_S)
            except CoordinationLostError:
                for topic, message in batch:
                    self._lost_under_way(topic, message)
                while self._outbox:
                    self._lost_under_way(*self._take())
                return False
        return True

    def _lost_under_way(self, topic: str, message: bytes) -> None:
        envelope = _decode(message)
        self.lost += envelope.data is not None
        self._dropped[topic] += envelope.missed + (envelope.data is not None)
        self._work.set()

    def _batch(self) -> list[tuple[str, bytes]]:
        batch = [self._take()]
        size = len(batch[0][1])
        while self._outbox and size + len(self._outbox[0][1]) <= PIPELINE_BYTES:
            batch.append(self._take())
            size += len(batch[-1][1])
        return batch

    def _take(self) -> tuple[str, bytes]:
        topic, message = self._outbox.popleft()
        self._outbox_bytes -= len(message)
        return topic, message

    async def _pipeline(self, client: Redis, batch: list[tuple[str, bytes]]) -> None:
        async with client.pipeline(transaction=False) as pipeline:
            for topic, message in batch:
                pipeline.publish(self._link.channel(topic), message)
            await pipeline.execute()

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._link.up()
            began = loop.time()
            try:
                await self._hear()
            except LOST as wrong:
                self._link.lose(wrong)
            except RedisError as wrong:
                self._say_refused(self._link.told(wrong))
            if loop.time() - began < RETRY_S:
                await asyncio.sleep(RETRY_S)

    def _say_refused(self, reason: str) -> None:
        if self._refused is None:
            logger.warning("Redis at %s lets nobody subscribe: %s", self._link.name, reason)
        self._refused = f"Redis at {self._link.name} lets nobody subscribe ({reason}); allow it to this user"

    async def _hear(self) -> None:
        """Subscribe, and hand on what comes, until something breaks."""
        pubsub = self._link.pubsub()
        try:
            await heeding(pubsub.subscribe(self._link.channel(ALIVE)))
            adjusting = asyncio.create_task(self._adjust(pubsub), name="redis bus: subscriptions")
            try:
                await self._read(pubsub, adjusting)
            finally:
                adjusting.cancel()
                await asyncio.gather(adjusting, return_exceptions=True)
        finally:
            self._heard.clear()
            await pubsub.aclose()

    async def _read(self, pubsub: PubSub, adjusting: asyncio.Task[None]) -> None:
        loop = asyncio.get_running_loop()
        last = loop.time()
        while True:
            message = await heeding(pubsub.get_message(timeout=TICK_S))
            if message is not None:
                last = loop.time()
                self._take_in(message["type"], message["channel"], message["data"])
            elif loop.time() - last > SILENT_S:
                raise TimeoutError(f"the subscribed connection has been silent for {SILENT_S:g} s")
            if adjusting.done():
                adjusting.result()

    async def _adjust(self, pubsub: PubSub) -> None:
        """Subscribe to what somebody wants to hear, unsubscribe from what nobody wants; PING in between."""
        asked = {ALIVE}
        while True:
            self._adjusting.clear()
            wanted = {ALIVE, *self._local.topics}
            for topic in wanted - asked:
                await heeding(pubsub.subscribe(self._link.channel(topic)))
            for topic in asked - wanted:
                self._heard.discard(topic)
                await heeding(pubsub.unsubscribe(self._link.channel(topic)))
            asked = wanted
            try:
                async with asyncio.timeout(TICK_S):
                    await self._adjusting.wait()
            except TimeoutError:
                await heeding(pubsub.ping())

    def _take_in(self, kind: str, channel: bytes | None, data: bytes) -> None:
        if channel is None:
            return
        topic = channel.decode().removeprefix(self._root)
        if kind == "subscribe":
            self._refused = None
            self._heard.add(topic)
            self._local.miss(topic)
        elif kind == "message":
            try:
                envelope = _decode(data)
            except msgspec.DecodeError as wrong:
                logger.warning("a message on the bus that Weir did not publish is ignored: %s", wrong)
                return
            if envelope.missed:
                self._local.miss(topic, envelope.missed)
            if envelope.data is not None:
                self._local.put(topic, envelope.data)


__all__ = ["RedisBus"]
