"""Telling people: how I want to be told, what I was to be told, and whether it rang."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from msgspec import UNSET, Struct, UnsetType
from starlette.responses import Response

from actors.errors import RejectedError
from api.asking import Cursor, Limit, Parts, Word, instant, needs
from api.bodies import read_json
from api.description import body_of
from api.routes.profile import Person
from api.views import View, answer, page_answer, rfc3339
from services.alerts.deciding import Alert
from services.alerts.wishes import masked
from services.people.permissions import Caller, can, demand
from storage.alert_records import AlertFilter, AlertSettings, ExpectedAlert, Told, Way

router = APIRouter(prefix="/api/v1/alerts", tags=["alerts"])
Overseer = Annotated[Caller, Depends(needs("view_audit"))]
AlertId = Annotated[str, Path(max_length=64)]
HOUR_MS = 3_600_000


class Receipt(Struct, forbid_unknown_fields=True):
    """Whether it rang: `fired`, `seen` (opened), or `failed` with the reason, such as permission_denied."""

    status: Literal["fired", "seen", "failed"]
    reason: str | None = None


class QuietHours(Struct, forbid_unknown_fields=True):
    """From one minute of the day to another (0 to 1439), over midnight too, in a time zone such as Asia/Shanghai."""

    start: int
    end: int
    zone: str


class Wish(Struct, forbid_unknown_fields=True):
    """How I want to be told; what is left out stays, `quiet`: null ends the quiet hours."""

    desktop: bool | None = None
    sound: bool | None = None
    muted: list[str] | None = None
    quiet: QuietHours | UnsetType | None = UNSET


class NewWay(Struct, forbid_unknown_fields=True):
    """An address beside the screen: of an e-mail or of a webhook."""

    kind: str
    address: str


@router.get("", summary="Whom messages were to reach")
async def expected(
    parts: Parts,
    caller: Person,
    person: Word = None,
    key: Word = None,
    since: Word = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """My own, newest first; of others (`person`, or `*` for all) for those who may read the log of changes."""
    if person not in (None, caller.name):
        demand(caller, "view_audit")
    whose = None if person == "*" else person or caller.name
    where = AlertFilter(person=whose, key=key, since=instant(since, "since"))
    return page_answer(await parts.alerts.page(where, limit, cursor), expected_view)


@router.post("/test", summary="Try out whether I am told", status_code=201)
async def try_out(parts: Parts, caller: Person) -> Response:
    """An alert for my screen, which sends its receipt; and what became of a letter to each of my own addresses."""
    alert = await parts.alerts.try_out(caller.name)
    told = await parts.ladder.try_out(caller.name)
    return answer({"alert": alert_view(alert), "rungs": [rung_view(one) for one in told]}, 201)


@router.post("/{alert_id}/receipt", summary="Say whether it rang", openapi_extra=body_of(Receipt))
async def receipt(request: Request, parts: Parts, caller: Person, alert_id: AlertId) -> Response:
    """Only for my own alerts. Becomes a `notification` event, so that the message's trace knows of it."""
    said = await read_json(request, Receipt)
    return answer(expected_view(await parts.alerts.receipt(alert_id, caller.name, said.status, said.reason)))


@router.get("/reach", summary="How much reaches each person")
async def reach(
    parts: Parts, _caller: Overseer, hours: Annotated[int, Query(ge=1, le=24 * 30, description="Of how long.")] = 24
) -> Response:
    """By person: what became of what he was to be told, and the share that rang or was opened."""
    since = parts.gateway.now() - hours * HOUR_MS
    rows = [
        {"person": person, "fates": fates, "reach": share} for person, fates, share in await parts.alerts.reach(since)
    ]
    return answer({"items": rows, "since": rfc3339(since)})


@router.get("/settings", summary="How I want to be told")
async def settings(parts: Parts, caller: Person) -> Response:
    """The defaults when I never said."""
    return answer(settings_view(await parts.alerts.wishes.of(caller.name)))


@router.patch("/settings", summary="Change how I want to be told", openapi_extra=body_of(Wish))
async def change(request: Request, parts: Parts, caller: Person) -> Response:
    """Takes effect in every process within two seconds."""
    wanted = await read_json(request, Wish)
    quiet = None if isinstance(wanted.quiet, UnsetType) else wanted.quiet
    span = (quiet.start, quiet.end, quiet.zone) if quiet else None
    ended = wanted.quiet is None
    found = await parts.alerts.wishes.change(
        caller.name,
        desktop=wanted.desktop,
        sound=wanted.sound,
        muted=wanted.muted,
        quiet="never" if ended else span,
    )
    return answer(settings_view(found))


@router.post("/ways", summary="Add an address beside my screen", status_code=201, openapi_extra=body_of(NewWay))
async def add_way(request: Request, parts: Parts, caller: Person) -> Response:
    """Used when something urgent was not opened in time."""
    if not can(caller.role, "reply"):
        raise RejectedError("an address is for those who answer customers; this role does not")
    wanted = await read_json(request, NewWay)
    return answer(settings_view(await parts.alerts.wishes.add_way(caller.name, wanted.kind, wanted.address)), 201)


@router.delete("/ways/{way_id}", summary="Take an address away")
async def drop_way(parts: Parts, caller: Person, way_id: AlertId) -> Response:
    """It is told nothing any more."""
    return answer(settings_view(await parts.alerts.wishes.drop_way(caller.name, way_id)))


def alert_view(alert: Alert) -> View:
    """Something to ring for, as the socket tells it, too."""
    return {"type": "alert", **{name: getattr(alert, name) for name in alert.__struct_fields__ if name != "person"}}


def expected_view(one: ExpectedAlert) -> View:
    """One person who was to be told of one thing, and every attempt."""
    view = {name: getattr(one, name) for name in one.__struct_fields__ if name != "version"}
    for name in ("at", "due_at", "fired_at", "seen_at"):
        view[name] = rfc3339(view[name])
    view["rungs"] = [rung_view(told) for told in one.rungs]
    return view


def rung_view(told: Told) -> View:
    """One attempt."""
    return {"rung": told.rung, "at": rfc3339(told.at), "status": told.status, "whom": told.whom, "detail": told.detail}


def settings_view(wishes: AlertSettings) -> View:
    """How a person wants to be told, for that person."""
    quiet = {"start": wishes.quiet_from, "end": wishes.quiet_to, "zone": wishes.zone}
    return {
        "desktop": wishes.desktop,
        "sound": wishes.sound,
        "muted": wishes.muted,
        "quiet": None if wishes.quiet_from is None else quiet,
        "ways": [way_view(way) for way in wishes.ways],
    }


def way_view(way: Way) -> View:
    """An address, masked."""
    return {
        "id": way.id,
        "kind": way.kind,
        "address": masked(way),
        "ended_at": rfc3339(way.ended_at),
        "reason": way.reason,
    }
