"""The parent app: routes, errors as problem details, and the gate in front. The screens mount into it."""

from collections.abc import Sequence

from fastapi import APIRouter, FastAPI, Request
from starlette.responses import Response
from starlette.routing import Match

from api.admission import Admission
from api.description import describe_security
from api.gate import Gate
from api.problems import Problem, register
from api.routes import ROUTES
from api.settings import WebSettings
from services.parts import Services

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
DESCRIPTION = "Tell Weir what happens on your channels; ask it what went wrong and what was done about it."


def create_api(
    services: Services, settings: WebSettings | None = None, routes: Sequence[APIRouter] = ROUTES
) -> FastAPI:
    """The HTTP side of Weir, ready to be served; the gate covers whatever is mounted into it later.

    A process that has only some of the services serves only some of the routes.
    """
    settings = settings or WebSettings()
    app = FastAPI(
        title="Weir",
        description=DESCRIPTION,
        version=settings.version,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.services = services
    app.state.settings = settings
    app.state.admission = Admission(settings)
    for router in routes:
        app.include_router(router)
    app.add_api_route("/api/{path:path}", nothing_here, methods=METHODS, include_in_schema=False)
    register(app)
    describe_security(app)
    app.add_middleware(
        Gate,
        accounts=services.accounts,
        tokens=services.tokens,
        settings=settings,
        observe=services.observe_response,
    )
    return app


async def nothing_here(request: Request) -> Response:
    """What no route serves: without this the screens' catch-all would answer with a web page."""
    allowed: set[str] = set()
    for route in (route for router in ROUTES for route in router.routes):
        match, _ = route.matches(request.scope)
        if match is Match.PARTIAL:
            allowed |= set(getattr(route, "methods", None) or ())
    if allowed:
        raise Problem(405, "Method Not Allowed", headers={"Allow": ", ".join(sorted(allowed))})
    raise Problem(404, "Not Found")
