"""Mutes over the API: made, seen, lifted; refused with a reason."""

from __future__ import annotations

import pytest

from tests.api.test_monitor import asked

MUTES = "/api/v1/mutes"
WANTED = {"platform": "shopee", "kind": "loss", "minutes": 15, "reason": "platform maintenance"}


async def test_a_mute_is_made_listed_and_lifted(admin):
    made = await admin.post(MUTES, json=WANTED)
    assert made.status_code == 201
    mute = made.json()
    assert (mute["platform"], mute["account"], mute["kind"], mute["in_force"]) == ("shopee", None, "loss", True)
    assert mute["who"] == "token:test admin"
    assert (await admin.get(MUTES)).json()["items"] == [mute]
    lifted = await admin.delete(f"{MUTES}/{mute['id']}")
    assert lifted.status_code == 200
    assert not lifted.json()["in_force"]
    assert (await admin.get(MUTES)).json()["items"] == []
    assert [m["id"] for m in (await admin.get(MUTES, params={"past": True})).json()["items"]] == [mute["id"]]
    assert (await admin.delete(f"{MUTES}/{mute['id']}")).status_code == 409
    rows = (await admin.get("/api/v1/audit", params={"what": "mute."})).json()["items"]
    assert [row["what"] for row in rows] == ["mute.lifted", "mute.created"]


async def test_it_may_end_at_a_time(admin, gateway):
    until = gateway.now() + 3_600_000
    answer = await admin.post(MUTES, json={"kind": "delay", "until": until, "reason": "sale"})
    assert answer.status_code == 201
    again = await admin.post(MUTES, json={"kind": "delay", "until": answer.json()["until"], "reason": "sale"})
    assert again.json()["until"] == answer.json()["until"]


@pytest.mark.parametrize(
    ("change", "status", "why"),
    [
        ({"minutes": None}, 422, "either"),
        ({"until": 1}, 422, "either"),
        ({"minutes": 0}, 422, "minutes"),
        ({"minutes": 10_081}, 422, "minutes"),
        ({"minutes": 2**80}, 422, "minutes"),
        ({"minutes": None, "until": "yesterday"}, 422, "until"),
        ({"minutes": None, "until": "2026-01-01T00:00:00Z"}, 422, "later than now"),
        ({"minutes": None, "until": 2**60}, 422, "until"),
        ({"reason": ""}, 422, "reason"),
        ({"reason": None}, 422, "reason"),
        ({"kind": "everything"}, 422, "kind"),
        ({"kind": None, "platform": None}, 422, "nobody would hear"),
        ({"account": "x", "platform": None}, 422, "platform it is on"),
        ({"colour": "red"}, 422, "colour"),
    ],
)
async def test_bad_input_is_a_problem_that_says_why(admin, change, status, why):
    answer = await admin.post(MUTES, json=WANTED | change)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert why in answer.json()["detail"]
    assert (await admin.get(MUTES)).json()["items"] == []


async def test_who_may_mute_is_a_matter_of_role(as_role):
    for role, status in (("viewer", 403), ("finance", 403), ("agent", 403), ("supervisor", 201)):
        async with await as_role(role) as client:
            assert (await client.post(MUTES, json=WANTED)).status_code == status, role
            assert (await client.get(MUTES)).status_code == 200, role


async def test_an_unknown_mute_is_not_found(admin):
    answer = await admin.delete(f"{MUTES}/nothing")
    assert answer.status_code == 404
    assert (await admin.delete(f"{MUTES}/{'x' * 65}")).status_code == 422


async def test_what_is_muted_is_counted_and_told_again_when_the_mute_is_lifted(live_admin, message):
    answer = message(2, direction="out", message="a1")
    failed = {key: answer[key] for key in ("platform", "account", "conversation", "message")}
    failed |= {"type": "receipt", "status": "failed"}
    await live_admin.post("/api/v1/events", json=[message(1), answer, failed])
    await asked(live_admin, "/api/v1/monitor", lambda s: s["tiles"]["failed_out"]["value"] == 1)
    mute = (await live_admin.post(MUTES, json=WANTED | {"kind": "loss_outbound"})).json()
    shown = await asked(live_admin, "/api/v1/monitor", lambda s: s["channels"][0]["state"] == "silenced")
    assert shown["tiles"]["failed_out"] | {"oldest_at": 0} == {"value": 1, "muted": 1, "oldest_at": 0, "spark": []}
    assert [(m["id"], m["count"]) for m in shown["mutes"]] == [(mute["id"], 1)]
    (incident,) = [i for i in shown["incidents"] if i["guide"] == "loss_outbound"]
    assert incident["muted_by"] == mute["id"]
    detail = (await live_admin.get(f"/api/v1/incidents/{incident['id']}")).json()
    assert detail["incident"]["muted_by"] == mute["id"]
    await live_admin.delete(f"{MUTES}/{mute['id']}")
    await asked(live_admin, "/api/v1/monitor", lambda s: s["channels"][0]["state"] == "slow" and not s["mutes"])


async def test_the_hours_are_answered(live_admin):
    hours = (await live_admin.get("/api/v1/stats/hours", params={"platform": "shopee"})).json()
    assert len(hours["hours"]) == 24
    assert [len(row) for row in hours["cells"]] == [24] * len(hours["kinds"])
