"""The outbox: replies leave it once each. Claim, send, record; what may have been sent is never sent again blindly.

Any number of processes may run it. A reply is claimed by compare-and-set before anything goes to its platform; a claim
without a record, after two minutes, is `unknown`: looked for at the platform (`services.replies.search`), or tried
again where the platform takes the same one only once. Replies of one conversation go out in their order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any, Protocol

import structlog
from msgspec import Struct
from msgspec.structs import replace

from actors.errors import ConfigurationError, PermanentError, RetriableError
from actors.events import Auth
from actors.keys import channel_key
from connectors.contract.calling import BusyError, DeniedError, RefusedError, UnreachableError
from connectors.contract.connector import Connector
from connectors.contract.outgoing import Outgoing, Sent
from services.replies.composing import Address, Composer, Find
from services.replies.elsewhere import Elsewhere
from services.replies.events import message_of
from services.replies.fates import Fates
from services.replies.parked_receipts import Parked
from services.replies.search import FIRST_MS, ApiOf, Search
from storage.channel_ports import FileStore, OutboxStore
from storage.channel_records import ReplyRow, ReplyState
from storage.ports import AccountStore, InboxStore
from streams.ports import Gateway

SEND_S = 90.0
"""The longest sending: shorter than CLAIM_MS, so that no other process takes it for hanging."""
CLAIM_MS = 120_000
NEW_MS = 10_000
CHORES_MS = 5_000
BLOCKED_MS = 30_000
PATIENCE_MS = 24 * 3_600_000
LONGEST_WAIT_MS = 300_000
MOST_AT_ONCE = 64
MOST_PER_CHANNEL = 8
"""So that a platform that hangs does not hold up the others."""
BATCH = 500
PERIOD_S = 0.5
FAREWELL_S = 10.0
LONGEST_REASON = 500
_log = structlog.get_logger(__name__)


class OutboxPort(OutboxStore, InboxStore, AccountStore, Protocol):
    """The parts of a store used here."""


class Blocked(Struct, frozen=True):
    """A channel whose platform does not accept its authorisation: with which connector, and until when it rests."""

    connector: Connector
    until: int


class Outbox:
    """Sends replies. `who`: this process, for people who look at claims."""

    def __init__(
        self,
        store: OutboxPort,
        gateway: Gateway,
        find: Find,
        api_of: ApiOf,
        *,
        who: str,
        files: FileStore | None = None,
        address: Address | None = None,
        now: Callable[[], int] | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`find` gives a bound channel's connector, `api_of` its way to the platform; `address`: see `Composer`."""
        self._store = store
        self._gateway = gateway
        self._find = find
        self._api_of = api_of
        self._who = who
        self._now = now or gateway.now
        self._sleep = sleep
        self._composer = Composer(store, files, address)
        self._fates = Fates(store, gateway, self._now, sleep, Elsewhere(store, find))
        self._search = Search(store, self._fates, find, api_of, self._now)
        self._parked = Parked(store, gateway, self._now)
        self._blocked: dict[str, Blocked] = {}
        self._work: dict[asyncio.Task[None], str] = {}
        self._woken = asyncio.Event()
        self._chores_at: int | None = None
        self.observe: Callable[[str, ReplyState], None] | None = None
        """Told the platform and the state after every sending (`queued`: to be tried again), for metrics."""

    def wake(self) -> None:
        """There is something to send: do not wait for the next round."""
        self._woken.set()

    async def run(self) -> None:
        """For ever. What is being sent when it is cancelled gets ten seconds to end."""
        try:
            while True:
                try:
                    begun = await self._begin()
                    await self._parked.release()
                except RetriableError as busy:
                    _log.warning("outbox_waits", reason=str(busy))
                    begun = 0
                if not begun:
                    await self._rest()
        finally:
            await self._let_finish()

    async def step(self) -> int:
        """One round, with everything that it begins; how many replies were taken up. Raises RetriableError."""
        begun = await self._begin()
        if self._work:
            await asyncio.wait(self._work)
        await self._parked.release()
        return begun

    async def _begin(self) -> int:
        now = self._now()
        if self._chores_at is None or now - self._chores_at >= CHORES_MS:
            self._chores_at = now
            await self._recover(now)
            await self._fates.tell_rest()
            for row in await self._search.due():
                self._start(self._search.look(row), row)
        begun = 0
        for row in await self._store.due_replies(now, BATCH):
            if len(self._work) >= MOST_AT_ONCE:
                break
            if self._busy(row) < MOST_PER_CHANNEL:
                begun += await self._take_up(row)
        return begun

    async def _recover(self, now: int) -> None:
        """Take care of what a process left behind that ended."""
        for row in await self._store.stale_replies(now - NEW_MS, BATCH):
            if row.state == "new":
                await self._gateway.submit([message_of(row, now)])
                await self._fates.change(row, replace(row, state="queued", claimed_by=None))
            elif row.claimed_at is None or row.claimed_at <= now - CLAIM_MS:
                try:
                    connector = await self._find(row.platform, row.account)
                except ConfigurationError:
                    connector = None
                reason = "the process that was sending it ended; it may have been sent"
                await self._fates.change(row, _doubted(row, connector, now, reason))

    async def _take_up(self, row: ReplyRow) -> int:
        """Begin to send a reply; 0 when it must wait, or somebody else has it."""
        prepared = await self._prepared(row)
        if prepared is None:
            return 0
        connector, outgoing = prepared
        now = self._now()
        mine = replace(row, state="claimed", claimed_at=now, claimed_by=self._who, attempts=row.attempts + 1)
        claimed = await self._fates.change(row, mine)
        if claimed is None:
            return 0
        self._start(self._deliver(claimed, connector, outgoing), claimed)
        return 1

    async def _prepared(self, row: ReplyRow) -> tuple[Connector, Outgoing] | None:
        """What is needed before the claim, so that a claim means that something may have been sent."""
        try:
            connector = await self._find(row.platform, row.account)
        except ConfigurationError as wrong:
            await self._block(row, self._now() + BLOCKED_MS, f"the channel cannot be used now: {wrong}")
            return None
        if connector is None or not connector.capabilities.sends:
            reason = "the channel is not bound any more; bind it, then retry the reply"
            await self._fail(row, "not_bound", reason)
            return None
        rest = self._blocked.get(_channel(row))
        if rest is not None and rest.connector is connector and rest.until > self._now():
            await self._block(row, rest.until, _denied(row))
            return None
        try:
            return connector, await self._composer.outgoing(row, connector)
        except PermanentError as wrong:
            await self._fail(row, "file_missing", str(wrong))
        except RetriableError:
            raise
        except Exception as wrong:  # noqa: BLE001 # one reply that cannot be put together must not hold up the others
            _log.error("reply_not_made_ready", reply=row.id, error=type(wrong).__name__)
            reason = f"it could not be made ready for sending ({type(wrong).__name__}); Weir's log says more"
            await self._block(row, self._now() + BLOCKED_MS, reason)
        return None

    async def _deliver(self, row: ReplyRow, connector: Connector, outgoing: Outgoing) -> None:
        try:
            async with asyncio.timeout(SEND_S):
                sent = await connector.send(outgoing, self._api_of(connector))
        except Exception as error:  # noqa: BLE001 # whatever a connector raises, the reply may have gone out
            await self._missed(row, connector, error)
        else:
            await self._went_out(row, sent)

    async def _went_out(self, row: ReplyRow, sent: Sent) -> None:
        now = self._now()
        done = replace(
            row,
            state="sent",
            platform_message=sent.message,
            settled_at=now,
            code=None,
            reason=None,
            told=False,
        )
        await self._fates.record(row, done)
        self._tell(row.platform, done)
        if self._blocked.pop(_channel(row), None) is not None:
            await self._tell_auth(Auth(platform=row.platform, account=row.account, at=now, status="ok"))

    async def _missed(self, row: ReplyRow, connector: Connector, error: Exception) -> None:
        """Decide by the error what becomes of the reply."""
        now = self._now()
        match error:
            case UnreachableError():
                asked = round(error.retry_after * 1000) if isinstance(error, BusyError) else 0
                after = _again(row, now, max(asked, _backoff(row)), _said(error))
            case DeniedError():
                after = replace(_queued(row), due_at=now + BLOCKED_MS, code="blocked", reason=_denied(row))
            case RefusedError():
                after = _failed(row, now, error.code or "refused", _said(error))
            case TimeoutError():
                reason = f"the platform did not answer within {SEND_S:.0f} s; it may have been sent"
                after = _doubted(row, connector, now, reason)
            case RetriableError():
                after = _doubted(row, connector, now, _said(error))
            case _:
                _log.error("connector_failed", platform=row.platform, reply=row.id, error=type(error).__name__)
                reason = f"the connector failed while sending ({type(error).__name__}); it may have been sent"
                after = _doubted(row, connector, now, reason)
        await self._fates.record(row, after)
        self._tell(row.platform, after)
        if isinstance(error, DeniedError):
            await self._denied(row, connector, error)

    async def _denied(self, row: ReplyRow, connector: Connector, error: DeniedError) -> None:
        """Nothing of this channel goes out until somebody authorises it anew; then each reply does, once."""
        now = self._now()
        known = self._blocked.get(_channel(row))
        self._blocked[_channel(row)] = Blocked(connector, now + BLOCKED_MS)
        if known is None or known.connector is not connector:
            status = "revoked" if error.revoked else "expired"
            auth = Auth(platform=row.platform, account=row.account, at=now, status=status)
            if not await self._tell_auth(auth):
                del self._blocked[_channel(row)]

    async def _tell_auth(self, auth: Auth) -> bool:
        try:
            await self._gateway.submit([auth])
        except RetriableError as busy:
            _log.warning("authorisation_not_told", reason=str(busy))
            return False
        return True

    async def _block(self, row: ReplyRow, until: int, reason: str) -> None:
        await self._fates.change(row, replace(row, due_at=until, code="blocked", reason=reason[:LONGEST_REASON]))

    async def _fail(self, row: ReplyRow, code: str, reason: str) -> None:
        failed = await self._fates.change(row, _failed(row, self._now(), code, reason))
        if failed is not None:
            await self._fates.tell(failed)

    def _tell(self, platform: str, after: ReplyRow) -> None:
        if self.observe is not None:
            self.observe(platform, after.state)

    def _start(self, work: Coroutine[Any, Any, None], row: ReplyRow) -> None:
        task = asyncio.create_task(work, name=f"reply {row.id}")
        self._work[task] = _channel(row)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._work[task]
        self._woken.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("outbox_task_failed", task=task.get_name(), error=type(error).__name__, reason=str(error))

    def _busy(self, row: ReplyRow) -> int:
        return sum(channel == _channel(row) for channel in self._work.values())

    async def _rest(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(PERIOD_S):
                await self._woken.wait()
        self._woken.clear()

    async def _let_finish(self) -> None:
        if self._work:
            await asyncio.wait(self._work, timeout=FAREWELL_S)
        for task in list(self._work):
            task.cancel()


def _channel(row: ReplyRow) -> str:
    return channel_key(row.platform, row.account)


def _said(error: Exception) -> str:
    return str(error)[:LONGEST_REASON]


def _denied(row: ReplyRow) -> str:
    return f"{row.platform} does not accept the authorisation of {row.account}; authorise it anew, then this goes out"


def _backoff(row: ReplyRow) -> int:
    """1 s, 2 s, 4 s … in ms, as often as it was tried."""
    return min(LONGEST_WAIT_MS, 500 * 2 ** min(row.attempts, 20))


def _queued(row: ReplyRow) -> ReplyRow:
    """Back in the queue; when the last sending began stays, for an echo of it may still come."""
    return replace(row, state="queued", claimed_by=None)


def _again(row: ReplyRow, now: int, after: int, reason: str) -> ReplyRow:
    """Certainly not sent: once more after `after` ms, for a day since it was asked for."""
    since = row.at if row.settled_at is None else row.settled_at
    if now - since >= PATIENCE_MS:
        return _failed(row, now, "gave_up", f"the platform took no messages for a day: {reason}"[:LONGEST_REASON])
    return replace(_queued(row), due_at=now + after, code="unreachable", reason=reason)


def _failed(row: ReplyRow, now: int, code: str, reason: str) -> ReplyRow:
    return replace(row, state="failed", settled_at=now, code=code, reason=reason, told=False)


def _doubted(row: ReplyRow, connector: Connector | None, now: int, reason: str) -> ReplyRow:
    """It may have been sent: sent again only where the platform takes it once, and where nobody can look for it."""
    doubted = replace(row, doubts=row.doubts + 1, looks=0, reason=reason, code="uncertain")
    can = None if connector is None else connector.capabilities
    since = row.at if row.settled_at is None else row.settled_at
    again = can is not None and can.idempotent and not can.history and row.kind is None
    if again and now - since < PATIENCE_MS:
        return replace(_queued(doubted), due_at=now + _backoff(row))
    return replace(doubted, state="unknown", settled_at=None, due_at=now + FIRST_MS)


__all__ = ["Outbox", "OutboxPort"]
