"""Channels bound over the API: by admins alone, at once in force, and no value of a setting ever told again."""

from __future__ import annotations

import pytest

from connectors.registry import CONNECTORS

BINDINGS = "/api/v1/bindings"
WANTED = {"url": "https://weir.test/webhooks/letters/shop%2F1", "settings": {"secret": "s3cret of the shop"}}


async def test_a_channel_is_bound_listed_changed_and_forgotten(admin, stranger):
    made = await admin.put(f"{BINDINGS}/letters/shop%2F1", json=WANTED)
    assert made.status_code == 200
    assert made.json() == {"platform": "letters", "account": "shop/1", "url": WANTED["url"]}
    (view,) = (await admin.get(BINDINGS)).json()["items"]
    assert (view["platform"], view["account"], view["secrets"], view["trouble"]) == (
        "letters",
        "shop/1",
        ["secret"],
        None,
    )
    assert view["created_by"] == "token:test admin"
    moved = await admin.put(f"{BINDINGS}/letters/shop%2F1", json={"url": "https://other.test/x"})
    assert moved.status_code == 200
    (view,) = (await admin.get(BINDINGS)).json()["items"]
    assert (view["url"], view["secrets"]) == ("https://other.test/x", ["secret"])
    assert (await stranger.post("/webhooks/letters/shop%2F1")).status_code == 401
    assert (await admin.delete(f"{BINDINGS}/letters/shop%2F1")).status_code == 204
    assert (await stranger.post("/webhooks/letters/shop%2F1")).status_code == 404
    assert (await admin.delete(f"{BINDINGS}/letters/shop%2F1")).status_code == 404
    whats = [row["what"] for row in (await admin.get("/api/v1/audit", params={"what": "channel."})).json()["items"]]
    assert whats == ["channel.unbound", "channel.changed", "channel.bound"]


async def test_no_secret_is_in_any_answer(admin):
    await admin.put(f"{BINDINGS}/letters/shop", json=WANTED)
    for path in (BINDINGS, "/api/v1/platforms", "/api/v1/audit"):
        assert "s3cret" not in (await admin.get(path)).text


@pytest.mark.parametrize(
    ("path", "body", "why"),
    [
        ("letters/shop", {"url": "https://weir.test/x", "settings": {}}, "secret"),
        ("letters/shop", {"url": "https://weir.test/x", "settings": {"secret": ""}}, "secret"),
        ("letters/shop", {"url": "https://weir.test/x", "settings": {"secret": "a", "sekret": "b"}}, "sekret"),
        ("letters/shop", {"url": "ftp://weir.test", "settings": {"secret": "a"}}, "url"),
        ("letters/shop", {"settings": {"secret": "a"}}, "url"),
        ("pigeons/shop", {"url": "https://weir.test/x", "settings": {"secret": "a"}}, "pigeons"),
    ],
)
async def test_a_wrong_binding_is_refused_with_the_reason(admin, path, body, why):
    answer = await admin.put(f"{BINDINGS}/{path}", json=body)
    assert answer.status_code == 422
    assert why in answer.json()["detail"]
    assert (await admin.get(BINDINGS)).json()["items"] == []


@pytest.mark.parametrize("role", ["supervisor", "agent", "finance", "viewer"])
async def test_admins_alone_bind_channels(as_role, role):
    async with await as_role(role) as client:
        assert (await client.get(BINDINGS)).status_code == 403
        assert (await client.get("/api/v1/platforms")).status_code == 403
        assert (await client.put(f"{BINDINGS}/letters/shop", json=WANTED)).status_code == 403
        assert (await client.delete(f"{BINDINGS}/letters/shop")).status_code == 403


async def test_every_platform_says_what_it_wants(admin):
    items = (await admin.get("/api/v1/platforms")).json()["items"]
    assert [item["platform"] for item in items] == [connector.platform for connector in CONNECTORS]
    assert all(setting["about"] for item in items for setting in item["settings"])
