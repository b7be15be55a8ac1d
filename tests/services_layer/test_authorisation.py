"""Authorisations are renewed in time and looked after; only an answer that says so makes one lost."""

import asyncio

import pytest

from actors.errors import RetriableError
from connectors.contract.calling import BusyError, DeniedError, RefusedError, UncertainError, UnreachableError
from connectors.contract.history import Probe
from services.channels.standing import standing_of
from storage.errors import StoreBusyError
from tests.services_layer.harbour import DAY, HOUR, MINUTE, Deck, granted


@pytest.fixture
async def deck(store, clock):
    opened = Deck(store, clock)
    yield opened
    await opened.authorisation.stop()
    await opened.apis.close()


async def standing(deck, platform="harbour"):
    return standing_of(await deck.store.sweep(platform, "pier"))


async def test_a_sound_channel_is_told_of_once_and_probed_every_five_minutes(deck):
    await deck.binds()
    await deck.later(1)
    assert (deck.log.auths, deck.port.asked) == ([("ok", None)], ["probe"])
    await deck.later(4 * MINUTE)
    assert deck.port.asked == ["probe"]
    await deck.later(MINUTE)
    assert (deck.log.auths, deck.port.asked) == ([("ok", None)], ["probe", "probe"])
    assert (await standing(deck)).subscription == "active"


async def test_an_authorisation_is_renewed_when_a_quarter_of_its_life_is_left(deck):
    began = await deck.authorised(expires_at=deck.clock.ms + 4 * HOUR, refresh_by=deck.clock.ms + 30 * DAY)
    deck.port.renews = granted(2, expires_at=began + 8 * HOUR)
    await deck.later(3 * HOUR - MINUTE)
    assert "renew hush-refresh-1" not in deck.port.asked
    await deck.later(2 * MINUTE)
    row, settings = await deck.held()
    assert deck.port.asked[-1] == "renew hush-refresh-1"
    assert (row.expires_at, row.refresh_by) == (began + 8 * HOUR, began + 30 * DAY)
    assert settings["access_token"] == "hush-access-2"
    assert settings["app_secret"] == "hush-app"
    assert deck.log.auths[-1] == ("ok", began + 8 * HOUR)
    told = ("weir", "channel.renewed", {"settings": ["access_token", "refresh_token"], "lacking": []})
    assert (await deck.audits())[0] == told


async def test_a_short_life_is_renewed_ten_minutes_before_its_end(deck):
    began = await deck.authorised(expires_at=deck.clock.ms + 20 * MINUTE)
    deck.port.renews = granted(2, expires_at=began + 40 * MINUTE)
    await deck.later(9 * MINUTE)
    assert not [asked for asked in deck.port.asked if asked.startswith("renew")]
    await deck.later(2 * MINUTE)
    assert deck.port.asked[-1] == "renew hush-refresh-1"


async def test_of_two_processes_one_uses_what_is_good_for_once(deck):
    began = await deck.authorised(expires_at=deck.clock.ms + HOUR)
    other = deck.process()
    await deck.later(1)
    await deck.later(0, other)
    deck.port.renews = granted(2, expires_at=began + 2 * HOUR)
    deck.port.asked.clear()
    deck.port.reached.clear()
    deck.clock.ms += 50 * MINUTE
    deck.port.gate = asyncio.Event()
    first = asyncio.create_task(deck.authorisation.step(deck.clock.ms))
    await deck.port.reached.wait()
    await deck.later(0, other)
    deck.port.gate.set()
    await first
    await deck.later(0, other)
    assert [asked for asked in deck.port.asked if asked.startswith("renew")] == ["renew hush-refresh-1"]


