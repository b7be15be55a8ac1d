"""A connection to a mailbox for code that waits: every call runs in the connection's own thread and ends in time.

A thread of its own, because mailboxes wait for minutes, and would take the places of all other work that blocks.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Concatenate, ParamSpec, TypeVar

from connectors.contract.calling import RefusedError, UnreachableError
from connectors.contract.connector import Refused
from connectors.email.imap import Fetched, Session, Sized, secrets_of
from connectors.email.settings import MailSettings

P = ParamSpec("P")
T = TypeVar("T")
SLOWEST = 100_000
"""Bytes a second that a mail comes in at the least."""
LONGEST_S = 120.0
"""Longer than the server's time for one answer, shorter than anybody's patience."""


class Line:
    """One connection. Use `connected`."""

    def __init__(self, settings: MailSettings) -> None:
        self.settings = settings
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="mailbox")
        self._session: Session | None = None

    async def run(
        self,
        work: Callable[Concatenate[Session, P], T],
        *arguments: P.args,
        **more: P.kwargs,
    ) -> T:
        """What `work(session, …)` gives, a method of `Session` most often. Raises what it raises.

        UnreachableError when it takes longer than LONGEST_S; then, and when it is cancelled, the connection is cut.
        """
        session = self._session
        if session is None:
            raise UnreachableError("the connection to the mailbox was cut")
        return await self._within(LONGEST_S, lambda: work(session, *arguments, **more))

    async def fetch(self, folder: str, portion: Sequence[Sized]) -> list[Fetched | Refused]:
        """The mails of a portion of the open folder. One that the server cannot give is refused alone, with the reason.

        Some servers end the connection over such a mail: then it is made anew, which proves that the server is there.
        Raises UnreachableError when it is not.
        """
        session = self._session
        if session is None:
            raise UnreachableError("the connection to the mailbox was cut")
        patience = LONGEST_S + sum(mail.size for mail in portion) / SLOWEST
        try:
            return list(await self._within(patience, lambda: session.fetch(portion)))
        except UnreachableError as wrong:
            reason = str(wrong)
            await self._reopen(folder)
        except RefusedError as wrong:
            reason = str(wrong)
        if len(portion) == 1:
            told = f"{reason}; open it in the mailbox"
            return [Refused(f"mail {portion[0].uid} of the folder {folder}".encode(), told)]
        return [mail for one in portion for mail in await self.fetch(folder, [one])]

    async def _reopen(self, folder: str) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.abort()
            self._pool.submit(session.release)
        await self.open()
        await self.run(Session.open, folder)

    async def wait(self, timeout_s: float) -> bool:
        """Wait until something changes in the open folder; False when nothing did."""
        session = self._session
        if session is None:
            raise UnreachableError("the connection to the mailbox was cut")
        return await self._within(timeout_s + LONGEST_S, lambda: session.wait(timeout_s))

    @property
    def idles(self) -> bool:
        """Whether the server tells of new mail by itself."""
        return self._session is not None and self._session.idles

    async def open(self) -> None:
        """Connect and sign in; raises the errors of `Session`."""
        given_up: list[bool] = []

        def connect() -> None:
            session = Session(self.settings, secrets_of(self.settings))
            if given_up:
                session.release()
            else:
                self._session = session

        try:
            await self._within(LONGEST_S, connect)
        except BaseException:
            given_up.append(True)
            raise

    async def close(self) -> None:
        """Sign out, and wait for the thread no longer than the server may take."""
        session, self._session = self._session, None
        if session is not None:
            try:
                async with asyncio.timeout(5.0):
                    await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._pool, session.close))
            except TimeoutError:
                session.abort()
        self._pool.shutdown(wait=False)

    async def _within(self, seconds: float, work: Callable[[], T]) -> T:
        running = asyncio.get_running_loop().run_in_executor(self._pool, work)
        try:
            done, _ = await asyncio.wait([running], timeout=seconds)
        except asyncio.CancelledError:
            self._cut(running)
            raise
        if not done:
            self._cut(running)
            raise UnreachableError(f"the mailbox's server gave no answer within {seconds:.0f} s")
        return running.result()

    def _cut(self, running: asyncio.Future[T]) -> None:
        """End what runs; nobody waits for its outcome."""
        running.add_done_callback(lambda done: done.cancelled() or done.exception())
        session, self._session = self._session, None
        if session is not None:
            session.abort()
            self._pool.submit(session.release)


@asynccontextmanager
async def connected(settings: MailSettings) -> AsyncGenerator[Line]:
    """A connection for the length of the block. Raises the errors of `Session`."""
    line = Line(settings)
    try:
        await line.open()
        yield line
    finally:
        await line.close()


__all__ = ["Line", "connected"]
