"""The contract of a connector: one platform, spoken for one channel.

In: a webhook request goes `handshake` → (`prepare`) → `verify` → `parse`, in this order, and is answered once all it
tells is durable; what it only points to is fetched by `resolve`. What waits in a queue of the platform's: `draw`, then
`confirm`. Out: `objections`, then `send`. What was missed: `history`. The channel itself: `authorise_url` → `exchange`,
`renew`, `probe`. Files: `locate`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import ClassVar, Literal, TypeAlias

from msgspec import Struct, field

from actors.errors import PermanentError, RejectedError
from actors.events import Attachment, Delete, Event
from actors.orders import ForgetCustomer, Order
from connectors.contract.authorising import Ask, Grant, OAuth, Reply
from connectors.contract.calling import Api, ApiRequest, RefusedError
from connectors.contract.history import Pace, Pointer, Probe, Window
from connectors.contract.outgoing import Limits, Objection, Outgoing, Sent
from connectors.contract.rules import objections


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


class OnePerson(Struct, frozen=True):
    """Names that are all of one person, as senders and as conversations; the first is kept when none was heard before.

    A connector that tells of them sets `aliases`, and tells of a name that comes alone, too.
    """

    names: tuple[str, ...]


class UpTo(Struct, frozen=True, kw_only=True):
    """That a customer has all of our messages of a conversation that were sent until `at` (ms); none is named."""

    conversation: str
    status: Literal["delivered", "read"]
    at: int


Parsed: TypeAlias = Event | Refused | Pointer | Order | ForgetCustomer | OnePerson | UpTo


class Drawn(Struct, frozen=True, kw_only=True):
    """What waited in a platform's queue. `done`: what confirms each thing that was drawn, as the platform names it."""

    parsed: Sequence[Parsed] = ()
    done: tuple[str, ...] = ()


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


class Shared(Struct, frozen=True, kw_only=True):
    """That all accounts of one app of a platform share the address of their webhooks.

    `by`: the open setting that names the account at the platform; `app`: the settings that all of one app have equal.
    """

    by: str
    app: tuple[str, ...]


class Capabilities(Struct, frozen=True, kw_only=True):
    """What the platform can do.

    It tells of `receipts` of our messages, `edits` and `deletes`, and `echoes` of our own messages; it takes replies
    (`sends`), and the same one twice only once by our id (`idempotent`); it gives `history`; for so long after it was
    sent a message of ours may be taken back (`recall_ms`; None: never).
    """

    receipts: frozenset[Literal["accepted", "delivered", "read", "failed"]] = frozenset()
    edits: bool = False
    deletes: bool = False
    echoes: bool = False
    sends: bool = False
    idempotent: bool = False
    history: bool = False
    recall_ms: int | None = None


