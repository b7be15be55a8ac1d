"""Replies that people ask for: checked, kept under an id of their own before anything else happens, then sent once.

A reply's id is made of its conversation and of the key that whoever asks gives it, so that asking again after a lost
answer finds the first one. The outbox (`services.replies.outbox`) sends; what people decide afterwards is here too.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from hashlib import sha256
from secrets import token_hex
from typing import Any, Protocol, TypeAlias

import msgspec
import structlog
from msgspec import Struct
from msgspec.structs import replace

from actors.errors import ConfigurationError, RejectedError, RetriableError
from actors.intake import parse_event
from actors.keys import split_key
from connectors.contract.connector import Connector
from connectors.contract.outgoing import Limits, Objection
from services.errors import ConflictError, NotFoundError
from services.people.permissions import Caller, demand
from services.replies.composing import OWN, Address, Composer
from services.replies.elsewhere import Elsewhere
from services.replies.events import message_of
from services.replies.fates import Fates
from services.replies.matches import same_words
from services.replies.offers import is_too_large, offering
from services.replies.verdicts import CannotSendError, ObjectedError, Prospect, TwinError, left_to_fill
from storage.channel_ports import FileStore, OutboxStore
from storage.channel_records import ReplyFile, ReplyFilter, ReplyRow, ReplyState
from storage.ports import AccountStore, InboxStore
from storage.records import AuditRow, Page
from streams.ports import Gateway

Fit: TypeAlias = Callable[[ReplyFile, Limits], Awaitable[ReplyFile]]
Squeeze: TypeAlias = Callable[[ReplyFile, Limits], Awaitable[ReplyFile | None]]
LONGEST_KEY = 255
TWIN_MS = 60_000
"""The same words again within this time are asked about first."""
TWINS = 20
MOST_FILES = 50
LONGEST_NAME = 255
_DIGEST = re.compile(r"[0-9a-f]{64}")
_log = structlog.get_logger(__name__)


class ReplyStore(OutboxStore, InboxStore, AccountStore, Protocol):
    """The parts of a store used here."""


class AskedFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file that was kept before; `digest`: SHA-256 of its content in hexadecimal."""

    digest: str
    name: str
    mime: str


class Ask(Struct, frozen=True, kw_only=True):
    """What somebody wants to answer. `again`: yes, the same words once more.

    `compress`: files that are too large for the platform may go as archives, where that makes them fit; `kind` and
    `order`: see `services.replies.typed`.
    """

    text: str = ""
    reply_to: str | None = None
    resend_of: str | None = None
    files: tuple[AskedFile, ...] = ()
    again: bool = False
    compress: bool = False
    kind: str | None = None
    order: str | None = None


