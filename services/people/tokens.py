"""API tokens: shown once, kept as a digest, with a role and an end."""

import secrets
from collections.abc import Callable
from typing import Any

import structlog
from msgspec.structs import replace

from actors.errors import RejectedError, RetriableError
from services.errors import ConflictError, NotFoundError
from services.people.accounts import CACHE_MS, LONGEST_NAME, MOST_CACHED, digest_of
from services.people.permissions import Caller, check_role
from storage.ports import AccountStore
from storage.records import AuditRow, Token

PREFIX = "weir_"
LONGEST_LIFE_DAYS = 3650
USED_EVERY_MS = 60_000
"""The time of the last use is kept this coarse, so that a busy program does not cost a write a request."""
log = structlog.get_logger(__name__)


class Tokens:
    """API tokens. Revoking one holds at once here, and after two seconds in other processes."""

    def __init__(self, store: AccountStore, now: Callable[[], int]) -> None:
        self._store = store
        self._now = now
        self._seen: dict[str, tuple[int, Token | None]] = {}

    async def create(self, name: str, role: str, *, who: str, days: int | None = None) -> tuple[str, Token]:
        """A new token: (the secret, to be shown once; its record); raises RejectedError."""
        if not 0 < len(name.strip()) <= LONGEST_NAME or not name.isprintable():
            raise RejectedError(f"a token's name has 1 to {LONGEST_NAME} printable characters")
        if days is not None and not 1 <= days <= LONGEST_LIFE_DAYS:
            raise RejectedError(f"a token lives 1 to {LONGEST_LIFE_DAYS} days, not {days}")
        secret, now = PREFIX + secrets.token_urlsafe(32), self._now()
        token = Token(
            id=secrets.token_hex(8),
            name=name.strip(),
            role=check_role(role),
            digest=digest_of(secret),
            created_by=who,
            created_at=now,
            expires_at=None if days is None else now + days * 86_400_000,
        )
        await self._store.put_token(token, self._audit(who, "token.created", token, None, _public(token)))
        return secret, token

    async def tokens(self) -> list[Token]:
        """All of them, revoked ones too."""
        return await self._store.tokens()

    async def revoke(self, token_id: str, *, who: str) -> Token:
        """End a token by id. Raises NotFoundError, or ConflictError when it was revoked before."""
        token = next((t for t in await self._store.tokens() if t.id == token_id), None)
        if token is None:
            raise NotFoundError(f"there is no token {token_id!r}; `weir token list` shows which there are")
        if token.revoked_at is not None:
            raise ConflictError(f"token {token_id!r} is revoked already")
        revoked = replace(token, revoked_at=self._now())
        row = self._audit(who, "token.revoked", token, _public(token), _public(revoked))
        await self._store.put_token(revoked, row)
        self._seen.pop(token.digest, None)
        return revoked

    async def caller(self, secret: str) -> Caller | None:
        """Who holds this token; None when it is unknown, revoked or over."""
        if not secret.startswith(PREFIX):
            return None
        digest, now = digest_of(secret), self._now()
        until, token = self._seen.get(digest, (0, None))
        if until <= now:
            token = await self._store.token(digest)
            if len(self._seen) >= MOST_CACHED:
                self._seen.clear()
            self._seen[digest] = (now + CACHE_MS, token)
        if token is None or token.revoked_at is not None or (token.expires_at or now + 1) <= now:
            return None
        if now - (token.last_used_at or 0) >= USED_EVERY_MS:
            self._seen[digest] = (until, replace(token, last_used_at=now))
            await self._note_use(token, now)
        return Caller(name=f"token:{token.name}", role=token.role, via="token", credential=digest)

    async def _note_use(self, token: Token, now: int) -> None:
        try:
            await self._store.token_used(token.digest, now)
        except RetriableError as busy:
            # Whether a token holds must not hang on whether its use can be written down just now.
            log.warning("the use of a token could not be noted", id=token.id, reason=str(busy))

    def _audit(self, who: str, what: str, token: Token, before: Any, after: Any) -> AuditRow:
        subject = f"token {token.id} {token.name}"
        return AuditRow(at=self._now(), who=who, what=what, subject=subject, before=before, after=after)


def _public(token: Token) -> dict[str, Any]:
    return {"role": token.role, "expires_at": token.expires_at, "revoked_at": token.revoked_at}
