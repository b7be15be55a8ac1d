"""Users and API tokens; admins only."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from msgspec import Struct
from starlette.responses import Response

from api.asking import Parts, needs
from api.bodies import read_json
from api.description import body_of
from api.views import answer, token_view, user_view
from services.people.passwords import random_password
from services.people.permissions import Caller

router = APIRouter(prefix="/api/v1", tags=["people"])
UserAdmin = Annotated[Caller, Depends(needs("manage_users"))]
TokenAdmin = Annotated[Caller, Depends(needs("manage_tokens"))]


class NewUser(Struct, forbid_unknown_fields=True):
    """A person to add; without `password` one is made up and told once, in the answer."""

    name: str
    role: str
    password: str | None = None


class UserChange(Struct, forbid_unknown_fields=True):
    """What to change of a person; what is left out stays.

    `langs`: languages he reads; `capacity`: how many open conversations are given to him by themselves at most.
    """

    role: str | None = None
    disabled: bool | None = None
    password: str | None = None
    langs: list[str] | None = None
    capacity: int | None = None


class NewToken(Struct, forbid_unknown_fields=True):
    """A token to create; without `days` it does not end."""

    name: str
    role: str
    days: int | None = None


@router.get("/users", summary="Everybody")
async def users(parts: Parts, _caller: UserAdmin) -> Response:
    """By name, with their teams."""
    teams = await parts.teams.all()
    views = [
        {**user_view(u), "teams": [{"id": t.id, "name": t.name} for t in teams if u.name in t.members]}
        for u in await parts.accounts.users()
    ]
    return answer({"items": views, "next": None})


@router.post("/users", summary="Add a person", status_code=201, openapi_extra=body_of(NewUser))
async def add_user(request: Request, parts: Parts, caller: UserAdmin) -> Response:
    """409 when the name is taken."""
    wanted = await read_json(request, NewUser)
    password = wanted.password or random_password()
    async with parts.coverage.watched(caller.name):
        user = await parts.accounts.add(wanted.name, wanted.role, password, who=caller.name)
    return answer(user_view(user) if wanted.password else {**user_view(user), "password": password}, 201)


@router.patch("/users/{name}", summary="Change a person's role, access or password", openapi_extra=body_of(UserChange))
async def change_user(request: Request, parts: Parts, caller: UserAdmin, name: str) -> Response:
    """Another role holds from the next action on; a new password, and disabling, end the person's sessions."""
    wanted = await read_json(request, UserChange)
    async with parts.coverage.watched(caller.name):
        user = await parts.accounts.change(
            name,
            who=caller.name,
            role=wanted.role,
            disabled=wanted.disabled,
            password=wanted.password,
            langs=wanted.langs,
            capacity=wanted.capacity,
        )
    return answer(user_view(user))


@router.post("/users/{name}/password", summary="Give a person a new password")
async def reset_password(parts: Parts, caller: UserAdmin, name: str) -> Response:
    """The new password is in this answer and nowhere else; ends the person's sessions."""
    password = random_password()
    user = await parts.accounts.change(name, who=caller.name, password=password)
    return answer({**user_view(user), "password": password})


@router.get("/tokens", summary="All API tokens")
async def tokens(parts: Parts, _caller: TokenAdmin) -> Response:
    """Revoked ones too; never the secrets."""
    return answer({"items": [token_view(t) for t in await parts.tokens.tokens()], "next": None})


@router.post("/tokens", summary="Create an API token", status_code=201, openapi_extra=body_of(NewToken))
async def create_token(request: Request, parts: Parts, caller: TokenAdmin) -> Response:
    """The secret is in this answer and nowhere else."""
    wanted = await read_json(request, NewToken)
    secret, token = await parts.tokens.create(wanted.name, wanted.role, who=caller.name, days=wanted.days)
    return answer({**token_view(token), "secret": secret}, 201)


@router.delete("/tokens/{token_id}", summary="Revoke an API token")
async def revoke_token(parts: Parts, caller: TokenAdmin, token_id: str) -> Response:
    """Holds at once."""
    return answer(token_view(await parts.tokens.revoke(token_id, who=caller.name)))
