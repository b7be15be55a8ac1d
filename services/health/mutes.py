"""Mutes: troubles nobody wants to be told of for a while; they are counted, stored and listed as before.

A mute names a platform, an account of it, a kind of trouble, or several of these, and ends by itself. Every process
reads the mutes in force from the store, so that one holds everywhere, and after a restart.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterable
from typing import Any

from msgspec.structs import replace

from actors.anomaly import CURES
from actors.errors import RejectedError
from services.errors import ConflictError, NotFoundError
from storage.ports import MuteStore
from storage.records import AuditRow, Mute

TROUBLES: tuple[str, ...] = tuple(CURES)
"""What can be muted: the kinds, with failed answers (`loss_outbound`) and lost authorisation (`auth`) apart."""
MINUTE_MS = 60_000
LONGEST_MS = 7 * 86_400_000
LONGEST_REASON = 500
LONGEST_NAME = 1024
MOST_IN_FORCE = 200
MOST_LISTED = 500


class Mutes:
    """Makes mutes and ends them early; every change leaves an audit row."""

    def __init__(self, store: MuteStore, now: Callable[[], int]) -> None:
        self._store = store
        self._now = now
        self._lock = asyncio.Lock()

    async def page(self, limit: int, *, past: bool = True) -> list[Mute]:
        """Those in force, the longest first; then, if asked for, those that are over, the latest first."""
        found = await self._store.mutes(max(1, min(limit, MOST_LISTED)))
        return found if past else in_force(found, self._now())

    async def mute(
        self,
        *,
        who: str,
        until: int,
        reason: str,
        kind: str | None = None,
        platform: str | None = None,
        account: str | None = None,
    ) -> Mute:
        """A new mute, in force at once and to `until` (ms). Raises RejectedError, or ConflictError (too many)."""
        now = self._now()
        mute = Mute(
            id=secrets.token_hex(8),
            at=now,
            until=until,
            who=who,
            reason=_checked_reason(reason),
            kind=kind or None,
            platform=platform or None,
            account=account or None,
        )
        _check_subject(mute)
        if not now < until <= now + LONGEST_MS:
            raise RejectedError("until: a mute ends later than now, and within seven days")
        async with self._lock:
            if len(in_force(await self._store.mutes(MOST_IN_FORCE), now)) >= MOST_IN_FORCE:
                raise ConflictError(f"{MOST_IN_FORCE} mutes are in force already; lift some, or mute a whole platform")
            await self._store.put_mute(mute, self._audit("mute.created", mute, who, None, _public(mute)))
        return mute

    async def lift(self, mute_id: str, *, who: str) -> Mute:
        """End a mute now. Raises NotFoundError, or ConflictError when it is over already."""
        async with self._lock:
            now = self._now()
            mute = next((m for m in await self._store.mutes(MOST_LISTED) if m.id == mute_id), None)
            if mute is None:
                raise NotFoundError(f"there is no mute {mute_id[:64]!r}; it may have ended long ago")
            if not is_in_force(mute, now):
                raise ConflictError("the mute is over already; nothing is left to lift")
            # Its end moves too: what is in force always stands before what is over, however many were lifted.
            lifted = replace(mute, until=now, ended_at=now)
            await self._store.put_mute(lifted, self._audit("mute.lifted", mute, who, _public(mute), _public(lifted)))
        return lifted

    def _audit(self, what: str, mute: Mute, who: str, before: Any, after: Any) -> AuditRow:
        return AuditRow(
            at=self._now(), who=who, what=what, subject=f"mute {mute.id} ({subject(mute)})", before=before, after=after
        )


def is_in_force(mute: Mute, now: int) -> bool:
    """Whether it mutes at `now` (ms)."""
    return mute.at <= now < mute.until and mute.ended_at is None


def in_force(mutes: Iterable[Mute], now: int) -> list[Mute]:
    """Those that mute at `now` (ms), in the order given."""
    return [mute for mute in mutes if is_in_force(mute, now)]


def covers(mute: Mute, platform: str, account: str, trouble: str | None = None) -> bool:
    """Whether it mutes this trouble of this channel; without a trouble, whether it mutes the whole channel."""
    return (
        mute.platform in (None, platform)
        and mute.account in (None, account)
        and (mute.kind is None if trouble is None else mute.kind in (None, trouble))
    )


def last_to_end(mutes: Iterable[Mute], platform: str, account: str, trouble: str | None = None) -> Mute | None:
    """Of the mutes that cover it the one that lasts longest: until its end nobody is told."""
    return max((m for m in mutes if covers(m, platform, account, trouble)), key=lambda m: (m.until, m.id), default=None)


def subject(mute: Mute) -> str:
    """What is muted, in words for the log of changes."""
    place = "/".join(part for part in (mute.platform, mute.account) if part) or "every channel"
    return f"{mute.kind or 'everything'} on {place}"


def _check_subject(mute: Mute) -> None:
    if mute.kind is not None and mute.kind not in TROUBLES:
        raise RejectedError(f"kind: one of {', '.join(TROUBLES)}, not {mute.kind[:64]!r}")
    if mute.account is not None and mute.platform is None:
        raise RejectedError("account: say the platform it is on, too")
    if mute.kind is None and mute.platform is None:
        raise RejectedError("name a platform or a kind: with everything muted nobody would hear of an outage")
    for name, value in (("platform", mute.platform), ("account", mute.account)):
        if value is not None and len(value) > LONGEST_NAME:
            raise RejectedError(f"{name}: at most {LONGEST_NAME} characters, not {len(value)}")


def _checked_reason(reason: str) -> str:
    reason = reason.strip()
    if not 0 < len(reason) <= LONGEST_REASON:
        raise RejectedError(f"reason: say why in 1 to {LONGEST_REASON} characters")
    return reason


def _public(mute: Mute) -> dict[str, Any]:
    """What the log of changes says of a mute."""
    return {
        "kind": mute.kind,
        "platform": mute.platform,
        "account": mute.account,
        "until_at": mute.until,
        "ended_at": mute.ended_at,
        "reason": mute.reason,
    }
