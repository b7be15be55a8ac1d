"""A channel's row of how far it is compared and read, changed by several parts of several processes at once.

Each change is made of the row as it is at that moment and is written only if nobody changed it meanwhile; else it is
made anew, so that no part ever puts back what another has just written.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from actors.errors import RetriableError
from storage.channel_ports import SweepStore
from storage.channel_records import SweepRow

ATTEMPTS: Final = 50
"""Each lost one is another's that succeeded: so many in a row mean a fault and not a crowd."""


async def row_of(store: SweepStore, platform: str, account: str) -> SweepRow:
    """A channel's row, a fresh one when there is none yet."""
    found = await store.sweep(platform, account)
    return SweepRow(platform=platform, account=account) if found is None else found


async def change_row(
    store: SweepStore, platform: str, account: str, change: Callable[[SweepRow], SweepRow]
) -> SweepRow:
    """Change a channel's row by what `change` makes of it, which may be called again; raises RetriableError.

    What `change` gives back as it was is not written.
    """
    for _ in range(ATTEMPTS):
        row = await row_of(store, platform, account)
        wanted = change(row)
        if wanted == row:
            return row
        after = replace(wanted, version=row.version + 1)
        if await store.save_sweep(after, replaces=row.version):
            return after
    raise RetriableError(f"the progress of {platform}/{account} is changed by somebody else all the time; try again")


__all__ = ["change_row", "row_of"]
