"""Reads the bound mailboxes: what is new comes in at once where the server tells, and is looked for where it does not.

One process reads a mailbox at a time, by a lock. How far it has read is kept in the channel's sweep row, only after the
mails are durable in the log, so that whatever ends in between, nothing is left out. Whether somebody has opened a mail
in the mailbox plays no part: what counts is the mail's number there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Literal

import structlog
from msgspec.structs import replace

from actors.errors import PermanentError, RetriableError
from actors.events import Auth
from actors.keys import channel_key
from connectors.contract.calling import BusyError, DeniedError
from connectors.contract.connector import Connector, Parsed, Refused
from connectors.email.connector import Email, place_of
from connectors.email.headers import message_id_in
from connectors.email.imap import Folder, FolderState, Session, Sized, day_of
from connectors.email.line import Line, connected
from services.arrivals.arrivals import Arrivals, Via
from services.arrivals.readers import Channels, Readers
from services.channels.progress import change_row, row_of
from services.masking import mask_text
from storage.channel_ports import SweepStore
from storage.channel_records import SweepRow
from streams.coordination.locks import Locks

OWN = "mailbox"
"""What of a sweep row's cursor belongs to the reading of the mailbox."""
DENIED = "mailbox_denied"
"""Beside it: that the sign-in was not accepted was told of."""
POLL_S = 60.0
IDLE_S = 120.0
"""Waiting is begun anew after this, well before the 29 minutes of RFC 2177 and the 10 of many servers."""
READING_S = 1_200.0
"""Reading one portion of mails and making it durable takes longer than this only when something hangs."""
FIRST_BACKOFF_S, LONGEST_BACKOFF_S = 2.0, 300.0
DENIED_S = 60.0
DAY_MS = 86_400_000
IDS_AT_ONCE = 200
_log = structlog.get_logger(__name__)


