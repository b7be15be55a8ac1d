"""What platforms tell of a reply after they took it: whether it got through, told in any order and more than once.

A reply ends by the set of what was told of it, never by the order: proof that it got through wins over a failure, and
both together are a conflict that people can see. A failure without proof puts the reply among the failed ones, and its
conversation is open again. A retry is a new attempt with a ladder of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from msgspec.structs import replace

from actors.events import Action, Receipt
from services.replies.events import reopened
from storage.channel_ports import OutboxStore
from storage.channel_records import ReplyRow
from storage.ports import AccountStore, InboxStore
from storage.records import AuditRow

ATTEMPTS = 5
CONFLICT = "conflict"
GOOD = ("read", "delivered")
"""Proof that a message got through, the better one first."""


class ProofStore(OutboxStore, InboxStore, AccountStore, Protocol):
    """The parts of a store used here."""


class Proofs:
    """Notes receipts on the replies that they are about; `now` in ms."""

    def __init__(self, store: ProofStore, now: Callable[[], int]) -> None:
        self._store = store
        self._now = now

    async def heard(self, receipts: Sequence[Receipt]) -> list[Action]:
        """Note receipts, which name replies by Weir's ids; what else the log is to be told. Raises RetriableError."""
        told: list[Action] = []
        for receipt in receipts:
            row = None if receipt.status == "accepted" else await self._noted(receipt)
            if row is not None and row.state == "failed":
                conversation = await self._store.conversation(row.key)
                if conversation is not None and conversation.status == "closed":
                    told.append(reopened(row, self._now()))
        return told

    async def _noted(self, receipt: Receipt) -> ReplyRow | None:
        """The reply when this receipt changed it."""
        for _ in range(ATTEMPTS):
            held = await self._store.reply(receipt.message)
            if held is None or held.state not in {"sent", "failed"}:
                return None  # another attempt is under way: what is told is of the one before
            after = _after(held, receipt, self._now())
            if after == held:
                return None
            if await self._store.change_reply(after, replaces=held.version):
                await self._noted_conflict(held, after)
                return after
        return None

    async def _noted_conflict(self, before: ReplyRow, after: ReplyRow) -> None:
        if after.code == CONFLICT and before.code != CONFLICT:
            subject, told = f"reply {after.id}", {"key": after.key, "reason": after.reason}
            audit = AuditRow(at=self._now(), who="weir", what="reply.conflict", subject=subject, after=told)
            await self._store.append_audit(audit)


def fate_of(hops: Any) -> tuple[str | None, bool]:
    """What became of a message that reached these hops, and whether the platform told both good and bad of it."""
    good = next((one for one in GOOD if one in hops), None)
    failed = "failed" in hops
    return good or ("failed" if failed else "accepted" if "accepted" in hops else None), failed and good is not None


def _after(held: ReplyRow, receipt: Receipt, now: int) -> ReplyRow:
    heard = sorted({*held.heard, receipt.status})
    failure = held.failure
    if receipt.status == "failed":
        error = receipt.error
        told = ["", ""] if error is None else [str(error.code or ""), error.reason or ""]
        failure = told if failure is None else max(failure, told)
    if heard == held.heard and failure == held.failure:
        return held
    state, code, reason = _ended(heard, failure or ["", ""])
    return replace(
        held,
        heard=heard,
        failure=failure,
        state=state,
        code=code,
        reason=reason,
        settled_at=now if state != held.state else held.settled_at,
        told=True,  # by the receipt itself
        version=held.version + 1,
    )


def _ended(heard: Sequence[str], failure: Sequence[str]) -> tuple[Any, str | None, str | None]:
    code, reason = failure
    good = next((one for one in GOOD if one in heard), None)
    if good is None:
        return "failed", code or "undelivered", reason or "the platform could not deliver it"
    if "failed" not in heard:
        return "sent", None, None
    words = " ".join(filter(None, (code, reason))) or "no reason"
    return "sent", CONFLICT, f"the platform told that it failed ({words}) and that it was {good}; it counts as {good}"


__all__ = ["CONFLICT", "ProofStore", "Proofs", "fate_of"]
