"""A mailbox over IMAP4rev1 (RFC 3501): what is new since a cursor, what lies in a span of days, waiting for more.

Folders are opened for reading only and bodies are peeked at, so that nothing here ever marks a mail as seen (only what
a person does in the mailbox is). Everything here blocks, and ends: the server has `TIMEOUT_S` for every answer.
"""

from __future__ import annotations

import contextlib
import imaplib
import re
import socket
from collections.abc import Callable, Generator, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any, Literal, TypeAlias, cast

from imap_tools.errors import ImapToolsError, MailboxLoginError
from imap_tools.mailbox import BaseMailBox, MailBox, MailBoxStartTls, MailBoxUnencrypted
from msgspec import Struct

from actors.errors import WeirError
from connectors.contract.calling import BusyError, DeniedError, RefusedError, UnreachableError, without
from connectors.email.headers import instant
from connectors.email.settings import MailSettings

TIMEOUT_S = 30.0
MOST_FETCHED = 40 * 2**20
"""A mail larger than this is fetched only in its beginning."""
BEGINNING = 256 * 1024
BATCH_MAILS = 20
BATCH_BYTES = 8 * 2**20
_SIZES_AT_ONCE = 500
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_UID = re.compile(rb"\bUID (\d+)")
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)")
_DATE = re.compile(rb'\bINTERNALDATE "([^"]{1,40})"')
_PASSING = ("[UNAVAILABLE]", "[INUSE]", "[LIMIT]", "[SERVERBUG]", "TRY AGAIN", "TOO MANY", "TEMPORAR")
FolderKind: TypeAlias = Literal["inbox", "sent", "junk"]


class Folder(Struct, frozen=True):
    """One folder that is read."""

    kind: FolderKind
    name: str


class FolderState(Struct, frozen=True, kw_only=True):
    """A folder as it is: uids mean something only while its `validity` is the same."""

    validity: int
    next_uid: int


class Sized(Struct, frozen=True):
    """A mail that can be fetched. `at`: when the server took it in, ms."""

    uid: int
    size: int
    at: int | None = None


class Fetched(Struct, frozen=True, kw_only=True):
    """A mail as it lies there. `at`: when the server took it in, ms; `cut`: `raw` is its beginning only."""

    uid: int
    raw: bytes
    at: int | None
    size: int
    cut: bool = False

    def __repr__(self) -> str:
        """Without what it says."""
        return f"Fetched(uid={self.uid}, size={self.size})"


