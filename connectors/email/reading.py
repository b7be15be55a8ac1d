"""From a mail's bytes to events: whose it is, which conversation it belongs to, what it says.

A mail that cannot be read is refused with its bytes and harms no other. Nothing is ever left out because a mail looks
like another: the same id with another content and another date is another mail.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Literal
from urllib.parse import quote

from msgspec import Struct

from actors.events import Attachment, Event, Failure, Message, Receipt, Sender
from connectors.contract.canonical import canonical, taken
from connectors.contract.connector import Parsed, Refused, UnreadableError
from connectors.email import identity
from connectors.email.automatic import Automatic, automatic, role_of
from connectors.email.bounces import Bounce, bounce
from connectors.email.headers import Address
from connectors.email.mime import File, Letter, UnreadableMailError, letter
from connectors.email.quotes import quoted_from
from connectors.email.threads import Clues, Held, Note, Threads

MOST_TEXT = 200_000
"""Bytes of text that one event carries; the rest is a file beside it."""
WHOLE_TEXT = "text"
"""The id of the file that has the whole of a text that was cut."""
_MOST_REFERENCES = 20
LARGE = 32 * 1024
_MOST_NAMED = 50
AHEAD_MS = 5 * 60_000
_BEHIND_MS = 7 * 24 * 3_600_000
"""How far a sender's clock may be from our server's before the latter counts."""


class Place(Struct, frozen=True, kw_only=True):
    """Where a mail lies. `at`: when our server took it in, ms; `cut`: only the start of `size` bytes was fetched."""

    kind: Literal["inbox", "sent", "junk"] = "inbox"
    folder: str = "INBOX"
    validity: int = 0
    uid: int = 0
    at: int | None = None
    size: int | None = None
    cut: bool = False


class Told(Struct, kw_only=True):
    """What is made of a mail before it is an event, for connectors that know more of certain senders.

    `alone`: it belongs to no conversation but its own; `by_order`: to one about its order, when there is one.
    """

    letter: Letter
    place: Place
    message: str
    content: str
    sent_at: int
    direction: Literal["in", "out"]
    sender: Sender
    counterpart: str
    automatic: Automatic | None
    text: str
    root: str
    order: str | None = None
    alone: bool = False
    by_order: bool = False
    extra: dict[str, Any]


class Reader:
    """Reads the mails of one channel; `own`: the channel's addresses, in lower case."""

    def __init__(self, platform: str, account: str, own: frozenset[str], threads: Threads) -> None:
        self.platform = platform
        self.account = account
        self.own = own
        self.threads = threads

    async def read(self, raw: bytes, place: Place) -> list[Parsed]:
        """The events of one mail, or what was refused. Raises RetriableError when nobody can say what is held."""
        try:
            # A large mail takes its time, which others must not wait for.
            told = await asyncio.to_thread(self._opened, raw, place) if len(raw) > LARGE else self._opened(raw, place)
        except UnreadableMailError as wrong:
            return [Refused(raw, str(wrong))]
        except Exception as wrong:  # noqa: BLE001 # a mail that trips the reader up must not stop those behind it
            return [Refused(raw, f"the mail trips its reader up ({type(wrong).__name__}); open it in the mailbox")]
        events = await self._events(told)
        try:
            return list(canonical(events))
        except UnreadableError as wrong:
            return [Refused(raw, str(wrong))]

    def _opened(self, raw: bytes, place: Place) -> Told:
        return self.told(letter(raw), place)

    def told(self, found: Letter, place: Place) -> Told:
        """What a mail tells by itself."""
        kind = automatic(found.mail)
        who, direction = self._author(found, place)
        others = [one.address for one in (*found.to, *found.cc) if one.address not in self.own]
        counterpart = who.address if direction == "in" else next(iter(others), who.address)
        message = identity.own_id(found)
        role = role_of(kind) if direction == "in" or kind == "answer" else "agent"
        if direction == "in" and who.address in self.own and role == "customer":
            role = "agent"
        return Told(
            letter=found,
            place=place,
            message=message,
            content=identity.content(found),
            sent_at=_sent_at(found, place),
            direction=direction,
            sender=Sender(id=who.address or None, name=who.name or None, role=role),
            counterpart=counterpart,
            automatic=kind,
            text=found.text,
            root=identity.root(found, message),
            extra=_extra(found, place, kind),
        )

    def _author(self, found: Letter, place: Place) -> tuple[Address, Literal["in", "out"]]:
        """Who wrote it. A form on the shop's own site sends as the shop, and names the customer in Reply-To."""
        who = found.sender or Address(found.sender_shown[:320], "")
        if place.kind == "sent":
            return who, "out"
        if who.address in self.own:
            answers = next((one for one in found.reply_to if one.address not in self.own), None)
            if answers is not None:
                return answers, "in"
        return who, "in"

    async def conversation(self, told: Told) -> str:
        """The conversation a mail belongs to: one that is held, or the one that it begins."""
        if told.alone:
            return identity.conversation(told.message, told.counterpart)
        subject, answers = identity.bare_subject(told.letter.subject)
        named = identity.named_ids(told.letter)[:_MOST_NAMED]
        weak = answers and not named and told.automatic is None
        clues = Clues(
            token=identity.token_in(told.letter),
            ids=named,
            subject=subject if weak else "",
            sender=told.counterpart if weak else "",
            order=(told.order or "") if told.by_order else "",
            at=told.sent_at,
        )
        found = await self.threads.find(self.platform, self.account, clues)
        return found or identity.conversation(told.root, told.counterpart)

    async def _events(self, told: Told) -> list[Event]:
        fate = bounce(told.letter.mail, told.letter.text) if told.automatic == "bounce" else None
        about = None if fate is None or fate.original is None else await self._held(fate.original)
        conversation = about.conversation if about else await self.conversation(told)
        before = await self._held(told.message)
        message = _other_id(told, before)
        if before is not None and message == told.message:
            conversation = before.conversation  # told again, it is where it was, whatever is known meanwhile
        answered = await self._answered(told, conversation)
        self._note(told, message, conversation)
        # Noted first: of two mailboxes that are read at the same time one sees the other.
        elsewhere = await self.threads.siblings(self.platform, self.account, told.message)
        if elsewhere:
            told.extra["siblings"] = list(elsewhere)
        event = self._message(told, message, conversation, answered)
        return [event, *_fates(self, event, fate, about)]

    async def _held(self, mail: str) -> Held | None:
        return await self.threads.held(self.platform, self.account, mail)

    async def _answered(self, told: Told, conversation: str) -> str | None:
        """The message it answers, when that is held: customers also answer what was never in this mailbox."""
        for mail in told.letter.in_reply_to[:1]:
            held = await self._held(mail)
            if held is not None and held.conversation == conversation:
                return mail
        return None

    def _note(self, told: Told, message: str, conversation: str) -> None:
        held = Held(message=message, conversation=conversation, content=told.content, sent_at=told.sent_at)
        subject = identity.bare_subject(told.letter.subject)[0]
        note = Note(id=message, held=held, subject=subject, counterpart=told.counterpart)
        self.threads.note(self.platform, self.account, note)

    def _message(self, told: Told, message: str, conversation: str, answered: str | None) -> Message:
        extra = {**told.extra, "content": told.content}
        if message != told.message:
            extra["reused_id"] = told.message
        text = _shortened(told.text)
        files = list(told.letter.files)
        if text != told.text:
            extra["truncated"] = len(told.text)
            size = len(told.text.encode())
            files.append(File(part=WHOLE_TEXT, name="text.txt", mime="text/plain", size=size, digest=""))
        start = quoted_from(text)
        if start is not None:
            extra["quoted_from"] = start
        if files:
            extra["files"] = {file.part: _about(file) for file in files}
        return Message(
            platform=self.platform,
            account=self.account,
            conversation=conversation,
            message=message,
            sent_at=told.sent_at,
            direction=told.direction,
            sender=told.sender,
            text=text or None,
            reply_to=answered,
            order=told.order,
            attachments=[_attachment(file, told) for file in files] or None,
            via="push",
            extra=extra,
        )


