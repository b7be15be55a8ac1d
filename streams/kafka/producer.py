# pyright: basic
# Faust's and mode's annotations are partial: strict mode would report their code, not ours.
"""What Faust has for sending: here nothing. Events come in by the gateway, which orders and frames them."""

from __future__ import annotations

from typing import Any, NoReturn

from faust.transport.producer import Producer

from actors.errors import ConfigurationError


class NoProducer(Producer):
    """Opens no connection; Faust starts and flushes it all the same."""

    async def send(self, topic: str, *_: Any, **__: Any) -> NoReturn:
        """Not offered."""
        raise ConfigurationError(f"{topic}: events come in by the gateway, not by Faust")

    async def send_and_wait(self, topic: str, *_: Any, **__: Any) -> NoReturn:
        """Not offered."""
        await self.send(topic)

    async def flush(self) -> None:
        """There is nothing to wait for."""

    async def create_topic(self, topic: str, *_: Any, **__: Any) -> None:
        """The log is there before Faust is: `KafkaLog.open` makes it."""

    def supports_headers(self) -> bool:
        """No."""
        return False


__all__ = ["NoProducer"]
