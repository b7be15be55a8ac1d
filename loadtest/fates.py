"""What becomes of a message once Weir has seen it: told, translated, fetched, delivered; or not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from loadtest.world import NEVER, Conversation, Event, World, event_of

TEAM_LANGUAGES = frozenset({"en", "zh"})
ATTACHMENT_GRACE_MS = 60_000
NOTIFICATION_GRACE_MS = 15_000
OUTBOUND_GRACE_MS = 60_000
TRANSLATION_GRACE_MS = 20_000
BAD_FILES = ("failed", "expired", "unsupported", "too_large", "corrupt")
REFUSALS = (("131047", "window closed"), ("429", "rate limited"), ("blocked", "recipient blocked the shop"))
MEDIA = ("desktop", "mobile", "webhook")


class Fates:
    """Puts receipts, notifications, translations and attachments on the agenda."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.resend: Callable[[int, tuple[Conversation, Event]], None] | None = None

    def inbound(self, at: int, conversation: Conversation, event: Event, trouble: str | None) -> None:
        """A customer's message was seen."""
        world = self._world
        chance = world.rng.random
        if trouble == "notification_missed":
            self._miss(at, conversation, event["message"])
        else:
            self._told(at, conversation, event["message"])
        if conversation.lang not in TEAM_LANGUAGES and "text" in event:
            if trouble == "translation_failed":
                self._untranslated(at, conversation, event["message"])
            else:
                self._fate(
                    "translation",
                    int(at + 500 + chance() * 7_500),
                    conversation,
                    event["message"],
                    status="ok",
                    target="en",
                )
        if "attachments" in event:
            self._files(at, conversation, event, broken=trouble == "attachment_failed")
        if chance() < 0.004:  # noqa: PLR2004 # customers seldom correct themselves
            kind = "edit" if chance() < 0.6 else "delete"  # noqa: PLR2004
            self._fate(
                kind, at + world.between(5, 40), conversation, event["message"], text=f"{event.get('text', '')} *"
            )

    def outbound(self, at: int, conversation: Conversation, event: Event, trouble: str | None) -> None:
        """An answer was seen; the platform tells its fate."""
        world = self._world
        message = event["message"]
        if trouble == "loss_outbound":
            self._undelivered(at, conversation, event)
            return
        chance = world.rng.random
        accepted = int(at + 200 + chance() * 1_500)
        self._fate("receipt", accepted, conversation, message, status="accepted")
        delivered = int(accepted + 800 + chance() * 12_000)
        self._fate("receipt", delivered, conversation, message, status="delivered")
        if "resend_of" in event:
            world.call(delivered, self._resent, conversation)
        if chance() < 0.3:  # noqa: PLR2004 # a customer of three reads with receipts on
            self._fate("receipt", int(delivered + 1_000 + chance() * 30_000), conversation, message, status="read")

    def settle(self, at: int, conversation: Conversation, how: str) -> None:
        """Somebody fired, opened or answered: a customer who nobody was told of is no trouble any more."""
        bell = conversation.bell
        if bell is None:
            return
        conversation.bell = None
        conversation.busy_until = at + 1000
        del self._world.ringing[conversation.id]
        self._missed(conversation, bell, how)

    def opened(self, at: int, conversation: Conversation) -> Event | None:
        """An agent opens the conversation, unless the story needs it unopened."""
        if at <= conversation.hold:
            return None
        self.settle(at, conversation, "opened")
        return event_of(
            "action",
            conversation.channel,
            at,
            conversation=conversation.id,
            what="opened",
            agent=conversation.agent["id"],
        )

    def unresolved(self) -> None:
        """The trace ends: nobody was ever told of these."""
        for conversation in self._world.ringing.values():
            if conversation.bell:
                self._missed(conversation, conversation.bell, None)
        self._world.ringing.clear()

    def _fate(self, kind: str, at: int, conversation: Conversation, message: str, **fields: Any) -> None:
        self._world.post(
            at,
            {
                "type": kind,
                "platform": conversation.channel.platform,
                "account": conversation.channel.account,
                "at": at,
                "conversation": conversation.id,
                "message": message,
                **fields,
            },
        )

    def _told(self, at: int, conversation: Conversation, message: str) -> None:
        chance = self._world.rng.random
        fired = int(at + 300 + chance() * 4_000)
        self._fate(
            "notification", fired, conversation, message, status="fired", medium=MEDIA[int(chance() * len(MEDIA))]
        )
        if chance() < 0.1:  # noqa: PLR2004 # some agents look at the notification itself
            self._world.call(fired + self._world.between(2, 20), self._seen, (conversation, message))

    def _seen(self, at: int, subject: tuple[Conversation, str]) -> Event | None:
        conversation, message = subject
        if conversation.busy_until > at:
            return None
        return event_of(
            "notification",
            conversation.channel,
            at,
            conversation=conversation.id,
            message=message,
            status="seen",
            medium="desktop",
        )

    def _miss(self, at: int, conversation: Conversation, message: str) -> None:
        world = self._world
        conversation.busy_until = NEVER
        if world.rng.random() < 0.4:  # noqa: PLR2004 # the push service says no; else it says nothing
            rings = at + world.between(1, 4)
            self._fate("notification", rings, conversation, message, status="failed", medium="mobile")
        else:
            rings = at + NOTIFICATION_GRACE_MS
        world.call(rings, self._ring, (conversation, message))
        if world.rng.random() < 0.5:  # noqa: PLR2004 # half are told late, the others wait for an agent
            late = rings + world.between(16, 120)
            self._fate("notification", late, conversation, message, status="fired", medium="email")
            world.call(late, self._fired_late, (conversation, message))

    def _ring(self, at: int, subject: tuple[Conversation, str]) -> None:
        conversation, message = subject
        conversation.bell = (message, at)
        self._world.ringing[conversation.id] = conversation

    def _fired_late(self, at: int, subject: tuple[Conversation, str]) -> None:
        conversation, message = subject
        if conversation.bell and conversation.bell[0] == message:
            self.settle(at, conversation, "fired")

    def _missed(self, conversation: Conversation, bell: tuple[str, int], how: str | None) -> None:
        self._world.expect(
            "notification_missed",
            "notification_missed",
            conversation.channel,
            conversation,
            message=bell[0],
            opened_at=bell[1],
            resolution=how,
        )

    def _untranslated(self, at: int, conversation: Conversation, message: str) -> None:
        world = self._world
        opens = at + TRANSLATION_GRACE_MS
        if world.rng.random() < 0.5:  # noqa: PLR2004 # refused or never answered
            opens = at + world.between(1, 6)
            self._fate("translation", opens, conversation, message, status="failed", detail="engine unavailable")
        mended = opens + world.between(5, 240) if world.rng.random() < 0.5 else None  # noqa: PLR2004
        if mended:
            self._fate("translation", mended, conversation, message, status="ok", target="en")
        conversation.busy_until = (mended or opens) + 1000
        world.expect(
            "translation_failed",
            "translation_failed",
            conversation.channel,
            conversation,
            message=message,
            opened_at=opens,
            resolution="translated" if mended else None,
        )

    def _files(self, at: int, conversation: Conversation, event: Event, *, broken: bool) -> None:
        world = self._world
        for attachment in event["attachments"]:
            if not broken:
                self._file(at + world.between(1, 25), conversation, event["message"], attachment["id"], "ok")
                continue
            broken = False
            opens = at + ATTACHMENT_GRACE_MS
            if world.rng.random() < 0.6:  # noqa: PLR2004 # refused or never answered
                opens = at + world.between(1, 12)
                status = BAD_FILES[int(world.rng.random() * len(BAD_FILES))]
                self._file(opens, conversation, event["message"], attachment["id"], status)
            mended = opens + world.between(5, 240) if world.rng.random() < 0.45 else None  # noqa: PLR2004
            if mended:
                self._file(mended, conversation, event["message"], attachment["id"], "ok")
            conversation.busy_until = (mended or opens) + 1000
            world.expect(
                "attachment_failed",
                "attachment_failed",
                conversation.channel,
                conversation,
                message=event["message"],
                opened_at=opens,
                resolution="recovered" if mended else None,
            )

    def _file(self, at: int, conversation: Conversation, message: str, attachment: str, status: str) -> None:
        self._fate("attachment", at, conversation, message, attachment=attachment, status=status)

    def _undelivered(self, at: int, conversation: Conversation, event: Event) -> None:
        world = self._world
        message = event["message"]
        chance = world.rng.random()
        opens = at + OUTBOUND_GRACE_MS
        if chance < 0.6:  # noqa: PLR2004 # refused, else no word at all
            opens = at + world.between(2, 8)
            code, reason = REFUSALS[int(world.rng.random() * len(REFUSALS))]
            self._fate("receipt", opens, conversation, message, status="failed", error={"code": code, "reason": reason})
        conversation.failed = (message, opens)
        conversation.busy_until = NEVER
        if chance < 0.3 and self.resend is not None:  # noqa: PLR2004 # the agent sends it again
            world.call(opens + world.between(8, 60), self.resend, (conversation, event))
            return
        mended = opens + world.between(5, 200) if world.rng.random() < 0.45 else None  # noqa: PLR2004
        if mended:
            self._fate("receipt", mended, conversation, message, status="delivered")
        self.delivery_known((mended or opens) + 1000, conversation, "delivered" if mended else None)

    def delivery_known(self, at: int, conversation: Conversation, resolution: str | None) -> None:
        """How a failed answer ended is certain now."""
        if conversation.failed is None:
            return
        message, opened_at = conversation.failed
        conversation.failed = None
        conversation.busy_until = at
        self._world.expect(
            "loss",
            "outbound",
            conversation.channel,
            conversation,
            message=message,
            opened_at=opened_at,
            resolution=resolution,
        )

    def _resent(self, at: int, conversation: Conversation) -> None:
        self.delivery_known(at, conversation, "resent")
