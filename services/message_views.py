"""A message as people and programs are shown it, whoever shows it."""

from __future__ import annotations

from typing import Any

from actors.times import rfc3339
from services.files.serving import shown
from services.replies.proofs import fate_of
from storage.records import MessageRow


def message_view(row: MessageRow) -> dict[str, Any]:
    """A message with how far it came; times as RFC 3339."""
    view: dict[str, Any] = {name: getattr(row, name) for name in row.__struct_fields__}
    for name in ("sent_at", "at", "stored_at"):
        view[name] = None if view[name] is None else rfc3339(view[name])
    view["hops"] = {hop: rfc3339(at) for hop, at in row.hops.items()}
    view["delay_ms"] = view.pop("delay")
    if row.direction == "out":
        view["fate"], view["conflict"] = fate_of(row.hops)
    view["attachments"] = [shown(row.key, row.message, one) for one in row.attachments]
    return view


__all__ = ["message_view"]
