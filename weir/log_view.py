"""The embedded log for reading only, beside the Weir that owns it or when none runs."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from streams.embedded.damage import problems
from streams.embedded.reader import Reader
from streams.embedded.schema import connect_reader
from streams.embedded.writer import Places
from streams.ports import LogRecord, PartitionPosition
from streams.topics import GROUP

PAGE_BYTES = 4_000_000


class LogView:
    """Positions and records as they are on disk now. Raises ConfigurationError when there is no log."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reader = Reader(path)

    async def positions(self) -> list[PartitionPosition]:
        """Every partition's position."""
        places = await asyncio.to_thread(self._places)
        committed = places.committed.get(GROUP, {})
        return [
            PartitionPosition(partition=p, start=start, end=end, committed=committed.get(p) or start)
            for p, (start, end) in enumerate(zip(places.starts, places.ends, strict=True))
        ]

    async def records(self, partition: int, offset: int = 0) -> AsyncIterator[LogRecord]:
        """Records of a partition from `offset` on, in order."""
        end = (await self.positions())[partition].end
        while offset < end:
            page = await self._reader.page(partition, offset, end, PAGE_BYTES)
            if not page:
                return
            for record in page:
                yield record
            offset = page[-1].offset + 1

    async def problems(self) -> list[str]:
        """What was found damaged and moved aside, as sentences."""
        return await self._reader.run(problems)

    async def close(self) -> None:
        """Close the file."""
        await self._reader.close()

    def _places(self) -> Places:
        db = connect_reader(self._path)
        try:
            count = db.execute("SELECT value FROM meta WHERE name = 'partitions'").fetchone()
            return Places(db, count[0] if count else 0)
        finally:
            db.close()
