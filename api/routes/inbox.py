"""The inbox: windows of its list, counts, and what is done to conversations, one or many."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from msgspec import UNSET, Struct, UnsetType
from starlette.responses import Response

from actors.errors import RejectedError
from api.asking import Parts, Word, instant, key_of, needs, rest_of_path
from api.bodies import read_json
from api.description import body_of, path_of
from api.problems import problem
from api.views import View, answer, conversation_view, rfc3339
from services.inbox.bulk import Outcome, Wish
from services.inbox.errors import TakenError
from services.people.permissions import Caller
from storage.inbox_records import InboxFilter, Sort, Tab
from storage.records import ConversationRow

router = APIRouter(prefix="/api/v1", tags=["inbox"])
Reader = Annotated[Caller, Depends(needs("view_messages"))]
Assigner = Annotated[Caller, Depends(needs("assign"))]
CONVERSATIONS = "/api/v1/conversations/"
CLAIM = "/conversations/{key:path}/claim"
ASSIGN = "/conversations/{key:path}/assign"
STATUS = "/conversations/{key:path}/status"
ARCHIVE = "/conversations/{key:path}/archive"
OPENED = "/conversations/{key:path}/opened"
# The routes read the key from the raw path: the framework has decoded its parts already.
KEYED = path_of(key="platform/account/conversation; `/` inside a part as %2F")
MOST_KEYS = 500
MOST_BODY = 1024 * 1024
FARTHEST = 10_000_000


class Keys(Struct, forbid_unknown_fields=True):
    """Conversations by their keys, 500 at most."""

    keys: list[str]


class Claim(Struct, forbid_unknown_fields=True):
    """`version`: the `desk_version` that was looked at."""

    version: int | None = None


class Assignment(Struct, forbid_unknown_fields=True):
    """To whom or which team (null: nobody, none); what is left out stays. `version` as of a claim."""

    assignee: str | UnsetType | None = UNSET
    team: str | UnsetType | None = UNSET
    version: int | None = None


class Status(Struct, forbid_unknown_fields=True):
    """`open`, `closed`, or `snoozed` with `until`: RFC 3339 with offset, or milliseconds since the epoch."""

    status: str
    until: int | str | None = None


class Archiving(Struct, forbid_unknown_fields=True):
    """Whether it is out of the lists."""

    archived: bool = True


class Many(Struct, forbid_unknown_fields=True):
    """One thing to do to many: assign, label, close, reopen, archive, unarchive, snooze or wake, with its fields."""

    keys: list[str]
    do: str
    assignee: str | UnsetType | None = UNSET
    team: str | UnsetType | None = UNSET
    until: int | str | None = None
    add: list[str] = []
    remove: list[str] = []


@router.get("/inbox", summary="A window of the inbox's list")
async def inbox(  # one parameter per filter
    parts: Parts,
    caller: Reader,
    tab: Tab = "all",
    sort: Sort = "due",
    platform: Word = None,
    account: Word = None,
    label: Word = None,
    lang: Word = None,
    assignee: Word = None,
    team: Word = None,
    sla: Word = None,
    anomaly: Word = None,
    vip: bool | None = None,  # noqa: FBT001 # a parameter of the address
    sensitive: bool | None = None,  # noqa: FBT001 # as above
    waiting: bool | None = None,  # noqa: FBT001 # as above
    contact: Word = None,
    order: Word = None,
    q: Word = None,
    offset: Annotated[int, Query(ge=0, le=FARTHEST, description="How many rows lie before the window.")] = 0,
    limit: Annotated[int, Query(ge=1, le=200, description="Most rows of the window.")] = 50,
) -> Response:
    """Of what the caller may see. `total`: how long the whole list is; `counts`: how many each tab has.

    `team`: the team that holds it, given or by its channel; `none`: no team in which somebody can answer. `waiting`:
    the customer's message is the last, or a response clock runs.
    """
    where = InboxFilter(
        now=0, tab=tab, sort=sort, platform=platform, account=account, label=label, lang=lang, assignee=assignee,
        team=team, sla=sla, anomaly=anomaly, vip=vip, sensitive=sensitive, waiting=waiting, contact=contact,
        order=order, q=q,
    )  # fmt: skip
    found = await parts.inbox.window(caller, where, offset, limit)
    return answer(
        {
            "items": [conversation_view(row) for row in found.items],
            "total": found.total,
            "offset": found.offset,
            "counts": found.counts,
            "at": rfc3339(found.at),
        }
    )


@router.get("/inbox/counts", summary="How many conversations each tab has")
async def counts(parts: Parts, caller: Reader) -> Response:
    """Of what the caller may see; `sensitive` are among `all`."""
    return answer(await parts.inbox.counts_of(caller))


@router.post("/inbox/rows", summary="Conversations by their keys", openapi_extra=body_of(Keys))
async def rows(request: Request, parts: Parts, caller: Reader) -> Response:
    """Those the caller may see, in the order of the keys."""
    wanted = await read_json(request, Keys, MOST_BODY)
    if len(wanted.keys) > MOST_KEYS:
        raise RejectedError(f"keys: at most {MOST_KEYS}")
    found = await parts.inbox.seen_rows(caller, wanted.keys)
    return answer({"items": [conversation_view(row) for row in found]})


@router.post("/inbox/bulk", summary="Do one thing to many conversations", openapi_extra=body_of(Many))
async def bulk(request: Request, parts: Parts, caller: Reader) -> Response:
    """What happened, key by key: `done` with the row, or `gone`, `conflict`, `refused` with a reason."""
    wanted = await read_json(request, Many, MOST_BODY)
    wish = Wish(
        keys=wanted.keys, do=wanted.do, assignee=wanted.assignee, team=wanted.team, add=wanted.add,
        remove=wanted.remove, until=None if wanted.until is None else instant(str(wanted.until), "until"),
    )  # fmt: skip
    return answer({"items": [_outcome(one) for one in await parts.bulk.do(caller, wish)]})


@router.post(CLAIM, summary="Take a conversation", openapi_extra=KEYED | body_of(Claim))
async def claim(request: Request, parts: Parts, caller: Assigner) -> Response:
    """If nobody has it; else 409 with who has it, since when, and the row. A rule gives way to a person."""
    wanted = await read_json(request, Claim)
    try:
        return _row(await parts.desk.claim(caller, _key(request), wanted.version))
    except TakenError as taken:
        return _taken(taken)


@router.post(ASSIGN, summary="Give a conversation away", openapi_extra=KEYED | body_of(Assignment))
async def assign(request: Request, parts: Parts, caller: Assigner) -> Response:
    """409 as of a claim when it changed since `version`; 422 for somebody who may not answer it."""
    wanted = await read_json(request, Assignment)
    if wanted.assignee is UNSET and wanted.team is UNSET:
        raise RejectedError("give `assignee`, `team` or both; null takes it away")
    try:
        row = await parts.desk.assign(
            caller, _key(request), assignee=wanted.assignee, team=wanted.team, version=wanted.version
        )
    except TakenError as taken:
        return _taken(taken)
    return _row(row)


@router.post(STATUS, summary="Close, reopen or snooze", openapi_extra=KEYED | body_of(Status))
async def status(request: Request, parts: Parts, caller: Assigner) -> Response:
    """Closing and reopening are in the log when this answers; the row is as it will be once the engine has read it."""
    wanted, key = await read_json(request, Status), _key(request)
    match wanted.status:
        case "closed":
            return _row(await parts.desk.close(caller, key))
        case "open":
            return _row(await parts.desk.reopen(caller, key))
        case "snoozed":
            until = None if wanted.until is None else instant(str(wanted.until), "until")
            return _row(await parts.desk.snooze(caller, key, until or 0))
        case _:
            raise RejectedError("status: closed, open or snoozed")


@router.post(ARCHIVE, summary="Archive a conversation", openapi_extra=KEYED | body_of(Archiving))
async def archive(request: Request, parts: Parts, caller: Assigner) -> Response:
    """Out of the lists until the customer writes, or back into them."""
    wanted = await read_json(request, Archiving)
    return _row(await parts.desk.archive(caller, _key(request), archived=wanted.archived))


@router.post(OPENED, summary="Say that one looks at it", openapi_extra=KEYED)
async def opened(request: Request, parts: Parts, caller: Reader) -> Response:
    """Noted in the audit log; by somebody who may answer, its messages count as read."""
    row = await parts.desk.opened(caller, _key(request))
    if parts.alerts is not None and caller.via == "session":
        await parts.alerts.opened(row.key, caller.name)
    return _row(row)


def _key(request: Request) -> str:
    return key_of(rest_of_path(request, CONVERSATIONS)[:-1])


def _row(row: ConversationRow) -> Response:
    return answer(conversation_view(row))


def _taken(taken: TakenError) -> Response:
    row = conversation_view(taken.row)
    return problem(409, str(taken), assignee=row["assignee"], assigned_at=row["assigned_at"], row=row)


def _outcome(one: Outcome) -> View:
    view: View = {"key": one.key, "state": one.state}
    if one.row is not None:
        view["row"] = conversation_view(one.row)
    return view | ({"reason": one.reason} if one.reason else {})
