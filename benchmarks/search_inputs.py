"""What is searched: three years of messages in ten languages, some words frequent, some once; and what is asked."""

# ruff: noqa: RUF001 - full width is meant

from __future__ import annotations

import random
from collections.abc import Iterator

from actors.effects import Effects, MessageStored
from actors.events import Message, Sender
from loadtest.phrases import CUSTOMER, NAMES
from services.search.query import Asked
from storage.records import Batch, PartitionMark

DAY_MS = 86_400_000
YEARS_MS = 3 * 365 * DAY_MS
NOW = 1_790_000_000_000
CHANNELS = (
    *(("shopee", f"shop-{n}") for n in range(4)),
    *(("lazada", f"shop-{n}") for n in range(3)),
    *(("amazon", f"shop-{n}") for n in range(2)),
    ("line", "official"),
    ("email", "support"),
)
FREQUENT = "parcelwatch"
"""A word that is put into three messages of ten."""
OLD = (
    "我家在上海东边。",
    "注文番号12-3456のキャンセル",
    "배송이 늦어요",
    "สินค้าไม่ตรงปก",
    "Где мой заказ №4471?",
    "ＡＢＣ１２３",
)
"""Said once each, two years ago."""
OLD_AT = NOW - 2 * 365 * DAY_MS
MONTH_MS = 30 * DAY_MS

QUERIES: dict[str, Asked] = {
    "a word that is there once, two years ago": Asked(words="заказ"),
    "a word of 30 % of the messages": Asked(words=FREQUENT),
    "a word nobody wrote": Asked(words="nothingtofind"),
    "how a frequent word begins": Asked(words=FREQUENT[:8]),
    "one Chinese character": Asked(words="上"),
    "one frequent Chinese character": Asked(words="款"),
    "a phrase of four characters": Asked(words="七天无理"),
    "the same characters scrambled": Asked(words="无天理七"),
    "an order number with dashes": Asked(words="ORD-77-31"),
    "the same without": Asked(words="ORD7731"),
    "two frequent words": Asked(words=f"{FREQUENT} order"),
    "a frequent and a rare word": Asked(words=f"{FREQUENT} заказ"),
    "a frequent word of one channel": Asked(words=FREQUENT, platform="line", account="official"),
    "a frequent word of one platform, outgoing": Asked(words=FREQUENT, platform="lazada", direction="out"),
    "a frequent word of one month, two years ago": Asked(words=FREQUENT, since=OLD_AT, until=OLD_AT + MONTH_MS),
    "a frequent word of one customer": Asked(words=FREQUENT, contact="u77"),
    "who wrote it": Asked(sender="Beatriz"),
    "no word, the latest of a platform": Asked(platform="amazon"),
}


def batches(messages: int, size: int, conversations: int) -> Iterator[Batch]:
    """The messages in flushes, oldest first; the same ones each time."""
    rng = random.Random(7)  # noqa: S311 # the same messages each time
    start, step = NOW - YEARS_MS, YEARS_MS / messages
    old = {int((OLD_AT - start) / step) + n: text for n, text in enumerate(OLD)}
    for version, first in enumerate(range(0, messages, size), 1):
        effects = Effects()
        for number in range(first, min(messages, first + size)):
            sent_at = int(start + number * step)
            effects.messages.append(_stored(rng, number, sent_at, conversations, old.get(number)))
        yield Batch(mark=PartitionMark(partition=0, version=version, applied=version, time=NOW), effects=effects)


def arriving(version: int, first: int, count: int, conversations: int) -> Batch:
    """What comes in while somebody searches."""
    rng = random.Random(version)  # noqa: S311 # the same messages each time
    effects = Effects()
    for number in range(first, first + count):
        effects.messages.append(_stored(rng, number, NOW + number, conversations, None))
    return Batch(mark=PartitionMark(partition=0, version=version, applied=version, time=NOW), effects=effects)


def _stored(rng: random.Random, number: int, sent_at: int, conversations: int, text: str | None) -> MessageStored:
    whose = rng.randrange(conversations)
    platform, account = CHANNELS[whose % len(CHANNELS)]
    lang = rng.choice(tuple(CUSTOMER))
    order = f"ORD-{whose}-{number % 97}"
    if text is None:
        text = rng.choice(CUSTOMER[lang]).replace("{order}", order)
        if rng.random() < 0.3:  # as FREQUENT says
            text = f"{text} {FREQUENT}"
    inbound = number % 3 > 0
    event = Message(
        platform=platform,
        account=account,
        at=sent_at,
        conversation=f"c{whose}",
        message=f"m{number}",
        sent_at=sent_at,
        direction="in" if inbound else "out",
        sender=Sender(id=f"u{whose}" if inbound else "agent-1", name=rng.choice(NAMES[lang]) if inbound else "Ann",
                      role="customer" if inbound else "agent"),
        text=text,
        lang=lang,
        order=order if number % 4 == 0 else None,
    )  # fmt: skip
    return MessageStored(f"{platform}/{account}/c{whose}", sent_at, event, 500)
