"""Who is told of customers' messages: puts the service together from the people, their teams, and who is there."""

from __future__ import annotations

from collections.abc import Collection

from services.alerts.alerts import Alerts
from services.alerts.deciding import Row
from services.inbox.live.follower import ONLINE
from services.people.permissions import can
from streams.coordination.errors import CoordinationLostError
from weir.parts.opened import Parts


def made_alerts(parts: Parts) -> Alerts:
    """The service, over the parts of this process."""
    store, presence = parts.store, parts.live.presence

    async def members(_row: Row) -> Collection[str]:
        return [user.name for user in await store.users() if not user.disabled and can(user.role, "reply")]

    async def online() -> Collection[str] | None:
        try:
            return {one.who for one in await presence.present(ONLINE)}
        except CoordinationLostError:
            return None

    return Alerts(store, parts.gateway, members=members, online=online)


__all__ = ["made_alerts"]
