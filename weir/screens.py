"""The bus of this process as the screens hear it: bare messages; whoever is slow keeps the latest."""

from collections.abc import AsyncIterator

from streams.bus import LocalBus, Payload


class ScreenBus:
    """Subscribes on behalf of the screens, to what the monitor of the same process publishes."""

    def __init__(self, bus: LocalBus) -> None:
        self._bus = bus

    async def subscribe(self, topic: str) -> AsyncIterator[Payload]:
        """Messages of a topic from now on, until the iteration is given up.

        What was missed is not told: each message counts on from the one before, so the browser sees a gap by itself.
        """
        subscription = self._bus.subscribe(topic)
        try:
            async for published in subscription:
                if published.data is not None:
                    yield published.data
        finally:
            subscription.close()
