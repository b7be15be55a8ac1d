"""Amazon: a mailbox that Amazon's relay writes to, after Seller Central's pages on buyer-seller messaging.

There is no way to read a buyer's messages but these mails, and none to answer but a mail to the relay from an approved
address. Orders' changes are taken where the seller's event bus passes them on, or drawn from the seller's queue. Nobody
tells that a buyer read anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from msgspec.structs import replace

from connectors.amazon import orders
from connectors.amazon.messaging import KINDS, Messaging
from connectors.amazon.queue import SETTINGS as QUEUE_SETTINGS
from connectors.amazon.queue import Queue, region_of
from connectors.amazon.relay import RelayReader
from connectors.contract.asking import API_URL, AUTH_URL
from connectors.contract.calling import Api, DeniedError, RefusedError
from connectors.contract.connector import Binding, Drawn, Parsed, Setting, UnreadableError, WebhookRequest
from connectors.contract.history import Pointer, Probe
from connectors.contract.outgoing import Limits
from connectors.contract.signatures import require, secret
from connectors.contract.typed import Allowance, Beginning, Place
from connectors.email.connector import Email
from connectors.email.identity import conversation
from connectors.email.settings import SETTINGS
from connectors.email.threads import Clues

MOST_FILES_BYTES = 10 * 2**20
"""Files of one message through the relay."""
_ROOM = 2**20
_GROWTH = 1.37
_LEFT_OUT = frozenset({"plus_address", "refresh_token", "client_id", "client_secret", "token_url", "sign_in"})


def _setting(name: str, about: str, *, hidden: bool = False) -> Setting:
    return Setting(name=name, about=about, secret=hidden, required=False)


class Amazon(Email):
    """One seller's mailbox for buyers' messages."""

    platform = "amazon"
    settings = (
        *(one for one in SETTINGS if one.name not in _LEFT_OUT),
        _setting(
            "mail_server",
            "the name your own mail server gives itself in Authentication-Results; with it a mail that claims to be"
            " Amazon's and is not confirmed there is set apart",
        ),
        _setting("bus_key", "the key your event bus sends as x-api-key with notifications of orders", hidden=True),
        *QUEUE_SETTINGS,
        _setting("marketplace_id", "the marketplace's id, such as ATVPDKIKX0DER; for messages that you begin"),
        _setting("region", "na, eu or fe: where the Selling Partner API is asked; na when it is left out"),
        _setting("lwa_client_id", "the client id of your Selling Partner app; for messages that you begin"),
        _setting("lwa_client_secret", "the client secret beside it", hidden=True),
        _setting("lwa_refresh_token", "what the seller's consent to the app gave", hidden=True),
        API_URL,
        AUTH_URL,
    )

    kinds: ClassVar[Mapping[str, Allowance]] = KINDS
    """What may be begun, apart from answers."""
    limits = Limits(file_bytes=MOST_FILES_BYTES, forbids=frozenset({"links", "emails"}))

    def __init__(self, binding: Binding) -> None:
        super().__init__(binding)
        self.limits = Amazon.limits
        most = min(self.mail.most_bytes, int(MOST_FILES_BYTES * _GROWTH) + _ROOM)
        self.mail = replace(self.mail, most_bytes=most, plus_address=False)
        if self.queued():
            region_of(binding.settings["queue_url"])

    def reader(self) -> RelayReader:
        """What makes events of the relay's mails."""
        return RelayReader(
            self.platform,
            self.binding.account,
            self.mail.own,
            self.threads,
            self.binding.settings.get("mail_server", "").strip(),
        )

    def verify(self, request: WebhookRequest) -> None:
        """The key in x-api-key is ours; raises SignatureError."""
        require(request.headers.get("x-api-key"), secret(self.binding.settings, "bus_key"), where="x-api-key")

    def parse(self, request: WebhookRequest) -> Sequence[Parsed]:
        """A notification of a changed order; others tell nothing. Raises UnreadableError."""
        found = orders.pointer(request.body)
        return () if found is None else [found]

    async def resolve(self, pointer: Pointer, api: Api) -> Sequence[Parsed]:
        """The order, and what its buyer wants changed, in the conversation about it. Raises UnreadableError."""
        del api
        if "order" not in pointer.about:
            raise UnreadableError("the notification names no order")
        order = orders.order_of(pointer, self.platform, self.binding.account)
        known = await self.threads.find(self.platform, self.binding.account, Clues(order=order.id))
        place = known or conversation(order.id, "")
        wish = orders.wish_of(pointer, self.platform, self.binding.account, place)
        return [order] if wish is None else [order, wish]

    def queued(self) -> bool:
        """Whether a queue of the seller's is named."""
        return bool(self.binding.settings.get("queue_url", "").strip())

    async def draw(self, api: Api) -> Drawn:
        """Notifications of orders out of the seller's queue."""
        return await Queue(self.binding, api).draw()

    async def confirm(self, drawn: Drawn, api: Api) -> None:
        """They are deleted from it."""
        await Queue(self.binding, api).confirm(drawn)

    async def probe(self, api: Api) -> Probe:
        """The mailbox's, and whether the queue is there; mails come whatever the queue says."""
        found = await super().probe(api)
        if not self.queued():
            return found
        try:
            await Queue(self.binding, api).look()
        except (DeniedError, RefusedError) as wrong:
            return replace(found, subscription="disabled", detail=f"{wrong}; {found.detail}")
        return found

    async def actions(self, order: str, api: Api, *, place: Place | None = None) -> Sequence[str]:
        """The kinds of messages that may be begun about an order. Raises the errors of calling."""
        del place  # an order is a conversation here
        return await Messaging(self.binding, api).actions(order)

    async def language(self, order: str, api: Api) -> str | None:
        """The buyer's language, in which a message that is begun must be written. Raises the errors of calling."""
        return await Messaging(self.binding, api).language(order)

    async def act(self, asked: Beginning, api: Api) -> str | None:
        """Begin a message; Amazon tells no id of it. Raises the errors of calling."""
        await Messaging(self.binding, api).act(asked)


__all__ = ["Amazon"]
