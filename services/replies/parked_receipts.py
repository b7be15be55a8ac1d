"""Receipts that overtook the answer to a sending: let go once the reply they tell of is known, or after a minute."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from actors.events import Receipt
from services.replies.proofs import Proofs, ProofStore
from storage.channel_records import ParkedReceipt
from streams.ports import Gateway

PATIENCE_MS = 60_000
AT_ONCE = 500
_receipt = msgspec.json.Decoder(Receipt)


class Parked:
    """The receipts that wait; `now` in ms."""

    def __init__(self, store: ProofStore, gateway: Gateway, now: Callable[[], int]) -> None:
        self._store = store
        self._gateway = gateway
        self._now = now
        self._proofs = Proofs(store, now)

    async def release(self) -> int:
        """Submit those whose reply is known, under its id, and those that waited long enough, as they are.

        How many there were. Raises RetriableError; what was submitted by then is recognised by its key.
        """
        now = self._now()
        waiting = await self._store.parked_before(now + 1, AT_ONCE)
        by_channel: dict[tuple[str, str], list[ParkedReceipt]] = {}
        for one in waiting:
            by_channel.setdefault((one.platform, one.account), []).append(one)
        released = 0
        for (platform, account), parked in by_channel.items():
            ours = await self._store.reply_ids(platform, account, list({one.message for one in parked}))
            free = [one for one in parked if one.message in ours or one.at <= now - PATIENCE_MS]
            if free:
                heard = [_event(one, ours[one.message]) for one in free if one.message in ours]
                others = [_event(one, None) for one in free if one.message not in ours]
                await self._gateway.submit([*heard, *others, *await self._proofs.heard(heard)])
                await self._store.drop_parked(free)
                released += len(free)
        return released


def _event(parked: ParkedReceipt, reply: str | None) -> Receipt:
    receipt = replace(_receipt.decode(parked.body), at=parked.at, event=parked.id)
    return receipt if reply is None else replace(receipt, message=reply)


__all__ = ["Parked"]
