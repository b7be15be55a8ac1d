"""AT-06: a mail that cannot be read holds up no other, and is put where people see it."""

import pytest

from tests.acceptance.mailroom import puts
from tests.connectors.mailing import written

pytestmark = pytest.mark.services
TEXTS = [f"question {number}" for number in range(1, 11)]
FILES = 300


def poisoned(to):
    """A mail with far too many files, whose last part breaks off in the middle of its encoding."""
    file = b'--b\r\nContent-Type: image/png; name="%d.png"\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n'
    head = (
        f"From: buyer@example.com\r\nTo: {to}\r\nSubject: photos\r\nMessage-ID: <poison@example.com>\r\n"
        "Date: Sun, 22 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
    )
    parts = b"".join(file % number for number in range(FILES))
    return head.encode() + parts + b"--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\niVBOR"


async def test_of_ten_mails_the_fourth_is_refused_with_its_bytes_and_the_others_come(mailroom, imap_server, look_into):
    """Nine are stored. The fourth is listed by GET /api/v1/refusals with the reason and its bytes, and counts as
    rejected in the ledger; it is not tried over and over: what comes later is read, and it is listed once.
    """
    shop = await mailroom.opens()
    box = look_into(imap_server, shop.address)
    mails = [written(text, to=shop.address) for text in TEXTS]
    mails[3] = poisoned(shop.address)
    await puts(box, *mails)
    others = [text for text in TEXTS if text != TEXTS[3]]
    rows = await shop.has(*others)
    assert [row["text"] for row in rows if row["text"] not in others] == []

    await puts(box, written("later", to=shop.address))
    await shop.has("later")
    await shop.reads_on()
    (refused,) = await shop.refusals()
    assert (refused["platform"], refused["account"]) == ("email", "shop")
    assert "parts" in refused["reason"], refused["reason"]
    assert refused["size"] == len(mails[3])
    assert refused["raw"].startswith("From: ")
    assert "Subject: photos" in refused["raw"]
    await shop.balances(accepted=11, stored=10, rejected=1)
    assert await shop.anomalies("loss") == []
