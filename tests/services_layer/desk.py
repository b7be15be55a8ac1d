"""A desk where replies are written: store, log, replies, outbox and echoes over one postal office."""

from __future__ import annotations

from actors.effects import ConversationChanged
from actors.events import Sender
from services.people.permissions import Caller
from services.replies.echoes import Echoes
from services.replies.outbox import Outbox
from services.replies.replies import Ask, Replies
from storage.channel_records import ReplyFilter
from storage.records import AuditRow
from streams.embedded.log import EmbeddedLog
from streams.frames import decode_frame
from streams.gateway import EmbeddedGateway
from tests.services_layer.postal import ACCOUNT, CONVERSATION, KEY, PLATFORM, Office
from tests.storage.flushes import Flushes, stored

AGENT = Caller(name="mei", role="agent", via="session")
VIEWER = Caller(name="ivy", role="viewer", via="session")


class Desk:
    """Everything on one data directory; `clock.ms` moves time."""

    def __init__(self, data_dir, store, clock):
        self.store, self.clock = store, clock
        self.office = Office(clock)
        self.log = EmbeddedLog(data_dir / "log.db", partitions=2)
        self.folder = data_dir / "files"
        self.slept = []
        self._save = Flushes(store)
        self._keys = 0

    async def open(self):
        await self.log.open()
        self.gateway = EmbeddedGateway(self.log)
        self.replies = Replies(self.store, self.gateway, self.office.find, now=self.clock)
        self.outbox = self.another_outbox("one")
        self.echoes = Echoes(self.store, self.clock)
        await self.hears("m1")

    async def close(self):
        await self.gateway.close()
        await self.log.close()

    def another_outbox(self, who="two"):
        return Outbox(
            self.store, self.gateway, self.office.find, self.office.api, who=who, now=self.clock, sleep=self._sleep
        )

    async def hears(self, message, *, conversation=CONVERSATION, labelled=(), **fields):
        """The customer writes, and it is stored with what his words were found to say."""
        told = {
            "platform": PLATFORM,
            "account": ACCOUNT,
            "at": self.clock.ms,
            "text": "where is it?",
            "sender": Sender(id="u1", name="Li Wei", role="customer"),
        }
        await self._save(stored(message, conversation, **(told | fields)), labelled=list(labelled))

    async def closes(self, conversation=CONVERSATION):
        """Somebody closes the conversation, and it is stored."""
        await self._save(ConversationChanged(f"{PLATFORM}/{ACCOUNT}/{conversation}", "closed", self.clock.ms, "mei"))

    async def retries(self, row, **fields):
        return await self.replies.retry(AGENT, row.id, **fields)

    async def keeps(self, *effects):
        await self._save(*effects)

    async def asks(self, text="hello", idempotency_key=None, *, caller=AGENT, key=KEY, **fields):
        """An agent answers."""
        self._keys += 1
        self.clock.ms += 1
        return await self.replies.ask(caller, key, Ask(text=text, **fields), idempotency_key or f"k{self._keys}")

    async def sends(self, text="hello", **fields):
        """An agent answers, and the outbox does one round; the reply as it is then."""
        row = await self.asks(text, **fields)
        await self.outbox.step()
        return await self.row(row)

    async def later(self, seconds):
        """So much later the outbox does one round."""
        self.clock.ms += round(seconds * 1000)
        return await self.outbox.step()

    async def row(self, row):
        return await self.store.reply(row.id)

    async def rows(self):
        return (await self.store.replies(ReplyFilter(), 500)).items

    async def logged(self, *kinds):
        """The entries of these types in the log, in order."""
        found = []
        for position in await self.gateway.positions():
            async for record in self.gateway.records(position.partition):
                found += decode_frame(record.data).entries
        return [entry for entry in found if not kinds or isinstance(entry, kinds)]

    async def audits(self):
        page = await self.store.audit(50)
        return [row.what for row in reversed(page.items) if isinstance(row, AuditRow)]

    async def _sleep(self, seconds):
        self.slept.append(seconds)
