"""Anomalies, traffic, ledger, dead letters and remembered keys of a flush."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import json, msgpack

from actors.anomaly import Anomaly
from actors.effects import KeyRemembered
from storage.drafts import cause_of
from storage.mongodb.connection import Row
from storage.mongodb.writes import Group, encoded, update
from storage.records import Batch, DeadLetter

KEYS_A_DOCUMENT = 10_000
"""Some 300 KB."""

_encode = json.Encoder().encode
_pack = msgpack.Encoder().encode
_keys = msgpack.Decoder(tuple[list[str], list[tuple[int, bytes, int]]])


def figure_groups(batch: Batch, stamp: int) -> list[Group]:
    """Everything of this file, encoded."""
    anomalies = {anomaly.id: anomaly for anomaly in batch.effects.anomalies}
    minutes: dict[str, Row] = {
        f"{row.channel}/{row.minute}": {
            "stamp": stamp, "channel": row.channel, "minute": row.minute, "inbound": row.inbound,
            "outbound": row.outbound, "duplicates": row.duplicates, "delays": row.delays,
        }
        for row in batch.minutes
    }  # fmt: skip
    ledger: dict[str, Row] = {
        row.channel: {
            "stamp": stamp, "accepted": row.accepted, "stored": row.stored, "duplicates": row.duplicates,
            "rejected": row.rejected,
        }
        for row in batch.ledger
    }  # fmt: skip
    letters = {f"{d.partition}/{d.offset}/{d.index}": d for d in batch.dead_letters}
    return [
        Group("anomalies", "update", encoded([_anomaly(a, stamp) for a in anomalies.values()])),
        Group("minutes", "update", encoded([update(k, stamp, row, upsert=True) for k, row in minutes.items()])),
        Group("ledger", "update", encoded([update(k, stamp, row, upsert=True) for k, row in ledger.items()])),
        Group("dead_letters", "update", encoded([_letter(k, d, stamp) for k, d in letters.items()])),
        Group("event_keys", "insert", encoded(key_documents(batch.effects.keys, batch.mark.partition, stamp))),
    ]


def _anomaly(a: Anomaly, stamp: int) -> Row:
    found: Row = {
        "stamp": stamp, "opened_at": a.opened_at, "kind": a.kind, "status": a.status, "severity": a.severity,
        "cause": cause_of(a), "platform": a.platform, "account": a.account, "body": _encode(a).decode(),
    }  # fmt: skip
    if a.conversation is not None:
        found["conversation"] = a.conversation
    if a.message is not None:
        found["message"] = a.message
    if a.status == "resolved":
        found["ended_at"] = a.opened_at if a.resolved_at is None else max(a.opened_at, a.resolved_at)
    else:
        found["unresolved"] = True
    return update(a.id, stamp, found, upsert=True)


def _letter(key: str, d: DeadLetter, stamp: int) -> Row:
    assigned = {
        "stamp": stamp, "partition": d.partition, "offset": d.offset, "index": d.index, "at": d.at,
        "channel": d.channel, "reason": d.reason, "raw": d.raw,
    }  # fmt: skip
    change: Row = {"$set": assigned}
    if d.resolved_at is not None:
        # A letter that was dealt with stays so when it comes again.
        change["$min"] = {"resolved_at": d.resolved_at}
    return update(key, stamp, change, upsert=True)


def key_documents(keys: Sequence[KeyRemembered], partition: int, stamp: int) -> list[Row]:
    """Many keys a document: one each would cost more than the messages."""
    found: list[Row] = []
    for start in range(0, len(keys), KEYS_A_DOCUMENT):
        some = keys[start : start + KEYS_A_DOCUMENT]
        found.append(
            {"_id": f"{partition}/{stamp}/{len(found)}", "partition": partition, "stamp": stamp} | packed_keys(some)
        )
    return found


def packed_keys(keys: Sequence[KeyRemembered]) -> Row:
    """The fields that hold keys."""
    channels = {key: number for number, key in enumerate(dict.fromkeys(row.key for row in keys))}
    rows = [(channels[row.key], row.label, row.at) for row in keys]
    times = [row.at for row in keys]
    return {"first_at": min(times), "last_at": max(times), "count": len(rows), "keys": _pack((list(channels), rows))}


def unpacked_keys(data: bytes) -> list[KeyRemembered]:
    """The keys in such a document."""
    channels, rows = _keys.decode(data)
    return [KeyRemembered(channels[channel], label, at) for channel, label, at in rows]
