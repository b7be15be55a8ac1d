"""The emulated buyers live by themselves: they ask, send pictures, wait for an answer, and thank for it."""

from __future__ import annotations

from functools import partial

from emulator.acquaintances import first_number, latest_order, parcel_of
from emulator.people import asked, asked_for_order, asked_for_parcel, thanked
from emulator.stage import Stage
from emulator.world import Buyer, Conversation, Message, Order, Shop

PICTURES, AGAIN, ANSWERS, PARCELS = 0.12, 0.35, 0.6, 0.5
"""Shares: messages with a picture; buyers who go on asking; answers of a shop that a buyer answers; questions with the
parcel's number, once it is sent."""
ANSWERS_AFTER_S = (6.0, 45.0)
STATES = ("processing", "completed", "refunded")
RECENT_MS = 3_600_000
INTRODUCED_EACH_MS = 4_000


class Life:
    """All buyers. `rate`: messages (or orders) a minute and shop, on average; 0: nobody writes unasked."""

    def __init__(self, stage: Stage, rate: float) -> None:
        self._stage = stage
        self._running = 0
        self.rate = rate
        stage.answered.append(self._answered)

    def begin(self) -> None:
        """Let every shop's buyers write from now on."""
        self._running += 1
        for shop in self._stage.world.shops.values():
            self._plan(shop, self._running)

    def pace(self, rate: float) -> None:
        """Let them write so often from now on. Raises ValueError."""
        if not 0 <= rate <= 60_000:  # noqa: PLR2004 # a thousand a second
            raise ValueError(f"rate: {rate} is not between 0 and 60000 a minute")
        self.rate = rate
        self.begin()

    def words(self, shop: Shop, conversation: Conversation) -> str:
        """What a buyer asks."""
        buyer, rng = conversation.buyer, self._stage.rng
        order = latest_order(self._stage.world, shop, buyer)
        if order is None:
            return asked(rng, buyer.language, f"{buyer.id[-6:]}{shop.number}")
        parcel = parcel_of(order)
        if parcel is not None and rng.random() < PARCELS:
            return asked_for_parcel(buyer.language, parcel)
        return asked_for_order(rng, buyer.language, f"#{order.number}")

    def order(self, shop: Shop) -> Order:
        """A buyer orders something, or something happens to an order."""
        rng, now = self._stage.rng, self._stage.clock.now()
        known = [one for one in shop.orders if one.status != STATES[-1] and one.at >= now - RECENT_MS]
        if known and rng.random() < AGAIN:
            changed = rng.choice(known)
            changed.status = STATES[min(STATES.index(changed.status) + 1, len(STATES) - 1)]
            changed.changed_at = now
            self._stage.order(shop, changed, new=False)
            return changed
        return self._placed(shop, rng.choice(shop.buyers))

    def introduce(self) -> None:
        """Let who is known to several platforms order and write soon; who has written before is left alone."""
        world, due = self._stage.world, self._stage.clock.now()
        for (chat, own), (where, customer) in sorted(world.known.items()):
            due += INTRODUCED_EACH_MS
            shop = world.shops[chat]
            buyer = next(one for one in shop.buyers if one.id == own)
            if all(one.buyer.id != own for one in shop.conversations.values()):
                self._stage.agenda.put(due, partial(self._introduced, shop, buyer, world.shops[where], customer))

    def _introduced(self, chat: Shop, buyer: Buyer, shop: Shop, customer: str) -> None:
        order = latest_order(self._stage.world, chat, buyer)
        if order is None:
            order = self._placed(shop, next(one for one in shop.buyers if one.id == customer))
            order.status, order.changed_at = STATES[order.number % 2], self._stage.clock.now()
            self._stage.order(shop, order, new=False)
        conversation = self._stage.conversation(chat, buyer.id)
        self._stage.write(conversation, self.words(chat, conversation))

    def _placed(self, shop: Shop, buyer: Buyer) -> Order:
        """A new order."""
        now = self._stage.clock.now()
        placed = Order(
            shop=shop.key,
            id=str(self._stage.world.mark(now)),
            number=first_number(shop) + len(shop.orders),
            buyer=buyer,
            at=now,
            changed_at=now,
            status=STATES[0],
            total=self._stage.rng.randrange(500, 20_000),
            phone=self._stage.world.phones.get((shop.key, buyer.id)),
        )
        self._stage.order(shop, placed, new=True)
        return placed

    def _plan(self, shop: Shop, run: int) -> None:
        if not self.rate:
            return
        pause = self._stage.rng.expovariate(self.rate / 60_000)
        due = self._stage.clock.now() + round(min(pause, 3_600_000))
        self._stage.agenda.put(due, lambda: self._turn(shop, run))

    def _turn(self, shop: Shop, run: int) -> None:
        if run != self._running:
            return
        if self._stage.platforms[shop.platform].chats:
            self._ask(shop)
        else:
            self.order(shop)
        self._plan(shop, run)

    def _ask(self, shop: Shop) -> None:
        stage = self._stage
        recent = [c for c in shop.conversations.values() if (last := c.last()) and last.direction == "in"]
        again = recent and stage.rng.random() < AGAIN
        conversation = stage.rng.choice(recent) if again else stage.conversation(shop)
        picture = stage.rng.random() < PICTURES
        media = stage.picture(stage.platforms[shop.platform].mime) if picture else None
        stage.write(conversation, "" if picture else self.words(shop, conversation), media=media)

    def _answered(self, message: Message) -> None:
        """A shop has written: perhaps its buyer has something to say to that."""
        stage = self._stage
        if not self.rate or message.by == "robot" or stage.rng.random() >= ANSWERS:
            return
        conversation = stage.world.shops[message.shop].conversations[message.conversation]
        due = stage.clock.now() + round(stage.rng.uniform(*ANSWERS_AFTER_S) * 1000)
        stage.agenda.put(due, lambda: self._thank(conversation))

    def _thank(self, conversation: Conversation) -> None:
        language = conversation.buyer.language
        self._stage.write(conversation, thanked(self._stage.rng, language))
