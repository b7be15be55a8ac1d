"""A conversation as the desk has it, a gateway that keeps what it is given, and a message; the clock is a number."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

from storage.records import AuditRow, MessageRow

NOW = 1_760_000_000_000
KEY = "shopee/shop/c1"
AUDIT = AuditRow(at=NOW, who="test", what="user.added", subject="x")


class Changed(Struct, kw_only=True):
    """A conversation as the desk has it."""

    key: str = KEY
    platform: str = "shopee"
    account: str = "shop"
    conversation: str = "c1"
    status: str = "open"
    contact_id: str | None = "u1"
    contact_name: str | None = "Arun Linh"
    vip: bool = False
    sla: str | None = "ok"
    sla_due_at: int | None = NOW + 600_000
    last_text: str | None = "Where is my parcel?"
    assignee: str | None = "ann"
    team: str | None = "t1"
    assigned_at: int | None = NOW - 1000
    labels: list[str] = field(default_factory=list)
    sensitive: bool = False


class Gate:
    """The gateway: keeps what it is given."""

    def __init__(self) -> None:
        self.time = NOW
        self.events: list[Any] = []

    def now(self) -> int:
        return self.time

    async def submit(self, events):
        self.events += events


def message(id_="m1", **more):
    row = {"key": KEY, "message": id_, "direction": "in", "sent_at": NOW, "at": NOW, "text": "Where is my parcel?"}
    return MessageRow(**(row | more))
