"""Files that come with messages are fetched at once, checked, and kept; each one's fate is an `attachment` event.

The jobs are durable before a webhook is answered; whichever process claims one does it. A file is kept before its event
tells so: what is shown as there can be had.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from hashlib import sha256
from typing import Literal, Protocol, TypeAlias

import msgspec
import structlog
from msgspec import to_builtins
from msgspec.structs import replace

from actors.errors import ConfigurationError, RetriableError
from actors.events import Attachment, AttachmentStatus, Message
from actors.keys import conversation_key, escape, split_key
from connectors.contract.calling import BusyError, DeniedError, RefusedError
from connectors.contract.connector import Connector
from services.channels.platform_api import Apis
from services.channels.secrets import SecretsError
from services.errors import ConflictError, NotFoundError
from services.files.checks import Fetched, Status, Verdict, judged
from services.files.fetching import AddressOverError, fetched, pieces_of
from services.files.thumbnails import Pictures
from services.masking import mask_text
from services.people.permissions import Caller, demand
from storage.channel_ports import FileStore, JobStore
from storage.channel_records import Job
from storage.ports import AccountStore, InboxStore
from storage.records import AuditRow
from streams.ports import Gateway

Find: TypeAlias = Callable[[str, str], Awaitable[Connector | None]]
Outcome: TypeAlias = Status | Literal["delayed", "known"]
KIND = "attachment"
MOST_BYTES = 25 * 2**20
GRACE_MS = 60_000
"""So long a file that cannot be had now is only waited for; then it is told, and tried on."""
GIVE_UP_MS = 3_600_000
DENIED_MS = 86_400_000
"""A channel that must be authorised anew keeps its files waiting for a day."""
FIRST_BACKOFF_MS, LONGEST_BACKOFF_MS = 3_000, 600_000
ATTEMPTS = 3
"""A file that is not there yet, or comes damaged, is asked for so often before that is told."""
LIVE_MS = 3_600_000
CLAIM_MS = 300_000
"""A job of a process that died comes up again after this; longer than an attempt takes."""
AT_ONCE = 24
IDLE_S = 0.5
_log = structlog.get_logger(__name__)


class AttachmentStore(JobStore, InboxStore, AccountStore, Protocol):
    """The parts of a store used here."""


class Attachments:
    """Works the `attachment` jobs off."""

    def __init__(
        self,
        *,
        store: AttachmentStore,
        gateway: Gateway,
        files: FileStore,
        find: Find,
        apis: Apis,
        pictures: Pictures | None = None,
        most_bytes: int = MOST_BYTES,
        now: Callable[[], int] | None = None,
    ) -> None:
        """`find`: the connector of a bound channel; `most_bytes`: the largest file that is fetched; `now`: in ms."""
        self._store = store
        self._gateway = gateway
        self._files = files
        self._find = find
        self._apis = apis
        self._pictures = pictures or Pictures()
        self._most = most_bytes
        self._now = now or gateway.now
        self._work: set[asyncio.Task[None]] = set()
        self._woken = asyncio.Event()
        self._told: set[str] = set()
        self.observe: Callable[[Outcome], None] | None = None
        """Told what became of each attempt, for metrics."""

    async def announced(self, connector: Connector, messages: Sequence[Message]) -> None:
        """Put down that these messages' files are to be fetched, every one that can be; durable when it returns."""
        now = self._now()
        jobs = [
            _job(message, attachment, now)
            for message in messages
            for attachment in message.attachments or ()
            if _can_be_had(connector, attachment)
        ]
        if jobs:
            await self._store.put_jobs(jobs)
            self._woken.set()

    async def refetch(self, caller: Caller, key: str, message: str, attachment: str) -> None:
        """Fetch a file again that did not come; durable when it returns.

        Raises ForbiddenError, NotFoundError, RetriableError, or ConflictError when the file is there.
        """
        demand(caller, "act_on_anomalies")
        row = await self._store.message(key, message)
        found = next((one for one in row.attachments if one["id"] == attachment), None) if row else None
        if found is None:
            raise NotFoundError("there is no such file with a message of that conversation")
        if found.get("status") == "ok":
            raise ConflictError("the file is there already")
        platform, account, conversation = split_key(key)
        now = self._now()
        names = Attachment.__struct_fields__
        announced = msgspec.convert({name: found[name] for name in names if name in found}, Attachment)
        job = _made(platform, account, conversation, message, announced, now)
        await self._store.finish_job(KIND, job.id)
        await self._store.put_jobs([job])
        self._woken.set()
        subject = f"attachment {attachment[:200]} of {key}/{message[:200]}"
        await self._store.append_audit(
            AuditRow(at=now, who=caller.name, what="attachment.refetched", subject=subject, before=None, after=None)
        )

    async def run(self) -> None:
        """For ever; what fails for a moment is tried again."""
        try:
            while True:
                try:
                    begun = await self._begin(self._now())
                except RetriableError as busy:
                    _log.warning("attachments are put off", reason=str(busy))
                    begun = 0
                if not begun:
                    await self._rest()
        finally:
            for task in self._work:
                task.cancel()
            await asyncio.gather(*self._work, return_exceptions=True)

    async def step(self, now: int) -> int:
        """One round with all that it begins, of what is due at `now` (ms); how many jobs there were."""
        begun = await self._begin(now)
        if self._work:
            await asyncio.wait(self._work)
        return begun

    async def _begin(self, now: int) -> int:
        free = AT_ONCE - len(self._work)
        jobs = await self._store.claim_jobs(KIND, now, now + CLAIM_MS, free) if free > 0 else []
        for job in jobs:
            task = asyncio.create_task(self._attempt(job), name="attachment")
            self._work.add(task)
            task.add_done_callback(self._ended)
        return len(jobs)

    async def _rest(self) -> None:
        self._woken.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(IDLE_S):
                await self._woken.wait()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._work.discard(task)
        self._woken.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("an attachment's fate could not be noted", error=type(error).__name__, reason=str(error))

    async def _attempt(self, job: Job) -> None:
        """One attempt; what cannot even be noted is claimed again later."""
        try:
            await self._fetch(job)
        except BusyError as busy:
            await self._again(job, str(busy), after_ms=round(busy.retry_after * 1000))
        except AddressOverError as over:
            await self._over(job, over)
        except RefusedError as wrong:
            await self._end(job, _refused(wrong))
        except DeniedError as wrong:
            await self._again(job, str(wrong), until_ms=DENIED_MS, tell=False)
        except (RetriableError, SecretsError, ConfigurationError) as wrong:
            await self._again(job, str(wrong))
        except Exception as fault:  # noqa: BLE001 # a connector's own fault must not end the fetching for all others
            _log.exception("an attachment could not be fetched", platform=job.platform, account=job.account)
            await self._again(job, f"a fault of this version ({type(fault).__name__})")

    async def _fetch(self, job: Job) -> None:
        if await self._is_there(job):
            await self._store.finish_job(KIND, job.id)
            self._tell("known")
            return
        connector = await self._find(job.platform, job.account)
        if connector is None:
            await self._end(job, Verdict(status="failed", reason="unbound", cure="re_fetch"))
            return
        attachment = msgspec.convert(job.payload["attachment"], Attachment)
        if attachment.size is not None and attachment.size > self._most:
            raise RefusedError(f"the file has {attachment.size} bytes, the limit is {self._most}", "too_large")
        async with fetched(connector, attachment, self._apis.of(connector), self._most) as whole:
            verdict = await judged(whole, attachment, self._pictures)
            if verdict.status == "corrupt" and job.attempts < ATTEMPTS:
                await self._again(job, f"the file came damaged: {verdict.reason}")
                return
            await self._keep(job, verdict, whole)

    async def _is_there(self, job: Job) -> bool:
        """Whether the file came before: a message that is told again tells of its files again."""
        key = conversation_key(job.platform, job.account, job.payload["conversation"])
        row = await self._store.message(key, job.payload["message"])
        wanted = job.payload["attachment"]["id"]
        return row is not None and any(one["id"] == wanted and one.get("status") == "ok" for one in row.attachments)

    async def _keep(self, job: Job, verdict: Verdict, whole: Fetched) -> None:
        kept: dict[str, str | int] = {"size": whole.size}
        if verdict.keep:
            await self._files.put_file(whole.digest, pieces_of(whole.file))
            kept["digest"] = whole.digest
        if verdict.thumbnail:
            kept["thumb"] = sha256(verdict.thumbnail).hexdigest()
            await self._files.put_file(str(kept["thumb"]), _one(verdict.thumbnail))
        await self._end(job, verdict, **kept)

    async def _over(self, job: Job, over: AddressOverError) -> None:
        """A platform may tell of a file a moment before it is there."""
        if over.code == "404" and job.attempts < ATTEMPTS:
            await self._again(job, str(over))
        else:
            await self._end(job, Verdict(status="expired", reason="expired_url", cure="ask_customer"))

    async def _again(
        self, job: Job, reason: str, *, after_ms: int = 0, until_ms: int = GIVE_UP_MS, tell: bool = True
    ) -> None:
        now, shown = self._now(), mask_text(reason)
        if now - job.at >= until_ms:
            await self._submit(job, Verdict(status="failed", reason="unreachable", cure="re_fetch"), {})
            await self._store.fail_job(KIND, job.id, now, shown)
            _log.error("a file is given up", platform=job.platform, account=job.account, reason=shown)
            self._told.discard(job.id)
            self._tell("failed")
            return
        if tell and now - job.at >= GRACE_MS and job.id not in self._told:
            await self._submit(job, Verdict(status="failed", reason="unreachable", cure="re_fetch"), {})
            self._told.add(job.id)
        wait = min(FIRST_BACKOFF_MS * 2 ** min(job.attempts - 1, 16), LONGEST_BACKOFF_MS)
        await self._store.delay_job(KIND, job.id, now + max(wait, after_ms), shown)
        self._tell("delayed")

    async def _end(self, job: Job, verdict: Verdict, **kept: str | int) -> None:
        await self._submit(job, verdict, kept)
        await self._store.finish_job(KIND, job.id)
        self._told.discard(job.id)
        self._tell(verdict.status)

    async def _submit(self, job: Job, verdict: Verdict, kept: dict[str, str | int]) -> None:
        """The same fate of the same fetching is told once, however often it is found."""
        about = job.payload
        status = AttachmentStatus(
            platform=job.platform,
            account=job.account,
            conversation=about["conversation"],
            message=about["message"],
            attachment=about["attachment"]["id"],
            status=verdict.status,
            detail=verdict.detail() | kept,
            at=self._now(),
            event=f"file/{job.id}/{verdict.status}/{job.at}",
        )
        await self._gateway.submit([status])

    def _tell(self, outcome: Outcome) -> None:
        if self.observe is not None:
            self.observe(outcome)


