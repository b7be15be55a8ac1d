"""The open inboxes of one process: who follows what changes for them, and who rings on them."""

from __future__ import annotations

from api.views import conversation_view
from services.alerts.alerts import Alerts
from services.alerts.deciding import Alert
from services.alerts.ringing import Ringing
from services.inbox.listing import Inbox
from services.inbox.live.follower import Follower
from services.inbox.live.frames import raw
from services.people.renewal import Renewal
from weir.parts.opened import Parts
from weir.roles.tasks import Tasks


class OpenInboxes:
    """`follower` is what the socket's route asks."""

    def __init__(self, parts: Parts, inbox: Inbox, alerts: Alerts) -> None:
        store, bus, now = parts.store, parts.live.bus, parts.gateway.now
        self.follower = Follower(
            bus=bus,
            desk=inbox,
            presence=parts.live.presence,
            view=conversation_view,
            renewed=Renewal(store, now),
            now=now,
        )
        self._ringing = Ringing(bus=bus, store=store, alerts=alerts, ring=self._ring, now=now)

    def start(self, tasks: Tasks) -> None:
        """Follow and ring until the tasks are stopped."""
        tasks.run("open inboxes", self.follower.run())
        tasks.run("ringing", self._ringing.run())

    def _ring(self, alert: Alert) -> bool:
        frame = {name: getattr(alert, name) for name in alert.__struct_fields__}
        return self.follower.ring(alert.person, f"alert {alert.id}", raw({"type": "alert", **frame}))


__all__ = ["OpenInboxes"]
