"""What goes out: a reply of ours, what the platform allows it to be, and what the platform said."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Literal, TypeAlias

from msgspec import Struct, field

Forbidden: TypeAlias = Literal["links", "emails", "phones"]


class OutgoingFile(Struct, frozen=True, kw_only=True):
    """A file that goes with a reply; `size` in bytes, `digest` its SHA-256 in hexadecimal; `read` gives its content.

    `url`: where the platform may fetch it, for platforms that take no bytes; None when this Weir has no public address.
    """

    name: str
    mime: str
    size: int
    digest: str
    read: Callable[[], AsyncIterator[bytes]]
    url: str | None = None

    async def content(self) -> bytes:
        """The whole content."""
        return b"".join([piece async for piece in self.read()])


class Outgoing(Struct, frozen=True, kw_only=True):
    """One reply. `id`: Weir's own, the idempotency key where the platform takes one; all other ids are the platform's.

    `recipient`: sender id of the customer's latest message; `last_in_at`: when the platform had that message (ms);
    `thread`: ids of the conversation's latest messages, oldest first, 20 at most; `subject`: of the conversation, for
    mail; `extra`: what the customer's latest message carried as `extra`.
    """

    id: str
    conversation: str
    at: int
    text: str = ""
    recipient: str | None = None
    reply_to: str | None = None
    order: str | None = None
    last_in_at: int | None = None
    thread: Sequence[str] = ()
    subject: str | None = None
    extra: Mapping[str, object] = field(default_factory=dict[str, object])
    files: Sequence[OutgoingFile] = ()

    def __repr__(self) -> str:
        """Without what it says."""
        return f"Outgoing(id={self.id!r})"


class Sent(Struct, frozen=True, kw_only=True):
    """The platform has it; `message`: by that id (None: it tells none), `at`: since when (ms), if it tells."""

    message: str | None = None
    at: int | None = None


class Objection(Struct, frozen=True, kw_only=True):
    """Why the platform would not take a reply: `code` for programs and catalogues, `figures` to fill its text in.

    `text`: in English, with what to do about it.
    """

    code: str
    text: str
    figures: Mapping[str, str | int] = field(default_factory=dict[str, str | int])


class Limits(Struct, frozen=True, kw_only=True):
    """What the platform allows an answer to be; None: not known or not limited.

    `text`: longest text, counted in `unit`; `window_ms`: how long after the customer's last message an answer may go;
    `files`: how many at once (0: none); `together`: whether a text may go with them; `wordless`: whether they may go
    without one; `file_bytes`: the largest; `mimes`: those it takes (`image/*` for a kind); `forbids`: what a text must
    not hold.
    """

    text: int | None = None
    unit: Literal["characters", "bytes"] = "characters"
    window_ms: int | None = None
    files: int | None = None
    together: bool = True
    wordless: bool = True
    file_bytes: int | None = None
    mimes: frozenset[str] | None = None
    forbids: frozenset[Forbidden] = frozenset()
