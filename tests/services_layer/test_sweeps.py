"""Sweeps find what nothing told of, bring it back, and never let it pass without a trace."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from actors.events import Auth, Checkpoint, Delete, Edit, Message
from connectors.contract.calling import DeniedError, UncertainError, UnreachableError
from connectors.contract.connector import Capabilities, Refused
from connectors.contract.history import Pace, Window
from services.channels.turns import turn_of
from services.sweeps.reconciling import Task
from services.sweeps.sweeps import patience_of
from storage.channel_records import ReplyRow, SweepRow
from tests.services_layer.bazaar import DAY, HOUR, MINUTE, Bazaar, Stall, opened_town


@pytest.fixture
async def town(data_dir):
    async with opened_town(data_dir) as made:
        yield made


@pytest.fixture
def sweeper(town):
    return town.sweeper()


@pytest.fixture
async def shop(town, sweeper):
    """A channel that was bound an hour ago and swept since; it knows one message."""
    bound = town.bound()
    await sweeper.step(town.now)
    await town.pass_by(HOUR)
    await town.pushed(bound, bound.message(1, town.now))
    await town.pass_by(10 * MINUTE)
    await sweeper.step(town.now)
    await town.pass_by(15 * MINUTE)
    bound.asked.clear()
    bound.reached.clear()
    town.lines.clear()
    return bound


async def row_of(town, connector):
    return await town.store.sweep(connector.platform, connector.binding.account)


async def test_a_message_that_was_never_pushed_is_brought_back_and_leaves_a_resolved_loss(town, sweeper, shop):
    sent_at = town.now - 5 * MINUTE
    shop.shelf.append(shop.message(2, sent_at))
    await sweeper.step(town.now)
    assert (await town.texts())["m2"] == "message number 2"
    (loss,) = await town.anomalies(kind="loss")
    assert (loss.message, loss.since, loss.status, loss.resolution) == ("m2", sent_at, "resolved", "resynced")
    assert loss.evidence == {"cause": "checkpoint", "found_by": "sweep"}
    assert loss.severity == "critical"
    row = await row_of(town, shop)
    assert (row.checked, row.new, row.duplicate, row.new_ever) == (2, 1, 1, 1)
    assert (row.failing_since, row.swept_to) == (None, town.now - 2 * MINUTE)


async def test_a_sweep_that_finds_nothing_missing_tells_nothing(town, sweeper, shop):
    await sweeper.step(town.now)
    assert len(shop.asked) == 1
    assert town.lines == []
    row = await row_of(town, shop)
    assert (row.checked, row.new, row.duplicate) == (1, 0, 1)


async def test_what_may_still_be_under_way_is_not_judged(town, sweeper, shop):
    late = shop.message(2, town.now - MINUTE)
    shop.shelf.append(late)
    await sweeper.step(town.now)
    assert town.lines == []
    await town.pass_by(MINUTE)
    await town.pushed(shop, late)
    await town.pass_by(15 * MINUTE)
    await sweeper.step(town.now)
    assert await town.anomalies(kind="loss") == []
    assert await town.anomalies(kind="duplicate") == []


async def test_what_waits_in_our_own_queue_is_not_taken_for_lost(town, sweeper, shop):
    shop.shelf.append(shop.message(2, town.now - 5 * MINUTE))
    town.oldest = town.now - 6 * MINUTE
    await sweeper.step(town.now)
    assert town.lines == []


async def test_a_message_in_the_log_that_the_store_does_not_show_yet_is_no_loss(town, sweeper, shop):
    """The store lags behind the log: the detectors see the log in order, and they judge."""
    message = shop.message(2, town.now - 5 * MINUTE)
    await town.pushed(shop, message)

    async def nothing_yet(_key, _message):
        return None

    held = town.reconciler._store
    town.reconciler._store = type("Behind", (), {"__getattr__": lambda _, name: getattr(held, name)})()
    town.reconciler._store.message = nothing_yet
    await sweeper.step(town.now)
    assert await town.anomalies(kind="loss") == []


async def test_a_sweep_is_due_again_after_its_interval(town, sweeper, shop):
    await sweeper.step(town.now)
    await town.pass_by(15 * MINUTE - 1)
    await sweeper.step(town.now)
    assert len(shop.asked) == 1
    await town.pass_by(1)
    await sweeper.step(town.now)
    assert len(shop.asked) == 2


async def test_an_outage_longer_than_the_look_back_is_filled(town, sweeper, shop):
    """Thirty hours without a connection, and 25 messages meanwhile."""
    shop.failing = UnreachableError("no route")
    began = town.now
    for number in range(25):
        shop.shelf.append(shop.message(100 + number, began + number * HOUR))
    for _ in range(60):
        await sweeper.step(town.now)
        await town.pass_by(HOUR // 2)
    row = await row_of(town, shop)
    assert row.reason == "no route"
    assert row.failing_since == began
    # What was told before the connection broke off is in already; the windows are compared again from their start.
    shop.failing = None
    await sweeper.step(town.now)
    texts = await town.texts()
    assert {f"m{100 + number}" for number in range(25)} <= set(texts)
    assert len(await town.anomalies(kind="loss")) == 25
    row = await row_of(town, shop)
    assert (row.failing_since, row.reason, row.swept_to) == (None, None, town.now - 2 * MINUTE)
    assert max(window.until - window.since for window in shop.asked) <= DAY


async def test_after_a_find_a_sweep_looks_back_farther_and_then_less_far_again(town, sweeper, shop):
    await town.pass_by(6 * HOUR)
    await sweeper.step(town.now)
    depths = []
    for found in (True, True, False, False, False):
        await town.pass_by(15 * MINUTE)
        if found:
            shop.shelf.append(shop.message(len(depths) + 2, town.now - 5 * MINUTE))
        await sweeper.step(town.now)
        depths.append((shop.asked[-1].until - shop.asked[-1].since) // HOUR)
    assert depths == [1, 2, 4, 2, 1]


async def test_the_first_sweep_brings_the_past_in_without_any_trouble(town, sweeper):
    bound = town.bound()
    bound.shelf = [bound.message(day, town.now - day * DAY) for day in range(1, 10)]
    await sweeper.step(town.now)
    assert set(await town.texts()) == {f"m{day}" for day in range(1, 8)}
    told = [one for one in town.lines if isinstance(one, Message)]
    assert all(one.history and one.via == "resync" for one in told)
    assert await town.anomalies() == []
    row = await row_of(town, bound)
    assert row.new_ever == 7
    await town.pass_by(HOUR)
    bound.shelf.append(bound.message(50, town.now - 10 * MINUTE))
    await sweeper.step(town.now)
    assert [one.message for one in await town.anomalies(kind="loss")] == ["m50"]


async def test_the_past_is_gone_on_with_where_it_stopped(town, sweeper):
    bound = town.bound()
    bound.shelf = [bound.message(day, town.now - day * DAY + 1) for day in range(1, 8)]
    reached = SweepRow(platform="bazaar", account="shop-1", swept_to=town.now - 2 * DAY, cursor={"mail": 7})
    await town.store.save_sweep(reached, replaces=0)
    await sweeper.step(town.now)
    assert bound.asked[0].since == town.now - 2 * DAY
    assert set(await town.texts()) == {"m1", "m2"}
    assert (await row_of(town, bound)).cursor["mail"] == 7


async def test_what_is_older_than_the_channel_here_is_no_loss(town, sweeper, shop):
    """Platforms tell more than was asked for."""
    old = shop.message(2, town.created["bazaar", "shop-1"] - MINUTE)
    shop._is_in = lambda _one, _window: True
    shop.shelf.append(old)
    await sweeper.step(town.now)
    assert "m2" in await town.texts()
    assert await town.anomalies(kind="loss") == []


async def test_a_changed_text_becomes_a_version_and_a_recalled_message_is_marked(town, sweeper, shop):
    kept, gone = shop.message(2, town.now - 30 * MINUTE), shop.message(3, town.now - 29 * MINUTE)
    await town.pushed(shop, kept, gone)
    await town.pass_by(10 * MINUTE)
    shop.shelf = [one for one in shop.shelf if one not in (kept, gone)]
    shop.shelf += [shop.message(2, kept.sent_at, text="quite another text"), shop.recalled(gone)]
    await sweeper.step(town.now)
    await town.pass_by(15 * MINUTE)
    told = len(town.lines)
    await sweeper.step(town.now)
    assert len(town.lines) == told, "what is known is not told again"
    row = await town.store.message("bazaar/shop-1/c1", "m2")
    assert [(v["what"], v["text"]) for v in row.versions] == [
        ("sent", "message number 2"),
        ("edited", "quite another text"),
    ]
    row = await town.store.message("bazaar/shop-1/c1", "m3")
    assert [v["what"] for v in row.versions] == ["sent", "deleted"]
    assert row.versions[0]["text"] == "message number 3"
    assert await town.anomalies(kind="loss") == []


async def two_more(town, shop, **fields):
    """Messages of the same conversation, told as they came; the platform is asked about them when it is time."""
    told = [shop.message(number, town.now - (12 - number) * MINUTE, **fields) for number in (2, 3)]
    await town.pushed(shop, *told)
    await town.pass_by(5 * MINUTE)
    town.lines.clear()
    return told


async def test_a_sweep_leaves_a_line_in_the_thread_of_what_it_brought_back_and_tells_open_screens(town, shop):
    told = []

    async def tell(key, what, who, at):
        told.append((key, what, who, at))

    sweeper = town.sweeper(tell=tell)
    shop.shelf.append(shop.message(2, town.now - 5 * MINUTE))
    await sweeper.step(town.now)
    await town.pass_by(15 * MINUTE)
    await sweeper.step(town.now)
    (line,) = await town.store.audit_trail("bazaar/shop-1/c1", 10)
    assert (line.who, line.what) == ("sweep", "conversation.resynced")
    assert line.after == {"checked": 2, "new": 1, "duplicate": 1, "edited": 0, "recalled": 0}
    assert told == [("bazaar/shop-1/c1", "resynced", "sweep", line.at)]


async def versions(town, message):
    row = await town.store.message("bazaar/shop-1/c1", message)
    return [(one["what"], one["text"]) for one in row.versions]


async def test_what_a_whole_listing_lists_no_more_was_recalled_there_and_is_kept_here(town, sweeper, shop):
    gone, _ = await two_more(town, shop)
    shop.shelf.remove(gone)
    shop.asked.clear()
    await sweeper.step(town.now)
    assert set(await town.texts()) == {"m1", "m2", "m3"}
    (recalled,) = [one for one in town.lines if isinstance(one, Delete)]
    assert (recalled.message, recalled.extra) == ("m2", {"found_by": "sweep", "absent": True})
    assert [what for what, _ in await versions(town, "m2")] == ["sent", "deleted"]
    assert [one.conversation for one in shop.asked] == [None, "c1"], "it is asked about once more by itself"
    await town.pass_by(15 * MINUTE)
    town.lines.clear()
    await sweeper.step(town.now)
    assert town.lines == [], "what is known is not told again"
    assert [one.kind for one in await town.anomalies() if one.kind in {"loss", "out_of_sync"}] == []


async def test_nothing_is_concluded_from_a_conversation_that_is_not_listed_at_all(town, sweeper, shop):
    await two_more(town, shop)
    shop.shelf.clear()
    await sweeper.step(town.now)
    assert set(await town.texts()) == {"m1", "m2", "m3"}
    assert town.lines == []


async def test_nothing_is_concluded_from_a_listing_that_is_not_whole(town, sweeper, shop):
    gone, _ = await two_more(town, shop)
    shop.shelf.remove(gone)
    shop.pace = Pace(sweep_s=900, depth_s=3_600, complete=False)
    await sweeper.step(town.now)
    assert town.lines == []
    del shop.pace
    shop.shelf.append(Refused(b"?", "cannot be read"))
    await town.pass_by(15 * MINUTE)
    await sweeper.step(town.now)
    assert [one for one in town.lines if isinstance(one, Delete)] == []


async def test_what_is_listed_again_the_second_time_was_not_recalled(town, sweeper, shop):
    gone, _ = await two_more(town, shop)
    shop.shelf.remove(gone)
    listed = shop.history

    def history(window, api):
        if window.conversation is not None:
            shop.shelf.append(gone)
        return listed(window, api)

    shop.history = history
    await sweeper.step(town.now)
    assert town.lines == []


async def test_our_own_reply_and_what_a_program_told_are_never_called_recalled(town, sweeper, shop):
    at = town.now - 10 * MINUTE
    ours = {"platform": "bazaar", "account": "shop-1", "conversation": "c1", "sent_at": at}
    await town.tell(
        Message(message="weir-1", direction="out", text="waits to be sent", at=town.now, via="push", **ours),
        Message(message="told", direction="in", text="from elsewhere", at=town.now, **ours),
    )
    await two_more(town, shop)
    await sweeper.step(town.now)
    assert [one for one in town.lines if isinstance(one, Delete)] == []


async def test_a_count_of_the_whole_channel_knows_of_what_was_recalled(town, shop):
    gone, _ = await two_more(town, shop)
    shop.shelf.remove(gone)
    since, until = town.now - HOUR, town.now - 2 * MINUTE
    for _ in range(2):
        town.lines.clear()
        task = Task(window=Window(since=since, until=until), purpose="recount", total=True)
        found = await town.reconciler.compare(shop, task, town.apis.of(shop))
        (whole,) = [one for one in town.lines if isinstance(one, Checkpoint) and one.conversation is None]
        assert whole.count == 3, "as many as are held here"
    assert (found.checked, found.recalled) == (2, 0)


async def recalled(town, shop, *, after=5 * MINUTE):
    """A message of which the platform told that it was recalled; its listing does not say so."""
    gone, other = await two_more(town, shop)
    await town.pushed(shop, shop.recalled(gone))
    shop.shelf.remove(shop.recalled(gone))
    await town.pass_by(after)
    town.lines.clear()
    return gone, other


async def test_a_recalled_message_that_is_listed_again_is_a_message_again(town, sweeper, shop):
    gone, _ = await recalled(town, shop)
    await sweeper.step(town.now)
    (back,) = town.lines
    assert isinstance(back, Edit)
    assert (back.message, back.text, back.extra) == ("m2", gone.text, {"found_by": "sweep", "back": True})
    text = "message number 2"
    assert await versions(town, "m2") == [("sent", text), ("deleted", None), ("edited", text)]
    town.lines.clear()
    await town.pass_by(15 * MINUTE)
    await sweeper.step(town.now)
    assert town.lines == [], "what is known is not told again"
    for what in ("deleted", "edited", "deleted"):  # however often the platform changes its mind
        (shop.shelf.remove if what == "deleted" else shop.shelf.append)(gone)
        await town.pass_by(5 * MINUTE)
        task = Task(window=Window(since=town.now - 2 * HOUR, until=town.now - 2 * MINUTE))
        await town.reconciler.compare(shop, task, town.apis.of(shop))
        assert (await versions(town, "m2"))[-1][0] == what
    assert [one.kind for one in await town.anomalies() if one.kind in {"loss", "out_of_sync"}] == []


async def test_a_recall_of_a_moment_ago_is_believed_more_than_a_listing(town, sweeper, shop):
    await recalled(town, shop, after=MINUTE)
    await sweeper.step(town.now)
    assert [what for what, _ in await versions(town, "m2")] == ["sent", "deleted"]


async def test_a_listing_that_calls_it_recalled_itself_on_whatever_page_brings_nothing_back(town, sweeper, shop):
    gone, _ = await recalled(town, shop)
    shop.per_page = 1
    shop.shelf.append(shop.recalled(gone))
    await sweeper.step(town.now)
    assert town.lines == []
    assert [what for what, _ in await versions(town, "m2")] == ["sent", "deleted"]


async def test_a_count_of_the_whole_channel_counts_what_is_listed_again_once(town, shop):
    await recalled(town, shop)
    for expected in (1, 0):
        town.lines.clear()
        window = Window(since=town.now - HOUR, until=town.now)
        task = Task(window=window, purpose="recount", total=True)
        found = await town.reconciler.compare(shop, task, town.apis.of(shop))
        (whole,) = [one for one in town.lines if isinstance(one, Checkpoint) and one.conversation is None]
        assert (whole.count, found.edited) == (3, expected)


async def test_an_answer_of_ours_is_known_by_the_id_it_has_here(town, sweeper, shop):
    reply = ReplyRow(
        id="weir-1",
        key="bazaar/shop-1/c1",
        platform="bazaar",
        account="shop-1",
        conversation="c1",
        who="ada",
        at=town.now - 5 * MINUTE,
        due_at=0,
        idempotency_key="k",
        digest="d",
        state="sent",
        platform_message="m9",
    )
    await town.store.add_reply(reply)
    shop.shelf.append(shop.message(9, town.now - 5 * MINUTE, direction="out"))
    await sweeper.step(town.now)
    assert not [one for one in town.lines if isinstance(one, Message | Checkpoint)]
    assert (await row_of(town, shop)).new == 0


async def test_an_answer_written_elsewhere_is_a_loss_only_where_the_platform_would_have_told(town, sweeper, shop):
    answer = shop.message(2, town.now - 5 * MINUTE, direction="out")
    shop.shelf += [answer, shop.told(answer, "accepted")]
    shop.capabilities = Capabilities(history=True)
    await sweeper.step(town.now)
    assert "m2" in await town.texts()
    await town.pass_by(2 * MINUTE)
    assert await town.anomalies(kind="loss") == []
    another = shop.message(3, town.now - 5 * MINUTE, direction="out")
    shop.shelf += [another, shop.told(another, "accepted")]
    shop.capabilities = Bazaar.capabilities
    await town.pass_by(15 * MINUTE)
    await sweeper.step(town.now)
    await town.pass_by(2 * MINUTE)
    assert [(one.message, one.status) for one in await town.anomalies(kind="loss")] == [("m3", "resolved")]


async def test_an_unreadable_item_is_journalled_once(town, sweeper, shop):
    shop.shelf.append(Refused(b"{}", "an item is not an object"))
    shop._is_in = lambda _one, _window: True
    for _ in range(3):
        await sweeper.step(town.now)
        await town.pass_by(15 * MINUTE)
    assert [one.reason for one in town.lines] == ["an item is not an object"]


async def test_what_a_polled_platform_tells_is_no_loss(town, sweeper):
    stall = town.bound(Stall)
    await sweeper.step(town.now)
    await town.pass_by(MINUTE)
    stall.shelf.append(stall.message(1, town.now - 20_000))
    await sweeper.step(town.now)
    assert "m1" in await town.texts(platform="stall")
    await town.pass_by(MINUTE)
    assert await town.anomalies(kind="loss") == []
    (told,) = [one for one in town.lines if isinstance(one, Message)]
    assert (told.via, told.history) == ("poll", None)


async def test_a_history_that_hangs_is_broken_off_and_holds_nobody_up(town):
    sweeper = town.sweeper(patience=lambda _pace: 0.2)
    stuck, well = town.bound(), town.bound(account="shop-2")
    stuck.gate = asyncio.Event()
    await sweeper.step(town.now)
    assert (await row_of(town, well)).ended_at is not None
    row = await row_of(town, stuck)
    assert row.ended_at is None
    assert "broken off" in row.reason
    stuck.gate.set()
    await town.pass_by(MINUTE)
    await sweeper.step(town.now)
    assert (await row_of(town, stuck)).failing_since is None


async def test_a_sweep_hangs_after_twice_its_interval():
    assert patience_of(Pace(sweep_s=900)) == 1800
    assert patience_of(Pace(sweep_s=10)) == 60


async def test_a_channel_that_fails_is_asked_less_and_less_often(town, sweeper, shop):
    shop.failing = UncertainError("the platform answers 500")
    tried = []
    start = town.now
    for _ in range(240):
        before = len(shop.asked)
        await sweeper.step(town.now)
        if len(shop.asked) > before:
            tried.append((town.now - start) // MINUTE)
        await town.pass_by(MINUTE)
    assert tried == [0, 1, 3, 7, 15, 31, 61, 91, 121, 151, 181, 211]


async def test_a_fault_of_one_connector_leaves_the_others_alone(town, sweeper):
    broken, well = town.bound(), town.bound(account="shop-2")
    broken.failing = KeyError("data")
    await sweeper.step(town.now)
    assert (await row_of(town, well)).ended_at is not None
    assert "KeyError" in (await row_of(town, broken)).reason


async def test_a_platform_that_does_not_accept_the_authorisation_is_told_of_once(town, sweeper, shop):
    shop.failing = DeniedError("the token was taken away", revoked=True)
    for _ in range(3):
        await sweeper.step(town.now)
        await town.pass_by(HOUR)
    assert [one.status for one in town.lines if isinstance(one, Auth)] == ["revoked"]
    (lost,) = await town.anomalies(kind="channel_silent")
    assert (lost.evidence["cause"], lost.status) == ("auth", "open")
    shop.failing = None
    await sweeper.step(town.now)
    assert [one.status for one in town.lines if isinstance(one, Auth)] == ["revoked", "ok"]
    (lost,) = await town.anomalies(kind="channel_silent")
    assert lost.resolution == "authorised"


async def test_trouble_at_the_platform_never_asks_for_a_new_authorisation(town, sweeper, shop):
    for wrong in (UncertainError("500"), UnreachableError("no route"), TimeoutError()):
        shop.failing = wrong
        await sweeper.step(town.now)
        await town.pass_by(HOUR)
    assert not [one for one in town.lines if isinstance(one, Auth)]


async def test_one_process_at_a_time_sweeps_an_account(town, shop):
    one, other = town.sweeper(), town.sweeper()
    shop.gate = asyncio.Event()
    await one.begin(town.now)
    await other.begin(town.now)
    refused = list(other._running.values())
    await shop.reached.wait()
    await asyncio.wait(refused)
    assert len(shop.asked) == 1
    shop.gate.set()
    await asyncio.wait(list(one._running.values()))
    await other.step(town.now)
    assert len(shop.asked) == 1, "the other one sees that it was done"


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_is_dropped_comes_back_and_only_that_is_called_lost(town, sweeper, seed):
    chance = Random(seed)  # noqa: S311 # the same at every run
    shop = town.bound()
    await sweeper.step(town.now)
    dropped, late = set(), []
    for number in range(60):
        await town.pass_by(chance.randrange(1, 10 * MINUTE))
        due = [one for at, one in late if at <= town.now]
        late = [(at, one) for at, one in late if at > town.now]
        if due:
            await town.arrivals.take(shop, due)
        message = shop.message(number, town.now, conversation=f"c{chance.randrange(4)}")
        shop.shelf.append(message)
        fate = chance.random()
        if fate < 0.2:
            dropped.add(message.message)
        elif fate < 0.4:
            late.append((town.now + chance.randrange(1, 100_000), message))
        else:
            await town.arrivals.take(shop, [message] * (2 if fate > 0.9 else 1))
        await sweeper.step(town.now)
    await town.pass_by(2 * MINUTE)
    await town.arrivals.take(shop, [one for _, one in late])
    await town.pass_by(20 * MINUTE)
    await sweeper.step(town.now)
    held = set()
    for conversation in range(4):
        held |= set(await town.texts(f"c{conversation}"))
    assert held == {one.message for one in shop.shelf}
    losses = await town.anomalies(kind="loss")
    assert {one.message for one in losses} == dropped
    assert {(one.status, one.resolution) for one in losses} <= {("resolved", "resynced")}


async def test_a_sweeper_that_stops_leaves_nothing_running(town, sweeper, shop):
    shop.gate = asyncio.Event()
    running = asyncio.create_task(sweeper.run())
    await shop.reached.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not sweeper._running
    assert await town.locks.acquire(turn_of("bazaar/shop-1"), 1) is not None
