"""Questions before a sale, and notifications that did not get through: both unconfirmed, behind settings."""

from __future__ import annotations

import json

import pytest
from hypothesis import given

from actors.events import Delete, Message, Receipt, Sender
from connectors.contract.calling import ApiResponse
from connectors.contract.connector import Binding, UnreadableError, WebhookRequest
from connectors.contract.history import Pointer, Window
from connectors.contract.outgoing import Outgoing, OutgoingFile, Sent
from connectors.mercadolibre import MercadoLibre
from tests.connectors.mutations import HOSTILE, mutated, payload
from tests.connectors.scripted_api import NOW, EndlessApi, ScriptedApi, answer, answer_of, asks
from tests.connectors.test_mercadolibre_api import API, BEARER, SETTINGS

QUESTION = "5036111111"
WHERE = {"platform": "mercadolibre", "account": "br", "conversation": f"question-{QUESTION}"}
VERSION = ("api_version", "4")
ONE = asks("GET", f"{API}/questions/{QUESTION}", query=[VERSION], headers=BEARER)
FOLDER = "mercadolibre_api"
ASKED = Message(
    **WHERE,
    message=f"question-{QUESTION}",
    sent_at=1_705_314_600_000,
    direction="in",
    sender=Sender(id="441782523", role="customer"),
    text="Tem na cor azul? 你好",
    via="push",
    extra={"kind": "question", "item": "MLB3001"},
)
ANSWERED = Message(
    **WHERE,
    message=f"answer-{QUESTION}",
    sent_at=1_705_318_200_000,
    direction="out",
    sender=Sender(id="123456789", role="agent"),
    text="Tem sim.",
    reply_to=f"question-{QUESTION}",
    via="push",
)


def libre(**settings):
    told = SETTINGS | {"questions": "yes"} | settings
    return MercadoLibre(Binding(account="br", url="https://weir.test", settings=told))


def post(body):
    return WebhookRequest(method="POST", body=body)


def told(found):
    return [one for one in found if not isinstance(one, Receipt)]


async def test_a_notification_of_a_question_is_a_pointer_that_fetches_it_with_its_answer():
    (pointer,) = libre().parse(post(payload("mercadolibre", "question")))
    assert pointer == Pointer(id="question/5/7f1c2a", about={"question": "5"})
    api = ScriptedApi((ONE, answer(FOLDER, "question")))
    found = await libre().resolve(Pointer(id="q", about={"question": QUESTION}), api)
    assert told(found) == [ASKED, ANSWERED]
    (receipt,) = [one for one in found if isinstance(one, Receipt)]
    assert (receipt.message, receipt.status) == (ANSWERED.message, "accepted")


def test_without_the_setting_questions_tell_nothing():
    for value in ("no", ""):
        assert libre(questions=value).parse(post(payload("mercadolibre", "question"))) == ()


@pytest.mark.parametrize("resource", ["", "/questions/", "/questions/1 2", "/questions/é"])
def test_a_notification_that_names_no_question_cannot_be_read(resource):
    body = json.loads(payload("mercadolibre", "question")) | {"resource": resource}
    with pytest.raises(UnreadableError):
        libre().parse(post(json.dumps(body).encode()))


async def test_a_question_is_answered_by_its_own_call_within_its_own_limits():
    reply = Outgoing(id="w1", conversation=f"question-{QUESTION}", at=NOW, text="x" * 2_000, last_in_at=NOW)
    assert libre().objections(reply, NOW) == []
    long = Outgoing(id="w1", conversation=f"question-{QUESTION}", at=NOW, text="x" * 2_001)
    assert [one.code for one in libre().objections(long, NOW)] == ["text_too_long"]
    file = OutgoingFile(name="a.png", mime="image/png", size=1, digest="0" * 64, read=lambda: None)
    with_file = Outgoing(id="w1", conversation=f"question-{QUESTION}", at=NOW, text="x", files=[file])
    assert "too_many_files" in [one.code for one in libre().objections(with_file, NOW)]
    assert [
        one.code for one in libre().objections(Outgoing(id="w", conversation="2000000012", at=NOW, text="x" * 351), NOW)
    ]
    asked = asks(
        "POST",
        f"{API}/answers",
        query=[],
        headers=BEARER,
        json={"question_id": int(QUESTION), "text": "Tem sim."},
    )
    api = ScriptedApi((asked, answer(FOLDER, "question")))
    answering = Outgoing(id="w1", conversation=f"question-{QUESTION}", at=NOW, text="Tem sim.")
    assert await libre().send(answering, api) == Sent(message=ANSWERED.message, at=ANSWERED.sent_at)
    api.finished()


async def test_a_question_that_was_taken_away_is_a_recalled_message():
    body = json.loads(payload(FOLDER, "question")) | {"status": "DELETED", "answer": None}
    found = await libre().resolve(Pointer(id="q", about={"question": QUESTION}), ScriptedApi((ONE, answer_of(body))))
    assert [type(one) for one in found] == [Message, Delete]
    assert found[1].message == ASKED.message


async def test_history_lists_questions_back_to_the_beginning_of_the_window():
    listed = [("seller_id", "123456789"), VERSION, ("sort_fields", "date_created"), ("sort_types", "DESC")]
    page = [*listed, ("limit", "50"), ("offset", "0")]
    body = {"questions": [json.loads(payload(FOLDER, "question"))], "total": 1}
    api = ScriptedApi(
        (asks("GET", f"{API}/questions/search", query=page, headers=BEARER), answer_of(body)),
        (asks("GET", f"{API}/messages/unread"), answer_of({"results": []})),
    )
    window = Window(since=ASKED.sent_at - 1, until=ANSWERED.sent_at + 1)
    found = [one async for page in libre().history(window, api) for one in page]
    assert told(found) == [ASKED, ANSWERED]
    api.finished()
    alone = ScriptedApi((ONE, answer(FOLDER, "question")))
    window = Window(since=0, until=NOW, conversation=f"question-{QUESTION}")
    assert told([one async for page in libre().history(window, alone) for one in page]) == [ASKED, ANSWERED]
    alone.finished()


async def test_what_notifications_did_not_tell_is_asked_for_and_what_is_not_ours_is_left():
    mine = json.loads(payload("mercadolibre", "question")) | {"resource": f"/questions/{QUESTION}"}
    missed = {"messages": [mine, mine, mine | {"user_id": 7}, {"topic": "questions"}, "?"]}
    api = ScriptedApi(
        (asks("GET", f"{API}/missed_feeds", query=[("app_id", "8974")], headers=BEARER), answer_of(missed)),
        (ONE, answer(FOLDER, "question")),
        (asks("GET", f"{API}/messages/unread"), answer_of({"results": []})),
    )
    window = Window(since=0, until=NOW)
    connector = libre(missed_feeds="yes")
    connector._questions = nothing  # they are listed by another test
    assert told([one async for page in connector.history(window, api) for one in page]) == [ASKED, ANSWERED]
    api.finished()


async def nothing(asking, window):
    del asking, window
    for page in ():
        yield page


@HOSTILE
@given(mutated([payload(FOLDER, "question")]))
async def test_whatever_a_question_holds_gives_events_or_one_documented_error(body):
    api = EndlessApi(ApiResponse(status=200, body=body))
    try:
        await libre().resolve(Pointer(id="q", about={"question": QUESTION}), api)
    except UnreadableError:
        return
    except Exception as wrong:  # noqa: BLE001 # the errors of calling are documented, too
        assert type(wrong).__module__ == "connectors.contract.calling", wrong  # noqa: PT017 # whichever it is
