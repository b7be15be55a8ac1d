"""Thresholds: the set in force, changes with optimistic versions, drafts, history, preview."""

import asyncio
from collections.abc import Awaitable
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Query, Request
from msgspec import Struct, to_builtins
from starlette.responses import Response

from actors.errors import ConfigurationError, RejectedError
from actors.thresholds import THRESHOLDS, ThresholdSet, parse_assignment
from api.asking import Instant, Parts, instant, needs
from api.bodies import read_json
from api.description import body_of
from api.views import answer, rfc3339, threshold_version_view
from services.errors import ConflictError
from services.people.permissions import Caller
from services.tuning.thresholds import Assignment
from storage.records import ThresholdVersion

Answer = TypeVar("Answer")
router = APIRouter(prefix="/api/v1/settings/thresholds", tags=["thresholds"])
Reader = Annotated[Caller, Depends(needs("view_thresholds"))]
Trier = Annotated[Caller, Depends(needs("preview_thresholds"))]
Tuner = Annotated[Caller, Depends(needs("change_thresholds"))]


class Change(Struct, forbid_unknown_fields=True):
    """Either some values to `set`, or all `overrides` at once; `version` guards against a change in between."""

    set: list[Assignment | str] | None = None
    overrides: dict[str, dict[str, Any]] | None = None
    version: int | None = None
    note: str = ""
    draft: bool = False


class Activation(Struct, forbid_unknown_fields=True):
    """Which version to expect in force."""

    version: int | None = None


class Trial(Struct, forbid_unknown_fields=True):
    """Values to try, and the period to try them on: RFC 3339 or ms; the last day by default."""

    set: list[Assignment | str] = []
    since: int | str | None = None
    until: int | str | None = None


@router.get("", summary="The thresholds in force")
async def thresholds(parts: Parts, _caller: Reader) -> Response:
    """Defaults with their limits, the global values in force, and the overrides by scope."""
    return answer(thresholds_view(parts.thresholds.current(), parts.thresholds.version()))


@router.put("", summary="Change thresholds", openapi_extra=body_of(Change))
async def change(request: Request, parts: Parts, caller: Tuner) -> Response:
    """In force within a second; 409 when `version` is given and is not the one in force."""
    wanted = await read_json(request, Change, 2**20)
    if (wanted.set is None) == (wanted.overrides is None):
        raise RejectedError('give either "set" (some values) or "overrides" (all of them)')
    terms = {"who": caller.name, "expected": wanted.version, "note": wanted.note, "draft": wanted.draft}
    if wanted.overrides is not None:
        version = await parts.thresholds.replace(wanted.overrides, **terms)
    else:
        version = await parts.thresholds.assign(assignments(wanted.set or []), **terms)
    if version.draft:
        return answer(threshold_version_view(version))
    return answer(thresholds_view(parts.thresholds.current(), version))


@router.get("/history", summary="Versions of the thresholds, newest first")
async def history(parts: Parts, _caller: Reader, limit: Annotated[int, Query(ge=1, le=500)] = 50) -> Response:
    """Drafts too."""
    versions = await parts.thresholds.history(limit)
    return answer({"items": [threshold_version_view(v) for v in versions], "next": None})


@router.post("/preview", summary="What other thresholds would have found", openapi_extra=body_of(Trial))
async def preview(request: Request, parts: Parts, caller: Trier) -> Response:
    """Stored events of the period run through the same detectors; anomalies by kind, beside those really found.

    Times in ms. 409 when the same person asks anew before the answer is there.
    """
    wanted = await read_json(request, Trial, 2**20)
    changes = assignments(wanted.set)
    since, until = (_moment(getattr(wanted, name), name) for name in ("since", "until"))
    work = parts.preview.effect(changes, since=since, until=until, who=caller.name)
    return answer(to_builtins(await _unless_asked_anew(work)))


@router.get("/series", summary="What a threshold was measured against, over time")
async def series(
    parts: Parts,
    caller: Reader,
    name: Annotated[str, Query(max_length=100)],
    scope: Annotated[str, Query(max_length=2200)] = "",
    since: Instant = None,
    until: Instant = None,
) -> Response:
    """Points of [start, median, 95th percentile, largest, count], all in ms; none where nothing is measured."""
    start, end = instant(since, "since"), instant(until, "until")
    work = parts.preview.history(name, scope=scope, since=start, until=end, who=caller.name)
    return answer(to_builtins(await _unless_asked_anew(work)))


@router.post(
    "/{number}/activate",
    summary="Bring a draft or an earlier version into force",
    openapi_extra=body_of(Activation),
)
async def activate(request: Request, parts: Parts, caller: Tuner, number: int) -> Response:
    """As a new version; also the way to roll back."""
    wanted = await read_json(request, Activation)
    version = await parts.thresholds.activate(number, who=caller.name, expected=wanted.version)
    return answer(thresholds_view(parts.thresholds.current(), version))


def assignments(given: list[Assignment | str]) -> list[Assignment]:
    """Assignments as records; `platform/account:name=value` is understood. Raises RejectedError."""
    result: list[Assignment] = []
    for item in given:
        if isinstance(item, str):
            try:
                scope, name, value = parse_assignment(item)
            except ConfigurationError as wrong:
                raise RejectedError(str(wrong)) from wrong
            result.append(Assignment(name=name, value=value, scope=scope))
        else:
            result.append(item)
    return result


def _moment(value: int | str | None, name: str) -> int | None:
    return instant(None if value is None else str(value), name)


async def _unless_asked_anew(work: Awaitable[Answer]) -> Answer:
    """The answer; raises ConflictError when a newer question of the same person has cancelled this one."""
    try:
        return await work
    except asyncio.CancelledError as gone:
        task = asyncio.current_task()
        if task is None or not gone.args:  # the connection or the server is closing
            raise
        task.uncancel()
        raise ConflictError(str(gone.args[0])) from None


def thresholds_view(current: ThresholdSet, version: ThresholdVersion | None) -> dict[str, Any]:
    """The set with what may be set to what."""
    return {
        "version": current.version,
        "at": rfc3339(version.at) if version else None,
        "who": version.who if version else None,
        "note": version.note if version else "",
        "global": {known.name: current.value(known.name) for known in THRESHOLDS},
        "overrides": current.overrides,
        "thresholds": THRESHOLDS,
    }
