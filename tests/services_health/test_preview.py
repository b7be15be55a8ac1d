from __future__ import annotations

import asyncio
import shutil
import sys

import pytest

from actors.errors import RejectedError
from actors.events import Attachment, AttachmentStatus, Checkpoint, Message, Notification, Receipt, Sender, Translation
from actors.thresholds import ThresholdSet
from services.errors import ConflictError
from services.health.measures import MEASURED, MeasureQuestion, Measures
from services.tuning.backtest import Backtest, Question
from services.tuning.preview import Preview, PreviewFailedError
from services.tuning.thresholds import Assignment
from storage.records import AnomalyFilter
from streams.frames import encode_frame
from streams.ports import Frame
from tests.services_health.town import START, Town, wrote
from tests.streams.machine import Machine
from tests.streams.product import Product, until

HOUR = 3_600_000


def about(kind, number, at, **more):
    return kind(platform="shopee", account="shop-sg", at=at, conversation="c1", message=f"m{number}", **more)


def a_mixed_hour():
    """Every kind of trouble but a silence, in one hour: (at, event) ascending."""
    events = []
    for n in range(60):
        at = START + n * 60_000
        late = 45_000 if n % 10 == 3 else 25_000 if n % 10 == 4 else 500
        if n % 12 != 7:
            events.append(wrote(n, at, delay=late, seq=n + 1, files=["f"] if n % 15 == 2 else []))
            events.append(
                about(Notification, n, at + (18_000 if n % 20 == 5 else 900), status="fired", medium="mobile")
            )
        if n % 15 == 2 and n < 45:
            events.append(about(AttachmentStatus, n, at + 70_000, attachment="f", status="ok"))
        if n % 6 == 0:
            events.append(wrote(1_000 + n, at + 5_000, direction="out"))
            if n % 18:
                events.append(about(Receipt, 1_000 + n, at + 6_000, status="delivered"))
        if n % 25 == 9:
            events.append(wrote(n, at + 9_000, delay=9_500, seq=n + 1))
    window = {"start": START, "end": START + 600_000}
    events.append(
        Checkpoint(platform="shopee", account="shop-sg", at=START + 700_000, conversation="c1", count=99, **window)
    )
    return sorted(events, key=lambda e: e.at)


@pytest.fixture(scope="module")
def past(tmp_path_factory):
    """The files of a town in which the mixed hour has passed."""
    path = tmp_path_factory.mktemp("past")

    async def live():
        town = Town(path)
        await town.open()
        for event in a_mixed_hour():
            await town.pass_to(event.at)
            await town.tell(event)
        await town.pass_to(START + HOUR + 600_000)
        await town.close()

    asyncio.run(live())
    return path


@pytest.fixture
async def told(past, tmp_path):
    """A town after the mixed hour."""
    shutil.copytree(past, tmp_path / "told")
    town = Town(tmp_path / "told")
    await town.open()
    town.now = START + HOUR + 600_000
    yield town
    await town.close()


def preview_of(town, **more):
    return Preview(store=town.store, reader=town.log, current=ThresholdSet, clock=town.clock, **more)


async def test_the_thresholds_in_force_find_exactly_what_was_found_live(told):
    effect = await preview_of(told).effect([], since=START, until=told.now)
    assert effect.current == effect.proposed == effect.stored
    found = {kind for kind, n in effect.stored.items() if n}
    assert found == {"delay", "loss", "duplicate", "out_of_sync", "attachment_failed", "notification_missed"}
    assert effect.events == len(a_mixed_hour())
    assert not effect.partial


async def test_a_lower_threshold_finds_more_and_changes_nothing_else(told):
    changes = [Assignment(name="delay.threshold_s", value=20)]
    effect = await preview_of(told).effect(changes, since=START, until=told.now)
    assert effect.proposed["delay"] > effect.current["delay"] == effect.stored["delay"]
    others = set(effect.current) - {"delay"}
    assert {k: effect.proposed[k] for k in others} == {k: effect.current[k] for k in others}


