"""Tracking numbers in a text."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from api.asking import needs
from api.views import answer
from services.people.permissions import Caller
from services.tracking import recognise

router = APIRouter(prefix="/api/v1", tags=["conversations"])
Reader = Annotated[Caller, Depends(needs("view_messages"))]


@router.get("/tracking", summary="Tracking numbers in a text")
async def tracking(
    _caller: Reader, text: Annotated[str, Query(min_length=1, max_length=8000, description="What somebody wrote.")]
) -> Response:
    """Each with its carriers, the likeliest first, its link, and its place in the text in code points."""
    return answer({"items": recognise(text)})
