"""People: who may log in, with which role, and their sessions. Every change leaves an audit row."""

import hashlib
import re
import secrets
from collections.abc import Callable, Sequence
from typing import Any

from msgspec.structs import replace

from actors.errors import RejectedError
from services.errors import ConflictError, CredentialsError, NotFoundError
from services.people.login_limit import LoginLimit
from services.people.passwords import Passwords, random_password
from services.people.permissions import Caller, check_role
from storage.ports import AccountStore
from storage.records import AuditRow, Session, User
from streams.coordination.rate_limits import LocalRateLimits, RateLimits

SESSION_MS = 14 * 86_400_000
CACHE_MS = 2_000
MOST_CACHED = 2_000
LONGEST_NAME = 100
MOST_LANGS = 30
MOST_CAPACITY = 1_000
_LANG = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8}){0,2}")
FIRST_ADMIN = "admin"


def digest_of(secret: str) -> str:
    """The SHA-256 under which a session or token is kept."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


class Accounts:
    """Users and sessions.

    A change made in this process holds at once; one made by another process (the command line) after two
    seconds at most, since looked-up sessions are remembered that long.
    """

    def __init__(
        self,
        store: AccountStore,
        now: Callable[[], int],
        passwords: Passwords | None = None,
        limits: RateLimits | None = None,
    ) -> None:
        """`limits` counts the attempts to log in; without it they are counted in this process."""
        self._store = store
        self._now = now
        self._passwords = passwords or Passwords()
        self._limit = LoginLimit(limits or LocalRateLimits(now))
        self._seen: dict[str, tuple[int, Caller | None]] = {}
        self._revoked: list[Callable[[str], None]] = []
        self._ended: list[Callable[[str], None]] = []
        self._changed: list[Callable[[str], None]] = []
        self._cleared = 0

    async def ensure_admin(self) -> str | None:
        """On the very first start create the user `admin`; returns its password once, None when people exist."""
        if await self._store.users():
            return None
        password = random_password()
        await self.add(FIRST_ADMIN, "admin", password, who="first start")
        return password

    async def users(self) -> list[User]:
        """Everybody, by name."""
        return await self._store.users()

    async def add(self, name: str, role: str, password: str, *, who: str) -> User:
        """A new person; raises RejectedError (bad name, role or password) or ConflictError (name taken)."""
        name = _checked_name(name)
        user = User(
            id=secrets.token_hex(8),
            name=name,
            role=check_role(role),
            password_hash=await self._passwords.hash(password),
            created_at=self._now(),
        )
        if await self._store.user(name):
            raise ConflictError(f"there is a user {name!r} already; choose another name or change that one")
        await self._store.put_user(user, self._audit(who, "user.added", name, None, _public(user)))
        for told in self._changed:
            told(name)
        return user

    async def change(  # each keyword is one thing that can be changed
        self,
        name: str,
        *,
        who: str,
        role: str | None = None,
        disabled: bool | None = None,
        password: str | None = None,
        lang: str | None = None,
        theme: str | None = None,
        langs: Sequence[str] | None = None,
        capacity: int | None = None,
    ) -> User:
        """Change what is given. Raises NotFoundError, RejectedError, or ConflictError for the last admin.

        A change of password or access ends the person's sessions; another role holds from the next action on.
        """
        user = await self._existing(name)
        changes: dict[str, Any] = {"disabled": disabled, "lang": lang, "theme": theme}
        changes["langs"] = None if langs is None else _checked_langs(langs)
        changes["capacity"] = None if capacity is None else _checked_capacity(capacity)
        changes["role"] = None if role is None else check_role(role)
        changes["password_hash"] = None if password is None else await self._passwords.hash(password)
        changed = replace(user, **{key: value for key, value in changes.items() if value is not None})
        if user.role == "admin" and (changed.role != "admin" or changed.disabled):
            await self._keep_an_admin(user)
        what = "user.password" if password is not None else "user.changed"
        await self._store.put_user(changed, self._audit(who, what, user.name, _public(user), _public(changed)))
        self._forget()
        if disabled or password is not None:
            await self.end_sessions(user.name)
        for told in self._changed:
            told(user.name)
        return changed

    async def log_in(self, name: str, password: str, address: str, *, old: str | None = None) -> tuple[str, Caller]:
        """A new session: (its secret for the cookie, who it is). The `old` session's secret stops working.

        Raises CredentialsError, or TooManyAttemptsError after too many failures.
        """
        await self._limit.attempt(address, name)
        user = await self._store.user(name) if 0 < len(name) <= LONGEST_NAME else None
        usable = user.password_hash if user and not user.disabled else None
        if not await self._passwords.matches(usable, password) or user is None:
            await self._store.append_audit(self._audit(name[:LONGEST_NAME], "login.failed", "session", None, None))
            raise CredentialsError("name or password is wrong, or the user is disabled")
        await self._limit.succeeded(address, name)
        if old:
            await self.log_out(old)
        secret = secrets.token_urlsafe(32)
        now = self._now()
        session = Session(digest=digest_of(secret), user=user.name, created_at=now, expires_at=now + SESSION_MS)
        await self._store.put_session(session)
        await self._store.append_audit(self._audit(user.name, "login", "session", None, None))
        return secret, Caller(name=user.name, role=user.role, via="session", credential=session.digest)

    async def change_own_password(self, name: str, current: str, new: str, address: str) -> User:
        """Set one's own password, knowing the current one; ends every session of the person.

        Raises CredentialsError, TooManyAttemptsError, RejectedError, NotFoundError.
        """
        user = await self._existing(name)
        await self._limit.attempt(address, name)
        if not await self._passwords.matches(None if user.disabled else user.password_hash, current):
            raise CredentialsError("the current password is wrong")
        await self._limit.succeeded(address, name)
        return await self.change(name, who=name, password=new)

    async def log_out(self, secret: str) -> None:
        """End one session; an unknown one is no error."""
        digest = digest_of(secret)
        self._seen.pop(digest, None)
        await self._store.delete_sessions(digest=digest)

    async def end_sessions(self, name: str) -> None:
        """End every session of a person."""
        await self._store.delete_sessions(user=name)
        self.sessions_ended(name)
        for told in self._ended:
            told(name)

    def sessions_ended(self, name: str) -> None:
        """The sessions of a person were ended, here or by another process: believe none that is remembered."""
        self._forget()
        for told in self._revoked:
            told(name)

    def on_revoked(self, told: Callable[[str], None]) -> None:
        """Call `told(user name)` when a person's sessions were ended, so that open sockets can be closed."""
        self._revoked.append(told)

    def on_ended(self, told: Callable[[str], None]) -> None:
        """Call `told(user name)` when this object has ended a person's sessions, so that other processes hear of it."""
        self._ended.append(told)

    def on_changed(self, told: Callable[[str], None]) -> None:
        """Call `told(user name)` when somebody was added or changed by this object."""
        self._changed.append(told)

    async def caller(self, secret: str) -> Caller | None:
        """Who holds this session; None when it is unknown, expired, or its user is disabled."""
        digest, now = digest_of(secret), self._now()
        until, known = self._seen.get(digest, (0, None))
        if until > now:
            return known
        cleared = self._cleared
        session = await self._store.session(digest)
        user = await self._store.user(session.user) if session and session.expires_at > now else None
        found = None
        if user and not user.disabled:
            found = Caller(name=user.name, role=user.role, via="session", credential=digest)
        if len(self._seen) >= MOST_CACHED:
            self._seen.clear()
        if cleared == self._cleared:  # else somebody was changed while he was looked up
            self._seen[digest] = (now + CACHE_MS, found)
        return found

    def _forget(self) -> None:
        """Believe nothing that is remembered."""
        self._seen.clear()
        self._cleared += 1

    async def forget_expired(self) -> None:
        """Delete the sessions that are over."""
        await self._store.delete_sessions(expired_before=self._now())

    async def _existing(self, name: str) -> User:
        user = await self._store.user(name)
        if user is None:
            raise NotFoundError(f"there is no user {name!r}; `weir user list` shows who there is")
        return user

    async def _keep_an_admin(self, leaving: User) -> None:
        others = [u for u in await self._store.users() if u.role == "admin" and not u.disabled and u.id != leaving.id]
        if not others:
            raise ConflictError(f"{leaving.name!r} is the last admin; make somebody else admin first")

    def _audit(self, who: str, what: str, subject: str, before: Any, after: Any) -> AuditRow:
        return AuditRow(at=self._now(), who=who, what=what, subject=subject, before=before, after=after)


def _checked_name(name: str) -> str:
    name = name.strip()
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable() or "/" in name:
        raise RejectedError(f"a user's name has 1 to {LONGEST_NAME} printable characters and no slash")
    return name


def _checked_langs(langs: Sequence[str]) -> list[str]:
    found = sorted({lang.strip().lower() for lang in langs})
    if len(found) > MOST_LANGS or not all(_LANG.fullmatch(lang) for lang in found):
        raise RejectedError(f"languages: at most {MOST_LANGS} codes such as `de` or `zh-hant`")
    return found


def _checked_capacity(capacity: int) -> int:
    if not 0 <= capacity <= MOST_CAPACITY:
        raise RejectedError(f"capacity: 0 to {MOST_CAPACITY} open conversations")
    return capacity


def _public(user: User) -> dict[str, Any]:
    """What an audit row may say of a user: never the hash."""
    names = ("role", "disabled", "lang", "theme", "langs", "capacity")
    return {name: getattr(user, name) for name in names}
