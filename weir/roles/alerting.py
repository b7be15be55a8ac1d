"""Who is told of customers' messages, and how: puts the services together from people, teams, and who is there."""

from __future__ import annotations

from collections.abc import Collection

from actors.errors import RetriableError
from connectors.email.connector import Email
from connectors.email.settings import MailSettings
from services.alerts.alerts import Alerts
from services.alerts.deciding import Row
from services.alerts.ladder import Ladder
from services.alerts.ringing import DESK, ESCALATED
from services.alerts.senders import MailSender, WebhookSender
from services.channels.bindings import Bindings
from services.inbox.live.stays import ONLINE
from services.inbox.scope import Scopes, answers, scope_of
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
        self.alerts = Alerts(parts.store, parts.gateway, members=self._members, online=self._online)
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

    async def _members(self, row: Row) -> Collection[str]:
        people = await self._scopes.people()
        found: list[str] = []
        for user in people.users:
            # As an agent's, whatever the role: who oversees everything is not of every team.
            scope = scope_of(people, user.name, "agent")
            if answers(user) and (scope.ours(row) or scope.is_stray(row)):
                found.append(user.name)
        return found

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
