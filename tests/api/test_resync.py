"""Re-syncs by hand over HTTP, on a Weir at work: real store, real log, real engine."""

from __future__ import annotations

import asyncio

import pytest

from actors.events import Checkpoint
from connectors.contract.calling import DeniedError, UnreachableError
from connectors.contract.connector import Binding, Capabilities
from services.anomalies import Anomalies
from services.arrivals.arrivals import Arrivals
from services.channels.platform_api import Apis
from services.sweeps.reconciling import Reconciler
from services.sweeps.resyncs import Resyncs, window_of
from storage.channel_records import SweepRow
from streams.coordination.locks import LocalLocks
from streams.coordination.rate_limits import LocalRateLimits
from tests.api.test_operators import ANOMALIES, until
from tests.services_layer.bazaar import DAY, HOUR, MINUTE, Bazaar

SWEEPS = "/api/v1/sweeps"
NO_CHANGES = {"edited": 0, "recalled": 0}


@pytest.fixture
def shop():
    return Bazaar(Binding(account="shop/1", url="https://weir.test", settings={}))


@pytest.fixture
async def resyncs(live, shop):
    """What asks the platform, in the Weir at work."""

    async def find(platform, account):
        return shop if (platform, account) == ("bazaar", "shop/1") else None

    apis = Apis(LocalRateLimits(), live.gateway.now)
    made = Resyncs(
        store=live.store,
        find=find,
        reconciler=Reconciler(live.store, Arrivals(live.gateway, live.store)),
        apis=apis,
        locks=LocalLocks(),
        reader=live.gateway,
        now=live.gateway.now,
        answer_s=5,
    )
    live.services.anomalies = Anomalies(live.store, live.gateway, (made,))
    live.services.resyncs = made
    yield made
    await made.close()
    await apis.close()


@pytest.fixture
def asking(live_admin, resyncs):  # noqa: ARG001 # the Weir that is asked has it
    """An admin's client of a Weir that asks platforms."""
    return live_admin


@pytest.fixture
async def lost(live, live_admin, shop):
    """An open loss: the platform names what Weir never saw, and has more than that."""
    now = live.gateway.now()
    shop.shelf = [shop.message(number, now - number * MINUTE) for number in (1, 2, 3)]
    arrivals = Arrivals(live.gateway, live.store)
    await arrivals.take(shop, shop.shelf[:1])
    check = Checkpoint(
        platform="bazaar",
        account="shop/1",
        conversation="c1",
        start=now - 3 * MINUTE,
        end=now,
        count=1,
        messages=["m3"],
        at=now - HOUR,
        found_by="sweep",
    )
    await arrivals.take(shop, [check])
    await live.runtime.settled()
    (item,) = (await live_admin.get(ANOMALIES, params={"kind": "loss"})).json()["items"]
    assert item["status"] == "open"
    return item


async def audited(client, **where):
    return (await client.get("/api/v1/audit", params=where)).json()["items"]


async def test_a_resync_brings_back_what_is_missing_and_counts_before_and_after(asking, shop, lost):
    answer = await asking.post(f"{ANOMALIES}/{lost['id']}/resync")
    assert answer.status_code == 202
    told = answer.json()
    assert told["id"] == lost["id"]
    counts = {name: value for name, value in told["resync"].items() if name not in ("since", "until")}
    assert counts == {"state": "done", "checked": 3, "new": 2, "duplicate": 1, "before": 1, "after": 3, **NO_CHANGES}
    assert [window.conversation for window in shop.asked] == ["c1"]

    async def closed():
        return (await asking.get(f"{ANOMALIES}/{lost['id']}")).json()["status"] == "resolved"

    assert await until(closed)
    stored = (await asking.get(f"{ANOMALIES}/{lost['id']}")).json()
    assert (stored["resolution"], "resync" in stored) == ("resynced", False)
    (row,) = await audited(asking, subject=f"anomaly {lost['id']}")
    assert (row["what"], row["who"], row["before"]["held"]) == ("anomaly.resync", "token:test", 1)
    assert (row["after"]["state"], row["after"]["held"], row["after"]["checked"]) == ("done", 3, 3)


async def lines(client, key="bazaar%2Fshop%252F1%2Fc1"):
    thread = (await client.get(f"/api/v1/conversations/{key}/thread")).json()
    return [(one["who"], one["after"]) for one in thread["items"] if one.get("what") == "conversation.resynced"]


