"""A platform of the tests that is authorised in a browser, renewed and probed, with everything that looks after it."""

from __future__ import annotations

import asyncio
import base64

import msgspec

from connectors.contract.authorising import Grant, OAuth
from connectors.contract.connector import Connector, Setting
from connectors.contract.history import Probe
from services.arrivals.arrivals import Arrivals
from services.channels.authorisation import Authorisation
from services.channels.bindings import Bindings
from services.channels.oauth_runs import OAuthRuns
from services.channels.platform_api import Apis
from services.channels.secrets import Vault
from services.people.permissions import Caller
from storage.records import ChannelRow
from streams.coordination.locks import LocalLocks
from streams.coordination.rate_limits import LocalRateLimits
from tests.services_layer.platforms import Plain

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
KEY = base64.b64encode(bytes([7]) * 32).decode()
URL = "https://weir.example.com/webhooks/harbour/pier"
BACK = "https://weir.example.com/oauth/callback"
ANN = Caller(name="ann", role="admin", via="session", credential="d" * 64)
NAME = "harbour/pier"


class Port:
    """What the platform does: answers by what is asked, an exception among them is raised."""

    def __init__(self):
        self.asked = []
        self.renews = None
        self.probes = Probe(subscription="active")
        self.exchanges = None
        self.gate = None
        self.reached = asyncio.Event()

    async def answers(self, what, told):
        self.asked.append(what)
        self.reached.set()
        if self.gate is not None:
            await self.gate.wait()
        if isinstance(told, BaseException):
            raise told
        return told


PORT = Port()


class Harbour(Connector):
    platform = "harbour"
    settings = (
        Setting(name="app_id", about="The app.", secret=False),
        Setting(name="app_secret", about="Of the app."),
        Setting(name="access_token", about="Granted.", required=False),
        Setting(name="refresh_token", about="Granted.", required=False),
        Setting(name="note", about="Anything.", secret=False, required=False),
    )
    oauth = OAuth(grants=("access_token", "refresh_token"), scopes=("read", "write"), pkce="S256")
    port = PORT

    def verify(self, request):
        del request

    def parse(self, request):
        del request
        return ()

    def authorise_url(self, ask):
        return f"https://harbour.example/allow?state={ask.state}&code_challenge={ask.challenge}"

    async def exchange(self, reply, api):
        del api
        self.port.reply = reply
        return await self.port.answers("exchange", self.port.exchanges)

    async def renew(self, api):
        del api
        held = self.binding.settings.get("refresh_token")
        return await self.port.answers(f"renew {held}", self.port.renews)

    async def probe(self, api):
        del api
        return await self.port.answers("probe", self.port.probes)


class Quay(Harbour):
    """Of the same kind, but nothing of it is renewed."""

    platform = "quay"
    renew = Connector.renew


KINDS = {kind.platform: kind for kind in (Harbour, Quay, Plain)}


def granted(number=1, **fields):
    settings = {"access_token": f"hush-access-{number}", "refresh_token": f"hush-refresh-{number}"}
    return Grant(settings=settings, **fields)


class Log:
    """A gateway that keeps what it is told, and what the core would make of it."""

    def __init__(self, store, clock):
        self._store = store
        self.now = clock
        self.events = []
        self.failing = None

    async def submit(self, entries):
        if self.failing is not None:
            raise self.failing
        self.events += entries

    @property
    def auths(self):
        return [(event.status, event.expires_at) for event in self.events]


class Seeing:
    """A store that also says of channels what the core would have made of the events told so far."""

    def __init__(self, store):
        self._store = store
        self.log = None

    def __getattr__(self, name):
        return getattr(self._store, name)

    async def channels(self):
        rows = {}
        for event in self.log.events:
            old = rows.get((event.platform, event.account))
            lost = event.status in ("expired", "revoked")
            keeps = event.expires_at is None and event.status == "expiring" and old
            rows[(event.platform, event.account)] = ChannelRow(
                key=f"{event.platform}/{event.account}",
                platform=event.platform,
                account=event.account,
                first_at=event.at,
                last_at=event.at,
                auth_status=event.status,
                auth_at=event.at,
                auth_expires_at=None if lost else old.auth_expires_at if keeps else event.expires_at,
            )
        return list(rows.values())


class Deck:
    """Everything on one store; `clock.ms` moves time."""

    def __init__(self, store, clock):
        self.port = Harbour.port = Port()
        self.clock = clock
        self.store = Seeing(store)
        self.log = self.store.log = Log(store, clock)
        self.vault = Vault(present=KEY)
        self.limits = LocalRateLimits(clock)
        self.locks = LocalLocks()
        self.apis = Apis(self.limits, clock)
        self.arrivals = Arrivals(self.log, self.store)
        self.bindings = self.more_bindings()
        self.runs = self.more_runs()
        self.authorisation = self.process()

    def more_bindings(self):
        return Bindings(self.store, self.vault, KINDS, self.clock, lambda: self.clock.ms / 1000)

    def more_runs(self, limits=None):
        return OAuthRuns(
            bindings=self.more_bindings(),
            vault=self.vault,
            apis=self.apis,
            limits=limits or self.limits,
            arrivals=self.arrivals,
            now=self.clock,
        )

    def process(self):
        """What another process looks after authorisations with."""
        return Authorisation(
            store=self.store,
            bindings=self.more_bindings(),
            apis=self.apis,
            arrivals=self.arrivals,
            locks=self.locks,
            now=self.clock,
        )

    async def binds(self, platform="harbour", **settings):
        values = {"app_id": "1", "app_secret": "hush-app"} | settings
        return await self.bindings.bind(ANN, platform, "pier", URL, values)

    async def held(self, platform="harbour"):
        """(the binding's record, its settings)."""
        row, connector = await self.bindings.current(platform, "pier")
        return row, dict(connector.binding.settings)

    async def authorised(self, number=1, platform="harbour", **fields):
        """Bound, and granted so much."""
        await self.binds(platform)
        _, connector = await self.bindings.current(platform, "pier")
        await self.bindings.granted("ann", connector, granted(number, **fields), "channel.authorised")
        return self.clock.ms

    async def later(self, ms=0, process=None):
        """So much later one round is done."""
        self.clock.ms += ms
        await (process or self.authorisation).step(self.clock.ms)

    async def audits(self):
        return [(row.who, row.what, row.after) for row in (await self.store.audit(50)).items]

    async def everything_written(self):
        rows = [await self.store.audit(50), await self.store.sweeps(), self.log.events]
        return msgspec.json.encode(rows).decode() + repr(await self.store.bindings())
