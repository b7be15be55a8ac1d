"""Records of what people write beside the platforms: notes on conversations, drafts, templates.

All times are integer milliseconds since the epoch; conversation keys are those of `actors.keys`.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import Struct, field

from storage.channel_records import ReplyFile

Mode: TypeAlias = Literal["reply", "note"]


class Note(Struct, frozen=True, kw_only=True):
    """What colleagues tell each other of a conversation; no platform ever gets it.

    `mentions`: names of the people it is addressed to; `digest`: SHA-256 of what was asked, so that the same note asked
    for again under one `id` is told from another one.
    """

    id: str
    key: str
    at: int
    who: str
    text: str
    mentions: list[str] = field(default_factory=list[str])
    digest: str = ""


class ReplyDraft(Struct, frozen=True, kw_only=True):
    """What one person has written in one conversation and not sent: `text` to the customer, `note` to colleagues.

    `mode`: which of the two is open; `changed_at`: when it was last kept.
    """

    user: str
    key: str
    changed_at: int
    mode: Mode = "reply"
    text: str = ""
    note: str = ""
    reply_to: str | None = None
    files: list[ReplyFile] = field(default_factory=list[ReplyFile])


class TemplateText(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One wording of a template; None: for every platform, or every language (`lang` as in `en` or `pt-BR`)."""

    text: str
    platform: str | None = None
    lang: str | None = None


class Template(Struct, frozen=True, kw_only=True):
    """A reply prepared for many. At most one wording a platform and language; `folder`: its category.

    `used`: how often it was sent or put into a reply, last at `last_used_at`; `version` grows with every change of the
    template, and not with its use.
    """

    id: str
    name: str
    folder: str
    texts: list[TemplateText]
    created_at: int
    created_by: str
    changed_at: int
    changed_by: str
    active: bool = True
    version: int = 1
    used: int = 0
    last_used_at: int | None = None


__all__ = ["Mode", "Note", "ReplyDraft", "Template", "TemplateText"]
