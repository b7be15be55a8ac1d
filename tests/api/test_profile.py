"""One's own account over HTTP, passwords that are made up, and what is kept of tokens and dead letters."""

import httpx
import pytest

from actors.events import Auth
from services.masking import MASK
from storage.records import Batch, DeadLetter, PartitionMark
from streams.frames import encode_entry

PASSWORD = "correct horse battery"
FRESH = "a quite different one"


@pytest.fixture
async def person(app, services):
    """A browser in which `Sam Wu`, an agent, has logged in."""
    await services.accounts.add("Sam Wu", "agent", PASSWORD, who="test")
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://weir.test") as client:
        await client.post("/auth/login", json={"name": "Sam Wu", "password": PASSWORD})
        yield client


async def test_a_person_chooses_language_and_theme(person, services):
    answer = await person.patch("/api/v1/me", json={"lang": "zh", "theme": "dark"})
    assert (answer.status_code, answer.json()["lang"], answer.json()["theme"]) == (200, "zh", "dark")
    assert (await services.store.user("Sam Wu")).theme == "dark"


async def test_a_language_that_is_none_is_refused(person):
    answer = await person.patch("/api/v1/me", json={"lang": "tlh"})
    assert answer.status_code == 422
    assert "one of en, zh" in answer.json()["detail"]


async def test_a_changed_password_ends_every_session_and_the_new_one_works(person, stranger):
    answer = await person.post("/api/v1/me/password", json={"current": PASSWORD, "new": FRESH})
    assert answer.status_code == 204
    assert (await person.get("/api/v1/me")).status_code == 401
    login = await stranger.post("/auth/login", json={"name": "Sam Wu", "password": FRESH})
    assert login.status_code == 200


async def test_a_wrong_current_password_changes_nothing_and_is_counted(person):
    wanted = {"current": "not this one", "new": FRESH}
    answers = [(await person.post("/api/v1/me/password", json=wanted)).status_code for _ in range(30)]
    assert answers[0] == 422
    assert answers[-1] == 429
    assert (await person.get("/api/v1/me")).status_code == 200


async def test_signing_out_everywhere_ends_other_browsers_too(person, app):
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://weir.test") as other:
        await other.post("/auth/login", json={"name": "Sam Wu", "password": PASSWORD})
        assert (await person.delete("/api/v1/me/sessions")).status_code == 204
        assert (await other.get("/api/v1/me")).status_code == 401


async def test_a_token_has_no_profile(admin):
    for method, path in (("PATCH", ""), ("POST", "/password"), ("DELETE", "/sessions")):
        answer = await admin.request(method, f"/api/v1/me{path}", json={"current": "x", "new": "y"})
        assert answer.status_code == 403


async def test_a_password_made_up_is_told_once_and_works(admin, stranger):
    made = (await admin.post("/api/v1/users", json={"name": "Nia", "role": "viewer"})).json()
    assert (await stranger.post("/auth/login", json={"name": "Nia", "password": made["password"]})).status_code == 200
    assert "password" not in (await admin.get("/api/v1/users")).json()["items"][0]
    fresh = (await admin.post("/api/v1/users/Nia/password")).json()["password"]
    assert fresh != made["password"]
    old = await stranger.post("/auth/login", json={"name": "Nia", "password": made["password"]})
    assert old.status_code == 401
    assert made["password"] not in (await admin.get("/api/v1/audit")).text


async def test_the_last_use_of_a_token_is_kept_and_revoking_stays(admin, services):
    await admin.get("/api/v1/me")
    token = (await admin.get("/api/v1/tokens")).json()["items"][0]
    assert token["last_used_at"] is not None
    await admin.delete(f"/api/v1/tokens/{token['id']}")
    stored = next(one for one in await services.store.tokens() if one.id == token["id"])
    assert stored.revoked_at is not None
    await services.store.token_used(stored.digest, 1)
    assert (await services.store.token(stored.digest)).revoked_at == stored.revoked_at


async def test_the_log_of_changes_is_narrowed_by_person_and_sort(admin):
    await admin.post("/api/v1/users", json={"name": "Nia", "role": "viewer"})
    await admin.put("/api/v1/settings/thresholds", json={"set": ["delay.threshold_s=40"]})
    whats = [row["what"] for row in (await admin.get("/api/v1/audit?what=user.")).json()["items"]]
    assert whats == ["user.added"]
    assert (await admin.get("/api/v1/audit?who=nobody")).json()["items"] == []
    mine = (await admin.get("/api/v1/audit", params={"who": "token:test admin", "what": "thresholds"})).json()["items"]
    assert [row["after"] for row in mine] == [{"delay.threshold_s": 40}]


async def test_only_an_admin_changes_thresholds(as_role):
    async with await as_role("supervisor") as supervisor:
        answer = await supervisor.put("/api/v1/settings/thresholds", json={"set": ["delay.threshold_s=40"]})
    assert answer.status_code == 403


@pytest.fixture
def letter(store):
    """Keeps a dead letter with these bytes; returns its id."""

    async def keep(raw):
        found = DeadLetter(partition=0, offset=7, index=0, at=1, reason="why", raw=raw)
        await store.save(Batch(mark=PartitionMark(partition=0, applied=7, version=1), dead_letters=[found]))
        return "0-7-0"

    return keep


async def test_what_a_dead_letter_holds_is_masked(admin, letter):
    await letter(b'{"text": "Anna", "sender": {"name": "Bo"}, "note_id": "call +65 9123 4567"}')
    raw = (await admin.get("/api/v1/dead-letters")).json()["items"][0]["raw"]
    assert "Anna" not in raw
    assert "9123" not in raw
    assert raw.count(MASK) == 3


async def test_a_dead_letter_tried_again_is_in_the_log_and_dealt_with(admin, letter, logged):

    entry = Auth(platform="shopee", account="sg-1", at=5, status="ok")
    number = await letter(encode_entry(entry))
    answer = await admin.post(f"/api/v1/dead-letters/{number}/retry")
    assert answer.status_code == 200
    assert answer.json()["resolved_at"] is not None
    assert await logged() == [entry]
    assert (await admin.post(f"/api/v1/dead-letters/{number}/retry")).status_code == 409


async def test_a_dead_letter_that_is_no_entry_cannot_be_tried_again(admin, letter, logged):
    number = await letter(b"\xff\x00")
    answer = await admin.post(f"/api/v1/dead-letters/{number}/retry")
    assert answer.status_code == 409
    assert "still cannot be read" in answer.json()["detail"]
    assert await logged() == []
