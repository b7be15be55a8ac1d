"""`duplicate`: the same message again (exact), or the same words again under another id within the window (content).

Opened already resolved, by merging; one anomaly per message, whose `evidence.copies` counts the copies merged.
"""

from __future__ import annotations

from hashlib import blake2b
from unicodedata import normalize
from zlib import crc32

from msgspec.structs import replace

from actors.anomaly import Anomaly, anomaly_id, cures, raised
from actors.effects import Effects, MessageRepeated
from actors.events import Attachment, Message
from actors.spells import next_spell, subject_label
from actors.state import BODY_BYTES, VIP, Channel, Conversation, Held

SHORTEST_TEXT = 8
"""Texts with fewer code points repeat by nature (`ok`, `thanks`) and are never content duplicates."""
_BLANK = blake2b(digest_size=BODY_BYTES)
"""Copied for every body: a copy costs a third of a new one."""


def fingerprint(m: Message) -> bytes:
    """8 bytes for a body that takes part in content duplicates (who said what), fewer for any other body."""
    text = m.text or ""
    sender = m.sender
    files = "" if not m.attachments else "\x1e".join(map(_file, m.attachments))
    if sender is None or not sender.id or (len(text) < SHORTEST_TEXT and not files):
        return crc32(f"{text}\x1f{files}".encode("utf-8", "surrogatepass")).to_bytes(4, "big")
    if not text.isascii():
        text = normalize("NFC", text)
    body = f"{m.direction}{sender.id}\x1f{text.strip()}\x1f{files}".encode("utf-8", "surrogatepass")
    digest = _BLANK.copy()
    digest.update(body)
    return digest.digest()


def _file(a: Attachment) -> str:
    """What tells a file from others. Platforms that tell neither size nor address send albums all of one kind."""
    told = f"{a.kind}\x1d{a.mime}\x1d{a.size}\x1d{a.url}"
    content = a.sha256 or a.content_id
    return told if content is None else f"{told}\x1d{content}"


def find_twin(c: Conversation, m: Message, body: bytes, window: int | None) -> str | None:
    """The nearest message accepted before with this body, sent at most `window` ms apart; remembers this one too."""
    twins = c.twins
    mine = m.message
    known = twins.setdefault(body, mine)
    if known is mine:
        return None
    candidates = [known] if isinstance(known, str) else known
    twin: str | None = None
    if window is not None:
        held = c.state.held
        nearest = window + 1
        for message in candidates:
            other = held.get(message)
            if other is not None and message != m.message and (apart := abs(other.sent_at - m.sent_at)) < nearest:
                nearest, twin = apart, message
    candidates.append(m.message)
    twins[body] = candidates
    return twin


def on_repeat(where: Channel, c: Conversation, m: Message, held: Held, now: int, out: Effects) -> None:
    """An id that is held came again."""
    differs = fingerprint(m) != held.body
    out.repeats.append(MessageRepeated(c.key, m.message, now, differs))
    if m.history:
        return
    _count_copy(where, c, m.message, held, now, out, differs=differs, twin=None)


def on_twin(where: Channel, c: Conversation, m: Message, held: Held, twin: str, now: int, out: Effects) -> None:
    """The words of `twin` came again under another id: this one is merged into it."""
    if not m.history:
        _count_copy(where, c, m.message, held, now, out, differs=False, twin=twin)


def _count_copy(
    where: Channel,
    c: Conversation,
    message: str,
    held: Held,
    now: int,
    out: Effects,
    *,
    differs: bool,
    twin: str | None,
) -> None:
    anomaly = c.state.repeats.get(message)
    if anomaly is None:
        anomaly = _first_copy(where, c, message, held, now, twin)
        evidence = anomaly.evidence | {"copies": 1, "differs": differs}
    else:
        evidence = anomaly.evidence | {
            "copies": anomaly.evidence["copies"] + 1,
            "differs": anomaly.evidence["differs"] or differs,
        }
    anomaly = replace(anomaly, evidence=evidence)
    c.state.repeats[message] = anomaly
    out.anomalies.append(anomaly)


def _first_copy(where: Channel, c: Conversation, message: str, held: Held, now: int, twin: str | None) -> Anomaly:
    spell = next_spell(c.state, subject_label("duplicate", (message,)))
    return Anomaly(
        id=anomaly_id("duplicate", (where.platform, where.account, c.conversation, message), spell),
        kind="duplicate",
        severity=raised("info", vip=bool(held.flags & VIP)),
        status="resolved",
        platform=where.platform,
        account=where.account,
        conversation=c.conversation,
        message=message,
        since=held.sent_at,
        opened_at=now,
        resolved_at=now,
        resolution="merged",
        evidence={"match": "exact"} if twin is None else {"match": "content", "merged_into": twin},
        actions=cures("duplicate"),
    )
