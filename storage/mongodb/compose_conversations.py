"""Conversations and channels: one document holds the encoded state and the row that lists show.

A conversation whose document is known to exist is updated, any other is inserted whole: neither can do harm when
repeated, and both are cheaper than an upsert. Such documents are never deleted.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import json, to_builtins

from actors.effects import MessageStored, SlaChanged
from actors.keys import split_key
from actors.sla import Clock
from storage.drafts import Draft, clock_state, closings, drafts_of, openings
from storage.label_records import ConversationLabelled
from storage.mongodb.connection import Row
from storage.mongodb.tokens import keys_of
from storage.mongodb.writes import Group, encoded, update
from storage.records import Batch, StateRow
from storage.texts import folded

_encode = json.Encoder().encode
HIDING = ("desk.snoozed_until", "desk.archived")
"""The only fields of the desk that a flush touches: a customer's message ends what hides a conversation."""


def conversation_groups(
    batch: Batch, stored: Iterable[MessageStored], existing: set[str], stamp: int
) -> tuple[list[Group], set[str]]:
    """Inserts of new conversations, updates of known ones; and the keys of the new ones."""
    partition = batch.mark.partition
    drafts = drafts_of(stored)
    closed = closings(drafts, batch.effects.changes)
    opened = dict.fromkeys(openings(drafts, batch.effects.changes), True)
    clocks = _running(batch.effects.sla)
    states = {row.key: row for row in batch.conversations}
    labelled = {row.key: row for row in batch.labelled}
    inserts: list[Row] = []
    updates: list[Row] = []
    for key in {**states, **drafts, **closed, **clocks, **opened}:
        state, draft = states.get(key), drafts.get(key)
        row = _row(draft, closed.get(key), clocks.get(key), stamp)
        if draft is not None and key in labelled:
            _label(row, labelled[key])
        if key in opened:
            row.set["unread"] = 0
        if key in existing:
            updates.append(update(key, stamp, _change(state, draft, row, partition, stamp)))
        elif state or draft:
            inserts.append(_document(key, state, draft, row, partition, stamp))
    groups = [Group("conversations", "insert", encoded(inserts)), Group("conversations", "update", encoded(updates))]
    return groups, {row["_id"] for row in inserts}


def touched(batch: Batch) -> set[str]:
    """The conversations whose documents a batch changes."""
    effects = batch.effects
    keys = {row.key for row in batch.conversations}
    keys.update(effect.key for effect in effects.messages)
    keys.update(effect.key for effect in effects.changes)
    keys.update(effect.key for effect in effects.sla)
    return keys


def channel_groups(batch: Batch, new: Iterable[str], stamp: int) -> list[Group]:
    """Channels' states and rows; `new` are the conversations to be inserted, whose channels must exist."""
    partition = batch.mark.partition
    changes: dict[str, Row] = {}
    for row in batch.channels:
        changes.setdefault(row.key, {}).update(state=row.state, due=row.due)
    for row in batch.channel_rows:
        changes.setdefault(row.key, {})["row"] = _encode(row).decode()
    updates = [
        update(key, stamp, {"$set": {"stamp": stamp, "partition": partition, **change}}, upsert=True)
        for key, change in changes.items()
    ]
    names = {key.rpartition("/")[0] for key in new} - changes.keys()
    inserts: list[Row] = [{"_id": name, "stamp": 0, "partition": partition} for name in sorted(names)]
    return [Group("channels", "insert", encoded(inserts)), Group("channels", "update", encoded(updates))]


def clock_group(effects: Iterable[SlaChanged], stamp: int) -> Group:
    """Every clock, as it stands now."""
    latest = {f"{effect.key}/{effect.clock.ordinal}": effect for effect in effects}
    newer: Row = {"$lt": stamp}
    updates: list[Row] = [
        {"q": {"_id": name, "stamp": newer}, "u": _clock(effect.key, effect.clock, stamp), "upsert": True}
        for name, effect in latest.items()
    ]
    return Group("clocks", "update", encoded(updates))


def _clock(key: str, c: Clock, stamp: int) -> Row:
    found: Row = {
        "stamp": stamp, "key": key, "ordinal": c.ordinal, "kind": c.kind, "started_at": c.started_at,
        "due_at": c.due_at, "warned_at": c.warned_at, "breached_at": c.breached_at, "answered_at": c.answered_at,
        "stopped": c.stopped,
    }  # fmt: skip
    if c.answered_at is not None or c.stopped:
        found["ended_at"] = max(c.due_at, c.answered_at or 0)
    return found