async def test_what_was_proposed_is_what_live_would_have_found_with_it(told, tmp_path):
    changes = [Assignment(name="notification.grace_s", value=20), Assignment(name="delay.threshold_s", value=20)]
    effect = await preview_of(told).effect(changes, since=START, until=told.now)
    other = Town(tmp_path)
    await other.open()
    other.engine.thresholds = ThresholdSet(overrides={"": {"notification.grace_s": 20, "delay.threshold_s": 20}})
    for event in a_mixed_hour():
        await other.pass_to(event.at)
        await other.tell(event)
    await other.pass_to(told.now)
    counts = await other.store.anomaly_counts(AnomalyFilter(since=START, until=told.now))
    live = {kind: sum(c.count for c in counts if c.kind == kind) for kind in effect.proposed}
    await other.close()
    assert effect.proposed == live
    assert effect.proposed["notification_missed"] < effect.current["notification_missed"]


async def test_only_the_period_is_counted_and_what_came_before_warms_the_engine_up(told):
    half = START + HOUR // 2
    preview = preview_of(told)
    first = await preview.effect([], since=START, until=half)
    second = await preview.effect([], since=half, until=told.now)
    whole = await preview.effect([], since=START, until=told.now)
    for kind in whole.stored:
        assert first.current[kind] + second.current[kind] == whole.current[kind]
    assert second.current == second.stored


async def test_a_change_of_one_platform_leaves_the_others_alone(told):
    elsewhere = [Assignment(name="delay.threshold_s", value=1, scope="ebay")]
    effect = await preview_of(told).effect(elsewhere, since=START, until=told.now)
    assert effect.proposed == effect.current


@pytest.mark.parametrize(("since", "until_"), [(START, START), (START - 32 * 86_400_000, START)])
async def test_a_period_without_length_or_without_end_is_refused(town, since, until_):
    with pytest.raises(RejectedError, match="since"):
        await preview_of(town).effect([], since=since, until=until_)


async def test_a_wrong_change_is_refused_before_anything_is_read(town):
    with pytest.raises(RejectedError, match="unknown threshold"):
        await preview_of(town).effect([Assignment(name="delay.nonsense", value=1)])


async def test_a_newer_question_of_the_same_person_ends_the_older(told):
    preview = preview_of(told)
    older = asyncio.ensure_future(preview.effect([], since=START, until=told.now, who="ann"))
    while not preview._asking:  # noqa: ASYNC110 # the moment between asking and being asked
        await asyncio.sleep(0)
    newer = await preview.effect([], since=START, until=told.now, who="ann")
    with pytest.raises(ConflictError, match="newer"):
        await older
    assert newer.events
    assert preview._asking == {}


async def test_a_question_that_is_given_up_leaves_no_process_behind(told):
    preview = preview_of(told)
    asked = asyncio.ensure_future(preview.effect([], since=START, until=told.now))
    while not preview._asking:  # noqa: ASYNC110 # the moment between asking and being asked
        await asyncio.sleep(0)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert preview._asking == {}
    assert preview._turns._value == 2


async def test_the_time_limit_gives_a_partial_answer(told):
    effect = await preview_of(told, limit_s=0).effect([], since=START, until=told.now)
    assert effect.partial
    assert 0 < effect.events < len(a_mixed_hour())


async def test_a_worker_that_dies_is_an_error_to_try_again(told, monkeypatch):
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    with pytest.raises(PreviewFailedError, match="see the log"):
        await preview_of(told).effect([], since=START, until=told.now)


async def test_a_history_of_delays_comes_from_the_minutes(told):
    history = await preview_of(told).history("delay.threshold_s", since=START, until=told.now)
    assert sum(p.count for p in history.points) == len([e for e in a_mixed_hour() if type(e) is Message]) - 3
    assert abs(max(p.largest for p in history.points) - 45_000) < 500
    assert (await preview_of(told).history("delay.threshold_s", scope="ebay", since=START)).points == []


