"""The gate: strangers, other origins, safe headers; problem details for everything that goes wrong."""

import httpx
import pytest
import structlog

from api.gate import Gate
from api.settings import WebSettings

PROBLEM = "application/problem+json"


@pytest.fixture
async def person(app, services):
    """A browser with the session of an admin."""
    await services.accounts.add("ann", "admin", "correct horse battery", who="test")
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://weir.test") as client:
        answer = await client.post("/auth/login", json={"name": "ann", "password": "correct horse battery"})
        assert answer.status_code == 200
        yield client


async def test_a_stranger_is_asked_to_log_in(stranger):
    answer = await stranger.get("/api/v1/anomalies")
    assert answer.status_code == 401
    assert answer.headers["content-type"] == PROBLEM
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_strangers_browser_is_sent_to_the_login_page_and_back(stranger):
    answer = await stranger.get("/channels/a?range=1h")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?next=%2Fchannels%2Fa%3Frange%3D1h"


async def test_a_bad_token_is_refused_even_where_no_token_is_needed(stranger):
    answer = await stranger.get("/healthz", headers={"Authorization": "Bearer weir_wrong"})
    assert answer.status_code == 401


async def test_a_strangers_websocket_is_refused(app):
    sent = []
    scope = {"type": "websocket", "path": "/_nicegui_ws/socket.io/", "headers": [], "query_string": b""}

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message):
        sent.append(message)

    await app(scope | {"app": app}, receive, send)
    assert sent == [{"type": "websocket.close", "code": 4401}]


async def test_liveness_readiness_and_metrics_are_open(stranger):
    assert (await stranger.get("/healthz")).json() == {"status": "ok"}
    assert (await stranger.get("/readyz")).status_code == 200
    assert "weir_up" in (await stranger.get("/metrics")).text


async def test_what_keeps_weir_from_being_ready_is_said(stranger, services):
    services.ready = lambda: ["the engine has stopped"]
    answer = await stranger.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["reasons"] == ["the engine has stopped"]


async def test_every_answer_has_safe_headers(stranger):
    for path in ("/healthz", "/api/v1/me", "/nowhere"):
        headers = (await stranger.get(path)).headers
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-request-id"]
    assert headers["cache-control"] == "no-store"


async def test_a_session_acts_from_its_own_origin_only(person):
    path = "/api/v1/tokens"
    body = {"name": "t", "role": "viewer"}
    for origin, status in (("http://weir.test", 201), ("http://evil.test", 403), ("null", 403)):
        answer = await person.post(path, json=body, headers={"Origin": origin})
        assert answer.status_code == status, origin
    assert (await person.post(path, json=body, headers={"Sec-Fetch-Site": "cross-site"})).status_code == 403
    assert (await person.post(path, json=body)).status_code == 201


async def test_a_token_may_be_used_from_anywhere(admin):
    answer = await admin.post("/api/v1/events", json=[], headers={"Origin": "http://elsewhere.test"})
    assert answer.status_code == 202


async def test_the_cookie_is_out_of_scripts_reach(stranger, services):
    await services.accounts.add("bob", "agent", "correct horse battery", who="test")
    answer = await stranger.post("/auth/login", json={"name": "bob", "password": "correct horse battery"})
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert answer.json()["role"] == "agent"


async def test_logging_in_by_form_leads_where_one_was_going(stranger, services):
    await services.accounts.add("bob", "agent", "correct horse battery", who="test")
    form = {"name": "bob", "password": "correct horse battery"}
    elsewhere = [(bad, "/inbox") for bad in ("//evil.test", "https://evil.test")]  # an agent's home
    for wanted, place in (("/thresholds?a=1", "/thresholds?a=1"), *elsewhere):
        answer = await stranger.post("/auth/login", data=form | {"next": wanted})
        assert (answer.status_code, answer.headers["location"]) == (303, place)
    answer = await stranger.post("/auth/login", data=form | {"password": "wrong"})
    assert answer.headers["location"].startswith("/login?error=credentials")


