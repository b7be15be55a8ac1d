"""What people write beside the platforms: notes, drafts, templates."""

from __future__ import annotations

import asyncio

from msgspec.structs import replace

from storage.channel_records import ReplyFile
from storage.records import AuditRow
from storage.writing_records import Note, ReplyDraft, Template, TemplateText
from tests.storage.flushes import NOW

KEY = "shopee/店%2F1/c1"
AUDIT = AuditRow(at=NOW, who="ann", what="note.added", subject=KEY)


def note(number, at=NOW, key=KEY, **more):
    return Note(id=f"note-{number}", key=key, at=at, who="ann", text=f"text {number}", **more)


def draft(user="ann", key=KEY, at=NOW, **more):
    return ReplyDraft(user=user, key=key, changed_at=at, **more)


def template(template_id, **more):
    fields = {
        "name": f"name {template_id}",
        "folder": "",
        "texts": [TemplateText(text="hello")],
        "created_at": NOW,
        "created_by": "ann",
        "changed_at": NOW,
        "changed_by": "ann",
    }
    return Template(id=template_id, **(fields | more))


def ids(rows):
    return [row.id for row in rows]


class WritingContract:
    async def test_a_note_comes_back_whole_and_leaves_one_audit_row(self, store):
        kept = note(1, mentions=["bob", "李"], digest="d")
        assert await store.add_note(kept, AUDIT) == kept
        assert await store.notes(KEY, 5) == [kept]
        assert await store.add_note(replace(kept, text="another", at=NOW + 5), AUDIT) == kept
        assert await store.notes(KEY, 5) == [kept]
        assert [(row.what, row.subject) for row in (await store.audit(5)).items] == [("note.added", KEY)]

    async def test_a_note_that_is_kept_many_times_at_once_is_one_note(self, store, second):
        stores = [store, second] * 4
        kept = await asyncio.gather(*(one.add_note(note(1, at=NOW + n), AUDIT) for n, one in enumerate(stores)))
        assert len({one.at for one in kept}) == 1
        assert await store.notes(KEY, 5) == kept[:1]
        assert len((await store.audit(20)).items) == 1

    async def test_notes_of_a_conversation_come_latest_first_in_pages_and_from_a_time_on(self, store):
        for number, at in ((1, 1), (2, 3), (3, 2), (4, 3)):
            await store.add_note(note(number, NOW + at), AUDIT)
        await store.add_note(note(5, NOW + 9, key="shopee/shop/c2"), AUDIT)
        assert ids(await store.notes(KEY, 9)) == ["note-4", "note-2", "note-3", "note-1"]
        assert ids(await store.notes(KEY, 1)) == ["note-4"]
        assert ids(await store.notes(KEY, 9, before=(NOW + 3, "note-4"))) == ["note-2", "note-3", "note-1"]
        assert ids(await store.notes(KEY, 9, before=(NOW + 3, "note-2"))) == ["note-3", "note-1"]
        assert ids(await store.notes(KEY, 9, since=NOW + 2)) == ["note-4", "note-2", "note-3"]
        assert ids(await store.notes(KEY, 9, since=NOW + 2, before=(NOW + 3, "note-2"))) == ["note-3"]
        assert await store.notes("shopee/shop/nobody", 9) == []

    async def test_a_draft_is_one_a_person_and_conversation_and_the_last_writer_wins(self, store, second):
        file = ReplyFile(digest="0" * 64, name="Ü.png", mime="image/png", size=3)
        first = draft(text="Dear\n李", note="ask Bob", mode="note", reply_to="m/1", files=[file])
        assert await store.draft("ann", KEY) is None
        await store.put_draft(first)
        assert await second.draft("ann", KEY) == first
        later = draft(at=NOW + 1, text="Dear Li")
        await second.put_draft(later)
        assert await store.draft("ann", KEY) == later
        assert await store.draft("ann", "shopee/店/1%2Fc1") is None
        assert await store.draft("bob", KEY) is None
        await store.delete_draft("ann", KEY)
        await store.delete_draft("ann", KEY)
        assert await store.draft("ann", KEY) is None

    async def test_drafts_of_a_person_come_latest_first(self, store):
        rows = [draft(key=f"a/b/{n}", at=NOW + n) for n in range(4)]
        for row in (*rows, draft("bob", at=NOW + 9)):
            await store.put_draft(row)
        assert await store.drafts("ann", 9) == rows[::-1]
        assert await store.drafts("ann", 2) == [rows[3], rows[2]]

    async def test_a_template_comes_back_whole_by_folder_and_name(self, store):
        texts = [TemplateText(text="Hallo {contact.name}", platform="ebay", lang="de"), TemplateText(text="你好")]
        rows = [
            template("t1", folder="b", name="a"),
            template("t2", folder="a", name="b"),
            template("t3", folder="a", name="a", texts=texts, active=False, version=3),
        ]
        for row in rows:
            assert await store.save_template(row, AUDIT)

        assert await store.templates() == [rows[2], rows[1], rows[0]]
        assert await store.template("t3") == rows[2]
        assert await store.template("t9") is None

    async def test_of_two_changes_of_one_template_the_first_wins_and_only_it_is_noted(self, store, second):
        await store.save_template(template("t1"), AUDIT)
        assert not await second.save_template(template("t1", name="again"), AUDIT)
        changed = template("t1", name="new", version=2)
        assert await store.save_template(changed, AUDIT, replaces=1)
        assert not await second.save_template(template("t1", name="late", version=2), AUDIT, replaces=1)
        assert await second.template("t1") == changed
        assert not await store.save_template(template("t9", version=2), AUDIT, replaces=1)
        assert len((await store.audit(9)).items) == 2

    async def test_the_use_of_a_template_is_counted_and_survives_its_changes(self, store):
        await store.save_template(template("t1"), AUDIT)
        for at in (NOW + 5, NOW + 3):
            await store.template_used("t1", at)
        await store.template_used("t9", NOW)
        await store.save_template(template("t1", name="new", version=2), AUDIT, replaces=1)
        assert await store.template("t1") == template("t1", name="new", version=2, used=2, last_used_at=NOW + 5)

    async def test_a_template_is_forgotten_once_and_its_name_is_free_again(self, store):
        await store.save_template(template("t1"), AUDIT)
        await store.template_used("t1", NOW)
        assert await store.delete_template("t1", replace(AUDIT, what="template.deleted"))
        assert not await store.delete_template("t1", AUDIT)
        await store.template_used("t1", NOW)
        assert await store.templates() == []
        assert [row.what for row in (await store.audit(5)).items] == ["template.deleted", "note.added"]
        assert await store.save_template(template("t1"), AUDIT)
        assert await store.templates() == [template("t1")]

    async def test_old_notes_and_drafts_are_forgotten(self, store):
        for number, at in ((1, -5), (2, 5)):
            await store.add_note(note(number, NOW + at), AUDIT)
            await store.put_draft(draft(key=f"a/b/{number}", at=NOW + at))
        assert await store.prune(NOW) == 2
        assert ids(await store.notes(KEY, 5)) == ["note-2"]
        assert [row.key for row in await store.drafts("ann", 5)] == ["a/b/2"]