class Replies:
    """Takes replies in, and carries out what people decide about those that did not get through."""

    def __init__(
        self,
        store: ReplyStore,
        gateway: Gateway,
        find: Callable[[str, str], Awaitable[Connector | None]],
        *,
        files: FileStore | None = None,
        now: Callable[[], int] | None = None,
        wake: Callable[[], None] | None = None,
        fit: Fit | None = None,
        squeeze: Squeeze | None = None,
        address: Address | None = None,
    ) -> None:
        """`find` gives a bound channel's connector; `wake` tells the outbox that there is something to send.

        `fit` gives a file as a platform of these limits takes it, where that can be; `squeeze` an archive of it, where
        such limits take one and it is smaller; `address`: see `Composer`.
        """
        self._store = store
        self._gateway = gateway
        self._find = find
        self._files = files
        self._now = now or gateway.now
        self._wake = wake
        self._fit = fit
        self._squeeze = squeeze
        self._composer = Composer(store, files, address)
        self._fates = Fates(store, gateway, self._now, elsewhere=Elsewhere(store, find))

    async def ask(self, caller: Caller, key: str, ask: Ask, idempotency_key: str) -> ReplyRow:
        """Answer a conversation; the reply is durable when this returns, and leaves by itself.

        The same again with the same idempotency key gives the first one. Raises ForbiddenError, NotFoundError,
        RejectedError (ObjectedError among them), RetriableError, or ConflictError: the key was used for another
        reply, or the same words went there a moment ago and `ask.again` is not set.
        """
        row, held = await self.prepared(caller, key, ask, idempotency_key)
        if held:
            return row
        digest = row.digest
        await self._check_references(key, ask)
        row = await self._check_platform(row, compress=ask.compress)
        _check_event(row)
        if not ask.again:
            await self._check_twin(row)
        first = await self._store.add_reply(row)
        if first != row:
            return _same(first, digest)
        queued = await self._log(row)
        await self.noted(caller, "reply.asked", row, None, queued.state)
        return queued

    async def prepared(self, caller: Caller, key: str, ask: Ask, idempotency_key: str) -> tuple[ReplyRow, bool]:
        """The reply as it would be kept, or the one that is held under this key; whether it is held.

        Raises ForbiddenError, NotFoundError, RejectedError, RetriableError, or ConflictError for a key of another one.
        """
        demand(caller, "reply")
        _check_idempotency_key(idempotency_key)
        reply_id, digest = id_of(key, idempotency_key), _digest(ask)
        held = await self._store.reply(reply_id)
        if held is not None:
            return _same(held, digest), True
        return await self._row(caller, key, ask, ReplyNames(reply_id, idempotency_key, digest)), False

    async def prospect(self, caller: Caller, key: str, ask: Ask) -> Prospect:
        """What its platform would say to a reply, which is neither kept nor sent. Works for channels not bound, too.

        Raises ForbiddenError, NotFoundError, RejectedError for files that are not held, RetriableError.
        """
        demand(caller, "reply")
        row = await self._row(caller, key, ask, ReplyNames(f"{OWN}prospect", "", ""))
        try:
            connector = await self._connector(row)
        except CannotSendError as wrong:
            return Prospect(text=row.text, limits=Limits(), why_not=str(wrong), code=wrong.code)
        row = await self._fitted(row, connector)
        outgoing = await self._composer.outgoing(row, connector)
        objections = await self._objections(row, connector)
        if self._squeeze is not None and is_too_large(objections):
            packed = replace(row, files=[await self._squeeze(file, connector.limits) or file for file in row.files])
            left = await self._objections(packed, connector)
            objections = left if ask.compress else offering(objections, row, packed, left)
        return Prospect(text=row.text, limits=connector.limits, objections=objections, last_in_at=outgoing.last_in_at)

    async def page(self, where: ReplyFilter, limit: int, cursor: str | None = None) -> Page[ReplyRow]:
        """One page, newest first; raises RejectedError for a bad cursor."""
        return await self._store.replies(where, limit, cursor)

    async def one(self, reply_id: str) -> ReplyRow:
        """One reply; raises NotFoundError."""
        found = await self._store.reply(reply_id)
        if found is None:
            raise NotFoundError(f"there is no reply {reply_id[:64]!r}")
        return found

    async def retry(self, caller: Caller, reply_id: str, *, sure: bool = False, compress: bool = False) -> ReplyRow:
        """Send a failed reply after all; one that may have been sent only when somebody is `sure` that it was not.

        Raises ForbiddenError, NotFoundError, ObjectedError, RetriableError, or ConflictError when it is in no such
        state.
        """
        demand(caller, "reply")
        row = await self.one(reply_id)
        if row.kind is not None:
            raise ConflictError(f"a message of the kind {row.kind} is not sent again as it is: begin a new one")
        if row.state == "unknown" and not sure:
            raise ConflictError(
                "nobody knows whether this reply was sent: look at the platform first, then retry it with"
                ' {"sure": true}, or settle it'
            )
        if row.state not in {"failed", "unknown"}:
            raise ConflictError(f"the reply is {row.state}: there is nothing to retry")
        row = await self._check_platform(row, compress=compress)
        now = self._now()
        again = replace(
            row,
            state="queued",
            due_at=now,
            settled_at=now,
            claimed_at=None,
            claimed_by=None,
            code=None,
            reason=None,
            doubts=0,
            looks=0,
            told=False,
            heard=[],
            failure=None,
        )
        return await self._decided(caller, "reply.retried", row, again)

    async def settle(self, caller: Caller, reply_id: str, *, sent: bool) -> ReplyRow:
        """Say whether a reply that may have been sent was. Raises ForbiddenError, NotFoundError, ConflictError."""
        demand(caller, "reply")
        row = await self.one(reply_id)
        if row.state != "unknown":
            raise ConflictError(f"the reply is {row.state}: there is nothing to settle")
        state: ReplyState = "sent" if sent else "failed"
        known = replace(
            row,
            state=state,
            settled_at=self._now(),
            code=None if sent else "not_sent",
            reason=None if sent else f"{caller.name} looked at the platform: it was not sent",
            told=False,
        )
        return await self._decided(caller, "reply.settled", row, known)

    async def _decided(self, caller: Caller, what: str, before: ReplyRow, after: ReplyRow) -> ReplyRow:
        after = replace(after, version=before.version + 1)
        if not await self._store.change_reply(after, replaces=before.version):
            raise ConflictError("the reply has changed meanwhile: look at it, then decide")
        await self.noted(caller, what, before, before.state, after.state)
        await self._fates.tell(after)
        self._roused()
        return after

    async def _row(self, caller: Caller, key: str, ask: Ask, names: ReplyNames) -> ReplyRow:
        """The reply as it is kept at first; `claimed_by` is unique: of two who ask at once one is the first."""
        conversation = await self._store.conversation(key)
        if conversation is None:
            raise NotFoundError(f"there is no conversation {key[:200]!r}")
        now = self._now()
        platform, account, bare = split_key(key)
        return ReplyRow(
            id=names.reply_id,
            key=key,
            platform=platform,
            account=account,
            conversation=bare,
            who=caller.name,
            at=now,
            due_at=now,
            idempotency_key=names.idempotency_key,
            digest=names.digest,
            text=ask.text,
            recipient=conversation.contact_id,
            reply_to=ask.reply_to,
            resend_of=ask.resend_of,
            order=conversation.order,
            files=await self._held(ask.files),
            claimed_by=f"ask-{token_hex(8)}",
        )

    async def _held(self, asked: Sequence[AskedFile]) -> list[ReplyFile]:
        """The files with their sizes; raises RejectedError for one that is not held."""
        if len(asked) > MOST_FILES:
            raise RejectedError(f"files: at most {MOST_FILES} with one reply, not {len(asked)}; send them in parts")
        held: list[ReplyFile] = []
        for file in asked:
            known = _DIGEST.fullmatch(file.digest) is not None and self._files is not None
            size = await self._files.file_size(file.digest) if known and self._files is not None else None
            if size is None:
                raise RejectedError(f"files: {file.digest[:64]!r} is not held; upload it first, then name its SHA-256")
            if not file.name or len(file.name) > LONGEST_NAME or not file.name.isprintable():
                raise RejectedError(f"files: a name has 1 to {LONGEST_NAME} printable characters")
            if "/" not in file.mime or len(file.mime) > LONGEST_NAME or not file.mime.isprintable():
                raise RejectedError(f"files: {file.name!r} has no media type such as image/png")
            held.append(ReplyFile(digest=file.digest, name=file.name, mime=file.mime, size=size))
        return held

    async def _check_references(self, key: str, ask: Ask) -> None:
        """What a reply refers to must be there, or the reference would be taken for a lost message."""
        for name, message in (("reply_to", ask.reply_to), ("resend_of", ask.resend_of)):
            if message is None or await self._store.message(key, message) is not None:
                continue
            reply = await self._store.reply(message)
            if reply is None or reply.key != key:
                raise RejectedError(f"{name}: there is no message {message[:200]!r} in that conversation")

    async def _check_platform(self, row: ReplyRow, *, compress: bool = False) -> ReplyRow:
        """The reply with its files made to fit; raises RejectedError when the channel takes no replies.

        ObjectedError when it would not take this one.
        """
        connector = await self._connector(row)
        row = await self._fitted(row, connector)
        found = await self._objections(row, connector)
        if not found:
            return row
        if self._squeeze is None or not is_too_large(found):
            raise ObjectedError(found)
        packed = replace(row, files=[await self._squeeze(file, connector.limits) or file for file in row.files])
        left = await self._objections(packed, connector)
        if compress and not left:
            return packed
        raise ObjectedError(left if compress else offering(found, row, packed, left))

    async def _connector(self, row: ReplyRow) -> Connector:
        """That of the reply's channel; raises CannotSendError."""
        try:
            connector = await self._find(row.platform, row.account)
        except ConfigurationError as wrong:
            raise CannotSendError("unusable", f"the channel cannot be used now: {wrong}") from wrong
        if connector is None:
            raise CannotSendError(
                "unbound",
                f"the channel {row.platform}/{row.account} is not bound, so nothing can be sent; bind it in Settings",
            )
        if not connector.capabilities.sends:
            reason = f"messages of {row.platform} cannot be answered from here; answer at the platform"
            raise CannotSendError("read_only", reason)
        return connector

    async def _fitted(self, row: ReplyRow, connector: Connector) -> ReplyRow:
        if self._fit is None or not row.files:
            return row
        return replace(row, files=[await self._fit(file, connector.limits) for file in row.files])

    async def _objections(self, row: ReplyRow, connector: Connector) -> Sequence[Objection]:
        """The platform's, and ours to what nobody means to send."""
        outgoing = await self._composer.outgoing(row, connector)
        return [*connector.objections(outgoing, self._now()), *left_to_fill(row.text)]

    async def _check_twin(self, row: ReplyRow) -> None:
        """Raises ConflictError when the same words went to the same conversation a moment ago."""
        page = await self._store.replies(ReplyFilter(key=row.key), TWINS)
        digests = [file.digest for file in row.files]
        for other in page.items:
            if row.at - other.at >= TWIN_MS or other.state == "failed" or other.id in {row.id, row.resend_of}:
                continue
            if same_words(other.text, row.text) and [file.digest for file in other.files] == digests:
                raise TwinError(max(0, row.at - other.at) // 1000, other.who)

    async def _log(self, row: ReplyRow) -> ReplyRow:
        """Into the log, then to be sent. What fails here is done by the outbox: the reply is kept already."""
        queued = replace(row, state="queued", claimed_by=None, version=row.version + 1)
        try:
            await self._gateway.submit([message_of(row, self._now())])
            if not await self._store.change_reply(queued, replaces=row.version):
                return await self.one(row.id)
        except RetriableError as busy:
            _log.warning("reply_waits", reply=row.id, reason=str(busy))
            return row
        self._roused()
        return queued

    async def noted(self, caller: Caller, what: str, row: ReplyRow, before: Any, after: Any) -> None:
        """Leave a row of the audit about a reply."""
        subject = f"reply {row.id}"
        audit = AuditRow(at=self._now(), who=caller.name, what=what, subject=subject, before=before, after=after)
        await self._store.append_audit(audit)

    def _roused(self) -> None:
        if self._wake is not None:
            self._wake()


class ReplyNames(Struct, frozen=True):
    """What a reply is known by."""

    reply_id: str
    idempotency_key: str
    digest: str


def id_of(key: str, idempotency_key: str) -> str:
    """The id of the reply that was asked for in a conversation with this idempotency key."""
    return OWN + sha256(f"{key}\0{idempotency_key}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _digest(ask: Ask) -> str:
    files = [(file.digest, file.name, file.mime) for file in ask.files]
    more = [] if ask.kind is None else [ask.kind, ask.order]
    return sha256(msgspec.json.encode([ask.text, ask.reply_to, ask.resend_of, files, *more])).hexdigest()


def _same(held: ReplyRow, digest: str) -> ReplyRow:
    if held.digest != digest:
        raise ConflictError("this Idempotency-Key was used for another reply; take a new one for every new reply")
    return held


def _check_idempotency_key(text: str) -> None:
    if not (0 < len(text) <= LONGEST_KEY and text.isascii() and text.isprintable()):
        raise RejectedError(f"Idempotency-Key: 1 to {LONGEST_KEY} printable characters of ASCII, new for every reply")


def _check_event(row: ReplyRow) -> None:
    """Raises RejectedError when the log would not take the message that the reply is."""
    parse_event(msgspec.json.encode(message_of(row, row.at)), need_at=True)


__all__ = ["Ask", "AskedFile", "ObjectedError", "Prospect", "Replies", "ReplyStore", "TwinError", "id_of"]
