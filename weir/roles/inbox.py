"""The inbox's services of one process, and what one process at a time does for all: waking and giving out."""

from __future__ import annotations

import asyncio

from services.inbox.bulk import Bulk
from services.inbox.coverage import Coverage
from services.inbox.desk import Desk
from services.inbox.desk_news import desk_news
from services.inbox.listing import Inbox
from services.inbox.online import PresentOnes
from services.inbox.routing import Routing
from services.inbox.scope import Scopes
from services.inbox.teams import Teams
from services.inbox.telling import Telling
from services.inbox.waking import Waking
from services.inbox.workload import Workload
from services.labels.book import LabelsInForce
from services.labels.desk import LabelDesk
from streams.coordination.duty import Duty
from streams.coordination.locks import Lease
from weir.parts.opened import Parts
from weir.vitals import Vitals


class InboxDesk:
    """What lists conversations, changes their desks and labels them."""

    def __init__(self, parts: Parts, vitals: Vitals, labels: LabelsInForce) -> None:
        store, gateway, bus = parts.store, parts.gateway, parts.live.bus
        now = gateway.now
        self._locks = parts.live.locks
        telling = Telling(bus, now)
        self.scopes = Scopes(store, now)
        self.inbox = Inbox(store, self.scopes, now)
        self.desk = Desk(store, gateway, self.inbox, telling)
        self.desk.observe = vitals.observe_desk
        self.labels = LabelDesk(store, labels, now, desk_news(bus))
        self.bulk = Bulk(self.inbox, self.desk, self.labels.change)
        self.coverage = Coverage(store, self.scopes, bus, now)
        self.teams = Teams(store, self.coverage, now)
        self.online = PresentOnes(parts.live.presence)
        self.workload = Workload(store, self.scopes, self.online, now)
        self.waking = Waking(store, telling, now)
        self.routing = Routing(store, self.desk, self.scopes, self.online, now)

    def duty(self) -> Duty:
        """What has to be done by one process at a time."""
        return Duty(self._locks, "inbox", self._work)

    async def _work(self, _lease: Lease) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.waking.run())
            group.create_task(self.routing.run())


__all__ = ["InboxDesk"]