async def test_a_renewal_that_the_store_cannot_take_yet_is_not_asked_for_again(deck, monkeypatch):
    began = await deck.authorised(expires_at=deck.clock.ms + HOUR)
    deck.port.renews = granted(2, expires_at=began + 2 * HOUR)
    real = deck.bindings._store._store.save_binding

    async def busy(*_args, **_named):
        raise StoreBusyError("the store is away")

    monkeypatch.setattr(deck.bindings._store._store, "save_binding", busy)
    await deck.later(50 * MINUTE)
    monkeypatch.setattr(deck.bindings._store._store, "save_binding", real)
    await deck.later(MINUTE)
    assert [asked for asked in deck.port.asked if asked.startswith("renew")] == ["renew hush-refresh-1"]
    assert (await deck.held())[1]["refresh_token"] == "hush-refresh-2"


async def test_a_renewal_that_comes_after_a_new_authorisation_is_dropped(deck):
    began = await deck.authorised(expires_at=deck.clock.ms + HOUR)
    deck.port.renews = granted(2, expires_at=began + 2 * HOUR)
    deck.clock.ms += 50 * MINUTE
    deck.port.gate = asyncio.Event()
    round_ = asyncio.create_task(deck.authorisation.step(deck.clock.ms))
    await deck.port.reached.wait()
    _, connector = await deck.bindings.current("harbour", "pier")
    await deck.bindings.granted("ann", connector, granted(9, expires_at=began + 9 * HOUR), "channel.authorised")
    deck.port.gate.set()
    await round_
    assert (await deck.held())[1]["access_token"] == "hush-access-9"


async def test_a_process_that_stops_keeps_what_it_was_just_granted(deck):
    began = await deck.authorised(expires_at=deck.clock.ms + HOUR)
    deck.port.renews = granted(2, expires_at=began + 2 * HOUR)
    deck.clock.ms += 50 * MINUTE
    deck.port.gate = asyncio.Event()
    await deck.authorisation.begin(deck.clock.ms)
    await deck.port.reached.wait()
    stopping = asyncio.create_task(deck.authorisation.stop())
    await asyncio.sleep(0)
    deck.port.gate.set()
    await stopping
    assert (await deck.held())[1]["access_token"] == "hush-access-2"


@pytest.mark.parametrize(("revoked", "status"), [(False, "expired"), (True, "revoked")])
async def test_a_renewal_that_is_denied_is_a_lost_authorisation_though_the_old_token_still_works(deck, revoked, status):
    await deck.authorised(expires_at=deck.clock.ms + HOUR)
    deck.port.renews = DeniedError("the grant holds no more", revoked=revoked)
    await deck.later(50 * MINUTE)
    for _ in range(20):
        await deck.later(MINUTE)
    assert [told for told, _ in deck.log.auths] == [status]
    assert "probe" in deck.port.asked
    assert (await standing(deck)).unrenewed == "the grant holds no more"


async def test_authorising_anew_resolves_it_at_the_next_look(deck):
    await deck.authorised(expires_at=deck.clock.ms + HOUR)
    deck.port.renews = DeniedError("no more")
    await deck.later(50 * MINUTE)
    _, connector = await deck.bindings.current("harbour", "pier")
    await deck.bindings.granted("ann", connector, granted(3, expires_at=deck.clock.ms + DAY), "channel.authorised")
    ends = deck.clock.ms + DAY
    await deck.later(2 * MINUTE)
    assert deck.log.auths == [("expired", None), ("ok", ends)]


@pytest.mark.parametrize(
    "trouble",
    [
        UnreachableError("no route"),
        BusyError("slow down"),
        UncertainError("the platform answers 500"),
        RefusedError("the setting `access_token` is empty", "setting_missing"),
        RetriableError("anything"),
        TimeoutError(),
        RuntimeError("a fault of the connector"),
    ],
)
async def test_a_platform_that_fails_makes_no_authorisation_lost(deck, trouble):
    await deck.authorised(expires_at=deck.clock.ms + HOUR)
    await deck.later(1)
    deck.port.renews = deck.port.probes = trouble
    for _ in range(30):
        await deck.later(2 * MINUTE)
    assert {status for status, _ in deck.log.auths} <= {"ok"}
    renewals = [asked for asked in deck.port.asked if asked.startswith("renew")]
    assert 1 <= len(renewals) <= 8, "it is tried again, less and less often"


