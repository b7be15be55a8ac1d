"""How a channel stands at its platform, as the last look at it found: kept beside how far it is compared."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from services.channels.progress import change_row
from storage.channel_ports import SweepStore
from storage.channel_records import SweepRow

OWN = "authorisation"
"""What of a row's cursor belongs here; the rest is that of whoever reads the channel."""


class Standing(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Times in ms. `asked_at`: when the platform was last asked, whatever came of it; `denied`: it accepts nothing.

    `trouble`: why it could not be asked or what it says, `since` when; `unrenewed`: why the authorisation could not be
    renewed. The others as in `Probe`.
    """

    asked_at: int = 0
    answered_at: int | None = None
    auth: Literal["ok", "expiring", "expired", "revoked"] | None = None
    expires_at: int | None = None
    subscription: Literal["active", "disabled", "unknown"] = "unknown"
    lacking: list[str] = []
    detail: str = ""
    trouble: str | None = None
    since: int | None = None
    unrenewed: str | None = None


def standing_of(row: SweepRow | None) -> Standing:
    """What a row tells; an empty one when nobody has looked, or another version wrote it."""
    try:
        return msgspec.convert((row.cursor if row else {}).get(OWN) or {}, Standing)
    except msgspec.ValidationError:
        return Standing()


async def keep(store: SweepStore, platform: str, account: str, standing: Standing) -> None:
    """Keep it for everybody who asks."""
    told = msgspec.to_builtins(standing)
    await change_row(store, platform, account, lambda row: replace(row, cursor={**row.cursor, OWN: told}))


__all__ = ["Standing", "keep", "standing_of"]
