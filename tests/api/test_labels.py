"""Labels over the API: the catalogue, a try-out, the labels of a conversation, the lists by label."""

from __future__ import annotations

import pytest

from storage.label_records import ConversationLabelled
from tests.storage.flushes import Flushes, stored

LABELS = "/api/v1/labels"
KEY = "shopee/shop/c1"
OF_ONE = f"/api/v1/conversations/{KEY}/labels"
CLUB = {"id": "vip_club", "names": {"en": "VIP club"}, "colour": "accent"}


@pytest.fixture
async def talk(store):
    save = Flushes(store)
    await save(
        stored("m1", text="refund"), stored("m1", "c2"),
        labelled=[ConversationLabelled(KEY, ("refund",), "en", sensitive=True)],
    )  # fmt: skip
    return save


@pytest.mark.usefixtures("talk")
async def test_the_catalogue_names_every_label_and_how_often_it_is_borne(admin):
    found = (await admin.get(LABELS)).json()
    by_id = {label["id"]: label for label in found["labels"]}
    assert by_id["refund"] == {
        "id": "refund", "names": {}, "colour": "amber", "active": True, "built_in": True, "changed": False,
        "in_use": 1,
    }  # fmt: skip
    assert by_id["other"]["in_use"] == 0
    assert (found["version"], found["words"]) == (0, [])
    assert "zh" in found["languages"]


async def test_an_admin_changes_the_catalogue_and_the_words(admin):
    words = [{"lang": "en", "label": "vip_club", "added": ["gold club"]}]
    kept = await admin.put(LABELS, json={"labels": [CLUB], "words": words, "version": 0})
    assert kept.status_code == 200, kept.text
    assert kept.json()["version"] == 1
    assert (await admin.get(LABELS)).json() == kept.json()
    tried = (await admin.post(f"{LABELS}/try", json={"text": "Is it for the gold club?"})).json()
    assert (tried["labels"], tried["lang"], tried["sure"]) == (["vip_club"], "en", True)
    assert {"label": "vip_club", "words": "gold club", "weight": 2} in tried["hits"]
    late = await admin.put(LABELS, json={"version": 0})
    assert late.status_code == 409


async def test_a_try_out_tells_why(admin):
    tried = (await admin.post(f"{LABELS}/try", json={"text": "can i get reembursed for my ordr"})).json()
    assert tried["model"]["label"] == "refund"
    assert tried["sure"] is False
    neutral = (await admin.post(f"{LABELS}/try", json={"text": "谢谢"})).json()
    assert (neutral["neutral"], neutral["labels"], neutral["language"]) == (True, [], None)
    assert (await admin.post(f"{LABELS}/try", json={"text": "x" * 2_001})).status_code == 422


async def test_the_packaged_words_of_a_language_can_be_read(admin):
    found = (await admin.get(f"{LABELS}/words/de")).json()
    assert "refund" in found["labels"]
    assert "anwalt" in found["sensitive"]
    assert (await admin.get(f"{LABELS}/words/xx")).status_code == 422


@pytest.mark.usefixtures("talk")
async def test_a_conversation_is_labelled_by_hand(admin):
    row = (await admin.post(OF_ONE, json={"add": ["payment"], "remove": ["refund"], "sensitive": False})).json()
    assert (row["labels"], row["sensitive"], row["guessed_lang"]) == (["payment"], False, "en")
    assert (await admin.get(f"/api/v1/conversations/{KEY}")).json()["labels"] == ["payment"]
    noted = (await admin.get("/api/v1/audit", params={"subject": KEY})).json()["items"]
    assert [(one["what"], one["before"]["labels"]) for one in noted] == [("labels.changed", ["refund"])]
    assert noted[0]["after"] == {"add": ["payment"], "remove": ["refund"], "sensitive": False}


@pytest.mark.usefixtures("talk")
async def test_conversations_are_listed_by_label_and_by_what_is_sensitive(admin):
    async def listed(**params):
        found = (await admin.get("/api/v1/conversations", params=params)).json()["items"]
        return [row["conversation"] for row in found]

    assert await listed(label="refund") == ["c1"]
    assert await listed(label="payment") == []
    assert await listed(sensitive=True) == ["c1"]
    assert await listed(sensitive=False) == ["c2"]


@pytest.mark.usefixtures("talk")
@pytest.mark.parametrize(
    ("change", "status", "why"),
    [
        ({}, 422, "name a label"),
        ({"add": ["nonsense"]}, 422, "no label"),
        ({"remove": ["'; DROP TABLE"]}, 422, "no label"),
        ({"add": ["refund"], "remove": ["refund"]}, 422, "both"),
        ({"add": ["refund"] * 21}, 422, "20"),
        ({"labels": []}, 422, "labels"),
    ],
)
async def test_a_change_that_is_none_is_refused_with_a_reason(admin, change, status, why):
    answer = await admin.post(OF_ONE, json=change)
    assert answer.status_code == status, answer.text
    assert why in answer.json()["detail"]


async def test_a_conversation_that_is_unknown_cannot_be_labelled(admin):
    assert (await admin.post(OF_ONE, json={"add": ["refund"]})).status_code == 404


@pytest.mark.usefixtures("talk")
@pytest.mark.parametrize(
    ("role", "label", "change_book"), [("viewer", 403, 403), ("agent", 200, 403), ("supervisor", 200, 403)]
)
async def test_who_may_reply_may_label_and_admins_keep_the_catalogue(as_role, role, label, change_book):
    async with await as_role(role) as client:
        assert (await client.post(OF_ONE, json={"add": ["payment"]})).status_code == label
        assert (await client.put(LABELS, json={"labels": []})).status_code == change_book
        assert (await client.get(LABELS)).status_code == 200


async def test_a_label_that_is_not_used_any_more_can_be_taken_away_but_not_given(admin, talk):
    await talk(stored("m9"))
    await admin.put(LABELS, json={"labels": [{"id": "refund", "active": False}]})
    assert (await admin.post(OF_ONE, json={"add": ["refund"]})).status_code == 422
    assert (await admin.post(OF_ONE, json={"remove": ["refund"]})).json()["labels"] == []


async def test_a_message_that_is_sent_in_comes_out_labelled(live_admin, live, message):
    sent = await live_admin.post("/api/v1/events", json=[message(text="快递丢了 我要投诉")])
    assert sent.status_code == 202
    await live.runtime.settled()
    row = (await live_admin.get("/api/v1/conversations/shopee/shop-1/c1")).json()
    assert (row["labels"], row["guessed_lang"]) == (["complaint", "logistics"], "zh")
