"""How each person wants to be told: what rings, which channels are muted, quiet hours, addresses beside the screen."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Sequence
from typing import Any, Literal, Protocol
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec.structs import replace

from actors.errors import RejectedError
from services.errors import ConflictError, NotFoundError
from storage.alert_ports import AlertStore
from storage.alert_records import AlertSettings, Way
from storage.records import AuditRow

MOST_MUTED = 200
MOST_WAYS = 5
LONGEST = 500
DAY_MIN = 24 * 60
KEPT_MS = 2_000
MOST_KEPT = 2_000
_MAIL = re.compile(r"[^\s<>@,;:\"()\[\]\\]{1,64}@[^\s<>@,;:\"()\[\]\\]{1,255}")
_CHANNEL = re.compile(r"[^/]+/[^/]+")
_ATTEMPTS = 5


class WishStore(AlertStore, Protocol):
    """The part of a store used here."""


class Wishes:
    """People's wishes; every change leaves an audit row, without the addresses themselves."""

    def __init__(self, store: WishStore, now: Callable[[], int]) -> None:
        self._store = store
        self._now = now
        self._kept: dict[str, tuple[int, AlertSettings]] = {}

    async def of(self, person: str) -> AlertSettings:
        """What a person wants; the defaults when nothing was ever said. Read anew every two seconds at most."""
        until, kept = self._kept.get(person, (0, None))
        now = self._now()
        if kept is not None and until > now:
            return kept
        found = await self._store.alert_settings(person) or AlertSettings(person=person)
        if len(self._kept) >= MOST_KEPT:
            self._kept.clear()
        self._kept[person] = (now + KEPT_MS, found)
        return found

    async def change(
        self,
        person: str,
        *,
        desktop: bool | None = None,
        sound: bool | None = None,
        muted: Sequence[str] | None = None,
        quiet: tuple[int, int, str] | Literal["never"] | None = None,
    ) -> AlertSettings:
        """Change what is given; `quiet` is (from, to, zone) in minutes of the day. Raises RejectedError."""
        changes: dict[str, Any] = {"desktop": desktop, "sound": sound}
        changes["muted"] = None if muted is None else _checked_channels(muted)
        if quiet == "never":
            changes |= {"quiet_from": None, "quiet_to": None}
        told = {name: value for name, value in changes.items() if value is not None or name.startswith("quiet")}
        if quiet is not None and quiet != "never":
            start, end, zone = quiet
            _check_quiet(start, end, zone)
            told |= {"quiet_from": start, "quiet_to": end, "zone": zone}
        return await self._changed(person, lambda wishes: replace(wishes, **told))

    async def add_way(self, person: str, kind: str, address: str) -> AlertSettings:
        """Another address. Raises RejectedError (none of that kind), ConflictError (too many, or there already)."""
        way = Way(id=secrets.token_hex(6), kind=_kind(kind), address=_checked_address(kind, address.strip()))

        def with_it(wishes: AlertSettings) -> AlertSettings:
            others = [one for one in wishes.ways if one.address != way.address or one.ended_at is not None]
            if len(others) < len(wishes.ways):
                raise ConflictError("this address is there already")
            kept = [one for one in others if one.address != way.address]
            if len(kept) >= MOST_WAYS:
                raise ConflictError(f"{MOST_WAYS} addresses are there already; take one away first")
            return replace(wishes, ways=[*kept, way])

        return await self._changed(person, with_it)

    async def drop_way(self, person: str, way_id: str) -> AlertSettings:
        """Take an address away; raises NotFoundError."""

        def without_it(wishes: AlertSettings) -> AlertSettings:
            kept = [one for one in wishes.ways if one.id != way_id]
            if len(kept) == len(wishes.ways):
                raise NotFoundError("there is no such address; it may have been taken away already")
            return replace(wishes, ways=kept)

        return await self._changed(person, without_it)

    async def end_way(self, person: str, way_id: str, reason: str) -> AlertSettings:
        """An address has turned out to be dead: it is used no more until the person gives it anew."""
        now = self._now()

        def with_its_end(wishes: AlertSettings) -> AlertSettings:
            ways = [replace(w, ended_at=now, reason=reason[:LONGEST]) if w.id == way_id else w for w in wishes.ways]
            return replace(wishes, ways=ways)

        return await self._changed(person, with_its_end, who="weir")

    async def _changed(
        self, person: str, change: Callable[[AlertSettings], AlertSettings], who: str | None = None
    ) -> AlertSettings:
        for _ in range(_ATTEMPTS):
            before = await self._store.alert_settings(person) or AlertSettings(person=person)
            after = replace(change(before), version=before.version + 1)
            audit = AuditRow(
                at=self._now(),
                who=who or person,
                what="alerts.changed",
                subject=f"alerts of {person}",
                before=_public(before),
                after=_public(after),
            )
            if await self._store.put_alert_settings(after, audit):
                self._kept.pop(person, None)
                return after
        raise ConflictError("these settings are being changed elsewhere; look at them again")


def masked(way: Way) -> str:
    """An address as it may stand in a log or on somebody else's screen."""
    if way.kind == "email":
        name, _, domain = way.address.rpartition("@")
        return f"{name[:1]}…@{domain}"
    parts = urlsplit(way.address)
    return f"{parts.scheme}://{parts.hostname}/…"


def _kind(kind: str) -> Literal["email", "webhook"]:
    match kind:
        case "email" | "webhook":
            return kind
        case _:
            raise RejectedError("kind: email or webhook")


def _checked_address(kind: str, address: str) -> str:
    if len(address) > LONGEST:
        raise RejectedError(f"address: at most {LONGEST} characters")
    if kind == "email":
        if not _MAIL.fullmatch(address):
            raise RejectedError("address: an e-mail address, such as ann@example.com")
        return address
    try:
        parts = urlsplit(address)
        fits = parts.scheme == "https" and bool(parts.hostname) and parts.username is None and parts.port != 0
    except ValueError:
        fits = False
    if not fits or not address.isprintable() or " " in address:
        raise RejectedError("address: a webhook's address begins with https:// and names a host, without a password")
    return address


def _checked_channels(muted: Sequence[str]) -> list[str]:
    if len(muted) > MOST_MUTED or any(len(one) > 2 * LONGEST or not _CHANNEL.fullmatch(one) for one in muted):
        raise RejectedError(f"muted: at most {MOST_MUTED} channels, each platform/account, a `/` inside a part as %2F")
    return sorted(set(muted))


def _check_quiet(start: int, end: int, zone: str) -> None:
    if not (0 <= start < DAY_MIN and 0 <= end < DAY_MIN and start != end):
        raise RejectedError("quiet hours: two different times of the day, in minutes from 0 to 1439")
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise RejectedError(f"zone: {zone[:64]!r} is no time zone; write one such as Asia/Shanghai") from None


def _public(wishes: AlertSettings) -> dict[str, Any]:
    """What the log of changes says: which ways there are, not where they lead."""
    ways = [{"kind": way.kind, "address": masked(way), "ended_at": way.ended_at} for way in wishes.ways]
    return {
        "desktop": wishes.desktop,
        "sound": wishes.sound,
        "muted": wishes.muted,
        "quiet": None if wishes.quiet_from is None else [wishes.quiet_from, wishes.quiet_to, wishes.zone],
        "ways": ways,
    }


__all__ = ["Wishes", "masked"]
