"""The log for reading only, beside the processes that use it, or when none runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from actors.errors import ConfigurationError
from services.ledger import Log
from weir.config import EMBEDDED, Config
from weir.parts.log import LOG_FILE, kafka_log


@asynccontextmanager
async def opened_reader(config: Config) -> AsyncIterator[Log]:
    """Positions and records as they are now. Raises ConfigurationError when there is no such log."""
    if config.broker == EMBEDDED:
        from weir.log_view import LogView  # noqa: PLC0415 # see the package's docstring

        view = LogView(config.data / LOG_FILE)
        try:
            yield view
        finally:
            await view.close()
        return
    from streams.kafka.gateway import KafkaGateway  # noqa: PLC0415 # see the package's docstring
    from streams.kafka.survey import survey  # noqa: PLC0415 # as above

    log = kafka_log(config)
    found = (await survey(log)).partitions
    if found != config.partitions:
        told = f"has {found} partitions, not {config.partitions}" if found else "is not there"
        raise ConfigurationError(
            f"the topic {log.topic} {told}: see the settings broker and partitions, and `weir doctor`"
        )
    gateway = KafkaGateway(log)
    try:
        yield gateway
    finally:
        await gateway.close()
