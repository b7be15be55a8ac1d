"""Channels bound to their platforms: the settings each connector wants, checked, kept, and its secrets sealed.

A binding holds within five seconds in every process, at once in the one that made it. Values of settings are in no
list, no error and no row of the audit: names alone are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from time import monotonic
from typing import Any, Literal

import structlog
from msgspec import Struct, field
from msgspec.structs import replace

from actors.errors import RejectedError, RetriableError
from actors.keys import channel_key
from connectors.contract.authorising import Grant
from connectors.contract.connector import Binding, Connector
from services.channels.binding_checks import (
    check_account,
    check_unset,
    check_url,
    checked_settings,
    kind_of,
    lacking,
    missing_settings,
    split_settings,
)
from services.channels.secrets import Sealed, SecretsError, Vault
from services.errors import ConflictError, NotFoundError
from services.people.permissions import Caller, demand
from storage.ports import BindingStore
from storage.records import AuditRow, BoundChannel

FRESH_S = 4.0
"""How long what was read counts as what is so; a request that was let in just before its end takes time as well."""
ATTEMPTS = 3
_log = structlog.get_logger(__name__)


class ChannelView(Struct, frozen=True, kw_only=True):
    """What a list tells of a bound channel. Times in ms.

    `settings` and `secrets`: names of what is set, never values; `missing`: required settings that are not set;
    `trouble`: why its secrets cannot be opened or its platform is not served, with what to do. `expires_at`: when the
    authorisation runs out; `refresh_by`: until when it is renewed without a person; `scopes`: the permissions granted,
    None where the platform does not tell; `lacking`: those that were not given though they are needed.
    """

    platform: str
    account: str
    url: str
    settings: list[str]
    secrets: list[str]
    missing: list[str]
    key: str
    created_at: int
    created_by: str
    changed_at: int
    trouble: str | None = None
    expires_at: int | None = None
    refresh_by: int | None = None
    scopes: list[str] | None = None
    lacking: list[str] = field(default_factory=list[str])


class Resealed(Struct, frozen=True, kw_only=True):
    """`done`: channels that are sealed with the present key now; `failed`: channels that are not, and why."""

    done: list[str]
    failed: dict[str, str]


class Bindings:
    """Binds channels, and gives their connectors to whoever takes webhooks in."""

    def __init__(
        self,
        store: BindingStore,
        vault: Vault,
        connectors: Mapping[str, type[Connector]],
        now: Callable[[], int],
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """`now`: the time in ms for records; `clock`: seconds that never go back, for how old the cache is."""
        self._store = store
        self._vault = vault
        self.connectors = connectors
        self._now = now
        self._clock = clock
        self._lock = asyncio.Lock()
        self._writes = 0
        self._fresh_until: float | None = None
        self._rows: dict[tuple[str, str], BoundChannel] | None = None
        self._made: dict[tuple[str, str], tuple[BoundChannel, Connector]] = {}
        self._broken: dict[tuple[str, str], tuple[BoundChannel, str]] = {}

    async def bind(
        self,
        caller: Caller,
        platform: str,
        account: str,
        url: str,
        settings: Mapping[str, str],
        *,
        unset: Collection[str] = (),
    ) -> BoundChannel:
        """Bind a channel, or change its binding; settings that are not named keep what they are.

        `unset`: optional settings that are taken away. Raises RejectedError, ForbiddenError, ConflictError when
        somebody was faster, SecretsError when what is to be kept cannot be opened, ConfigurationError without a key to
        seal with.
        """
        demand(caller, "manage_channels")
        kind = kind_of(self.connectors, platform)
        check_account(account)
        check_url(url)
        given = checked_settings(kind, settings)
        check_unset(kind, unset, given)
        before = await self._store.binding(platform, account)
        held = {} if before is None else await self._values(kind, before, given)
        values = {name: value for name, value in {**held, **given}.items() if name not in unset}
        if missing := missing_settings(kind, values):
            raise RejectedError(f"settings: {platform} also needs {', '.join(missing)}")
        kind(Binding(account=account, url=url, settings=values))  # it may refuse what cannot work
        changed = sorted(name for name in {*held, *values} if held.get(name) != values.get(name))
        if before is not None and before.url != url:
            changed.insert(0, "url")
        if before is not None and not changed:
            return before
        bound = await self._sealed(kind, before, caller.name, Binding(account=account, url=url, settings=values))
        if before is not None and not set(changed) & set(kind.oauth.grants if kind.oauth else ()):
            bound = replace(
                bound, expires_at=before.expires_at, refresh_by=before.refresh_by, scopes=before.scopes
            )  # what is typed in tells nothing of them
        after = {"settings": sorted(values), "changed": changed}
        audit = self._audit(caller, "channel.changed" if before else "channel.bound", bound, before and held, after)
        if not await self._store.save_binding(bound, audit, replaces=before.changed_at if before else None):
            raise ConflictError(f"somebody else changed channel {_name(bound)} meanwhile: look at it, then try again")
        self._wrote()
        return bound

    async def granted(
        self, who: str, connector: Connector, grant: Grant, what: Literal["channel.authorised", "channel.renewed"]
    ) -> BoundChannel:
        """Keep what a platform granted to a channel whose connector was this one; `who`: as the audit names him.

        Raises NotFoundError when it is bound no more, ConflictError when it was authorised otherwise meanwhile, and
        SecretsError, RejectedError, RetriableError like `bind`.
        """
        platform, account = connector.platform, connector.binding.account
        kind = kind_of(self.connectors, platform)
        given, told = checked_settings(kind, grant.settings), connector.binding.settings
        for _ in range(ATTEMPTS):
            row = await self._store.binding(platform, account)
            if row is None:
                raise NotFoundError(
                    f"channel {channel_key(platform, account)} is bound no more: what was granted is lost"
                )
            held = await self._values(kind, row, {})
            if any(held.get(name) != told.get(name) for name in given):
                raise ConflictError(f"channel {_name(row)} was authorised otherwise meanwhile: that holds")
            if await self._keep_grant(who, kind, row, {**held, **given}, grant, what):
                self._wrote()
                return await self._store.binding(platform, account) or row
        raise ConflictError(f"channel {channel_key(platform, account)} is being changed all the time: try again")

    async def _keep_grant(
        self, who: str, kind: type[Connector], row: BoundChannel, values: Mapping[str, str], grant: Grant, what: str
    ) -> bool:
        bound = await self._sealed(kind, row, who, Binding(account=row.account, url=row.url, settings=values))
        renewed = what == "channel.renewed"  # then what is not told is as it was
        scopes = None if grant.scopes is None else sorted(grant.scopes)
        bound = replace(
            bound,
            expires_at=grant.expires_at,
            refresh_by=row.refresh_by if renewed and grant.refresh_by is None else grant.refresh_by,
            scopes=row.scopes if renewed and scopes is None else scopes,
        )
        audit = AuditRow(
            at=self._now(),
            who=who,
            what=what,
            subject=f"channel {_name(row)}",
            before=None,
            after={"settings": sorted(grant.settings), "lacking": lacking(kind, bound)},
        )
        return await self._store.save_binding(bound, audit, replaces=row.changed_at)

    async def unbind(self, caller: Caller, platform: str, account: str) -> None:
        """Forget a binding with its secrets. Raises NotFoundError or ForbiddenError."""
        demand(caller, "manage_channels")
        bound = await self._store.binding(platform, account)
        if bound is not None:
            audit = self._audit(caller, "channel.unbound", bound, bound.settings, None)
            if await self._store.delete_binding(platform, account, audit):
                self._wrote()
                return
        raise NotFoundError(f"no channel {channel_key(platform, account)!r} is bound; `weir channel list` shows them")

    async def bindings(self) -> list[ChannelView]:
        """Every bound channel, by platform, then account."""
        rows = await self._store.bindings()
        return await asyncio.to_thread(lambda: [self._view(row) for row in rows])

    async def connector(self, platform: str, account: str) -> Connector | None:
        """The connector of a bound channel; None when it is not bound, or its platform is served no more.

        While the store cannot be asked what was read last counts. Raises RetriableError when nothing was read yet,
        SecretsError when its secrets cannot be opened.
        """
        rows = await self._current()
        place = (platform, account)
        row, kind = rows.get(place), self.connectors.get(platform)
        if row is None or kind is None:
            return None
        made = self._made.get(place)
        if made is not None and made[0] == row:
            return made[1]
        broken = self._broken.get(place)
        if broken is not None and broken[0] == row:
            raise SecretsError(broken[1])
        try:
            secret = await asyncio.to_thread(self._open, row)
        except SecretsError as wrong:
            self._broken[place] = (row, str(wrong))
            raise
        found = kind(Binding(account=account, url=row.url, settings={**row.settings, **secret}))
        self._made[place] = (row, found)
        return found

    async def current(self, platform: str, account: str) -> tuple[BoundChannel, Connector] | None:
        """A bound channel as the store has it now, with its connector; None like `connector`.

        Raises RetriableError, and SecretsError when its secrets cannot be opened.
        """
        row, kind = await self._store.binding(platform, account), self.connectors.get(platform)
        if row is None or kind is None:
            return None
        secret = await asyncio.to_thread(self._open, row)
        return row, kind(Binding(account=account, url=row.url, settings={**row.settings, **secret}))

    async def having(self, platform: str, name: str, value: str) -> list[str]:
        """The accounts of a platform whose open setting `name` is `value`, sorted; as current as `connector`.

        Raises RetriableError when nothing was read yet.
        """
        rows = await self._current()
        return sorted(
            row.account for row in rows.values() if row.platform == platform and row.settings.get(name) == value
        )

    async def reseal(self, caller: Caller) -> Resealed:
        """Seal the secrets of every channel anew, with the present key. Raises ForbiddenError, ConfigurationError."""
        demand(caller, "manage_channels")
        done: list[str] = []
        failed: dict[str, str] = {}
        for row in await self._store.bindings():
            try:
                if await self._reseal(caller, row):
                    done.append(_name(row))
            except (SecretsError, ConflictError) as wrong:
                failed[_name(row)] = str(wrong)
        self._wrote()
        return Resealed(done=done, failed=failed)

    async def _reseal(self, caller: Caller, row: BoundChannel | None) -> bool:
        """False when the channel is not bound any more."""
        for _ in range(ATTEMPTS):
            if row is None:
                return False
            secret = await asyncio.to_thread(self._open, row)
            sealed = await asyncio.to_thread(self._vault.seal, secret, platform=row.platform, account=row.account)
            changed = replace(row, sealed=sealed.data, key=sealed.key, changed_at=self._later_than(row))
            audit = AuditRow(
                at=self._now(),
                who=caller.name,
                what="channel.resealed",
                subject=f"channel {_name(row)}",
                before={"key": row.key},
                after={"key": sealed.key},
            )
            if await self._store.save_binding(changed, audit, replaces=row.changed_at):
                return True
            row = await self._store.binding(row.platform, row.account)
        raise ConflictError("it is being changed all the time: try again")

    async def _sealed(
        self, kind: type[Connector], before: BoundChannel | None, who: str, binding: Binding
    ) -> BoundChannel:
        """The record of a binding."""
        open_ones, secret = split_settings(kind, binding.settings)
        platform, account = kind.platform, binding.account
        sealed = await asyncio.to_thread(self._vault.seal, secret, platform=platform, account=account)
        now = self._now()
        return BoundChannel(
            platform=platform,
            account=account,
            url=binding.url,
            settings=open_ones,
            sealed=sealed.data,
            key=sealed.key,
            created_at=before.created_at if before else now,
            created_by=before.created_by if before else who,
            changed_at=self._later_than(before) if before else now,
        )

    async def _values(self, kind: type[Connector], row: BoundChannel, given: Mapping[str, str]) -> dict[str, str]:
        """What is set, apart from what the connector does not know any more."""
        try:
            secret = await asyncio.to_thread(self._open, row)
        except SecretsError:
            # With every secret given anew nothing of what cannot be opened is needed.
            if any(one.secret and one.required and one.name not in given for one in kind.settings):
                raise
            secret = {}
        names = {one.name for one in kind.settings}
        return {name: value for name, value in {**row.settings, **secret}.items() if name in names}

    async def _current(self) -> Mapping[tuple[str, str], BoundChannel]:
        """Every bound channel as it is now, or was a few seconds ago."""
        if self._is_fresh() and self._rows is not None:
            return self._rows
        async with self._lock:
            if self._is_fresh() and self._rows is not None:
                return self._rows
            began, writes = self._clock(), self._writes
            try:
                rows = {(row.platform, row.account): row for row in await self._store.bindings()}
            except RetriableError as busy:
                if self._rows is None:
                    raise
                _log.warning("bindings_not_read", reason=str(busy))
                return self._rows
            self._rows = rows
            self._broken.clear()
            self._made = {place: made for place, made in self._made.items() if rows.get(place) == made[0]}
            # What was written while it was being read may not be in it.
            self._fresh_until = began + FRESH_S if writes == self._writes else None
            return rows

    def _is_fresh(self) -> bool:
        return self._fresh_until is not None and self._clock() < self._fresh_until

    def _wrote(self) -> None:
        self._writes += 1
        self._fresh_until = None

    def _open(self, row: BoundChannel) -> dict[str, str]:
        return self._vault.open(Sealed(row.sealed, row.key), platform=row.platform, account=row.account)

    def _later_than(self, row: BoundChannel) -> int:
        return max(self._now(), row.changed_at + 1)

    def _view(self, row: BoundChannel) -> ChannelView:
        kind, trouble = self.connectors.get(row.platform), None
        secret: dict[str, str] = {}
        try:
            secret = self._open(row)
        except SecretsError as wrong:
            trouble = str(wrong)
        if kind is None:
            trouble = f"this version has no connector for {row.platform}: install one that has, or remove the channel"
        values = {**row.settings, **secret}
        return ChannelView(
            platform=row.platform,
            account=row.account,
            url=row.url,
            settings=sorted(row.settings),
            secrets=sorted(secret),
            missing=missing_settings(kind, values) if kind and not trouble else [],
            key=row.key,
            created_at=row.created_at,
            created_by=row.created_by,
            changed_at=row.changed_at,
            trouble=trouble,
            expires_at=row.expires_at,
            refresh_by=row.refresh_by,
            scopes=row.scopes,
            lacking=lacking(kind, row) if kind else [],
        )

    def _audit(
        self, caller: Caller, what: str, row: BoundChannel, before: Mapping[str, str] | None, after: Any
    ) -> AuditRow:
        """Names alone are told of `before`."""
        told = None if before is None else {"settings": sorted(before)}
        subject = f"channel {_name(row)}"
        return AuditRow(at=self._now(), who=caller.name, what=what, subject=subject, before=told, after=after)


def _name(row: BoundChannel) -> str:
    return channel_key(row.platform, row.account)


__all__ = ["Bindings", "ChannelView", "Resealed"]
