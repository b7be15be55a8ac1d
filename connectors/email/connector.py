"""E-mail: one mailbox of the shop. Read by IMAP, answered by SMTP; nothing is pushed to an address of ours.

What a receipt says comes from the mailbox: `accepted` when a mail of ours lies among the sent ones, `failed` from a
report that it did not arrive. Nobody tells whether a mail was read. How long access tokens last is unconfirmed: they
are renewed as the server that gives them says.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import ClassVar, cast
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from actors.errors import WeirError
from actors.events import Attachment, Message, Receipt
from connectors.contract import reading
from connectors.contract.asking import answered
from connectors.contract.authorising import Grant
from connectors.contract.calling import Api, ApiRequest, DeniedError, RefusedError, checked, needed
from connectors.contract.connector import (
    Binding,
    Capabilities,
    Connector,
    Parsed,
    Refused,
    SignatureError,
    WebhookRequest,
)
from connectors.contract.history import Pace, Probe, Window
from connectors.contract.outgoing import Limits, Objection, Outgoing, Sent
from connectors.contract.rules import objections
from connectors.email import smtp
from connectors.email.composing import composed, message_id
from connectors.email.identity import content
from connectors.email.imap import Fetched, Folder, Session, Sized, day_of
from connectors.email.line import Line, connected
from connectors.email.mime import content_of, letter
from connectors.email.reading import AHEAD_MS, WHOLE_TEXT, Place, Reader
from connectors.email.settings import SETTINGS, MailSettings, read_settings
from connectors.email.threads import NoThreads, Threads

_RETRIED_MS = 30_000
"""A reply asked for longer ago than this may have been sent before: it is looked for first."""
_MIB = 2**20
_BASE64 = 1.37
"""By how much files grow in a mail (RFC 2045, 6.8: four characters for three bytes, and line ends)."""
_DAY_MS = 24 * 3_600_000


class Email(Connector):
    """One mailbox."""

    platform = "email"
    settings = SETTINGS
    capabilities = Capabilities(
        receipts=frozenset({"accepted", "delivered", "failed"}), echoes=True, sends=True, history=True
    )
    pace = Pace(requests=2, per_s=1.0, sweep_s=3_600, depth_s=86_400, complete=False)
    polls = True
    threads: ClassVar[Threads] = NoThreads()
    """Where mails are looked up; see `with_threads`."""

    def __init__(self, binding: Binding) -> None:
        super().__init__(binding)
        self.mail = read_settings(binding.settings)
        self.limits = Limits(file_bytes=int(self.mail.most_bytes / _BASE64))

    @classmethod
    def with_threads(cls, threads: Threads) -> type[Email]:
        """The connector that looks mails up there: what a registry of one deployment holds."""
        return cast("type[Email]", type(cls.__name__, (cls,), {"threads": threads, "__module__": cls.__module__}))

    def reader(self) -> Reader:
        """What makes events of this mailbox's mails."""
        return Reader(self.platform, self.binding.account, self.mail.own, self.threads)

    def verify(self, request: WebhookRequest) -> None:
        """Mail is fetched: nobody may push it. Raises SignatureError."""
        del request
        raise SignatureError(f"{self.platform} sends no webhooks: its mailbox is read, nothing is taken in here")

    def parse(self, request: WebhookRequest) -> Sequence[Parsed]:
        """Nothing: see `verify`."""
        del request
        return ()

    def objections(self, message: Outgoing, now: int) -> Sequence[Objection]:
        """Also: all files together are too large for one mail."""
        found = list(objections(message, self.limits, now))
        size = int(sum(file.size for file in message.files) * _BASE64) + len(message.text.encode())
        if size > self.mail.most_bytes and not any(one.code == "file_too_large" for one in found):
            figures = {"bytes": size, "most": self.mail.most_bytes}
            fits = f"{self.mail.most_bytes / _BASE64 / _MIB:.3g} MB"
            text = (
                f"the mail would have {size / _MIB:.3g} MB, the server sends {self.mail.most_bytes / _MIB:.3g} MB;"
                f" make the files {fits} together, or send them in parts"
            )
            found.append(Objection(code="mail_too_large", text=text, figures=figures))
        return found

    async def send(self, message: Outgoing, api: Api) -> Sent:
        """Send a reply by SMTP, under an id made of its own; one that lies among the sent mails is not sent again."""
        own = message_id(message.id, self.mail)
        if api.now() - message.at > _RETRIED_MS and await self.has_sent(own):
            return Sent(message=own)
        mail = await composed(message, self.mail)
        await smtp.send_mail(mail, self.mail)
        if not self.mail.keeps_sent:
            # It has gone out: that the copy of it could not be kept must not make it look unsent.
            with suppress(WeirError):
                await self._keep(mail.as_bytes())
        return Sent(message=own)

    async def has_sent(self, mail: str) -> bool:
        """Whether a mail with that Message-ID lies among the sent ones. Raises the errors of `Session`."""
        async with connected(self.mail) as line:
            for folder in await line.run(Session.folders, self.mail):
                if folder.kind == "sent":
                    await line.run(Session.open, folder.name)
                    return bool(await line.run(Session.of_id, mail))
        return False

    async def _keep(self, mail: bytes) -> None:
        async with connected(self.mail) as line:
            folders = await line.run(Session.folders, self.mail)
            sent = next((folder.name for folder in folders if folder.kind == "sent"), None)
            if sent is not None:
                await line.run(Session.append, sent, mail)

    async def history(self, window: Window, api: Api) -> AsyncIterator[Sequence[Parsed]]:  # pyright: ignore[reportIncompatibleMethodOverride] # an async generator is one
        """The mails of a window, of every folder that is read, by the day the server took them in."""
        del api
        reader = self.reader()
        async with connected(self.mail) as line:
            for folder in await line.run(Session.folders, self.mail):
                state = await line.run(Session.open, folder.name)
                until = day_of(window.until + 3 * _DAY_MS)
                uids = await line.run(Session.between, day_of(window.since), until)
                for portion in await line.run(Session.batches, uids):
                    found: list[Parsed] = []
                    wanted = [one for one in portion if _may_be_in(one, window)]
                    for mail in await line.fetch(folder.name, wanted):
                        if isinstance(mail, Refused):
                            found.append(mail)
                        else:
                            found += await reader.read(mail.raw, place_of(folder, state.validity, mail))
                    yield [one for one in found if _within(one, window)]

    async def content(self, attachment: Attachment, api: Api) -> bytes | None:
        """A file out of its mail, which is fetched anew. None when the mail is gone from the mailbox."""
        del api
        if not attachment.url:
            return None
        async with connected(self.mail) as line:
            for raw in await self._mails_at(line, attachment.url):
                if attachment.id == WHOLE_TEXT:
                    return letter(raw).text.encode()
                found = content_of(raw, attachment.id)
                if found is not None:
                    return found
        return None

    async def _mails_at(self, line: Line, url: str) -> list[bytes]:
        """The mails that an attachment's address may mean, the one with the very content first."""
        parts = urlsplit(url)
        if parts.scheme == "imap":
            return await _mail_at_place(line, parts.path)
        wanted = parse_qs(parts.query).get("content", [""])[0]
        for folder in reversed(await line.run(Session.folders, self.mail)):
            await line.run(Session.open, folder.name)
            uids = await line.run(Session.of_id, unquote(parts.path.rpartition("/")[0]))
            for portion in await line.run(Session.batches, uids):
                found = [mail.raw for mail in await line.run(Session.fetch, portion)]
                exact = [raw for raw in found if not wanted or content(letter(raw)) == wanted]
                if exact or found:
                    return exact or found
        return []

    async def locate(self, attachment: Attachment, api: Api) -> ApiRequest | None:
        """None: files of mails have no address of their own."""
        del attachment, api

    async def probe(self, api: Api) -> Probe:
        """Whether both servers accept the sign-in. Raises the errors of `Session` and of `send_mail`."""
        del api
        try:
            async with connected(self.mail) as line:
                folders = await line.run(Session.folders, self.mail)
                for folder in folders:
                    await line.run(Session.open, folder.name)
                idles = line.idles
            await smtp.check(self.mail)
        except DeniedError as wrong:
            return Probe(auth="expired", detail=str(wrong))
        read = ", ".join(folder.name for folder in folders)
        way = "new mail is told at once" if idles else "new mail is looked for every minute"
        return Probe(subscription="active", detail=f"folders that are read: {read}; {way}")

    async def renew(self, api: Api) -> Grant | None:
        """A new access token for the refresh token (RFC 6749, section 6); None where a password is used."""
        values = self.binding.settings
        if not self.mail.xoauth2 or not values.get("refresh_token"):
            return None
        token, client, url = needed(values, "refresh_token", "client_id", "token_url")
        form = [("grant_type", "refresh_token"), ("refresh_token", token), ("client_id", client)]
        if values.get("client_secret"):
            form.append(("client_secret", values["client_secret"]))
        request = ApiRequest(
            method="POST",
            url=url,
            headers={"content-type": "application/x-www-form-urlencoded", "accept": "application/json"},
            body=urlencode(form).encode(),
        )
        response = await api.call(request)
        if response.status == 400:  # noqa: PLR2004 # RFC 6749, 5.2: a grant that holds no more is a bad request
            raise DeniedError("the refresh token of the mailbox is not accepted any more; authorise it anew")
        told = answered(checked(response))
        access = reading.text(told, "access_token")
        if not access:
            raise RefusedError("the answer for a new access token has none")
        lasts = reading.number(told, "expires_in")
        fresh = reading.text(told, "refresh_token")
        return Grant(
            settings={"password": access} | ({"refresh_token": fresh} if fresh else {}),
            expires_at=None if lasts is None else api.now() + int(lasts * 1_000),
        )


