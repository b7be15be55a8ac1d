"""The live bus as the screens hear it: bare messages; whoever is slow keeps the latest."""

from collections.abc import AsyncIterator

from streams.bus import Bus, Payload


class ScreenBus:
    """Subscribes on behalf of the screens."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def subscribe(self, topic: str) -> AsyncIterator[Payload]:
        """Messages of a topic from now on, until the iteration is given up."""
        subscription = self._bus.subscribe(topic)
        try:
            async for published in subscription:
                yield published.data
        finally:
            subscription.close()
