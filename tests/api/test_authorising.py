"""Authorising a channel over HTTP: a browser goes to the platform and comes back; the code is shown nowhere."""

from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from api.app import create_api
from api.gate import COOKIE
from connectors.contract.calling import RefusedError
from tests.services_layer.harbour import Deck, granted

BOUND = {"url": "https://weir.test/webhooks/harbour/pier", "settings": {"app_id": "1", "app_secret": "hush-app"}}
AUTHORISE = "/api/v1/bindings/harbour/pier/authorise"
PASSWORD = "correct horse battery"


class Clock:
    ms = 1_800_000_000_000

    def __call__(self):
        return self.ms


@pytest.fixture
async def deck(services, store):
    """The services of the API with what authorises: its own bindings, log and vault."""
    opened = Deck(store, Clock())
    opened.port.exchanges = granted(1, scopes=frozenset({"read", "write"}))
    services.bindings = opened.more_bindings()
    services.oauth = opened.more_runs()
    yield opened
    await opened.apis.close()


@pytest.fixture
async def browser(deck, app, services):
    """Somebody who logged in, by name."""
    assert services.oauth is not None, deck
    clients = []

    async def of(name="ann", role="admin"):
        await services.accounts.add(name, role, PASSWORD, who="test")
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        client = httpx.AsyncClient(transport=transport, base_url="http://weir.test")
        clients.append(client)
        answer = await client.post("/auth/login", json={"name": name, "password": PASSWORD})
        assert answer.status_code == 200
        return client

    yield of
    for client in clients:
        await client.aclose()


async def sent_off(client):
    await client.put("/api/v1/bindings/harbour/pier", json=BOUND)
    answer = await client.get(AUTHORISE)
    assert answer.status_code == 303
    return parse_qs(urlsplit(answer.headers["location"]).query)["state"][0]


async def test_an_admin_goes_to_the_platform_and_comes_back_to_the_channels(deck, browser):
    client = await browser()
    state = await sent_off(client)
    answer = await client.get("/oauth/callback", params={"state": state, "code": "hush-code"})
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        "/settings/channels?authorised=harbour%2Fpier",
    )
    assert answer.headers["cache-control"] == "no-store"
    assert deck.port.reply.redirect == "http://weir.test/oauth/callback"
    (view,) = (await client.get("/api/v1/bindings")).json()["items"]
    assert (view["scopes"], view["state"]["lacking"], view["state"]["oauth"]) == (["read", "write"], [], True)
    assert "access_token" in view["secrets"]
    assert "hush" not in (await client.get("/api/v1/bindings")).text


async def test_a_refusal_is_a_page_that_says_why_and_shows_no_code(deck, browser):
    client = await browser()
    deck.port.exchanges = RefusedError("<b>hush-code</b> & no")
    state = await sent_off(client)
    answer = await client.get("/oauth/callback", params={"state": state, "code": "hush-code"})
    assert (answer.status_code, answer.headers["content-type"]) == (400, "text/html; charset=utf-8")
    assert "did not authorise the channel" in answer.text
    assert "&lt;b&gt;" in answer.text
    for secret in ("hush", state):
        assert secret not in answer.text + str(answer.headers)


async def test_who_is_not_logged_in_any_more_is_told_so_without_the_code(browser, stranger):
    client = await browser()
    state = await sent_off(client)
    answer = await stranger.get("/oauth/callback", params={"state": state, "code": "hush-code"})
    assert answer.status_code == 400
    assert "log in" in answer.text
    assert "hush" not in answer.text + str(answer.headers)
    assert state not in answer.text + str(answer.headers)


async def test_another_persons_run_is_refused(deck, browser):
    state = await sent_off(await browser())
    other = await browser("bea")
    answer = await other.get("/oauth/callback", params={"state": state, "code": "hush-code"})
    assert (answer.status_code, deck.port.asked) == (400, [])
    assert "another session" in answer.text


async def test_tokens_and_lesser_roles_authorise_nothing(deck, browser, admin, stranger):
    del deck
    await admin.put("/api/v1/bindings/harbour/pier", json=BOUND)
    assert (await admin.get(AUTHORISE)).status_code == 403
    assert (await stranger.get(AUTHORISE)).status_code == 401
    client = await browser("bob", "supervisor")
    answer = await client.get(AUTHORISE)
    assert (answer.status_code, answer.json()["status"]) == (403, 403)
    page = await client.get(AUTHORISE, headers={"accept": "text/html"})
    assert (page.status_code, page.headers["content-type"]) == (403, "text/html; charset=utf-8")
    assert (await client.get("/oauth/callback", params={"state": "x"})).status_code == 403


async def test_an_unbound_channel_is_not_found(browser):
    client = await browser()
    assert (await client.get(AUTHORISE)).status_code == 404


async def test_a_process_that_asks_no_platforms_says_so(browser, services):
    client = await browser()
    services.oauth = None
    assert (await client.get(AUTHORISE)).status_code == 409
    assert (await client.get("/oauth/callback")).status_code == 409


async def test_behind_a_proxy_the_redirect_is_the_origin_that_people_use(deck, services, browser):
    from api.settings import WebSettings  # noqa: PLC0415 # only this test has settings of its own

    client = await browser()
    cookie = client.cookies[COOKIE]
    await client.put("/api/v1/bindings/harbour/pier", json=BOUND)
    for settings, origin in (
        (WebSettings(secure_cookies=True), "https://weir.test"),
        (WebSettings(origins=("https://weir.test",)), "https://weir.test"),
        (WebSettings(origins=("https://other.test",)), "http://weir.test"),
    ):
        transport = httpx.ASGITransport(create_api(services, settings), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://weir.test") as same:
            answer = await same.get(AUTHORISE, headers={"cookie": f"{COOKIE}={cookie}"})
        state = parse_qs(urlsplit(answer.headers["location"]).query)["state"][0]
        run = await deck.runs._run(await services.accounts.caller(cookie), state)
        assert run["redirect"] == f"{origin}/oauth/callback"


async def test_a_setting_is_taken_away_over_the_api(deck, browser):
    del deck
    client = await browser()
    noted = BOUND | {"settings": BOUND["settings"] | {"note": "mine"}}
    await client.put("/api/v1/bindings/harbour/pier", json=noted)
    taken = {"url": BOUND["url"], "unset": ["note"]}
    assert (await client.put("/api/v1/bindings/harbour/pier", json=taken)).status_code == 200
    (view,) = (await client.get("/api/v1/bindings")).json()["items"]
    assert (view["settings"], view["secrets"]) == (["app_id"], ["app_secret"])
    for name in ("app_id", "nothing"):
        answer = await client.put("/api/v1/bindings/harbour/pier", json={"url": BOUND["url"], "unset": [name]})
        assert answer.status_code == 422
        assert "note" in answer.json()["detail"]
