"""The log of changes, and dead letters: what could not be applied."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from api.asking import Cursor, Limit, Parts, Word, needs
from api.views import answer, audit_view, dead_letter_view, page_answer, refusal_view, rfc3339
from services.people.permissions import Caller

router = APIRouter(prefix="/api/v1", tags=["records"])
AuditReader = Annotated[Caller, Depends(needs("view_audit"))]
LetterReader = Annotated[Caller, Depends(needs("view_dead_letters"))]
LetterKeeper = Annotated[Caller, Depends(needs("resolve_dead_letters"))]


@router.get("/audit", summary="Who changed what, newest first")
async def audit(
    parts: Parts,
    _caller: AuditReader,
    subject: Annotated[str | None, Query(max_length=300)] = None,
    who: Annotated[str | None, Query(max_length=300)] = None,
    what: Annotated[str | None, Query(max_length=100, description="How it begins, like `user.`")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Of everything, or of one subject, one person, one sort of change."""
    page = await parts.audit_log.page(limit, cursor, subject, who=who, what=what)
    return page_answer(page, audit_view)


@router.get("/dead-letters", summary="What could not be applied")
async def dead_letters(parts: Parts, _caller: LetterReader, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """Log entries with the reason and the start of their bytes."""
    return page_answer(await parts.dead_letters.page(limit, cursor), dead_letter_view)


@router.get("/refusals", summary="What was refused of late, newest first")
async def refusals(
    parts: Parts, _caller: LetterReader, platform: Word = None, account: Word = None, limit: Limit = 50
) -> Response:
    """Events and webhooks that could not be read, with the reason and the start of their bytes; masked.

    The log is looked through from its end for two seconds; `searched_since` says how far back when it is longer.
    """
    found = await parts.refusals.latest(limit, platform, account)
    items = [refusal_view(one) for one in found.items]
    return answer({"items": items, "next": None, "complete": found.complete, "searched_since": rfc3339(found.since)})


@router.post("/dead-letters/{letter_id}/resolve", summary="Mark a dead letter as dealt with")
async def resolve_dead_letter(parts: Parts, caller: LetterKeeper, letter_id: str) -> Response:
    """`letter_id` is partition-offset-index."""
    return answer(dead_letter_view(await parts.dead_letters.resolve(letter_id, who=caller.name)))


@router.post("/dead-letters/{letter_id}/retry", summary="Submit a dead letter's entry again")
async def retry_dead_letter(parts: Parts, caller: LetterKeeper, letter_id: str) -> Response:
    """With its old observed time. 409 when it was dealt with, or its bytes are no entry."""
    return answer(dead_letter_view(await parts.dead_letters.retry(letter_id, who=caller.name)))
