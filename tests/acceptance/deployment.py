"""A whole deployment for acceptance: a real Weir and real emulated platforms, bound to each other over HTTP.

What is true is asked of the emulator, what Weir makes of it of Weir's own API. Every test has shops of its own.
"""

import hashlib
import hmac
import json
import time
from collections import defaultdict
from contextlib import ExitStack, contextmanager
from urllib.parse import quote

import httpx
import msgspec

from connectors.registry import BY_PLATFORM
from loadtest.product import running_product
from tests.weir.processes import Process
from weir.parts.emulated import EmulatedShop, binding_of

PATIENCE_S = 60
SETTLED_MS = 20_000
"""A comparison by hand leaves out what is newer: it may still be on its way."""
SHOPS = {"lazada": 6, "whatsapp": 18, "tiktok": 8, "telegram": 8, "shopee": 2}
"""So many of each platform are bound."""
OTHERS = ("notification.grace_s", "translation.grace_s", "attachment.grace_s")
"""Graces of what no test here is about: nobody is rung, translates or fetches files meanwhile."""


def now_ms():
    return time.time_ns() // 1_000_000


def until(what, say=lambda: "", patience=PATIENCE_S):
    """What `what()` gives as soon as it is something; fails after a while with what `say()` tells."""
    end = time.monotonic() + patience
    while not (found := what()):
        assert time.monotonic() < end, say()
        time.sleep(0.1)
    return found


class Deployment:
    """`weir` and `emulator`: who asks each; `pid`: Weir's process; `log`: the file with what the emulator says."""

    def __init__(self, weir, emulator, pid=None):
        self.weir, self.emulator, self.pid = weir, emulator, pid
        self._shops = defaultdict(list)

    def open(self, hang=None):
        """Bind every shop; the first look and the first comparison at one of `hang` are never answered."""
        for told in self.told():
            if len(self._shops[told.platform]) < SHOPS[told.platform]:
                self._shops[told.platform].append(Shop(self, told))
        shops = [shop for of_platform in self._shops.values() for shop in of_platform]
        hanging = self.take(hang) if hang else None
        if hanging is not None:
            hanging.fault("timeout_before", left=2)
        for shop in shops:
            shop.bind()
        self.set(*(f"{name}=off" for name in OTHERS))
        swept = {shop.account for shop in shops if shop.kind.capabilities.history} - {getattr(hanging, "account", None)}
        until(lambda: swept <= {row["account"] for row in self.sweeps() if row["ended_at"]}, self.sweeps)
        looked_at = {shop.account for shop in shops} - {getattr(hanging, "account", None)}
        until(lambda: looked_at <= {one["account"] for one in self.accounts() if one["accepted"]}, self.accounts)
        return hanging

    def told(self):
        answer = self.emulator.get("/_emulator/bindings").raise_for_status()
        return msgspec.json.decode(answer.content, type=list[EmulatedShop])

    def take(self, platform):
        """A shop that nobody else has; its account begins with what comes from now on."""
        shop = self._shops[platform].pop()
        shop.before = shop.account_told()
        return shop

    def accounts(self):
        """The ledger of every channel."""
        return self.weir.get("/api/v1/stats").raise_for_status().json()["ledger"]["channels"]

    def set(self, *assignments):
        """Change thresholds, each as `platform/account:name=value`."""
        answer = self.weir.put("/api/v1/settings/thresholds", json={"set": list(assignments)})
        assert answer.status_code == 200, answer.text

    def sweeps(self):
        return self.weir.get("/api/v1/sweeps").raise_for_status().json()["items"]

    def pages(self, path, **params):
        """Every item of a list."""
        items, cursor = [], None
        while True:
            asked = params | {"limit": 500} | ({"cursor": cursor} if cursor else {})
            page = self.weir.get(path, params=asked).raise_for_status().json()
            items += page["items"]
            cursor = page["next"]
            if cursor is None:
                return items


