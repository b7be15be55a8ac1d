"""Mails as events: whose they are, which conversation they belong to, and that none is taken for another."""

# ruff: noqa: RUF001 # letters of many scripts are what is tested

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.events import Message, Receipt
from actors.intake import LONGEST_LINE, parse_event
from connectors.contract.connector import Refused, SignatureError, WebhookRequest
from connectors.email.identity import bare_subject, conversation
from connectors.email.reading import MOST_TEXT, Place, Reader
from connectors.email.threads import Held, NoThreads
from tests.connectors.mailing import CUSTOMER, bound, written
from tests.connectors.mutations import HOSTILE

OWN = "shop@shop.example"
SENT = Place(kind="sent", folder="Sent", validity=1, uid=1)
NOON = 1_795_348_800_000
MINUTE = 60_000


class Memory(NoThreads):
    """What was read before is held, as a store would."""

    def __init__(self):
        self.notes = {}
        self.asked = []
        self.others = ()

    async def held(self, _platform, _account, mail):
        found = self.notes.get(mail)
        return found and found.held

    async def find(self, platform, account, clues):
        self.asked.append(clues)
        if clues.token in {note.held.conversation for note in self.notes.values()}:
            return clues.token
        for mail in clues.ids:
            if (found := await self.held(platform, account, mail)) is not None:
                return found.conversation
        near = [
            note.held.conversation
            for note in self.notes.values()
            if clues.subject and (note.subject, note.counterpart) == (clues.subject, clues.sender)
        ]
        return near[-1] if near else None

    async def siblings(self, *_):
        return self.others

    def note(self, _platform, _account, note):
        self.notes[note.id] = note


@pytest.fixture
def memory():
    return Memory()


@pytest.fixture
def reader(memory):
    return Reader("email", "shop", frozenset({OWN}), memory)


async def told(reader, raw, place=None):
    (message, *_) = await reader.read(raw, place or Place(validity=1, uid=1))
    assert isinstance(message, Message), message
    return message


async def test_a_customers_mail_is_a_message(reader):
    raw = written("Where is it?", sender=f"Bo <{CUSTOMER.upper()}>", to=OWN, at=NOON, Subject="My order")
    message = await told(reader, raw, Place(at=NOON + 1_000))
    assert (message.direction, message.sent_at, message.text) == ("in", NOON, "Where is it?")
    assert (message.sender.id, message.sender.name, message.sender.role) == (CUSTOMER, "Bo", "customer")
    assert (message.extra["subject"], message.extra["to"]) == ("My order", [OWN])


async def test_an_answer_goes_on_the_conversation_of_what_it_answers(reader):
    first = await told(reader, written(Message_ID="<a@x.example>", Subject="one"))
    ours = await told(
        reader, written(sender=OWN, to=CUSTOMER, Message_ID="<w@shop.example>", In_Reply_To="<a@x.example>"), SENT
    )
    colleague = await told(
        reader, written(sender="boss@example.com", Subject="another", In_Reply_To="<w@shop.example>")
    )
    assert ours.conversation == first.conversation == colleague.conversation
    assert colleague.reply_to == "w@shop.example"


async def test_an_answer_finds_its_conversation_though_nothing_is_held():
    forgetful = Reader("email", "shop", frozenset({OWN}), NoThreads())
    first = await told(forgetful, written(Message_ID="<a@x.example>"))
    later = await told(forgetful, written(In_Reply_To="<w@shop.example>", References="<a@x.example> <w@shop.example>"))
    ours = await told(
        forgetful, written(sender=OWN, to=CUSTOMER, In_Reply_To="<a@x.example>", References="<a@x.example>"), SENT
    )
    assert first.conversation == later.conversation == ours.conversation
    assert later.reply_to is None


async def test_customers_who_answer_one_newsletter_are_conversations_of_their_own(reader):
    one = await told(reader, written(sender="a@example.com", In_Reply_To="<news@shop.example>"))
    other = await told(reader, written(sender="b@example.com", In_Reply_To="<news@shop.example>"))
    assert one.conversation != other.conversation


async def test_references_count_from_the_last_one_back(reader, memory):
    await told(reader, written(In_Reply_To="<c@x>", References="<a@x> <b@x> <c@x>"))
    assert list(memory.asked[-1].ids) == ["c@x", "b@x", "a@x"]


async def test_our_own_address_with_a_conversation_behind_its_plus_counts_most(reader):
    first = await told(reader, written(Message_ID="<a@x.example>"))
    other = await told(reader, written(Message_ID="<b@x.example>", sender="else@example.com"))
    to = f"shop+{first.conversation}@shop.example"
    answer = await told(reader, written(to=to, In_Reply_To="<b@x.example>"))
    assert answer.conversation == first.conversation != other.conversation


