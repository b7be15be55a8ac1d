"""What I may change of myself: how the screens look, my password, my sessions."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from msgspec import Struct
from starlette.responses import Response

from actors.errors import RejectedError
from api.asking import Parts, Settings, caller_of
from api.bodies import read_json
from api.description import body_of
from api.gate import session_cookie
from api.routes.auth import address_of
from api.views import answer, user_view
from services.errors import CredentialsError, ForbiddenError
from services.people.permissions import Caller

router = APIRouter(prefix="/api/v1/me", tags=["session"])
LANGUAGES = ("en", "zh")
THEMES = ("light", "dark", "auto")


class Preferences(Struct, forbid_unknown_fields=True):
    """How I like the screens; what is left out stays."""

    lang: str | None = None
    theme: str | None = None


class PasswordChange(Struct, forbid_unknown_fields=True):
    """My password now, and the one I want."""

    current: str
    new: str


async def person_of(request: Request) -> Caller:
    """The caller, when it is a person; raises ForbiddenError for a token, which has no profile."""
    caller = await caller_of(request)
    if caller.via != "session":
        raise ForbiddenError("a token has no profile; log in as a person")
    return caller


Person = Annotated[Caller, Depends(person_of)]


@router.patch("", summary="Change how my screens look", openapi_extra=body_of(Preferences))
async def prefer(request: Request, parts: Parts, caller: Person) -> Response:
    """`lang` is en or zh, `theme` light, dark or auto."""
    wanted = await read_json(request, Preferences)
    if wanted.lang not in (None, *LANGUAGES) or wanted.theme not in (None, *THEMES):
        raise RejectedError(f"lang is one of {', '.join(LANGUAGES)}; theme is one of {', '.join(THEMES)}")
    user = await parts.accounts.change(caller.name, who=caller.name, lang=wanted.lang, theme=wanted.theme)
    return answer(user_view(user))


@router.post("/password", summary="Change my password", status_code=204, openapi_extra=body_of(PasswordChange))
async def change_password(request: Request, parts: Parts, settings: Settings, caller: Person) -> Response:
    """Ends all my sessions, this one too. 422 when the current password is wrong, 429 after too many wrong ones."""
    wanted = await read_json(request, PasswordChange)
    try:
        await parts.accounts.change_own_password(caller.name, wanted.current, wanted.new, address_of(request))
    except CredentialsError as wrong:
        # Not a 401: the session holds, and a screen that gets 401 sends its person to the login page.
        raise RejectedError(str(wrong)) from wrong
    return _goodbye(settings)


@router.delete("/sessions", summary="Sign me out everywhere", status_code=204)
async def end_sessions(parts: Parts, settings: Settings, caller: Person) -> Response:
    """Ends all my sessions, this one too."""
    await parts.accounts.end_sessions(caller.name)
    return _goodbye(settings)


def _goodbye(settings: Settings) -> Response:
    response = Response(status_code=204)
    response.headers["set-cookie"] = session_cookie("", secure=settings.secure_cookies, age_s=0)
    return response
