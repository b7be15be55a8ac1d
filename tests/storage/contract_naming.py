"""Which kept files are named by anything that is held."""

from __future__ import annotations

from actors.effects import AttachmentChanged
from actors.events import Attachment
from storage.channel_records import ReplyFile
from storage.writing_records import ReplyDraft
from tests.storage.contract_outbox import reply
from tests.storage.flushes import NOW, Flushes, stored

KEY = "shopee/shop/c1"
DIGESTS = [f"{number:064x}" for number in range(1, 9)]


def file(digest):
    return ReplyFile(digest=digest, name="a.png", mime="image/png", size=3)


class NamingContract:
    async def test_files_of_messages_thumbnails_replies_and_drafts_are_named_as_long_as_those_are_held(self, store):
        save = Flushes(store)
        assert await store.named_files([]) == set()
        assert await store.named_files(DIGESTS) == set()
        both = {"digest": DIGESTS[0], "thumb": DIGESTS[1]}
        await save(stored("m1", at=NOW, attachments=[Attachment(id="a1")]))
        await save(AttachmentChanged(KEY, "m1", "a1", "ok", NOW, both))
        told = AttachmentChanged(KEY, "m2", "a1", "ok", NOW + 9, {"digest": DIGESTS[2]})
        await save(stored("m2", at=NOW + 9, attachments=[Attachment(id="a1")]), told)
        await save(AttachmentChanged(KEY, "m2", "a1", "failed", NOW + 9, "a word"))
        await store.add_reply(reply("weir-1", files=[file(DIGESTS[3])]))
        await store.put_draft(ReplyDraft(user="mei", key=KEY, changed_at=NOW + 9, files=[file(DIGESTS[4])]))
        held = await store.named_files(DIGESTS)
        assert held >= {DIGESTS[0], DIGESTS[1], DIGESTS[3], DIGESTS[4]}
        assert not held & set(DIGESTS[5:])
        assert await store.named_files(DIGESTS[:1]) == {DIGESTS[0]}
        await store.prune(NOW + 5)
        left = await store.named_files(DIGESTS)
        assert (sorted(held - left), sorted(left - held)) == (DIGESTS[:2], [])
