"""What people and rules decide about a conversation: who has it, which team, snoozed, archived, closed, looked at.

The desk is changed by compare-and-set: of two at once one wins and the other is told who. A person beats a rule: what a
rule assigned after somebody had last looked gives way to him. Closing and opening are `action` events in the log, since
clocks hang on them; the answer is the conversation as it will be once the engine has read them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal, Protocol

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from actors.errors import RejectedError
from actors.events import Action
from services.channels.marks import put_down
from services.errors import ConflictError
from services.inbox.errors import TakenError
from services.inbox.listing import Inbox
from services.inbox.scope import People, answers, scope_of
from services.inbox.telling import Telling
from services.people.permissions import Caller, can, demand
from storage.channel_ports import JobStore
from storage.inbox_records import DeskChange
from storage.records import AuditRow, ConversationRow, Page
from streams.ports import Gateway

LONGEST_SNOOZE_MS = 366 * 86_400_000
READ_EVERY_MS = 10 * 60_000
MOST_READS = 20_000
SOON_MS = 10_000
"""An assignment that is changed within this time is counted: people or rules pull at one conversation."""
_ATTEMPTS = 8
Name = str | None
Build = Callable[[ConversationRow], Awaitable[DeskChange | None]]


class DeskWrites(JobStore, Protocol):
    """The parts of a store used here."""

    async def change_desk(self, key: str, change: DeskChange, audit: AuditRow) -> ConversationRow | None:
        """Compare and set."""
        ...

    async def append_audit(self, row: AuditRow) -> None:
        """Note something."""
        ...

    async def audit(
        self,
        limit: int,
        cursor: str | None = None,
        subject: str | None = None,
        *,
        who: str | None = None,
        what: str | None = None,
    ) -> Page[AuditRow]:
        """What was noted."""
        ...


class Desk:
    """Changes desks. `observe` is told of `conflict` and `reassigned_soon`."""

    def __init__(self, store: DeskWrites, gateway: Gateway, inbox: Inbox, telling: Telling) -> None:
        self._store = store
        self._gateway = gateway
        self._inbox = inbox
        self._telling = telling
        self._read: dict[tuple[str, str], int] = {}
        self.observe: Callable[[str], None] | None = None

    async def claim(self, caller: Caller, key: str, version: int | None = None) -> ConversationRow:
        """Take it, if nobody has it; who has it already keeps it. Raises TakenError, NotFoundError, ForbiddenError."""
        demand(caller, "assign")
        row = await self._inbox.seen(caller, key, fresh=True)
        if row.assignee == caller.name:
            return row

        async def taken(now: ConversationRow) -> DeskChange | None:
            if now.assignee == caller.name:
                return None
            # A rule that was faster than the click gives way; a rule's assignment that she saw does not.
            if now.assignee is not None and not (now.automatic and _stale(now, version)):
                raise self._conflict(now)
            await self._check_assignee(now, caller.name, now.team)
            return DeskChange(at=self._gateway.now(), replaces=now.desk_version, assignee=caller.name)

        return await self._change(caller, row, "conversation.claimed", taken)

    async def assign(
        self,
        caller: Caller,
        key: str,
        *,
        assignee: Name | UnsetType = UNSET,
        team: Name | UnsetType = UNSET,
        version: int | None = None,
    ) -> ConversationRow:
        """Give it to somebody, to a team, or to nobody (None).

        Raises TakenError when it changed since `version`, RejectedError when the team does not exist or the assignee
        may not answer there, NotFoundError, ForbiddenError.
        """
        demand(caller, "assign")
        row = await self._inbox.seen(caller, key, fresh=True)

        async def given(now: ConversationRow) -> DeskChange | None:
            if _stale(now, version) and not now.automatic:
                raise self._conflict(now)
            change = await self.assignment(now, assignee=assignee, team=team)
            return None if change is None else replace(change, at=self._gateway.now())

        return await self._change(caller, row, "conversation.assigned", given)

    async def assignment(
        self, row: ConversationRow, *, assignee: Name | UnsetType, team: Name | UnsetType
    ) -> DeskChange | None:
        """The change that gives a conversation away; None when it is so already. Raises RejectedError.

        Who may not see it in its new team has it no longer.
        """
        people = await self._inbox.scopes.people(fresh=True)
        if isinstance(team, str) and team not in {one.id for one in people.teams}:
            raise RejectedError(f"there is no team {team[:64]!r}; GET /api/v1/teams lists them")
        new_team = row.team if team is UNSET else team
        if assignee is UNSET:
            keeps = row.assignee is None or may_answer(people, row, row.assignee, new_team)
            assignee = UNSET if keeps else None
        elif assignee is not None:
            await self._check_assignee(row, assignee, new_team)
        assignee = UNSET if assignee == row.assignee else assignee
        team = UNSET if team == row.team else team
        if assignee is UNSET and team is UNSET:
            return None
        return DeskChange(at=0, replaces=row.desk_version, assignee=assignee, team=team)

    async def automatically(
        self, row: ConversationRow, *, assignee: Name | UnsetType = UNSET, team: Name | UnsetType = UNSET, rule: str
    ) -> ConversationRow | None:
        """What a rule gives: only what nobody has, only for the state it decided on; None when somebody was faster."""
        people = await self._inbox.scopes.people()
        new_team = row.team if team is UNSET else team
        if row.assignee is not None or (isinstance(assignee, str) and not may_answer(people, row, assignee, new_team)):
            return None
        now = self._gateway.now()
        change = DeskChange(at=now, replaces=row.desk_version, assignee=assignee, team=team, automatic=True)
        done = await self._store.change_desk(row.key, change, self._audit("weir", "conversation.assigned", row, change))
        if done is None:
            self._observe("conflict")
            return None
        await self._told(row, done, "assigned", "weir", rule=rule)
        return done

    async def snooze(self, caller: Caller, key: str, until: int) -> ConversationRow:
        """Out of the way until then (ms), or until the customer writes. Raises RejectedError for a time that is not."""
        demand(caller, "assign")
        now = self._gateway.now()
        if not now < until <= now + LONGEST_SNOOZE_MS:
            raise RejectedError("until: a time to come, at most a year from now")
        return await self.set(caller, key, "conversation.snoozed", snoozed_until=until)

    async def archive(self, caller: Caller, key: str, *, archived: bool) -> ConversationRow:
        """Out of the lists, until the customer writes; or back into them."""
        demand(caller, "assign")
        what = "conversation.archived" if archived else "conversation.unarchived"
        return await self.set(caller, key, what, archived=archived)

    async def set(self, caller: Caller, key: str, what: str, **fields: Any) -> ConversationRow:
        """Set fields of the desk, whoever changed others of them meanwhile."""
        row = await self._inbox.seen(caller, key, fresh=True)

        async def wanted(now: ConversationRow) -> DeskChange | None:
            if all(getattr(now, name) == value for name, value in fields.items()):
                return None
            return DeskChange(at=self._gateway.now(), replaces=now.desk_version, **fields)

        return await self._change(caller, row, what, wanted)

    async def close(self, caller: Caller, key: str) -> ConversationRow:
        """Done with. Its clocks stop once the engine has read it."""
        demand(caller, "assign")
        row = await self._inbox.seen(caller, key, fresh=True)
        return row if row.status == "closed" else (await self.act(caller, [row], "closed"))[0]

    async def reopen(self, caller: Caller, key: str) -> ConversationRow:
        """Not done with after all; also no longer snoozed."""
        demand(caller, "assign")
        row = await self._inbox.seen(caller, key, fresh=True)
        if row.status == "open":
            return await self.set(caller, key, "conversation.woken", snoozed_until=None)
        return (await self.act(caller, [row], "reopened"))[0]

    async def act(
        self, caller: Caller, rows: Sequence[ConversationRow], what: Literal["closed", "reopened"]
    ) -> list[ConversationRow]:
        """Tell the log that these are closed or open; the rows as they will be once the engine has read it."""
        now = self._gateway.now()
        await self._gateway.submit([_action(row, what, caller.name, now) for row in rows])
        done: list[ConversationRow] = []
        for row in rows:
            await self._store.append_audit(self._audit(caller.name, f"conversation.{what}", row, None))
            await self._telling.tell(row.key, what, caller.name)
            done.append(
                replace(row, status="closed", sla=None, sla_kind=None, sla_due_at=None)
                if what == "closed"
                else replace(row, status="open", snoozed_until=None, archived=False)
            )
        return done

    async def opened(self, caller: Caller, key: str) -> ConversationRow:
        """Somebody looks at it: noted once in ten minutes; by one who may answer, it also counts as read."""
        row = await self._inbox.seen(caller, key)
        now = self._gateway.now()
        await self._note_read(caller, row, now)
        if not can(caller.role, "reply"):
            return row
        await self._gateway.submit([_action(row, "opened", caller.name, now)])
        await put_down(self._store, row, now)
        return replace(row, unread=0)

    async def _note_read(self, caller: Caller, row: ConversationRow, now: int) -> None:
        who, last = (caller.name, row.key), self._read.get((caller.name, row.key))
        if last is not None and now - last < READ_EVERY_MS:
            return
        if len(self._read) >= MOST_READS:
            self._read.clear()
        if last is None:
            # Another process may have noted it.
            page = await self._store.audit(1, None, row.key, who=caller.name, what="conversation.read")
            if page.items and now - page.items[0].at < READ_EVERY_MS:
                self._read[who] = page.items[0].at
                return
        self._read[who] = now
        await self._store.append_audit(AuditRow(at=now, who=caller.name, what="conversation.read", subject=row.key))

    async def _change(self, caller: Caller, row: ConversationRow, what: str, build: Build) -> ConversationRow:
        for _ in range(_ATTEMPTS):
            change = await build(row)
            if change is None:
                return row
            done = await self._store.change_desk(row.key, change, self._audit(caller.name, what, row, change))
            if done is not None:
                await self._told(row, done, what.partition(".")[2], caller.name)
                return done
            row = await self._inbox.seen(caller, row.key, fresh=True)
        raise ConflictError("the conversation is changed by many at once; look at it, then decide again")

    async def _told(self, before: ConversationRow, after: ConversationRow, what: str, who: str, **more: Any) -> None:
        reassigned = before.assigned_at is not None and after.assignee != before.assignee
        if reassigned and self._gateway.now() - (before.assigned_at or 0) < SOON_MS:
            self._observe("reassigned_soon")
        await self._telling.tell(after.key, what, who, assignee=after.assignee, team=after.team, **more)

    async def _check_assignee(self, row: ConversationRow, name: str, team: Name) -> None:
        people = await self._inbox.scopes.people(fresh=True)
        user = next((one for one in people.users if one.name == name), None)
        if user is None or user.disabled:
            raise RejectedError(f"there is nobody {name[:100]!r} who could have it; choose a person who is active")
        if not answers(user):
            raise RejectedError(f"{name} has the role {user.role}, which may not answer; choose somebody else")
        if not may_answer(people, row, name, team):
            raise RejectedError(f"{name} belongs to none of the teams that see this conversation; choose one of them")

    def _conflict(self, row: ConversationRow) -> TakenError:
        self._observe("conflict")
        return TakenError(row)

    def _observe(self, what: str) -> None:
        if self.observe:
            self.observe(what)

    def _audit(self, who: str, what: str, row: ConversationRow, change: DeskChange | None) -> AuditRow:
        names = ("assignee", "team", "snoozed_until", "archived")
        after = {name: value for name in names if change and (value := getattr(change, name)) is not UNSET}
        before = {name: getattr(row, name) for name in after}
        return AuditRow(
            at=self._gateway.now(), who=who, what=what, subject=row.key, before=before or None, after=after or None
        )


def may_answer(people: People, row: ConversationRow, name: str, team: Name) -> bool:
    """Whether somebody may answer a conversation that is given to that team, without having it already."""
    user = next((one for one in people.users if one.name == name), None)
    return (
        user is not None
        and answers(user)
        and scope_of(people, name, user.role).sees(replace(row, assignee=None, team=team))
    )


def _stale(row: ConversationRow, version: int | None) -> bool:
    return version is not None and row.desk_version != version


def _action(row: ConversationRow, what: Literal["opened", "closed", "reopened"], who: str, at: int) -> Action:
    return Action(
        platform=row.platform, account=row.account, conversation=row.conversation, at=at, what=what, agent=who
    )


__all__ = ["READ_EVERY_MS", "SOON_MS", "Desk", "may_answer"]
