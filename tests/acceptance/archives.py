"""A Weir whose messages are searched, on either store."""

from contextlib import asynccontextmanager

from tests.acceptance.office import Office
from weir.config import Config
from weir.wiring import running

DAY_MS = 86_400_000


class Archive(Office):
    """Takes messages by the API and finds them by it."""

    async def takes(self, *messages):
        """Messages as (conversation, text, days ago) come in and are processed."""
        now = self.weir.gateway.now()
        events = [
            {
                "type": "message",
                "platform": "shopee",
                "account": "shop",
                "conversation": conversation,
                "message": f"{conversation}-{number}",
                "sent_at": now - days * DAY_MS - 1000 + number,
                "direction": "in",
                "text": text,
                "history": days > 0,
            }
            for number, (conversation, text, days) in enumerate(messages)
        ]
        admin = await self.admin()
        for first in range(0, len(events), 500):
            answer = await admin.post("/api/v1/events", json=events[first : first + 500])
            assert answer.status_code == 202, answer.text

    async def settled(self):
        """Everything taken is processed."""
        await self.weir.runtime.settled()

    async def finds(self, line, **more):
        """Every message found, page by page, as the API tells it."""
        admin = await self.admin()
        items, cursor = [], None
        while True:
            params = {"q": line, "limit": 50, **more, **({"cursor": cursor} if cursor else {})}
            answer = await admin.get("/api/v1/search/messages", params=params)
            assert answer.status_code == 200, answer.text
            page = answer.json()
            items += page["items"]
            cursor = page["next"]
            if cursor is None:
                return items


@asynccontextmanager
async def archive_on(database, data_dir):
    """An archive on this database."""
    async with running(Config(data_dir=str(data_dir), partitions=2, database=database)) as weir:
        archive = Archive(weir)
        try:
            yield archive
        finally:
            await archive.close()
