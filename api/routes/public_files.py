"""Files of replies, for platforms that fetch them. Open to whoever has the address: it is signed, and expires."""

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from api.asking import Parts
from api.description import path_of
from api.routes.attachments import POLICY
from services.files.addresses import PATH, PublicFile

router = APIRouter(tags=["replies"])
NAMED = path_of(token="As Weir made it for the platform.")  # noqa: S106 # a description


@router.head(PATH + "{token:path}", include_in_schema=False)
@router.get(PATH + "{token:path}", summary="A platform fetches a file of a reply", openapi_extra=NAMED)
async def fetched(request: Request, parts: Parts) -> Response:
    """The file, for a day after the reply was sent. 404 for everything else, whatever is wrong with the address."""
    found: PublicFile = await parts.addresses.find(request.path_params["token"])
    headers = {
        "Content-Length": str(found.size),
        "Content-Disposition": f'{"inline" if found.inline else "attachment"}; filename="{found.name}"',
        "Cache-Control": f"private, max-age={found.left_ms // 1000}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": POLICY,
        "Referrer-Policy": "no-referrer",
        "X-Robots-Tag": "noindex",
    }
    if request.method == "HEAD":
        return Response(headers=headers, media_type=found.mime)
    return StreamingResponse(parts.addresses.read(found), headers=headers, media_type=found.mime)
