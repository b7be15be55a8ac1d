"""Pushes webhooks as each platform does: its time limit, its further attempts, and when it gives a webhook up."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from typing import Literal, Protocol, TypeAlias

import httpx
from msgspec import Struct, field

from emulator.clock import Clock
from emulator.faults import Faults
from emulator.rules import RULES, Rules
from emulator.world import Message, Order, Shop

HappeningKind: TypeAlias = Literal["message", "status", "recall", "order", "auth", "raw"]
State: TypeAlias = Literal["waiting", "done", "dropped", "kept", "lost"]
KEPT_DELIVERIES = 20_000
_OK = 200
_OKS = range(200, 300)


class Happening(Struct, kw_only=True):
    """Something a platform tells of. `status`: of a message; `body`: given by hand, sent as it is but signed."""

    id: int
    kind: HappeningKind
    shop: str
    at: int
    message: Message | None = None
    order: Order | None = None
    status: str = ""
    body: bytes | None = None


class Attempt(Struct, frozen=True, kw_only=True):
    """One request. `status`: of the answer; None: none came, `error` says why."""

    at: int
    status: int | None = None
    error: str | None = None


class Delivery(Struct, kw_only=True):
    """A happening on its way. `loose`: neither waits for others nor lets them wait; `place`: its turn.

    `kept`: not pushed, since nobody asks for it or the webhook is off; `dropped`: by a fault; `lost`: given up.
    """

    id: int
    happening: Happening
    due_at: int
    place: float
    state: State = "waiting"
    loose: bool = False
    attempts: list[Attempt] = field(default_factory=list)


class Request(Struct, frozen=True, kw_only=True):
    """What goes over the wire."""

    body: bytes
    headers: Mapping[str, str]
    method: Literal["GET", "POST"] = "POST"


class Wording(Protocol):
    """How a platform words its webhooks."""

    def request(self, shop: Shop, happening: Happening, attempt: int, url: str) -> Request | None:
        """The request of the attempt (from 1); None when the platform tells nothing of such a thing."""
        ...


class Lane:
    """The pushes of one shop."""

    def __init__(self, shop: Shop, rules: Rules) -> None:
        self.shop = shop
        self.rules = rules
        self.waiting: list[Delivery] = []
        self.swapped: Delivery | None = None
        self.failed_in_a_row = 0
        self.outcomes: deque[bool] = deque(maxlen=rules.window)
        self.task: asyncio.Task[None] | None = None

    def next(self) -> Delivery | None:
        """What is to be sent next, whether due or not."""
        bound = [one for one in self.waiting if not one.loose]
        heads = (bound[:1] if self.rules.ordered else bound) + [one for one in self.waiting if one.loose]
        return min(heads, key=lambda one: (one.due_at, one.place), default=None)


class Pusher:
    """All pushes. `wake` is called when something changed that may be due."""

    def __init__(self, clock: Clock, faults: Faults, wording: Callable[[str], Wording]) -> None:
        self._clock = clock
        self._faults = faults
        self._wording = wording
        self._lanes: dict[str, Lane] = {}
        self._count = 0
        self.client: httpx.AsyncClient | None = None
        self.deliveries: deque[Delivery] = deque(maxlen=KEPT_DELIVERIES)
        self.wake: Callable[[], None] = lambda: None
        self.changed: Callable[[Shop], None] = lambda _shop: None
        """Told of a shop whose webhook is another, or off."""

    def lane(self, shop: Shop) -> Lane:
        """The shop's pushes."""
        return self._lanes.setdefault(shop.key, Lane(shop, RULES[shop.platform]))

    def subscribe(self, shop: Shop, url: str | None) -> None:
        """Push to this address from now on; None: nowhere. A webhook that was switched off is on again."""
        shop.webhook, shop.pushing = url, True
        lane = self.lane(shop)
        lane.failed_in_a_row = 0
        lane.outcomes.clear()
        self.changed(shop)
        self.wake()

    def tell(self, shop: Shop, happening: Happening) -> Delivery:
        """Push a happening, unless a fault or the webhook's state is against it."""
        delivery = self._delivery(happening)
        strikes, where = self._faults.strikes, (shop.platform, shop.account)
        if strikes("silent", *where) or not shop.pushing or shop.webhook is None:
            delivery.state = "kept"
            return delivery
        if strikes("drop", *where):
            delivery.state = "dropped"
            return delivery
        lane = self.lane(shop)
        if fault := strikes("delay", *where):
            delivery.due_at += round(fault.lasts * 1000)
            delivery.loose = True
        elif fault := strikes("reorder", *where):
            delivery.due_at += round(fault.lasts * 1000)
            delivery.loose, lane.swapped = True, delivery
            lane.waiting.append(delivery)
            self.wake()
            return delivery
        lane.waiting.append(delivery)
        if strikes("double", *where):
            lane.waiting.append(self._delivery(happening))
        if lane.swapped is not None:
            lane.swapped.due_at, lane.swapped.place = delivery.due_at, delivery.place + 0.5
            lane.swapped = None
        self.wake()
        return delivery

    def start_due(self) -> list[asyncio.Task[None]]:
        """Set every lane to work that has something due; the tasks that work."""
        now = self._clock.now()
        for lane in self._lanes.values():
            head = lane.next()
            if lane.task is None and head is not None and head.due_at <= now:
                lane.task = asyncio.create_task(self._work(lane), name=f"pushes of {lane.shop.key}")
        return [lane.task for lane in self._lanes.values() if lane.task is not None]

    @property
    def next_due(self) -> int | None:
        """When the next push is due of a lane that does not work already; None when there is none."""
        heads = [head for lane in self._lanes.values() if lane.task is None and (head := lane.next())]
        return min((head.due_at for head in heads), default=None)

    async def stop(self) -> None:
        """Break off what is on its way."""
        tasks = [lane.task for lane in self._lanes.values() if lane.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _delivery(self, happening: Happening) -> Delivery:
        self._count += 1
        delivery = Delivery(id=self._count, happening=happening, due_at=self._clock.now(), place=self._count)
        self.deliveries.append(delivery)
        return delivery

    async def _work(self, lane: Lane) -> None:
        try:
            while (head := lane.next()) is not None and head.due_at <= self._clock.now():
                await self._attempt(lane, head)
        finally:
            lane.task = None
            self.wake()

    async def _attempt(self, lane: Lane, delivery: Delivery) -> None:
        shop = lane.shop
        if shop.pushing and self._faults.strikes("suspend", shop.platform, shop.account):
            shop.pushing = False
            self.changed(shop)
        if shop.webhook is None or not shop.pushing:
            self._end(lane, delivery, "kept")
            return
        number = len(delivery.attempts) + 1
        request = self._wording(shop.platform).request(shop, delivery.happening, number, shop.webhook)
        if request is None:
            self._end(lane, delivery, "kept")
            return
        if self._faults.strikes("forge", shop.platform, shop.account):
            request = Request(body=request.body + b" ", headers=request.headers)
        attempt = await self._send(shop.webhook, request, lane.rules.timeout_s)
        delivery.attempts.append(attempt)
        well = attempt.status == _OK if lane.rules.only_200 else attempt.status in _OKS
        lane.outcomes.append(well)
        if well:
            lane.failed_in_a_row = 0
            self._end(lane, delivery, "done")
        elif number <= len(lane.rules.retries_s):
            delivery.due_at = self._clock.now() + round(lane.rules.retries_s[number - 1] * 1000)
        else:
            lane.failed_in_a_row += 1
            self._end(lane, delivery, "lost")
        self._judge(lane)

    async def _send(self, url: str, request: Request, timeout_s: float) -> Attempt:
        assert self.client is not None, "the emulator is not open"  # noqa: S101 # set before anything is due
        at = self._clock.now()
        try:
            async with asyncio.timeout(timeout_s):
                answer = await self.client.request(
                    request.method, url, content=request.body, headers=dict(request.headers)
                )
        except TimeoutError:
            return Attempt(at=at, error=f"no answer within {timeout_s} s")
        except httpx.HTTPError as trouble:
            return Attempt(at=at, error=type(trouble).__name__)
        return Attempt(at=at, status=answer.status_code)

    def _judge(self, lane: Lane) -> None:
        """Switch the webhook off when the platform would."""
        rules, outcomes = lane.rules, lane.outcomes
        bad = outcomes.count(False) / len(outcomes) if len(outcomes) == outcomes.maxlen else 0.0
        row = rules.disable_after and lane.failed_in_a_row >= rules.disable_after
        if row or (rules.disable_share and bad > rules.disable_share):
            lane.shop.pushing = False
            self.changed(lane.shop)
            for one in list(lane.waiting):
                self._end(lane, one, "kept")

    def _end(self, lane: Lane, delivery: Delivery, state: State) -> None:
        delivery.state = state
        lane.waiting.remove(delivery)
