"""Who is told of customers' messages, and how: puts the services together from people, teams, and who is there."""

from __future__ import annotations

from collections.abc import Collection

from actors.errors import RetriableError
from connectors.email.connector import Email
from connectors.email.settings import MailSettings
from services.alerts.alerts import Alerts
from services.alerts.covering import Circles, circles
from services.alerts.deciding import Row
from services.alerts.ladder import Ladder
from services.alerts.ringing import DESK, ESCALATED
from services.alerts.senders import MailSender, WebhookSender
from services.channels.bindings import Bindings
from services.inbox.live.stays import ONLINE
from services.inbox.scope import Scopes
from streams.coordination.duty import Duty
from streams.coordination.errors import CoordinationLostError
from streams.coordination.locks import Lease
from weir.parts.opened import Parts

LADDER = "alerts"


class Alerting:
    """The services of one process; the rungs above the screen are climbed by one process at a time."""

    def __init__(self, parts: Parts, bindings: Bindings) -> None:
        self._parts = parts
        self._bindings = bindings
        self._scopes = Scopes(parts.store, parts.gateway.now)
        self._webhooks = WebhookSender()
        self.alerts = Alerts(parts.store, parts.gateway, concerned=self._concerned, online=self._online)
        self.ladder = Ladder(
            parts.store,
            self.alerts,
            {"email": MailSender(self._mailbox), "webhook": self._webhooks},
            parts.gateway.now,
            site=next(iter(parts.config.origins), ""),
            escalated=self._escalated,
        )

    async def run(self) -> None:
        """Climb whenever it is this process's turn, for ever."""

        async def climb(_lease: Lease) -> None:
            await self.ladder.run()

        try:
            await Duty(self._parts.live.locks, LADDER, climb).run()
        finally:
            await self._webhooks.close()

    async def _concerned(self, row: Row) -> Circles:
        return circles(await self._scopes.people(), row)

    async def _online(self) -> Collection[str] | None:
        try:
            return {one.who for one in await self._parts.live.presence.present(ONLINE)}
        except CoordinationLostError:
            return None

    async def _mailbox(self) -> MailSettings | None:
        account = self._parts.config.alert_mailbox
        connector = await self._bindings.connector("email", account) if account else None
        return connector.mail if isinstance(connector, Email) else None

    async def _escalated(self, key: str) -> None:
        try:
            await self._parts.live.bus.publish(DESK, {"key": key, "what": ESCALATED, "who": "weir"})
        except RetriableError:
            return  # screens ring by it; letters have gone out


__all__ = ["Alerting"]