async def test_a_resync_leaves_a_line_in_the_thread_that_says_who_asked_and_what_was_found(
    live, asking, resyncs, shop, lost
):
    told = []

    async def tell(key, what, who, at):
        told.append((key, what, who, at > 0))

    resyncs._lines._tell = tell
    for trouble in (None, None, DeniedError("the token ran out")):
        shop.failing = trouble
        await asking.post(f"{ANOMALIES}/{lost['id']}/resync")
        await live.runtime.settled()
    key = "bazaar/shop%2F1/c1"
    assert told == [(key, "resynced", "token:test", True)] * 3
    thread = [line for line in await lines(asking) if line[0] == "token:test"]
    assert thread == [
        ("token:test", {"checked": 3, "new": 2, "duplicate": 1, **NO_CHANGES}),
        ("token:test", {"checked": 3, "new": 0, "duplicate": 3, **NO_CHANGES}),
        ("token:test", {"failed": "the token ran out"}),
    ]


@pytest.mark.usefixtures("lost")
async def test_a_resync_of_a_channel_leaves_lines_where_something_was_missing_and_nowhere_else(live, asking, shop):
    now = live.gateway.now()
    quiet, other = (shop.message(number, now - 2 * MINUTE, conversation=f"c{number}") for number in (8, 9))
    shop.shelf += [quiet, other]
    await Arrivals(live.gateway, live.store).take(shop, [quiet])
    await live.runtime.settled()
    body = {"since": now - 2 * HOUR, "until": now}
    assert (await asking.post(f"{SWEEPS}/bazaar/shop%2F1", json=body)).status_code == 202
    await live.runtime.settled()
    found = {n: await lines(asking, f"bazaar%2Fshop%252F1%2Fc{n}") for n in (1, 8, 9)}
    assert [after["new"] for _, after in found[1]] == [2]
    assert [after["new"] for _, after in found[9]] == [1]
    assert found[8] == []


async def test_a_count_that_agrees_closes_what_was_out_of_step(live, asking, shop):
    now = live.gateway.now()
    arrivals = Arrivals(live.gateway, live.store)
    shop.shelf = [shop.message(number, now - number * MINUTE, conversation=f"c{number}") for number in (1, 2, 3, 4)]
    await arrivals.take(shop, shop.shelf[:0:-1])
    away = {"platform": "bazaar", "account": "shop/1", "count": 5, "start": now - 4 * MINUTE, "end": now - 30_000}
    await asking.put("/api/v1/settings/thresholds", json={"set": ["sync.grace_s=0"]})
    await live.runtime.settled()
    await arrivals.take(shop, [Checkpoint(**away)])

    async def open_one():
        items = (await asking.get(ANOMALIES, params={"kind": "out_of_sync"})).json()["items"]
        return items[0] if items else None

    found = await until(open_one)
    assert (found["evidence"]["ours"], found["evidence"]["theirs"], found["status"]) == (3, 5, "open")
    told = (await asking.post(f"{ANOMALIES}/{found['id']}/resync")).json()
    assert (told["resync"]["before"], told["resync"]["after"]) == (3, 4)

    async def closed():
        return (await open_one())["status"] == "resolved"

    assert await until(closed)
    assert (await open_one())["resolution"] == "agreed"


async def test_a_resync_that_takes_long_goes_on_after_the_answer(asking, resyncs, shop, lost):
    resyncs._answer_s = 0.05
    shop.gate = asyncio.Event()
    told = (await asking.post(f"{ANOMALIES}/{lost['id']}/resync")).json()
    assert told["resync"]["state"] == "running"
    again = (await asking.post(f"{ANOMALIES}/{lost['id']}/resync")).json()
    assert again["resync"]["state"] == "running"
    assert (await asking.get(f"{ANOMALIES}/{lost['id']}")).json()["resync"]["state"] == "running"
    shop.gate.set()

    async def done():
        return "resync" not in (await asking.get(f"{ANOMALIES}/{lost['id']}")).json()

    assert await until(done)
    assert len(shop.asked) == 1
    assert len(await audited(asking, subject=f"anomaly {lost['id']}")) == 1


async def test_a_resync_whose_process_ended_is_done_by_another(live, asking, resyncs, shop, lost):
    resyncs._answer_s = 0.05
    shop.gate = asyncio.Event()
    await asking.post(f"{ANOMALIES}/{lost['id']}/resync")
    await resyncs.close()
    shop.gate.set()
    assert await resyncs.step(live.gateway.now()) == 0, "it is claimed"
    assert await resyncs.step(live.gateway.now() + 11 * MINUTE) == 1
    assert await resyncs.state(lost["id"]) is None


