"""Mails taken apart: every character set, every broken shape, quotes found and kept, HTML turned into text."""

# ruff: noqa: RUF001 # letters of many scripts are what is tested

from __future__ import annotations

import csv
import json
import re
from unicodedata import normalize

import pytest

from connectors.email import headers
from connectors.email.automatic import automatic
from connectors.email.bounces import bounce
from connectors.email.charsets import decode
from connectors.email.html_text import to_text
from connectors.email.mime import MOST_PARTS, UnreadableMailError, content_of, letter
from connectors.email.quotes import quoted_from
from tests.connectors.mailing import written

BROWSERS_WOULD_SEE = re.compile(r"</?(?:script|style|p|div|br|img|span|a|table|td|body|html)\b", re.IGNORECASE)
WITHOUT_WORDS = {"html_inline_image.eml": "商品破损，见图："}
"""What the cases leave to whoever shows the mail: its words before the picture."""


NOTHING_IN_IT = {"stalwartlabs__malformed_007.eml"}


def folded(text):
    return " ".join(normalize("NFC", text).split())


@pytest.fixture(scope="module")
def cases(public_data):
    folder = public_data / "email_charset_cases"
    lines = (folder / "expected.jsonl").read_text("utf-8").rstrip("\n").split("\n")
    return [(json.loads(line), (folder / "mails" / json.loads(line)["file"]).read_bytes()) for line in lines]


@pytest.fixture(scope="module")
def fixtures(public_data):
    folder = public_data / "email_fixtures"
    with (folder / "index.csv").open(encoding="utf-8", newline="") as index:
        return [(row, (folder / "mails" / row["file"]).read_bytes()) for row in csv.DictReader(index)]


def test_every_case_of_character_sets_gives_its_exact_subject_and_text(cases):
    assert len(cases) > 20
    for case, raw in cases:
        found = letter(raw)
        start = quoted_from(found.text)
        assert folded(found.subject) == folded(case["expect_subject"]), case["file"]
        expected = WITHOUT_WORDS.get(case["file"], case["expect_new_text"])
        assert folded(found.text[:start]) == folded(expected), case["file"]
        assert (start is not None) == case["has_quote"], case["file"]


def test_quoted_history_is_kept_in_the_text(cases):
    for case, raw in cases:
        if case["has_quote"]:
            found = letter(raw)
            assert len(found.text) > quoted_from(found.text) + 10, case["file"]


def test_every_public_mail_is_read_and_nothing_of_it_is_lost(fixtures):
    for row, raw in fixtures:
        found = letter(raw)
        assert "\ufffd" not in found.subject or b"\xef\xbf\xbd" in raw, row["file"]
        assert "\ufffd" not in found.text or b"\xef\xbf\xbd" in raw, row["file"]
        says = found.text.strip() or found.files or found.subject or found.sender
        assert says or row["kind"] != "mime" or row["file"] in NOTHING_IN_IT, row["file"]
        for file in found.files:
            content = content_of(raw, file.part)
            assert content is not None, row["file"]
            assert len(content) == file.size, row["file"]


def test_the_subjects_that_the_standard_library_reads_are_read_alike(fixtures):
    for row, raw in fixtures:
        told = row["subject_stdlib"]
        plain = not told.startswith("<undecodable") and "\ufffd" not in told and "=?" not in told
        if row["kind"] == "mime" and plain and "mailru" not in row["file"]:  # its words are cut between two words
            assert letter(raw).subject.split() == told.split(), row["file"]


def test_reports_of_mail_servers_name_the_mail_and_the_reason(fixtures):
    reports = [(row, letter(raw)) for row, raw in fixtures if row["topic"] == "bounce_or_report"]
    found = [bounce(one.mail, one.text) for _, one in reports if automatic(one.mail) == "bounce"]
    assert len(found) >= len(reports) - 3
    assert sum(one.original is not None for one in found) >= 25
    assert sum(one.reason is not None for one in found) >= 30
    assert all(one.code is None or re.fullmatch(r"[245]\.\d+\.\d+|[45]\d\d", one.code) for one in found)


def test_no_markup_is_left_of_any_html(fixtures, public_data):
    lines = (public_data / "bad_input" / "html_sanitise.jsonl").read_text("utf-8").rstrip("\n").split("\n")
    payloads = [json.loads(line)["payload"] for line in lines]
    payloads += [raw.decode("utf-8", "replace") for row, raw in fixtures if row["kind"] == "reply_html"]
    for payload in payloads:
        shown = to_text(payload)
        assert not BROWSERS_WOULD_SEE.search(shown) or "&lt;" in payload or "<!--" in payload, payload


