"""Customers, agents and bots who write: what is sent, when, and which trouble it meets on its way."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from loadtest.arrivals import LATE, SLOW, Arrivals, Parcel
from loadtest.fates import NOTIFICATION_GRACE_MS, TEAM_LANGUAGES
from loadtest.phrases import AGENT, BOT, CUSTOMER, NAMES
from loadtest.plan import Plan
from loadtest.world import NEVER, RECENT, Channel, Conversation, Event, Hidden, World, event_of


class Site(NamedTuple):
    """A message about to be sent, as a place for trouble."""

    at: int
    conversation: Conversation
    channel: Channel
    out: bool


AGENTS = tuple(
    {"id": f"agent-{i}", "name": name, "role": "agent"} for i, name in enumerate(("Mei", "Arun", "Sofia", "Jun"), 1)
)
BOT_SENDER = {"id": "bot-1", "name": "Weir bot", "role": "bot"}
SAME_SIDE_LEAST_MS = 2_600
"""Whoever writes twice leaves more than the window of content duplicates between."""
TWIN_LEAST_CHARACTERS = 8
LATE_MOST = 2
"""Messages of one channel held back at a time, so that its median stays low."""
OVER_MOST = 4
LISTED_SHARE = 0.15
"""Conversations on platforms without numbers whose end brings a checkpoint with ids."""


class Writers:
    """Writes every message of the sale."""

    def __init__(self, world: World, plan: Plan, arrivals: Arrivals, gap_scale: float, begun: int = 0) -> None:
        self._world = world
        self._plan = plan
        self._arrivals = arrivals
        self._scale = gap_scale
        self._begun = begun

    def begin(self, at: int, channel: Channel, messages: int, latency_ms: int | None = None) -> None:
        """A customer starts a conversation of so many messages; `latency_ms` fixes the first one's way."""
        world = self._world
        chance = world.rng.random
        self._begun += 1
        conversation = Conversation(channel, self._begun, messages, at)
        languages = channel.shop.languages
        conversation.lang = languages[int(chance() ** 1.6 * len(languages))]
        names = NAMES[conversation.lang]
        customer = f"u{int(chance() * 1e9):09d}"
        conversation.customer = {"id": customer, "name": names[int(chance() * len(names))], "role": "customer"}
        conversation.agent = AGENTS[int(chance() * len(AGENTS))]
        if chance() < 0.5:  # noqa: PLR2004 # every other customer asks about an order
            conversation.order = f"{channel.platform[:2].upper()}{int(chance() * 1e10):010d}"
            conversation.value = {"amount": int(chance() * 20_000) / 100, "currency": "USD"}
        conversation.vip = chance() < 0.03  # noqa: PLR2004
        if channel.shop.sequences and chance() < 0.1:  # noqa: PLR2004 # joined in the middle
            conversation.next_seq = 2 + int(chance() * 300)
        self._send(at, conversation, latency_ms)
        if chance() < 0.06:  # noqa: PLR2004 # some shops have a bot that says hello
            world.call(at + world.between(1, 4), self._greet, conversation)

    def send(self, at: int, conversation: Conversation) -> None:
        """The next message of a conversation is due."""
        world = self._world
        muted_until = conversation.channel.muted_until
        if world.closing:
            return
        if at < muted_until:
            world.call(muted_until + world.between(0.5, 40), self.send, conversation)
            return
        self._send(at, conversation, None)

    def resend(self, at: int, subject: tuple[Conversation, Event]) -> None:
        """An agent sends a refused answer again."""
        conversation, original = subject
        world = self._world
        channel = conversation.channel
        if world.closing:
            self._arrivals.fates.delivery_known(at, conversation, None)
            return
        if at < channel.muted_until or at - conversation.last_out_at < 2 * SAME_SIDE_LEAST_MS:
            world.call(max(at, channel.muted_until) + 6_000, self.resend, subject)
            return
        event = self._message(at, conversation, out=True)
        event["sender"] = original["sender"]
        event["text"] = conversation.last_text[1] = original["text"]
        event["resend_of"] = original["message"]
        self._dispatch(at, conversation, event, None, None)

    def _greet(self, at: int, conversation: Conversation) -> None:
        world = self._world
        if world.closing or at < conversation.channel.muted_until:
            return
        world.sent += 1
        event = self._message(at, conversation, out=True)
        event["sender"] = BOT_SENDER
        event["text"] = BOT
        self._dispatch(at, conversation, event, None, None)

    def history(self, at: int, channel: Channel) -> None:
        """What was fetched when the channel was bound: old messages that open nothing."""
        for number in range(1, channel.shop.history + 1):
            event = event_of(
                "message",
                channel,
                at,
                conversation=f"OLD-{number}",
                message=f"old-{number}",
                sent_at=at - number * 86_400_000,
                direction="in",
                sender={"id": f"past-{number}", "role": "customer"},
                text=CUSTOMER["en"][number % 2 + 1],
                lang="en",
                history=True,
            )
            self._world.post(at, event)

    def _send(self, at: int, conversation: Conversation, latency_ms: int | None) -> None:
        world, plan = self._world, self._plan
        world.sent += 1
        if world.sent >= plan.soonest:
            plan.advance(world.sent)
        if world.sent >= world.options.messages:
            world.closing = True
        conversation.left -= 1
        out = conversation.turn_out
        event = self._message(at, conversation, out=out)
        if conversation.name_next:
            event["reply_to"] = conversation.name_next
            conversation.name_next = None
        trouble = self._trouble(at, conversation, event, out=out) if plan.due and latency_ms is None else None
        if trouble == "duplicate_content":
            self._twin(at, conversation, event)
        if trouble in HIDING:
            self._hide(at, conversation, event, trouble)
        else:
            arrives = self._dispatch(at, conversation, event, trouble, latency_ms)
            if trouble == "notification_missed":
                conversation.hold = arrives + NOTIFICATION_GRACE_MS + world.options.leeway_ms
        self._continue(at, conversation, out=out)

    def _message(self, at: int, conversation: Conversation, *, out: bool) -> Event:
        world, channel = self._world, conversation.channel
        chance = world.rng.random
        channel.numbered += 1
        event: Event = {
            "type": "message",
            "platform": channel.platform,
            "account": channel.account,
            "at": 0,
            "conversation": conversation.id,
            "message": f"m{channel.numbered:08d}",
            "sent_at": at + channel.shop.ahead_ms,
            "direction": "out" if out else "in",
            "sender": conversation.agent if out else conversation.customer,
        }
        if channel.shop.sequences:
            event["seq"] = conversation.next_seq
            conversation.next_seq += 1
        if out:
            conversation.last_out_at = at
            event["lang"] = "zh" if conversation.lang == "zh" else "en"
            if conversation.last_in and chance() < 0.3:  # noqa: PLR2004 # agents quote now and then
                event["reply_to"] = conversation.last_in
            event["text"] = self._words(conversation, AGENT[event["lang"]], 1)
            return event
        event["lang"] = conversation.lang
        event["text"] = self._words(conversation, CUSTOMER[conversation.lang], 0)
        if conversation.order:
            event["order"] = conversation.order
        if conversation.vip:
            event["vip"] = True
            event["value"] = conversation.value
        if chance() < 0.05:  # noqa: PLR2004 # one customer of twenty sends a picture
            attach(event, int(chance() * 900_000) + 20_000)
        return event

    def _words(self, conversation: Conversation, phrases: tuple[str, ...], side: int) -> str:
        chosen = int(self._world.rng.random() * len(phrases))
        text = phrases[chosen].replace("{order}", conversation.order or "")
        if text == conversation.last_text[side]:
            text = phrases[chosen - 1].replace("{order}", conversation.order or "")
        conversation.last_text[side] = text
        return text

    def _dispatch(
        self, at: int, conversation: Conversation, event: Event, trouble: str | None, latency_ms: int | None
    ) -> int:
        world, channel = self._world, conversation.channel
        latency = latency_ms if latency_ms is not None else min(6_000, 200 + int(world.rng.expovariate(0.0016)))
        way = ""
        if channel.slow is not None and latency_ms is None:
            behind = channel.slow.delay(at)
            if behind < 0:
                channel.slow = None
            else:
                way, latency = SLOW, 400 + behind
        elif trouble == "delay_single":
            way = LATE
            channel.absent_late += 1
            latency = world.between(38, 170) if world.rng.random() < 0.9 else world.between(302, 460)  # noqa: PLR2004
            conversation.busy_until = NEVER
        if way:
            channel.window(event["sent_at"]).absent += 1
        conversation.inflight += 1
        world.call(at + latency, self._arrivals.arrive, Parcel(conversation, event, trouble, way))
        return at + latency

    def _continue(self, at: int, conversation: Conversation, *, out: bool) -> None:
        world = self._world
        chance = world.rng.random()
        if conversation.left <= 0:
            self._end(at, conversation)
            return
        if out:
            low, high, next_out = (15, 180, False) if chance < 0.8 else (5, 20, True)  # noqa: PLR2004
        else:
            low, high, next_out = (4, 15, False) if chance < 0.35 else (20, 90, True)  # noqa: PLR2004
            next_out = next_out or conversation.left == 1
        gap = max(int(world.between(low, high) * self._scale), SAME_SIDE_LEAST_MS if next_out == out else 1_000)
        conversation.turn_out = next_out
        following = at + gap
        if next_out:
            following = max(following, conversation.hold)
            if gap > 8_000 and chance < 0.7:  # noqa: PLR2004 # the agent looks before writing
                world.call(following - 1_500, self._arrivals.fates.opened, conversation)
        world.call(following, self.send, conversation)

    def _end(self, at: int, conversation: Conversation) -> None:
        world = self._world
        if not conversation.channel.shop.sequences and world.rng.random() < LISTED_SHARE:
            world.call(at + world.between(20, 40), self._arrivals.list_all, conversation)
        if world.rng.random() < 0.6:  # noqa: PLR2004 # not everybody closes what is done
            world.call(at + world.between(12, 40), self._close, conversation)

    def _close(self, at: int, conversation: Conversation) -> Event | None:
        if conversation.busy_until > at or conversation.inflight:
            return None
        return event_of(
            "action",
            conversation.channel,
            at,
            conversation=conversation.id,
            what="closed",
            agent=conversation.agent["id"],
        )

    def _trouble(self, at: int, conversation: Conversation, event: Event, *, out: bool) -> str | None:
        channel = conversation.channel
        if conversation.busy_until > at or conversation.inflight or channel.slow is not None:
            return None
        site = Site(at, conversation, channel, out)
        trouble = self._plan.take(lambda kind: SUITS[kind](site))
        if trouble == "attachment_failed" and "attachments" not in event:
            attach(event, 48_211)
        return trouble

    def _twin(self, at: int, conversation: Conversation, event: Event) -> None:
        world, channel = self._world, conversation.channel
        event.pop("attachments", None)
        channel.numbered += 1
        behind = world.between(0.2, 1.8)
        twin = {**event, "message": f"m{channel.numbered:08d}", "sent_at": event["sent_at"] + behind}
        if channel.shop.sequences:
            twin["seq"] = conversation.next_seq
            conversation.next_seq += 1
        conversation.busy_until = at + 10_000
        conversation.inflight += 1
        # Seven seconds: the twin must not overtake the first, whose way takes at most six.
        world.call(at + 7_000 + behind, self._arrivals.arrive_twin, Parcel(conversation, twin, None, ""))

    def _hide(self, at: int, conversation: Conversation, event: Event, trouble: str) -> None:
        world, channel = self._world, conversation.channel
        comes = world.rng.random() < 0.5 or trouble == "out_of_sync"  # noqa: PLR2004 # half turn up late
        conversation.hidden = Hidden(event, HIDING[trouble], comes=comes)
        conversation.busy_until = NEVER
        channel.absent_late += comes
        window = channel.window(event["sent_at"])
        window.absent += 1
        match trouble:
            case "loss_reference":
                conversation.name_next = event["message"]
            case "loss_checkpoint":
                world.call(at + world.between(8, 25), self._arrivals.list_all, conversation)
            case "out_of_sync":
                window.hidden = conversation
            case _:
                pass


