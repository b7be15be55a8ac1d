"""Teams, and which channels nobody or too many can answer."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from msgspec import Struct, to_builtins
from starlette.responses import Response

from api.asking import Parts, needs
from api.bodies import read_json
from api.description import body_of
from api.views import answer, team_view
from services.inbox.teams import TeamWish
from services.people.permissions import Caller

router = APIRouter(prefix="/api/v1", tags=["people"])
Reader = Annotated[Caller, Depends(needs("view_messages"))]
Watcher = Annotated[Caller, Depends(needs("view_coverage"))]
Manager = Annotated[Caller, Depends(needs("manage_teams"))]
TeamId = Annotated[str, Path(max_length=64)]
MOST_BODY = 1024 * 1024


class NewTeam(Struct, forbid_unknown_fields=True):
    """`members`: names of users. `channels`: `platform/account`, or `platform/*` for all accounts of one.

    `routing`: conversations that nobody has are given to members who are there, by themselves.
    """

    name: str
    members: list[str] = []
    channels: list[str] = []
    routing: bool = False


class TeamChange(Struct, forbid_unknown_fields=True):
    """What is to change; what is left out stays. `version`: that of the team that was looked at."""

    name: str | None = None
    members: list[str] | None = None
    channels: list[str] | None = None
    routing: bool | None = None
    version: int | None = None


@router.get("/teams", summary="Every team")
async def teams(parts: Parts, _caller: Reader) -> Response:
    """By name."""
    return answer({"items": [team_view(team) for team in await parts.teams.all()], "next": None})


@router.post("/teams", summary="Make a team", status_code=201, openapi_extra=body_of(NewTeam))
async def add(request: Request, parts: Parts, caller: Manager) -> Response:
    """409 when the name is taken."""
    wanted = await read_json(request, NewTeam, MOST_BODY)
    wish = TeamWish(name=wanted.name, members=wanted.members, channels=wanted.channels, routing=wanted.routing)
    return answer(team_view(await parts.teams.add(caller, wish)), 201)


@router.put("/teams/{team_id}", summary="Change a team", openapi_extra=body_of(TeamChange))
async def change(request: Request, parts: Parts, caller: Manager, team_id: TeamId) -> Response:
    """Holds from everybody's next action on. 409 when somebody changed it since `version`."""
    wanted = await read_json(request, TeamChange, MOST_BODY)
    wish = TeamWish(name=wanted.name, members=wanted.members, channels=wanted.channels, routing=wanted.routing)
    return answer(team_view(await parts.teams.change(caller, team_id, wish, version=wanted.version)))


@router.delete("/teams/{team_id}", summary="Delete a team", status_code=204)
async def delete(parts: Parts, caller: Manager, team_id: TeamId) -> Response:
    """What it had is everybody's then, until another team has it."""
    await parts.teams.delete(caller, team_id)
    return Response(status_code=204)


@router.get("/coverage", summary="Channels that nobody, or too many, can answer")
async def coverage(parts: Parts, _caller: Watcher) -> Response:
    """`kind`: `nobody`, `several` (teams), or `no_team`; `people`: how many may answer; the worst first.

    `channels`: who answers each, whether something is wrong with it or not.
    """
    gaps, channels = await parts.coverage.whole()
    return answer({"items": to_builtins(gaps), "channels": to_builtins(channels)})
