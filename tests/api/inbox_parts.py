"""The inbox's services over a test's store and gateway, as weir/roles/inbox.py puts them together."""

from services.inbox.bulk import Bulk
from services.inbox.coverage import Coverage
from services.inbox.desk import Desk
from services.inbox.listing import Inbox
from services.inbox.online import PresentOnes
from services.inbox.scope import Scopes
from services.inbox.teams import Teams
from services.inbox.telling import Telling
from services.inbox.workload import Workload
from services.search.search import Search
from streams.bus import LocalBus
from streams.coordination.presence import LocalPresence


def inbox_parts(store, gateway, bus=None, presence=None):
    """The fields of `services.parts.Services` that belong to the inbox."""
    bus, now = bus or LocalBus(), gateway.now
    scopes = Scopes(store, now)
    inbox = Inbox(store, scopes, now)
    desk = Desk(store, gateway, inbox, Telling(bus, now))
    coverage = Coverage(store, scopes, bus, now)
    return {
        "search": Search(store, inbox.scope),
        "inbox": inbox,
        "desk": desk,
        "bulk": Bulk(inbox, desk),
        "coverage": coverage,
        "workload": Workload(store, scopes, PresentOnes(presence or LocalPresence()), now),
        "teams": Teams(store, coverage, now),
    }
