"""Everything the API and the screens may ask, in one record; put together by weir/wiring.py."""

from collections.abc import Awaitable, Callable
from typing import Any

from msgspec import Struct

from services.anomalies import Anomalies
from services.arrivals.webhooks import Webhooks
from services.audit_log import AuditLog
from services.channels.bindings import Bindings
from services.conversations import Conversations
from services.dead_letters import DeadLetters
from services.health.mutes import Mutes
from services.inbox.bulk import Bulk
from services.inbox.coverage import Coverage
from services.inbox.desk import Desk
from services.inbox.listing import Inbox
from services.inbox.teams import Teams
from services.inbox.workload import Workload
from services.ingest import Ingest
from services.people.accounts import Accounts
from services.people.tokens import Tokens
from services.tuning.thresholds import Thresholds
from storage.ports import Store
from streams.ports import Gateway, LogReader


class Services(Struct, kw_only=True):
    """The services of one process."""

    store: Store
    gateway: Gateway
    log: LogReader
    accounts: Accounts
    tokens: Tokens
    ingest: Ingest
    anomalies: Anomalies
    conversations: Conversations
    thresholds: Thresholds
    mutes: Mutes
    audit_log: AuditLog
    dead_letters: DeadLetters
    bindings: Bindings
    webhooks: Webhooks
    inbox: Inbox
    desk: Desk
    bulk: Bulk
    teams: Teams
    coverage: Coverage
    workload: Workload
    ready: Callable[[], list[str]]
    """What keeps Weir from being ready, as sentences; empty when it is."""
    metrics: Callable[[], Awaitable[bytes]]
    """The figures in Prometheus' text format."""
    observe_response: Callable[[int], None] | None = None
    """Told the status code of every HTTP response."""
    monitor: Any = None
    incidents: Any = None
    stats: Any = None
    trace: Any = None
    preview: Any = None
    heartbeats: Any = None
    runtime: Any = None
    desk_duty: Any = None
    bus: Any = None
    refusals: Any = None
    replies: Any = None
    outbox: Any = None
    typed: Any = None
    recalls: Any = None
    resyncs: Any = None
    attachments: Any = None
    attachment_files: Any = None
    outgoing_files: Any = None
    addresses: Any = None
    oauth: Any = None
    apis: Any = None
    webchat: Any = None
    labels: Any = None
    label_desk: Any = None
    views: Any = None
    alerts: Any = None
    ladder: Any = None
    inbox_live: Any = None
    timeline: Any = None
    notes: Any = None
    drafts: Any = None
    linter: Any = None
    templates: Any = None
    contacts: Any = None
    search: Any = None
