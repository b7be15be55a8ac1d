"""The parts of the storage port that serve bound channels: the outbox, work to be done, sweeps, orders, files.

Errors and habits are those of `storage.ports`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from actors.orders import Order
from storage.channel_records import Identity, Job, JobKind, ParkedReceipt, ReplyFilter, ReplyRow, SweepRow
from storage.records import Page


class OutboxStore(Protocol):
    """Replies on their way out. A reply's state is changed by compare-and-set on its `version`, and in no other way."""

    async def add_reply(self, row: ReplyRow) -> ReplyRow:
        """Keep a reply; when one with its `id` is held already, nothing changes and that one is given."""
        ...

    async def reply(self, reply_id: str) -> ReplyRow | None:
        """One reply."""
        ...

    async def replies(self, where: ReplyFilter, limit: int, cursor: str | None = None) -> Page[ReplyRow]:
        """Replies by `at` descending, then id."""
        ...

    async def change_reply(self, row: ReplyRow, *, replaces: int) -> bool:
        """Replace the reply of that id whose `version` is `replaces`; False, and nothing changes, when it is not."""
        ...

    async def due_replies(self, now: int, limit: int) -> list[ReplyRow]:
        """The replies to send next, by `due_at`, then `at`.

        Of each conversation the earliest one that is `new`, `queued` or `claimed` (by `at`, then id), and that only
        if it is `queued` with due_at <= now.
        """
        ...

    async def stale_replies(self, before: int, limit: int) -> list[ReplyRow]:
        """Replies that hang: `new` with at < before, or `claimed` with claimed_at < before; oldest first."""
        ...

    async def unsettled_replies(self, key: str) -> list[ReplyRow]:
        """The `claimed` and `unknown` replies of a conversation, by `at`, then id."""
        ...

    async def reply_ids(self, platform: str, account: str, messages: Sequence[str]) -> dict[str, str]:
        """For those platform's message ids that are our replies: platform's id → the reply's id."""
        ...

    async def park_receipt(self, receipt: ParkedReceipt) -> None:
        """Keep a receipt for later; one that is kept already changes nothing."""
        ...

    async def take_parked(self, platform: str, account: str, messages: Sequence[str]) -> list[ParkedReceipt]:
        """Give the receipts kept for these platform's message ids, by `at`; they stay until `drop_parked`."""
        ...

    async def parked_before(self, before: int, limit: int) -> list[ParkedReceipt]:
        """Receipts kept since before `before`, oldest first."""
        ...

    async def drop_parked(self, receipts: Sequence[ParkedReceipt]) -> None:
        """Forget these."""
        ...


class JobStore(Protocol):
    """Work to be done at platforms, by whoever claims it first."""

    async def put_jobs(self, jobs: Sequence[Job]) -> None:
        """Keep jobs; one whose kind and id are held already, failed ones too, changes nothing."""
        ...

    async def claim_jobs(self, kind: JobKind, now: int, until: int, limit: int) -> list[Job]:
        """Take jobs with due_at <= now that have not failed, oldest due first, and move their `due_at` to `until`.

        Nobody else gets them before. They are given as they are afterwards, with `attempts` one higher.
        """
        ...

    async def finish_job(self, kind: JobKind, job_id: str) -> None:
        """It is done: forget it."""
        ...

    async def delay_job(self, kind: JobKind, job_id: str, due_at: int, reason: str) -> None:
        """Try it again from `due_at` on; failed or not."""
        ...

    async def fail_job(self, kind: JobKind, job_id: str, at: int, reason: str) -> None:
        """It is given up; it stays, to be looked at."""
        ...

    async def jobs(self, kind: JobKind, limit: int, *, failed: bool | None = None) -> list[Job]:
        """Jobs by `at`; `failed`: only given up ones, or only others."""
        ...

    async def forget_jobs(self, failed_before: int) -> None:
        """Forget those given up before that time."""
        ...


class SweepStore(Protocol):
    """How far each channel is compared with its platform. Changed by compare-and-set on `version`, in no other way."""

    async def sweeps(self) -> list[SweepRow]:
        """Every channel's, by platform, then account."""
        ...

    async def sweep(self, platform: str, account: str) -> SweepRow | None:
        """One channel's."""
        ...

    async def save_sweep(self, row: SweepRow, *, replaces: int) -> bool:
        """Replace the one whose `version` is `replaces` (0: none is held yet); False, and nothing changes, else."""
        ...


class OrderStore(Protocol):
    """Orders of shops."""

    async def put_orders(self, orders: Sequence[Order]) -> None:
        """Create or replace orders, apart from those held with a later `updated_at`."""
        ...

    async def order(self, platform: str, account: str, order_id: str) -> Order | None:
        """One order."""
        ...

    async def orders_by(
        self, *, number: str | None = None, email: str | None = None, contact: str | None = None, limit: int = 20
    ) -> list[Order]:
        """Orders with that number, or e-mail address (case-insensitive), or customer's id; newest first."""
        ...

    async def forget_customer(self, platform: str, account: str, contact: str) -> int:
        """Delete the orders of a customer who wants to be forgotten; how many there were."""
        ...


class IdentityStore(Protocol):
    """The names by which platforms know one person. What a name is linked to never changes, so it may be remembered."""

    async def link_identities(self, links: Sequence[Identity]) -> None:
        """Keep links; a name that is linked already stays linked as it is."""
        ...

    async def canonical(self, platform: str, account: str, names: Sequence[str]) -> dict[str, str]:
        """For those of these names that are linked: name → the name under which everything is kept."""
        ...

    async def aliases(self, platform: str, account: str, name: str) -> list[Identity]:
        """Every name of the person with this one, the canonical one too; by `since`, then alias; none when unknown."""
        ...

    async def forget_identities(self, platform: str, account: str, name: str) -> int:
        """Forget every name of the person with this one; how many there were."""
        ...


class NamingStore(Protocol):
    """Who names files."""

    async def named_files(self, digests: Sequence[str]) -> set[str]:
        """Of these digests those that a message's file, a thumbnail, a reply or a draft names."""
        ...


class FileStore(Protocol):
    """Files by the SHA-256 of their content, in hexadecimal. What is kept once is never changed."""

    async def put_file(self, digest: str, content: AsyncIterator[bytes]) -> int:
        """Keep a file, durable when it returns; its size in bytes. Raises RejectedError when the digest is another's.

        A file that is held already is not written again, but counts as kept now.
        """
        ...

    def file(self, digest: str) -> AsyncIterator[bytes]:
        """The content of a file in pieces; raises FileMissingError."""
        ...

    async def file_size(self, digest: str) -> int | None:
        """The size of a file in bytes; None when it is not held."""
        ...

    async def delete_file(self, digest: str) -> None:
        """Forget a file, if it is held."""
        ...

    async def old_files(self, before: int, limit: int, after: str | None = None) -> list[str]:
        """Digests, ascending and beyond `after`, of files that were last kept, anew or again, before that time (ms)."""
        ...

    async def delete_old_file(self, digest: str, before: int) -> bool:
        """Forget a file, unless it was kept, anew or again, since that time (ms); whether it was forgotten."""
        ...


class ChannelStore(OutboxStore, JobStore, SweepStore, OrderStore, IdentityStore, NamingStore, Protocol):
    """All of it, apart from files, which may be kept elsewhere."""


__all__ = [
    "ChannelStore",
    "FileStore",
    "IdentityStore",
    "JobStore",
    "NamingStore",
    "OrderStore",
    "OutboxStore",
    "SweepStore",
]
