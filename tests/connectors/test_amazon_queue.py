"""Amazon's notifications of orders out of a queue: how requests are signed, what is drawn, what is confirmed."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given

from actors.errors import RejectedError
from connectors.amazon.connector import Amazon
from connectors.amazon.queue import Queue, region_of
from connectors.amazon.signing import Keys, signed
from connectors.contract.calling import ApiRequest, ApiResponse, BusyError, DeniedError, RefusedError, UncertainError
from connectors.contract.connector import Refused
from connectors.contract.history import Pointer, Probe
from connectors.email.connector import Email
from tests.connectors.mailing import bound
from tests.connectors.meta_contract import DOCUMENTED
from tests.connectors.mutations import HOSTILE, mutated, payloads
from tests.connectors.scripted_api import NOW, EndlessApi, ScriptedApi, answer, answer_of
from tests.connectors.test_amazon import QUEUE, QUEUED, SETTINGS

SUITE = Keys(
    access="AKIDEXAMPLE",
    secret="wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",  # of the published test suite
    region="us-east-1",
    service="service",
)
SUITE_AT = int(datetime(2015, 8, 30, 12, 36, tzinfo=UTC).timestamp() * 1_000)
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def seller():
    return bound(SETTINGS | QUEUED, kind=Amazon)


@pytest.mark.parametrize(
    ("request_", "names", "signature"),
    [
        (
            ApiRequest(method="GET", url="https://example.amazonaws.com/"),
            "host;x-amz-date",
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        (
            ApiRequest(method="POST", url="https://example.amazonaws.com/"),
            "host;x-amz-date",
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
        ),
        (
            ApiRequest(
                method="GET",
                url="https://example.amazonaws.com/",
                query=[("Param2", "value2"), ("Param1", "value1")],
            ),
            "host;x-amz-date",
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (
            ApiRequest(method="POST", url="https://example.amazonaws.com/", headers=FORM, body=b"Param1=value1"),
            "content-type;host;x-amz-date",
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        ),
    ],
    ids=["get-vanilla", "post-vanilla", "get-vanilla-query-order-key-case", "post-x-www-form-urlencoded"],
)
def test_the_vectors_of_signature_version_4(request_, names, signature):
    found = signed(request_, SUITE, SUITE_AT).headers
    scope = "Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request"
    assert found["Authorization"] == f"AWS4-HMAC-SHA256 {scope}, SignedHeaders={names}, Signature={signature}"
    assert found["X-Amz-Date"] == "20150830T123600Z"
    assert signed(request_, SUITE, SUITE_AT + 1_000).headers["Authorization"] != found["Authorization"]
    assert SUITE.secret not in repr(SUITE)


def asked(action, **about):
    """A request of the queue's, signed with the seller's keys."""

    def holds(request):
        assert (request.method, request.url) == ("POST", "https://sqs.eu-west-1.amazonaws.com/")
        assert request.headers["X-Amz-Target"] == f"AmazonSQS.{action}"
        assert request.headers["Content-Type"] == "application/x-amz-json-1.0"
        assert json.loads(request.body) == {"QueueUrl": QUEUE, **about}
        keys = Keys(access="AKIDEXAMPLE", secret=QUEUED["queue_secret_key"], region="eu-west-1", service="sqs")
        plain = {name: request.headers[name] for name in ("Content-Type", "X-Amz-Target")}
        bare = ApiRequest(method="POST", url=request.url, headers=plain, body=request.body)
        assert request.headers == signed(bare, keys, NOW).headers

    return holds


RECEIVE = asked("ReceiveMessage", MaxNumberOfMessages=10, WaitTimeSeconds=20, VisibilityTimeout=300)
LOOK = asked("GetQueueAttributes", AttributeNames=["ApproximateNumberOfMessages"])


async def test_notifications_are_drawn_and_deleted_once_they_are_taken_in(seller):
    entries = [{"Id": str(number), "ReceiptHandle": f"handle-{number}"} for number in range(3)]
    api = ScriptedApi(
        (RECEIVE, answer("amazon_api", "queue")),
        (asked("DeleteMessageBatch", Entries=entries), answer_of({"Successful": [{"Id": "0"}], "Failed": []})),
    )
    assert seller.queued()
    drawn = await seller.draw(api)
    change, unreadable = drawn.parsed
    assert isinstance(change, Pointer)
    assert (change.id, change.about["order"], change.about["change"]) == (
        "d0e9e693-c3ad-4373-979f-ed4ec98dd746",
        "903-0000000-0000000",
        "BuyerRequestedChange",
    )
    assert unreadable == Refused(b"no JSON", unreadable.reason), "what cannot be read is set aside, not asked for again"
    assert drawn.done == ("handle-0", "handle-1", "handle-2"), "a notification of another kind is deleted as well"
    await seller.confirm(drawn, api)
    api.finished()
    assert api.requests[0].timeout_s > 20, "longer than the queue waits"
    order, wish = await seller.resolve(change, EndlessApi())
    assert (order.id, wish.order, wish.sender.role) == ("903-0000000-0000000", "903-0000000-0000000", "system")


async def test_an_empty_queue_tells_nothing(seller):
    drawn = await seller.draw(ScriptedApi((RECEIVE, answer_of({}))))
    assert (drawn.parsed, drawn.done) == ([], ())


@pytest.mark.parametrize(
    ("status", "code", "meant"),
    [
        (400, "com.amazonaws.sqs#QueueDoesNotExist", RefusedError),
        (400, "com.amazonaws.sqs#OverLimit", BusyError),
        (400, "com.amazon.coral.service#ThrottlingException", BusyError),
        (403, "com.amazon.coral.service#InvalidClientTokenId", DeniedError),
        (403, "com.amazon.coral.service#SignatureDoesNotMatch", DeniedError),
        (400, "com.amazon.coral.service#AccessDeniedException", DeniedError),
        (500, "com.amazonaws.sqs#InternalError", UncertainError),
        (200, "com.amazonaws.sqs#Odd", RefusedError),
    ],
)
async def test_what_the_queue_answers_means(seller, status, code, meant):
    told = {"__type": code, "message": f"of {QUEUED['queue_secret_key']}"}
    with pytest.raises(meant) as raised:
        await seller.draw(EndlessApi(answer_of(told, status)))
    assert code.partition("#")[2] in str(raised.value)
    assert QUEUED["queue_secret_key"] not in str(raised.value)


async def test_a_queue_that_refuses_is_told_by_the_probe_and_the_mailbox_goes_on(seller, monkeypatch):
    async def well(self, api):
        del self, api
        return Probe(subscription="active", detail="folders that are read: INBOX")

    monkeypatch.setattr(Email, "probe", well)
    fine = ScriptedApi((LOOK, answer_of({"Attributes": {"ApproximateNumberOfMessages": "0"}})))
    assert await seller.probe(fine) == Probe(subscription="active", detail="folders that are read: INBOX")
    for code in ("QueueDoesNotExist", "AccessDenied"):
        found = await seller.probe(EndlessApi(answer_of({"__type": code, "message": "no"}, 400)))
        assert (found.auth, found.subscription) == ("ok", "disabled")
        assert code in found.detail
    assert await bound(SETTINGS, kind=Amazon).probe(ScriptedApi()) == await well(None, None)


@pytest.mark.parametrize(
    "url",
    [
        "orders",
        "http://sqs.eu-west-1.amazonaws.com/1/orders",
        "https://sqs.eu-west-1.amazonaws.com.evil.example/1/orders",
        "https://evil.example/1/orders",
    ],
)
def test_what_is_no_queue_of_amazons_is_not_bound(url):
    with pytest.raises(RejectedError, match="queue_url"):
        bound(SETTINGS | QUEUED | {"queue_url": url}, kind=Amazon)


def test_the_region_stands_in_the_address():
    assert region_of(QUEUE) == "eu-west-1"
    assert region_of("https://sqs.cn-north-1.amazonaws.com.cn/1/orders") == "cn-north-1"
    assert region_of("http://127.0.0.1:9324/1/orders") == "us-east-1"


async def test_keys_that_are_missing_are_named():
    half = bound(SETTINGS | {"queue_url": QUEUE}, kind=Amazon)
    with pytest.raises(RefusedError, match="queue_access_key"):
        await half.draw(EndlessApi())


@HOSTILE
@given(mutated(payloads("amazon_api")))
async def test_whatever_the_queue_answers_gives_documented_errors(body):
    with suppress(*DOCUMENTED):
        await Queue(
            bound(SETTINGS | QUEUED, kind=Amazon).binding, EndlessApi(ApiResponse(status=200, body=body))
        ).draw()
