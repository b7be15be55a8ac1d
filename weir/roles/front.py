"""The HTTP side that people see: the services behind the API and the screens, and both as one web app."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fastapi import APIRouter, FastAPI

from api.app import create_api
from api.routes import ROUTES
from api.settings import WebSettings
from services.anomalies import Anomalies
from services.arrivals.refusals import Refusals
from services.audit_log import AuditLog
from services.conversations import Conversations
from services.dead_letters import DeadLetters
from services.files.serving import AttachmentFiles
from services.health.heartbeats import Heartbeats
from services.health.incident_desk import IncidentDesk
from services.health.monitor import Checks, Monitor
from services.health.mutes import Mutes
from services.health.stats import Stats
from services.health.trace import Trace
from services.health.watchdog import Watchdog
from services.inbox.desk_news import desk_news
from services.inbox.drafts import Drafts
from services.inbox.notes import Notes
from services.inbox.timeline import Timeline
from services.inbox.views import Views
from services.ingest import Ingest
from services.labels.book import LabelsInForce
from services.parts import Services
from services.people.accounts import Accounts
from services.people.tokens import Tokens
from services.replies.linter import Linter
from services.search.search import Search
from services.templates.templates import Templates
from services.tuning.preview import Preview
from services.tuning.thresholds import Thresholds
from streams.app import Runtime
from streams.bus import LocalBus
from weir import figures
from weir.config import Config
from weir.parts.opened import Parts
from weir.roles.alerting import Alerting
from weir.roles.channels import Channels
from weir.roles.inbox import InboxDesk
from weir.roles.open_inboxes import OpenInboxes
from weir.screens import ScreenBus
from weir.version import VERSION
from weir.vitals import Vitals

MIB = 2**20


class Front:
    """What answers requests; `checks` knows which channels the engines look after, wherever they run."""

    def __init__(
        self,
        parts: Parts,
        *,
        thresholds: Thresholds,
        labels: LabelsInForce,
        heartbeats: Heartbeats,
        watchdog: Watchdog,
        checks: Checks,
        vitals: Vitals,
        channels: Channels,
        runtime: Runtime | None = None,
    ) -> None:
        store, gateway = parts.store, parts.gateway
        self._config = parts.config
        screens = LocalBus()
        self.monitor = Monitor(
            store=store,
            bus=screens,
            deltas=parts.live.bus,
            heartbeats=heartbeats,
            watchdog=watchdog,
            clock=gateway.now,
            checks=checks,
            partitions=parts.config.partitions,
        )
        self.services = base_services(parts, thresholds, labels, vitals, channels)
        self.services.monitor = self.monitor
        self.services.incidents = IncidentDesk(
            store=store, gateway=gateway, reader=gateway, incidents=self.monitor, resync=self.services.anomalies
        )
        self.services.stats = Stats(store, gateway.now)
        self.services.trace = Trace(store, gateway)
        self.services.preview = Preview(store=store, reader=gateway, current=thresholds.current, clock=gateway.now)
        self.services.heartbeats = heartbeats
        self.services.runtime = runtime
        self.services.bus = ScreenBus(screens)
        self.services.views = Views(store, gateway.now)
        self.alerting = Alerting(parts, channels.bindings)
        self.services.alerts, self.services.ladder = self.alerting.alerts, self.alerting.ladder
        self.inboxes = OpenInboxes(parts, self.services.inbox, self.services.alerts)
        self.services.inbox_live = self.inboxes.follower
        self.services.accounts.on_revoked(self.inboxes.follower.sessions_ended)

    def web(self) -> FastAPI:
        """The API with the screens; call it once."""
        from ui.mount import mount  # noqa: PLC0415 # NiceGUI takes long to import: only who serves screens pays for it

        api = api_of(self.services, self._config)
        mount(api, self.services, settings_of(self._config))
        return api


def front_vitals(
    parts: Parts,
    role: str,
    *,
    thresholds: Thresholds,
    watchdog: Watchdog,
    reasons: Sequence[Callable[[], list[str]]],
    readings: Sequence[figures.Reading],
) -> Vitals:
    """Vitals of a process that answers people: to every one's figures come the `readings` of its own."""
    return Vitals(
        reasons=reasons,
        readings=[
            figures.of_process(role, thresholds.current),
            figures.of_gateway(parts.gateway),
            figures.of_watchdog(watchdog),
            figures.of_monitor(watchdog),
            figures.of_live(parts.live),
            *readings,
        ],
        dear=figures.StoreFigures(parts.store, parts.gateway.now).read,
    )


def base_services(
    parts: Parts, thresholds: Thresholds, labels: LabelsInForce, vitals: Vitals, channels: Channels
) -> Services:
    """The services that need nothing but log and store."""
    store, gateway = parts.store, parts.gateway
    ingest = Ingest(gateway, most_events=parts.config.max_batch_events)
    ingest.observe = vitals.observe_batch
    channels.count_in(vitals)
    desk = InboxDesk(parts, vitals, labels)
    channels.contacts.sight = desk.scopes.of
    return Services(
        store=store,
        gateway=gateway,
        log=gateway,
        accounts=Accounts(store, gateway.now, limits=parts.live.limits),
        tokens=Tokens(store, gateway.now),
        ingest=ingest,
        anomalies=Anomalies(store, gateway, (channels.resyncs,)),
        conversations=Conversations(store),
        thresholds=thresholds,
        mutes=Mutes(store, gateway.now),
        audit_log=AuditLog(store),
        dead_letters=DeadLetters(store, gateway.now, gateway),
        ready=vitals.unready,
        metrics=vitals.exposition,
        observe_response=vitals.observe_response,
        bindings=channels.bindings,
        webhooks=channels.webhooks,
        inbox=desk.inbox,
        desk=desk.desk,
        bulk=desk.bulk,
        labels=labels,
        label_desk=desk.labels,
        teams=desk.teams,
        coverage=desk.coverage,
        workload=desk.workload,
        desk_duty=desk.duty(),
        refusals=Refusals(gateway, parts.config.partitions),
        replies=channels.replies,
        attachments=channels.attachments,
        attachment_files=AttachmentFiles(store, channels.files),
        outgoing_files=channels.outgoing_files,
        addresses=channels.addresses,
        webchat=channels.webchat,
        typed=channels.typed,
        recalls=channels.recalls,
        oauth=channels.oauth,
        apis=channels.apis,
        resyncs=channels.resyncs,
        contacts=channels.contacts,
        timeline=Timeline(store, gateway.now),
        notes=Notes(store, gateway.now, desk_news(parts.live.bus)),
        drafts=Drafts(store, gateway.now),
        search=Search(store, desk.inbox.scope),
        linter=Linter(channels.replies),
        templates=Templates(store, gateway.now),
    )


def api_of(services: Services, config: Config, routes: Sequence[APIRouter] = ROUTES) -> FastAPI:
    """The API alone."""
    return create_api(services, settings_of(config), routes)


def settings_of(config: Config) -> WebSettings:
    """What the web side needs to know of the configuration."""
    return WebSettings(
        secure_cookies=config.secure_cookies,
        origins=tuple(config.origins),
        most_body=config.max_body_mb * MIB,
        most_batch=config.max_batch_mb * MIB,
        version=VERSION,
    )
