"""A message as it is shown, from what was told of it and what became of it: the same for every adapter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import json, to_builtins

from actors.effects import HopReached
from actors.events import Message
from storage.records import MessageRow

Change = tuple[int, str, str | None]
"""(at, what, text) of one edit or deletion; of a translation, its text as JSON; of a failure, its reason."""
Fate = tuple[str, int, str | None]
"""(status, at, detail as JSON) of one attachment."""
LONGEST_DETAIL = 2_048


def is_kept(hop: HopReached) -> bool:
    """Whether what was told with a hop is kept beside its time."""
    return hop.hop in {"edited", "deleted"} or (hop.hop in {"translated", "failed"} and hop.text is not None)


def kept_detail(detail: Any) -> str | None:
    """What is kept of an attachment's detail: its JSON; nothing of one that is longer than 2 KiB."""
    if detail is None:
        return None
    told = json.encode(detail)
    return told.decode() if len(told) <= LONGEST_DETAIL else None


def message_row(
    key: str,
    event: Message,
    *,
    at: int,
    delay: int | None,
    merged_into: str | None,
    copies: int,
    partition: int,
    stored_at: int,
    hops: dict[str, int],
    fates: dict[str, Fate],
    changes: Sequence[Change],
) -> MessageRow:
    """The row; `changes` in order, `fates` by attachment."""
    sender = event.sender
    texts = [text for _, what, text in changes if what == "edited" and text is not None]
    return MessageRow(
        key=key, message=event.message, direction=event.direction, sent_at=event.sent_at, at=at,
        sender_id=sender.id if sender else None, sender_name=sender.name if sender else None,
        sender_role=sender.role if sender else None, text=texts[-1] if texts else event.text, lang=event.lang,
        seq=event.seq, reply_to=event.reply_to, order=event.order, via=event.via, vip=bool(event.vip),
        history=bool(event.history), attachments=_attachments(event, fates), delay=delay, merged_into=merged_into,
        copies=copies, versions=_versions(event, changes), hops=hops,
        extra=event.extra, partition=partition, stored_at=stored_at, translations=_translations(changes),
        failure=next(({"at": at, "reason": text} for at, what, text in reversed(changes) if what == "failed"), None),
    )  # fmt: skip


def _attachments(event: Message, fates: dict[str, Fate]) -> list[dict[str, Any]]:
    """Those announced, in order, then those only heard of; each with `status`, `status_at` and `detail` once known."""
    listed: list[dict[str, Any]] = [to_builtins(attachment) for attachment in event.attachments or ()]
    names = {attachment["id"] for attachment in listed}
    listed += [{"id": name} for name in sorted(fates) if name not in names]
    for attachment in listed:
        if fate := fates.get(attachment["id"]):
            attachment.update(status=fate[0], status_at=fate[1])
            if fate[2] is not None:
                attachment["detail"] = json.decode(fate[2])
    return listed


def _versions(event: Message, changes: Sequence[Change]) -> list[dict[str, Any]]:
    """Every version from the first one on; empty when the message was never changed."""
    changes = [change for change in changes if change[1] in {"edited", "deleted"}]
    if not changes:
        return []
    first: Change = (event.sent_at, "sent", event.text)
    return [{"at": at, "what": what, "text": text} for at, what, text in [first, *changes]]


def _translations(changes: Sequence[Change]) -> list[dict[str, Any]]:
    """Those whose words were told, in order; of one language the last."""
    latest: dict[str | None, dict[str, Any]] = {}
    for at, what, text in changes:
        if what == "translated" and text is not None:
            told = json.decode(text, type=dict[str, Any])
            latest.pop(told.get("target"), None)
            latest[told.get("target")] = {"at": at, **told}
    return list(latest.values())