def _can_be_had(connector: Connector, attachment: Attachment) -> bool:
    """Whether there is a way to the file: its address, or the platform's own."""
    ways = (connector.locate, connector.content)
    own = any(getattr(way, "__func__", way) not in (Connector.locate, Connector.content) for way in ways)
    return own or bool(attachment.url)


def _job(message: Message, attachment: Attachment, now: int) -> Job:
    job = _made(message.platform, message.account, message.conversation, message.message, attachment, now)
    # The oldest due come first: files of a long history must not keep those waiting that somebody looks at now.
    return replace(job, due_at=now - LIVE_MS) if message.sent_at > now - LIVE_MS else job


def _made(  # what an attachment is known by
    platform: str, account: str, conversation: str, message: str, attachment: Attachment, now: int
) -> Job:
    names = "/".join(map(escape, (platform, account, conversation, message, attachment.id)))
    return Job(
        kind=KIND,
        id=sha256(names.encode()).hexdigest()[:40],
        platform=platform,
        account=account,
        at=now,
        due_at=now,
        payload={"conversation": conversation, "message": message, "attachment": to_builtins(attachment)},
    )


def _refused(wrong: RefusedError) -> Verdict:
    """What a refusal means for the file."""
    match wrong.code:
        case "too_large":
            return Verdict(status="too_large", reason="too_large", cure="ask_customer")
        case "no_way":
            return Verdict(status="unsupported", reason="no_way", cure="ask_customer")
        case "private_address" | "bad_address" | "redirects":
            return Verdict(status="failed", reason="private_address", cure="ask_customer")
        case "403" | "404" | "410":
            return Verdict(status="expired", reason="expired_url", cure="ask_customer")
        case _:
            return Verdict(status="failed", reason="refused", cure="re_fetch")


async def _one(content: bytes) -> AsyncIterator[bytes]:
    yield content


__all__ = ["Attachments", "Outcome"]
