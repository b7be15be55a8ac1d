"""All hostile texts through the services behind every text field: kept literally, or refused with a reason."""

from __future__ import annotations

from collections.abc import Awaitable

import pytest

from actors.errors import PermanentError
from actors.thresholds import THRESHOLDS
from services.tuning.thresholds import Assignment
from storage.records import AnomalyFilter, ConversationFilter
from tests.api.test_hostile_input import as_stored, bad_input, payloads

__all__ = ["bad_input", "payloads"]


async def refused(work: Awaitable[object]) -> str:
    """The reason for a refusal, `""` when it was taken; whatever else is raised fails the test."""
    try:
        await work
    except PermanentError as why:
        return str(why) or pytest.fail(f"{type(why).__name__} says nothing")
    return ""


async def test_names_of_people_and_tokens(services, payloads):
    taken = 0
    for text in payloads:
        if not await refused(services.accounts.add(text, "viewer", "correct horse battery", who="test")):
            assert (await services.store.user(text.strip())).name == text.strip()
            taken += 1
        await refused(services.tokens.create(text, "viewer", who="test"))
    assert taken > len(payloads) / 4
    names = {token.name for token in await services.tokens.tokens()}
    assert names <= {text.strip() for text in payloads}
    assert len(names) > len(payloads) / 4


async def test_log_in_with_names_and_passwords(services, payloads):
    for number, text in enumerate(payloads):
        assert await refused(services.accounts.log_in(text, text, f"192.0.2.{number}"))
    assert await services.store.users() == []


async def test_reasons_and_places_of_mutes(services, gateway, payloads):
    kept = 0
    for text in payloads:
        ends = gateway.now() + 60_000
        wanted = {"who": text, "until": ends, "reason": text, "platform": text, "account": text}
        if await refused(services.mutes.mute(**wanted)):
            continue
        (mute,) = await services.mutes.page(1)
        assert (mute.reason, mute.platform, mute.account, mute.who) == (text.strip(), text, text, text)
        await services.mutes.lift(mute.id, who=text)
        kept += 1
    assert kept > len(payloads) / 2


async def test_values_scopes_and_notes_of_thresholds(services, payloads):
    words = next(t.name for t in THRESHOLDS if isinstance(t.default, str))
    number = next(t.name for t in THRESHOLDS if isinstance(t.default, float | int))
    for text in payloads:
        version = await services.thresholds.assign([], who=text, note=text)
        assert version.note == text[:1000]
        for change in (Assignment(number, text), Assignment(words, text), Assignment(number, 30, text)):
            await refused(services.thresholds.assign([change], who="test", draft=True))
    assert services.thresholds.current().value(number) == next(t.default for t in THRESHOLDS if t.name == number)


async def test_searches_and_filters(services, payloads):
    for text in payloads:
        await refused(services.audit_log.page(5, None, text, who=text, what=text))
        for where in (ConversationFilter(q=text), ConversationFilter(platform=text, account=text, order=text)):
            await refused(services.conversations.page(where, 5))
        await refused(services.conversations.messages_of_id(text))
        await refused(services.anomalies.page(AnomalyFilter(platform=text, account=text, kind=text), 5))


async def test_every_answer_can_be_written_down_as_json(admin, payloads):
    """What was stored by the tests' own hand comes back over the API, whatever it is."""
    sample = payloads[:: max(1, len(payloads) // 200)][:190]
    for text in sample:
        body = {"kind": "delay", "reason": text, "platform": text, "account": text, "minutes": 5}
        answer = await admin.post("/api/v1/mutes", json=body)
        assert answer.status_code in (201, 422), answer.text
        if answer.status_code == 201:
            assert answer.json()["reason"] == as_stored(text.strip())
    listed = (await admin.get("/api/v1/mutes", params={"limit": 500})).json()["items"]
    assert len(listed) > len(sample) / 2
    assert (await admin.get("/api/v1/audit", params={"limit": 500})).status_code == 200


@pytest.mark.parametrize("text", [b'"\\ud800"', b'"a\\u0000b"', b'"\\ud83d\\ude00"', b'"\xff"'])
async def test_a_text_that_is_no_text_is_an_answer_and_no_fault(admin, text):
    body = b'{"kind": "delay", "minutes": 5, "reason": ' + text + b"}"
    answer = await admin.post("/api/v1/mutes", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (201, 400, 422), answer.text
    assert (await admin.get("/api/v1/mutes")).status_code == 200
    assert (await admin.get("/api/v1/audit")).status_code == 200
