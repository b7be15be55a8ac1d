"""AT-13: mail that somebody opened in the mailbox before Weir came is taken in like any other."""

import pytest

from tests.acceptance.mailroom import puts
from tests.connectors.mailing import written

pytestmark = pytest.mark.services
TEXTS = [f"question {number}" for number in range(1, 7)]


async def test_of_six_mails_two_are_open_and_all_six_come(mailroom, imap_server, cable, look_into):
    """Six new mails lie there when Weir comes back, two of them read by a person meanwhile: the server has 6 and Weir
    has 6, and whether a mail is read stays in the mailbox as that person left it.
    """
    shop = await mailroom.opens(imap_port=str(cable.port))
    box = look_into(imap_server, shop.address)
    cable.down()
    await puts(box, *(written(text, to=shop.address) for text in TEXTS))
    for number in (2, 5):
        box.see(number)
    cable.up()
    rows = await shop.has(*TEXTS)
    await shop.reads_on()
    assert sorted(row["text"] for row in rows) == TEXTS
    assert box.count() == len(rows) == 6
    assert box.seen() == [b"2", b"5"]
    await shop.balances(stored=6, rejected=0)
