"""Whether the product's ledger says what the senders were told: nothing accepted is missing, nothing is there twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct, field

from actors.keys import channel_key
from loadtest.tally import Told

PROBLEMS_MOST = 20


class Balance(Struct, kw_only=True):
    """Sums over the channels of this load test, and every disagreement as a sentence."""

    told_accepted: int = 0
    told_rejected: int = 0
    unsure: int = 0
    accepted: int = 0
    stored: int = 0
    duplicates: int = 0
    rejected: int = 0
    problems: list[str] = field(default_factory=list[str])

    @property
    def holds(self) -> bool:
        """Accepted is stored + duplicates + rejected, and it is what the senders were told."""
        return not self.problems


def balance(told: Mapping[str, Told], ledger: Iterable[Mapping[str, Any]]) -> Balance:
    """Hold the answers against the ledger's rows (those of `GET /stats`), channel by channel."""
    rows = {channel_key(r["platform"], r["account"]): r for r in ledger if r["platform"] is not None}
    result = Balance()
    problems: list[str] = []
    for channel, ours in sorted(told.items()):
        row = rows.get(channel) or {"accepted": 0, "stored": 0, "duplicates": 0, "rejected": 0}
        result.told_accepted += ours.accepted
        result.told_rejected += ours.rejected
        result.unsure += ours.unsure
        result.accepted += row["accepted"]
        result.stored += row["stored"]
        result.duplicates += row["duplicates"]
        result.rejected += row["rejected"]
        problems += _compared(channel, ours, row)
    result.problems = problems[:PROBLEMS_MOST]
    return result


def _compared(channel: str, ours: Told, row: Mapping[str, int]) -> list[str]:
    found: list[str] = []
    parts = row["stored"] + row["duplicates"] + row["rejected"]
    if row["accepted"] != parts:
        found.append(f"{channel}: the ledger does not balance: {row['accepted']} accepted, {parts} accounted for")
    answered = ours.accepted + ours.rejected
    if row["accepted"] < answered:
        found.append(f"{channel}: {answered - row['accepted']} events were answered 202 and are not in the ledger")
    if row["accepted"] > answered + ours.unsure:
        found.append(f"{channel}: {row['accepted'] - answered - ours.unsure} events more in the ledger than were sent")
    if not ours.rejected <= row["rejected"] <= ours.rejected + ours.unsure:
        found.append(f"{channel}: {ours.rejected} events were refused, {row['rejected']} in the ledger")
    return found
