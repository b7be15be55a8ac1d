"""Shops, buyers, conversations, messages, orders: everything the emulated platforms hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Literal, TypeAlias

from msgspec import Struct, field

Direction: TypeAlias = Literal["in", "out"]
Status: TypeAlias = Literal["held", "delivered", "read", "failed", "recalled", "erased"]


class Media(Struct, frozen=True, kw_only=True):
    """A file: its bytes, and its kind as in `image/png`."""

    mime: str
    content: bytes


class Buyer(Struct, frozen=True, kw_only=True):
    """A person; ids in the platform's own style."""

    id: str
    name: str
    language: str


class Message(Struct, kw_only=True):
    """One message as its platform holds it. `by`: who wrote it; `media`: the key of its picture. Times in ms."""

    shop: str
    conversation: str
    id: str
    direction: Direction
    at: int
    number: int
    text: str = ""
    media: str | None = None
    by: Literal["buyer", "api", "app", "robot"] = "buyer"
    status: Status = "held"
    changed_at: int = 0
    reply_to: str | None = None
    order: str | None = None
    client: str | None = None


class Conversation(Struct, kw_only=True):
    """What a buyer and a shop have said to each other, oldest first."""

    id: str
    shop: str
    buyer: Buyer
    messages: list[Message] = field(default_factory=list)

    def last(self, direction: Direction | None = None) -> Message | None:
        """The latest message, of all or of one direction."""
        return next((m for m in reversed(self.messages) if direction in {None, m.direction}), None)


class Order(Struct, kw_only=True):
    """An order of a shop that tells of orders and not of chats. `total` in hundredths. Times in ms."""

    shop: str
    id: str
    number: int
    buyer: Buyer
    at: int
    changed_at: int
    status: str
    total: int
    currency: str = "EUR"
    phone: str | None = None


class Token(Struct, kw_only=True):
    """What was granted to a shop's app. Times in ms; None: it never runs out."""

    access: str
    refresh: str = ""
    expires_at: int | None = None
    refresh_by: int | None = None
    spent: set[str] = field(default_factory=set)


class Shop(Struct, kw_only=True):
    """One shop at one platform: `ids` holds its numbers and the secrets of its app, by the platform's names.

    `pushing`: whether its webhook is on; `codes`: authorisation codes that were not exchanged yet; `begun`: messages of
    a kind that its app began; `read`: up to which message its app said that a conversation was read (`all`: TikTok and
    eBay take no message).
    """

    platform: str
    account: str
    number: int
    name: str
    language: str
    ids: dict[str, str]
    token: Token
    webhook: str | None = None
    pushing: bool = True
    buyers: list[Buyer] = field(default_factory=list)
    conversations: dict[str, Conversation] = field(default_factory=dict)
    orders: list[Order] = field(default_factory=list)
    codes: set[str] = field(default_factory=set)
    begun: list[dict[str, Any]] = field(default_factory=list)
    read: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def key(self) -> str:
        """`platform/account`."""
        return f"{self.platform}/{self.account}"

    def messages(self) -> list[Message]:
        """All of them, oldest first."""
        found = [message for one in self.conversations.values() for message in one.messages]
        return sorted(found, key=lambda message: (message.at, message.number))

    def find(self, message: str, conversation: str | None = None) -> Message | None:
        """A message by its id, which counts within its conversation at some platforms."""
        where = self.conversations.values() if conversation is None else [self.conversations.get(conversation)]
        return next((m for one in where if one for m in reversed(one.messages) if m.id == message), None)


Thing: TypeAlias = Message | Order | Shop
Changed: TypeAlias = Callable[[Thing], None]


class World:
    """All shops. Whoever keeps a journal is told by `changed` of every message, order and shop that is new or other."""

    def __init__(self) -> None:
        self.shops: dict[str, Shop] = {}
        self.media: dict[str, Media] = {}
        self.changed: list[Changed] = []
        self.known: dict[tuple[str, str], tuple[str, str]] = {}
        """Buyers of chats, by shop and id, who order elsewhere too: the shop and their id there."""
        self.phones: dict[tuple[str, str], str] = {}
        """The telephone numbers that orders bear, by the shop and the id of who orders."""
        self._last = 0

    def add(self, shop: Shop) -> None:
        """One more shop."""
        self.shops[shop.key] = shop

    def of(self, platform: str) -> list[Shop]:
        """The shops of a platform, in their order."""
        return [shop for shop in self.shops.values() if shop.platform == platform]

    def mark(self, at: int) -> int:
        """A number that no other thing has: about the microseconds of the time `at` (ms), always growing."""
        self._last = max(self._last + 1, at * 1000)
        return self._last

    def put(self, message: Message) -> None:
        """Hold a message; the conversation must be there."""
        self._last = max(self._last, message.number)
        conversation = self.shops[message.shop].conversations[message.conversation]
        conversation.messages.append(message)
        if len(conversation.messages) > 1 and conversation.messages[-2].at > message.at:
            conversation.messages.sort(key=lambda one: (one.at, one.number))
        self.tell(message)

    def erase(self, message: Message) -> None:
        """Hold a message no more."""
        message.status = "erased"
        self.shops[message.shop].conversations[message.conversation].messages.remove(message)
        self.tell(message)

    def tell(self, thing: Thing) -> None:
        """Something is new or other than it was."""
        for told in self.changed:
            told(thing)

    def messages(self) -> Iterable[Message]:
        """Everything that was said, shop by shop."""
        return (message for shop in self.shops.values() for message in shop.messages())
