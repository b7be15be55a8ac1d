"""The book of labels and words: versions, what is refused, and how other processes hear of it."""

from __future__ import annotations

import asyncio

import pytest

from actors.errors import RejectedError
from services.errors import ConflictError
from services.labels.book import LabelsInForce
from services.labels.words import BUILT_IN, SENSITIVE
from services.tuning import following
from services.tuning.following import Following
from storage.label_records import Label, OwnWords
from streams.bus import LocalBus

CLUB = Label(id="vip_club", names={"en": "VIP club", "zh": "贵宾"}, colour="accent")
WORDS = OwnWords(lang="en", label="vip_club", added=["gold club"])


@pytest.fixture
async def labels(store, now):
    made = LabelsInForce(store, now)
    await made.load()
    return made


async def test_without_a_book_everything_is_as_packaged(labels):
    assert [label.id for label in labels.labels()] == list(BUILT_IN)
    assert labels.book.version == 0


async def test_a_custom_label_and_its_words_are_used_at_once_and_noted(labels, store):
    book = await labels.save([CLUB], [WORDS], who="ann", expected=0)
    assert book.version == 1
    assert labels.labels()[-1] == CLUB
    assert labels.labeller.label("is this for the gold club?").labels == ("vip_club",)
    row = (await store.audit(1)).items[0]
    assert (row.who, row.what, row.subject) == ("ann", "labels.saved", "labels")
    assert row.after["labels"][0]["id"] == "vip_club"


async def test_a_label_that_is_switched_off_is_given_no_more(labels):
    await labels.save([Label(id="refund", active=False)], [], who="ann")
    assert "refund" not in labels.labeller.label("I want a refund of my money").labels


async def test_words_that_are_switched_off_count_no_more(labels):
    await labels.save([], [OwnWords(lang="zh", label=SENSITIVE, off=["曝光"], added=["上热搜"])], who="ann")
    assert not labels.labeller.label("我要曝光你们这家店").sensitive
    assert labels.labeller.label("我要让你们上热搜").sensitive


async def test_of_two_who_change_the_book_at_once_one_is_told(labels, store, now):
    other = LabelsInForce(store, now)
    await other.load()
    await labels.save([CLUB], [], who="ann", expected=0)
    with pytest.raises(ConflictError, match="read again"):
        await other.save([], [], who="bob", expected=0)
    assert other.labels()[-1] == CLUB


@pytest.mark.parametrize(
    ("labels_", "words", "why"),
    [
        ([Label(id="VIP", names={"en": "x"})], [], "a-z"),
        ([Label(id=SENSITIVE, names={"en": "x"})], [], "not be sensitive"),
        ([Label(id="x" * 41, names={"en": "x"})], [], "40"),
        ([CLUB, CLUB], [], "twice"),
        ([Label(id="club")], [], "name in one language"),
        ([Label(id="club", names={"en": " "})], [], "printable"),
        ([Label(id="club", names={"fr": "Club"})], [], "en and zh"),
        ([Label(id="club", names={"en": "x"}, colour="#f00")], [], "colour"),
        ([], [WORDS], "no such label"),
        ([CLUB], [WORDS, WORDS], "twice"),
        ([CLUB], [OwnWords(lang="xx", label="vip_club", added=["a"])], "language"),
        ([CLUB], [OwnWords(lang="en", label="vip_club", added=[" * _ "])], "not only"),
        ([CLUB], [OwnWords(lang="en", label="vip_club", added=["x" * 81])], "80"),
        ([CLUB], [OwnWords(lang="en", label="vip_club", added=["a _ b _ c _ d"])], "gaps"),
        ([CLUB], [OwnWords(lang="en", label="vip_club", added=[f"w{n}" for n in range(501)])], "500"),
    ],
)
async def test_what_is_no_label_or_word_is_refused_with_a_reason(labels, labels_, words, why):
    with pytest.raises(RejectedError, match=why):
        await labels.save(labels_, words, who="ann")
    assert labels.book.version == 0


async def test_an_added_pattern_cannot_hang_the_labeller(labels):
    hostile = OwnWords(lang="en", label="refund", added=["a* _ a* _ b*", "(((", "[a-", "\\", "x _ y"])
    await labels.save([], [hostile], who="ann")
    assert labels.labeller.label("a " * 900 + "c").labels in {("other",), ()}


@pytest.mark.parametrize("bus_works", [True, False])
async def test_a_change_reaches_the_other_processes(store, now, monkeypatch, bus_works):
    if bus_works:
        monkeypatch.setattr(following, "PERIOD_S", 3600)
    buses = [LocalBus()] * 2 if bus_works else [LocalBus(), LocalBus()]
    here, there = LabelsInForce(store, now), LabelsInForce(store, now)
    running = [
        asyncio.create_task(Following(one, bus, "labels").run()) for one, bus in zip((here, there), buses, strict=True)
    ]
    await asyncio.sleep(0)
    await here.save([CLUB], [WORDS], who="ann")
    async with asyncio.timeout(60):
        while there.book.version != 1:  # noqa: ASYNC110 # what is waited for has no event
            await asyncio.sleep(0.005)
    assert there.labeller.label("is this for the gold club?").labels == ("vip_club",)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
