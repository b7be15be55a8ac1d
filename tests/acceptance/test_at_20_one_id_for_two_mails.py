"""AT-20: a sender gives two different mails the same Message-ID; neither is taken for a copy of the other."""

import pytest

from tests.acceptance.mailroom import DAY, now_ms, puts
from tests.connectors.mailing import written

pytestmark = pytest.mark.services
FIRST, SECOND = "Your parcel arrives on Friday.", "Your parcel could not be delivered."


async def test_both_are_kept_and_the_second_says_whose_id_it_has(mailroom, imap_server, cable, look_into):
    """Eight days apart, with another text: both are there, each under an id of its own, and the second is marked with
    the id that it reuses. Reading them again, under new numbers, changes nothing, and neither is marked as seen.
    """
    shop = await mailroom.opens(imap_port=str(cable.port))
    box = look_into(imap_server, shop.address)
    then = now_ms() - 8 * DAY
    named = {"to": shop.address, "sender": "noreply@parcels.example", "Message_ID": "<parcel@parcels.example>"}
    await puts(box, written(FIRST, at=then, Subject="Your parcel", **named), at=then)
    await shop.has(FIRST)
    await puts(box, written(SECOND, Subject="Your parcel", **named))
    await shop.has(FIRST, SECOND)
    before = await shop.reads_on()
    await check(shop)
    assert box.seen() == []

    cable.down()
    box.close()
    imap_server.renumber(shop.address)
    again = look_into(imap_server, shop.address)
    await puts(again, written("something else", to=shop.address))
    cable.up()
    await shop.has("something else")
    after = await shop.reads_on()
    assert after["INBOX"]["validity"] != before["INBOX"]["validity"]
    await shop.balances(stored=3, duplicates=0)
    await check(shop)
    assert again.seen() == []


async def check(shop):
    first, second = [row for row in await shop.rows() if row["text"] in {FIRST, SECOND}]
    assert (first["text"], second["text"]) == (FIRST, SECOND)
    assert first["message"] == "parcel@parcels.example"
    assert second["message"] != first["message"]
    assert "reused_id" not in first["extra"]
    assert second["extra"]["reused_id"] == first["message"]
