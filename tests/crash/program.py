"""The product as a process to be killed: log, gateway, store and runtime on one data directory.

Importing takes longer than a life, so this process imports once and forks a child per life: for every line on
standard input a child is born, which connects to the Unix socket named; its exit status is told when it is dead.

The child's lines in: `open`, `submit FIRST LAST SENT_AT`, `quiet`, `stop`. Lines out: its process id, `ready`,
`done FIRST LAST`, `quiet`, `stopped`. A submission is answered when it is durable, as the HTTP gateway does.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from pathlib import Path

import uvloop

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from storage.sqlite import SqliteStore
from streams.app import Runtime
from streams.bus import LocalBus
from streams.embedded.log import EmbeddedLog
from streams.gateway import EmbeddedGateway
from tests.crash.traffic import LONGEST_GRACE_MS, entry, thresholds


class Program:
    def __init__(self, data_dir):
        self.store = SqliteStore(data_dir / "store.db")
        self.log = EmbeddedLog(data_dir / "log.db", partitions=4)
        self.tasks = set()

    async def open(self):
        await self.store.open()
        await self.log.open()
        self.gateway = EmbeddedGateway(self.log)
        self.runtime = Runtime(
            store=self.store,
            gateway=self.gateway,
            reader=self.gateway,
            broker=self.log.url,
            bus=LocalBus(),
            thresholds=thresholds(),
            partitions=4,
            most_conversations=20,
            commit_interval_s=0.05,
        )
        await self.runtime.start()
        await self.runtime.wait_ready()
        self.say("ready")

    async def submit(self, first, last, sent_at):
        await self.gateway.submit([entry(number, sent_at) for number in range(first, last)])
        self.say("done", first, last)

    async def quiet(self):
        """Wait until everything is saved and every grace has ended."""
        await self.runtime.settled()
        await asyncio.sleep(LONGEST_GRACE_MS / 1000 + 1.5)
        await self.runtime.settled()
        self.say("quiet")

    async def stop(self):
        await self.gateway.close()
        await self.runtime.stop()
        await self.log.close()
        await self.store.close()
        self.say("stopped")
        await self.answers.drain()

    def say(self, *words):
        self.answers.write((" ".join(map(str, words)) + "\n").encode())

    async def obey(self, socket):
        lines, self.answers = await asyncio.open_unix_connection(socket)
        self.say(os.getpid())
        while line := (await lines.readline()).decode().split():
            match line:
                case ["open"]:
                    await self.open()
                case ["submit", *numbers]:
                    task = asyncio.create_task(self.submit(*map(int, numbers)))
                    self.tasks.add(task)
                    task.add_done_callback(self.tasks.discard)
                case ["quiet"]:
                    await self.quiet()
                case _:
                    await self.stop()
                    return


if __name__ == "__main__":
    logging.basicConfig(level="WARNING", stream=sys.stderr)
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            uvloop.run(Program(Path(sys.argv[1])).obey(sys.argv[2]))
            os._exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        sys.stdout.write(f"{status}\n")
        sys.stdout.flush()