class Connector(ABC):
    """One platform for one channel. Stateless between requests: what lasts is in the binding and in the store."""

    platform: ClassVar[str]
    """As in SPEC section 1."""
    settings: ClassVar[tuple[Setting, ...]]
    capabilities: Capabilities = Capabilities()
    limits: Limits = Limits()
    """Of the platform; a channel's own, which its settings may change, are those of the instance."""
    pace: ClassVar[Pace] = Pace()
    polls: ClassVar[bool] = False
    """Messages come by asking for `history` and in no other way: what a sweep brings was not lost."""
    prepares: ClassVar[bool] = False
    """Whether `prepare` must come before `verify`."""
    aliases: ClassVar[bool] = False
    """Whether the platform knows a person by several names, of which `parse` tells as `OnePerson`."""
    shared: ClassVar[Shared | None] = None
    """None: each channel has an address of its own."""
    oauth: ClassVar[OAuth | None] = None
    """None: the channel's settings are typed in by a person."""
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

    async def prepare(self, request: WebhookRequest, api: Api) -> None:
        """Get what `verify` needs and the binding does not hold, such as a public key; only where `prepares` is set.

        Anybody may have sent the request: what it costs is bounded. Raises RetriableError, and the platform sends it
        again.
        """
        del request, api

    @abstractmethod
    def verify(self, request: WebhookRequest) -> None:
        """Return when the request is the platform's own; raises SignatureError."""

    def route(self, request: WebhookRequest) -> str | None:
        """The account at the platform that a genuine request is for, as the setting `shared.by` has it.

        None when it tells of none; never raises. Only asked where `shared` is set.
        """
        del request
        return None

    @abstractmethod
    def parse(self, request: WebhookRequest) -> Sequence[Parsed]:
        """The events of a genuine request, in the platform's order; what tells nothing of messages gives none.

        Events carry no `at`: whoever takes them in stamps them. Raises UnreadableError and nothing else.
        """

    def objections(self, message: Outgoing, now: int) -> Sequence[Objection]:
        """Why the platform would not take this reply at `now` (ms); empty when it would."""
        return objections(message, self.limits, now)

    async def send(self, message: Outgoing, api: Api) -> Sent:
        """Send a reply, once. Raises the errors of `connectors.contract.calling`.

        An UncertainError when it may have gone out, and only then.
        """
        del message, api
        raise RefusedError(f"messages of {self.platform} cannot be answered from here")

    async def recall(self, conversation: str, message: str, api: Api) -> Delete:
        """Take a message of ours back; what the platform tells of that, too. Only where `recall_ms` is set.

        Raises the errors of `connectors.contract.calling`.
        """
        del message, api
        raise RefusedError(f"{self.platform} takes nothing back in {conversation!r}")

    def history(self, window: Window, api: Api) -> AsyncIterator[Sequence[Parsed]]:
        """What the platform holds of a window, page by page, in any order, both directions; more is no harm.

        The pages are closed by whoever stops early. Raises the errors of `connectors.contract.calling`.
        """
        del window, api
        return _nothing()

    def marks_read(self) -> bool:
        """Whether the platform is to be told what was read here: only where the channel's setting says so."""
        return self.binding.settings.get("mark_read", "").strip() == "yes"

    async def mark_read(self, conversation: str, message: str, api: Api) -> None:
        """Tell that a conversation was read up to this message. Raises the errors of `connectors.contract.calling`."""
        del message, api
        raise RefusedError(f"{self.platform} is not told that {conversation!r} was read")

    def queued(self) -> bool:
        """Whether something of this channel waits in a queue at its platform, which `draw` empties."""
        return False

    async def draw(self, api: Api) -> Drawn:
        """Some of what waits there, the earliest; waits a while for it, half a minute at most.

        What is not confirmed comes again. Raises the errors of `connectors.contract.calling`.
        """
        del api
        return Drawn()

    async def confirm(self, drawn: Drawn, api: Api) -> None:
        """That it is durable here and is not to come again. Raises the errors of `connectors.contract.calling`."""
        del drawn, api

    async def resolve(self, pointer: Pointer, api: Api) -> Sequence[Parsed]:
        """What a pointer of `parse` names. Raises UnreadableError and the errors of `connectors.contract.calling`."""
        del pointer, api
        return ()

    async def locate(self, attachment: Attachment, api: Api) -> ApiRequest | None:
        """The request whose answer is a file that came with a message; None when there is no way to it.

        Raises the errors of `connectors.contract.calling`.
        """
        del api
        return ApiRequest(method="GET", url=attachment.url) if attachment.url else None

    async def content(self, attachment: Attachment, api: Api) -> bytes | None:
        """A file that came with a message, where no HTTP request gives it; None elsewhere. To be asked before `locate`.

        Raises the errors of `connectors.contract.calling`.
        """
        del attachment, api
        return None

    async def probe(self, api: Api) -> Probe:
        """How the channel stands at its platform. A DeniedError is an answer too: the authorisation is gone."""
        del api
        return Probe()

    def authorise_url(self, ask: Ask) -> str:
        """Where a person's browser goes to authorise the channel; only where `oauth` is set."""
        raise RefusedError(f"{self.platform} is not authorised in a browser: {ask.redirect} has no use")

    async def exchange(self, reply: Reply, api: Api) -> Grant:
        """What the platform grants for the code in its redirect; only where `oauth` is set."""
        del reply, api
        raise RefusedError(f"{self.platform} is not authorised in a browser")

    async def renew(self, api: Api) -> Grant | None:
        """The grant anew, before the present one runs out; None where it never does or only a person can.

        Raises DeniedError when it cannot be renewed any more.
        """
        del api
        return None


async def _nothing() -> AsyncIterator[Sequence[Parsed]]:
    for page in ():
        yield page