def _other_id(told: Told, before: Held | None) -> str:
    """The mail's id, or another one when a different mail is held under it."""
    if before is None or before.content is None or before.content == told.content or before.sent_at == told.sent_at:
        return told.message
    return f"{told.message}#{told.content[:8]}"


def _fates(reader: Reader, event: Message, fate: Bounce | None, about: Held | None) -> Sequence[Event]:
    """What the mail says of mails of ours: that this one was sent, or that another one did not arrive."""
    if event.direction == "out":
        return [taken(event)]
    if fate is None or about is None or fate.action not in {"failed", "delivered"}:
        return ()
    failed = fate.action == "failed"
    return [
        Receipt(
            platform=reader.platform,
            account=reader.account,
            conversation=about.conversation,
            message=about.message,
            status="failed" if failed else "delivered",
            error=Failure(code=fate.code, reason=fate.reason) if failed else None,
            event=f"{event.message}/{fate.action}"[-1_024:],
        )
    ]


def _sent_at(found: Letter, place: Place) -> int:
    """The mail's date, unless it is missing or far from when our server had the mail."""
    ours = place.at if place.at is not None else found.received_at
    if found.at is None:
        if ours is None:
            raise UnreadableMailError("the mail has no date that can be read, and no server told when it came")
        return ours
    if ours is not None and not ours - _BEHIND_MS <= found.at <= ours + AHEAD_MS:
        return ours
    return found.at


