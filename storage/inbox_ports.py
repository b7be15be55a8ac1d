"""The inbox's part of the storage port: the desk, which people and rules change, and the teams.

Beside the read model that the engine keeps, every conversation has a desk: who has it, which team, whether it is
snoozed or archived. The engine never assigns; the one thing its flush does there is to end a snooze or an archiving
when the conversation is opened anew, by a customer's message or a person: what somebody waits for may not stay hidden.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from storage.inbox_records import DeskChange, DeskGroup, InboxFilter, Team
from storage.records import AuditRow, ConversationRow


class DeskStore(Protocol):
    """Lists by the desk, changes of it by compare-and-set, teams."""

    async def inbox(
        self, where: InboxFilter, offset: int, limit: int, *, counted: bool = True
    ) -> tuple[list[ConversationRow], int]:
        """A window of the list, and how many conversations the whole list has; 0 when that is not `counted`.

        Sort `due`: those whose clock runs by when it is due, then those that wait for an answer without one, the
        longest waiting first, then the rest, newest first; what is closed or archived comes newest first. `value`: the
        highest amount first, whatever the currency.
        """
        ...

    async def inbox_groups(self, now: int) -> list[DeskGroup]:
        """All open conversations that are not archived, counted by what decides who sees them and where."""
        ...

    async def rows(self, keys: Sequence[str]) -> list[ConversationRow]:
        """These conversations, in the order of the keys; unknown ones are absent."""
        ...

    async def change_desk(self, key: str, change: DeskChange, audit: AuditRow) -> ConversationRow | None:
        """Change a conversation's desk, with its audit row; the row as it is then.

        None, and nothing is written, when its version is not `change.replaces` or there is no such conversation.
        """
        ...

    async def change_desks(self, changes: Sequence[tuple[str, DeskChange, AuditRow]]) -> list[ConversationRow | None]:
        """Many at once, each by itself like `change_desk`."""
        ...

    async def snoozed_until(self, since: int, until: int, limit: int) -> list[tuple[int, str]]:
        """(when, key) of the conversations whose snooze ends in (since, until], the earliest first."""
        ...

    async def teams(self) -> list[Team]:
        """Every team, by name, then id."""
        ...

    async def save_team(self, team: Team, audit: AuditRow, *, replaces: int | None = None) -> bool:
        """Make a team, or with `replaces` change the one whose `version` that is, with its audit row.

        False, and nothing is written, when the store holds another state of it: somebody was faster.
        """
        ...

    async def delete_team(self, team_id: str, audit: AuditRow) -> bool:
        """Forget a team, and note it; False, and nothing is noted, when there is none."""
        ...


__all__ = ["DeskStore"]
