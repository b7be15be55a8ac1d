"""What people do with the labels of a conversation: give them, take them away, put it into the priority queue or out.

What a person took away is never put back by rules; what a person gave is never removed by them. Each change is audited
and told to the open screens.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Protocol

from actors.errors import RejectedError
from services.errors import NotFoundError
from services.inbox.desk_news import DeskNews, told_nobody
from services.labels.book import LabelsInForce
from services.people.permissions import Caller, demand
from storage.label_ports import LabelStore
from storage.label_records import LabelChange
from storage.ports import InboxStore
from storage.records import AuditRow, ConversationRow

CHANGED = "labels.changed"
MOST = 20
"""Labels given and taken away at once."""


class LabelDeskStore(LabelStore, InboxStore, Protocol):
    """The parts of a store used here."""


class LabelDesk:
    """Changes the labels of conversations; `now` in ms."""

    def __init__(
        self, store: LabelDeskStore, in_force: LabelsInForce, now: Callable[[], int], tell: DeskNews = told_nobody
    ) -> None:
        self._store = store
        self._in_force = in_force
        self._now = now
        self._tell = tell

    async def change(
        self,
        caller: Caller,
        key: str,
        add: Collection[str] = (),
        remove: Collection[str] = (),
        *,
        sensitive: bool | None = None,
    ) -> ConversationRow:
        """The conversation as it is then. Raises ForbiddenError, RejectedError, NotFoundError."""
        demand(caller, "label")
        self._check(add, remove, sensitive=sensitive)
        before = await self._store.conversation(key)
        if before is None:
            raise NotFoundError(f"there is no conversation {key[:200]!r}")
        at = self._now()
        change = LabelChange(at=at, add=tuple(sorted(add)), remove=tuple(sorted(remove)), sensitive=sensitive)
        told = {"add": list(change.add), "remove": list(change.remove), "sensitive": sensitive}
        audit = AuditRow(
            at=at, who=caller.name, what=CHANGED, subject=key,
            before={"labels": before.labels, "sensitive": before.sensitive}, after=told,
        )  # fmt: skip
        row = await self._store.set_labels(key, change, audit)
        if row is None:
            raise NotFoundError(f"there is no conversation {key[:200]!r}")
        await self._tell(key, CHANGED, caller.name, at)
        return row

    def _check(self, add: Collection[str], remove: Collection[str], *, sensitive: bool | None) -> None:
        labels = {label.id: label for label in self._in_force.labels()}
        if not add and not remove and sensitive is None:
            raise RejectedError("add, remove: name a label to give or to take away")
        if len(add) + len(remove) > MOST:
            raise RejectedError(f"add, remove: {MOST} labels at most at once")
        if both := sorted(set(add) & set(remove)):
            raise RejectedError(f"add, remove: {both[0][:40]!r} stands in both")
        for name in (*add, *remove):
            if name not in labels:
                raise RejectedError(f"add, remove: there is no label {name[:40]!r}; GET /api/v1/labels names them")
        for name in add:
            if not labels[name].active:
                raise RejectedError(f"add: the label {name} is not used any more; an admin can bring it back")


__all__ = ["CHANGED", "LabelDesk"]
