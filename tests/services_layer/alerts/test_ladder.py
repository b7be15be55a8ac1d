"""What is urgent and was not opened climbs from rung to rung; what did not arrive never counts as told."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address

import pytest
from msgspec.structs import replace

from actors.keys import split_key
from connectors.contract.calling import RefusedError, UncertainError, UnreachableError
from connectors.email.settings import read_settings
from services.alerts.alerts import URGENT_MS
from services.alerts.ladder import Ladder
from services.alerts.senders import DeadAddressError, Letter, MailSender, NoWayError, WebhookSender
from storage.alert_records import AlertFilter
from tests.connectors.mailing import settings_of
from tests.services_layer.alerts.bell import KEY, NOW, Changed, message
from tests.services_layer.http_server import answer, answers, serving
from tests.storage.flushes import Flushes, stored

LETTER = Letter(subject="1 urgent", text="Arun Linh", items=[{"key": KEY}])


class Post:
    """A way that keeps its letters; to an address in `wrong` it raises what stands there."""

    def __init__(self):
        self.sent = []
        self.wrong = {}

    async def send(self, address, letter):
        if address in self.wrong:
            raise self.wrong[address]
        self.sent.append((address, letter))


@pytest.fixture
def post():
    return Post()


@pytest.fixture
def told_above():
    return []


@pytest.fixture
async def ladder(store, alerts, gate, post, told_above):
    await Flushes(store)(stored("m1", "c1", at=NOW - 5, text="Where is my parcel?"), stored("m1", "c2", at=NOW - 4))

    async def above(key):
        told_above.append(key)

    senders = {"email": post, "webhook": post}
    return Ladder(store, alerts, senders, gate.now, site="https://weir.example", escalated=above)


async def urgent(alerts, person="ann", key=KEY):
    platform, account, conversation = split_key(key)
    row = Changed(key=key, platform=platform, account=account, conversation=conversation, assignee=person, vip=True)
    found = await alerts.for_change(row, replace(message(), key=key))
    return found[0].id if found else None


async def test_before_its_time_nothing_climbs(alerts, ladder, gate, post):
    await alerts.wishes.add_way("ann", "email", "ann@example.com")
    await urgent(alerts)
    gate.time += URGENT_MS - 1
    assert await ladder.once() == 0
    assert post.sent == []


async def test_what_was_not_opened_goes_to_ones_own_address_then_to_those_above(
    alerts, ladder, gate, post, store, told_above
):
    await alerts.wishes.add_way("ann", "email", "ann@example.com")
    await alerts.wishes.add_way("sam", "email", "sam@example.com")
    name = await urgent(alerts)
    await alerts.receipt(name, "ann", "fired")
    gate.time += URGENT_MS
    assert await ladder.once() == 1
    assert [address for address, _ in post.sent] == ["ann@example.com"]
    assert "https://weir.example/inbox?tab=all&key=shopee%2Fshop%2Fc1" in post.sent[0][1].text
    assert await ladder.once() == 0
    gate.time += URGENT_MS
    assert await ladder.once() == 1
    assert [address for address, _ in post.sent] == ["ann@example.com", "sam@example.com"]
    assert told_above == [KEY]
    rungs = [(told.rung, told.status) for told in (await store.alert(name)).rungs]
    assert rungs == [("desktop", "sent"), ("email", "sent"), ("supervisor", "sent"), ("supervisor", "sent")]
    assert [(one.status, one.medium) for one in gate.events] == [("fired", "desktop"), ("fired", "email")]
    assert [row.what for row in (await store.audit(3, subject=KEY)).items] == ["alert.escalated"]
    gate.time += 10 * URGENT_MS
    assert await ladder.once() == 0


async def test_what_somebody_has_opened_climbs_no_further(alerts, ladder, gate, post):
    await alerts.wishes.add_way("ann", "email", "ann@example.com")
    await urgent(alerts)
    await alerts.opened(KEY, "ann")
    gate.time += 2 * URGENT_MS
    assert await ladder.once() == 0
    assert post.sent == []


async def test_what_somebody_else_has_answered_climbs_no_further(alerts, ladder, gate, post, store):
    await alerts.wishes.add_way("ann", "email", "ann@example.com")
    name = await urgent(alerts)
    reply = stored("m9", "c1", at=NOW + 10, direction="out", text="On its way")
    save = Flushes(store)
    save.versions[0] = (await store.mark(0)).version
    await save(reply)
    gate.time += 2 * URGENT_MS
    assert await ladder.once() == 0
    assert (post.sent, (await store.alert(name)).due_at) == ([], None)


async def test_a_muted_person_gets_no_letter_those_above_do(alerts, ladder, gate, post, store):
    await alerts.wishes.add_way("ann", "email", "ann@example.com")
    await alerts.wishes.add_way("sam", "webhook", "https://hooks.example.com/x")
    await alerts.wishes.change("ann", muted=["shopee/shop"])
    assert await urgent(alerts) is None
    gate.time += URGENT_MS
    assert await ladder.once() == 1
    assert [address for address, _ in post.sent] == ["https://hooks.example.com/x"]
    [expected] = (await store.alerts(AlertFilter(person="ann"), 5)).items
    assert (expected.fate, expected.reason) == ("excluded", "muted_by_user")


async def test_one_bad_address_stops_nobody_elses_letter_and_is_used_no_more(alerts, ladder, gate, post, store):
    post.wrong["ann@example.com"] = DeadAddressError("the mail server answers 550: no such user", "550")
    post.wrong["b@example.com"] = UncertainError("the mail server was lost before it answered")
    for address in ("ann@example.com", "b@example.com", "c@example.com"):
        await alerts.wishes.add_way("ann", "email", address)
    name = await urgent(alerts)
    gate.time += URGENT_MS
    await ladder.once()
    assert [address for address, _ in post.sent] == ["c@example.com"]
    told = [(one.status, bool(one.detail)) for one in (await store.alert(name)).rungs]
    assert told == [("failed", True), ("failed", True), ("sent", False)]
    ended = [way.ended_at is not None for way in (await alerts.wishes.of("ann")).ways]
    assert ended == [True, False, False]


async def test_when_the_last_address_is_dead_and_nobody_is_above_it_is_a_failure_of_its_own(
    alerts, ladder, gate, post, store, online
):
    online.clear()
    post.wrong["ann@example.com"] = DeadAddressError("the mail server answers 550: no such user", "550")
    await alerts.wishes.add_way("ann", "email", "ann@example.com")
    name = await urgent(alerts)
    await alerts.receipt(name, "ann", "failed", "permission_denied")
    assert await ladder.once() == 1
    assert await ladder.once() == 1
    last = (await store.alert(name)).rungs[-1]
    assert (last.rung, last.status, (await store.alert(name)).due_at) == ("supervisor", "none", None)
    assert [row.what for row in (await store.audit(3, subject=KEY)).items] == ["alert.unreachable"]
    assert [one.status for one in gate.events] == ["failed", "failed"]


async def test_after_an_outage_a_person_gets_one_letter_for_all(alerts, ladder, gate, post):
    await alerts.wishes.add_way("ann", "email", "ann@example.com")
    await urgent(alerts)
    await urgent(alerts, key="shopee/shop/c2")
    gate.time += 10 * URGENT_MS
    assert await ladder.once() == 2
    [(_, letter)] = post.sent
    assert letter.subject == "2 urgent: not opened yet"
    assert [item["key"] for item in letter.items] == [KEY, "shopee/shop/c2"]


async def test_two_processes_send_one_letter(alerts, ladder, gate, post):
    await alerts.wishes.add_way("ann", "email", "ann@example.com")
    await urgent(alerts)
    gate.time += URGENT_MS
    await asyncio.gather(ladder.once(), ladder.once())
    assert len(post.sent) == 1


async def test_trying_out_tells_of_each_address(alerts, ladder, post):
    post.wrong["b@example.com"] = UnreachableError("the mail server cannot be reached")
    for address in ("ann@example.com", "b@example.com"):
        await alerts.wishes.add_way("ann", "email", address)
    told = await ladder.try_out("ann")
    assert [(one.rung, one.status, one.detail) for one in told] == [
        ("email", "sent", None),
        ("email", "failed", "the mail server cannot be reached"),
    ]


class TestWebhooks:
    async def here(self, host, _port):
        return str(ip_address(host))

    async def sent(self, act):
        async with serving(act) as server:
            sender = WebhookSender(self.here)
            try:
                await sender.send(f"{server.url}/hook?room=1", LETTER)
            finally:
                await sender.close()
            return server.asked

    async def test_what_the_other_side_takes_is_sent(self):
        [asked] = await self.sent(answers(answer(204)))
        assert (asked.method, asked.target) == ("POST", "/hook?room=1")
        assert b'"text":"Arun Linh"' in asked.body

    @pytest.mark.parametrize(
        ("told", "kind"),
        [
            (answer(404), DeadAddressError),
            (answer(410), DeadAddressError),
            (answer(400, b'{"error":"bad"}'), RefusedError),
            (answer(500), RefusedError),
            (answer(302, location="https://elsewhere.example"), RefusedError),
            (answer(200, b"<html>log in</html>", content_type="text/html; charset=utf-8"), RefusedError),
        ],
    )
    async def test_every_other_answer_is_not(self, told, kind):
        with pytest.raises(kind):
            await self.sent(answers(told))

    async def test_a_lost_answer_is_not(self):
        async def hang_up(_asked, writer):
            writer.close()

        with pytest.raises(UncertainError):
            await self.sent(hang_up)

    async def test_nobody_there_is_not(self):
        sender = WebhookSender(self.here)
        with pytest.raises(UnreachableError):
            await sender.send("http://127.0.0.1:9/", LETTER)
        await sender.close()

    async def test_our_own_network_is_never_called(self):
        sender = WebhookSender()
        with pytest.raises(RefusedError, match="private network"):
            await sender.send("https://127.0.0.1/hook", LETTER)
        await sender.close()


class TestMails:
    @pytest.fixture
    def sender(self, imap_server, smtp_server):
        smtp_server.mailbox("ann@shop.example")
        settings = read_settings(settings_of(imap_server, smtp_server))

        async def mailbox():
            return settings

        return MailSender(mailbox)

    async def test_a_mail_that_the_server_takes_is_sent(self, sender):
        await sender.send("ann@shop.example", LETTER)

    async def test_an_address_that_the_server_does_not_know_is_dead(self, sender):
        with pytest.raises(DeadAddressError):
            await sender.send("nobody@shop.example", LETTER)

    async def test_one_that_is_put_off_is_not_sent_and_not_dead(self, sender):
        with pytest.raises(UnreachableError):
            await sender.send("later@shop.example", LETTER)

    async def test_without_a_mailbox_there_is_no_way(self):
        async def none():
            return None

        with pytest.raises(NoWayError, match="alert_mailbox"):
            await MailSender(none).send("ann@shop.example", LETTER)