async def test_a_denied_probe_is_told_of_once_and_a_probe_that_is_answered_again_too(deck):
    await deck.binds("quay")
    await deck.later(1)
    deck.port.probes = DeniedError("anything new they say", revoked=True)
    for _ in range(5):
        await deck.later(5 * MINUTE)
    assert deck.log.auths == [("ok", None), ("revoked", None)]
    found = await standing(deck, "quay")
    assert (found.auth, found.trouble) == ("revoked", "anything new they say")
    deck.port.probes = Probe(subscription="disabled", lacking=("read",), detail="switched off after slow answers")
    await deck.later(5 * MINUTE)
    assert deck.log.auths[-1] == ("ok", None)
    found = await standing(deck, "quay")
    assert (found.auth, found.subscription, found.lacking, found.trouble) == ("ok", "disabled", ["read"], None)


async def test_a_token_that_ran_out_unforeseen_is_renewed_before_anybody_is_called(deck):
    await deck.authorised()
    deck.port.probes = DeniedError("token expired")
    deck.port.renews = granted(2, expires_at=deck.clock.ms + DAY)
    await deck.later(1)
    assert deck.log.auths == [("ok", deck.clock.ms - 1 + DAY)]
    assert (await deck.held())[1]["access_token"] == "hush-access-2"


async def test_what_only_a_person_renews_is_told_of_a_week_and_a_day_before_its_end(deck):
    ends = deck.clock.ms + 6 * DAY + DAY + HOUR
    await deck.authorised(platform="quay", expires_at=ends)
    await deck.later(1)
    assert deck.log.auths == [("ok", ends)]
    other = deck.process()
    for _ in range(7 * 24 - 1):
        await deck.later(HOUR)
        await deck.later(1, other)
        await deck.later(1)
    assert deck.log.auths == [("ok", ends), ("expiring", ends), ("expiring", ends)]
    at = [ends - event.at for event in deck.log.events if event.status == "expiring"]
    assert 7 * DAY - 2 * HOUR <= at[0] <= 7 * DAY
    assert DAY - 2 * HOUR <= at[1] <= DAY


async def test_what_renews_itself_is_told_of_by_its_last_day_for_renewing(deck):
    began = await deck.authorised(expires_at=deck.clock.ms + HOUR, refresh_by=deck.clock.ms + 3 * DAY)
    await deck.later(1)
    await deck.later(2)
    for _ in range(12):
        await deck.later(MINUTE)
    assert deck.log.auths == [("ok", began + HOUR), ("expiring", began + 3 * DAY)]


async def test_no_token_is_in_the_log_in_the_audit_or_in_a_record(deck, capfd):
    began = await deck.authorised(expires_at=deck.clock.ms + HOUR)
    deck.port.renews = granted(2, expires_at=began + HOUR + MINUTE)
    await deck.later(50 * MINUTE)
    deck.port.renews = deck.port.probes = DeniedError("no: access_token=hush-access-2")
    await deck.later(10 * MINUTE)
    await deck.later(10 * MINUTE)
    assert "hush" not in await deck.everything_written()
    assert "hush" not in "".join(capfd.readouterr())
    assert "hush" not in repr(granted())


async def test_one_channels_trouble_is_its_own(deck, monkeypatch):
    await deck.binds()
    await deck.binds("quay")

    async def broken(_self, _api):
        raise KeyError("a fault")

    monkeypatch.setattr("tests.services_layer.harbour.Quay.probe", broken)
    await deck.later(1)
    assert [event.platform for event in deck.log.events] == ["harbour"]


async def test_a_channel_that_only_receives_has_no_trouble(deck):
    await deck.binds("quay")
    deck.port.probes = RefusedError("the channel's setting `access_token` is empty", "setting_missing")
    await deck.later(1)
    found = await standing(deck, "quay")
    assert (found.trouble, found.auth, "access_token" in found.detail) == (None, None, True)
    assert deck.log.auths == []