async def test_subject_and_sender_find_an_answer_that_names_nothing(reader):
    first = await told(reader, written(Subject="Order 7"))
    answer = await told(reader, written(Subject="AW: Re: Order 7"))
    fresh = await told(reader, written(Subject="Order 7"))
    stranger = await told(reader, written(Subject="Re: Order 7", sender="else@example.com"))
    assert answer.conversation == first.conversation
    assert len({first.conversation, fresh.conversation, stranger.conversation}) == 3


async def test_the_same_id_with_another_content_is_another_mail(reader):
    first = await told(reader, written("arrives on Friday", Message_ID="<x@dhl.example>", at=NOON))
    other = await told(reader, written("was delivered", Message_ID="<x@dhl.example>", at=NOON + 8 * 86_400_000))
    assert first.message == "x@dhl.example"
    assert other.message.startswith("x@dhl.example#")
    assert other.extra["reused_id"] == "x@dhl.example"
    again = await told(reader, written("was delivered", Message_ID="<x@dhl.example>", at=NOON + 8 * 86_400_000))
    assert (again.message, again.conversation) == (other.message, other.conversation)


async def test_the_same_mail_twice_is_the_same_message(reader):
    raw = written("hello", Message_ID="<x@y.example>", at=NOON)
    assert (await told(reader, raw)).message == (await told(reader, raw)).message
    by_list = written("hello\n-- \nthe list", Message_ID="<x@y.example>", at=NOON)
    assert (await told(reader, by_list)).message == "x@y.example"


async def test_mails_without_an_id_are_told_apart_and_known_again(reader):
    raws = [written(f"mail {number}", Message_ID=None, at=NOON) for number in range(3)]
    first = [await told(reader, raw) for raw in raws]
    again = [await told(reader, raw) for raw in raws]
    assert len({one.message for one in first}) == len({one.conversation for one in first}) == 3
    assert [one.message for one in again] == [one.message for one in first]


async def test_copies_in_other_mailboxes_are_told(reader, memory):
    memory.others = ("email/second",)
    message = await told(reader, written(Cc="second@shop.example"))
    assert message.extra["siblings"] == ["email/second"]
    assert message.extra["cc"] == ["second@shop.example"]


async def test_a_mail_to_oneself_is_one_conversation(reader):
    raw = written("note", sender=OWN, to=OWN, Message_ID="<self@shop.example>", at=NOON)
    sent, came = await told(reader, raw, SENT), await told(reader, raw)
    assert (sent.conversation, sent.message) == (came.conversation, came.message)
    assert came.sender.role == "agent"


async def test_a_form_of_the_shop_names_the_customer_in_reply_to(reader):
    message = await told(reader, written(sender=OWN, to=OWN, Reply_To=f"Bo <{CUSTOMER}>"))
    assert (message.direction, message.sender.id, message.sender.role) == ("in", CUSTOMER, "customer")


async def test_nobody_forges_our_own_words(reader):
    message = await told(reader, written("you are refunded", sender=OWN, to=OWN))
    assert message.direction == "in"


@pytest.mark.parametrize(
    ("header", "role"),
    [("auto-replied", "bot"), ("auto-generated", "system"), ("no", "customer")],
)
async def test_automatic_mail_starts_no_clock(reader, header, role):
    message = await told(reader, written(Auto_Submitted=header))
    assert message.sender.role == role


@pytest.mark.parametrize(("date", "kept"), [(NOON, True), (NOON + 9 * MINUTE, False), (NOON - 30 * 86_400_000, False)])
async def test_a_senders_clock_counts_only_near_our_servers(reader, date, kept):
    message = await told(reader, written(at=date), Place(at=NOON))
    assert message.sent_at == (date if kept else NOON)


async def test_a_mail_without_any_time_is_refused_with_its_bytes(reader):
    raw = b"From: a@b.example\r\nSubject: x\r\n\r\nx"
    (refused,) = await reader.read(raw, Place())
    assert isinstance(refused, Refused)
    assert refused.raw == raw


async def test_one_poisonous_mail_harms_no_other(reader):
    parts = b"".join(b"--x\r\n\r\npart\r\n" for _ in range(300))
    poison = b"From: a@b.example\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n" + parts
    raws = [written(f"mail {number}") for number in range(4)]
    raws.insert(2, poison)
    found = [one for raw in raws for one in await reader.read(raw, Place(at=NOON))]
    assert [type(one) for one in found] == [Message, Message, Refused, Message, Message]
    assert found[2].raw == poison


