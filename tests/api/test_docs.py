"""docs/api.md and the routes tell the same story."""

import re
from pathlib import Path

from fastapi.routing import APIRoute

from api.routes import ROUTES, anomalies, auth, conversations, events, health, mutes, people, records, thresholds
from services.people.permissions import ROLES

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")


def test_every_route_is_on_the_page():
    missing = []
    for route in (route for router in ROUTES for route in router.routes):
        last = re.sub(r"[{}]|:path", "", route.path).rstrip("/").split("/")[-1]
        if last not in TEXT:
            missing.append(route.path)
    assert missing == []


def test_every_module_of_routes_is_in_the_list():
    modules = {path.stem for path in (ROOT / "api" / "routes").glob("*.py")} - {"__init__"}
    listed = (ROOT / "api" / "routes" / "__init__.py").read_text(encoding="utf-8")
    assert {module for module in modules if f"{module}.router" not in listed} == set()
    ours = (anomalies, auth, conversations, events, health, mutes, people, records, thresholds)
    assert all(module.router in ROUTES for module in ours)


def test_every_role_is_on_the_page():
    assert all(role in TEXT for role in ROLES)


async def test_every_route_needs_a_caller_but_the_open_ones(stranger):
    closed = 0
    for route in (route for router in ROUTES for route in router.routes):
        if not route.path.startswith("/api/") or not isinstance(route, APIRoute):
            continue  # sockets have tests of their own
        path = re.sub(r"\{[^}]*\}", "x", route.path)
        for method in route.methods:
            assert (await stranger.request(method, path)).status_code == 401, (method, path)
            closed += 1
    assert closed > 30


async def test_every_answer_a_viewer_must_not_have_is_forbidden(as_role):
    denied = (
        ("POST", "/api/v1/events"),
        ("POST", "/api/v1/anomalies/x/acknowledge"),
        ("POST", "/api/v1/anomalies/x/resolve"),
        ("POST", "/api/v1/anomalies/x/resync"),
        ("PUT", "/api/v1/settings/thresholds"),
        ("POST", "/api/v1/settings/thresholds/preview"),
        ("POST", "/api/v1/settings/thresholds/1/activate"),
        ("GET", "/api/v1/users"),
        ("POST", "/api/v1/users"),
        ("PATCH", "/api/v1/users/x"),
        ("GET", "/api/v1/tokens"),
        ("POST", "/api/v1/tokens"),
        ("DELETE", "/api/v1/tokens/x"),
        ("POST", "/api/v1/mutes"),
        ("DELETE", "/api/v1/mutes/x"),
        ("GET", "/api/v1/audit"),
        ("GET", "/api/v1/dead-letters"),
        ("POST", "/api/v1/dead-letters/x/resolve"),
    )
    async with await as_role("viewer") as client:
        for method, path in denied:
            answer = await client.request(method, path)
            assert answer.status_code == 403, (method, path)
            assert "viewer" in answer.json()["detail"]


async def test_the_description_is_whole(stranger):
    told = (await stranger.get("/api/openapi.json")).json()
    assert told["openapi"].startswith("3.")
    assert {"token", "session"} == told["components"]["securitySchemes"].keys()
    for path, methods in told["paths"].items():
        for method, operation in methods.items():
            wanted = set(re.findall(r"\{([^}]*)\}", path))
            named = {item["name"] for item in operation.get("parameters", ()) if item["in"] == "path"}
            assert named == wanted, (method, path)
            assert operation["summary"]
    change = told["paths"]["/api/v1/settings/thresholds"]["put"]["requestBody"]["content"]["application/json"]
    assert {"set", "overrides", "version", "note", "draft"} == change["schema"]["properties"].keys()
    assert "$ref" not in str(change)
