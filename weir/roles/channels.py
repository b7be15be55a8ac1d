"""What serves the bound channels: their webhooks, and all that is done at their platforms in the background.

Any number of processes may run the background part: replies and fetches are claimed, and one process at a time compares
the history of a channel.
"""

from __future__ import annotations

from connectors.amazon.connector import Amazon
from connectors.contract.connector import Connector
from connectors.email.connector import Email
from connectors.registry import BY_PLATFORM
from services.arrivals.arrivals import Arrivals
from services.arrivals.mail_threads import MailThreads
from services.arrivals.mailboxes import Mailboxes
from services.arrivals.pointers import Pointers
from services.arrivals.queues import Queues
from services.arrivals.webhooks import Webhooks
from services.channels.authorisation import Authorisation
from services.channels.bindings import Bindings
from services.channels.marks import Marks
from services.channels.oauth_runs import OAuthRuns
from services.channels.platform_api import Apis
from services.channels.signature_watch import SignatureWatch
from services.contacts.contact_data import Safe
from services.contacts.context import Contacts
from services.contacts.registrar import Registrar
from services.files.addresses import Addresses
from services.files.attachments import Attachments
from services.files.outgoing import OutgoingFiles
from services.files.thumbnails import Pictures
from services.inbox.desk_news import desk_news
from services.inbox.scope import Scopes
from services.replies.echoes import Echoes
from services.replies.outbox import Outbox
from services.replies.recalls import Recalls
from services.replies.replies import Replies
from services.replies.typed import TypedActions
from services.sweeps.reconciling import Reconciler
from services.sweeps.resyncs import Resyncs
from services.sweeps.sweeps import Sweeper
from services.webchat.files import ChatFiles
from services.webchat.live import Live
from services.webchat.webchat import Webchats
from storage.ports import Store
from weir.parts.files import made_files
from weir.parts.opened import Parts
from weir.parts.vault import made_vault
from weir.roles.tasks import Tasks
from weir.vitals import Vitals

MIB = 2**20


class Channels:
    """The services of bound channels. `who`: this process, for people who look at what is being sent."""

    def __init__(self, parts: Parts, who: str) -> None:
        store, gateway = parts.store, parts.gateway
        now = gateway.now
        self.files = made_files(parts.config, store)
        self.apis = Apis(parts.live.limits, now)
        vault, limits, locks = made_vault(parts.config), parts.live.limits, parts.live.locks
        self.bindings = Bindings(store, vault, _connectors(store), now)
        find = self.bindings.connector
        pictures = Pictures()
        self.outgoing_files = OutgoingFiles(self.files, pictures, most_bytes=parts.config.max_upload_mb * MIB)
        self.attachments = Attachments(
            store=store,
            gateway=gateway,
            files=self.files,
            find=find,
            apis=self.apis,
            pictures=pictures,
            most_bytes=parts.config.max_attachment_mb * MIB,
        )
        safe = Safe(vault)
        self.contacts = Contacts(store, safe, now, Scopes(store, now).of)
        self.registrar = Registrar(store, self.contacts.learning, safe, now)
        self.arrivals = Arrivals(
            gateway, store, echoes=Echoes(store, now), files=self.attachments, customers=self.contacts
        )
        self.webhooks = Webhooks(
            self.arrivals,
            find,
            having=self.bindings.having,
            apis=self.apis.of,
            signatures=SignatureWatch(store, self.arrivals.take, now),
        )
        self.addresses = Addresses(vault, self.files, now)
        address = self.addresses.address
        self.outbox = Outbox(store, gateway, find, self.apis.of, who=who, files=self.files, address=address)
        self.replies = Replies(
            store,
            gateway,
            find,
            files=self.files,
            wake=self.outbox.wake,
            fit=self.outgoing_files.fitted,
            squeeze=self.outgoing_files.squeezed,
            address=address,
        )
        self.typed = TypedActions(store, gateway, self.replies, find, self.apis.of, files=self.files)
        self.recalls = Recalls(store, gateway, self.replies, find, self.apis.of)
        self.pointers = Pointers(store=store, arrivals=self.arrivals, find=find, apis=self.apis, now=now)
        tell = desk_news(parts.live.bus)
        # One of it for both: it remembers what it took in while the store lags behind.
        reconciler = Reconciler(store, self.arrivals)
        self.sweeper = Sweeper(
            store=store,
            channels=self.bindings,
            reconciler=reconciler,
            arrivals=self.arrivals,
            apis=self.apis,
            locks=locks,
            reader=gateway,
            now=now,
            tell=tell,
        )
        self.resyncs = Resyncs(
            store=store,
            find=find,
            reconciler=reconciler,
            apis=self.apis,
            locks=locks,
            reader=gateway,
            now=now,
            tell=tell,
        )
        self.mailboxes = Mailboxes(store=store, channels=self.bindings, arrivals=self.arrivals, locks=locks, now=now)
        self.marks = Marks(store=store, find=find, apis=self.apis, now=now)
        self.queues = Queues(channels=self.bindings, arrivals=self.arrivals, apis=self.apis, locks=locks)
        self.authorisation = Authorisation(
            store=store, bindings=self.bindings, apis=self.apis, arrivals=self.arrivals, locks=locks, now=now
        )
        self.oauth = OAuthRuns(
            bindings=self.bindings, vault=vault, apis=self.apis, limits=limits, arrivals=self.arrivals, now=now
        )
        self.webchat = Webchats(
            store=store,
            # Not the arrivals of all: what visitors upload is kept before its message comes.
            arrivals=Arrivals(gateway, store, echoes=Echoes(store, now)),
            find=find,
            limits=limits,
            live=Live(parts.live.bus, now),
            files=ChatFiles(store, self.files),
            now=now,
        )

    def start(self, tasks: Tasks) -> None:
        """Begin what is done in the background."""
        tasks.run("outbox", self.outbox.run())
        tasks.run("attachments", self.attachments.run())
        tasks.run("pointers", self.pointers.run())
        tasks.run("sweeps", self.sweeper.run())
        tasks.run("re-syncs", self.resyncs.run())
        tasks.run("mailboxes", self.mailboxes.run())
        tasks.run("queues", self.queues.run())
        tasks.run("read marks", self.marks.run())
        tasks.run("contacts", self.registrar.run())
        tasks.run("authorisations", self.authorisation.run())

    def count_in(self, vitals: Vitals) -> None:
        """Have what is done counted for the metrics."""
        self.webhooks.observe = vitals.observe_webhook
        self.outbox.observe = vitals.observe_reply
        self.pointers.observe = vitals.observe_pointer
        self.sweeper.observe = vitals.observe_sweep
        self.attachments.observe = vitals.observe_attachment
        self.mailboxes.observe = vitals.observe_mail
        self.queues.observe = vitals.observe_queue
        self.authorisation.observe = vitals.observe_authorisation

    async def close(self) -> None:
        """Leave the platforms, and visitors."""
        await self.webchat.close()
        await self.resyncs.close()
        await self.apis.close()


def _connectors(store: Store) -> dict[str, type[Connector]]:
    """Every platform's; those of mail look up in the store which conversation a mail belongs to."""
    threads = MailThreads(store)
    return {**BY_PLATFORM, "email": Email.with_threads(threads), "amazon": Amazon.with_threads(threads)}
