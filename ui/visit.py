"""One visitor's look at one page: what every page builder gets."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from services.errors import ForbiddenError
from services.parts import Services
from services.people.permissions import Caller, Permission, can, demand
from ui.language import Language
from ui.live import Rooms


class Visit(Struct, frozen=True, kw_only=True):
    """`t` gives texts in the visitor's language; `query` is the address line's; `client` is the page's id."""

    caller: Caller
    services: Services
    rooms: Rooms
    language: Language
    t: Callable[..., str]
    client: str
    query: Mapping[str, str] = field(default_factory=dict)

    def can(self, permission: Permission) -> bool:
        """Whether the visitor's role may do this. For drawing only: handlers call `demand`."""
        return can(self.caller.role, permission)

    async def demand(self, permission: Permission) -> Caller:
        """Who acts, for the audit log. To be called by every handler, since pages outlive sessions and roles change.

        Raises ForbiddenError when the session has ended, the person was disabled, or the role no longer allows it.
        """
        user = await self.services.store.user(self.caller.name)
        session = await self.services.store.session(self.caller.credential)
        if user is None or user.disabled or session is None:
            raise ForbiddenError(f"the session of {self.caller.name} has ended; log in again")
        caller = replace(self.caller, role=user.role)
        demand(caller, permission)
        return caller

    def watch(self, topic: str) -> None:
        """Push a topic of the live bus to this page until it is left."""
        self.rooms.enter(topic, self.client)
