"""AT-05: a mailbox that could not be reached for longer than anyone looks back loses nothing and doubles nothing."""

from datetime import datetime

import pytest

from tests.acceptance.mailroom import HOUR, now_ms, puts
from tests.connectors.mailing import until, written

pytestmark = pytest.mark.services
OUTAGE_MS = 30 * HOUR
MAILS = 25
TEXTS = [f"question {number}" for number in range(MAILS)]


def sent(now):
    """When the mails were sent, ms: the first thirty hours ago, the last just now."""
    return [now - OUTAGE_MS + number * OUTAGE_MS // (MAILS - 1) for number in range(MAILS)]


def instant(text):
    return int(datetime.fromisoformat(text).timestamp() * 1000)


async def meanwhile(shop, cable, look_into):
    """The outage: the mailbox cannot be reached, and mail comes into it; when each was sent."""
    cable.down()

    async def told():
        return (await shop.sweep()).get("failing_since")

    await until(told, "it is told that the mailbox cannot be read", patience_s=60)
    assert "cannot be reached" in (await shop.sweep())["reason"]
    times = [at // 1000 * 1000 for at in sent(now_ms())]
    box = look_into(shop.room.imap, shop.address)
    for text, at in zip(TEXTS, times, strict=True):
        await puts(box, written(text, to=shop.address, at=at), at=at)
    return times


async def test_thirty_hours_of_mail_come_once_each_with_the_time_they_were_sent(mailroom, cable, look_into):
    """All 25 that came meanwhile are there, each once: reading goes on where it ended. Their `sent_at` is the mail's
    date, so that the clock of whoever has waited for longer than the target is red at once, and no other. How much of
    that was the way to Weir stands at each, and all of them are one incident. That the mailbox cannot be reached is
    told for as long as it cannot.
    """
    shop = await mailroom.opens(imap_port=str(cable.port), history_days="1")
    times = await meanwhile(shop, cable, look_into)
    assert await shop.rows() == []
    cable.up()
    await shop.has(*TEXTS)
    await shop.reads_on()
    rows = await shop.rows()
    assert [row["text"] for row in rows] == TEXTS
    assert [instant(row["sent_at"]) for row in rows] == times

    async def clocks():
        states = {one["conversation"]: one["sla"] for one in await shop.conversations()}
        found = [states[row["conversation"]] for row in rows]
        return found if found == ["breached"] * (MAILS - 1) + ["ok"] else None

    await until(clocks, "those that waited for longer than the target are red")

    assert all(now_ms() - at >= row["delay_ms"] for row, at in zip(rows, times, strict=True))
    assert rows[0]["delay_ms"] >= OUTAGE_MS - 1_000
    assert sorted((row["delay_ms"] for row in rows), reverse=True) == [row["delay_ms"] for row in rows]

    async def folded():
        told = (await shop.room.weir.get("/api/v1/incidents")).raise_for_status().json()["items"]
        mine = [
            (one["kind"], one["count"]) for one in told if one["account"] == shop.account and one["kind"] == "delay"
        ]
        return mine if [count >= MAILS - 1 for _, count in mine] == [True] else None

    await until(folded, "what came late is one incident")

    async def well():
        return (await shop.sweep())["failing_since"] is None

    await until(well, "the mailbox is read again")
    await shop.balances(stored=MAILS, duplicates=0)


async def test_a_mailbox_numbered_anew_gives_no_second_copies(mailroom, cable, imap_server, look_into):
    """After a restore the server numbers all mails from 1 again (another UIDVALIDITY): the mailbox is gone through from
    its start, what came meanwhile is taken in, and what is held already is not taken in a second time.
    """
    shop = await mailroom.opens(imap_port=str(cable.port))
    box = look_into(imap_server, shop.address)
    await puts(box, *(written(text, to=shop.address) for text in TEXTS))
    await shop.has(*TEXTS)
    before = await shop.reads_on()
    cable.down()
    box.close()
    imap_server.renumber(shop.address)
    await puts(look_into(imap_server, shop.address), written("while it was away", to=shop.address))
    cable.up()
    rows = await shop.has("while it was away")

    async def anew():
        return (await shop.reads_on())["INBOX"]["validity"] != before["INBOX"]["validity"]

    await until(anew, "the mailbox is gone through under its new numbers")
    rows = await shop.rows()
    assert sorted(row["text"] for row in rows) == sorted([*TEXTS, "while it was away"])
    await shop.balances(stored=MAILS + 1, duplicates=0)
    assert await shop.anomalies("duplicate") == []
