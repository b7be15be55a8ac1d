"""The emulator's own API: bindings, webhooks, what buyers say, the truth, the clock."""

from __future__ import annotations

import hashlib
import json

import httpx
import pytest


async def test_bindings_tell_what_an_app_needs_of_every_shop(bench):
    told = (await bench.client.get("/_emulator/bindings")).json()
    assert {one["platform"] for one in told} == set(bench.stage.platforms)
    shopee = next(one for one in told if one["platform"] == "shopee")
    names = {"partner_id", "partner_key", "push_key", "shop_id", "access_token", "refresh_token"}
    assert names <= set(shopee["settings"])
    assert shopee["api_url"] == "http://emulator.example/shopee"


@pytest.mark.parametrize("platform", ["messenger", "instagram", "whatsapp", "ebay"])
async def test_an_address_that_cannot_answer_the_platforms_question_gets_no_webhooks(bench, platform):
    shop = bench.shop(platform)
    bench.heard.challenged = False
    told = {"shop": shop.key, "url": "https://weir.example/hook"}
    answer = (await bench.client.put("/_emulator/webhooks", json=told)).json()
    assert (answer["proved"], answer["url"], shop.webhook) == (False, None, None)


async def test_ebays_question_is_answered_with_a_hash(bench):
    shop = bench.shop("ebay")
    url = "https://weir.example/hook"

    def right(request):
        told = f"{request.url.params['challenge_code']}{shop.ids['verification_token']}{url}"
        return httpx.Response(200, json={"challengeResponse": hashlib.sha256(told.encode()).hexdigest()})

    bench.heard.answers = right
    answer = (await bench.client.put("/_emulator/webhooks", json={"shop": shop.key, "url": url})).json()
    assert (answer["proved"], shop.webhook) == (True, url)


async def test_a_buyer_says_what_is_told_in_the_conversation_at_the_time_as_often(bench):
    shop = bench.shop("line")
    buyer = shop.buyers[4]
    told = await bench.says("line", "number {n}", buyer=buyer.id, at=1_700_000_000_000, times=3)
    assert [(one["text"], one["conversation"], one["at"]) for one in told] == [
        (f"number {number}", buyer.id, 1_700_000_000_000) for number in (1, 2, 3)
    ]
    truth = (await bench.client.get("/_emulator/messages", params={"shop": shop.key})).json()
    assert [one["id"] for one in truth] == [one["id"] for one in told]


async def test_a_webhook_given_by_hand_is_signed_and_sent_as_it_is(bench):
    shop = await bench.subscribe("line")
    body = {"destination": shop.account, "events": [{"type": "nonsense"}]}
    await bench.client.post("/_emulator/push", json={"shop": shop.key, "body": body, "times": 2})
    await bench.emulator.settle()
    assert [json.loads(one) for one in bench.heard.bodies()] == [body, body]
    genuine = bench.stage.platforms["line"].signed(shop, None, "", bench.heard.bodies()[0])
    assert bench.heard.requests[0].headers["x-line-signature"] == genuine["X-Line-Signature"]


@pytest.mark.parametrize("platform", ["lazada", "line", "instagram", "whatsapp"])
async def test_what_is_taken_back_is_told(bench, platform):
    shop = await bench.subscribe(platform)
    (message,) = await bench.says(platform)
    before = len(bench.heard.requests)
    told = {"shop": shop.key, "message": message["id"]}
    assert (await bench.client.post("/_emulator/recall", json=told)).json()["status"] == "recalled"
    await bench.emulator.settle()
    assert len(bench.heard.requests) == before + 1


async def test_deliveries_tell_every_attempt_and_its_answer(bench):
    shop = await bench.subscribe("shopee")
    bench.heard.status = 500
    (message,) = await bench.says("shopee")
    bench.heard.status = 200
    await bench.later(1)
    (told,) = (await bench.client.get("/_emulator/deliveries", params={"shop": shop.key})).json()
    assert (told["message"], told["state"], [one["status"] for one in told["attempts"]]) == (
        message["id"],
        "done",
        [500, 200],
    )


async def test_a_token_runs_out_when_the_clock_is_moved(bench):
    shop = bench.shop("shopee")
    platform = bench.stage.platforms["shopee"]
    token = platform.granted(shop, 4 * 3_600, 30 * 24 * 3_600)
    assert platform.valid(shop, token.access) is shop
    moved = (await bench.client.put("/_emulator/clock", json={"ahead": 4 * 3_600_000})).json()
    assert moved["offset"] == 4 * 3_600_000
    with pytest.raises(Exception, match="403"):
        platform.valid(shop, token.access)
    assert platform.refreshed(token.refresh) is shop


async def test_a_token_lives_as_long_as_it_is_told_to(bench):
    shop = bench.shop("telegram")
    await bench.client.put("/_emulator/tokens", json={"shop": shop.key, "seconds": 60})
    path = f"/telegram/bot{shop.token.access}/getMe"
    assert (await bench.client.get(path)).status_code == 200
    await bench.later(60)
    assert (await bench.client.get(path)).status_code == 401


async def test_a_buyer_sends_whatever_file_is_given(bench):
    told = await bench.says("messenger", "", file={"mime": "image/heic", "content": ""})
    answer = await bench.client.get(bench.stage.media_url(told[0]["media"]))
    assert (answer.content, answer.headers["content-type"]) == (b"", "image/heic")


async def test_what_makes_no_sense_is_refused_with_a_reason(bench):
    key = bench.shop("line").key
    for method, path, body in (
        ("POST", "say", {"shop": "nowhere/1"}),
        ("POST", "say", {"shop": key, "times": 0}),
        ("POST", "say", {"text": "whose?"}),
        ("POST", "recall", {"shop": key, "message": "none"}),
        ("PUT", "rate", {"rate": -1}),
        ("PUT", "clock", {"offset": "soon"}),
    ):
        answer = await bench.client.request(method, f"/_emulator/{path}", json=body)
        assert (answer.status_code, bool(answer.json()["error"])) == (400, True), path


async def test_another_site_cannot_use_the_panel(bench):
    answer = await bench.client.put("/_emulator/faults", json=[], headers={"Origin": "https://elsewhere.example"})
    assert answer.status_code == 403
    own = await bench.client.put("/_emulator/faults", json=[], headers={"Origin": "http://emulator.example"})
    assert own.status_code == 200


async def test_the_page_holds_no_data_and_lets_no_foreign_script_in(bench):
    answer = await bench.client.get("/_emulator/")
    assert answer.status_code == 200
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert "innerHTML" not in answer.text