def _extra(found: Letter, place: Place, kind: Automatic | None) -> dict[str, Any]:
    answer = next((one.address for one in found.reply_to), None)
    told: dict[str, Any] = {
        "subject": found.subject,
        "to": [one.address for one in found.to],
        "cc": [one.address for one in found.cc],
        "reply_to": answer if found.sender is None or answer != found.sender.address else None,
        "message_id": found.message_id,
        "references": list(found.references)[-_MOST_REFERENCES:],
        "automatic": kind,
        "html": found.from_html or None,
        "folder": "junk" if place.kind == "junk" else None,
        "cut": place.size if place.cut else None,
    }
    return {name: value for name, value in told.items() if value}


def _shortened(text: str) -> str:
    data = text.encode("utf-8", "replace")
    return text if len(data) <= MOST_TEXT else data[:MOST_TEXT].decode("utf-8", "ignore")


def _about(file: File) -> dict[str, Any]:
    told = {"name": file.name, "cid": file.cid, "inline": file.inline or None}
    return {name: value for name, value in told.items() if value}


def _attachment(file: File, told: Told) -> Attachment:
    return Attachment(
        id=file.part, kind=_kind(file.mime), mime=file.mime, size=file.size, url=address_of(told, file.part)
    )


def address_of(told: Told, part: str) -> str:
    """Where the connector finds a file again: by the mail's id (RFC 2392), else by its place (RFC 5092)."""
    if told.letter.message_id is not None:
        return f"mid:{quote(told.letter.message_id, safe='@')}/{quote(part)}?content={told.content}"
    place = told.place
    return f"imap:/{quote(place.folder, safe='')};UIDVALIDITY={place.validity}/;UID={place.uid}/;SECTION={quote(part)}"


def _kind(mime: str) -> str:
    major = mime.partition("/")[0]
    return major if major in {"image", "audio", "video"} else "file"


__all__ = ["AHEAD_MS", "MOST_TEXT", "WHOLE_TEXT", "Place", "Reader", "Told", "address_of"]