def place_of(folder: Folder, validity: int, mail: Fetched) -> Place:
    """Where a fetched mail lies, for the reader."""
    return Place(
        kind=folder.kind,
        folder=folder.name,
        validity=validity,
        uid=mail.uid,
        at=mail.at,
        size=mail.size,
        cut=mail.cut,
    )


async def _mail_at_place(line: Line, path: str) -> list[bytes]:
    """The mail at `/folder;UIDVALIDITY=n/;UID=n/;SECTION=part`, when the folder is still the same."""
    folder, _, rest = path.lstrip("/").partition(";UIDVALIDITY=")
    validity, _, behind = rest.partition("/;UID=")
    uid = behind.partition("/")[0]
    if not (validity.isdigit() and uid.isdigit()):
        return []
    state = await line.run(Session.open, unquote(folder))
    if state.validity != int(validity):
        return []
    portions = await line.run(Session.batches, [int(uid)])
    return [mail.raw for portion in portions for mail in await line.run(Session.fetch, portion)]


def _may_be_in(mail: Sized, window: Window) -> bool:
    """Whether a mail can have been sent in a window, by when the server took it in: a day after it at the latest."""
    return mail.at is None or window.since - AHEAD_MS <= mail.at < window.until + _DAY_MS


def _within(one: Parsed, window: Window) -> bool:
    """Whether it belongs to the window: a message by its time, what goes with one by its conversation alone."""
    match one:
        case Message():
            if not window.since <= one.sent_at < window.until:
                return False
            return window.conversation in {None, one.conversation}
        case Receipt():
            return window.conversation in {None, one.conversation}
        case _:
            return True


__all__ = ["Email", "MailSettings", "place_of"]
