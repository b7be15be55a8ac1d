"""Numbered messages of conversations, posted again until they are taken: the same number is the same message.

Every conversation belongs to one sender, which posts its batches one after the other: whatever goes wrong, the log has
the messages of a conversation in the order of their numbers, each at least once.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Callable, Sequence

import httpx

from actors.keys import partition_of

PLATFORM = "ebay"
CONVERSATIONS_A_SHOP = 3
BATCH = 15
PAUSE_S = 0.3
TIMEOUT_S = 20.0
AGAIN_S = 0.2


def shops(partitions: int) -> list[str]:
    """One shop for each partition."""
    found: dict[int, str] = {}
    number = 0
    while len(found) < partitions:
        name = f"shop{number}"
        found.setdefault(partition_of(PLATFORM, name, partitions), name)
        number += 1
    return [found[partition] for partition in range(partitions)]


class Sender:
    """Keeps some shops busy. `addresses` gives the web processes to choose from, as they are now."""

    def __init__(self, shops: Sequence[str], addresses: Callable[[], Sequence[str]], token: str, seed: int) -> None:
        self.acknowledged: dict[tuple[str, str], int] = {}
        """How many messages of a (shop, conversation) were answered with 202."""
        self.posted_again = 0
        self._shops = shops
        self._addresses = addresses
        self._token = token
        self._choice = random.Random(seed)  # noqa: S311 # a seeded story, no secret
        self._stop = asyncio.Event()
        self._go = asyncio.Event()
        self._resting = asyncio.Event()
        self._go.set()

    async def run(self) -> None:
        """Post until told to stop."""
        headers = {"Authorization": f"Bearer {self._token}"}
        async with httpx.AsyncClient(headers=headers, timeout=TIMEOUT_S, trust_env=False) as client:
            while not self._stop.is_set():
                if not self._go.is_set():
                    self._resting.set()
                await self._go.wait()
                await self._post(client, self._batch())
                await asyncio.sleep(PAUSE_S)

    async def rest(self) -> None:
        """Return when everything posted is acknowledged, and post no more until `go`."""
        self._resting.clear()
        self._go.clear()
        await self._resting.wait()

    def go(self) -> None:
        """Post again."""
        self._go.set()

    def stop(self) -> None:
        """Let `run` end."""
        self._stop.set()
        self._go.set()

    def _batch(self) -> list[dict[str, object]]:
        """The next messages of a few conversations."""
        events: list[dict[str, object]] = []
        for _ in range(BATCH):
            where = (self._choice.choice(self._shops), f"c{self._choice.randrange(CONVERSATIONS_A_SHOP)}")
            taken = sum(1 for event in events if (event["account"], event["conversation"]) == where)
            events.append(message(*where, self.acknowledged.get(where, 0) + taken + 1))
        return events

    async def _post(self, client: httpx.AsyncClient, events: list[dict[str, object]]) -> None:
        """Post until it is acknowledged; what became of a post that was cut off is not known, so it is repeated."""
        while True:
            addresses = self._addresses()
            if addresses:
                with contextlib.suppress(httpx.TransportError):
                    answer = await client.post(f"{self._choice.choice(addresses)}/api/v1/events", json=events)
                    if answer.status_code == httpx.codes.ACCEPTED:
                        assert answer.json()["rejected"] == [], answer.text
                        break
                    assert answer.status_code in {429, 500, 502, 503}, answer.text
            self.posted_again += 1
            await asyncio.sleep(AGAIN_S)
        for event in events:
            where = (str(event["account"]), str(event["conversation"]))
            self.acknowledged[where] = self.acknowledged.get(where, 0) + 1


def message(shop: str, conversation: str, number: int) -> dict[str, object]:
    """The message of that number."""
    return {
        "type": "message",
        "platform": PLATFORM,
        "account": shop,
        "conversation": conversation,
        "message": f"m{number}",
        "seq": number,
        "sent_at": int(time.time() * 1000),
        "direction": "in",
        "sender": {"id": "s", "role": "system"},
        "text": f"message {number}",
        "lang": "en",
    }
