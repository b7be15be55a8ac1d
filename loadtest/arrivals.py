"""Weir sees a message: what that implies for delay, order, references, counts and silence."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from loadtest.fates import Fates
from loadtest.plan import Plan
from loadtest.world import NEVER, RECENT, Channel, Conversation, Event, World, event_of

DELAY_MS = 30_000
LOSS_GRACE_MS = 20_000
SYNC_GRACE_MS = 30_000
OVER_MASK = (1 << RECENT) - 1
CROWDED = 7
"""So many late ones of the last twenty: the next late one waits, lest the median tip."""
MEDIAN_RANK = RECENT // 2 - 1

LATE, SLOW = "late", "slow"
"""A parcel's way: held back alone, or behind with its whole channel; the empty text is the usual way."""


class Parcel(NamedTuple):
    """A message on its way, with the trouble it meets after it was seen."""

    conversation: Conversation
    event: Event
    trouble: str | None
    way: str


class Arrivals:
    """Observes messages, keeps the books that the truth needs, and hands each message to its fates."""

    def __init__(self, world: World, plan: Plan, fates: Fates) -> None:
        self._world = world
        self._plan = plan
        self.fates = fates
        self.attempt: Callable[[int, Channel], None] = nothing
        self.guard: Callable[[int, Channel], None] = nothing

    def arrive(self, at: int, parcel: Parcel) -> Event | None:
        """A message is seen."""
        conversation, event, trouble, way = parcel
        channel = conversation.channel
        if way == LATE:
            if channel.over.bit_count() >= CROWDED and not self._world.closing:
                self._world.call(at + self._world.between(2, 6), self.arrive, parcel)
                return None
            channel.absent_late -= 1
        event["at"] = at
        conversation.inflight -= 1
        self._count(channel, event, known=not way)
        self._delay(at, conversation, event)
        self._identify(at, conversation, event)
        if event["direction"] == "out":
            self._answered(at, conversation, event, trouble)
        else:
            conversation.last_in = event["message"]
            self.heard(at, channel)
            self.fates.inbound(at, conversation, event, trouble)
        if trouble == "duplicate_exact":
            self._repeat(at, conversation, event)
        elif trouble == "delay_single":
            conversation.busy_until = at + 1000
        if conversation.hidden is not None:
            self._hidden(at, conversation, event)
        return event

    def arrive_twin(self, at: int, parcel: Parcel) -> Event:
        """The customer pressed twice: the same words under another id."""
        conversation, event, _, _ = parcel
        event["at"] = at
        conversation.inflight -= 1
        self._count(conversation.channel, event, known=True)
        self._identify(at, conversation, event)
        self._world.expect(
            "duplicate",
            "content",
            conversation.channel,
            conversation,
            message=event["message"],
            opened_at=at,
            resolution="merged",
        )
        return event

    def list_all(self, at: int, conversation: Conversation) -> Event | None:
        """A checkpoint names the ids the platform holds for a conversation, the hidden one included."""
        hidden = conversation.hidden
        if hidden is None and conversation.busy_until > at:
            return None
        if hidden is not None and (hidden.cause != "checkpoint" or hidden.noticed is not None):
            return None
        ids = list(conversation.ids)
        if hidden is not None:
            ids.append(hidden.event["message"])
            self._noticed(at, conversation)
        ahead = conversation.channel.shop.ahead_ms
        window = {"from": conversation.started + ahead - 1000, "to": at + ahead}
        return event_of(
            "checkpoint",
            conversation.channel,
            at,
            conversation=conversation.id,
            count=len(ids),
            messages=ids,
            **window,
        )

    def heard(self, at: int, channel: Channel) -> None:
        """An inbound message speaks for its channel."""
        channel.learn(at)
        if channel.silent_since is not None and at >= channel.muted_until:
            channel.silent_since = None
            self._world.expect("channel_silent", "silence", channel, resolution="spoke")
        if self._plan.incidents:
            self.attempt(at, channel)
        if at >= channel.muted_until and channel.guard_at > at + 48_000:
            deadline = channel.must_speak_at()
            if deadline < channel.guard_at:
                channel.guard_at = deadline
                self._world.guards += 1
                self._world.call(deadline, self.guard, channel)

    def _count(self, channel: Channel, event: Event, *, known: bool) -> None:
        window = channel.window(event["sent_at"])
        window.held += 1
        if not known:
            window.absent -= 1

    def _delay(self, at: int, conversation: Conversation, event: Event) -> None:
        channel = conversation.channel
        raw = at - event["sent_at"]
        recent = channel.recent
        recent.append(raw)
        channel.pace_ms += (at - channel.seen_at - channel.pace_ms) * 0.05
        channel.seen_at = at
        over = 0
        if raw + channel.shop.ahead_ms > DELAY_MS and raw - min(0, *recent) > DELAY_MS:
            over = 1
            self._world.expect(
                "delay",
                "single",
                channel,
                conversation,
                message=event["message"],
                opened_at=at,
                resolution="arrived",
            )
        channel.over = (channel.over << 1 | over) & OVER_MASK
        if channel.slow_open is not None or channel.over.bit_count() > MEDIAN_RANK:
            self._median(at, channel)

    def _median(self, at: int, channel: Channel) -> None:
        ranked = sorted(channel.recent)
        if len(ranked) < RECENT:
            return
        above = ranked[MEDIAN_RANK] + ranked[MEDIAN_RANK + 1] > 2 * DELAY_MS
        if above and channel.slow_open is None:
            channel.slow_open = at
        elif not above and channel.slow_open is not None:
            self.slowness_known(channel, "recovered")

    def slowness_known(self, channel: Channel, resolution: str | None) -> None:
        """How a channel's slowness ended is certain now."""
        if channel.slow_open is not None:
            self._world.expect("delay", "channel", channel, opened_at=channel.slow_open, resolution=resolution)
            channel.slow_open = None

    def _identify(self, at: int, conversation: Conversation, event: Event) -> None:
        seq = event.get("seq")
        if seq is None:
            conversation.ids.append(event["message"])
            return
        top = conversation.top
        if top is None or seq == top + 1:
            conversation.top = seq
        elif seq > top:
            for missing in range(top + 1, seq):
                conversation.missing[missing] = at
                hidden = conversation.hidden
                if hidden is not None and hidden.event.get("seq") == missing:
                    self._noticed(at, conversation)
            conversation.top = seq
        elif (known := conversation.missing.pop(seq, None)) is not None and at > known + LOSS_GRACE_MS:
            self._lost(conversation, "gap", known + LOSS_GRACE_MS, event, came=True)

    def _answered(self, at: int, conversation: Conversation, event: Event, trouble: str | None) -> None:
        if conversation.bell is not None and event["sender"]["role"] == "agent":
            self.fates.settle(at, conversation, "answered")
        self.fates.outbound(at, conversation, event, trouble)

    def _repeat(self, at: int, conversation: Conversation, event: Event) -> None:
        world = self._world
        copies = 1 if world.rng.random() < 0.8 else 2  # noqa: PLR2004
        first = last = at
        for number in range(copies):
            last += world.between(0.05, 5) if world.rng.random() < 0.75 else world.between(5, 600)  # noqa: PLR2004
            first = last if number == 0 else first
            copy = {**event, "at": last, "via": "poll"}
            if world.rng.random() < 0.15:  # noqa: PLR2004 # the platform tells another story
                copy["text"] = f"{copy['text']} (2)"
            world.post(last, copy)
        conversation.busy_until = last + 1000
        world.expect(
            "duplicate",
            "exact",
            conversation.channel,
            conversation,
            message=event["message"],
            opened_at=first,
            resolution="merged",
        )

    def _hidden(self, at: int, conversation: Conversation, event: Event) -> None:
        hidden = conversation.hidden
        if hidden is None:
            return
        if hidden.event is not event:
            if (
                hidden.cause == "reference"
                and event.get("reply_to") == hidden.event["message"]
                and hidden.noticed is None
            ):
                self._noticed(at, conversation)
            return
        conversation.hidden = None
        conversation.busy_until = at + 1000
        match hidden.cause:
            case "count" if hidden.noticed is not None:
                self._world.expect(
                    "out_of_sync",
                    "count",
                    conversation.channel,
                    since=hidden.since,
                    opened_at=hidden.noticed + SYNC_GRACE_MS,
                    resolution="resynced",
                )
            case "reference" | "checkpoint" if hidden.noticed is not None:
                self._lost(conversation, hidden.cause, hidden.noticed + LOSS_GRACE_MS, event, came=True)
            case _:
                pass  # a gap is known by its number

    def _noticed(self, at: int, conversation: Conversation) -> None:
        hidden = conversation.hidden
        if hidden is None:
            return
        hidden.noticed = at
        if hidden.comes:
            self.deliver_hidden(at, conversation, resync=self._world.rng.random() < 0.6)  # noqa: PLR2004
            return
        self._lost(conversation, hidden.cause, at + LOSS_GRACE_MS, hidden.event, came=False)
        conversation.hidden = None
        conversation.busy_until = at + LOSS_GRACE_MS + 1000

    def deliver_hidden(self, at: int, conversation: Conversation, *, resync: bool) -> None:
        """The missing message turns up after all, when its loss is known."""
        hidden = conversation.hidden
        if hidden is None:
            return
        if resync:
            hidden.event["via"] = "resync"
        conversation.inflight += 1
        conversation.busy_until = NEVER
        when = at + self._world.between(38, 300)
        self._world.call(when, self.arrive, Parcel(conversation, hidden.event, None, LATE))

    def _lost(self, conversation: Conversation, cause: str, opened_at: int, event: Event, *, came: bool) -> None:
        resolution = ("resynced" if event.get("via") == "resync" else "arrived_late") if came else None
        subject = {"seq": event["seq"]} if cause == "gap" else {"message": event["message"]}
        self._world.expect(
            "loss",
            cause,
            conversation.channel,
            conversation,
            opened_at=opened_at,
            resolution=resolution,
            **subject,
        )


def nothing(_at: int, _channel: Channel) -> None:
    """Until the parts are put together."""
