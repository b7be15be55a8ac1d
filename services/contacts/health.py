"""How the messages of one conversation fared: its troubles, its delays, how far the last ones came."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from actors.times import rfc3339
from storage.ports import HealthStore
from storage.records import AnomalyFilter, ConversationRow, MessageRow

MOST_ANOMALIES = 20
LAST = 5


async def health_of(store: HealthStore, row: ConversationRow, messages: Sequence[MessageRow]) -> dict[str, Any]:
    """`messages`: the last ones, the latest first."""
    where = AnomalyFilter(platform=row.platform, account=row.account, conversation=row.conversation)
    page = await store.anomalies(where, MOST_ANOMALIES)
    delays = sorted(one.delay for one in messages if one.delay is not None and one.direction == "in")
    return {
        "anomalies": [
            {
                "id": one.id,
                "kind": one.kind,
                "severity": one.severity,
                "status": one.status,
                "opened_at": rfc3339(one.opened_at),
                "message": one.message,
                "trace": trace_path(row.key, one.message) if one.message else None,
            }
            for one in page.items
        ],
        "more_anomalies": page.next is not None,
        "delay_ms": {"median": delays[len(delays) // 2], "most": delays[-1]} if delays else None,
        "copies": sum(one.copies for one in messages),
        "last": [
            {
                "message": one.message,
                "direction": one.direction,
                "sent_at": rfc3339(one.sent_at),
                "delay_ms": one.delay,
                "hops": {hop: rfc3339(at) for hop, at in one.hops.items()},
                "trace": trace_path(one.key, one.message),
            }
            for one in messages[:LAST]
        ],
    }


def trace_path(key: str, message: str) -> str:
    """The page of a message's life."""
    return f"/trace?key={quote(key, safe='')}&message={quote(message, safe='')}"


__all__ = ["health_of", "trace_path"]