async def test_a_platform_out_of_reach_is_asked_again_and_one_that_denies_is_not(live, asking, resyncs, shop, lost):
    shop.failing = UnreachableError("no route")
    path = f"{ANOMALIES}/{lost['id']}/resync"
    told = (await asking.post(path)).json()["resync"]
    assert (told["state"], told["reason"]) == ("running", "no route")
    shop.failing = DeniedError("the token ran out")
    assert await resyncs.step(live.gateway.now() + MINUTE) == 1
    told = (await asking.get(f"{ANOMALIES}/{lost['id']}")).json()["resync"]
    assert (told["state"], told["reason"]) == ("failed", "the token ran out")
    shop.failing = None
    assert (await asking.post(path)).json()["resync"]["state"] == "done"
    rows = await audited(asking, subject=f"anomaly {lost['id']}")
    assert [row["after"]["state"] for row in rows] == ["done", "failed"]


async def test_a_channel_without_a_history_cannot_be_fetched_again(asking, shop, lost):
    shop.capabilities = Capabilities()
    answer = await asking.post(f"{ANOMALIES}/{lost['id']}/resync")
    assert answer.status_code == 409
    assert "no connector" in answer.json()["detail"]


@pytest.mark.usefixtures("lost")
async def test_a_span_of_a_channel_is_compared_by_hand(live, asking):
    now = live.gateway.now()
    body = {"since": now - 2 * HOUR, "until": now}
    answer = await asking.post(f"{SWEEPS}/bazaar/shop%2F1", json=body)
    assert answer.status_code == 202
    told = answer.json()["resync"]
    assert (told["state"], told["checked"], told["new"], told["duplicate"]) == ("done", 3, 2, 1)
    await live.runtime.settled()
    assert (await live.store.message("bazaar/shop%2F1/c1", "m2")).via == "resync"
    (row,) = await audited(asking, what="sweep.asked")
    assert (row["subject"], row["after"]["new"]) == ("bazaar/shop%2F1", 2)


async def test_a_span_that_cannot_be_compared_is_refused(live, asking, shop):
    now = live.gateway.now()
    path = f"{SWEEPS}/bazaar/shop%2F1"
    for since, end in ((now - 2 * DAY, now), (now, now - HOUR), (now - 1000, now)):
        assert (await asking.post(path, json={"since": since, "until": end})).status_code == 422
    assert (await asking.post(path, json={"since": "yesterday", "until": now})).status_code == 422
    assert (await asking.post(path, json={})).status_code == 422
    body = {"since": now - HOUR, "until": now}
    assert (await asking.post(f"{SWEEPS}/bazaar/shop-9", json=body)).status_code == 404
    shop.capabilities = Capabilities()
    assert (await asking.post(path, json=body)).status_code == 409
    assert shop.asked == []


async def test_how_far_every_channel_is_compared_is_listed(live, asking):
    row = SweepRow(platform="bazaar", account="shop/1", checked=40, new=1, duplicate=39, new_ever=7, swept_to=1_000)
    await live.store.save_sweep(row, replaces=0)
    (item,) = (await asking.get(SWEEPS)).json()["items"]
    assert (item["checked"], item["new"], item["duplicate"], item["new_ever"]) == (40, 1, 39, 7)
    assert (item["swept_to"], item["failing_since"]) == ("1970-01-01T00:00:01.000Z", None)


async def test_only_who_may_act_on_anomalies_may_ask_platforms(as_role):
    async with await as_role("viewer") as client:
        answer = await client.post(f"{SWEEPS}/bazaar/shop-1", json={"since": 1, "until": 2})
        assert answer.status_code == 403
        assert (await client.get(SWEEPS)).status_code == 409, "this process asks no platforms"


def test_the_window_of_an_anomaly_is_a_day_at_most():
    from actors.anomaly import Anomaly  # noqa: PLC0415 # this test alone makes one

    def made(kind, **fields):
        base = {"id": "a", "severity": "warning", "status": "open", "platform": "p", "account": "a"}
        return Anomaly(**({**base, "kind": kind, "since": 10 * DAY, "opened_at": 10 * DAY} | fields))

    day = 10 * DAY
    assert window_of(made("loss", conversation="c"), 20 * DAY) == (day - HOUR, day + HOUR, False)
    assert window_of(made("channel_silent"), 20 * DAY) == (19 * DAY, 20 * DAY, False)
    assert window_of(made("out_of_sync", evidence={"from": day, "to": day + HOUR}), 0) == (day, day + HOUR, True)
    assert window_of(made("out_of_sync", evidence={"from": 0, "to": day}), 0) == (9 * DAY, day, True)
    named = made("loss", conversation="c", evidence={"cause": "checkpoint"}, opened_at=day + 3 * HOUR)
    assert window_of(named, 0) == (day, day + 3 * HOUR, False)
