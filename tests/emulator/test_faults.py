"""Every fault does what the panel says of it."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest

from actors.errors import RejectedError
from emulator.faults import Fault, read_fault


async def broken(bench, **fault):
    answer = await bench.client.put("/_emulator/faults", json=[fault])
    assert answer.status_code == 200, answer.text


def texts(bench):
    return [json.loads(body)["message"]["text"] for body in bench.heard.bodies()]


async def sent(bench, text="hi"):
    """A reply by the Bot API."""
    shop = bench.shop("telegram")
    chat = next(iter(shop.conversations))
    return await bench.client.post(
        f"/telegram/bot{shop.token.access}/sendMessage", json={"chat_id": chat, "text": text}
    )


async def test_a_dropped_push_leaves_a_message_that_the_platform_holds(bench):
    shop = await bench.subscribe("telegram")
    await broken(bench, kind="drop", platform="telegram", left=1)
    await bench.says("telegram", "{n}", times=2)
    assert texts(bench) == ["2"]
    assert [one.text for one in shop.messages()] == ["1", "2"]


async def test_a_delayed_push_comes_after_so_many_seconds_and_holds_nothing_up(bench):
    await bench.subscribe("telegram")
    await broken(bench, kind="delay", left=1, seconds=60)
    await bench.says("telegram", "{n}", times=2)
    assert texts(bench) == ["2"]
    await bench.later(59)
    assert texts(bench) == ["2"]
    await bench.later(1)
    assert texts(bench) == ["2", "1"]


async def test_a_reordered_push_comes_after_the_next_one(bench):
    await bench.subscribe("telegram")
    await broken(bench, kind="reorder", left=1)
    await bench.says("telegram", "{n}", times=3)
    assert sorted(texts(bench)) == ["1", "2", "3"]
    assert texts(bench).index("2") < texts(bench).index("1")


async def test_a_doubled_push_comes_twice(bench):
    await bench.subscribe("telegram")
    await broken(bench, kind="double", left=1)
    await bench.says("telegram", "{n}", times=2)
    assert texts(bench) == ["1", "1", "2"]


async def test_a_silent_shop_receives_and_tells_nothing(bench):
    shop = await bench.subscribe("telegram")
    await broken(bench, kind="silent", platform="telegram", shop=shop.account)
    await bench.says("telegram", times=3)
    assert (texts(bench), len(shop.messages())) == ([], 3)


async def test_a_forged_push_is_not_what_was_signed(bench):
    shop = await bench.subscribe("line")
    await broken(bench, kind="forge")
    await bench.says("line")
    request = bench.heard.requests[-1]
    genuine = bench.stage.platforms["line"].signed(shop, None, "", request.content)
    assert request.headers["x-line-signature"] != genuine["X-Line-Signature"]


@pytest.mark.parametrize(
    ("kind", "status"),
    [("revoke_token", 401), ("rate_limit", 429), ("broken", 502)],
    ids=["revoked", "hasty", "broken"],
)
async def test_a_request_is_refused_in_the_platforms_own_words(bench, kind, status):
    await bench.says("telegram")
    await broken(bench, kind=kind, platform="telegram", left=1)
    refused = await sent(bench)
    assert (refused.status_code, refused.json()["error_code"], refused.json()["ok"]) == (status, status, False)
    assert (await sent(bench)).status_code == 200


async def test_a_lost_answer_leaves_the_message_at_the_platform(bench):
    await bench.says("telegram")
    await broken(bench, kind="lost_answer", platform="telegram")
    with pytest.raises(httpx.RemoteProtocolError):
        await sent(bench, "once")
    assert [one.text for one in bench.shop("telegram").messages() if one.direction == "out"] == ["once"]


async def test_a_late_answer_comes_when_the_message_is_held_already(bench):
    await bench.says("telegram")
    await broken(bench, kind="late_answer", platform="telegram", seconds=60)
    written = asyncio.Event()
    bench.stage.answered.append(lambda _: written.set())
    asked = asyncio.create_task(sent(bench, "once"))
    await asyncio.wait_for(written.wait(), 30)
    assert [one.text for one in bench.shop("telegram").messages() if one.direction == "out"] == ["once"]
    assert not asked.done()
    bench.emulator.answering.closing.set()
    assert (await asked).json()["ok"] is True


@pytest.mark.parametrize(("kind", "held"), [("timeout_before", []), ("timeout_after", ["once"])])
async def test_a_request_without_an_answer_was_carried_out_or_was_not(bench, kind, held):
    await bench.says("telegram")
    await broken(bench, kind=kind, platform="telegram", seconds=0.01)
    with pytest.raises(httpx.RemoteProtocolError):
        await sent(bench, "once")
    assert [one.text for one in bench.shop("telegram").messages() if one.direction == "out"] == held


async def test_a_file_is_whole_then_corrupt_then_gone(bench):
    (message,) = await bench.says("messenger", picture=True)
    url = bench.stage.media_url(message["media"])
    whole = await bench.client.get(url)
    assert whole.content.startswith(b"\xff\xd8")
    await broken(bench, kind="corrupt_attachment")
    corrupt = await bench.client.get(url)
    assert corrupt.status_code == 200
    assert len(corrupt.content) < len(whole.content)
    await broken(bench, kind="expire_attachment")
    assert (await bench.client.get(url)).status_code == 403


def test_faults_are_read_from_one_line():
    assert read_fault("drop") == Fault(kind="drop")
    expected = Fault(kind="delay", platform="shopee", shop="1", share=0.5, seconds=9)
    assert read_fault("delay@shopee/1:0.5:9") == expected
    for wrong in ("nonsense", "drop:2", "delay::x"):
        with pytest.raises(RejectedError):
            read_fault(wrong)


async def test_what_is_no_fault_is_refused_and_changes_nothing(bench):
    await broken(bench, kind="drop")
    for wrong in ([{"kind": "nonsense"}], [{"kind": "drop", "share": 2}], "x"):
        assert (await bench.client.put("/_emulator/faults", json=wrong)).status_code == 400
    assert [one["kind"] for one in (await bench.client.get("/_emulator/faults")).json()] == ["drop"]