class Mailboxes:
    """Reads every bound mailbox; any number of processes may run one. `now` in ms."""

    def __init__(
        self,
        *,
        store: SweepStore,
        channels: Channels,
        arrivals: Arrivals,
        locks: Locks,
        now: Callable[[], int],
        idle_s: float = IDLE_S,
        poll_s: float = POLL_S,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._arrivals = arrivals
        self._now = now
        self._idle_s = idle_s
        self._poll_s = poll_s
        self._sleep = sleep
        self._readers = Readers("mailbox", channels=channels, locks=locks, wanted=_mailbox, read=self.read, sleep=sleep)
        self.observe: Callable[[Literal["read", "failed"], int], None] | None = None
        """Told of mails read and of attempts that failed, for metrics."""

    async def run(self) -> None:
        """For ever: a task for each bound mailbox, begun anew when its binding changes."""
        await self._readers.run()

    async def read(self, connector: Email) -> None:
        """Read one mailbox for ever; whatever goes wrong is tried again, less and less often."""
        failures = 0
        while True:
            wait = 0.0
            try:
                async with connected(connector.mail) as line:
                    await self._accepted(connector)
                    while True:
                        await self.look_through(connector, line)
                        failures = 0
                        await self._well(connector)
                        await self._more(line)
            except DeniedError as wrong:
                wait = DENIED_S
                await self._denied(connector, "revoked" if wrong.revoked else "expired")
                await self._failed(connector, str(wrong))
            except BusyError as busy:
                wait = busy.retry_after
                await self._failed(connector, str(busy))
            except (RetriableError, PermanentError, TimeoutError) as wrong:
                await self._failed(connector, str(wrong) or "the mailbox took too long")
            except Exception as fault:  # noqa: BLE001 # one mailbox's fault is its own
                _log.exception("mailbox_reading_failed", channel=_name(connector))
                await self._failed(connector, f"a fault of this version ({type(fault).__name__}): see the log")
            failures += 1
            await self._sleep(max(wait, min(FIRST_BACKOFF_S * 2 ** min(failures - 1, 16), LONGEST_BACKOFF_S)))

    async def _more(self, line: Line) -> None:
        """Wait until there may be more."""
        if line.idles:
            await line.wait(self._idle_s)
        else:
            await self._sleep(self._poll_s)

    async def look_through(self, connector: Email, line: Line) -> int:
        """Take in what is new in every folder that is read; how many mails it was."""
        read = 0
        for folder in await line.run(Session.folders, connector.mail):
            read += await self._folder(connector, line, folder)
        return read

    async def _folder(self, connector: Email, line: Line, folder: Folder) -> int:
        async with asyncio.timeout(READING_S):
            state = await line.run(Session.open, folder.name)
            cursor = self._begun(await self._cursor(connector, folder), state, connector)
            uids = await self._uids(line, cursor)
            await self._keep(connector, folder, cursor)
        read = 0
        for portion in await line.run(Session.batches, uids):
            async with asyncio.timeout(READING_S):
                read += await self._portion(connector, line, folder, state, cursor, portion)
        if cursor["uid"] < state.next_uid - 1:
            cursor["uid"] = state.next_uid - 1
            await self._keep(connector, folder, cursor)
        return read

    async def _uids(self, line: Line, cursor: dict[str, int]) -> list[int]:
        """What is to be read: of the mails that lay there when reading began, those since the day that is wanted."""
        uid, old = cursor["uid"], cursor["old"]
        before = await line.run(Session.after, uid, day_of(cursor["since"])) if uid < old else []
        return [*(one for one in before if one <= old), *await line.run(Session.after, max(uid, old))]

    def _begun(self, cursor: dict[str, int] | None, state: FolderState, connector: Email) -> dict[str, int]:
        """Where to go on; at the beginning of what is wanted for a new folder, and for one that was made anew.

        `old`: mails up to this number lay there when reading began. `first`: they are history, told of by nobody.
        """
        last = state.next_uid - 1
        if cursor is None:
            start = self._now() - connector.mail.history_days * DAY_MS
            return {"validity": state.validity, "uid": 0, "old": last, "first": 1, "since": start}
        if cursor["validity"] != state.validity:
            _log.warning("mailbox_numbered_anew", channel=_name(connector))
            return {**cursor, "validity": state.validity, "uid": 0, "old": last, "first": 0}
        return dict(cursor)

    async def _portion(
        self,
        connector: Email,
        line: Line,
        folder: Folder,
        state: FolderState,
        cursor: dict[str, int],
        portion: Sequence[Sized],
    ) -> int:
        """Take a portion in, and then note that it is."""
        old = [mail for mail in portion if mail.uid <= cursor["old"]]
        fresh = [mail for mail in portion if mail.uid > cursor["old"]]
        unknown = await self._unknown(connector, line, old)
        via: Via = "poll" if cursor["first"] else "resync"
        read = 0
        kinds: tuple[tuple[list[Sized], Via, bool], ...] = (
            (unknown, via, bool(cursor["first"])),
            (fresh, "push", False),
        )
        for mails, how, history in kinds:
            if mails:
                parsed = await self._parsed(connector, line, folder, state, mails)
                await self._arrivals.take(connector, parsed, via=how, history=history)
                read += len(mails)
        cursor["uid"] = portion[-1].uid
        await self._keep(connector, folder, cursor)
        if self.observe is not None and read:
            self.observe("read", read)
        return read

    async def _unknown(self, connector: Email, line: Line, mails: Sequence[Sized]) -> list[Sized]:
        """Those that are not held by their id; mails without one are read to find out."""
        if not mails:
            return []
        ids = await line.run(Session.message_ids, [mail.uid for mail in mails])
        platform, account = connector.platform, connector.binding.account
        unknown: list[Sized] = []
        for mail in mails:
            known = message_id_in(ids.get(mail.uid, b""))
            if known is None or await connector.threads.held(platform, account, known) is None:
                unknown.append(mail)
        return unknown

    async def _parsed(
        self, connector: Email, line: Line, folder: Folder, state: FolderState, mails: Sequence[Sized]
    ) -> list[Parsed]:
        reader = connector.reader()
        parsed: list[Parsed] = []
        for mail in await line.fetch(folder.name, mails):
            if isinstance(mail, Refused):
                parsed.append(mail)
            else:
                parsed += await reader.read(mail.raw, place_of(folder, state.validity, mail))
        return parsed

    async def _cursor(self, connector: Email, folder: Folder) -> dict[str, int] | None:
        kept = (await self._row(connector)).cursor.get(OWN, {})
        found = kept.get(folder.name) if isinstance(kept, dict) else None
        return found if isinstance(found, dict) else None

    async def _keep(self, connector: Email, folder: Folder, cursor: dict[str, int]) -> None:
        def read(row: SweepRow) -> SweepRow:
            kept = row.cursor.get(OWN, {})
            return replace(row, cursor={**row.cursor, OWN: {**kept, folder.name: dict(cursor)}})

        await self._change(connector, read)

    async def _row(self, connector: Email) -> SweepRow:
        return await row_of(self._store, connector.platform, connector.binding.account)

    async def _change(self, connector: Email, change: Callable[[SweepRow], SweepRow]) -> None:
        await change_row(self._store, connector.platform, connector.binding.account, change)

    async def _well(self, connector: Email) -> None:
        await self._change(connector, lambda row: row if row.failing_since is None else _untroubled(row))

    async def _failed(self, connector: Email, reason: str) -> None:
        if self.observe is not None:
            self.observe("failed", 1)
        told = mask_text(reason)[:500]
        _log.warning("mailbox_cannot_be_read", channel=_name(connector), reason=told)
        with suppress(RetriableError):  # the store may be what fails; the log has told it
            now = self._now()
            await self._change(connector, lambda row: replace(row, failing_since=row.failing_since or now, reason=told))

    async def _denied(self, connector: Email, status: Literal["expired", "revoked"]) -> None:
        """Tell once that the sign-in is not accepted, until it is again."""
        with suppress(RetriableError):  # told with the next attempt
            row = await self._row(connector)
            if not row.cursor.get(DENIED):
                await self._tell_auth(connector, status)
                await self._change(connector, lambda row: replace(row, cursor={**row.cursor, DENIED: True}))

    async def _accepted(self, connector: Email) -> None:
        row = await self._row(connector)
        if row.cursor.get(DENIED):
            await self._tell_auth(connector, "ok")
            await self._change(connector, _not_denied)

    async def _tell_auth(self, connector: Email, status: Literal["ok", "expired", "revoked"]) -> None:
        auth = Auth(platform=connector.platform, account=connector.binding.account, status=status)
        await self._arrivals.take(connector, [auth])


def _untroubled(row: SweepRow) -> SweepRow:
    return replace(row, failing_since=None, reason=None)


def _not_denied(row: SweepRow) -> SweepRow:
    return replace(row, cursor={name: value for name, value in row.cursor.items() if name != DENIED})


def _mailbox(connector: Connector) -> Email | None:
    return connector if isinstance(connector, Email) else None


def _name(connector: Email) -> str:
    return channel_key(connector.platform, connector.binding.account)


__all__ = ["Mailboxes"]
