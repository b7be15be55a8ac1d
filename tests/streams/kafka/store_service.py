"""The test's database, served to worker processes over a Unix socket: what a database server is to a cluster.

A request is a pickled (method, arguments), the answer a pickled (value, error). Workers report how they are, too.
"""

from __future__ import annotations

import asyncio
import pickle
from struct import Struct as Layout

SIZE = Layout("<I")
METHODS = ("mark", "channel_states", "conversation_states", "armed", "sent_times", "event_keys", "save")


async def _read(lines):
    (size,) = SIZE.unpack(await lines.readexactly(SIZE.size))
    return pickle.loads(await lines.readexactly(size))  # noqa: S301 # our own processes


def _write(answers, value):
    data = pickle.dumps(value)
    answers.write(SIZE.pack(len(data)) + data)


class StoreService:
    """Serves `store`; `reports` has the last word of every worker by its process id."""

    def __init__(self, store, path):
        self.path = path
        self.reports = {}
        self._store = store
        self._server = None

    async def open(self):
        self._server = await asyncio.start_unix_server(self._serve, self.path)

    async def close(self):
        self._server.close()

    async def _serve(self, lines, answers):
        try:
            while True:
                method, arguments = await _read(lines)
                _write(answers, await self._answer(method, arguments))
                await answers.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            answers.close()

    async def _answer(self, method, arguments):
        if method == "report":
            self.reports[arguments[0]] = arguments[1]
            return None, None
        try:
            return await getattr(self._store, method)(*arguments), None
        except Exception as error:  # noqa: BLE001 # raised again where it belongs
            return None, error


class RemoteStore:
    """The store as a worker sees it: `storage.ports.EngineStore`."""

    def __init__(self, path):
        self._path = path
        self._idle = []

    def __getattr__(self, name):
        if name not in (*METHODS, "report"):
            raise AttributeError(name)
        return lambda *arguments: self._ask(name, arguments)

    async def _ask(self, method, arguments):
        lines, answers = self._idle.pop() if self._idle else await asyncio.open_unix_connection(self._path)
        _write(answers, (method, arguments))
        value, error = await _read(lines)
        self._idle.append((lines, answers))
        if error is not None:
            raise error
        return value