HIDING = {"loss_gap": "gap", "loss_reference": "reference", "loss_checkpoint": "checkpoint", "out_of_sync": "count"}
"""The troubles that keep a message from Weir, and what notices that it is missing."""


def _can_hide(site: Site, *, sequences: bool) -> bool:
    _, conversation, channel, out = site
    seen = conversation.top is not None or bool(conversation.ids)
    return (
        not out
        and seen
        and conversation.left > 0
        and channel.shop.sequences == sequences
        and channel.absent_late < LATE_MOST
        and conversation.name_next is None
    )


def _can_be_late(site: Site) -> bool:
    _, conversation, channel, _ = site
    seen = conversation.top is not None or bool(conversation.ids)
    calm = channel.over.bit_count() <= OVER_MOST and len(channel.recent) == RECENT
    return seen and calm and channel.absent_late < LATE_MOST


def _can_miss_a_count(site: Site) -> bool:
    channel = site.channel
    number = (site.at + channel.shop.ahead_ms) // channel.window_ms
    window = channel.windows.get(number)
    # One in seven: the other disagreements are the checkpoint's own.
    clean = window is not None and window.absent == 0 and window.held % 7 == 3  # noqa: PLR2004
    return clean and number > channel.first_window and _can_hide(site, sequences=False)


def _inbound(site: Site) -> bool:
    return not site.out


SUITS: dict[str, Callable[[Site], bool]] = {
    "delay_single": _can_be_late,
    "loss_gap": lambda site: _can_hide(site, sequences=True),
    "loss_reference": lambda site: _can_hide(site, sequences=False),
    "loss_checkpoint": lambda site: _can_hide(site, sequences=False),
    "loss_outbound": lambda site: site.out,
    "duplicate_exact": lambda _: True,
    "duplicate_content": lambda site: not site.out and len(site.conversation.last_text[0]) >= TWIN_LEAST_CHARACTERS,
    "out_of_sync": _can_miss_a_count,
    "attachment_failed": _inbound,
    "notification_missed": _inbound,
    "translation_failed": lambda site: not site.out and site.conversation.lang not in TEAM_LANGUAGES,
}
"""Where each trouble of a message may strike without making the truth ambiguous."""


def attach(event: Event, size: int) -> None:
    """Give a message a picture."""
    name = f"f-{event['message']}"
    event["attachments"] = [
        {"id": name, "kind": "image", "mime": "image/jpeg", "size": size, "url": f"https://media.example/{name}.jpg"}
    ]