def _running(effects: Iterable[SlaChanged]) -> dict[str, Clock]:
    """The response clock with the highest ordinal each conversation told of, as it stands now."""
    latest: dict[str, Clock] = {}
    for effect in effects:
        clock, before = effect.clock, latest.get(effect.key)
        if clock.kind != "resolution" and (before is None or before.ordinal <= clock.ordinal):
            latest[effect.key] = clock
    return latest


class _Parts:
    """What a flush says of a conversation's row, by the operator that says it."""

    __slots__ = ("highest", "inc", "labels", "lowest", "set", "shown")

    def __init__(self) -> None:
        self.set: Row = {}
        self.inc: Row = {}
        self.lowest: Row = {}
        self.highest: Row = {}
        self.labels: Row = {}
        self.shown = False
        """Whether it is open anew: then it is neither snoozed nor archived any more."""


def _row(draft: Draft | None, closed: bool | None, clock: Clock | None, stamp: int) -> _Parts:  # noqa: FBT001 # a column
    parts = _Parts()
    if closed is not None:
        parts.set["closed"] = closed
        parts.shown = not closed
    if clock is not None:
        state = clock_state(clock)
        # Documents compare field by field: a late word about an older clock must not hide the one that runs.
        parts.highest["sla"] = {
            "ordinal": clock.ordinal, "stamp": stamp, "state": state,
            "kind": clock.kind if state else None, "due_at": clock.due_at if state else None,
        }  # fmt: skip
    if draft is not None:
        event = draft.last.event
        names = ("contact_id", "contact_name", "order", "lang")
        parts.set |= {name: value for name in names if (value := getattr(draft, name)) is not None}
        if draft.vip:
            parts.set["vip"] = True
        if draft.value is not None:
            parts.set["value"] = to_builtins(draft.value)
        if draft.seen:
            parts.set["unread"] = len(draft.unseen)
        else:
            parts.inc["unread"] = len(draft.unseen)
        parts.inc["messages"] = draft.messages
        parts.lowest["first_at"] = draft.first.at
        parts.highest["last_at"] = draft.last_at
        # The latest by these three, in this order, stays.
        parts.highest["last"] = {
            "sent_at": event.sent_at, "at": draft.last.at, "stamp": stamp, "direction": event.direction,
            "text": draft.last_text, "message": event.message,
        }  # fmt: skip
    return parts


def _label(row: _Parts, labelled: ConversationLabelled) -> None:
    row.labels = dict.fromkeys(labelled.labels, True)
    if labelled.lang is not None:
        row.set["guessed_lang"] = labelled.lang
    if labelled.sensitive:
        row.set["sensitive"] = True


def _document(key: str, state: StateRow | None, draft: Draft | None, row: _Parts, partition: int, stamp: int) -> Row:
    channel, _, name = key.rpartition("/")
    platform, account = split_key(channel)
    conversation = split_key(name)[0]
    found: Row = {
        "_id": key, "stamp": stamp, "partition": partition, "channel": channel, "platform": platform,
        "account": account, "words": keys_of(folded(conversation)),
    }  # fmt: skip
    if state is not None:
        found["state"] = state.state
        if state.due is not None:
            found["due"] = state.due
    if draft is not None:
        found["row"] = row.set | row.inc | row.lowest | row.highest | ({"auto": row.labels} if row.labels else {})
    return found


def _change(state: StateRow | None, draft: Draft | None, row: _Parts, partition: int, stamp: int) -> Row:
    assigned: Row = {"stamp": stamp, "partition": partition}
    change: Row = {"$set": assigned}
    unset: Row = {}
    if state is not None:
        assigned["state"] = state.state
        if state.due is None:
            unset["due"] = ""
        else:
            assigned["due"] = state.due
    if row.shown:
        unset |= dict.fromkeys(HIDING, "")
    if unset:
        change["$unset"] = unset
    assigned.update((f"row.{name}", value) for name, value in row.set.items())
    assigned.update((f"row.auto.{label}", value) for label, value in row.labels.items())
    if row.highest:
        change["$max"] = {f"row.{name}": value for name, value in row.highest.items()}
    if draft is not None:
        change["$inc"] = {f"row.{name}": value for name, value in row.inc.items()}
        change["$min"] = {f"row.{name}": value for name, value in row.lowest.items()}
    return change
