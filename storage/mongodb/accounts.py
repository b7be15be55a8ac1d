"""People, sessions, tokens, and the log of what they changed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from secrets import token_hex
from unicodedata import normalize

from msgspec import json
from msgspec.structs import replace
from pymongo.errors import DuplicateKeyError

from actors.errors import RejectedError
from storage.cursors import bounded, decode_cursor, encode_cursor
from storage.mongodb.audits import append, deliver, pending_change
from storage.mongodb.connection import Database, Row
from storage.records import AuditRow, Page, Session, Token, User

_user = json.Decoder(User)
_token = json.Decoder(Token)
_audit = json.Decoder(AuditRow)

GONE_AFTER = timedelta(days=1)
"""How long after its end the server deletes a session by itself, on its own clock."""
LONGEST_MS = 366 * 86_400_000


class MongoAccounts:
    """`storage.ports.AccountStore`."""

    _db: Database

    async def users(self) -> list[User]:
        """Everybody, by name."""
        with self._db.talk() as db:
            found = db.users.find({}, {"body": 1}, sort=[("login", 1)])
            return [_user.decode(row["body"]) async for row in found]

    async def user(self, name: str) -> User | None:
        """The user with that login name (case-insensitive)."""
        with self._db.talk() as db:
            row = await db.users.find_one({"login": _login(name)}, {"body": 1})
        return _user.decode(row["body"]) if row else None

    async def put_user(self, user: User, audit: AuditRow) -> None:
        """Create or replace a user, with its audit row. Raises RejectedError when another has that name."""
        change = {"login": _login(user.name), "body": json.encode(user).decode(), **pending_change(audit)}
        with self._db.talk() as db:
            try:
                await db.users.update_one({"_id": user.id}, {"$set": change}, upsert=True)
            except DuplicateKeyError as error:
                raise RejectedError(f"the login name {user.name!r} belongs to somebody else; choose another") from error
        await deliver(self._db, "users")

    async def session(self, digest: str) -> Session | None:
        """One session."""
        with self._db.talk() as db:
            row = await db.sessions.find_one({"_id": digest})
        if row is None:
            return None
        return Session(digest=digest, user=row["user"], created_at=row["created_at"], expires_at=row["expires_at"])

    async def put_session(self, session: Session) -> None:
        """Create a session."""
        lasts = timedelta(milliseconds=min(max(session.expires_at - session.created_at, 0), LONGEST_MS))
        document = {
            "user": session.user,
            "created_at": session.created_at,
            "expires_at": session.expires_at,
            "gone_at": datetime.now(UTC) + lasts + GONE_AFTER,
        }
        with self._db.talk() as db:
            await db.sessions.replace_one({"_id": session.digest}, document, upsert=True)

    async def delete_sessions(
        self, *, digest: str | None = None, user: str | None = None, expired_before: int | None = None
    ) -> None:
        """Delete one session, all of a user, or all that expired."""
        wanted: list[Row] = []
        if digest is not None:
            wanted.append({"_id": digest})
        if user is not None:
            wanted.append({"user": user})
        if expired_before is not None:
            wanted.append({"expires_at": {"$lt": expired_before}})
        with self._db.talk() as db:
            for where in wanted:
                await db.sessions.delete_many(where)

    async def tokens(self) -> list[Token]:
        """All API tokens, revoked ones too, newest first."""
        with self._db.talk() as db:
            found = await db.tokens.find({}, sort=[("created_at", -1), ("_id", 1)]).to_list()
        return [_token_of(row) for row in found]

    async def token(self, digest: str) -> Token | None:
        """The token with that digest."""
        with self._db.talk() as db:
            row = await db.tokens.find_one({"digest": digest})
        return _token_of(row) if row else None

    async def put_token(self, token: Token, audit: AuditRow | None = None) -> None:
        """Create or replace a token."""
        change: Row = {
            "digest": token.digest,
            "created_at": token.created_at,
            "last_used_at": token.last_used_at,
            "body": json.encode(token).decode(),
        }
        if audit is not None:
            change |= pending_change(audit)
        with self._db.talk() as db:
            await db.tokens.update_one({"_id": token.id}, {"$set": change}, upsert=True)
        if audit is not None:
            await deliver(self._db, "tokens")

    async def token_used(self, digest: str, at: int) -> None:
        """Note when a token was last used (ms), and change nothing else of it; an unknown token is ignored."""
        with self._db.talk() as db:
            await db.tokens.update_one({"digest": digest}, {"$set": {"last_used_at": at}})

    async def append_audit(self, row: AuditRow) -> None:
        """Note a change that has no other row."""
        await append(self._db, token_hex(12), json.encode(row).decode())

    async def audit(
        self,
        limit: int,
        cursor: str | None = None,
        subject: str | None = None,
        *,
        who: str | None = None,
        what: str | None = None,
    ) -> Page[AuditRow]:
        """The log of changes, newest first; `subject` and `who` as they stand, `what` by how it begins."""
        after = decode_cursor(cursor, "audit", tuple[int]) if cursor else None
        limit = bounded(limit)
        where: Row = {}
        if after:
            where["_id"] = {"$lt": after[0]}
        if subject is not None:
            where["subject"] = subject
        if who is not None:
            where["who"] = who
        if what is not None:
            where["what"] = {"$regex": f"^{re.escape(what)}"}
        with self._db.talk() as db:
            rows = await db.audit.find(where, {"body": 1}, sort=[("_id", -1)], limit=limit + 1).to_list()
        items = [replace(_audit.decode(row["body"]), id=row["_id"]) for row in rows[:limit]]
        return Page(items=items, next=encode_cursor("audit", items[-1].id) if len(rows) > limit else None)

    async def audit_trail(
        self, subject: str, limit: int, *, before: int | None = None, since: int | None = None, but: Sequence[str] = ()
    ) -> list[AuditRow]:
        """Changes of one subject by id descending, ids < `before` and > `since`, apart from those called `but`."""
        where: Row = {"subject": subject, "what": {"$nin": list(but)}}
        bounds: Row = {} if before is None else {"$lt": before}
        if since is not None:
            bounds["$gt"] = since
        if bounds:
            where["_id"] = bounds
        with self._db.talk() as db:
            found = db.audit.find(where, {"body": 1}, sort=[("_id", -1)], limit=bounded(limit))
            return [replace(_audit.decode(row["body"]), id=row["_id"]) async for row in found]


def _login(name: str) -> str:
    return normalize("NFKC", name).casefold()


def _token_of(row: Row) -> Token:
    return replace(_token.decode(row["body"]), last_used_at=row["last_used_at"])
