"""Web chats: visitors' messages in, ours out to them, each once and in order.

A visitor's message is acknowledged when the log has it, and known by the id that his browser gave it: sent again after
a lost answer it changes nothing. Messages of a conversation are numbered as they are accepted, so that the gap detector
proves that none was lost behind the log. Two processes may give one number twice; that is harmless.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal, Protocol, TypeAlias

from msgspec import Struct

from actors.errors import RetriableError
from actors.events import AttachmentStatus, Event, Receipt
from actors.keys import conversation_key
from connectors.contract.connector import Connector, UnreadableError
from connectors.webchat import Post, Visitor, Webchat, message_of
from services.arrivals.arrivals import Arrivals
from services.errors import ForbiddenError, NotFoundError, TooManyAttemptsError
from services.webchat.files import ChatFiles
from services.webchat.live import Live
from services.webchat.tokens import issue, new_visitor, proven_user, visitor_of
from storage.channel_ports import OutboxStore
from storage.ports import InboxStore
from storage.records import MessageRow
from streams.coordination.rate_limits import Limit, RateLimits

OLDEST_MS = 7 * 86_400_000
"""What waited longer in a browser counts as written then."""
OVERLAP_MS = 2_000
FIRST, FARTHEST = 50, 200
KNOWN_IDS, KNOWN_CONVERSATIONS = 200, 5_000
MOST_SEEN = 50
MINUTE_MS = 60_000
BUSY_MS = 2_000
SESSIONS = Limit(name="webchat-sessions", most=60, window_ms=MINUTE_MS)
PER_VISITOR = Limit(name="webchat-visitor", most=60, window_ms=MINUTE_MS)
PER_ADDRESS = Limit(name="webchat-address", most=600, window_ms=MINUTE_MS)
UPLOADS = Limit(name="webchat-uploads", most=20, window_ms=MINUTE_MS)
Seen: TypeAlias = Literal["delivered", "read"]


class WebchatStore(InboxStore, OutboxStore, Protocol):
    """The parts of a store used here."""


class SessionAsk(Struct, frozen=True, kw_only=True):
    """Who wants to chat: a known browser by its `key`, or a user whom the shop proves; else somebody new."""

    key: str | None = None
    user_id: str | None = None
    user_hash: str | None = None
    name: str | None = None


class Session(Struct, frozen=True, kw_only=True):
    """What a widget needs. `key`: to be kept by the browser; None for users, whom their shop proves each time."""

    token: str
    key: str | None
    title: str
    away: bool


class Outcome(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of a message: durable, never to be taken, or to be sent again after `after_ms`."""

    id: str
    state: Literal["ack", "refused", "later"]
    reason: str | None = None
    after_ms: int | None = None


class Items(Struct, frozen=True, kw_only=True):
    """Messages as a widget shows them, in order; `after`: where to go on."""

    items: list[dict[str, Any]]
    after: int


class _Thread(Struct):
    """What is known of a conversation: the last number and time given, ids that the log has."""

    seq: int
    sent_at: int
    known: OrderedDict[str, None]
    lock: asyncio.Lock