class Session:
    """One connection, signed in. For one thread at a time, apart from `abort`."""

    def __init__(self, settings: MailSettings, secrets: Callable[[str], str] = str) -> None:
        """`secrets`: takes the channel's secrets out of what a server says.

        Raises UnreachableError, BusyError, DeniedError, or RefusedError for settings that cannot work.
        """
        self._secrets = secrets
        self._open: FolderState | None = None
        with self._named():
            self._box = _connected(settings)
        try:
            with self._named():
                self._sign_in(settings)
        except WeirError:
            self.release()
            raise
        self.idles = "IDLE" in self._box.client.capabilities

    def folders(self, settings: MailSettings) -> list[Folder]:
        """The folders that are read: sent mail first, so that a copy to oneself is known for what it is."""
        with self._named():
            listed = self._box.folder.list()
        sent = settings.sent or _marked(listed, "\\sent", ("sent", "sent items", "sent messages", "inbox.sent"))
        wanted = settings.junk
        junk = _marked(listed, "\\junk", ("junk", "spam", "inbox.junk")) if wanted.lower() == "auto" else wanted
        found = [Folder("sent", sent)] if sent else []
        found += [Folder("junk", junk)] if junk else []
        return [*found, Folder("inbox", settings.inbox)]

    def open(self, folder: str) -> FolderState:
        """Open a folder for reading only. Raises RefusedError when there is none."""
        with self._named(f"the folder {folder!r} cannot be opened; is it still there?"):
            self._box.folder.set(folder, readonly=True)  # pyright: ignore[reportUnknownMemberType] # the library says a bare tuple
        with self._named():
            told = self._box.client.untagged_responses
            validity, following = (_number(told, name) for name in ("UIDVALIDITY", "UIDNEXT"))
            if following is None:
                following = max(self._uids("ALL"), default=0) + 1
        self._open = FolderState(validity=validity or 0, next_uid=following)
        return self._open

    def after(self, uid: int, since: date | None = None) -> list[int]:
        """The uids above `uid` in the open folder, ascending; of mails that came on `since` or later, where given."""
        with self._named():
            span = f" SINCE {_day(since)}" if since is not None else ""
            return sorted(found for found in self._uids(f"UID {uid + 1}:*{span}") if found > uid)

    def between(self, since: date, until: date) -> list[int]:
        """The uids of mails that came on `since` or later and before `until`, ascending."""
        with self._named():
            return sorted(self._uids(f"SINCE {_day(since)} BEFORE {_day(until)}"))

    def of_id(self, message_id: str) -> list[int]:
        """The uids of the mails with that Message-ID in the open folder."""
        bare = re.sub(r'[\x00-\x1f\x7f"\\]', "", message_id)
        if not bare or not bare.isascii():
            return []
        with self._named():
            return self._uids(f'HEADER Message-ID "{bare}"')

    def batches(self, uids: Sequence[int]) -> list[list[Sized]]:
        """The mails in portions that are fetched at once, with their sizes."""
        found: list[Sized] = []
        for start in range(0, len(uids), _SIZES_AT_ONCE):
            chunk = uids[start : start + _SIZES_AT_ONCE]
            with self._named():
                sizes = {mail.uid: mail for mail in self._sizes(chunk)}
            found += [sizes[uid] for uid in chunk if uid in sizes]
        return list(_portions(found))

    def message_ids(self, uids: Sequence[int]) -> dict[int, bytes]:
        """The header with the Message-ID of each of these mails, as bytes; nothing else is fetched."""
        with self._named():
            parts = "(UID BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])"
            return {uid: raw for uid, raw, _ in self._fetch(uids, parts)}

    def fetch(self, mails: Sequence[Sized]) -> list[Fetched]:
        """These mails, whole or in their beginning; those that are gone meanwhile are left out."""
        sizes = {mail.uid: mail.size for mail in mails}
        whole = [mail.uid for mail in mails if mail.size <= MOST_FETCHED]
        long = [mail.uid for mail in mails if mail.size > MOST_FETCHED]
        found: list[Fetched] = []
        with self._named():
            for uids, body in ((whole, "BODY.PEEK[]"), (long, f"BODY.PEEK[]<0.{BEGINNING}>")):
                for uid, raw, told in self._fetch(uids, f"(UID INTERNALDATE {body})"):
                    if uid in sizes:
                        cut = uids is long
                        found.append(Fetched(uid=uid, raw=raw, at=_came(told), size=sizes[uid], cut=cut))
        return sorted(found, key=lambda one: one.uid)

    def wait(self, timeout_s: float) -> bool:
        """Wait until something changes in the open folder, by IDLE (RFC 2177); False when nothing did."""
        with self._named():
            return any(b"EXISTS" in line or b"RECENT" in line for line in self._box.idle.wait(timeout_s))

    def append(self, folder: str, mail: bytes) -> None:
        """Put a mail of ours into a folder, as one that was seen."""
        with self._named():
            self._box.append(mail, folder, datetime.now(UTC), ["\\Seen"])  # pyright: ignore[reportUnknownMemberType] # the same

    def close(self) -> None:
        """Sign out; a server that does not answer is left."""
        with contextlib.suppress(OSError, imaplib.IMAP4.error, ImapToolsError):
            self._box.logout()  # pyright: ignore[reportUnknownMemberType] # the same
        self.release()

    def abort(self) -> None:
        """Cut the connection, from any thread: whatever waits for the server ends with an error. Then `release`."""
        with contextlib.suppress(OSError):
            self._box.client.sock.shutdown(socket.SHUT_RDWR)

    def release(self) -> None:
        """Give the connection back to the system, in the thread that used it last."""
        with contextlib.suppress(OSError, imaplib.IMAP4.error):
            self._box.client.shutdown()

    def _sign_in(self, settings: MailSettings) -> None:
        try:
            if settings.xoauth2:
                self._box.xoauth2(settings.user, settings.password, None)
            elif settings.user.isascii() and settings.password.isascii():
                self._box.login(settings.user, settings.password, None)
            else:
                self._box.login_utf8(settings.user, settings.password, None)
        except imaplib.IMAP4.abort:
            raise
        except (MailboxLoginError, imaplib.IMAP4.error) as wrong:
            told = self._secrets(_said(wrong))
            if any(sign in told.upper() for sign in _PASSING):
                raise BusyError(f"the mailbox's server takes no sign-in now: {told}", 60.0) from None
            raise DeniedError(f"the mailbox's server does not accept the sign-in: {told}") from None
        self._box.client.capabilities = _capabilities(self._box)

    def _uids(self, criteria: str) -> list[int]:
        return [int(uid) for uid in self._box.uids(criteria, charset=None)]

    def _sizes(self, uids: Sequence[int]) -> Iterator[Sized]:
        _, data = self._command("FETCH", _set(uids), "(UID RFC822.SIZE INTERNALDATE)")
        for line in data:
            told = line if isinstance(line, bytes) else b""
            if (uid := _UID.search(told)) and (size := _SIZE.search(told)):
                yield Sized(int(uid[1]), int(size[1]), _came(told))

    def _fetch(self, uids: Sequence[int], parts: str) -> Iterator[tuple[int, bytes, bytes]]:
        """Uid, literal, and what is told beside it, which stands before it or behind."""
        if not uids:
            return
        _, data = self._command("FETCH", _set(uids), parts)
        for index, item in enumerate(data):
            if isinstance(item, tuple):
                after: Any = data[index + 1] if index + 1 < len(data) else b""
                told = cast("bytes", item[0]) + (after if isinstance(after, bytes) else b"")
                if (uid := _UID.search(told)) is not None:
                    yield int(uid[1]), cast("bytes", item[1]), told

    def _command(self, name: str, *arguments: str) -> tuple[str, list[Any]]:
        status, data = self._box.client.uid(name, *arguments)
        if status != "OK":
            said = self._secrets(str(data)[:200])
            raise RefusedError(f"the mailbox's server does not carry out {name}: {said}", "fetch")
        return status, [item for item in data if item is not None]

    @contextlib.contextmanager
    def _named(self, refused: str | None = None) -> Generator[None]:
        """What goes wrong, by what to do next; `refused`: what a command that the server declines means."""
        try:
            yield
        except WeirError:
            raise
        except (imaplib.IMAP4.abort, OSError, EOFError) as wrong:
            raise UnreachableError(f"the mailbox's server cannot be reached: {self._secrets(_said(wrong))}") from None
        except (ImapToolsError, imaplib.IMAP4.error, ValueError, KeyError, IndexError) as wrong:
            told = self._secrets(_said(wrong))
            if refused is not None:
                raise RefusedError(f"{refused} The server says: {told}", "folder") from None
            raise UnreachableError(f"the mailbox's server answers strangely: {told}") from None


