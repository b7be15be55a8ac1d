"""A platform that takes replies, for tests: its connector speaks through an API that plays what a test wants.

    office.plays(Sent(message="p1"), UncertainError("no answer"))

Each sending takes the next of these, and goes through `Office.call` like every connector's; none left: it is taken, as
`p1`, `p2`, … The history is what the test put down.
"""

from __future__ import annotations

import asyncio

import msgspec

from actors.events import Message
from connectors.contract.calling import ApiRequest, ApiResponse, checked
from connectors.contract.connector import Binding, Capabilities, Connector, UnreadableError
from connectors.contract.outgoing import Limits, Sent

PLATFORM, ACCOUNT, CONVERSATION = "postal", "office-1", "c1"
KEY = f"{PLATFORM}/{ACCOUNT}/{CONVERSATION}"


class Postal(Connector):
    """Posts a letter, and reads the tray of what was posted."""

    platform = PLATFORM
    settings = ()
    capabilities = Capabilities(sends=True, echoes=True, history=True, receipts=frozenset({"accepted", "delivered"}))
    limits = Limits(text=200, files=1)

    def verify(self, request):
        del request

    def parse(self, request):
        raise UnreadableError(f"nothing comes by {request.method}")

    async def send(self, message, api):
        body = {"id": message.id, "to": message.recipient, "text": message.text, "quotes": message.reply_to}
        response = await api.call(
            ApiRequest(method="POST", url="https://postal.test/letters", body=msgspec.json.encode(body))
        )
        return Sent(message=msgspec.json.decode(checked(response).body)["letter"])

    async def history(self, window, api):
        response = await api.call(ApiRequest(method="GET", url="https://postal.test/tray"))
        yield [
            letter
            for letter in msgspec.json.decode(checked(response).body, type=list[Message])
            if window.since <= letter.sent_at < window.until
        ]


class Keyed(Postal):
    """The same, where the platform takes a letter of one id once, and shows no tray."""

    capabilities = Capabilities(sends=True, idempotent=True)


class KeyedTray(Postal):
    """Takes a letter of one id once, says so when it is asked, and shows its tray: like a mailbox."""

    capabilities = Capabilities(sends=True, idempotent=True, history=True)


class Mute(Postal):
    """Takes no letters."""

    capabilities = Capabilities()


class Office:
    """The API: what is sent is in `sent`, in order; `tray` is its history."""

    def __init__(self, clock):
        self._clock = clock
        self._plays = []
        self.sent = []
        self.tray = []
        self.asked = 0
        self.connector = bound(Postal)
        self.tray_error = None

    def plays(self, *outcomes):
        """What the next sendings come to: a `Sent`, an error, or a coroutine function to wait for first."""
        self._plays += outcomes

    def bind(self, kind):
        """Another connector, as after a change of the binding; None: not bound."""
        self.connector = None if kind is None else bound(kind)

    async def find(self, platform, account):
        assert (platform, account) == (PLATFORM, ACCOUNT)
        return self.connector

    def api(self, connector):
        del connector
        return self

    def now(self):
        return self._clock()

    async def call(self, request):
        if request.method == "GET":
            self.asked += 1
            if self.tray_error is not None:
                raise self.tray_error
            return ApiResponse(status=200, body=msgspec.json.encode(self.tray))
        self.sent.append(msgspec.json.decode(request.body))
        outcome = self._plays.pop(0) if self._plays else Sent(message=f"p{len(self.sent)}")
        if asyncio.iscoroutinefunction(outcome):
            outcome = await outcome()
        if isinstance(outcome, Exception):
            raise outcome
        return ApiResponse(status=200, body=msgspec.json.encode({"letter": outcome.message}))

    @property
    def texts(self):
        return [letter["text"] for letter in self.sent]


def bound(kind):
    """A connector of the one channel."""
    return kind(Binding(account=ACCOUNT, url="https://weir.test/webhooks/postal/office-1"))


def echo(message, at, text="hello", **fields):
    """What the platform tells of an outbound message."""
    base = {"platform": PLATFORM, "account": ACCOUNT, "conversation": CONVERSATION, "direction": "out"}
    return Message(**(base | {"message": message, "sent_at": at, "text": text} | fields))
