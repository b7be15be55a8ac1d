"""Replies: asked for under an idempotency key, watched on their way out, decided about when they did not get through.

A reply that was taken in (202) is durable and leaves by itself.
"""

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Request
from msgspec import Struct
from msgspec.structs import replace
from starlette.responses import Response

from actors.errors import RejectedError
from api.asking import Cursor, Limit, Parts, Word, needs
from api.bodies import read_json
from api.description import body_of, path_of
from api.inbox_asking import KEY, conversation_of
from api.problems import problem
from api.views import answer, page_answer, rfc3339
from services.errors import NotFoundError
from services.people.permissions import Caller
from services.replies.replies import Ask, AskedFile
from services.replies.retries import retry_all
from services.replies.verdicts import ObjectedError, TwinError
from storage.channel_records import ReplyFilter, ReplyRow, ReplyState

router = APIRouter(prefix="/api/v1", tags=["replies"])
Reader = Annotated[Caller, Depends(needs("view_messages"))]
Replier = Annotated[Caller, Depends(needs("reply"))]
ReplyId = Annotated[str, Path(max_length=64)]
# The route reads the key from the raw path: the framework has decoded its parts already.
MESSAGES_OF_ONE = "/conversations/{key:path}/messages"
CHECK = "/conversations/{key:path}/messages/check"
MOST_BODY = 2**20


class NewReply(Struct, forbid_unknown_fields=True):
    """An answer to a conversation. `reply_to`: the message it quotes; `resend_of`: the reply it repeats.

    `files` were kept before; `again`: the same words once more, although they went out a moment ago; `compress`: what
    is too large may go as an archive; `private`: a note to colleagues.
    """

    text: str = ""
    reply_to: str | None = None
    resend_of: str | None = None
    files: list[AskedFile] = []
    again: bool = False
    compress: bool = False
    private: bool = False


class Retry(Struct, forbid_unknown_fields=True):
    """`sure`: somebody looked at the platform, and the reply is not there; `compress`: see `NewReply`."""

    sure: bool = False
    compress: bool = False


class RetryAll(Struct, forbid_unknown_fields=True):
    """Which failed replies: of a `platform`, an `account` of it, a `conversation` (its key), with a `code`; or all."""

    platform: str | None = None
    account: str | None = None
    conversation: str | None = None
    code: str | None = None
    limit: int = 500


class Settlement(Struct, forbid_unknown_fields=True):
    """`sent`: whether the platform has the reply."""

    sent: bool


def _asking() -> dict[str, Any]:
    header = {
        "name": "Idempotency-Key",
        "in": "header",
        "required": True,
        "description": "1 to 255 printable characters, new for every reply.",
        "schema": {"type": "string", "maxLength": 255},
    }
    described = path_of(key=KEY)
    return {**body_of(NewReply), "parameters": [*described["parameters"], header]}


@router.post(MESSAGES_OF_ONE, summary="Answer a conversation", status_code=202, openapi_extra=_asking())
async def ask(request: Request, parts: Parts, caller: Replier) -> Response:
    """The same again gives the first answer; 409 for another reply, or the same words within a minute.

    With `private` it is a note to colleagues: it is kept at once (201), and no platform gets it.
    """
    key = await conversation_of(request, parts, caller, "messages")
    wanted = await read_json(request, NewReply, MOST_BODY)
    given = request.headers.get("idempotency-key")
    if given is None:
        raise RejectedError("Idempotency-Key: the header is missing; send a new one with every new reply")
    if wanted.private:
        return await _note(parts, caller, key, wanted, given)
    asked = Ask(
        text=wanted.text,
        reply_to=wanted.reply_to,
        resend_of=wanted.resend_of,
        files=tuple(wanted.files),
        again=wanted.again,
        compress=wanted.compress,
    )
    try:
        row = await parts.replies.ask(caller, key, asked, given)
    except ObjectedError as wrong:
        return _objected(wrong)
    except TwinError as twin:
        return problem(409, str(twin), code="identical", ago_s=twin.ago_s, who=twin.who)
    return answer({"message": row.id, "state": row.state}, 202)


async def _note(parts: Parts, caller: Caller, key: str, wanted: NewReply, given: str) -> Response:
    if wanted.files or wanted.reply_to is not None or wanted.resend_of is not None:
        raise RejectedError("private: a note is text alone; leave out files, reply_to and resend_of")
    note = await parts.notes.add(caller, key, wanted.text, given)
    return answer({"note": note.id, "mentions": note.mentions, "at": rfc3339(note.at)}, 201)


class Unsent(Struct, forbid_unknown_fields=True):
    """A reply that somebody is writing; `compress`: files that are too large go as archives where that helps."""

    text: str = ""
    files: list[AskedFile] = []
    compress: bool = False


def _unsent(wanted: Unsent) -> Ask:
    return Ask(text=wanted.text, files=tuple(wanted.files), compress=wanted.compress)