def secrets_of(settings: MailSettings) -> Callable[[str], str]:
    """What takes this mailbox's password out of a text."""
    return partial(without, [settings.password])


def _connected(settings: MailSettings) -> BaseMailBox:
    server = settings.imap
    match server.security:
        case "tls":
            return MailBox(server.host, server.port, TIMEOUT_S, ssl_context=settings.tls())
        case "starttls":
            return MailBoxStartTls(server.host, server.port, TIMEOUT_S, ssl_context=settings.tls())
        case "none":
            return MailBoxUnencrypted(server.host, server.port, TIMEOUT_S)


def _capabilities(box: BaseMailBox) -> tuple[str, ...]:
    """What the server can do for whoever is signed in, which may be more than before."""
    _, data = box.client.capability()
    return tuple(b" ".join(line for line in data if line).decode("ascii", "replace").upper().split())


def _marked(listed: Sequence[Any], mark: str, names: Sequence[str]) -> str:
    """The folder with this special use (RFC 6154), or one with such a name; a blank one when there is neither."""
    for folder in listed:
        if any(flag.lower() == mark for flag in folder.flags):
            return folder.name
    return next((folder.name for folder in listed if folder.name.lower() in names), "")


def _number(told: dict[str, list[Any]], name: str) -> int | None:
    found = told.get(name) or [None]
    last = found[-1]
    return int(last) if isinstance(last, bytes) and last.isdigit() else None


def _set(uids: Sequence[int]) -> str:
    return ",".join(str(uid) for uid in uids)


def _portions(mails: Sequence[Sized]) -> Iterator[list[Sized]]:
    portion: list[Sized] = []
    size = 0
    for mail in mails:
        weight = min(mail.size, BEGINNING if mail.size > MOST_FETCHED else mail.size)
        if portion and (len(portion) >= BATCH_MAILS or size + weight > BATCH_BYTES):
            yield portion
            portion, size = [], 0
        portion.append(mail)
        size += weight
    if portion:
        yield portion


def _came(told: bytes) -> int | None:
    found = _DATE.search(told)
    return instant(found[1].decode("ascii", "replace").strip()) if found else None


def _day(when: date) -> str:
    return f"{when.day}-{_MONTHS[when.month - 1]}-{when.year}"


def day_of(at: int) -> date:
    """The day of a time in ms, one earlier, since servers reckon days where they stand."""
    return datetime.fromtimestamp(at / 1_000, UTC).date() - timedelta(days=1)


def _said(wrong: BaseException) -> str:
    return " ".join(str(wrong).split())[:300] or type(wrong).__name__


__all__ = [
    "Fetched",
    "Folder",
    "FolderKind",
    "FolderState",
    "Session",
    "Sized",
    "day_of",
    "secrets_of",
]
