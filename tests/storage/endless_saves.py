"""Saves flush after flush until killed; prints the version of each that was acknowledged."""

from __future__ import annotations

import asyncio
import sys

from storage.records import StateRow
from storage.sqlite import SqliteStore
from tests.storage.flushes import NOW, Flushes, stored


async def main(path):
    store = SqliteStore(path)
    await store.open()
    save = Flushes(store)
    states = [StateRow(f"shopee/shop/c{n}", bytes(300), NOW) for n in range(1_000)]
    version = 0
    while True:
        version += 1
        effects = [
            stored(f"m{version}-{n}", f"c{n % 1_000}", at=NOW + version, text="some words") for n in range(3_000)
        ]
        await save(*effects, conversations=states)
        sys.stdout.write(f"{version}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
