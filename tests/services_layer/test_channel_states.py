"""A bound channel tells whether it works by what the store knows, and in one way to the API and the command line."""

import asyncio

import msgspec
import pytest
from msgspec.structs import replace

from actors.anomaly import Anomaly
from connectors.contract.calling import DeniedError, UncertainError
from connectors.contract.connector import Capabilities
from connectors.contract.history import Probe
from services.channels.probes import probed
from services.channels.progress import change_row
from services.channels.standing import Standing, keep, standing_of
from services.channels.states import ChannelStates
from services.channels.views import platform_view, state_view
from services.sweeps.sweeps import HISTORY_MS, OWN
from storage.channel_records import SweepRow
from storage.records import Page
from tests.services_layer.harbour import ANN, DAY, URL, Deck, Harbour


class Knowing:
    """A store that also holds these anomalies."""

    def __init__(self, store, *anomalies):
        self._store = store
        self._anomalies = list(anomalies)

    def __getattr__(self, name):
        return getattr(self._store, name)

    async def anomalies(self, where, limit):
        assert where.unresolved
        return Page(items=self._anomalies[:limit])


@pytest.fixture
async def deck(store, clock):
    opened = Deck(store, clock)
    yield opened
    await opened.apis.close()


async def states(deck, *anomalies):
    return await ChannelStates(Knowing(deck.store, *anomalies), deck.bindings).all()


async def test_nobody_knows_anything_of_a_channel_that_was_just_bound(deck):
    assert await states(deck) == []
    await deck.binds()
    (state,) = await states(deck)
    assert (state.auth, state.expires_at, state.last_in_at, state.sweep, state.oauth) == (None, None, None, None, True)
    view = state_view(state)
    assert view["state"]["subscription"] == "unknown"
    assert view["created_at"].endswith("Z")
    assert "hush" not in msgspec.json.encode(view).decode()


async def test_what_the_last_look_found_is_told(deck):
    ends = await deck.authorised(expires_at=deck.clock.ms + DAY, scopes=frozenset({"read"})) + DAY
    deck.port.probes = Probe(subscription="disabled", lacking=("push",), detail="switched off")
    await deck.later(1)
    (state,) = await states(deck)
    assert (state.auth, state.expires_at, state.lacking) == ("ok", ends, ["push", "write"])
    told = state_view(state)["state"]
    assert (told["subscription"], told["detail"], told["asked_at"] is None) == ("disabled", "switched off", False)


async def test_failing_signatures_are_those_of_the_channel(deck):
    await deck.binds()
    await deck.binds("quay")
    spell = Anomaly(
        id="1",
        kind="channel_silent",
        severity="critical",
        status="open",
        platform="quay",
        account="pier",
        since=7,
        opened_at=7,
        evidence={"cause": "auth", "reason": "signatures"},
    )
    other = replace(spell, platform="harbour", evidence={"cause": "auth", "status": "expired"})
    assert [state.signatures_since for state in await states(deck, spell, other)] == [None, 7]


@pytest.mark.parametrize(
    ("swept", "own", "part"),
    [(None, {}, 0.0), (-HISTORY_MS, {}, 0.0), (-HISTORY_MS // 2, {}, 0.5), (DAY, {}, 1.0), (0, {"since": 1}, None)],
)
async def test_how_much_of_the_past_is_fetched(deck, monkeypatch, swept, own, part):
    monkeypatch.setattr(Harbour, "capabilities", Capabilities(history=True))
    bound = await deck.binds()
    swept_to = None if swept is None else bound.created_at + swept
    row = SweepRow(platform="harbour", account="pier", cursor={OWN: own}, swept_to=swept_to)
    assert await deck.store.save_sweep(row, replaces=0)
    assert (await states(deck))[0].history == part


async def test_what_is_kept_of_a_look_leaves_the_rest_of_the_row_alone(deck):
    row = SweepRow(platform="harbour", account="pier", cursor={OWN: {"since": 3}, "uid": 9}, swept_to=5, new_ever=2)
    await deck.store.save_sweep(row, replaces=0)
    await keep(deck.store, "harbour", "pier", Standing(asked_at=4, subscription="active"))
    found = await deck.store.sweep("harbour", "pier")
    assert (found.swept_to, found.new_ever, found.cursor["uid"], found.cursor[OWN]) == (5, 2, 9, {"since": 3})
    assert standing_of(found).subscription == "active"
    assert standing_of(replace(found, cursor={"authorisation": {"asked_at": "never"}})) == Standing()


async def test_a_look_by_hand_says_what_came_of_it_and_keeps_nothing(deck):
    await deck.binds()
    _, connector = await deck.bindings.current("harbour", "pier")
    for answer, state in (
        (Probe(), "ok"),
        (Probe(auth="revoked"), "denied"),
        (DeniedError("hush-app is wrong"), "denied"),
        (UncertainError("the platform answers 500"), "unasked"),
        (TimeoutError(), "unasked"),
    ):
        deck.port.probes = answer
        found = await probed(connector, deck.apis.of(connector))
        assert found.state == state
        assert "hush" not in found.reason
    await deck.bindings.bind(ANN, "plain", "pier", URL, {})
    _, plain = await deck.bindings.current("plain", "pier")
    assert (await probed(plain, deck.apis.of(plain))).state == "unknown"
    assert (await deck.store.sweeps(), deck.log.events) == ([], [])


def test_a_platform_says_what_it_wants_and_what_can_be_done_there():
    view = platform_view(Harbour)
    assert (view["oauth"], view["grants"]) == (True, ["access_token", "refresh_token"])
    assert [setting["name"] for setting in view["settings"]][:2] == ["app_id", "app_secret"]


async def test_many_who_change_different_parts_of_a_row_at_once_lose_nothing(deck):
    async def counts(name):
        for _ in range(10):
            await change_row(
                deck.store,
                "harbour",
                "pier",
                lambda row: replace(row, cursor={**row.cursor, name: row.cursor.get(name, 0) + 1}),
            )

    await asyncio.gather(*(counts(name) for name in ("sweep", "mail", "look")))
    found = await deck.store.sweep("harbour", "pier")
    assert (found.cursor, found.version) == ({"sweep": 10, "mail": 10, "look": 10}, 30)
    assert await change_row(deck.store, "harbour", "pier", lambda row: row) == found
