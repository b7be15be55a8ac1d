"""Batches as the engine would send them, for the tests of every adapter."""

from __future__ import annotations

from actors.anomaly import Anomaly
from actors.effects import Effects, MessageStored
from actors.events import Message, Sender
from actors.keys import conversation_key
from actors.sla import Clock
from storage.records import Batch, PartitionMark

NOW = 1_760_000_000_000


def stored(
    message,
    conversation="c1",
    *,
    at=NOW,
    sent_at=None,
    direction="in",
    platform="shopee",
    account="shop",
    merged_into=None,
    **more,
):
    """A message effect; further fields go to the event."""
    event = Message(
        platform=platform,
        account=account,
        conversation=conversation,
        message=message,
        at=at,
        sent_at=at if sent_at is None else sent_at,
        direction=direction,
        **more,
    )
    return MessageStored(conversation_key(platform, account, conversation), at, event, 0, merged_into)


def customer(name="Li Wei", id_="u1"):
    """A sender who is a customer."""
    return Sender(id=id_, name=name, role="customer")


def anomaly(number, **changes):
    """An anomaly whose id and time follow from a number."""
    fields = {
        "id": f"{number:032x}",
        "kind": "loss",
        "severity": "critical",
        "status": "open",
        "platform": "shopee",
        "account": "shop",
        "since": NOW,
        "opened_at": NOW + number,
    }
    return Anomaly(**(fields | changes))


def clock(ordinal=0, kind="first_response", **changes):
    """An SLA clock that runs."""
    return Clock(
        **({"ordinal": ordinal, "kind": kind, "started_at": NOW, "due_at": NOW + 1000, "warn_at": NOW + 800} | changes)
    )


class Flushes:
    """Saves batches with the version that follows."""

    def __init__(self, store):
        self.store = store
        self.versions = {}

    async def __call__(self, *effects, partition=0, time=NOW, **lists):
        """Save the effects (each in the list of its kind) and rows of one flush."""
        collected = Effects()
        for effect in effects:
            getattr(collected, LISTS[type(effect).__name__]).append(effect)
        version = self.versions.get(partition, 0) + 1
        mark = PartitionMark(partition=partition, version=version, applied=version * 10, time=time, drift=5)
        await self.store.save(Batch(mark=mark, effects=collected, **lists))
        self.versions[partition] = version
        return mark


LISTS = {
    "MessageStored": "messages",
    "MessageRepeated": "repeats",
    "HopReached": "hops",
    "AttachmentChanged": "attachments",
    "ConversationChanged": "changes",
    "Anomaly": "anomalies",
    "SlaChanged": "sla",
    "KeyRemembered": "keys",
}


async def everything(page_of, limit=3):
    """All items of a list, page by page."""
    items, cursor = [], None
    while True:
        page = await page_of(limit, cursor)
        assert len(page.items) <= limit
        items += page.items
        cursor = page.next
        if cursor is None:
            return items
