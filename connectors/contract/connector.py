"""The contract of a connector: one platform's webhook, understood for one channel.

A webhook request goes `handshake` → `verify` → `parse`, in this order, and is answered once the events are durable.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal, TypeAlias

from msgspec import Struct, field

from actors.errors import PermanentError, RejectedError
from actors.events import Event


class SignatureError(PermanentError):
    """The request does not prove that it comes from the platform: 401, and nothing of it is kept."""


class UnreadableError(RejectedError):
    """A genuine request whose body as a whole tells nothing that can be read: journalled with its bytes."""


class WebhookRequest(Struct, frozen=True, kw_only=True):
    """What came in: `headers` by lower-case name, `query` by name, `body` byte for byte as it was sent."""

    method: Literal["GET", "POST"]
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""


class Answer(Struct, frozen=True, kw_only=True):
    """What the platform is told."""

    status: int = 200
    body: bytes = b""
    media_type: str = "text/plain"


class Refused(Struct, frozen=True):
    """One item of a request that cannot be read: its bytes as JSON and why. It harms no other item."""

    raw: bytes
    reason: str


Parsed: TypeAlias = Event | Refused


class Setting(Struct, frozen=True, kw_only=True):
    """One thing a channel's binding must (or may) hold; `name` in lower case with underscores, `about` for a person.

    A secret one is stored encrypted and never shown again.
    """

    name: str
    about: str
    secret: bool = True
    required: bool = True


class Binding(Struct, frozen=True, kw_only=True):
    """A channel bound to a platform: its `account` in Weir, the `url` registered there, and its settings by name."""

    account: str
    url: str
    settings: Mapping[str, str] = field(default_factory=dict[str, str])

    def __repr__(self) -> str:
        """Without the settings: some are secrets."""
        return f"Binding(account={self.account!r}, url={self.url!r})"


class Limits(Struct, frozen=True, kw_only=True):
    """What the platform allows an answer to be; None: not known or not limited.

    `text`: longest text, counted in `unit`; `window_ms`: how long after the customer's last message an answer may go.
    """

    text: int | None = None
    unit: Literal["characters", "bytes"] = "characters"
    window_ms: int | None = None


class Capabilities(Struct, frozen=True, kw_only=True):
    """What the platform tells of: `receipts` of our messages, `edits` and `deletes`, `echoes` of our own messages."""

    receipts: frozenset[Literal["accepted", "delivered", "read", "failed"]] = frozenset()
    edits: bool = False
    deletes: bool = False
    echoes: bool = False


class Connector(ABC):
    """One platform's webhook for one channel. Stateless between requests."""

    platform: ClassVar[str]
    """As in SPEC section 1."""
    settings: ClassVar[tuple[Setting, ...]]
    capabilities: ClassVar[Capabilities] = Capabilities()
    limits: ClassVar[Limits] = Limits()
    accepted: ClassVar[Answer] = Answer()
    """What a request is answered whose events are durable."""

    def __init__(self, binding: Binding) -> None:
        self.binding = binding

    def handshake(self, request: WebhookRequest) -> Answer | None:
        """The answer to the platform's question whether this address is ours; None when the request is none.

        It is asked before any signature is looked at. Raises SignatureError when it asks with a wrong token.
        """
        del request
        return None

    @abstractmethod
    def verify(self, request: WebhookRequest) -> None:
        """Return when the request is the platform's own; raises SignatureError."""

    @abstractmethod
    def parse(self, request: WebhookRequest) -> Sequence[Parsed]:
        """The events of a genuine request, in the platform's order; what tells nothing of messages gives none.

        Events carry no `at`: whoever takes them in stamps them. Raises UnreadableError and nothing else.
        """
