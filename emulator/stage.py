"""What every emulated platform stands on: the world, its time, its faults, and how things happen in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import TYPE_CHECKING, Literal

from msgspec.structs import replace
from starlette.responses import Response

from emulator.agenda import Agenda
from emulator.clock import Clock
from emulator.faults import Faults
from emulator.pictures import jpeg, png
from emulator.pushes import Delivery, Happening, HappeningKind, Pusher
from emulator.world import Conversation, Media, Message, Order, Shop, World

if TYPE_CHECKING:  # a platform stands on a stage that knows its platforms
    from emulator.platforms.contract import Platform

BY_ADDRESS = "text/uri-list"
"""The kind of a file that was sent by its address."""
DELIVERED_S, READ_S = (0.5, 3.0), (4.0, 40.0)


class Stage:
    """One emulator. `base_url`: where it answers, known once it listens."""

    def __init__(self, clock: Clock, seed: int) -> None:
        self.clock = clock
        self.rng = Random(seed)  # noqa: S311 # the same seed gives the same world
        self.faults = Faults(Random(seed + 1))  # noqa: S311 # as above
        self.world = World()
        self.agenda = Agenda(clock)
        self.platforms: dict[str, Platform] = {}
        self.pusher = Pusher(clock, self.faults, lambda name: self.platforms[name])
        self.pusher.changed = self.world.tell
        self.base_url = "http://127.0.0.1:8090"
        self.answered: list[Callable[[Message], None]] = []
        """Told of every message that a shop has written."""
        self.owners: dict[str, tuple[str, str]] = {}
        """Platform and account of the shop that a file was sent to or by, by the file's key."""

    def happen(
        self,
        shop: Shop,
        kind: HappeningKind,
        *,
        message: Message | None = None,
        order: Order | None = None,
        status: str = "",
        body: bytes | None = None,
    ) -> Delivery:
        """Something happens, and is pushed: as things are now, whatever becomes of them later."""
        now = self.clock.now()
        happening = Happening(
            id=self.world.mark(now),
            kind=kind,
            shop=shop.key,
            at=now,
            message=None if message is None else replace(message),
            order=None if order is None else replace(order),
            status=status,
            body=body,
        )
        return self.pusher.tell(shop, happening)

    def conversation(self, shop: Shop, buyer: str | None = None, own: str | None = None) -> Conversation:
        """A conversation by its own id or by its buyer's, begun if there was none; without either, anybody's."""
        if own is not None and own in shop.conversations:
            return shop.conversations[own]
        person = next((one for one in shop.buyers if one.id == buyer), None) or self.rng.choice(shop.buyers)
        found = self.platforms[shop.platform].conversation_id(shop, person)
        return shop.conversations.setdefault(found, Conversation(id=found, shop=shop.key, buyer=person))

    def write(
        self,
        conversation: Conversation,
        text: str = "",
        *,
        by: Literal["buyer", "api", "app", "robot"] = "buyer",
        media: str | None = None,
        at: int | None = None,
        reply_to: str | None = None,
        order: str | None = None,
        client: str | None = None,
        own: str | None = None,
    ) -> Message:
        """Somebody writes; the platform holds it, and tells of it."""
        shop = self.world.shops[conversation.shop]
        platform = self.platforms[shop.platform]
        sent = self.clock.now() if at is None else at
        number = self.world.mark(sent)
        message = Message(
            shop=shop.key,
            conversation=conversation.id,
            id=own or platform.message_id(shop, conversation, number),
            direction="in" if by == "buyer" else "out",
            at=sent,
            number=number,
            text=text,
            media=media,
            by=by,
            changed_at=sent,
            reply_to=reply_to,
            order=order,
            client=client,
        )
        if media is not None:
            self.owners[media] = shop.platform, shop.account
        self.world.put(message)
        if platform.pushed(message):
            self.happen(shop, "message", message=message)
        if message.direction == "out":
            self._plan_receipts(shop, message, platform.receipts)
            for told in self.answered:
                told(message)
        return message

    def recall(self, message: Message) -> None:
        """Whoever wrote it takes it back."""
        message.status, message.changed_at = "recalled", self.clock.now()
        self.world.tell(message)
        self.happen(self.world.shops[message.shop], "recall", message=message)

    def erase(self, message: Message) -> None:
        """The platform holds it no more, and tells nobody."""
        message.changed_at = self.clock.now()
        self.world.erase(message)

    def fail(self, message: Message) -> None:
        """The platform does not deliver our message after all."""
        message.status, message.changed_at = "failed", self.clock.now()
        self.world.tell(message)
        self.happen(self.world.shops[message.shop], "status", message=message, status="failed")

    def order(self, shop: Shop, order: Order, *, new: bool) -> None:
        """An order is placed or changed."""
        if new:
            shop.orders.append(order)
        self.world.tell(order)
        self.happen(shop, "order", order=order, status="created" if new else "updated")

    def picture(self, mime: str = "image/jpeg") -> str:
        """A new picture; its key among the media."""
        key = f"{self.world.mark(self.clock.now()):x}"
        self.draw(key, mime)
        return key

    def draw(self, key: str, mime: str) -> None:
        """The picture of that key, always the same."""
        number = int(key, 16)
        self.world.media[key] = Media(mime=mime, content=png(number) if mime == "image/png" else jpeg(number))

    def upload(self, mime: str, content: bytes) -> str:
        """Keep a file that was sent; its key."""
        key = f"{self.world.mark(self.clock.now()):x}"
        self.world.media[key] = Media(mime=mime, content=content)
        return key

    def linked(self, shop: Shop, url: str) -> str | None:
        """The key of a file that is named by its address: of one uploaded before, else of the address itself."""
        if not url:
            return None
        key = url.rpartition("/")[2].partition(".")[0]
        if url.startswith(self.base_url) and key in self.world.media:
            return key
        key = self.upload(BY_ADDRESS, url.encode())
        self.owners[key] = shop.platform, shop.account
        return key

    def media_url(self, key: str) -> str:
        """Where a file of the platforms' content network is."""
        found = self.world.media.get(key)
        kind = "image/jpeg" if found is None else found.mime
        if found is not None and kind == BY_ADDRESS:
            return found.content.decode()
        return f"{self.base_url}/media/{key}.{kind.rpartition('/')[2]}"

    def file(self, key: str, owner: tuple[str, str] | None = None) -> Response:
        """The answer with a file, or with what a fault makes of it. `owner`: the shop it must belong to."""
        found, where = self.world.media.get(key), self.owners.get(key, ("", ""))
        foreign = owner is not None and owner != where
        if found is None or foreign or self.faults.strikes("expire_attachment", *where):
            return Response("URL signature expired", 403, media_type="text/plain")
        content = found.content
        if self.faults.strikes("corrupt_attachment", *where):
            middle = len(content) // 2
            content = content[: middle // 2] + bytes(255 - byte for byte in content[middle // 2 : middle])
        return Response(content, media_type=found.mime)

    def shops(self) -> Iterator[tuple[Platform, Shop]]:
        """Every shop with its platform."""
        return ((self.platforms[shop.platform], shop) for shop in self.world.shops.values())

    def _plan_receipts(self, shop: Shop, message: Message, statuses: tuple[str, ...]) -> None:
        due = self.clock.now()
        for status in statuses:
            spread = READ_S if status == "read" else DELIVERED_S if status == "delivered" else (0.1, 0.3)
            due += round(self.rng.uniform(*spread) * 1000)
            self.agenda.put(due, lambda status=status: self._receipt(shop, message, status))

    def _receipt(self, shop: Shop, message: Message, status: str) -> None:
        if message.status in {"failed", "recalled"}:
            return
        if status in {"delivered", "read"}:
            message.status, message.changed_at = status, self.clock.now()  # pyright: ignore[reportAttributeAccessIssue] # narrowed by the line above
            self.world.tell(message)
        self.happen(shop, "status", message=message, status=status)