async def test_a_history_of_receipts_comes_from_the_log(told):
    history = await preview_of(told).history("loss.outbound_grace_s", since=START, until=told.now)
    assert {(p.largest, p.count) for p in history.points} == {(1_000, 1)}
    assert len(history.points) == 6
    assert history.step_ms == 60_000


async def test_a_threshold_without_a_measure_has_no_points(told):
    assert (await preview_of(told).history("silence.probability")).points == []
    with pytest.raises(RejectedError, match="name"):
        await preview_of(told).history("nonsense")


def measured(name, *events, scope=""):
    question = MeasureQuestion(name=name, scope=scope, since=START, until=START + HOUR, step_ms=60_000)
    measures = Measures(question)
    measures.frame(0, 0, START, encode_frame(Frame(START, list(events))))
    measures.end_partition()
    return [(p.at - START, p.largest, p.count) for p in measures.findings()]


def words(number, at, text):
    return Message(
        platform="shopee",
        account="shop-sg",
        at=at,
        conversation="c1",
        message=f"m{number}",
        sent_at=at,
        direction="in",
        sender=Sender(id="u"),
        text=text,
        attachments=[Attachment(id="f")],
    )


EXAMPLES = {
    "loss.grace_s": [wrote(1, START, seq=1), wrote(3, START + 1_000, seq=3), wrote(2, START + 8_000, seq=2)],
    "loss.outbound_grace_s": [
        wrote(1, START, direction="out"),
        about(Receipt, 1, START + 7_000, status="accepted"),
        about(Receipt, 1, START + 9_000, status="delivered"),
    ],
    "duplicate.content_window_s": [words(1, START, "hello"), words(2, START + 7_000, " hello")],
    "attachment.grace_s": [
        words(1, START, "x"),
        about(AttachmentStatus, 1, START + 7_000, attachment="f", status="ok"),
    ],
    "notification.grace_s": [
        wrote(1, START),
        about(Notification, 1, START + 5_000, status="failed"),
        about(Notification, 1, START + 7_000, status="fired"),
    ],
    "translation.grace_s": [wrote(1, START), about(Translation, 1, START + 7_000, status="ok")],
    "silence.min_s": [wrote(1, START), wrote(2, START + 7_000)],
}


@pytest.mark.parametrize("name", MEASURED)
def test_every_measure_finds_the_seconds_it_is_named_after(name):
    assert measured(name, *EXAMPLES[name]) == [(0, 7_000, 1)]
    assert measured(name, *EXAMPLES[name], scope="shopee/shop-sg") == [(0, 7_000, 1)]
    assert measured(name, *EXAMPLES[name], scope="ebay") == []


def test_a_damaged_frame_is_skipped():
    question = Question(current=ThresholdSet(), proposed=ThresholdSet(), since=0, until=START)
    backtest = Backtest(question)
    backtest.frame(0, 0, START, b"torn")
    backtest.end_partition()
    assert backtest.findings().events == 0


async def test_the_real_runtime_and_the_preview_agree(data_dir):
    machine = Machine(START)
    product = await Product(data_dir, clock=machine.clock()).start()
    now = product.gateway.now
    try:
        for number in (1, 2, 5):
            message = wrote(number, START, seq=number)
            await product.gateway.submit([message])
        machine.pass_time(120_000)
        while len(await product.anomalies()) < 5:  # noqa: ASYNC110 # the ticks of the runtime have no event
            await asyncio.sleep(0.02)
        await until(lambda: not product.runtime.health().unsaved)
        preview = Preview(store=product.store, reader=product.gateway, current=ThresholdSet, clock=now)
        effect = await preview.effect([Assignment(name="loss.grace_s", value=600)], since=START - 1, until=now())
    finally:
        await product.stop()
    assert effect.current == effect.stored
    assert effect.stored["loss"] == 2
    assert effect.stored["notification_missed"] == 3
    assert effect.proposed["loss"] == 0
