"""Notes and drafts: kept once, told whom they are for, and nobody else's."""

import asyncio

import pytest

from actors.errors import RejectedError
from services.errors import ConflictError, ForbiddenError, NotFoundError
from services.inbox.drafts import Drafts, Written
from services.inbox.notes import Notes, mentioned
from services.people.permissions import Caller
from storage.channel_records import ReplyFile
from storage.records import AuditRow, User
from tests.services_layer.desk import AGENT, VIEWER
from tests.services_layer.postal import KEY

BEN = Caller(name="ben", role="agent", via="session")


@pytest.fixture
def news():
    return []


@pytest.fixture
def notes(desk, news):
    async def tell(*told):
        news.append(told)

    return Notes(desk.store, desk.clock, tell)


async def known(desk, *names):
    for name in names:
        user = User(id=name, name=name, role="agent", password_hash="x", created_at=0)
        await desk.store.put_user(user, AuditRow(at=0, who="test", what="user.created", subject=name))


async def test_a_note_asked_for_again_is_the_first_one_and_everybody_hears_of_it_once(desk, notes, news):
    first = await notes.add(AGENT, KEY, "ask the warehouse", "k1")
    desk.clock.ms += 12_000
    assert await notes.add(AGENT, KEY, "ask the warehouse", "k1") == first
    assert await desk.store.notes(KEY, 9) == [first]
    assert news == [(KEY, "note.added", "mei", first.at)]
    [row] = await desk.store.audit_trail(KEY, 9)
    assert (row.what, row.after) == ("note.added", {"note": first.id, "mentions": []})


async def test_many_at_once_keep_one_note(desk, notes, news):
    await asyncio.gather(*(notes.add(AGENT, KEY, "once", "k1") for _ in range(9)))
    assert len(await desk.store.notes(KEY, 9)) == 1
    assert len(await desk.store.audit_trail(KEY, 9)) == 1
    assert len({told[:2] for told in news}) == 1


async def test_another_note_under_the_same_key_is_a_conflict_and_another_persons_is_none(notes):
    await notes.add(AGENT, KEY, "one", "k1")
    with pytest.raises(ConflictError, match="another note"):
        await notes.add(AGENT, KEY, "two", "k1")
    assert (await notes.add(BEN, KEY, "two", "k1")).text == "two"


@pytest.mark.parametrize(
    ("caller", "key", "text", "name", "error", "why"),
    [
        (VIEWER, KEY, "x", "k", ForbiddenError, "reply"),
        (AGENT, KEY, " \n", "k", RejectedError, "says something"),
        (AGENT, KEY, "x" * 20_001, "k", RejectedError, "20000"),
        (AGENT, KEY, "x", "", RejectedError, "Idempotency-Key"),
        (AGENT, KEY, "x", "ключ", RejectedError, "Idempotency-Key"),
        (AGENT, KEY + "x", "x", "k", NotFoundError, "no conversation"),
    ],
)
async def test_what_is_no_note_is_told_why(desk, notes, caller, key, text, name, error, why):
    with pytest.raises(error, match=why):
        await notes.add(caller, key, text, name)
    assert await desk.store.notes(KEY, 9) == []


async def test_who_is_mentioned_is_told_by_name(desk, notes):
    await known(desk, "ben", "Ada Lin", "李伟", "ann")
    kept = await notes.add(AGENT, KEY, "@BEN and @ada lin, see @李伟的 note; not @anna, not ann", "k1")
    assert kept.mentions == ["ben", "Ada Lin", "李伟"]


def test_the_longest_name_that_fits_is_meant():
    assert mentioned("@Ann Lee @ann!", ["Ann", "Ann Lee"]) == ["Ann Lee", "Ann"]
    assert mentioned("a@ann @", ["ann", "bob"]) == ["ann"]
    assert mentioned("", ["ann"]) == []


async def test_a_draft_is_ones_own_and_the_last_writer_wins(desk):
    drafts = Drafts(desk.store, desk.clock)
    file = ReplyFile(digest="0" * 64, name="a.png", mime="image/png", size=1)
    kept = await drafts.keep(AGENT, KEY, Written(text="Dear Li", note="hm", mode="note", files=[file], reply_to="m1"))
    assert await drafts.read(AGENT, KEY) == kept
    assert (kept.changed_at, kept.mode, kept.files) == (desk.clock.ms, "note", [file])
    assert await drafts.read(BEN, KEY) is None
    desk.clock.ms += 5
    later = await drafts.keep(AGENT, KEY, Written(text="Dear Mr Li"))
    assert await drafts.read(AGENT, KEY) == later
    await drafts.drop(AGENT, KEY)
    assert await drafts.read(AGENT, KEY) is None


async def test_a_draft_with_nothing_in_it_is_forgotten(desk):
    drafts = Drafts(desk.store, desk.clock)
    await drafts.keep(AGENT, KEY, Written(text="Dear"))
    await drafts.keep(AGENT, KEY, Written(mode="note"))
    assert await drafts.read(AGENT, KEY) is None


@pytest.mark.parametrize(
    ("caller", "key", "written", "error"),
    [
        (VIEWER, KEY, Written(text="x"), ForbiddenError),
        (AGENT, KEY + "x", Written(text="x"), NotFoundError),
        (AGENT, KEY, Written(text="x" * 100_001), RejectedError),
        (AGENT, KEY, Written(note="x" * 100_001), RejectedError),
        (AGENT, KEY, Written(reply_to="x" * 1025), RejectedError),
        (AGENT, KEY, Written(files=[ReplyFile(digest="0", name="a", mime="a/b", size=1)] * 51), RejectedError),
    ],
)
async def test_what_is_no_draft_is_refused(desk, caller, key, written, error):
    drafts = Drafts(desk.store, desk.clock)
    with pytest.raises(error):
        await drafts.keep(caller, key, written)
    assert await desk.store.drafts(caller.name, 9) == []
