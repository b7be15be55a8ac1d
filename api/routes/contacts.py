"""Customers over all channels: what belongs beside a conversation, who is the same person, lists and timelines."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from msgspec import Struct
from starlette.responses import Response

from actors.keys import split_key
from api.asking import Cursor, Limit, Parts, Word, key_of, needs, rest_of_path
from api.bodies import read_json
from api.description import body_of, path_of
from api.views import View, answer
from services.contacts.history import span_view
from services.contacts.people import Change, Person
from services.errors import NotFoundError
from services.message_views import message_view
from services.people.permissions import Caller
from services.tracking import recognise
from storage.contact_records import ContactFilter
from storage.records import MessageRow

router = APIRouter(prefix="/api/v1", tags=["contacts"])
Reader = Annotated[Caller, Depends(needs("view_messages"))]
Agent = Annotated[Caller, Depends(needs("reply"))]
ContactId = Annotated[str, Path(max_length=64, description="The id of any of a person's contacts.")]
KEYED = path_of(key="platform/account/conversation; `/` inside a part as %2F")
CONVERSATIONS = "/api/v1/conversations/"
ONE = "/contacts/{contact}"
# Read from the raw path: the framework has decoded its parts already.
CONTEXT = "/conversations/{key:path}/context"


class Other(Struct, forbid_unknown_fields=True):
    """Another contact, by its id."""

    contact: str


@router.get(CONTEXT, summary="What belongs beside a conversation", openapi_extra=KEYED)
async def context(request: Request, parts: Parts, caller: Reader) -> Response:
    """Contact, identities, tags, value, local time, orders, history over all channels, suggestions, health."""
    key = key_of(rest_of_path(request, CONVERSATIONS)[:-1])
    return answer(await parts.contacts.context(key, caller))


@router.get("/contacts", summary="Customers, who wrote last first")
async def contacts(  # one parameter per filter
    parts: Parts,
    caller: Reader,
    platform: Word = None,
    account: Word = None,
    tag: Word = None,
    q: Word = None,
    spent_from: Annotated[
        float | None, Query(ge=0, le=1e15, description="What their orders come to, at least.")
    ] = None,
    currency: Annotated[str | None, Query(pattern="^[A-Z]{3}$", description="Of `spent_from`.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """`q`: a part of a name or of a platform's id, or a whole e-mail address or telephone number (`+66…`)."""
    where = ContactFilter(platform=platform, account=account, tag=tag, text=q, spent_from=spent_from, currency=currency)
    page = await parts.contacts.listed(where, caller, limit, cursor)
    return answer({"items": page.items, "next": page.next})


@router.get(ONE, summary="One customer")
async def contact(parts: Parts, caller: Reader, contact: ContactId) -> Response:
    """Who it is, their identities, orders, history and suggestions."""
    return answer(await parts.contacts.detail(contact, caller))


@router.get(f"{ONE}/history", summary="A customer's conversations, the latest first")
async def history(
    parts: Parts, caller: Reader, contact: ContactId, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """Over all channels."""
    person, scope = await parts.contacts.visible(contact, caller)
    page = await parts.contacts.history.page(person, scope, limit, cursor)
    return answer({"items": [span_view(row, None) for row in page.items], "next": page.next})


@router.get(f"{ONE}/timeline", summary="A customer's messages over all channels, the latest first")
async def timeline(
    parts: Parts, caller: Reader, contact: ContactId, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """Each with the tracking numbers in it (`links`)."""
    person, scope = await parts.contacts.visible(contact, caller)
    page = await parts.contacts.history.timeline(person, scope, limit, cursor)
    return answer({"items": [_linked(row) for row in page.items], "next": page.next})


@router.put(ONE, summary="Say something of a customer", openapi_extra=body_of(Change))
async def change(request: Request, parts: Parts, caller: Agent, contact: ContactId) -> Response:
    """Name, tags, note, time zone; what is left out stays. 409 when somebody was faster."""
    await parts.contacts.visible(contact, caller)
    await parts.contacts.people.change(contact, await read_json(request, Change), who=caller.name)
    return answer(await parts.contacts.detail(contact, caller))


@router.post(f"{ONE}/merge", summary="Say that two are one person", openapi_extra=body_of(Other))
async def merge(request: Request, parts: Parts, caller: Agent, contact: ContactId) -> Response:
    """Replies still go to each conversation's own identity. It can be taken back."""
    other = await read_json(request, Other)
    for one in (contact, other.contact):
        await parts.contacts.visible(one, caller)
    await parts.contacts.people.merge(contact, other.contact, who=caller.name)
    return answer(await parts.contacts.detail(contact, caller))


@router.post(f"{ONE}/unmerge", summary="Take a merged contact back", openapi_extra=body_of(Other))
async def unmerge(request: Request, parts: Parts, caller: Agent, contact: ContactId) -> Response:
    """Both are as they were before: `rest` and `apart`. 409 when that contact is merged into no other."""
    other = await read_json(request, Other)
    person, _ = await parts.contacts.visible(contact, caller)
    _belongs(person, other.contact)
    rest, apart = await parts.contacts.people.unmerge(other.contact, who=caller.name)
    return answer(
        {
            "rest": await parts.contacts.detail(rest.lead.id, caller),
            "apart": await parts.contacts.detail(apart.lead.id, caller),
        }
    )


@router.post(f"{ONE}/suggestions/dismiss", summary="Say that two are not one person", openapi_extra=body_of(Other))
async def dismiss(request: Request, parts: Parts, caller: Agent, contact: ContactId) -> Response:
    """It is not suggested again."""
    other = await read_json(request, Other)
    for one in (contact, other.contact):
        await parts.contacts.visible(one, caller)
    await parts.contacts.people.dismiss(contact, other.contact, who=caller.name)
    return answer({"dismissed": True})


def _belongs(person: Person, contact: str) -> None:
    if contact not in person.ids:
        raise NotFoundError(f"contact {contact[:100]!r} is none of this person's: read it again")


def _linked(row: MessageRow) -> View:
    platform, account, _ = split_key(row.key)
    return {**message_view(row), "platform": platform, "account": account, "links": recognise(row.text or "")}
