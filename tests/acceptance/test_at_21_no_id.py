"""AT-21: mails without a Message-ID are told apart, and each is known when it comes again."""

import pytest

from tests.acceptance.mailroom import now_ms, puts
from tests.connectors.mailing import written

pytestmark = pytest.mark.services
TEXTS = ["Where is my parcel?", "The colour is wrong.", "Do you have it in blue?"]


async def test_three_mails_fetched_twice_are_three_messages_in_three_conversations(
    mailroom, imap_server, cable, look_into
):
    """They have an empty Message-ID or none. Fetched again, under new numbers, each is known by what it says: nothing
    is added, and the second delivery is counted as a duplicate.
    """
    shop = await mailroom.opens(imap_port=str(cable.port))
    box = look_into(imap_server, shop.address)
    for number, text in enumerate(TEXTS):
        at = now_ms() - 60_000 * (3 - number)
        mail = written(text, sender=f"b{number}@example.com", to=shop.address, at=at, Message_ID=None)
        await puts(box, mail if number else b"Message-ID: <>\r\n" + mail)
    await shop.has(*TEXTS)
    before = await shop.reads_on()
    first = known(await shop.rows())
    assert len({message for message, _, _ in first}) == 3
    assert len({conversation for _, conversation, _ in first}) == 3

    cable.down()
    box.close()
    imap_server.renumber(shop.address)
    await puts(look_into(imap_server, shop.address), written("a fourth", to=shop.address))
    cable.up()
    await shop.has("a fourth")
    after = await shop.reads_on()
    assert after["INBOX"]["validity"] != before["INBOX"]["validity"]
    await shop.balances(stored=4, duplicates=3)
    assert [one for one in known(await shop.rows()) if one[2] in TEXTS] == first


def known(rows):
    return [(row["message"], row["conversation"], row["text"]) for row in rows]
