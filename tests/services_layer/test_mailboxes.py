"""Bound mailboxes are read on a real server: everything once, whatever ends, breaks, or is read elsewhere."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from time import time

import pytest

from actors.events import Auth, Message, Rejected
from connectors.email.connector import Email
from connectors.email.threads import Clues, Held, Note
from services.arrivals.mail_threads import MailThreads
from services.arrivals.mailboxes import Mailboxes
from storage.channel_records import ReplyRow
from tests.connectors.mailing import CUSTOMER, Box, bound, settings_of, until, written
from tests.services_layer.bazaar import Town2

pytestmark = pytest.mark.services
DAY = 86_400_000


@pytest.fixture
async def town(data_dir):
    made = Town2(data_dir)
    made.now = int(time() * 1000)
    await made.open()
    made.parts()
    made.threads = MailThreads(made.store)
    yield made
    await made.apis.close()
    await made.close()


@pytest.fixture
def settings(imap_server, smtp_server):
    return settings_of(imap_server, smtp_server)


@pytest.fixture
def box(imap_server, settings):
    made = Box(imap_server, settings["address"])
    yield made
    made.close()


def bind(town, settings, *, account="shop", threads=None):
    connector = bound(settings, account=account, kind=Email.with_threads(threads or town.threads))
    town.connectors[("email", account)] = connector
    town.created[("email", account)] = town.now
    return connector


@asynccontextmanager
async def reading(town, **options):
    named = {"store": town.store, "channels": town, "arrivals": town.arrivals, "locks": town.locks, "now": town.clock}
    mailboxes = Mailboxes(**(named | {"idle_s": 20.0} | options))
    task = asyncio.create_task(mailboxes.run())
    try:
        yield mailboxes
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def mails(town):
    return [line for line in town.lines if isinstance(line, Message)]


async def come(town, count):
    return await until(lambda: len(mails(town)) >= count and mails(town), f"{count} mails are taken in")


async def cursor(town, account="shop"):
    row = await town.store.sweep("email", account)
    return None if row is None else row.cursor.get("mailbox", {}).get("INBOX")


async def read_whole(town, uid):
    async def so():
        found = await cursor(town)
        return found is not None and found["uid"] >= uid

    await until(so, f"the cursor stands at {uid}")


async def test_what_lay_there_is_history_and_what_comes_is_told_at_once(town, settings, box):
    box.put(written("before"))
    bind(town, settings)
    async with reading(town):
        (before,) = await come(town, 1)
        assert (before.text, before.history, before.via) == ("before", True, "poll")
        await read_whole(town, 1)
        await asyncio.to_thread(box.put, written("after"))
        found = await come(town, 2)
        assert (found[1].text, found[1].history, found[1].via) == ("after", None, "push")
    assert box.seen() == []


async def test_mail_that_somebody_opened_elsewhere_comes_in_all_the_same(town, settings, box):
    bind(town, settings)
    async with reading(town):
        await read_whole(town, 0)
    for number in range(6):
        box.put(written(f"mail {number}"))
    box.see(2)
    box.see(5)
    async with reading(town):
        found = await come(town, 6)
        await read_whole(town, 6)
    assert [one.text for one in found] == [f"mail {number}" for number in range(6)]
    assert box.seen() == [b"2", b"5"]


async def test_after_an_outage_of_any_length_reading_goes_on_where_it_was(town, settings, box):
    bind(town, settings)
    box.put(written("first"))
    async with reading(town):
        await come(town, 1)
        await read_whole(town, 1)
    for number in range(25):
        box.put(written(f"mail {number}", at=town.now - 30 * 3_600_000 + number))
    async with reading(town):
        found = await come(town, 26)
        await read_whole(town, 26)
    assert [one.text for one in found[1:]] == [f"mail {number}" for number in range(25)]
    assert not any(one.history for one in found[1:])
    stored = await town.store.counts()
    assert stored["email/shop"]["stored"] == 26


async def test_a_process_that_ended_before_its_cursor_was_kept_loses_and_doubles_nothing(town, settings, box):
    bind(town, settings)
    async with reading(town):
        await read_whole(town, 0)
    for number in range(3):
        box.put(written(f"mail {number}"))
    real, failed = town.store.save_sweep, []

    async def failing(row, **of):
        if mails(town) and not failed:
            failed.append(row)
            raise ConnectionAbortedError("the process ends here")
        return await real(row, **of)

    town.store.save_sweep = failing
    async with reading(town, sleep=nap):
        await read_whole(town, 3)
    assert failed
    assert (await town.store.counts())["email/shop"]["stored"] == 3


async def nap(seconds):
    await asyncio.sleep(min(seconds, 0.05))


async def test_a_mailbox_numbered_anew_is_read_again_and_nothing_comes_twice(town, settings, box, imap_server):
    bind(town, settings)
    async with reading(town):
        await read_whole(town, 0)
        for number in range(4):
            await asyncio.to_thread(box.put, written(f"mail {number}"))
        await come(town, 4)
        await read_whole(town, 4)
    before = await cursor(town)
    imap_server.renumber(settings["address"])
    fresh = Box(imap_server, settings["address"])
    fresh.put(written("after"))
    fresh.close()
    threads = MailThreads(town.store)  # as another process would: nothing remembered
    bind(town, settings, threads=threads)
    async with reading(town):
        found = await come(town, 5)
        await until_validity(town, before["validity"])
    assert sorted(one.text for one in found) == ["after", "mail 0", "mail 1", "mail 2", "mail 3"]
    assert found[-1].via == "resync"


async def until_validity(town, old):
    async def so():
        found = await cursor(town)
        return found is not None and found["validity"] != old and found["uid"] >= 5

    await until(so, "everything is read under the new numbers")


async def test_one_poisonous_mail_holds_nothing_up(town, settings, box):
    parts = b"".join(b"--x\r\nContent-Type: image/png\r\n\r\nabc\r\n" for _ in range(300))
    poison = b"From: a@b.example\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n" + parts
    bind(town, settings)
    async with reading(town):
        await read_whole(town, 0)
        for number in range(10):
            await asyncio.to_thread(box.put, poison if number == 3 else written(f"mail {number}"))
        await come(town, 9)
        await read_whole(town, 10)
    (refused,) = [line for line in town.lines if isinstance(line, Rejected)]
    assert "parts" in refused.reason
    assert refused.raw.startswith(b"From: a@b.example")


async def test_a_mail_that_the_server_cannot_give_holds_nothing_up(town, settings, box, imap_server):
    bind(town, settings)
    async with reading(town):
        await read_whole(town, 0)
    for number in range(5):
        box.put(written(f"mail {number}"))
    broken = sorted((imap_server.mails / settings["address"]).glob("*/*S=*"))[2]
    size = broken.stat().st_size
    broken.chmod(0)
    async with reading(town, sleep=nap):
        await read_whole(town, 5)
    broken.chmod(0o600)
    assert size
    assert len(mails(town)) == 4
    (refused,) = [line for line in town.lines if isinstance(line, Rejected)]
    assert "FETCH" in refused.reason


async def test_a_server_that_goes_away_is_come_back_to(town, settings, imap_server):
    bind(town, settings)
    async with reading(town, sleep=nap):
        await read_whole(town, 0)
        await asyncio.to_thread(imap_server.kill)

        async def failing():
            row = await town.store.sweep("email", "shop")
            return row.failing_since is not None and row.reason

        await until(failing, "the trouble is told of")
        await asyncio.to_thread(imap_server.start)

        async def well():
            return (await town.store.sweep("email", "shop")).failing_since is None

        await until(well, "it is read again")
        again = Box(imap_server, settings["address"])
        await asyncio.to_thread(again.put, written("after"))
        assert (await come(town, 1))[0].text == "after"
        again.close()


async def test_a_server_that_hangs_is_given_up_and_come_back_to(town, settings, imap_server, monkeypatch):
    monkeypatch.setattr("connectors.email.imap.TIMEOUT_S", 0.5)
    bind(town, settings)
    async with reading(town, sleep=nap, idle_s=0.2):
        await read_whole(town, 0)
        imap_server.pause()

        async def failing():
            row = await town.store.sweep("email", "shop")
            return row.failing_since is not None

        await until(failing, "the hanging server is told of")
        imap_server.resume()
        again = await asyncio.to_thread(Box, imap_server, settings["address"])
        await asyncio.to_thread(again.put, written("after"))
        assert (await come(town, 1))[0].text == "after"
        again.close()


async def test_a_password_that_is_not_accepted_is_told_once_and_again_when_it_is(town, settings):
    wrong = bind(town, settings | {"password": "wrong-password"})
    async with reading(town, sleep=nap) as mailboxes:
        await until(lambda: auths(town), "it is told")
        await until(failures(mailboxes), "it was tried again")
    assert auths(town) == ["expired"]
    assert wrong.mail.password == "wrong-password"
    row = await town.store.sweep("email", "shop")
    assert "wrong-password" not in row.reason
    bind(town, settings)
    async with reading(town):
        await until(lambda: "ok" in auths(town), "it is accepted again")
    assert auths(town) == ["expired", "ok"]


def auths(town):
    return [line.status for line in town.lines if isinstance(line, Auth)]


def failures(mailboxes):
    seen = []
    mailboxes.observe = lambda what, _: seen.append(what)
    return lambda: len(seen) > 3


async def test_two_processes_read_a_mailbox_once(town, settings, box):
    bind(town, settings)
    async with reading(town), reading(town):
        await read_whole(town, 0)
        for number in range(5):
            await asyncio.to_thread(box.put, written(f"mail {number}"))
        await come(town, 5)
        await read_whole(town, 5)
    assert len(mails(town)) == 5


async def test_a_mail_to_two_of_our_mailboxes_is_one_in_each(town, imap_server, smtp_server):
    one, other = (settings_of(imap_server, smtp_server) for _ in range(2))
    raw = written("to both", to=one["address"], Cc=other["address"], Message_ID="<both@example.com>")
    bind(town, one, account="one")
    bind(town, other, account="other")
    for settings in (one, other):
        box = Box(imap_server, settings["address"])
        box.put(raw)
        box.close()
    async with reading(town):
        found = await come(town, 2)
    assert {one.account for one in found} == {"one", "other"}
    assert [one.extra.get("siblings") for one in found].count(None) <= 1


async def test_threads_are_found_in_the_store_by_a_process_that_remembers_nothing(town, settings, box):
    bind(town, settings)
    box.put(written("first", Message_ID="<first@example.com>", Subject="Order 7", at=town.now - DAY))
    async with reading(town):
        (first,) = await come(town, 1)
        await read_whole(town, 1)
    threads = MailThreads(town.store)
    held = await threads.held("email", "shop", "first@example.com")
    assert (held.conversation, held.content) == (first.conversation, first.extra["content"])
    assert await threads.held("email", "else", "first@example.com") is None
    assert await threads.find("email", "shop", Clues(ids=["no@x", "first@example.com"])) == first.conversation
    assert await threads.find("email", "shop", Clues(token=first.conversation)) == first.conversation
    assert await threads.find("email", "shop", Clues(token="mail-" + "0" * 24)) is None
    weak = Clues(subject="order 7", sender=CUSTOMER, at=town.now)
    assert await threads.find("email", "shop", weak) == first.conversation
    assert (
        await threads.find("email", "shop", Clues(subject="order 7", sender=CUSTOMER, at=town.now + 90 * DAY)) is None
    )
    assert await threads.siblings("email", "else", "first@example.com") == ["email/shop"]


async def test_our_own_replies_are_held_under_their_own_ids(town):
    row = ReplyRow(
        id="weir-7",
        key="email/shop/mail-7",
        platform="email",
        account="shop",
        conversation="mail-7",
        who="ada",
        at=town.now,
        due_at=town.now,
        idempotency_key="k",
        digest="d",
    )
    await town.store.add_reply(row)
    held = await MailThreads(town.store).held("email", "shop", "weir-7@shop.example")
    assert (held.message, held.conversation) == ("weir-7", "mail-7")
    assert await MailThreads(town.store).held("email", "other", "weir-7@shop.example") is None


async def test_only_the_latest_mails_are_remembered(town):
    threads = MailThreads(town.store, remembered=2)
    for number in range(4):
        held = Held(message=f"m{number}", conversation="mail-1")
        threads.note("email", "shop", Note(id=f"m{number}", held=held, subject="", counterpart=""))
    assert [await threads.held("email", "shop", f"m{number}") is not None for number in range(4)] == [
        False,
        False,
        True,
        True,
    ]
    assert await threads.siblings("email", "else", "m3") == ["email/shop"]
    assert await threads.siblings("email", "else", "m0") == []
