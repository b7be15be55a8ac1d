"""People, sessions, tokens, and the log of what they changed."""

from __future__ import annotations

from collections.abc import Sequence
from sqlite3 import Connection
from unicodedata import normalize

from msgspec import json
from msgspec.structs import replace

from actors.errors import RejectedError
from storage.cursors import bounded, decode_cursor, encode_cursor
from storage.records import AuditRow, Page, Session, Token, User
from storage.sqlite.bulk import read_rows
from storage.sqlite.connection import Database
from storage.sqlite.save_audit import append_audit

_user = json.Decoder(User)
_token = json.Decoder(Token)
_audit = json.Decoder(AuditRow)


MOST = (1 << 63) - 1


class SqliteAccounts:
    """`storage.ports.AccountStore`."""

    _db: Database

    async def users(self) -> list[User]:
        """Everybody, by name."""
        return await self._db.read(_users)

    async def user(self, name: str) -> User | None:
        """The user with that login name (case-insensitive)."""
        return await self._db.read(_one_user, name)

    async def put_user(self, user: User, audit: AuditRow) -> None:
        """Create or replace a user, with its audit row. Raises RejectedError when another has that name."""
        await self._db.write(_put_user, user, audit)

    async def session(self, digest: str) -> Session | None:
        """One session."""
        return await self._db.read(_session, digest)

    async def put_session(self, session: Session) -> None:
        """Create a session."""
        await self._db.write(_put_session, session)

    async def delete_sessions(
        self, *, digest: str | None = None, user: str | None = None, expired_before: int | None = None
    ) -> None:
        """Delete one session, all of a user, or all that expired."""
        await self._db.write(_delete_sessions, digest, user, expired_before)

    async def tokens(self) -> list[Token]:
        """All API tokens, revoked ones too, newest first."""
        return await self._db.read(_tokens)

    async def token(self, digest: str) -> Token | None:
        """The token with that digest."""
        return await self._db.read(_one_token, digest)

    async def put_token(self, token: Token, audit: AuditRow | None = None) -> None:
        """Create or replace a token."""
        await self._db.write(_put_token, token, audit)

    async def token_used(self, digest: str, at: int) -> None:
        """Note when a token was last used (ms), and change nothing else of it; an unknown token is ignored."""
        await self._db.write(_token_used, digest, at)

    async def append_audit(self, row: AuditRow) -> None:
        """Note a change that has no other row."""
        await self._db.write(append_audit, row)

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
        return await self._db.read(_audit_page, bounded(limit), after, subject, who, what)

    async def audit_trail(
        self, subject: str, limit: int, *, before: int | None = None, since: int | None = None, but: Sequence[str] = ()
    ) -> list[AuditRow]:
        """Changes of one subject by id descending, ids < `before` and > `since`, apart from those called `but`."""
        bounds = (MOST if before is None else before, 0 if since is None else since)
        return await self._db.read(_audit_trail, subject, bounds, json.encode(list(but)).decode(), bounded(limit))


def _login(name: str) -> str:
    return normalize("NFKC", name).casefold()


def _users(connection: Connection) -> list[User]:
    return [_user.decode(body) for (body,) in read_rows(connection, "body", "FROM users ORDER BY login")]


def _one_user(connection: Connection, name: str) -> User | None:
    row = connection.execute("SELECT body FROM users WHERE login = ?", (_login(name),)).fetchone()
    return _user.decode(row[0]) if row else None


def _put_user(connection: Connection, user: User, audit: AuditRow) -> None:
    login = _login(user.name)
    other = connection.execute("SELECT 1 FROM users WHERE login = ? AND id <> ?", (login, user.id)).fetchone()
    if other:
        raise RejectedError(f"the login name {user.name!r} belongs to somebody else; choose another")
    connection.execute(
        """INSERT INTO users (id, login, body) VALUES (?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET login = excluded.login, body = excluded.body""",
        (user.id, login, json.encode(user).decode()),
    )
    append_audit(connection, audit)


def _session(connection: Connection, digest: str) -> Session | None:
    sql = "SELECT user, created_at, expires_at FROM sessions WHERE digest = ?"
    row = connection.execute(sql, (digest,)).fetchone()
    return Session(digest=digest, user=row[0], created_at=row[1], expires_at=row[2]) if row else None


def _put_session(connection: Connection, session: Session) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO sessions (digest, user, created_at, expires_at) VALUES (?, ?, ?, ?)",
        (session.digest, session.user, session.created_at, session.expires_at),
    )


def _delete_sessions(connection: Connection, digest: str | None, user: str | None, expired_before: int | None) -> None:
    if digest is not None:
        connection.execute("DELETE FROM sessions WHERE digest = ?", (digest,))
    if user is not None:
        connection.execute("DELETE FROM sessions WHERE user = ?", (user,))
    if expired_before is not None:
        connection.execute("DELETE FROM sessions WHERE expires_at < ?", (expired_before,))


def _tokens(connection: Connection) -> list[Token]:
    return [
        _token.decode(body) for (body,) in read_rows(connection, "body", "FROM tokens ORDER BY created_at DESC, id")
    ]


def _one_token(connection: Connection, digest: str) -> Token | None:
    row = connection.execute("SELECT body FROM tokens WHERE digest = ?", (digest,)).fetchone()
    return _token.decode(row[0]) if row else None


def _put_token(connection: Connection, token: Token, audit: AuditRow | None) -> None:
    connection.execute(
        """INSERT INTO tokens (id, digest, created_at, body) VALUES (?, ?, ?, ?)
        ON CONFLICT (id) DO UPDATE
        SET digest = excluded.digest, created_at = excluded.created_at, body = excluded.body""",
        (token.id, token.digest, token.created_at, json.encode(token).decode()),
    )
    if audit is not None:
        append_audit(connection, audit)


def _token_used(connection: Connection, digest: str, at: int) -> None:
    connection.execute(
        "UPDATE tokens SET body = json_set(body, '$.last_used_at', ?) WHERE digest = ?",
        (at, digest),
    )


def _audit_page(
    connection: Connection,
    limit: int,
    after: tuple[int] | None,
    subject: str | None,
    who: str | None,
    what: str | None,
) -> Page[AuditRow]:
    parts: list[str] = []
    values: list[int | str] = []
    if after:
        parts.append("id < ?")
        values += after
    if subject is not None:
        parts.append("subject = ?")
        values.append(subject)
    if who is not None:
        parts.append("json_extract(body, '$.who') = ?")
        values.append(who)
    if what is not None:
        parts.append("substr(json_extract(body, '$.what'), 1, length(?)) = ?")
        values += [what, what]
    condition = f"WHERE {' AND '.join(parts)}" if parts else ""
    rows = read_rows(connection, "id, body", f"FROM audit {condition} ORDER BY id DESC LIMIT ?", [*values, limit + 1])
    items = [replace(_audit.decode(body), id=number) for number, body in rows[:limit]]
    return Page(items=items, next=encode_cursor("audit", items[-1].id) if len(rows) > limit else None)


def _audit_trail(connection: Connection, subject: str, bounds: tuple[int, int], but: str, limit: int) -> list[AuditRow]:
    source = """FROM audit WHERE subject = ? AND id < ? AND id > ?
        AND json_extract(body, '$.what') NOT IN (SELECT value FROM json_each(?)) ORDER BY id DESC LIMIT ?"""
    rows = read_rows(connection, "id, body", source, (subject, *bounds, but, limit))
    return [replace(_audit.decode(body), id=number) for number, body in rows]
