"""A channel is authorised by the person who began it, within ten minutes, once; nothing of it is shown."""

import base64
import hashlib
from urllib.parse import parse_qs, urlsplit

import pytest
from msgspec.structs import replace

from actors.errors import RejectedError, RetriableError
from connectors.contract.calling import DeniedError, RefusedError, UncertainError
from services.errors import ConflictError, ForbiddenError, NotFoundError
from services.people.permissions import Caller
from storage.errors import StoreBusyError
from streams.coordination.rate_limits import LocalRateLimits
from tests.services_layer.harbour import ANN, BACK, DAY, MINUTE, URL, Deck, granted


@pytest.fixture
async def deck(store, clock):
    opened = Deck(store, clock)
    opened.port.exchanges = granted(1, scopes=frozenset({"read", "write"}), expires_at=clock.ms + DAY)
    await opened.binds()
    yield opened
    await opened.apis.close()


def state_of(address):
    return parse_qs(urlsplit(address).query)["state"][0]


async def begun(deck, caller=ANN):
    return state_of(await deck.runs.start(caller, "harbour", "pier", BACK))


async def came_back(deck, state, caller=ANN, runs=None, **query):
    return await (runs or deck.runs).finish(caller, {"state": state, "code": "hush-code"} | query)


async def test_what_is_granted_is_kept_and_told(deck):
    address = await deck.runs.start(ANN, "harbour", "pier", BACK)
    assert (await deck.held())[0].scopes is None
    deck.clock.ms += MINUTE
    done = await came_back(deck, state_of(address), runs=deck.more_runs())
    row, settings = await deck.held()
    assert (done.platform, done.account, done.lacking) == ("harbour", "pier", [])
    assert settings["access_token"] == "hush-access-1"
    assert (settings["app_secret"], row.url) == ("hush-app", URL)
    assert (row.expires_at, row.scopes) == (deck.clock.ms - MINUTE + DAY, ["read", "write"])
    assert deck.log.auths == [("ok", row.expires_at)]
    told = {"settings": ["access_token", "refresh_token"], "lacking": []}
    assert (await deck.audits())[0] == ("ann", "channel.authorised", told)
    assert deck.port.reply.redirect == BACK


async def test_the_challenge_belongs_to_the_verifier_that_is_exchanged(deck):

    address = await deck.runs.start(ANN, "harbour", "pier", BACK)
    await came_back(deck, state_of(address))
    digest = hashlib.sha256(deck.port.reply.verifier.encode()).digest()
    challenge = parse_qs(urlsplit(address).query)["code_challenge"][0]
    assert challenge == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    assert 43 <= len(deck.port.reply.verifier) <= 128
    assert deck.port.reply.verifier not in address


async def test_permissions_that_were_not_given_are_named_and_the_channel_is_kept(deck):
    deck.port.exchanges = granted(1, scopes=frozenset({"read"}))
    assert (await came_back(deck, await begun(deck))).lacking == ["write"]
    (view,) = await deck.bindings.bindings()
    assert (view.lacking, view.scopes) == (["write"], ["read"])


async def test_a_run_ends_once_in_whatever_process(deck):
    state = await begun(deck)
    await came_back(deck, state)
    for runs in (deck.runs, deck.more_runs(LocalRateLimits(deck.clock))):
        with pytest.raises((RejectedError, ConflictError)):
            await came_back(deck, state, runs=runs)
    assert deck.port.asked == ["exchange"]


async def test_a_run_that_failed_cannot_be_ended_again_either(deck):
    deck.port.exchanges = UncertainError("no answer")
    state = await begun(deck)
    with pytest.raises(RetriableError, match="again"):
        await came_back(deck, state)
    with pytest.raises(RejectedError, match="used already"):
        await came_back(deck, state)
    assert (await deck.held())[1].get("access_token") is None


async def test_a_run_lasts_ten_minutes(deck):
    state = await begun(deck)
    deck.clock.ms += 10 * MINUTE
    with pytest.raises(RejectedError, match="ten minutes"):
        await came_back(deck, state)


async def test_a_run_belongs_to_the_session_that_began_it(deck):
    state = await begun(deck)
    for other in (replace(ANN, credential="e" * 64), replace(ANN, name="bob", credential="")):
        with pytest.raises((RejectedError, ForbiddenError)):
            await came_back(deck, state, caller=other)
    assert deck.port.asked == []


@pytest.mark.parametrize("change", ["", "x", "x.y", "{0}x", "{0}.", "é", "{1}", "x" * 5000])
async def test_a_state_that_was_not_made_here_is_refused(deck, change):
    state = await begun(deck)
    with pytest.raises(RejectedError, match="not begun here"):
        await came_back(deck, change.format(state, state[:-6] + "AAAAAA"))


async def test_a_sealed_secret_of_a_channel_is_no_state(deck):
    row, _ = await deck.held()

    forged = f"{row.key}.{base64.urlsafe_b64encode(row.sealed).decode().rstrip('=')}"
    with pytest.raises(RejectedError, match="not begun here"):
        await came_back(deck, forged)


async def test_a_channel_that_was_changed_meanwhile_keeps_the_change(deck):
    state = await begun(deck)
    await deck.binds(note="new")
    with pytest.raises(ConflictError, match="changed"):
        await came_back(deck, state)


async def test_a_channel_that_was_removed_meanwhile_stays_removed(deck):
    state = await begun(deck)
    await deck.bindings.unbind(ANN, "harbour", "pier")
    with pytest.raises(NotFoundError):
        await came_back(deck, state)
    assert await deck.store.bindings() == []


@pytest.mark.parametrize("wrong", [RefusedError("the code hush-code is wrong"), DeniedError("no: hush-code")])
async def test_a_refusal_says_why_without_the_code(deck, wrong):
    deck.port.exchanges = wrong
    with pytest.raises(RejectedError, match="did not authorise") as error:
        await came_back(deck, await begun(deck))
    assert "hush" not in str(error.value)
    assert error.value.__cause__ is None


async def test_only_admins_in_a_browser_authorise(deck):
    for role, via in (("supervisor", "session"), ("agent", "session"), ("admin", "token"), ("admin", "cli")):
        caller = Caller(name="bob", role=role, via=via, credential="d" * 64)
        with pytest.raises(ForbiddenError):
            await deck.runs.start(caller, "harbour", "pier", BACK)
        with pytest.raises(ForbiddenError):
            await deck.runs.finish(caller, {"state": "x"})


async def test_what_cannot_be_authorised_in_a_browser_says_so(deck):
    await deck.bindings.bind(ANN, "plain", "pier", URL, {})
    with pytest.raises(RejectedError, match="not authorised in a browser"):
        await deck.runs.start(ANN, "plain", "pier", BACK)
    with pytest.raises(NotFoundError, match="bind it"):
        await deck.runs.start(ANN, "harbour", "other", BACK)


async def test_a_channel_is_authorised_though_the_log_takes_nothing_now(deck):
    deck.log.failing = StoreBusyError("full")
    assert (await came_back(deck, await begun(deck))).lacking == []
    assert (await deck.held())[1]["access_token"] == "hush-access-1"


async def test_nothing_of_a_run_is_in_a_record_or_a_log(deck, capfd):
    state = await begun(deck)
    await came_back(deck, state)
    written = await deck.everything_written() + "".join(capfd.readouterr())
    for secret in ("hush", state, deck.port.reply.verifier):
        assert secret not in written
