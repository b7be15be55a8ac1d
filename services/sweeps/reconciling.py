"""Holds what a platform says it has against what Weir has, and takes in what is missing.

What nothing had told of is named in a checkpoint before it is taken in, so that the detectors know it was lost although
it is back (SPEC section 3). Whether it was lost is theirs to judge: they see the log in order, the store is behind it.
A sweep never deletes: what the platform lists as recalled, or what a whole listing lists no more, is marked and kept.
What is marked so and listed again, later and without a word of a recall, stands there: it is a message again.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import aclosing
from hashlib import sha256
from typing import Literal, Protocol, TypeAlias

from msgspec import Struct, field

from actors.events import Checkpoint, Delete, Edit, Message, Receipt
from actors.keys import conversation_key, escape
from connectors.contract.calling import Api
from connectors.contract.connector import Connector, Parsed, Refused
from connectors.contract.history import Window
from services.arrivals.arrivals import Arrivals
from services.replies.matches import same_words
from services.sweeps.absences import Absences
from services.sweeps.changes import SWEEP, UNDER_WAY_MS, back_of, edit_of, is_recalled
from services.sweeps.counts import Compared, Counts
from storage.channel_ports import OutboxStore
from storage.ports import InboxStore
from storage.records import MessageRow

OVERSPILL_MS = 3 * 86_400_000
"""What a platform tells beyond the window is taken in too, up to so much older."""
MOST_NAMED = 1_000
REMEMBERED = 50_000
AT_ONCE = 16
Purpose: TypeAlias = Literal["sweep", "history", "recount"]


class ReconcilingStore(InboxStore, OutboxStore, Protocol):
    """The parts of a store used here."""


class Task(Struct, frozen=True, kw_only=True):
    """What to compare, and what for.

    `history`: what was there before the channel was bound, no trouble opens for it; `recount`: ends with checkpoints of
    the whole window, which close what is open; with `total` the whole channel is counted, too. What was sent before
    `lost_from` (ms) is history in any case.
    """

    window: Window
    purpose: Purpose = "sweep"
    lost_from: int = 0
    total: bool = False


class _Listed(Struct):
    """What the platform listed so far: by conversation, ids as Weir knows them and when they were sent."""

    found: Compared = field(default_factory=Compared)
    ids: dict[str, dict[str, int]] = field(default_factory=dict[str, dict[str, int]])
    doubtful: set[str] = field(default_factory=set[str])
    """Conversations in which a message may be a reply of ours that is on its way."""
    named: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    """By conversation: every id that anything was told of, whenever it was sent."""
    gone: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    """Messages of which was just told that they were recalled."""
    back: list[Edit] = field(default_factory=list[Edit])
    """Messages that are marked as recalled and are listed all the same."""
    denied: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    """Messages that the listing itself calls recalled."""
    unreadable: bool = False
    """Whether some of it could not be read."""


class Reconciler:
    """Compares; one for a process, since it remembers what it has taken in and the store may not hold yet."""

    def __init__(self, store: ReconcilingStore, arrivals: Arrivals) -> None:
        self._store = store
        self._arrivals = arrivals
        self._absences = Absences(store, arrivals)
        self._taken: OrderedDict[str, None] = OrderedDict()

    async def compare(self, connector: Connector, task: Task, api: Api) -> Compared:
        """Compare one window; what was found missing is durable when it returns.

        Raises the errors of `connectors.contract.calling`, UnreadableError and RetriableError; then it may be compared
        again, and what was taken in so far is held.
        """
        listed = _Listed()
        async with aclosing(connector.history(task.window, api)) as pages:  # pyright: ignore[reportArgumentType] # closed when left early, as the contract says
            async for page in pages:
                await self._page(connector, task, await self._arrivals.identified(connector, page), listed)
        await self._mark_absent(connector, task, listed, api)
        await self._mark_back(connector, listed)
        await self._recount(connector, task, listed)
        return listed.found

    async def _mark_absent(self, connector: Connector, task: Task, listed: _Listed, api: Api) -> None:
        """What is held and listed no more was recalled, where the listing is whole."""
        whole = connector.pace.complete and not connector.polls and not listed.unreadable
        if not whole or task.purpose == "history":
            return
        sure = {name: ids for name, ids in listed.named.items() if name in listed.ids and name not in listed.doubtful}
        gone = await self._absences.found(connector, task.window, sure, api)
        if gone:
            for one in gone:
                listed.found.count(one.conversation, Counts(recalled=1))
            listed.gone |= {(one.conversation, one.message) for one in gone}
            await self._arrivals.take(connector, gone, via="poll")

    async def _mark_back(self, connector: Connector, listed: _Listed) -> None:
        """What is marked as recalled and listed without a word of that is a message again."""
        back = [one for one in listed.back if (one.conversation, one.message) not in listed.denied]
        for edit in back:
            listed.found.count(edit.conversation, Counts(edited=1))
        if back:
            await self._arrivals.take(connector, back, via="poll")

    async def _page(self, connector: Connector, task: Task, page: Sequence[Parsed], listed: _Listed) -> None:
        window = task.window
        messages: list[Message] = []
        beyond: set[str] = set()
        for one in page:
            listed.unreadable = listed.unreadable or isinstance(one, Refused)
            if isinstance(one, Message | Receipt | Edit | Delete):
                listed.named.setdefault(one.conversation, set()).add(one.message)
            if not isinstance(one, Message):
                continue
            if not window.since - OVERSPILL_MS <= one.sent_at < window.until:
                beyond.add(one.message)
                continue
            known = listed.ids.setdefault(one.conversation, {})
            if one.message not in known:
                known[one.message] = one.sent_at
                messages.append(one)
        others: list[Parsed] = [one for one in page if not isinstance(one, Message) and not _is_about(one, beyond)]
        ours = await self._ours(connector, messages, others)
        rows = await self._rows(connector, [(m.conversation, m.message) for m in messages if m.message not in ours])
        lost, plain, old = await self._sorted(connector, task, messages, rows, ours, listed)
        follow = await self._news(connector, others, ours)
        held = [(m, row) for m in messages if (row := rows.get((m.conversation, m.message))) is not None]
        edits = [edit for m, row in held if (edit := edit_of(m, row, window.until)) is not None]
        listed.back += [edit for m, row in held if (edit := back_of(m, row, window.until)) is not None]
        listed.denied |= {(one.conversation, one.message) for one in page if isinstance(one, Delete)}
        for edit in edits:
            listed.found.count(edit.conversation, Counts(edited=1))
        recalled = {(one.conversation, one.message) for one in follow if isinstance(one, Delete)}
        for conversation, _ in recalled:
            listed.found.count(conversation, Counts(recalled=1))
        listed.gone |= recalled
        await self._take(connector, (lost, plain, old, [*edits, *follow]))
        self._remember(connector, [*lost, *plain, *old], follow)

    async def _ours(self, connector: Connector, messages: list[Message], others: list[Parsed]) -> dict[str, str]:
        """Replies of ours by the platform's id: the id they have in Weir."""
        told = [m.message for m in messages if m.direction == "out"]
        told += [one.message for one in others if isinstance(one, Receipt | Edit | Delete)]
        if not told or not connector.capabilities.sends:
            return {}
        return await self._store.reply_ids(connector.platform, connector.binding.account, list(dict.fromkeys(told)))

    async def _rows(self, connector: Connector, wanted: list[tuple[str, str]]) -> dict[tuple[str, str], MessageRow]:
        """The messages that are held, of those with these conversations and ids."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(conversation: str, message: str) -> MessageRow | None:
            async with gate:
                return await self._store.message(self._key(connector, conversation), message)

        found = await asyncio.gather(*(one(*place) for place in wanted))
        return {place: row for place, row in zip(wanted, found, strict=True) if row is not None}

    async def _sorted(
        self,
        connector: Connector,
        task: Task,
        messages: list[Message],
        rows: dict[tuple[str, str], MessageRow],
        ours: dict[str, str],
        listed: _Listed,
    ) -> tuple[list[Message], list[Message], list[Message]]:
        """What is missing: what was lost, what nobody could have told of, and what is older than the channel here."""
        lost: list[Message] = []
        plain: list[Message] = []
        old: list[Message] = []
        found = listed.found
        for m in messages:
            inside = m.sent_at >= task.window.since
            held = m.message in ours or (m.conversation, m.message) in rows or self._name(connector, m) in self._taken
            counts = Counts(checked=inside, duplicate=inside) if held else Counts(checked=inside, new=1)
            found.count(m.conversation, counts)
            if m.message in ours:
                listed.ids[m.conversation][ours[m.message]] = listed.ids[m.conversation].pop(m.message)
            elif held:
                continue
            elif task.purpose == "history" or m.sent_at < task.lost_from:
                old.append(m)
            elif connector.polls or (m.direction == "out" and not connector.capabilities.echoes):
                plain.append(m)
            elif m.direction == "out" and await self._may_be_ours(connector, m.conversation):
                listed.doubtful.add(m.conversation)
                plain.append(m)
            else:
                lost.append(m)
                found.repaired.add(m.conversation)
        return lost, plain, old

    async def _may_be_ours(self, connector: Connector, conversation: str) -> bool:
        if not connector.capabilities.sends:
            return False
        return bool(await self._store.unsettled_replies(self._key(connector, conversation)))

    async def _news(self, connector: Connector, others: list[Parsed], ours: dict[str, str]) -> list[Parsed]:
        """What is not known yet of what else a page told."""
        told = [one for one in others if isinstance(one, Receipt | Edit | Delete)]
        places = [(one.conversation, ours.get(one.message, one.message)) for one in told]
        rows = await self._rows(connector, list(dict.fromkeys(places)))
        news: list[Parsed] = []
        for one in others:
            match one:
                case Receipt() | Edit() | Delete():
                    known = _is_known(one, rows.get((one.conversation, ours.get(one.message, one.message))))
                case Refused():
                    known = _digest(one) in self._taken
                case _:
                    known = False
            if not known:
                news.append(one)
        return news

    async def _take(
        self,
        connector: Connector,
        parts: tuple[list[Message], list[Message], list[Message], list[Parsed]],
    ) -> None:
        lost, plain, old, follow = parts
        if lost:
            await self._arrivals.take(connector, [*_named(connector, lost), *lost], via="resync")
        if old:
            await self._arrivals.take(connector, old, via="resync", history=True)
        if plain or follow:
            await self._arrivals.take(connector, [*plain, *follow], via="poll")

    async def _recount(self, connector: Connector, task: Task, listed: _Listed) -> None:
        """What the platform holds of the window, where its listing is whole and something is to be closed by it."""
        if not connector.pace.complete or task.purpose == "history" or connector.polls:
            return
        window = task.window
        every = task.purpose == "recount"
        checks: list[Checkpoint] = []
        total = 0
        for conversation, ids in listed.ids.items():
            inside = sorted((at, one) for one, at in ids.items() if at >= window.since)
            total += len(inside)
            if (every or conversation in listed.found.repaired) and conversation not in listed.doubtful and inside:
                checks += _whole(connector, conversation, window, inside)
        if task.total and window.conversation is None and not listed.doubtful:
            # A recalled message is kept here and counted among ours; the platform counts it no more.
            total += await self._absences.recalled(connector, window, listed.ids, listed.named, listed.gone)
            start, end = window.since, window.until
            checks.append(
                Checkpoint(
                    platform=connector.platform,
                    account=connector.binding.account,
                    start=start,
                    end=end,
                    count=total,
                )
            )
        if checks:
            await self._arrivals.take(connector, checks)

    def _key(self, connector: Connector, conversation: str) -> str:
        return conversation_key(connector.platform, connector.binding.account, conversation)

    def _name(self, connector: Connector, m: Message) -> str:
        return f"{self._key(connector, m.conversation)}/{escape(m.message)}"

    def _remember(self, connector: Connector, messages: list[Message], follow: list[Parsed]) -> None:
        for message in messages:
            self._taken[self._name(connector, message)] = None
        for one in follow:
            if isinstance(one, Refused):
                self._taken[_digest(one)] = None
        while len(self._taken) > REMEMBERED:
            self._taken.popitem(last=False)


def _is_about(one: Parsed, messages: set[str]) -> bool:
    return isinstance(one, Receipt | Edit | Delete) and one.message in messages


def _is_known(one: Receipt | Edit | Delete, row: MessageRow | None) -> bool:
    """Whether this was told before; what is told of a message that is not held only matters when it is a receipt."""
    match one:
        case Receipt():
            return row is not None and one.status in row.hops
        case Edit():
            return row is None or same_words(row.text, one.text)
        case Delete():
            return row is None or is_recalled(row)


def _named(connector: Connector, lost: list[Message]) -> list[Checkpoint]:
    """Checkpoints that name each lost message, of the very moment at which it was sent."""
    places: dict[tuple[str, int], list[str]] = {}
    for m in lost:
        places.setdefault((m.conversation, m.sent_at), []).append(m.message)
    return [
        Checkpoint(
            platform=connector.platform,
            account=connector.binding.account,
            conversation=conversation,
            start=sent_at,
            end=sent_at + 1,
            count=len(ids),
            messages=ids,
            found_by=SWEEP,
        )
        for (conversation, sent_at), ids in places.items()
    ]


def _whole(connector: Connector, conversation: str, window: Window, inside: list[tuple[int, str]]) -> list[Checkpoint]:
    """The conversation's window with every id; in parts where it has very many."""
    parts: list[list[tuple[int, str]]] = [[]]
    for one in inside:
        if len(parts[-1]) >= MOST_NAMED and one[0] != parts[-1][-1][0]:
            parts.append([])
        parts[-1].append(one)
    starts = [window.since, *(part[0][0] for part in parts[1:])]
    ends = [*starts[1:], window.until]
    return [
        Checkpoint(
            platform=connector.platform,
            account=connector.binding.account,
            conversation=conversation,
            start=start,
            end=end,
            count=len(part),
            messages=[message for _, message in part],
        )
        for part, start, end in zip(parts, starts, ends, strict=True)
    ]


def _digest(refused: Refused) -> str:
    return sha256(refused.raw).hexdigest()


__all__ = ["UNDER_WAY_MS", "Reconciler", "ReconcilingStore", "Task"]
