"""eBay's notifications: the challenge, what their signature proves, and what they point to."""

from __future__ import annotations

import base64
import json
from itertools import count

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given

from actors.errors import RetriableError
from actors.orders import ForgetCustomer
from connectors.contract.calling import UnreachableError
from connectors.contract.connector import Answer, Binding, SignatureError, UnreadableError, WebhookRequest
from connectors.contract.history import Pointer
from connectors.ebay import Ebay
from connectors.ebay.keys import FRESH_MS, MISSING_MS, MOST_A_MINUTE
from tests.connectors.mutations import HOSTILE, mutated, parsed_or_unreadable, payload, payloads
from tests.connectors.scripted_api import NOW, EndlessApi, ScriptedApi, answer, answer_of, asks

KID = "9936261a-7d7b-4621-a0f1-96ccb428af49"
VALID = (
    "eyJhbGciOiJlY2RzYSIsImtpZCI6Ijk5MzYyNjFhLTdkN2ItNDYyMS1hMGYxLTk2Y2NiNDI4YWY0OSIsInNpZ25hdHVyZSI6Ik1FWUNJUUNmeGZJV3V4"
    "bVdjSUJRSjljNS9YN2lHREpxczJSQ0dzQkVhQWppbnlycmZBSWhBSVY2d0djVGlCdVY1S0pVaWYyaG9reXJMK1E5c3NIa2FkK214Mm5FRTI1dyIsImRp"
    "Z2VzdCI6IlNIQTEifQ=="
)
MISMATCH = (
    "eyJhbGciOiJlY2RzYSIsImtpZCI6Ijk5MzYyNjFhLTdkN2ItNDYyMS1hMGYxLTk2Y2NiNDI4YWY0OSIsInNpZ25hdHVyZSI6Ik1FWUNJUUNHY1NubUFr"
    "VGZyK1paMlZnMGJXRW9zOGEvdGVCcWk3UGU2OCtoR21MTUNRSWdlRnZrcnRvKzhkczhSVndJM0dnbjFtTUdDck5NRVpKM1NSbE8yZngveHFJPSIsImRp"
    "Z2VzdCI6IlNIQTEifQ=="
)
BODY = payload("ebay", "account_deletion")
TOKENS = asks(
    "POST",
    "https://api.ebay.com/identity/v1/oauth2/token",
    headers={
        "authorization": "Basic " + base64.b64encode(b"app:cert-word").decode(),
        "content-type": "application/x-www-form-urlencoded",
    },
    body=b"grant_type=client_credentials&scope=https%3A%2F%2Fapi.ebay.com%2Foauth%2Fapi_scope",
)
KEY = asks(
    "GET",
    f"https://api.ebay.com/commerce/notification/v1/public_key/{KID}",
    headers={"authorization": "Bearer app-token"},
)
GRANTED = answer("ebay_api", "application_token")
SETTINGS = {
    "verification_token": "71745723-d031-455c-bfa5-f90d11b4f20a",
    "client_id": "app",
    "client_secret": "cert-word",
    "username": "seller1",
}


def ebay(url="https://inbox.example/webhooks/ebay/uk", **settings):
    return Ebay(Binding(account="uk", url=url, settings=SETTINGS | settings))


def post(body=BODY, signature=VALID):
    return WebhookRequest(method="POST", headers={"x-ebay-signature": signature} if signature else {}, body=body)


async def prepared(connector=None, request=None):
    connector = connector or ebay()
    api = ScriptedApi((TOKENS, GRANTED), (KEY, answer("ebay_api", "public_key")))
    await connector.prepare(request or post(), api)
    api.finished()
    return connector


def header(kid=KID, signature=b"x"):
    claim = {"alg": "ecdsa", "kid": kid, "signature": base64.b64encode(signature).decode(), "digest": "SHA1"}
    return base64.b64encode(json.dumps(claim).encode()).decode()


def test_a_challenge_is_answered_with_the_hash_of_code_token_and_address():
    asked = WebhookRequest(method="GET", query={"challenge_code": "71745723-d031-455c-bfa5-f90d11b4f20a"})
    assert ebay(url="http://www.testendpoint.com/webhook").handshake(asked) == Answer(
        body=b'{"challengeResponse":"048de9ffd0e35021fefc0388d5c52e0f475324f582f3778ca81a53354ccbbc97"}',
        media_type="application/json",
    )


@pytest.mark.parametrize("blank", ["", " "])
def test_without_a_verification_token_no_challenge_is_answered(blank):
    with pytest.raises(SignatureError, match="empty"):
        ebay(verification_token=blank).handshake(WebhookRequest(method="GET", query={"challenge_code": "1"}))


def test_what_is_no_challenge_is_not_answered():
    assert ebay().handshake(post()) is None
    assert ebay().handshake(WebhookRequest(method="GET")) is None


async def test_a_notification_signed_by_the_key_it_names_is_genuine():
    (await prepared()).verify(post())


async def test_a_body_that_was_written_anew_on_its_way_is_genuine_too():
    (await prepared()).verify(post(json.dumps(json.loads(BODY), indent=2).encode()))


@pytest.mark.parametrize(
    ("body", "signature"),
    [
        (BODY, MISMATCH),
        (BODY.replace(b"test_user", b"test_usex"), VALID),
        (b"", VALID),
        (b'{"a":"\\ud83d"}', VALID),
        (BODY, header()),
        (BODY, header(signature=b"")),
    ],
    ids=["other signature", "other body", "no body", "no text", "no signature", "empty signature"],
)
async def test_anything_else_is_not_genuine(body, signature):
    connector = await prepared()
    with pytest.raises(SignatureError):
        connector.verify(post(body, signature))


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "x",
        "ключ",
        "W10=",
        base64.b64encode(b"{}").decode(),
        header(kid="../token"),
        header(kid="k" * 65),
        "A" * 5_000,
    ],
)
async def test_a_header_that_names_no_key_asks_for_none(signature):
    connector = ebay()
    await connector.prepare(post(signature=signature), ScriptedApi())
    with pytest.raises(SignatureError, match="X-EBAY-SIGNATURE"):
        connector.verify(post(signature=signature))


