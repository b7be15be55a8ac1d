"""The monitor's calls on a Weir at work: the snapshot, the dashboard's numbers, incidents and acting on them."""

from __future__ import annotations

import asyncio

import pytest


async def asked(client, path, wanted, seconds=10):
    """Ask until the answer is as wanted: what is on the way is on the screen in a moment."""
    async with asyncio.timeout(seconds):
        while True:
            response = await client.get(path)
            assert response.status_code == 200, response.text
            if wanted(response.json()):
                return response.json()
            await asyncio.sleep(0.05)


@pytest.fixture
async def refused(live_admin, message):
    """A channel with one good message and one answer that the platform refused."""
    answer = message(2, direction="out", message="a1")
    receipt = {key: answer[key] for key in ("platform", "account", "conversation", "message")}
    failed = receipt | {"type": "receipt", "status": "failed", "error": {"code": "10009", "reason": "too long"}}
    sent = await live_admin.post("/api/v1/events", json=[message(1), answer, failed])
    assert sent.status_code == 202
    snapshot = await asked(live_admin, "/api/v1/monitor", lambda s: s["tiles"]["failed_out"]["value"] == 1)
    (incident,) = [i for i in snapshot["incidents"] if i["guide"] == "loss_outbound"]
    return incident


async def test_the_snapshot_shows_what_came_in_and_that_somebody_looks(live_admin, refused):
    assert refused["status"] == "open"
    assert refused["evidence"]["code"] == "10009"
    snapshot = await asked(live_admin, "/api/v1/monitor", lambda s: s["channels"])
    assert snapshot["state"] == "live"
    assert {beat["part"] for beat in snapshot["monitor"]["heartbeats"] if beat["ok"]} >= {"engine", "persister"}
    (channel,) = snapshot["channels"]
    assert (channel["key"], channel["out_fail"]) == ("shopee/shop-1", 1)
    assert snapshot["ledger"]["accepted"] == 3
    assert snapshot["ledger"]["balanced"]


@pytest.mark.usefixtures("refused")
async def test_ranges_and_filters_are_answered_and_unknown_ones_refused(live_admin):
    for range_ in ("15m", "1h", "6h", "24h"):
        other = await live_admin.get("/api/v1/monitor", params={"range": range_, "platform": "ebay"})
        assert other.status_code == 200
        assert other.json()["channels"] == []
    assert (await live_admin.get("/api/v1/monitor?range=1y")).status_code == 422


async def test_an_incident_opens_with_samples_impact_and_what_to_do(live_admin, refused):
    detail = (await live_admin.get(f"/api/v1/incidents/{refused['id']}")).json()
    assert detail["incident"]["id"] == refused["id"]
    assert [a["message"] for a in detail["anomalies"]] == ["a1"]
    assert [a["action"] for a in detail["actions"]] == ["resend", "check_binding"]
    assert detail["impact"]["messages"] == 1
    listed = (await live_admin.get("/api/v1/incidents")).json()["items"]
    assert refused["id"] in [i["id"] for i in listed]


async def test_resolving_an_incident_resolves_its_anomalies_and_is_audited(live_admin, refused):
    path = f"/api/v1/incidents/{refused['id']}"
    assert (await live_admin.post(f"{path}/acknowledge")).json()["incident"]["status"] == "acknowledged"
    done = await live_admin.post(f"{path}/resolve", json={"cause": "sent by hand"})
    assert (done.status_code, done.json()["changed"]) == (200, 1)
    await asked(live_admin, "/api/v1/monitor", lambda s: s["tiles"]["failed_out"]["value"] == 0)
    (anomaly,) = (await live_admin.get("/api/v1/anomalies?kind=loss")).json()["items"]
    assert (anomaly["status"], anomaly["resolution"]) == ("resolved", "manual")
    audit = (await live_admin.get("/api/v1/audit")).json()["items"]
    assert {"incident.acknowledged", "incident.resolved"} <= {row["what"] for row in audit}


async def test_an_incident_nobody_knows_is_not_found(live_admin):
    for call in (live_admin.get("/api/v1/incidents/0"), live_admin.post("/api/v1/incidents/0/resolve")):
        assert (await call).status_code == 404


async def test_a_viewer_may_look_but_not_act(live, live_admin, refused):
    secret, _ = await live.tokens.create("viewer", "viewer", who="test")
    as_viewer = {"Authorization": f"Bearer {secret}"}
    assert (await live_admin.get("/api/v1/monitor", headers=as_viewer)).status_code == 200
    path = f"/api/v1/incidents/{refused['id']}/resolve"
    assert (await live_admin.post(path, headers=as_viewer)).status_code == 403


@pytest.mark.usefixtures("refused")
async def test_the_dashboards_numbers_are_those_of_the_lists(live_admin):
    stats = (await live_admin.get("/api/v1/stats")).json()
    listed = (await live_admin.get("/api/v1/anomalies?limit=500")).json()["items"]
    assert stats["anomalies"]["total"] == len(listed)
    assert stats["rate"]["messages"] == 2
    assert stats["ledger"]["accepted"] == 3
    assert (await live_admin.get("/api/v1/stats?since=tomorrow")).status_code == 422
    assert (await live_admin.get("/api/v1/stats?platform=ebay")).json()["rate"]["messages"] == 0
