"""A platform of the tests that holds messages, and a Weir of one partition that is told of them or not.

The store, the log and the engine are the real ones; the clock is moved by the test.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import ClassVar

import msgspec

from actors.events import Delete, Message, Receipt, Sender
from connectors.contract.connector import Binding, Capabilities, Connector
from connectors.contract.history import Pace
from services.arrivals.arrivals import Arrivals
from services.channels.bindings import ChannelView
from services.channels.platform_api import Apis
from services.replies.echoes import Echoes
from services.sweeps.reconciling import Reconciler
from services.sweeps.sweeps import Sweeper
from streams.coordination.locks import LocalLocks
from streams.coordination.rate_limits import LocalRateLimits
from tests.services_health.town import Town

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


class Bazaar(Connector):
    """`shelf` is what the platform holds; `asked` the windows of its history that were asked for."""

    platform = "bazaar"
    settings = ()
    capabilities = Capabilities(receipts=frozenset({"accepted"}), echoes=True, sends=True, history=True)
    pace = Pace(sweep_s=900, depth_s=3_600)
    per_page: ClassVar[int] = 3

    def __init__(self, binding):
        super().__init__(binding)
        self.shelf = []
        self.asked = []
        self.failing = None
        self.gate = None
        self.reached = asyncio.Event()

    def verify(self, request):
        del request

    def parse(self, request):
        del request
        return ()

    def message(self, number, sent_at, *, conversation="c1", direction="in", text=None):
        role = "customer" if direction == "in" else "agent"
        return Message(
            platform=self.platform,
            account=self.binding.account,
            conversation=conversation,
            message=f"m{number}",
            sent_at=sent_at,
            direction=direction,
            sender=Sender(id=f"{role} of {conversation}", role=role),
            text=text or f"message number {number}",
            lang="en",
        )

    def told(self, message, status):
        return Receipt(
            platform=self.platform,
            account=self.binding.account,
            conversation=message.conversation,
            message=message.message,
            status=status,
            event=f"{message.message}/{status}",
        )

    def recalled(self, message):
        return Delete(
            platform=self.platform,
            account=self.binding.account,
            conversation=message.conversation,
            message=message.message,
            event=f"{message.message}/recalled",
        )

    async def history(self, window, api):
        del api
        self.asked.append(window)
        self.reached.set()
        if self.gate is not None:
            await self.gate.wait()
        found = [one for one in self.shelf if self._is_in(one, window)]
        for start in range(0, len(found), self.per_page):
            yield found[start : start + self.per_page]
        if self.failing is not None:
            raise self.failing

    def _is_in(self, one, window):
        if window.conversation not in (None, one.conversation):
            return False
        return not isinstance(one, Message) or window.since <= one.sent_at < window.until


class Stall(Bazaar):
    """A platform that pushes nothing."""

    platform = "stall"
    polls = True
    pace = Pace(sweep_s=30, depth_s=600)


class Town2(Town):
    """A town that channels are bound in: gateway, reader and bindings in one."""

    def __init__(self, path):
        super().__init__(path)
        self.connectors = {}
        self.created = {}
        self.oldest = None
        self.lines = []

    def bound(self, kind=Bazaar, account="shop-1"):
        found = kind(Binding(account=account, url="https://weir.test", settings={}))
        self.connectors[(kind.platform, account)] = found
        self.created[(kind.platform, account)] = self.now
        return found

    async def submit(self, entries):
        self.lines += entries
        await self.tell(*entries)

    async def waiting_since(self):
        return self.oldest

    async def connector(self, platform, account):
        return self.connectors.get((platform, account))

    async def bindings(self):
        return [
            ChannelView(
                platform=platform,
                account=account,
                url="",
                settings=[],
                secrets=[],
                missing=[],
                key="",
                created_at=self.created[(platform, account)],
                created_by="ada",
                changed_at=0,
            )
            for platform, account in self.connectors
        ]

    async def pushed(self, connector, *events):
        """Webhooks tell these."""
        connector.shelf += [one for one in events if one not in connector.shelf]
        await self.arrivals.take(connector, events)

    def parts(self):
        self.gateway = TownGateway(self)
        self.arrivals = Arrivals(self.gateway, self.store, echoes=Echoes(self.store, self.clock))
        self.apis = Apis(LocalRateLimits(), self.clock)
        self.reconciler = Reconciler(self.store, self.arrivals)
        self.locks = LocalLocks()

    def sweeper(self, **changes):
        named = {
            "store": self.store,
            "channels": self,
            "reconciler": self.reconciler,
            "arrivals": self.arrivals,
            "apis": self.apis,
            "locks": self.locks,
            "reader": self,
            "now": self.clock,
        }
        return Sweeper(**(named | changes))

    async def pass_by(self, ms):
        await self.pass_to(self.now + ms)

    async def texts(self, conversation="c1", platform="bazaar", account="shop-1"):
        rows = (await self.store.messages(f"{platform}/{account}/{conversation}", 500)).items
        return {row.message: row.text for row in rows}


class TownGateway:
    """The way in: what is accepted is applied and saved at once."""

    def __init__(self, town):
        self.town = town

    def now(self):
        return self.town.now

    async def submit(self, entries):
        # As it would be read from the log.
        await self.town.submit([msgspec.json.decode(msgspec.json.encode(one), type=type(one)) for one in entries])


@asynccontextmanager
async def opened_town(data_dir):
    """A town with its parts, for the length of the block."""
    made = Town2(data_dir)
    await made.open()
    made.parts()
    try:
        yield made
    finally:
        await made.apis.close()
        await made.close()