class Webchats:
    """The web chats of one process. `find` gives a bound channel's connector."""

    def __init__(
        self,
        *,
        store: WebchatStore,
        arrivals: Arrivals,
        find: Callable[[str, str], Awaitable[Connector | None]],
        limits: RateLimits,
        live: Live,
        files: ChatFiles,
        now: Callable[[], int],
    ) -> None:
        self._store = store
        self._arrivals = arrivals
        self._find = find
        self._limits = limits
        self.live = live
        self.files = files
        self.now = now
        self._threads: OrderedDict[str, _Thread] = OrderedDict()
        self._seen: OrderedDict[str, None] = OrderedDict()

    async def channel(self, account: str) -> Webchat:
        """The bound channel; raises NotFoundError, RetriableError, ConfigurationError."""
        found = await self._find(Webchat.platform, account)
        if not isinstance(found, Webchat):
            raise NotFoundError(f"no channel webchat/{account[:60]} is bound here")
        return found

    async def session(self, connector: Webchat, ask: SessionAsk, address: str) -> Session:
        """Let somebody in. Raises SignatureError, ForbiddenError, TooManyAttemptsError."""
        await self._take((SESSIONS, address))
        now = self.now()
        if ask.user_id:
            visitor = proven_user(connector, ask.user_id, ask.user_hash or "", ask.name)
            key = None
        elif connector.users_only:
            raise ForbiddenError("only users who are logged in may chat here")
        else:
            visitor = visitor_of(connector, ask.key, "key", now) if ask.key else new_visitor()
            key = issue(connector, visitor, "key", now)
        token = issue(connector, visitor, "token", now)
        return Session(token=token, key=key, title=connector.title, away=connector.away(now))

    def visitor(self, connector: Webchat, token: str) -> Visitor:
        """Whose token this is; raises SignatureError."""
        return visitor_of(connector, token, "token", self.now())

    async def take(self, connector: Webchat, visitor: Visitor, posts: Sequence[Post], address: str) -> list[Outcome]:
        """Take messages in, in order; after one that must come later all others must too. Never raises for one."""
        thread = await self._thread(connector, visitor)
        outcomes: list[Outcome] = []
        async with thread.lock:
            for post in posts:
                outcome = await self._one(connector, visitor, post, thread, address)
                outcomes.append(outcome)
                if outcome.state == "later":
                    break
        return outcomes

    async def items(self, connector: Webchat, visitor: Visitor, after: int | None) -> Items:
        """The conversation from `after` (where an earlier call ended) on, or its end. What is known may come again."""
        rows = await self._store.latest_messages(_key(connector, visitor), FIRST if after is None else FARTHEST)
        wanted = [row for row in reversed(rows) if after is None or row.at >= after - OVERLAP_MS]
        wanted.sort(key=lambda row: (row.at, row.sent_at, row.message))
        shown = [await self._shown(row) for row in wanted if row.text or row.attachments]
        return Items(items=shown, after=max([after or 0, *(row.at for row in rows)]))

    async def seen(self, connector: Webchat, visitor: Visitor, messages: Sequence[str], status: Seen) -> None:
        """The visitor's widget has replies of ours, or he has read them. Raises RetriableError."""
        key = _key(connector, visitor)
        events: list[Event] = []
        marks: list[str] = []
        for message in dict.fromkeys(messages[:MOST_SEEN]):
            mark = f"{visitor.conversation}/{message}/{status}"
            if mark in self._seen:
                continue
            row = await self._store.message(key, message)
            if row is not None and row.direction == "out":
                marks.append(mark)
                events.append(_receipt(connector, visitor, message, status, mark))
        if events:
            await self._arrivals.take(connector, events)
            self._seen.update(dict.fromkeys(marks))
            while len(self._seen) > KNOWN_CONVERSATIONS:
                self._seen.popitem(last=False)

    async def upload(self, visitor: Visitor, address: str) -> None:
        """Count an upload; raises TooManyAttemptsError."""
        await self._take((UPLOADS, visitor.id), (UPLOADS, address))

    async def close(self) -> None:
        """Hear nothing any more."""
        await self.live.close()

    async def _one(self, connector: Webchat, visitor: Visitor, post: Post, thread: _Thread, address: str) -> Outcome:
        try:
            if post.id in thread.known or await self._store.message(_key(connector, visitor), post.id) is not None:
                return Outcome(id=post.id, state="ack")
            wait = await self._limits.take((PER_VISITOR, visitor.id), (PER_ADDRESS, address))
            if wait:
                return Outcome(id=post.id, state="later", reason="too many messages", after_ms=wait)
            refusal = await self._accepted(connector, visitor, post, thread)
        except RetriableError as busy:
            return Outcome(id=post.id, state="later", reason=str(busy), after_ms=BUSY_MS)
        if refusal is not None:
            return Outcome(id=post.id, state="refused", reason=refusal)
        thread.known[post.id] = None
        if len(thread.known) > KNOWN_IDS:
            thread.known.popitem(last=False)
        return Outcome(id=post.id, state="ack")

    async def _accepted(self, connector: Webchat, visitor: Visitor, post: Post, thread: _Thread) -> str | None:
        """Bring a message into the log; why not, when it can never be there. Raises RetriableError."""
        for file in post.files:
            if not await self.files.held(file):
                return f"the file {file.name!r} was not uploaded"
        sent_at = max(thread.sent_at, self.now() - min(post.age, OLDEST_MS))
        try:
            message = message_of(connector.binding.account, visitor, post, sent_at, thread.seq + 1)
        except UnreadableError as wrong:
            return str(wrong)
        taken = await self._arrivals.take(connector, [message, *_kept(connector, visitor, post)])
        if taken.rejected:
            return "the message breaks the rules for events"
        thread.seq, thread.sent_at = thread.seq + 1, sent_at
        return None

    async def _thread(self, connector: Webchat, visitor: Visitor) -> _Thread:
        key = _key(connector, visitor)
        if key not in self._threads:
            rows = await self._store.latest_messages(key, FARTHEST)
            numbered = [row for row in rows if row.seq is not None]
            self._threads.setdefault(
                key,
                _Thread(
                    seq=max((row.seq or 0 for row in numbered), default=0),
                    sent_at=max((row.sent_at for row in numbered), default=0),
                    known=OrderedDict(),
                    lock=asyncio.Lock(),
                ),
            )
        self._threads.move_to_end(key)
        while len(self._threads) > KNOWN_CONVERSATIONS:
            oldest = next(iter(self._threads.values()))
            if oldest.lock.locked():
                break
            self._threads.popitem(last=False)
        return self._threads[key]

    async def _shown(self, row: MessageRow) -> dict[str, Any]:
        ours = row.direction == "out"
        item: dict[str, Any] = {"id": row.message, "ours": ours, "text": row.text or "", "at": row.sent_at}
        if ours and row.sender_name:
            item["name"] = row.sender_name
        if row.attachments:
            item["files"] = await self._files_of(row)
        return item

    async def _files_of(self, row: MessageRow) -> list[dict[str, Any]]:
        if row.direction == "out":
            reply = await self._store.reply(row.message)
            files = [] if reply is None else reply.files
            return [{"index": place, "name": file.name, "size": file.size} for place, file in enumerate(files)]
        names = row.extra.get("files", {}) if isinstance(row.extra, dict) else {}
        return [{"name": names.get(file["id"], "file"), "size": file.get("size")} for file in row.attachments]

    async def _take(self, *asked: tuple[Limit, str]) -> None:
        wait = await self._limits.take(*asked)
        if wait:
            raise TooManyAttemptsError(-(-wait // 1_000))


def _key(connector: Webchat, visitor: Visitor) -> str:
    return conversation_key(connector.platform, connector.binding.account, visitor.conversation)


def _receipt(connector: Webchat, visitor: Visitor, message: str, status: Seen, key: str) -> Receipt:
    return Receipt(
        platform=connector.platform,
        account=connector.binding.account,
        conversation=visitor.conversation,
        message=message,
        status=status,
        event=key,
    )


def _kept(connector: Webchat, visitor: Visitor, post: Post) -> list[Event]:
    """Files of a widget are here before the message that they come with."""
    return [
        AttachmentStatus(
            platform=connector.platform,
            account=connector.binding.account,
            conversation=visitor.conversation,
            message=post.id,
            attachment=file.digest,
            status="ok",
            detail={"digest": file.digest, "mime": file.mime, "size": file.size, "name": file.name},
            event=f"{visitor.conversation}/{post.id}/{file.digest}/ok",
        )
        for file in {file.digest: file for file in post.files}.values()
    ]


__all__ = ["Items", "Outcome", "Session", "SessionAsk", "Webchats"]
