"""Every check, in the order in which to mend what they find."""

from collections.abc import AsyncIterator

from actors.errors import WeirError
from weir.addresses import shown
from weir.checkup import channels, contents, embedded, machine, processes
from weir.checkup.finding import Finding
from weir.config import EMBEDDED, Config
from weir.parts.store import STORE_FILE, opened_store


async def examine(config: Config, now: int, *, online: bool = False) -> AsyncIterator[Finding]:
    """The findings, each as soon as it is there; `now` in ms. `online`: platforms are asked as well."""
    for finding in machine.examine(config, now):
        yield finding
    if config.database == EMBEDDED and not (config.data / STORE_FILE).exists():
        found = f"{config.data_dir} holds no Weir yet"
        yield Finding("data folder", "warning", found, "start `weir serve` once, or name another with --data-dir")
        return
    if config.broker == EMBEDDED:
        for finding in await embedded.examine(config, now):
            yield finding
    else:
        from weir.checkup import kafka  # noqa: PLC0415 # only who uses a service loads its client

        async for finding in kafka.examine(config, now):
            yield finding
    if config.redis != EMBEDDED:
        from weir.checkup import redis  # noqa: PLC0415 # as above

        async for finding in redis.examine(config):
            yield finding
    ours = True
    if config.database != EMBEDDED:
        from weir.checkup import mongodb  # noqa: PLC0415 # as above

        findings, ours = await mongodb.examine(config)
        for finding in findings:
            yield finding
    if ours:
        async for finding in _store(config, now, online=online):
            yield finding


async def _store(config: Config, now: int, *, online: bool) -> AsyncIterator[Finding]:
    try:
        async with opened_store(config, create=False) as store:
            place = str(config.data / STORE_FILE) if config.database == EMBEDDED else shown(config.database)
            async for finding in contents.examine(store, place, now):
                yield finding
            async for finding in channels.examine(store, config, now, online=online):
                yield finding
            if not config.keeps_files:
                async for finding in processes.examine(store, config, now):
                    yield finding
    except WeirError as wrong:
        yield Finding("database", "broken", str(wrong), "see the message")
