"""A Weir at work in this process, with people who have logged in, for tests of who answers what."""

from contextlib import asynccontextmanager

from api.app import create_api
from storage.inbox_records import InboxFilter
from tests.api.people import People
from weir.config import Config
from weir.wiring import running


class Office(People):
    """`weir` is at work; everybody has a client."""

    def __init__(self, weir):
        super().__init__(create_api(weir.services), weir.services)
        self.weir = weir
        self.store, self.presence = weir.store, weir.presence

    async def write(self, count, *, platform="shopee", account="shop", start=0, text="hello"):
        """Customers write, each a conversation of his own; their keys, the longest waiting first."""
        now = self.weir.gateway.now()
        events = [
            {
                "type": "message",
                "platform": platform,
                "account": account,
                "conversation": f"c{start + n}",
                "message": "m1",
                "sent_at": now - 60_000 + n,
                "direction": "in",
                "text": f"{text} {n}",
            }
            for n in range(count)
        ]
        admin = await self.admin()
        for first in range(0, count, 500):
            answer = await admin.post("/api/v1/events", json=events[first : first + 500])
            assert answer.status_code == 202, answer.text
        await self.weir.runtime.settled()
        return [f"{platform}/{account}/c{start + n}" for n in range(count)]

    async def admin(self):
        """The first admin's client."""
        if not hasattr(self, "_admin"):
            self._admin = await self.client("root", "admin")
        return self._admin

    async def team(self, name, members, channels, **more):
        """A new team."""
        body = {"name": name, "members": list(members), "channels": list(channels), **more}
        answer = await (await self.admin()).post("/api/v1/teams", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def mine(self, name):
        """The filter of somebody's own conversations."""
        return InboxFilter(now=self.weir.gateway.now(), tab="mine", me=name)

    async def rows(self, keys):
        """These conversations as they are now."""
        return await self.store.rows(keys)

    async def notes(self, key, what):
        """What was noted of a conversation, newest first."""
        return (await self.store.audit(100, subject=key, what=what)).items

    def counted(self, outcome):
        """How often something happened at the desks."""
        text = self.weir.vitals.metrics.exposition().decode()
        line = next(
            (one for one in text.splitlines() if one.startswith(f'weir_inbox_desk_total{{outcome="{outcome}"')), ""
        )
        return int(float(line.rpartition(" ")[2] or 0))


@asynccontextmanager
async def opened(data_dir):
    """An office; everybody leaves at the end."""
    async with running(Config(data_dir=str(data_dir), partitions=2)) as weir:
        office = Office(weir)
        try:
            yield office
        finally:
            await office.close()