async def test_a_very_long_text_is_cut_and_whole_beside_it(reader):
    message = await told(reader, written("ö" * 300_000))
    assert len(message.text.encode()) <= MOST_TEXT
    assert message.extra["truncated"] == 300_000
    assert message.attachments[-1].id == "text"
    assert message.attachments[-1].size == 600_000
    assert len(msgspec.json.encode(message)) < LONGEST_LINE


async def test_a_report_about_somebody_elses_mail_is_only_a_message(reader):
    raw = written("550 no such user", sender="mailer-daemon@mx.example", X_Failed_Recipients="x@y.example")
    (message,) = await reader.read(raw, Place())
    assert message.sender.role == "system"


async def test_a_report_about_our_mail_fails_it(reader, memory):
    held = Held(message="weir-1", conversation="mail-9")

    async def known(_platform, _account, mail):
        return held if mail == "weir-1@shop.example" else None

    memory.held = known
    raw = written(
        "550 5.1.1 no such user",
        sender="mailer-daemon@mx.example",
        In_Reply_To="<weir-1@shop.example>",
        Auto_Submitted="auto-replied",
    )
    message, receipt = await reader.read(raw, Place())
    assert (message.conversation, message.extra["automatic"]) == ("mail-9", "bounce")
    assert isinstance(receipt, Receipt)
    assert (receipt.message, receipt.status, receipt.error.code) == ("weir-1", "failed", "5.1.1")
    assert receipt.event


async def test_reading_twice_gives_equal_events(reader):
    raw = written("hello", Subject="x", Cc="c@d.example")
    place = Place(at=NOON)
    assert await reader.read(raw, place) == await reader.read(raw, place)


def test_nobody_may_push_mail():
    shop = bound({"address": OWN, "password": "x", "imap_host": "h", "smtp_host": "h"})
    with pytest.raises(SignatureError):
        shop.verify(WebhookRequest(method="POST", body=b"x"))


@pytest.mark.parametrize(
    ("subject", "bare", "answers"),
    [
        ("Re: Order", "order", True),
        ("RE[2]: FW: Order", "order", True),
        ("回复：订单", "订单", True),
        ("Antw: Bestellung", "bestellung", True),
        ("Order", "order", False),
        ("Regarding it", "regarding it", False),
        ("", "", False),
    ],
)
def test_marks_of_answering_are_taken_off_subjects(subject, bare, answers):
    assert bare_subject(subject) == (bare, answers)


def test_a_conversation_is_the_same_whatever_the_case_of_its_address():
    assert conversation("a@x", "Bo@Example.com") == conversation("a@x", "bo@example.com")


MIXED = b"""Content-Type: multipart/mixed; boundary=x

--x
Content-Type: text/html; charset=gbk

<p>\xcd\xcb\xbf\xee
--x
Content-Type: message/rfc822

Subject: in

b
--x
Content-Type: image/png; name*=utf-8''a
Content-Transfer-Encoding: base64

AAAA
--x--
"""
REPORT = b"""Content-Type: multipart/report; report-type=delivery-status; boundary=y
From: mailer-daemon@x.example

--y

failed
--y
Content-Type: message/delivery-status

Reporting-MTA: dns; x

Action: failed
Status: 5.1.1

--y
Content-Type: message/rfc822

Message-ID: <a@b>

x
--y--
"""
PIECES = [
    written("words", Subject="=?utf-8?B?5p2l?=", Cc="a@b.example", In_Reply_To="<x@y>", References="<a@b> <c@d>"),
    written("x" * 500, Auto_Submitted="auto-replied", Message_ID=None),
    MIXED,
    REPORT,
]
JUNK = st.sampled_from(
    [b"=?", b"?=", b"\r\n", b"\n\n", b"\0", b'"', b"<", b"\xff\xfe", b";", b"--x", b"--y--", b"%", b":"]
)


@st.composite
def mangled(draw):
    raw = draw(st.sampled_from(PIECES))
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, len(raw)))
        end = min(len(raw), at + draw(st.integers(0, 12)))
        raw = raw[:at] + draw(st.one_of(JUNK, st.binary(max_size=6))) + raw[end:]
    return raw


@HOSTILE
@given(raw=mangled())
async def test_no_mangled_mail_trips_the_reader_up(raw):
    reader = Reader("email", "shop", frozenset({OWN}), Memory())
    for one in await reader.read(raw, Place(at=NOON)):
        if isinstance(one, Refused):
            assert one.raw == raw
            assert "trips" not in one.reason, one.reason
        else:
            assert parse_event(msgspec.json.encode(one), need_at=False) == one