async def test_after_logging_out_the_session_is_worth_nothing(person):
    cookie = person.cookies["weir_sid"]
    assert (await person.get("/api/v1/me")).json()["name"] == "ann"
    assert (await person.post("/auth/logout")).status_code == 204
    person.cookies.clear()
    answer = await person.get("/api/v1/me", headers={"Cookie": f"weir_sid={cookie}"})
    assert answer.status_code == 401


async def test_logging_in_again_gives_a_new_session_and_ends_the_old(person):
    old = person.cookies["weir_sid"]
    await person.post("/auth/login", json={"name": "ann", "password": "correct horse battery"})
    assert person.cookies["weir_sid"] != old
    person.cookies.clear()
    assert (await person.get("/api/v1/me", headers={"Cookie": f"weir_sid={old}"})).status_code == 401


async def test_guessing_a_password_is_slowed_down(stranger, services):
    await services.accounts.add("bob", "agent", "correct horse battery", who="test")
    for _ in range(5):
        answer = await stranger.post("/auth/login", json={"name": "bob", "password": "guess"})
        assert answer.status_code == 401
    answer = await stranger.post("/auth/login", json={"name": "bob", "password": "correct horse battery"})
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/nothing", 404),
        ("GET", "/api/", 404),
        ("PATCH", "/api/v1/anomalies", 405),
        ("DELETE", "/healthz", 405),
        ("GET", "/api/v1/anomalies?limit=501", 422),
        ("GET", "/api/v1/anomalies?limit=0", 422),
        ("GET", "/api/v1/anomalies?limit=many", 422),
        ("GET", "/api/v1/anomalies?kind=nonsense", 422),
        ("GET", "/api/v1/anomalies?since=yesterday", 422),
        ("GET", "/api/v1/anomalies?since=2026-11-22T00:00:00", 422),
        ("GET", "/api/v1/anomalies?cursor=nonsense", 422),
        ("GET", "/api/v1/anomalies/none", 404),
        ("GET", "/api/v1/conversations/a/b/c", 404),
        ("GET", "/api/v1/conversations/a", 404),
        ("POST", "/api/v1/users", 422),
        ("PUT", "/api/v1/settings/thresholds", 422),
    ],
)
async def test_every_error_is_a_problem_detail(admin, method, path, status):
    answer = await admin.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == PROBLEM
    told = answer.json()
    assert told["status"] == status
    assert told["title"]
    assert told["detail"]


async def test_a_fault_of_our_own_is_a_problem_without_stack(admin, services):
    def broken():
        raise ZeroDivisionError("secret")

    services.ready = broken
    answer = await admin.get("/readyz")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == PROBLEM
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    assert answer.headers["x-request-id"]
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(("heard", "lines"), [("http.disconnect", []), ("http.request", ["unexpected error"])])
async def test_a_page_that_broke_off_since_its_reader_left_is_no_fault(services, heard, lines):
    async def page(_scope, receive, _send):
        await receive()
        raise RuntimeError("No response returned.")

    async def receive():
        return {"type": heard}

    async def send(message):
        sent.append(message)

    sent = []
    scope = {"type": "http", "method": "GET", "path": "/login", "headers": [], "query_string": b""}
    with structlog.testing.capture_logs() as logged:
        await Gate(page, services.accounts, services.tokens, WebSettings())(scope, receive, send)
    assert [line["event"] for line in logged] == lines
    assert [message["status"] for message in sent if "status" in message] == [500] * len(lines)


async def test_a_wrong_method_names_the_right_ones(admin):
    assert (await admin.request("PATCH", "/api/v1/anomalies")).headers["allow"] == "GET"


async def test_the_api_describes_itself(stranger):
    told = (await stranger.get("/api/openapi.json")).json()
    assert told["paths"]["/api/v1/events"]["post"]["requestBody"]["content"].keys() == {
        "application/json",
        "application/x-ndjson",
    }
    assert {"/api/v1/anomalies", "/api/v1/conversations", "/api/v1/settings/thresholds"} <= told["paths"].keys()