def test_a_key_that_was_not_fetched_proves_nothing():
    with pytest.raises(SignatureError):
        ebay().verify(post())


async def test_the_digest_is_the_keys_own():
    ours = ec.generate_private_key(ec.SECP256R1())
    pem = ours.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    key = answer_of({"key": pem.decode(), "algorithm": "ECDSA", "digest": "SHA256"})
    connector = ebay()
    await connector.prepare(post(), ScriptedApi((TOKENS, GRANTED), (KEY, key)))
    connector.verify(post(signature=header(signature=ours.sign(BODY, ec.ECDSA(hashes.SHA256())))))
    with pytest.raises(SignatureError):
        connector.verify(post(signature=header(signature=ours.sign(BODY, ec.ECDSA(hashes.SHA384())))))


async def test_a_key_is_kept_for_an_hour_and_the_token_until_it_runs_out():
    connector = await prepared()
    await connector.prepare(post(), ScriptedApi(now=NOW + FRESH_MS - 1))
    api = ScriptedApi((KEY, answer("ebay_api", "public_key")), now=NOW + FRESH_MS)
    await connector.prepare(post(), api)
    api.finished()
    later = NOW + 2 * FRESH_MS
    api = ScriptedApi((TOKENS, GRANTED), (KEY, answer("ebay_api", "public_key")), now=later)
    await connector.prepare(post(), api)
    api.finished()


async def test_a_key_that_ebay_does_not_have_is_remembered_as_missing():
    connector = ebay()
    await connector.prepare(post(), ScriptedApi((TOKENS, GRANTED), (KEY, answer_of({}, 404))))
    await connector.prepare(post(), ScriptedApi(now=NOW + MISSING_MS - 1))
    with pytest.raises(SignatureError, match="does not have"):
        connector.verify(post())


@pytest.mark.parametrize(
    "steps",
    [
        [(TOKENS, UnreachableError("no route"))],
        [(TOKENS, answer_of({"error": "invalid_client"}, 401))],
        [(TOKENS, GRANTED), (KEY, answer_of({}, 500))],
        [(TOKENS, GRANTED), (KEY, answer_of({}, 403))],
        [(TOKENS, GRANTED), (KEY, answer_of({}, 401))],
        [(TOKENS, GRANTED), (KEY, answer_of({"key": "?", "digest": "SHA1"}))],
        [(TOKENS, GRANTED), (KEY, answer_of({"key": "", "digest": "MD5"}))],
        [(TOKENS, GRANTED), (KEY, answer_of(b"<html>"))],
    ],
)
async def test_a_key_that_cannot_be_fetched_puts_the_notification_off(steps):
    with pytest.raises(RetriableError) as put_off:
        await ebay().prepare(post(), ScriptedApi(*steps))
    assert "cert-word" not in str(put_off.value)


async def test_a_token_that_is_not_accepted_is_asked_for_anew():
    connector = ebay()
    with pytest.raises(RetriableError):
        await connector.prepare(post(), ScriptedApi((TOKENS, GRANTED), (KEY, answer_of({}, 401))))
    await prepared(connector)
    connector.verify(post())


async def test_strangers_keys_are_asked_for_a_few_times_a_minute_only():
    connector, api, numbers = ebay(), EndlessApi(GRANTED, *[answer_of({}, 404)] * 100), count()
    for _ in range(MOST_A_MINUTE):
        await connector.prepare(post(signature=header(kid=f"k{next(numbers)}")), api)
    asked = len(api.requests)
    with pytest.raises(RetriableError, match="too many"):
        await connector.prepare(post(signature=header(kid=f"k{next(numbers)}")), api)
    assert len(api.requests) == asked


def parsed(name):
    return list(ebay().parse(post(payload("ebay", name))))


def test_a_new_message_is_a_pointer():
    about = {"conversation": "123", "kind": "FROM_MEMBERS", "message": "456"}
    assert parsed("new_message") == [Pointer(id="123/456", about=about)]


def test_a_notification_that_names_no_message_points_to_the_time():
    about = {"conversation": "123", "kind": "FROM_EBAY", "at": "1773953039462"}
    assert parsed("new_message_unnamed") == [Pointer(id="3c1f7a1e_9d2b", about=about)]


def test_a_deleted_account_is_forgotten_by_both_its_names():
    assert parsed("account_deletion") == [
        ForgetCustomer(platform="ebay", account="uk", contact=name) for name in ("ma8vp1jySJC", "test_user")
    ]


def test_other_topics_give_nothing():
    assert parsed("buyer_question") == []
    assert list(ebay().parse(post(b" "))) == []


@pytest.mark.parametrize("data", [{}, {"conversationId": ""}, {"conversationId": ["1"]}])
def test_a_new_message_of_no_conversation_cannot_be_read(data):
    told = json.loads(payload("ebay", "new_message"))
    told["notification"]["data"] = data
    with pytest.raises(UnreadableError):
        ebay().parse(post(json.dumps(told).encode()))


@HOSTILE
@given(mutated(payloads("ebay")))
def test_whatever_comes_gives_pointers_or_one_error(body):
    parsed_or_unreadable(ebay(), post(body))
