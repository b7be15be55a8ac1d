"""Numbered events of a busy quarter of an hour: the same number is the same event, whoever asks."""

from __future__ import annotations

from random import Random

from actors.events import (
    Attachment,
    AttachmentStatus,
    Checkpoint,
    Clock,
    Message,
    Notification,
    Receipt,
    Sender,
    Translation,
)
from actors.thresholds import ThresholdSet

CONVERSATIONS = 60
CHANNELS = 7
GRACES = {
    "delay.threshold_s": 1,
    "loss.grace_s": 0.3,
    "loss.outbound_grace_s": 0.5,
    "sync.grace_s": 0.4,
    "attachment.grace_s": 0.4,
    "notification.grace_s": 0.3,
    "translation.grace_s": 0.4,
    "silence.probability": None,
}
LONGEST_GRACE_MS = 500


def thresholds():
    """Graces short enough to end between two crashes."""
    return ThresholdSet(version=1, overrides={"": GRACES})


def entry(number, sent_at):
    """The event of that number, sent at that time (ms)."""
    draw = Random(f"weir {number}").random  # noqa: S311 # traffic, no secret
    conversation = number % CONVERSATIONS
    where = {"platform": "ebay", "account": f"shop{conversation % CHANNELS}"}
    about = {**where, "conversation": f"c{conversation}", "message": f"m{number - CONVERSATIONS}"}
    kind = draw()
    if kind > 0.12:
        return _message(number, sent_at, draw)
    if kind > 0.08:
        return Notification(**about, status="fired")
    if kind > 0.05:
        return Receipt(**about, status="delivered")
    return _rarity(kind, where, about, sent_at, draw)


def _rarity(kind, where, about, sent_at, draw):
    if kind > 0.03:
        return AttachmentStatus(**about, attachment="a", status="ok" if draw() < 0.7 else "corrupt")
    if kind > 0.01:
        return Translation(**about, status="ok" if draw() < 0.7 else "failed")
    if kind > 0.005:
        return Checkpoint(**where, start=sent_at - 500, end=sent_at, count=int(draw() * 50))
    return Clock()


def _message(number, sent_at, draw):
    conversation = number % CONVERSATIONS
    repeats = draw() < 0.03 and number >= CONVERSATIONS
    original = number - CONVERSATIONS if repeats else number
    return Message(
        platform="ebay",
        account=f"shop{conversation % CHANNELS}",
        conversation=f"c{conversation}",
        message=f"m{original}",
        seq=original // CONVERSATIONS + 1,
        sent_at=sent_at - (2000 if draw() < 0.03 else 0),
        direction="out" if draw() < 0.1 else "in",
        sender=Sender(id=f"u{conversation}", role="customer" if draw() < 0.1 else "system"),
        text=f"message {original}",
        lang="th" if draw() < 0.03 else "en",
        attachments=[Attachment(id="a")] if draw() < 0.04 else None,
    )
