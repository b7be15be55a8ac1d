"""The thresholds in force, with drafts, history and rollback; each change is audited and pushed to the engines."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from actors.errors import ConfigurationError, RejectedError
from actors.thresholds import BY_NAME, ThresholdSet, check_value, known_threshold
from services.errors import ConflictError, NotFoundError
from storage.ports import SettingsStore
from storage.records import AuditRow, ThresholdVersion

Overrides = Mapping[str, Mapping[str, Any]]
LONGEST_HISTORY = 500
LONGEST_NOTE = 1000
PARTS_OF_A_CHANNEL = 2


class Assignment(Struct, frozen=True, forbid_unknown_fields=True):
    """One threshold to set: `scope` is empty (global), `platform` or `platform/account`.

    A `value` of "default" takes an override away, null or "off" switches an optional threshold off.
    """

    name: str
    value: float | int | str | None
    scope: str = ""


class Thresholds:
    """One current set. Numbers of versions only grow; a draft is a version that is not in force."""

    def __init__(self, store: SettingsStore, now: Callable[[], int]) -> None:
        self._store = store
        self._now = now
        self._lock = asyncio.Lock()
        self._listeners: list[Callable[[ThresholdSet], None]] = []
        self._makers: list[Callable[[int], None]] = []
        self._current = ThresholdSet()
        self._version: ThresholdVersion | None = None

    async def load(self) -> ThresholdSet:
        """Read the version in force from the store; listeners are told."""
        self._take(await self._store.thresholds())
        return self._current

    async def refresh(self) -> bool:
        """Read what another process may have brought into force; True when it did. Listeners are told then."""
        version = await self._store.thresholds()
        if version is None or version.version <= self._current.version:
            return False
        self._take(version)
        return True

    def current(self) -> ThresholdSet:
        """The set in force, as this process knows it."""
        return self._current

    def version(self) -> ThresholdVersion | None:
        """The version in force with who and when; None while the defaults hold."""
        return self._version

    def on_change(self, told: Callable[[ThresholdSet], None]) -> None:
        """Call `told(set)` with every set that comes into force from now on."""
        self._listeners.append(told)

    def on_made(self, told: Callable[[int], None]) -> None:
        """Call `told(version)` with every version that is brought into force through this object."""
        self._makers.append(told)

    async def history(self, limit: int) -> list[ThresholdVersion]:
        """Versions, newest first, drafts too."""
        return await self._store.threshold_history(min(limit, LONGEST_HISTORY))

    async def assign(
        self,
        changes: Sequence[Assignment],
        *,
        who: str,
        expected: int | None = None,
        note: str = "",
        draft: bool = False,
    ) -> ThresholdVersion:
        """The current set with some values changed, as a new version; raises like `replace`."""
        async with self._lock:
            number = await self._next(expected)
            overrides = proposed(self._current, changes).overrides
            return await self._store_new(number, overrides, who=who, note=note, draft=draft)

    async def replace(
        self,
        overrides: Overrides,
        *,
        who: str,
        expected: int | None = None,
        note: str = "",
        draft: bool = False,
    ) -> ThresholdVersion:
        """All overrides at once, as a new version.

        Raises RejectedError for a wrong name, scope or value, and ConflictError when `expected` is given and is not
        the number of the version in force.
        """
        checked = checked_overrides(overrides)
        async with self._lock:
            return await self._store_new(await self._next(expected), checked, who=who, note=note, draft=draft)

    async def activate(self, number: int, *, who: str, expected: int | None = None) -> ThresholdVersion:
        """Bring an earlier version or a draft into force, as a new version. Raises NotFoundError, ConflictError."""
        async with self._lock:
            chosen = next((v for v in await self.history(LONGEST_HISTORY) if v.version == number), None)
            if chosen is None:
                raise NotFoundError(f"there is no version {number} of the thresholds; see their history")
            overrides = checked_overrides(chosen.overrides)
            return await self._store_new(await self._next(expected), overrides, who=who, note=f"version {number} again")

    async def _next(self, expected: int | None) -> int:
        """The number of the next version, the current set being read anew; raises ConflictError.

        The number is looked up before the set: a change made in between takes it, and ours ends as a conflict.
        """
        newest = await self._store.threshold_history(1)
        await self.refresh()
        if expected is not None and expected != self._current.version:
            raise ConflictError(
                f"the thresholds are at version {self._current.version}, not {expected}: "
                "somebody changed them; read them again"
            )
        return (newest[0].version if newest else 0) + 1

    async def _store_new(
        self, number: int, overrides: dict[str, dict[str, Any]], *, who: str, note: str, draft: bool = False
    ) -> ThresholdVersion:
        version = ThresholdVersion(
            version=number,
            at=self._now(),
            who=who,
            overrides=overrides,
            note=note[:LONGEST_NOTE],
            draft=draft,
        )
        before, after = difference(self._current.overrides, overrides)
        what = "thresholds.drafted" if draft else "thresholds.changed"
        row = AuditRow(at=version.at, who=who, what=what, subject="thresholds", before=before, after=after)
        if not await self._store.put_thresholds(version, row):
            await self.refresh()
            raise ConflictError("somebody changed the thresholds at the same moment; read them again")
        if not draft:
            self._take(version)
            for told in self._makers:
                told(number)
        return version

    def _take(self, version: ThresholdVersion | None) -> None:
        self._version = version
        if version is not None:
            self._current = ThresholdSet(version=version.version, overrides=version.overrides)
        for told in self._listeners:
            told(self._current)


def proposed(current: ThresholdSet, changes: Sequence[Assignment]) -> ThresholdSet:
    """The set as it would be with these changes; raises RejectedError for a wrong name, scope or value."""
    for change in changes:
        _check_scope(change.scope)
        try:
            current = current.changed(change.scope, change.name, change.value)
        except ConfigurationError as wrong:
            raise RejectedError(str(wrong)) from wrong
    return current


def checked_overrides(overrides: Overrides) -> dict[str, dict[str, Any]]:
    """The overrides with every name, scope and value checked; raises RejectedError."""
    result: dict[str, dict[str, Any]] = {}
    for scope, values in overrides.items():
        _check_scope(scope)
        try:
            checked = {name: check_value(known_threshold(name), value) for name, value in values.items()}
        except ConfigurationError as wrong:
            raise RejectedError(str(wrong)) from wrong
        if checked:
            result[scope] = checked
    return result


def difference(before: Overrides, after: Overrides) -> tuple[dict[str, Any], dict[str, Any]]:
    """What differs, as `scope:name` → value on each side; "default" where a side has no override."""
    sides: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
    for scope in sorted({*before, *after}):
        for name in BY_NAME:
            old, new = (values.get(scope, {}).get(name, "default") for values in (before, after))
            if old != new:
                label = f"{scope}:{name}" if scope else name
                sides[0][label], sides[1][label] = old, new
    return sides


def _check_scope(scope: str) -> None:
    parts = scope.split("/")
    if scope and (len(parts) > PARTS_OF_A_CHANNEL or not all(parts)):
        raise RejectedError(f"scope {scope!r} must be empty (everything), platform or platform/account")
