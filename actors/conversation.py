"""What happens to a conversation: messages, what is told of them, and time.

Rules of this file: everything that a message sets off is visible here, in order; a detector's own rule lives in its
file.
An event has been given its observed time, and timers due strictly before it fire first, here.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import takewhile
from typing import Any
from zlib import crc32

from msgspec.structs import replace

from actors import channel as channels
from actors.detectors import (
    attachment,
    duplicate,
    gap,
    notification,
    out_of_sync,
    outbound,
    reference,
    translation,
)
from actors.effects import (
    AttachmentChanged,
    ConversationChanged,
    Effects,
    Hop,
    HopReached,
    MessageStored,
    SlaChanged,
)
from actors.events import (
    Action,
    AttachmentStatus,
    Checkpoint,
    Delete,
    Edit,
    Message,
    Notification,
    Receipt,
    Translation,
)
from actors.sla import (
    NEVER,
    Clock,
    agent_answered,
    conversation_closed,
    conversation_reopened,
    customer_wrote,
)
from actors.sla import expire as expire_sla
from actors.state import (
    CUSTOMER,
    EARLY_MOST,
    HELD_MOST,
    HISTORY,
    MERGED,
    OUTBOUND,
    VIP,
    WEEK,
    Channel,
    Conversation,
    EarlyStatus,
    Held,
)

ELDER_MOST = 2_000
KEPT_LEAST = 100
"""So many ids are kept whatever their age, for what may still be told of them."""


def apply_message(where: Channel, c: Conversation, m: Message, now: int, out: Effects) -> bool:
    """A message came. Returns False when it is a duplicate, exact or by content."""
    state = c.state
    if state.due < now:
        expire(where, c, now, out)
    message = m.message
    held = state.held.get(message)
    if held is not None:
        if now - held.at <= WEEK:
            duplicate.on_repeat(where, c, m, held, now, out)
            return False
        _forget(c, message)
    if m.vip:
        state.vip = True
    if len(state.held) >= KEPT_LEAST:
        _make_room(c, now)
    body = duplicate.fingerprint(m)
    held = Held(now, m.sent_at, body, _flags(m))
    twin = None
    if len(body) == duplicate.BODY_BYTES:
        twin = duplicate.find_twin(c, m, body, where.limits.content_window_ms)
    state.held[message] = held
    channels.on_held(where, m)
    _arrived(where, c, m, held, now, out)
    if twin is not None:
        held.flags |= MERGED
        outbound.on_merged(c, m)
        duplicate.on_twin(where, c, m, held, twin, now, out)
        out.messages.append(MessageStored(c.key, now, m, None, twin))
        return False
    flags = held.flags
    delay = channels.on_counted(where, c, m, flags, now, out)
    out.messages.append(MessageStored(c.key, now, m, delay))
    if flags & OUTBOUND:
        _on_outbound(where, c, m, now, out)
    else:
        _on_inbound(where, c, m, flags, now, out)
    if state.early and message in state.early:
        for at, status in state.early.pop(message):
            if now - at <= WEEK:
                apply_status(where, c, status, now, out)
    return True


def apply_status(where: Channel, c: Conversation, status: EarlyStatus, now: int, out: Effects) -> None:
    """What was told of a message; kept seven days for one that has not come yet."""
    state = c.state
    if state.due < now:
        expire(where, c, now, out)
    held = state.held.get(status.message)
    if held is None:
        _keep_early(c, status, now)
        return
    _TOLD[type(status)](where, c, status, held, now, out)


def apply_version(where: Channel, c: Conversation, change: Edit | Delete, now: int, out: Effects) -> None:
    """The platform changed or recalled a message: the version is kept, nothing opens."""
    if c.state.due < now:
        expire(where, c, now, out)
    _hop(c, change.message, "edited" if isinstance(change, Edit) else "deleted", now, out, change.text)


def apply_checkpoint(where: Channel, c: Conversation, check: Checkpoint, now: int, out: Effects) -> None:
    """The platform told what it holds of this conversation."""
    if c.state.due < now:
        expire(where, c, now, out)
    reference.on_checkpoint(where, c, check, now, out)
    gap.on_checkpoint(where, c, check, now)
    out_of_sync.on_checkpoint(where, c, check, now, out)


def apply_action(where: Channel, c: Conversation, action: Action, now: int, out: Effects) -> None:
    """What a person did to the conversation itself."""
    state = c.state
    if state.due < now:
        expire(where, c, now, out)
    policy = where.vip_policy if state.vip else where.usual_policy
    match action.what:
        case "opened":
            for message in state.bells:
                _hop(c, message, "seen", now, out)
            notification.settle_all(c, now, "opened", out)
        case "closed":
            state.closed = True
            _emit(c, conversation_closed(state.sla, policy, now), out)
        case "reopened":
            state.closed = False
            _emit(c, conversation_reopened(state.sla, policy, now), out)
            state.due = min(state.due, state.sla.due())
        case "acknowledged" | "resolved":
            return
    out.changes.append(ConversationChanged(c.key, action.what, now, action.agent))


def expire(where: Channel, c: Conversation, now: int, out: Effects) -> None:
    """Fire every timer due strictly before `now` (ms) and find the next."""
    state = c.state
    sla = state.sla
    due = NEVER
    if sla.running is not None:
        due = sla.due()
        if due < now:
            _emit(c, expire_sla(sla, now), out)
            due = sla.due()
    if state.bells:
        notification.expire(where, c, now, out)
        due = min(due, notification.next_due(c))
    if state.receipts:
        outbound.expire(where, c, now, out)
        due = min(due, outbound.next_due(c))
    if state.missing:
        gap.expire(where, c, now, out)
        due = min(due, gap.next_due(c))
    if state.absent:
        reference.expire(where, c, now, out)
        due = min(due, reference.next_due(c))
    if state.files:
        attachment.expire(where, c, now, out)
        due = min(due, attachment.next_due(c))
    if state.translations:
        translation.expire(where, c, now, out)
        due = min(due, translation.next_due(c))
    if state.checks:
        out_of_sync.expire(where, c, now, out)
        due = min(due, out_of_sync.next_due(state))
    state.due = due


def _on_receipt(where: Channel, c: Conversation, receipt: Receipt, held: Held, now: int, out: Effects) -> None:
    outbound.on_receipt(where, c, receipt, held, now, out)
    error = receipt.error
    reason = None if error is None else error.reason
    out.hops.append(HopReached(c.key, receipt.message, receipt.status, now, reason))


def _on_attachment(
    where: Channel, c: Conversation, status: AttachmentStatus, held: Held, now: int, out: Effects
) -> None:
    attachment.on_status(where, c, status, held, now, out)
    out.attachments.append(
        AttachmentChanged(c.key, status.message, status.attachment, status.status, now, status.detail)
    )


def _on_translation(where: Channel, c: Conversation, told: Translation, held: Held, now: int, out: Effects) -> None:
    translation.on_status(where, c, told, held, now, out)
    if told.status == "ok":
        out.hops.append(HopReached(c.key, told.message, "translated", now, translation.words_of(told)))
    else:
        out.hops.append(HopReached(c.key, told.message, "translation_failed", now))


def _on_notification(where: Channel, c: Conversation, told: Notification, held: Held, now: int, out: Effects) -> None:
    notification.on_status(where, c, told, held, now, out)
    if told.status != "failed":
        hop: Hop = "notified" if told.status == "fired" else "seen"
        out.hops.append(HopReached(c.key, told.message, hop, now))


_TOLD: dict[type, Callable[[Channel, Conversation, Any, Held, int, Effects], None]] = {
    Receipt: _on_receipt,
    AttachmentStatus: _on_attachment,
    Translation: _on_translation,
    Notification: _on_notification,
}


def _flags(m: Message) -> int:
    flags = HISTORY if m.history else 0
    if m.vip:
        flags |= VIP
    if m.direction == "out":
        return flags | OUTBOUND
    sender = m.sender
    return flags | CUSTOMER if sender is None or sender.role is None or sender.role == "customer" else flags


def _arrived(where: Channel, c: Conversation, m: Message, held: Held, now: int, out: Effects) -> None:
    """Whatever waited for this id or number waits no longer, be it merged or not."""
    state = c.state
    if m.seq is not None:
        gap.on_message(where, c, m, m.seq, held, now, out)
    if state.absent or state.open:
        reference.on_arrival(c, m, now, out)
    if m.via == "resync":
        if state.open:
            out_of_sync.on_resync(where, c, m, now, out)
        if where.state.open:
            out_of_sync.on_resync(where, None, m, now, out)


def _on_inbound(where: Channel, c: Conversation, m: Message, flags: int, now: int, out: Effects) -> None:
    if m.attachments:
        attachment.on_message(where, c, m, now)
    if flags & HISTORY:
        return
    if m.reply_to is not None:
        reference.on_reply(where, c, m, m.reply_to, now)
    if m.lang is not None and m.lang not in where.limits.team_languages:
        translation.on_message(where, c, m.message, m.lang, now)
    if flags & CUSTOMER:
        state = c.state
        notification.on_message(where, c, m.message, now)
        running = state.sla.running
        if running is None or m.sent_at < running.started_at:
            policy = where.vip_policy if state.vip else where.usual_policy
            _emit(c, customer_wrote(state.sla, policy, m.sent_at, now), out)
            due = state.sla.due()
            if due < state.due:
                state.due = due


def _on_outbound(where: Channel, c: Conversation, m: Message, now: int, out: Effects) -> None:
    if m.attachments:
        attachment.on_message(where, c, m, now)
    if m.history:
        return
    if m.reply_to is not None:
        reference.on_reply(where, c, m, m.reply_to, now)
    outbound.on_message(where, c, m, now)
    role = m.sender.role if m.sender is not None else None
    state = c.state
    if role is None or role == "agent":
        if state.bells or state.open:
            for message in state.bells:
                _hop(c, message, "answered", now, out)
            notification.settle_all(c, now, "answered", out)
        if state.sla.frozen:
            state.sla.frozen = False
        if state.sla.running is not None:
            policy = where.vip_policy if state.vip else where.usual_policy
            _emit(c, agent_answered(state.sla, policy, m.sent_at), out)
    elif role == "bot" and state.sla.running is not None:
        policy = where.vip_policy if state.vip else where.usual_policy
        if policy.bot_answers:
            _emit(c, agent_answered(state.sla, policy, m.sent_at), out)


def _emit(c: Conversation, clocks: list[Clock], out: Effects) -> None:
    for clock in clocks:
        if clock.due_at != NEVER:
            out.sla.append(SlaChanged(c.key, replace(clock)))


def _hop(c: Conversation, message: str, hop: Hop, now: int, out: Effects, text: str | None = None) -> None:
    out.hops.append(HopReached(c.key, message, hop, now, text))


def _keep_early(c: Conversation, status: EarlyStatus, now: int) -> None:
    early = c.state.early
    while early and now - early[(oldest := next(iter(early)))][0][0] > WEEK:
        del early[oldest]
    if len(early) < EARLY_MOST:
        early.setdefault(status.message, []).append((now, status))


def _make_room(c: Conversation, now: int) -> None:
    """Forget ids over age, but for those whose trouble is still open: what ends it must find them.

    Only messages make a conversation forget, never time alone: what it remembers must not depend on when timers fire.
    """
    held = c.state.held
    over_age = list(takewhile(lambda item: now - item[1].at > WEEK, held.items()))[: len(held) + 1 - KEPT_LEAST]
    if over_age:
        troubled = {anomaly.message for anomaly in c.state.open.values()}
        for message, _ in over_age:
            if message not in troubled:
                _forget(c, message)
    if len(held) >= HELD_MOST:
        _forget(c, next(iter(held)))


def _forget(c: Conversation, message: str) -> None:
    """Drop an id that is over age; that it once came is remembered as a checksum."""
    state = c.state
    held = state.held.pop(message)
    known = c.twins.get(held.body)
    if known == message or (isinstance(known, list) and len(known) == 1 and known[0] == message):
        del c.twins[held.body]
    elif isinstance(known, list) and message in known:
        known.remove(message)
    state.elder.append(crc32(message.encode("utf-8", "surrogatepass")))
    del state.elder[:-ELDER_MOST]
    state.elder_sent.append(held.sent_at)
    del state.elder_sent[:-ELDER_MOST]
    state.listed.pop(message, None)
    state.repeats.pop(message, None)
    state.resends.pop(message, None)