@router.post(CHECK, summary="What the platform says to a reply", openapi_extra={**body_of(Unsent), **path_of(key=KEY)})
async def check(request: Request, parts: Parts, caller: Replier) -> Response:
    """Before it is sent, and nothing is: `objections` block it, `warnings` do not; limits, and what is left of them.

    `sendable` false: nothing can be sent there at all, `why`, and its `code`. `window_ends_at`: until when an answer
    may go.
    """
    key = await conversation_of(request, parts, caller, "messages/check")
    wanted = await read_json(request, Unsent, MOST_BODY)
    seen = await parts.linter.check(caller, key, _unsent(wanted))
    told: dict[str, Any] = msgspec.to_builtins(seen)
    told["window_ends_at"], told["last_in_at"] = rfc3339(seen.window_ends_at), rfc3339(seen.last_in_at)
    for name in ("mimes", "forbids"):
        told["limits"][name] = None if told["limits"][name] is None else sorted(told["limits"][name])
    return answer(told)


@router.get("/outbox", summary="Replies on their way out, newest first")
async def outbox(  # one parameter per filter
    parts: Parts,
    caller: Reader,
    state: Annotated[list[ReplyState] | None, Query(description="One or more of them.")] = None,
    platform: Word = None,
    account: Word = None,
    conversation: Annotated[str | None, Query(max_length=4096, description="The conversation's key.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Those that were sent, too. A `queued` one whose `code` is `blocked` waits for its channel's authorisation.

    A page may hold fewer than `limit`: replies of conversations that the caller may not see are left out.
    """
    where = ReplyFilter(states=tuple(state) if state else None, platform=platform, account=account, key=conversation)
    page = await parts.replies.page(where, limit, cursor)
    shown = await parts.inbox.seen_keys(caller, [row.key for row in page.items])
    return page_answer(replace(page, items=[row for row in page.items if row.key in shown]), reply_view)


@router.post("/outbox/retry", summary="Send many failed replies after all", openapi_extra=body_of(RetryAll))
async def retry_many(request: Request, parts: Parts, caller: Replier) -> Response:
    """The oldest first, each judged by itself: `queued`, `objected` (with what to mend) or `refused`.

    Those that may have been sent are left alone; `left`: how many failed ones of the same filter remain.
    """
    wanted = await read_json(request, RetryAll)
    where = ReplyFilter(platform=wanted.platform, account=wanted.account, key=wanted.conversation)

    async def seen_keys(keys: Sequence[str]) -> set[str]:
        return await parts.inbox.seen_keys(caller, keys)

    found = await retry_all(parts.replies, caller, where, seen=seen_keys, code=wanted.code, limit=wanted.limit)
    return answer(msgspec.to_builtins(found))


@router.post("/outbox/{reply_id}/retry", summary="Send a failed reply after all", openapi_extra=body_of(Retry))
async def retry(request: Request, parts: Parts, caller: Replier, reply_id: ReplyId) -> Response:
    """Under the same id. One that may have been sent needs `{"sure": true}`, else 409."""
    wanted = await read_json(request, Retry)
    await _seen_reply(parts, caller, reply_id)
    try:
        return answer(
            reply_view(await parts.replies.retry(caller, reply_id, sure=wanted.sure, compress=wanted.compress))
        )
    except ObjectedError as wrong:
        return _objected(wrong)


@router.post("/outbox/{reply_id}/settle", summary="Say whether a reply was sent", openapi_extra=body_of(Settlement))
async def settle(request: Request, parts: Parts, caller: Replier, reply_id: ReplyId) -> Response:
    """For one of which nobody knows. What was not sent is failed then, and can be retried."""
    wanted = await read_json(request, Settlement)
    await _seen_reply(parts, caller, reply_id)
    return answer(reply_view(await parts.replies.settle(caller, reply_id, sent=wanted.sent)))


@router.post("/outbox/{reply_id}/recall", summary="Take a reply back at its platform")
async def recall(parts: Parts, caller: Replier, reply_id: ReplyId) -> Response:
    """Where the platform allows it, and as long as it does; else 409. The reply stays in the thread, marked."""
    await _seen_reply(parts, caller, reply_id)
    return answer(reply_view(await parts.recalls.recall(caller, reply_id)))


async def _seen_reply(parts: Parts, caller: Caller, reply_id: str) -> None:
    """Whether the caller may see the reply's conversation; raises NotFoundError."""
    row = await parts.store.reply(reply_id)
    if row is not None and row.key not in await parts.inbox.seen_keys(caller, [row.key]):
        raise NotFoundError(f"there is no reply {reply_id!r}")


def reply_view(row: ReplyRow) -> dict[str, Any]:
    """A reply as the outbox lists it."""
    return {
        "id": row.id,
        "key": row.key,
        "platform": row.platform,
        "account": row.account,
        "conversation": row.conversation,
        "who": row.who,
        "at": rfc3339(row.at),
        "due_at": rfc3339(row.due_at) if row.state in {"new", "queued"} else None,
        "state": row.state,
        "text": row.text,
        "reply_to": row.reply_to,
        "resend_of": row.resend_of,
        "files": [msgspec.to_builtins(file) for file in row.files],
        "attempts": row.attempts,
        "settled_at": rfc3339(row.settled_at),
        "platform_message": row.platform_message,
        "code": row.code,
        "reason": row.reason,
    }


def _objected(wrong: ObjectedError) -> Response:
    return problem(422, str(wrong), objections=[msgspec.to_builtins(one) for one in wrong.objections])