class Shop:
    """One shop: what its buyers do, what its platform holds, what Weir shows of it."""

    def __init__(self, deployment, told):
        self.deployment, self.told = deployment, told
        self.platform, self.account = told.platform, told.account
        self.key = f"{told.platform}/{told.account}"
        self.kind = BY_PLATFORM[told.platform]
        self.bound_at = None
        self.before = {}
        """Its ledger when it was taken: that it is authorised was told before."""

    # What happens at the platform

    def _emulator(self, method, path, **more):
        answer = self.deployment.emulator.request(method, f"/_emulator/{path}", **more)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def says(self, text=None, **more):
        """Somebody writes; what was written."""
        return self._emulator("POST", "say", json={"shop": self.key, "text": text, **more})

    def pushes(self, body, times=1):
        """A webhook with this body, signed and delivered by the platform."""
        return self._emulator("POST", "push", json={"shop": self.key, "body": body, "times": times})

    def recalls(self, message, *, erase=False):
        """With `erase` the platform lists it no more and tells nobody."""
        self._emulator("POST", "recall", json={"shop": self.key, "message": message, "erase": erase})

    def fault(self, kind, **more):
        self._emulator("POST", "faults", json={"kind": kind, "platform": self.platform, "shop": self.account, **more})

    def heal(self):
        """Nothing goes wrong at this shop any more."""
        left = [one for one in self._emulator("GET", "faults") if one["shop"] != self.account]
        self._emulator("PUT", "faults", json=left)

    def probe(self):
        """What the platform says when Weir asks it how the channel stands."""
        path = f"/api/v1/bindings/{self.platform}/{quote(self.account, safe='')}/probe"
        return self.deployment.weir.post(path).raise_for_status().json()

    def register(self):
        """Have the platform send its webhooks to Weir."""
        url, _ = self.binding()
        answer = self._emulator("PUT", "webhooks", json={"shop": self.key, "url": url})
        assert answer["proved"] is not False, answer

    def held(self, direction=None):
        """What the platform holds."""
        held = self._emulator("GET", "messages", params={"shop": self.key})
        return [one for one in held if direction in {None, one["direction"]}]

    def deliveries(self, *states):
        told = self._emulator("GET", "deliveries", params={"shop": self.key})
        return [one for one in told if not states or one["state"] in states]

    def delivered(self):
        """All that was to be pushed went out, or never will."""
        return not self.deliveries("waiting")

    def state(self):
        return next(one for one in self._emulator("GET", "state")["shops"] if one["key"] == self.key)

    # How Weir is bound to it, and asked from outside

    def binding(self):
        return binding_of(self.told, self.kind, str(self.deployment.weir.base_url))

    def bind(self):
        """Bind it with what the platform tells now."""
        self.told = next(one for one in self.deployment.told() if one.account == self.account)
        url, settings = self.binding()
        path = f"/api/v1/bindings/{self.platform}/{quote(self.account, safe='')}"
        answer = self.deployment.weir.put(path, json={"url": url, "settings": settings})
        assert answer.status_code == 200, answer.text
        self.bound_at = self.bound_at or now_ms()
        self.register()

    def signed(self, body):
        """The headers by which the platform proves a body of bytes."""
        settings = self.told.settings
        match self.platform:
            case "whatsapp":
                digest = hmac.new(settings["app_secret"].encode(), body, hashlib.sha256).hexdigest()
                return {"X-Hub-Signature-256": f"sha256={digest}"}
            case "lazada":
                told = settings["app_key"].encode() + body
                return {"Authorization": hmac.new(settings["app_secret"].encode(), told, hashlib.sha256).hexdigest()}
            case other:
                raise AssertionError(other)

    def post(self, body, headers=None, client=None):
        """A webhook straight to Weir, signed unless `headers` are given; the answer, or what gives it."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = self.signed(raw) if headers is None else headers
        return (client or self.deployment.weir).post(self.binding()[0], content=raw, headers=headers)

    # What Weir shows of it

    def set(self, *assignments):
        self.deployment.set(*(f"{self.key}:{one}" for one in assignments))

    def conversations(self):
        where = {"platform": self.platform, "account": self.account}
        return self.deployment.pages("/api/v1/conversations", **where)

    def messages(self, conversation):
        """Of one conversation, in the order in which people see them."""
        parts = (self.platform, self.account, conversation)
        path = "/".join(quote(one, safe="") for one in parts)
        return self.deployment.pages(f"/api/v1/conversations/{path}/messages")

    def rows(self):
        """Of all conversations."""
        return [row for one in self.conversations() for row in self.messages(one["conversation"])]

    def has(self, *messages):
        """Whether Weir holds these, each once."""
        held = [row["message"] for row in self.rows()]
        return all(held.count(one) == 1 for one in messages)

    def message(self, message):
        """The rows with this id: one when all is well."""
        return [row for row in self.rows() if row["message"] == message]

    def anomalies(self, kind=None, **where):
        asked = {"platform": self.platform, "account": self.account, **({"kind": kind} if kind else {}), **where}
        return self.deployment.pages("/api/v1/anomalies", **asked)

    def ledger(self):
        """{accepted, stored, duplicates, rejected} of this channel since it was taken."""
        return {name: count - self.before.get(name, 0) for name, count in self.account_told().items()}

    def account_told(self):
        """The same since it was bound; nothing when nothing came."""
        accounts = self.deployment.accounts()
        mine = [one for one in accounts if (one["platform"], one["account"]) == (self.platform, self.account)]
        return {name: mine[0][name] if mine else 0 for name in ("accepted", "stored", "duplicates", "rejected")}

    def refusals(self):
        """What of this channel was refused of late."""
        where = {"platform": self.platform, "account": self.account}
        return self.deployment.weir.get("/api/v1/refusals", params=where).raise_for_status().json()["items"]

    def balances(self):
        """Everything accepted is stored, a duplicate, or rejected."""
        told = self.ledger()
        return told["accepted"] == told["stored"] + told["duplicates"] + told["rejected"]

    def reply(self, conversation, text, key, **more):
        """Ask Weir to answer; the answer."""
        path = "/".join(quote(one, safe="") for one in (self.platform, self.account, conversation))
        return self.deployment.weir.post(
            f"/api/v1/conversations/{path}/messages", json={"text": text, **more}, headers={"Idempotency-Key": key}
        )

    def outbox(self):
        """Replies by id."""
        rows = self.deployment.pages("/api/v1/outbox", platform=self.platform, account=self.account)
        return {row["id"]: row for row in rows}

    def swept(self):
        """How far Weir has compared it; None when it never did."""
        mine = [row for row in self.deployment.sweeps() if row["account"] == self.account]
        return mine[0] if mine else None

    # Comparing by hand

    def aged(self):
        """A time (ms) after the binding that is old enough to be compared now; waits until there is one."""
        until(lambda: now_ms() - self.bound_at > SETTLED_MS + 5_000)
        return now_ms() - SETTLED_MS - 2_000

    def resync(self, since, end):
        """Compare what was sent from `since` to before `end` (ms) with the platform; what came of it."""
        until(lambda: now_ms() > end + SETTLED_MS)
        path = f"/api/v1/sweeps/{self.platform}/{quote(self.account, safe='')}"

        def done():
            answer = self.deployment.weir.post(path, json={"since": since, "until": end})
            assert answer.status_code == 202, answer.text
            resync = answer.json()["resync"]
            assert resync["state"] != "failed", resync
            return resync if resync["state"] == "done" else None

        return until(done)


@contextmanager
def emulated(out, *arguments):
    """A running `weir emulate` with nobody who writes by himself: who asks it."""
    process = Process(["emulate", "--rate", "0", "--port", "0", *arguments], out)
    try:
        with httpx.Client(base_url=process.address, trust_env=False, timeout=30) as client:
            yield client
    finally:
        process.popen.terminate()
        process.popen.wait(PATIENCE_S)


@contextmanager
def running_deployment(folder):
    """A Weir of one process beside the emulated platforms."""
    chosen = [word for name in SHOPS for word in ("--platform", name)]
    with ExitStack() as stack:
        emulator = stack.enter_context(emulated(folder / "emulator.txt", "--shops", str(max(SHOPS.values())), *chosen))
        product = stack.enter_context(running_product())
        headers = {"Authorization": f"Bearer {product.token_file.read_text()}"}
        made = httpx.Client(base_url=product.host, headers=headers, trust_env=False, timeout=30)
        yield Deployment(stack.enter_context(made), emulator, product.pid)
