"""One person under several names: what comes under any of them is kept under the one that was heard first.

A name is settled when it is first told, durably and for ever, so that a conversation never moves; two names that were
each heard by themselves before anything told that they are one person's stay apart, with a conversation each.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, cast

from msgspec.structs import replace

from actors.events import Event, Message
from connectors.contract.connector import Connector, OnePerson, Parsed
from storage.channel_ports import IdentityStore
from storage.channel_records import Identity

REMEMBERED = 100_000
"""Names of which this process knows what they are linked to; that never changes."""


class Identities:
    """Gives events the names under which everything of a person is kept; `now` in ms."""

    def __init__(self, store: IdentityStore, now: Callable[[], int]) -> None:
        self._store = store
        self._now = now
        self._known: OrderedDict[tuple[str, str, str], str] = OrderedDict()

    async def settled(self, connector: Connector, parsed: Sequence[Parsed]) -> Sequence[Parsed]:
        """What was read, with one name for each person and without word of the others. Raises RetriableError.

        The names are durable when it returns.
        """
        people = [one.names for one in parsed if isinstance(one, OnePerson)]
        told = [one for one in parsed if not isinstance(one, OnePerson)]
        if not connector.aliases:
            return told
        named = {name: None for names in people for name in names}
        named |= {name: None for one in told for name in _names(one)}
        known = await self._looked_up(connector, list(named))
        # One name of each person at a time: of processes that hear of somebody at once all go on from the first's name.
        while links := self._links(connector, people, known):
            await self._store.link_identities(links)
            known |= await self._asked(connector, [link.alias for link in links])
        return [_renamed(one, known) for one in told]

    async def _looked_up(self, connector: Connector, names: Sequence[str]) -> dict[str, str]:
        platform, account = connector.platform, connector.binding.account
        known = {name: self._known.get((platform, account, name)) for name in names}
        found = await self._asked(connector, [name for name, held in known.items() if held is None])
        return {name: held for name, held in known.items() if held is not None} | found

    async def _asked(self, connector: Connector, names: Sequence[str]) -> dict[str, str]:
        if not names:
            return {}
        platform, account = connector.platform, connector.binding.account
        found = await self._store.canonical(platform, account, names)
        for name, held in found.items():
            self._known[platform, account, name] = held
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return found

    def _links(self, connector: Connector, people: Iterable[Sequence[str]], known: Mapping[str, str]) -> list[Identity]:
        """What is to be kept next of these people's names: of each person the first name that is not kept yet."""
        links: dict[str, Identity] = {}
        for names in people:
            canonical = next((known[name] for name in names if name in known), names[0])
            alias = min((name for name in {canonical, *names} if name not in known), default=None)
            if alias is not None and alias not in links:
                links[alias] = Identity(
                    platform=connector.platform,
                    account=connector.binding.account,
                    alias=alias,
                    canonical=canonical,
                    since=self._now(),
                )
        return list(links.values())


def _names(one: Parsed) -> Iterable[str]:
    """Names of people in an event."""
    conversation = getattr(one, "conversation", None)
    if isinstance(conversation, str):
        yield conversation
    if isinstance(one, Message) and one.sender is not None and one.sender.id is not None:
        yield one.sender.id


def _renamed(one: Parsed, known: Mapping[str, str]) -> Parsed:
    conversation: str | None = getattr(one, "conversation", None)
    if conversation is None:
        return one
    event = cast("Event", one)
    changes: dict[str, Any] = {}
    if known.get(conversation, conversation) != conversation:
        changes["conversation"] = known[conversation]
    if isinstance(event, Message) and event.sender is not None and event.sender.id is not None:
        sender = known.get(event.sender.id, event.sender.id)
        if sender != event.sender.id:
            changes["sender"] = replace(event.sender, id=sender)
            changes["extra"] = {**(event.extra or {}), "alias": event.sender.id}
    return replace(event, **changes) if changes else one


__all__ = ["Identities"]
