"""The screens without the engine: the parent app, a fixture as the monitor's answer, a bus the test pushes into.

Run as a program it serves one page set for browser tests: `serve.py PORT`. Tests steer it under /test/.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, RedirectResponse

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # runs as a program, outside pytest

from services.people.permissions import Caller  # needs the line above
from storage.records import Session, User
from ui.mount import mount

FIXTURES = Path(__file__).parent / "fixtures"
PUSH_S = 0.5
HOUR_MS = 3_600_000
RFC3339 = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")


def fixture(name):
    return json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))


class People:
    """Users by name; the password of each is `correct`. Sessions never end unless told."""

    def __init__(self):
        self.told = []
        self.reset()

    def reset(self):
        self.all = {
            role: User(id=role, name=f"{role.title()} Lin", role=role, password_hash="", created_at=0)
            for role in ("admin", "supervisor", "agent", "viewer")
        }
        self.ended = set()

    def by_name(self, name):
        return next((user for user in self.all.values() if user.name == name), None)

    async def user(self, name):
        return self.by_name(name)

    async def session(self, digest):
        return None if digest in self.ended else Session(digest=digest, user=digest, created_at=0, expires_at=2**60)

    async def change(self, name, *, who, lang=None, theme=None):
        assert who == name
        user = self.by_name(name)
        changed = User(
            **{
                field: getattr(user, field)
                for field in ("id", "name", "role", "password_hash", "created_at", "disabled")
            },
            lang=lang or user.lang,
            theme=theme or user.theme,
        )
        self.all[user.role] = changed
        return changed

    def on_revoked(self, told):
        self.told.append(told)


class Bus:
    """Every subscriber of a topic gets what was put there while it listened."""

    def __init__(self):
        self.queues = {}

    async def subscribe(self, topic):
        queue = asyncio.Queue()
        self.queues.setdefault(topic, []).append(queue)
        while True:
            yield await queue.get()

    def put(self, topic, message):
        for queue in self.queues.get(topic, ()):
            queue.put_nowait(message)


class Source:
    """The monitor's answer: the fixture, moved to now, with a growing `seq`; a test can change and stop it."""

    def __init__(self):
        self.seq = 0
        self.reset()

    def reset(self):
        self.pushing = True
        self.changes = {}
        self.asked = []

    def snapshot(self):
        found = fixture("monitor")
        shift = int(time.time() * 1000) - found["at"]
        moved = move(found, shift)
        step = found["series"]["step_ms"]
        moved["series"] = move(found["series"], shift - shift % step)
        moved.update(self.changes)
        moved["seq"] = self.seq
        return moved

    def delta(self):
        self.seq += 1
        whole = self.snapshot()
        series = whole["series"]
        whole["series"] = {"step_ms": series["step_ms"], "tail": series["points"][-3:]}
        return whole


def move(value, shift):
    """The same JSON with every time (a number beyond the year 2001 in ms) moved."""
    if isinstance(value, dict):
        return {key: move(item, shift) for key, item in value.items()}
    if isinstance(value, list):
        return [move(item, shift) for item in value]
    if isinstance(value, str) and RFC3339.match(value):
        moved = datetime.fromisoformat(value) + timedelta(milliseconds=shift)
        return moved.isoformat(timespec="milliseconds")
    if isinstance(value, int) and not isinstance(value, bool) and value > 1_000_000_000_000:
        return value + shift
    return value


def build():
    """The parent app and what steers it."""
    people, bus, source = People(), Bus(), Source()
    api = FastAPI()
    services = SimpleNamespace(store=people, accounts=people, bus=bus)

    @api.middleware("http")
    async def gate(request: Request, call_next):
        role = request.cookies.get("test_role", "admin")
        user = people.all.get(role)
        caller = user and Caller(name=user.name, role=user.role, via="session", credential=role)
        request.scope.setdefault("state", {})["caller"] = caller
        is_open = request.url.path.startswith(("/login", "/auth", "/static", "/test"))
        if caller is None and not is_open:
            if request.url.path.startswith("/api"):
                return JSONResponse({"title": "log in"}, status_code=401)
            return RedirectResponse("/login", status_code=303)
        return await call_next(request)

    answers(api, source)
    steering(api, people, bus, source)
    mount(api, services, SimpleNamespace(origins=[]))
    return api


def answers(api, source):
    @api.get("/api/v1/monitor")
    async def monitor(range: str = "15m", platform: str = "", account: str = ""):  # noqa: A002 # its name in the API
        source.asked.append({"range": range, "platform": platform, "account": account})
        found = source.snapshot()
        found["range"] = range
        for name in ("channels", "incidents"):
            found[name] = [
                row
                for row in found[name]
                if row["platform"] in (platform, platform or row["platform"])
                and row["account"] in (account, account or row["account"])
            ]
        return found

    @api.get("/api/v1/{rest:path}")
    async def rest(rest: str, request: Request):
        if rest == "messages":
            wanted = request.query_params["message"]
            items = [row for row in fixture("messages")["items"] if row["message"] == wanted]
            return move({"items": items}, int(time.time() * 1000) - fixture("monitor")["at"])
        if rest in ("search/messages", "coverage"):
            return {"items": [], "next": None}
        names = {
            "incidents": "incident",
            "anomalies": "anomalies",
            "conversations": "conversations",
            "messages": "trace",
            "mutes": "mutes",
            "stats": "hours",
            "bindings": "bindings",
            "platforms": "platforms",
        }
        name = "messages" if rest.endswith("/messages") else names.get(rest.split("/", maxsplit=1)[0], "")
        if not (FIXTURES / f"{name}.json").is_file():
            return JSONResponse({"title": "Not found", "detail": "there is no such thing"}, status_code=404)
        source.asked.append({"path": rest, **request.query_params})
        shift = int(time.time() * 1000) - fixture("monitor")["at"]
        return move(fixture(name), shift - shift % HOUR_MS if name == "hours" else shift)

    @api.delete("/api/v1/{rest:path}")
    async def remove(rest: str):
        source.asked.append({"delete": rest})
        return {}

    @api.post("/api/v1/{rest:path}")
    async def act(rest: str, request: Request):
        source.asked.append({"post": rest, "body": await request.json()})
        return {"resync": {"state": "done", "new": 2}} if rest.startswith("sweeps/") else {}


def steering(api, people, bus, source):
    @api.post("/test/change")
    async def change(request: Request):
        changes = await request.json()
        source.pushing = changes.pop("pushing", source.pushing)
        source.changes.update(move(changes, int(time.time() * 1000) - fixture("monitor")["at"]))
        return {}

    @api.post("/test/reset")
    async def reset():
        people.reset()
        source.reset()
        return {}

    @api.post("/test/skip")
    async def skip():
        source.seq += 5
        return {}

    @api.post("/test/revoke/{role}")
    async def revoke(role: str):
        for told in people.told:
            told(people.all[role].name)
        return {}

    @api.get("/test/asked")
    async def asked():
        return source.asked

    async def push():
        while True:
            await asyncio.sleep(PUSH_S)
            if source.pushing:
                bus.put("monitor", source.delta())

    original = api.router.lifespan_context

    def lifespan(app):
        api.state.pusher = asyncio.get_running_loop().create_task(push())
        return original(app)

    api.router.lifespan_context = lifespan


if __name__ == "__main__":
    uvicorn.run(build(), port=int(sys.argv[1]), log_level="warning")
