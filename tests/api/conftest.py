"""The API over a real store and a real log, asked through ASGI."""

import httpx
import pytest
from argon2 import PasswordHasher

from api.app import create_api
from api.settings import WebSettings
from services.alerts.alerts import Alerts
from services.alerts.ladder import Ladder
from services.anomalies import Anomalies
from services.arrivals.arrivals import Arrivals
from services.arrivals.refusals import Refusals
from services.arrivals.webhooks import Webhooks
from services.audit_log import AuditLog
from services.channels.bindings import Bindings
from services.channels.secrets import Vault
from services.conversations import Conversations
from services.dead_letters import DeadLetters
from services.health.mutes import Mutes
from services.inbox.drafts import Drafts
from services.inbox.notes import Notes
from services.inbox.timeline import Timeline
from services.inbox.views import Views
from services.ingest import Ingest
from services.labels.book import LabelsInForce
from services.labels.desk import LabelDesk
from services.parts import Services
from services.people.accounts import Accounts
from services.people.passwords import Passwords
from services.people.tokens import Tokens
from services.replies.linter import Linter
from services.replies.replies import Replies
from services.templates.templates import Templates
from services.tuning.thresholds import Thresholds
from storage.sqlite import SqliteStore
from streams.embedded.log import EmbeddedLog
from streams.gateway import EmbeddedGateway
from tests.api.inbox_parts import inbox_parts
from tests.api.letters import Letters
from tests.api.parcels import Parcels
from weir.config import Config
from weir.wiring import running


@pytest.fixture
async def store(data_dir):
    opened = SqliteStore(data_dir / "store.db")
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def gateway(data_dir):
    log = EmbeddedLog(data_dir / "log.db", partitions=2)
    await log.open()
    opened = EmbeddedGateway(log)
    yield opened
    await opened.close()
    await log.close()


@pytest.fixture
def services(store, gateway, data_dir):
    now = gateway.now

    async def metrics():
        return b"weir_up 1\n"

    bindings = Bindings(
        store, Vault(file=data_dir / "secret.key"), {kind.platform: kind for kind in (Letters, Parcels)}, now
    )

    labels = LabelsInForce(store, now)

    async def everybody():
        return [user.name for user in await store.users()]

    async def concerned(_row):
        return [await everybody()]

    alerts = Alerts(store, gateway, concerned=concerned, online=everybody)

    return Services(
        store=store,
        gateway=gateway,
        log=gateway,
        accounts=Accounts(store, now, Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))),
        tokens=Tokens(store, now),
        ingest=Ingest(gateway, most_events=1000),
        anomalies=Anomalies(store, gateway),
        conversations=Conversations(store),
        thresholds=Thresholds(store, now),
        mutes=Mutes(store, now),
        audit_log=AuditLog(store),
        dead_letters=DeadLetters(store, now, gateway),
        bindings=bindings,
        webhooks=Webhooks(Arrivals(gateway, store), bindings.connector, having=bindings.having),
        refusals=Refusals(gateway, partitions=2),
        replies=Replies(store, gateway, bindings.connector),
        views=Views(store, now),
        alerts=alerts,
        ladder=Ladder(store, alerts, {}, now),
        timeline=Timeline(store, now),
        notes=Notes(store, now),
        drafts=Drafts(store, now),
        **inbox_parts(store, gateway),
        linter=Linter(Replies(store, gateway, bindings.connector)),
        templates=Templates(store, now),
        labels=labels,
        label_desk=LabelDesk(store, labels, now),
        ready=list,
        metrics=metrics,
    )


@pytest.fixture
def app(services):
    return create_api(services, WebSettings(most_body=200_000, most_batch=400_000))


@pytest.fixture
async def stranger(app):
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://weir.test") as client:
        yield client


@pytest.fixture
def as_role(app, services):
    """Clients with a token of the role wanted."""

    async def client_of(role):
        secret, _ = await services.tokens.create(f"test {role}", role, who="test")
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        headers = {"Authorization": f"Bearer {secret}"}
        return httpx.AsyncClient(transport=transport, base_url="http://weir.test", headers=headers)

    return client_of


@pytest.fixture
async def admin(as_role):
    async with await as_role("admin") as client:
        yield client


@pytest.fixture
def logged(gateway):
    """Every entry in the log, in order of partition and offset."""

    async def entries():
        from streams.frames import decode_frame  # noqa: PLC0415 # only tests that look into the log need it

        found = []
        for position in await gateway.positions():
            async for record in gateway.records(position.partition):
                found += decode_frame(record.data).entries
        return found

    return entries


@pytest.fixture
def message():
    def make(number=1, **fields):
        base = {
            "type": "message",
            "platform": "shopee",
            "account": "shop-1",
            "conversation": "c1",
            "message": f"m{number}",
            "sent_at": "2026-11-22T00:00:00Z",
            "direction": "in",
            "text": "hello",
        }
        return base | fields

    return make


@pytest.fixture
async def live(data_dir):
    """A Weir at work: engines and monitor running, without screens."""
    async with running(Config(data_dir=str(data_dir / "live"), partitions=2)) as weir:
        yield weir


@pytest.fixture
async def live_admin(live):
    """An admin's client of the Weir at work."""
    secret, _ = await live.tokens.create("test", "admin", who="test")
    transport = httpx.ASGITransport(create_api(live.services), raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {secret}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://weir.test", headers=headers) as client:
        yield client