def test_hostile_words_come_through_as_they_are(public_data):
    lines = (public_data / "bad_input" / "strings.jsonl").read_text("utf-8").rstrip("\n").split("\n")
    for line in lines:
        payload = json.loads(line)["payload"]
        whole = payload.encode("utf-8", "replace").decode()
        raw = b"Content-Type: text/plain; charset=utf-8\r\nSubject: x\r\nFrom: a@b.example\r\n\r\n" + whole.encode()
        kept = re.sub(
            "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufeff]", "", whole.replace("\r\n", "\n").replace("\r", "\n")
        )
        assert letter(raw).text.strip() == kept.strip()


@pytest.mark.parametrize(
    ("data", "declared", "text"),
    [
        ("Größe".encode("cp1252"), "iso-8859-1", "Größe"),
        ("Größe".encode(), "iso-8859-1", "Größe"),
        ("“quoted”".encode("cp1252"), "us-ascii", "“quoted”"),
        ("退款".encode("gbk"), "gb2312", "退款"),
        ("𠮷野家".encode("gb18030"), "gb2312", "𠮷野家"),
        ("我想退款，谢谢".encode("gbk"), None, "我想退款，谢谢"),
        ("お願いします".encode("cp932"), "shift_jis", "お願いします"),
        ("①②".encode("cp932"), "shift_jis", "①②"),
        ("안녕하세요".encode("cp949"), "ks_c_5601-1987", "안녕하세요"),
        ("привет".encode("koi8-r"), "koi8-r", "привет"),
        ("สวัสดี".encode("cp874"), "tis-620", "สวัสดี"),
        ("chào bạn".encode("cp1258", "replace"), "no-such-set", "ch\xe0o b?n"),
        (b"plain", "idna", "plain"),
        (b"plain", "utf-8\x00", "plain"),
        ("日本語".encode("iso2022_jp"), None, "日本語"),
        ("hello".encode("utf-16"), "utf-16", "hello"),
    ],
)
def test_bytes_are_read_as_what_they_are(data, declared, text):
    assert decode(data, declared) == text


@pytest.mark.parametrize(
    ("text", "new"),
    [
        ("Yes.\n\nOn Tue, Nov 10, 2026 at 9:12 AM Shop <s@shop.example> wrote:\n> Which size?", "Yes.\n\n"),
        ("Yes.\n\nOn Tue, Nov 10, 2026 at 9:12 AM Shop\n<s@shop.example> wrote:\n\n> Which size?", "Yes.\n\n"),
        ("Ja.\n\nAm 10.11.2026 um 09:12 schrieb Shop:\n> Welche?", "Ja.\n\n"),
        ("Oui\n\nLe mar. 10 nov. 2026 à 09:12, Shop <s@shop.example> a écrit :\n> Taille ?", "Oui\n\n"),
        ("はい\n\n2026年11月10日(火) 9:12 ショップ <s@shop.example>のメール:\n> サイズは?", "はい\n\n"),
        ("Yes\n\n-----Original Message-----\nFrom: Shop\nSent: today", "Yes\n\n"),
        ("Yes\n\n________________________________\nFrom: Shop <s@shop.example>\nSent: Tuesday", "Yes\n\n"),
        ("Yes\n> Which size?\n> And colour?", "Yes\n"),
        ("Your agent wrote 2 days ago: it is on its way. Is it?", None),
        ("> Which size?\nM please\n> And colour?\nred", None),
        ("> only quoted", None),
        ("Nothing quoted here", None),
    ],
)
def test_the_quoted_part_begins_where_history_does(text, new):
    start = quoted_from(text)
    assert (None if start is None else text[:start]) == new


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("<p>Hello</p><p>World</p>", "Hello\n\nWorld"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("<div>one</div><div>two</div>", "one\ntwo"),
        ("<a href='https://shop.example/x'>here</a>", "here (https://shop.example/x)"),
        ("<a href='https://shop.example/x'>https://shop.example/x</a>", "https://shop.example/x"),
        ("<a href='javascript:alert(1)'>here</a>", "here"),
        ("<blockquote>old</blockquote>", "> old"),
        ("<ul><li>a</li><li>b</li></ul>", "- a\n- b"),
        ("<script>alert(1)</script>after", "after"),
        ("<style>p{}</style>after", "after"),
        ("<script>never closed", "never closed"),
        ("<!-- hidden -->shown", "shown"),
        ("<!-- never closed", "never closed"),
        ("1 &lt; 2 &amp;&amp; 3 > 2", "1 < 2 && 3 > 2"),
        ("a < b", "a < b"),
        ("<img alt='a photo' src=cid:x>", "a photo"),
        ("<pre>  two\n  lines</pre>", "  two\n  lines"),
        ("<table><tr><td>a</td><td>b</td></tr></table>", "a\tb"),
        ("<p title='a > b'>x</p>", "x"),
        ("", ""),
    ],
)
def test_html_becomes_text(source, text):
    assert to_text(source) == text


