"""Saved views of the inbox: one's own, and those that somebody shares with everybody."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace

from actors.errors import RejectedError
from services.errors import ConflictError, ForbiddenError, NotFoundError
from services.people.permissions import Caller
from storage.records import AuditRow
from storage.view_ports import ViewStore
from storage.view_records import SavedView

FIELDS = (
    "tab",
    "sort",
    "platform",
    "account",
    "label",
    "lang",
    "assignee",
    "team",
    "sla",
    "anomaly",
    "vip",
    "sensitive",
    "waiting",
    "contact",
    "order",
    "q",
)
"""What a view may hold: the parameters of the list."""
LONGEST_NAME = 60
LONGEST_VALUE = 200
MOST_OF_ONE = 50
_TAKERS = ("admin", "supervisor")
"""Who may change and take away what somebody else shares."""


class Views:
    """Saves, shows and forgets views; every change leaves an audit row."""

    def __init__(self, store: ViewStore, now: Callable[[], int]) -> None:
        self._store = store
        self._now = now

    async def of(self, person: str) -> list[SavedView]:
        """A person's own views by name, then the shared ones of others by name."""
        found = await self._store.saved_views(person)
        return sorted(found, key=lambda view: (view.owner != person, view.name.casefold(), view.id))

    async def save(self, caller: Caller, name: str, query: Mapping[str, str], *, shared: bool) -> SavedView:
        """A new view. Raises RejectedError, or ConflictError (too many, or one of that name is there)."""
        name, query = _checked_name(name), _checked_query(query)
        own = [view for view in await self._store.saved_views(caller.name) if view.owner == caller.name]
        if len(own) >= MOST_OF_ONE:
            raise ConflictError(f"{MOST_OF_ONE} views are saved already; take some away first")
        if any(view.name.casefold() == name.casefold() for view in own):
            raise ConflictError(f"a view {name!r} of yours is there already; choose another name or change that one")
        view = SavedView(
            id=secrets.token_hex(8), owner=caller.name, name=name, at=self._now(), shared=shared, query=dict(query)
        )
        if not await self._store.put_saved_view(view, self._audit(caller, "view.saved", view, None)):
            raise ConflictError("another view was saved at the same moment; try again")
        return view

    async def change(
        self,
        caller: Caller,
        view_id: str,
        *,
        name: str | None = None,
        query: Mapping[str, str] | None = None,
        shared: bool | None = None,
    ) -> SavedView:
        """Change what is given. Raises NotFoundError, ForbiddenError, RejectedError or ConflictError."""
        view = await self._allowed(caller, view_id)
        changes: dict[str, Any] = {"name": None if name is None else _checked_name(name), "shared": shared}
        changes["query"] = None if query is None else _checked_query(query)
        told = {field: value for field, value in changes.items() if value is not None}
        changed = replace(view, **told, at=self._now(), version=view.version + 1)
        if not await self._store.put_saved_view(changed, self._audit(caller, "view.changed", changed, view)):
            raise ConflictError("somebody else has just changed this view; look at it again")
        return changed

    async def delete(self, caller: Caller, view_id: str) -> None:
        """Forget a view. Raises NotFoundError or ForbiddenError."""
        view = await self._allowed(caller, view_id)
        if not await self._store.delete_saved_view(view.id, self._audit(caller, "view.deleted", view, view)):
            raise NotFoundError("this view is gone already")

    async def _allowed(self, caller: Caller, view_id: str) -> SavedView:
        view = await self._store.saved_view(view_id)
        if view is None or (view.owner != caller.name and not view.shared):
            raise NotFoundError(f"there is no view {view_id[:64]!r}")
        if view.owner != caller.name and caller.role not in _TAKERS:
            raise ForbiddenError(f"this view is {view.owner}'s; only {view.owner}, a supervisor or an admin changes it")
        return view

    def _audit(self, caller: Caller, what: str, view: SavedView, before: SavedView | None) -> AuditRow:
        after = None if what == "view.deleted" else _public(view)
        told = None if before is None else _public(before)
        return AuditRow(at=self._now(), who=caller.name, what=what, subject=f"view {view.id}", before=told, after=after)


def _public(view: SavedView) -> dict[str, Any]:
    return {"name": view.name, "shared": view.shared, "query": sorted(view.query)}


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise RejectedError(f"name: 1 to {LONGEST_NAME} printable characters")
    return name


def _checked_query(query: Mapping[str, str]) -> dict[str, str]:
    unknown = sorted(set(query) - set(FIELDS))
    if unknown:
        raise RejectedError(f"query: {unknown[0][:40]!r} is no filter of the inbox; those are {', '.join(FIELDS)}")
    long = [name for name, value in query.items() if len(value) > LONGEST_VALUE]
    if long:
        raise RejectedError(f"query: {long[0]} is longer than {LONGEST_VALUE} characters")
    return {name: value for name, value in query.items() if value}


__all__ = ["FIELDS", "Views"]
