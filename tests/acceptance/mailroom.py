"""A Weir at work with mailboxes bound to it: mail servers of the tests on one side, its own HTTP API on the other."""

import asyncio
import itertools
from contextlib import ExitStack, asynccontextmanager
from time import time
from urllib.parse import quote

import httpx

from api.app import create_api
from services.arrivals import readers
from tests.connectors.mailing import Box, settings_of, until
from tests.services import ports, proxy
from weir.config import Config
from weir.wiring import running

HOUR, DAY = 3_600_000, 86_400_000
_keys = itertools.count(1)


def now_ms():
    return int(time() * 1000)


class Cable:
    """What lies between Weir and a server; while it is `down` nobody can connect."""

    def __init__(self, host, port):
        self._server, self.port = (host, port), ports.free()[0]
        self._stack = ExitStack()
        self.up()

    def up(self):
        self._stack.enter_context(proxy.running(*self._server, at=self.port))

    def down(self):
        self._stack.close()

    close = down


class Mailbox:
    """A bound mailbox: what lies in it is asked of `box`, what Weir makes of it of Weir's API."""

    def __init__(self, room, settings, account):
        self.room, self.settings, self.account = room, settings, account
        self.address = settings["address"]
        self.key = f"email/{account}"
        self._where = {"platform": "email", "account": account}

    async def bind(self, **changes):
        """Bind it, with settings changed."""
        self.settings |= changes
        body = {"url": "https://weir.example", "settings": self.settings}
        answer = await self.room.weir.put(f"/api/v1/bindings/email/{self.account}", json=body)
        assert answer.status_code == 200, answer.text

    async def reads_on(self):
        """Wait until everything that lies there now is read; how it stands in each folder."""
        box = Box(self.room.imap, self.address)
        last = {folder: box.following(folder) - 1 for folder in ("Sent", "INBOX")}
        box.close()

        async def so():
            row = await self.room.store.sweep("email", self.account)
            read = {} if row is None else row.cursor.get("mailbox", {})
            whole = all(name in read and read[name]["uid"] >= uid for name, uid in last.items())
            return read if whole else None

        return await until(so, f"{self.key} is read up to {last}", patience_s=60)

    async def conversations(self):
        return await self.room.pages("/api/v1/conversations", **self._where)

    async def conversation(self, name):
        return next(one for one in await self.conversations() if one["conversation"] == name)

    async def rows(self):
        """Every message of every conversation, in the order in which they were sent."""
        found = []
        for one in await self.conversations():
            path = f"/api/v1/conversations/{self.key}/{quote(one['conversation'], safe='')}/messages"
            found += [row | {"conversation": one["conversation"]} for row in await self.room.pages(path)]
        return sorted(found, key=lambda row: row["sent_at"])

    async def has(self, *texts):
        """Wait until messages with these texts are there; all rows."""

        async def so():
            rows = await self.rows()
            return rows if set(texts) <= {row["text"] for row in rows} else None

        return await until(so, f"{self.key} has {texts}", patience_s=60)

    async def ledger(self):
        answer = await self.room.weir.get("/api/v1/stats")
        channels = answer.raise_for_status().json()["ledger"]["channels"]
        return next(one for one in channels if (one["platform"], one["account"]) == ("email", self.account))

    async def balances(self, **counts):
        """Wait until everything accepted is stored, a duplicate, or rejected, and there are so many of each."""
        told = {}

        async def so():
            told.update(await self.ledger())
            whole = told["accepted"] == told["stored"] + told["duplicates"] + told["rejected"]
            return whole and {**told, **counts} == told

        try:
            await until(so, "the ledger balances")
        except AssertionError:
            raise AssertionError(f"the ledger of {self.key} is {told}, not {counts}") from None

    async def sweep(self):
        items = (await self.room.weir.get("/api/v1/sweeps")).raise_for_status().json()["items"]
        return next((one for one in items if one["account"] == self.account), {})

    async def anomalies(self, kind):
        return await self.room.pages("/api/v1/anomalies", kind=kind, **self._where)

    async def refusals(self):
        answer = await self.room.weir.get("/api/v1/refusals", params=self._where)
        return answer.raise_for_status().json()["items"]

    async def reply(self, conversation, text, **more):
        """Ask Weir to answer; the answer."""
        path = f"/api/v1/conversations/{self.key}/{quote(conversation, safe='')}/messages"
        headers = {"Idempotency-Key": f"k{next(_keys)}"}
        return await self.room.weir.post(path, json={"text": text, **more}, headers=headers)

    async def outbox(self, *states):
        return await self.room.pages("/api/v1/outbox", **self._where, **({"state": states} if states else {}))

    async def outgoing(self, reply, state, code=None):
        """Wait until a reply is in that state; its row."""

        async def so():
            row = next(one for one in await self.outbox() if one["id"] == reply)
            return row if row["state"] == state and code in {None, row["code"]} else None

        return await until(so, f"{reply} is {state}", patience_s=90)


class Mailroom:
    """`weir` asks its API as an admin; `store` is its store."""

    def __init__(self, weir, store, imap, smtp):
        self.weir, self.store, self.imap, self.smtp = weir, store, imap, smtp

    async def opens(self, account="shop", **settings):
        """A new mailbox, bound, and read for the first time: what comes from now on is news."""
        given = settings_of(self.imap, self.smtp, **settings)
        given["certificate"] = given["certificate"].strip()
        made = Mailbox(self, given, account)
        await made.bind()
        await made.reads_on()
        return made

    async def pages(self, path, **params):
        """Every item of a list."""
        items, cursor = [], None
        while True:
            asked = params | {"limit": 500} | ({"cursor": cursor} if cursor else {})
            page = (await self.weir.get(path, params=asked)).raise_for_status().json()
            items += page["items"]
            cursor = page["next"]
            if cursor is None:
                return items


@asynccontextmanager
async def opened(folder, imap, smtp, monkeypatch):
    """A Weir of its own; a new binding is seen at once, which takes 5 s otherwise."""
    monkeypatch.setattr(readers, "LOOK_S", 0.2)
    async with running(Config(data_dir=str(folder), partitions=2)) as made:
        secret, _ = await made.tokens.create("test", "admin", who="test")
        transport = httpx.ASGITransport(create_api(made.services), raise_app_exceptions=False)
        headers = {"Authorization": f"Bearer {secret}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://weir.test", headers=headers) as client:
            yield Mailroom(client, made.store, imap, smtp)


async def puts(box, *mails, at=None):
    """Mails come into a mailbox, in this order; `at`: when the server says that it had them, ms."""
    for mail in mails:
        await asyncio.to_thread(box.put, mail, at=at)
