"""Records of what Weir does at its bound channels: replies on their way out, work to be done, sweeps.

All times are integer milliseconds since the epoch; conversation keys are those of `actors.keys`.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from msgspec import Struct, field

ReplyState: TypeAlias = Literal["new", "queued", "claimed", "sent", "failed", "unknown"]
JobKind: TypeAlias = Literal["attachment", "pointer", "resync", "contact", "read"]


class ReplyFile(Struct, frozen=True, kw_only=True):
    """A file that goes with a reply; `digest`: SHA-256 of its content in hexadecimal, its name in the file store."""

    digest: str
    name: str
    mime: str
    size: int


class ReplyRow(Struct, frozen=True, kw_only=True):
    """One reply of ours on its way to the platform. `id` is the message's id in Weir, from before it is sent.

    `new`: noted, perhaps not in the log yet; `queued`: in the log, to be sent from `due_at` on; `claimed`: being sent
    by the process `claimed_by` since `claimed_at`; `sent`: the platform has it, as `platform_message` where it told;
    `failed`: it will never have it (`code`, `reason`); `unknown`: nobody knows, and it is not sent again by itself.
    `digest`: SHA-256 of what was asked with this `idempotency_key`; `version` grows with every change.
    `settled_at`: since when it is `sent`, `failed` or looked for no more; of a `queued` one: since when a person wants
    it sent after all. `doubts`: how many sendings ended without anybody knowing; `looks`: how often it was looked for
    at the platform since the last of them; `told`: whether the log has it that it is `sent` or `failed`.
    `kind`: of a message that is no answer but was begun as one of the platform's kinds; it is not sent again as it is.
    `heard`: what the platform told of the present attempt after it took it; `failure`: code and reason of a bad one.
    """

    id: str
    key: str
    platform: str
    account: str
    conversation: str
    who: str
    at: int
    due_at: int
    idempotency_key: str
    digest: str
    state: ReplyState = "new"
    text: str = ""
    recipient: str | None = None
    reply_to: str | None = None
    order: str | None = None
    resend_of: str | None = None
    kind: str | None = None
    files: list[ReplyFile] = field(default_factory=list[ReplyFile])
    attempts: int = 0
    doubts: int = 0
    looks: int = 0
    told: bool = False
    claimed_at: int | None = None
    claimed_by: str | None = None
    settled_at: int | None = None
    platform_message: str | None = None
    code: str | None = None
    reason: str | None = None
    heard: list[str] = field(default_factory=list[str])
    failure: list[str] | None = None
    version: int = 0

    @property
    def hangs_since(self) -> int | None:
        """Since when it waits for its process: a `new` one for the log, a `claimed` one to be sent; else None."""
        if self.state == "new" or (self.state == "claimed" and self.claimed_at is None):
            return self.at
        return self.claimed_at if self.state == "claimed" else None

    @property
    def ended_at(self) -> int | None:
        """When it was sent or failed; None as long as something may still become of it."""
        if self.state not in {"sent", "failed"}:
            return None
        return self.at if self.settled_at is None else self.settled_at


class ReplyFilter(Struct, frozen=True, kw_only=True):
    """Which replies; None means all."""

    states: tuple[ReplyState, ...] | None = None
    platform: str | None = None
    account: str | None = None
    key: str | None = None


class ParkedReceipt(Struct, frozen=True, kw_only=True):
    """A receipt for a platform's message id that nobody knows yet: it overtook the answer to our sending.

    `body`: the `receipt` event as JSON; `id`: its idempotency key, unique within its channel.
    """

    platform: str
    account: str
    message: str
    id: str
    at: int
    body: bytes


class Job(Struct, frozen=True, kw_only=True):
    """Something to be fetched from a platform, again and again until it is done or given up.

    `id` is unique within its kind: putting it twice changes nothing. `due_at`: not before; a claim moves it ahead, so
    that work of a process that died comes up again.
    """

    kind: JobKind
    id: str
    platform: str
    account: str
    at: int
    due_at: int
    payload: dict[str, Any] = field(default_factory=dict[str, Any])
    attempts: int = 0
    failed_at: int | None = None
    reason: str | None = None


class Identity(Struct, frozen=True, kw_only=True):
    """That a platform knows a person by the name `alias`, and that everything of theirs is kept under `canonical`.

    `alias` and `canonical` are ids of senders on one channel; the canonical name is an alias of itself. `since`: when
    Weir was told.
    """

    platform: str
    account: str
    alias: str
    canonical: str
    since: int


class SweepRow(Struct, frozen=True, kw_only=True):
    """How far a channel's history is compared with what the platform holds, and what the last comparison found.

    `cursor`: what whoever reads the channel goes on from; sweeps keep theirs under `sweep` and leave the rest alone.
    `swept_to`: messages sent before it are compared.
    `checked` messages the platform told of, `new` of them were not held and are now, `duplicate` were.
    `failing_since` and `reason` tell of a platform that does not answer; `version` grows with every change.
    """

    platform: str
    account: str
    cursor: dict[str, Any] = field(default_factory=dict[str, Any])
    swept_to: int | None = None
    began_at: int | None = None
    ended_at: int | None = None
    checked: int = 0
    new: int = 0
    duplicate: int = 0
    new_ever: int = 0
    failing_since: int | None = None
    reason: str | None = None
    version: int = 0


__all__ = [
    "Identity",
    "Job",
    "JobKind",
    "ParkedReceipt",
    "ReplyFile",
    "ReplyFilter",
    "ReplyRow",
    "ReplyState",
    "SweepRow",
]