@pytest.mark.parametrize(
    "piece", ["<", "<!--", "<a ", "<a x='", "<!", "<?", "<script>", "</", "<blockquote>", "&", "<script></", "<td>"]
)
def test_hostile_html_takes_no_time_that_grows_with_its_square(piece):
    to_text(piece * (400_000 // len(piece)))  # with such a growth it would take minutes


def test_a_mail_with_too_many_parts_is_refused_with_what_to_do():
    parts = b"".join(b"--x\r\n\r\npart\r\n" for _ in range(MOST_PARTS + 5))
    raw = b"Content-Type: multipart/mixed; boundary=x\r\n\r\n" + parts + b"--x--\r\n"
    with pytest.raises(UnreadableMailError, match="open it in the mailbox"):
        letter(raw)


def test_a_mail_within_a_mail_within_a_mail_is_refused_at_some_depth():
    raw = written("core")
    for _ in range(60):
        raw = b"Content-Type: message/rfc822\r\n\r\n" + raw
    with pytest.raises(UnreadableMailError, match="nested"):
        letter(raw)


@pytest.mark.parametrize("raw", [b"", b"   ", b"\r\n\r\n"])
def test_an_empty_mail_is_refused(raw):
    with pytest.raises(UnreadableMailError, match="empty"):
        letter(raw)


def test_a_cut_part_is_read_as_far_as_it_goes():
    parts = b"--x\r\n\r\nwords\r\n--x\r\nContent-Type: image/png\r\n\r\nabc"
    raw = b"Content-Type: multipart/mixed; boundary=x\r\n\r\n" + parts
    found = letter(raw)
    assert found.text == "words"
    assert [(file.part, file.mime, file.size) for file in found.files] == [("2", "image/png", 3)]


def test_names_of_files_are_single_names():
    disposition = b'Content-Disposition: attachment; filename="../../etc/pass\\"wd"\r\n'
    raw = b"Content-Type: application/pdf\r\n" + disposition + b"\r\nx"
    assert letter(raw).files[0].name == '_.._etc_pass"wd'


@pytest.mark.parametrize(
    ("header", "name"),
    [
        (b"attachment; filename*=UTF-8''%E5%8F%91%E7%A5%A8.pdf", "发票.pdf"),
        (b"attachment; filename*0*=UTF-8''%E5%8F%91; filename*1*=%E7%A5%A8.pdf", "发票.pdf"),
        (b'attachment; filename="=?utf-8?B?5Y+R56WoLnBkZg==?="', "发票.pdf"),
        ('attachment; filename="发票.pdf"'.encode(), "发票.pdf"),
        (b"attachment", "part-1"),
    ],
)
def test_names_of_files_are_read_in_every_writing(header, name):
    raw = b"Content-Type: application/pdf\r\nContent-Disposition: " + header + b"\r\n\r\nx"
    assert letter(raw).files[0].name == name


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"=?utf-8?B?5p2l?= =?utf-8?B?5LqG?=", "来了"),
        (b"=?utf-8?Q?=E6=9D?= =?utf-8?Q?=A5?=", "来"),
        (b"Re: =?iso-8859-1?Q?Gr=F6=DFe?= L", "Re: Größe L"),
        (b"=?utf-8*de?Q?x?=", "x"),
        (b"=?no-such?B?!!!?=", ""),
        (b"a\r\n b", "a b"),
        ("退款".encode("gbk"), "退款"),
    ],
)
def test_encoded_words_are_read_however_they_are_cut(value, text):
    assert headers.unfolded(value, "gbk") == text


@pytest.mark.parametrize(
    "date",
    [b"Mon, 32 Foo 99999", b"", b"(", b"Thu, 1 Jan 1970 00:00:00 +0000", b"1 Jan 9999 00:00:00 +9999", b"\xff" * 9],
)
def test_a_date_that_is_none_is_none(date):
    assert letter(b"Date: " + date + b"\r\nSubject: x\r\n\r\nx").at is None


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ({"Auto_Submitted": "auto-replied"}, "answer"),
        ({"Auto_Submitted": "auto-generated; x=y"}, "notice"),
        ({"Auto_Submitted": "no"}, None),
        ({"X_Auto_Response_Suppress": "OOF, AutoReply"}, "notice"),
        ({"X_Auto_Response_Suppress": "DR, RN"}, None),
        ({"Precedence": "bulk"}, "bulk"),
        ({"Precedence": "list"}, "list"),
        ({"List_Id": "<x.example>"}, "list"),
        ({"X_Autoreply": "yes"}, "answer"),
        ({"Return_Path": "<>"}, "notice"),
        ({}, None),
    ],
)
def test_what_no_person_wrote_is_known(header, kind):
    assert automatic(letter(written(**header)).mail) == kind


def test_a_mailer_daemon_is_known_without_a_report():
    assert automatic(letter(written(sender="MAILER-DAEMON@mx.example")).mail) == "bounce"
