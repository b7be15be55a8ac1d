"""Signatures that fail too often are told of once a spell, and are well again with the next genuine request."""

import pytest

from actors.anomaly import Anomaly
from connectors.contract.connector import Binding, SignatureError, WebhookRequest
from services.arrivals.webhooks import Webhooks
from services.channels.signature_watch import CALM_MS, MINUTE_MS, SignatureWatch
from storage.errors import StoreBusyError
from storage.records import Page
from tests.services_layer.platforms import Plain


class Anomalies:
    """The anomalies that a store would give."""

    def __init__(self):
        self.items = []
        self.asked = []

    async def anomalies(self, where, limit):
        self.asked.append(where)
        return Page(items=self.items[:limit])


class Gate(Plain):
    """Lets in whoever says `please`."""

    platform = "gate"

    def verify(self, request):
        if request.body != b"please":
            raise SignatureError("hush: the signature does not match")


class Told:
    def __init__(self):
        self.events = []
        self.failing = None

    async def __call__(self, _connector, auths):
        if self.failing is not None:
            raise self.failing
        self.events += [(auth.status, auth.extra) for auth in auths]

    @property
    def statuses(self):
        return [status for status, _ in self.events]


class Taken:
    accepted = rejected = 0

    async def take(self, _connector, _parsed):
        return self


@pytest.fixture
def told():
    return Told()


@pytest.fixture
def held():
    return Anomalies()


@pytest.fixture
def watch(held, told, clock):
    return SignatureWatch(held, told, clock)


@pytest.fixture
def asks(watch, clock):
    """So many requests to a channel, genuine or not, a second apart."""
    made = {name: Gate(Binding(account=name, url="https://weir.test")) for name in ("a", "b")}

    async def find(_platform, account):
        return made.get(account)

    webhooks = Webhooks(Taken(), find, signatures=watch)

    async def ask(count=1, body=b"let me in", account="a"):
        for _ in range(count):
            clock.ms += 1_000
            try:
                await webhooks.receive("gate", account, WebhookRequest(method="POST", body=body))
            except SignatureError:
                assert body != b"please"

    return ask


async def test_more_than_five_refusals_within_a_minute_are_told_of_once(asks, told):
    await asks(5)
    assert told.events == []
    await asks(1)
    assert told.events == [("revoked", {"reason": "signatures"})]
    await asks(50)
    assert told.statuses == ["revoked"]


async def test_refusals_that_are_far_between_are_not_told_of(asks, told, clock):
    for _ in range(20):
        await asks(1)
        clock.ms += MINUTE_MS // 5
    assert told.events == []


async def test_the_next_genuine_request_resolves_it(asks, told):
    await asks(6)
    await asks(3, b"please")
    assert told.events == [("revoked", {"reason": "signatures"}), ("ok", {"reason": "signatures"})]


async def test_channels_are_counted_each_by_itself(asks, told):
    await asks(3)
    await asks(3, account="b")
    await asks(9, b"please", account="b")
    assert told.events == []


async def test_another_spell_is_told_of_again(asks, told, clock):
    await asks(6)
    await asks(1, b"please")
    clock.ms += MINUTE_MS
    await asks(6)
    assert told.statuses == ["revoked", "ok", "revoked"]


async def test_genuine_and_wrong_requests_side_by_side_cannot_flood_the_log(asks, told, clock):
    until = clock.ms + CALM_MS - MINUTE_MS
    while clock.ms < until:
        await asks(8)
        await asks(1, b"please")
    assert told.statuses == ["revoked", "ok"]


async def test_what_could_not_be_told_is_told_later(asks, told):
    told.failing = StoreBusyError("full")
    await asks(7)
    told.failing = None
    await asks(1)
    assert told.statuses == ["revoked"]
    told.failing = StoreBusyError("full")
    await asks(1, b"please")
    told.failing = None
    await asks(1, b"please")
    assert told.statuses == ["revoked", "ok"]


async def test_a_spell_of_before_the_start_or_of_another_process_is_resolved_too(asks, told, held, clock):
    held.items = [
        Anomaly(
            id="1",
            kind="channel_silent",
            severity="critical",
            status="open",
            platform="gate",
            account="a",
            since=1,
            opened_at=1,
            evidence={"cause": "auth", "reason": "signatures"},
        )
    ]
    await asks(3, b"please")
    assert told.statuses == ["ok"]
    assert len(held.asked) == 1
    held.items = []
    clock.ms += CALM_MS
    await asks(3, b"please")
    assert (told.statuses, len(held.asked)) == (["ok"], 2)


async def test_nothing_of_a_refused_request_is_kept_or_logged_but_once_a_minute(asks, told, watch, capfd):
    await asks(59, b"hush hush")
    lines = [line for line in capfd.readouterr().out.splitlines() if "signatures fail" in line]
    assert len(lines) == 1
    assert "gate/a" in lines[0]
    await asks(10, b"hush hush")
    out = capfd.readouterr().out
    assert out.count("signatures fail") == 1
    assert "hush" not in out + "".join(lines) + repr(told.events) + repr(watch._channels)


async def test_what_a_channel_costs_is_bounded(asks, watch):
    await asks(500)
    (watched,) = watch._channels.values()
    assert len(watched.refused) <= 6
