"""Who somebody is now: sessions end and roles change while a screen is open."""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from msgspec.structs import replace

from services.people.permissions import Caller
from storage.ports import AccountStore


class Renewal:
    """Asks the store; to be called every few seconds at most. `now` in ms."""

    def __init__(self, store: AccountStore, now: Callable[[], int]) -> None:
        self._store = store
        self._now = now

    async def __call__(self, caller: Caller) -> Caller | None:
        """The caller with the role of today; None when the session or token behind him holds no more."""
        match caller.via:
            case "session":
                return await self._of_session(caller)
            case "token":
                return await self._of_token(caller)
            case "cli":
                return caller
            case _:
                assert_never(caller.via)

    async def _of_session(self, caller: Caller) -> Caller | None:
        session = await self._store.session(caller.credential)
        if session is None or session.expires_at <= self._now():
            return None
        user = await self._store.user(session.user)
        return None if user is None or user.disabled else replace(caller, role=user.role)

    async def _of_token(self, caller: Caller) -> Caller | None:
        token = await self._store.token(caller.credential)
        over = token is None or token.revoked_at is not None
        if token is None or over or (token.expires_at is not None and token.expires_at <= self._now()):
            return None
        return replace(caller, role=token.role)


__all__ = ["Renewal"]
