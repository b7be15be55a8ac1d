"""Settings of a mailbox, the mail that a reply becomes, what is objected to, and access tokens that are renewed."""

from __future__ import annotations

import pytest

from actors.errors import RejectedError
from connectors.contract.calling import ApiResponse, DeniedError, RefusedError, UncertainError
from connectors.contract.outgoing import Outgoing, OutgoingFile
from connectors.email.composing import composed
from connectors.email.settings import SETTINGS, read_settings
from tests.connectors.mailing import CUSTOMER, Clock, bound
from tests.connectors.scripted_api import NOW, ScriptedApi

GIVEN = {"address": "Shop@Shop.example", "password": "secret-word", "imap_host": "i.example", "smtp_host": "s.example"}
OAUTH = {
    "sign_in": "xoauth2",
    "refresh_token": "again",
    "client_id": "app",
    "client_secret": "word",
    "token_url": "https://login.example/token",
}
CONVERSATION = "mail-0123456789abcdef01234567"


def reply(**more):
    return Outgoing(**({"id": "weir-1", "conversation": CONVERSATION, "at": NOW, "recipient": CUSTOMER} | more))


async def mail_of(message, **settings):
    return await composed(message, read_settings(GIVEN | settings))


def test_what_is_left_out_has_its_usual_value():
    found = read_settings(GIVEN)
    assert (found.address, found.user, found.inbox) == ("shop@shop.example", "shop@shop.example", "INBOX")
    assert (found.imap.port, found.smtp.port, found.imap.security) == (993, 465, "tls")
    assert (found.history_days, found.most_bytes, found.keeps_sent) == (7, 25 * 2**20, False)
    starttls = read_settings(GIVEN | {"imap_security": "STARTTLS", "smtp_security": "starttls"})
    assert (starttls.imap.port, starttls.smtp.port) == (143, 587)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("imap_port", "99999"),
        ("smtp_port", "twenty"),
        ("imap_security", "ssl3"),
        ("smtp_security", "none"),
        ("sign_in", "kerberos"),
        ("close_answered", "always"),
        ("history_days", "-1"),
        ("most_megabytes", "1e9"),
    ],
)
def test_a_setting_that_cannot_work_is_named(name, value):
    with pytest.raises(RejectedError, match=name):
        bound(GIVEN | {name: value})


def test_no_password_is_shown():
    shop = bound(GIVEN)
    assert "secret-word" not in repr(shop.mail) + repr(shop.binding)
    assert all(one.secret for one in SETTINGS if "token" in one.name and one.name != "token_url")


async def test_a_certificate_that_is_none_is_named():
    with pytest.raises(RefusedError, match="certificate"):
        await bound(GIVEN | {"certificate": "not PEM", "imap_host": "127.0.0.1"}).probe(Clock())


async def test_the_same_reply_is_the_same_mail():
    one, other = await mail_of(reply(text="x")), await mail_of(reply(text="x"))
    assert one.as_bytes() == other.as_bytes()
    assert one["Message-ID"] == "<weir-1@shop.example>"


async def test_a_reply_goes_to_where_the_customer_wants_answers():
    mail = await mail_of(reply(extra={"reply_to": "answers@example.com"}))
    assert mail["To"] == "answers@example.com"


@pytest.mark.parametrize(
    "recipient", [None, "", "nobody", "a@b.example, c@d.example", "a@b\nBcc: x@y", "shop@shop.example"]
)
async def test_a_reply_without_one_address_of_somebody_else_goes_nowhere(recipient):
    with pytest.raises(RefusedError):
        await mail_of(reply(recipient=recipient))


async def test_no_header_can_be_smuggled_in():
    hostile = "x\r\nBcc: thief@example.com"
    message = reply(
        subject=hostile,
        thread=[f"a@b>\r\nBcc: thief@example.com\r\nX: <{hostile}"],
        extra={"message_id": hostile, "references": [hostile, 7]},
    )
    mail = await mail_of(message, sender_name=hostile)
    assert mail["Bcc"] is None
    assert mail["In-Reply-To"] is None
    assert b"\r\nBcc:" not in mail.as_bytes()


async def test_references_keep_the_thread_together_and_end():
    thread = [f"m{number}@example.com" for number in range(60)]
    mail = await mail_of(reply(thread=thread, reply_to="m3@example.com"))
    assert mail["In-Reply-To"] == "<m3@example.com>"
    named = mail["References"].split()
    assert (len(named), named[-1]) == (20, "<m3@example.com>")


@pytest.mark.parametrize(
    ("subject", "written"),
    [("Order", "Re: Order"), ("Re: Order", "Re: Order"), ("AW: x", "AW: x"), ("回复:订单", "回复:订单"), (None, "Re:")],
)
async def test_a_subject_is_marked_as_an_answer_once(subject, written):
    assert (await mail_of(reply(subject=subject)))["Subject"] == written


async def test_answers_find_their_conversation_by_our_address_where_the_server_takes_it():
    mail = await mail_of(reply(), plus_address="yes", sender_name="The Shop")
    assert mail["Reply-To"] == f"The Shop <shop+{CONVERSATION}@shop.example>"
    assert (await mail_of(reply(conversation="else/where"), plus_address="yes"))["Reply-To"] is None


async def test_an_address_of_an_international_domain_is_written_to():
    assert (await mail_of(reply(recipient="bo@bücher.example")))["To"] == "bo@xn--bcher-kva.example"
    with pytest.raises(RefusedError, match="ASCII"):
        await mail_of(reply(recipient="bö@example.com"))


def file(size):
    return OutgoingFile(name="a.pdf", mime="application/pdf", size=size, digest="d", read=None)


@pytest.mark.parametrize(
    ("sizes", "codes"),
    [([], []), ([10 * 2**20], []), ([28 * 2**20], ["file_too_large"]), ([10 * 2**20] * 2, ["mail_too_large"])],
)
def test_what_is_too_large_is_objected_to_before_it_is_sent(sizes, codes):
    found = bound(GIVEN).objections(reply(text="x", files=[file(size) for size in sizes]), NOW)
    assert [one.code for one in found] == codes
    assert all("MB" in one.text for one in found)


async def test_an_access_token_is_renewed():
    def asked(request):
        assert request.url == "https://login.example/token"
        return request.body == b"grant_type=refresh_token&refresh_token=again&client_id=app&client_secret=word"

    body = b'{"access_token":"new","expires_in":3600,"refresh_token":"next"}'
    api = ScriptedApi((asked, ApiResponse(status=200, body=body)))
    grant = await bound(GIVEN | OAUTH).renew(api)
    assert (dict(grant.settings), grant.expires_at) == ({"password": "new", "refresh_token": "next"}, NOW + 3_600_000)
    api.finished()


async def test_a_password_is_not_renewed():
    assert await bound(GIVEN).renew(ScriptedApi()) is None


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (ApiResponse(status=400, body=b'{"error":"invalid_grant"}'), DeniedError),
        (ApiResponse(status=200, body=b"{}"), RefusedError),
        (ApiResponse(status=200, body=b"<html>"), UncertainError),
        (ApiResponse(status=500), UncertainError),
    ],
)
async def test_a_token_that_is_not_renewed_says_why(answer, error):
    with pytest.raises(error):
        await bound(GIVEN | OAUTH).renew(ScriptedApi((lambda _: True, answer)))
