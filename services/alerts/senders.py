"""The ways beside the screen: a mail, a call of a webhook. Only what the other side has taken counts as sent.

`DeadAddressError` says that the address will never work: it is used no more. Everything else of the errors of
`connectors.contract.calling` says that this attempt did not arrive, or that nobody knows.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any, Protocol, TypeAlias
from urllib.parse import urlsplit, urlunsplit

import httpx
import msgspec
from msgspec import Struct

from actors.errors import WeirError
from connectors.contract.calling import RefusedError, UncertainError, UnreachableError
from connectors.email.settings import MailSettings
from connectors.email.smtp import send_mail
from services.channels.public_addresses import public_address

TIMEOUT_S = 10.0
HTTPS = 443
GONE = frozenset({404, 410})
NO_SUCH_MAILBOX = frozenset({"550", "551", "553", "556"})
Place: TypeAlias = Callable[[str, int], Awaitable[str]]


class DeadAddressError(RefusedError):
    """Nobody is reached under this address any more."""


class NoWayError(WeirError):
    """Nothing is set up to send this way."""


class Letter(Struct, frozen=True, kw_only=True):
    """What somebody is told: a subject, lines, and the conversations it is about with where to open them."""

    subject: str
    text: str
    items: list[dict[str, Any]]


class Sender(Protocol):
    """One way."""

    async def send(self, address: str, letter: Letter) -> None:
        """Returns when the other side has taken it; raises as the module says."""
        ...


class MailSender:
    """Mails by one of the bound mailboxes; `mailbox` gives its settings, or None where none is set up."""

    def __init__(self, mailbox: Callable[[], Awaitable[MailSettings | None]]) -> None:
        self._mailbox = mailbox

    async def send(self, address: str, letter: Letter) -> None:
        """One mail to one address, so that a bad one harms no other."""
        settings = await self._mailbox()
        if settings is None:
            raise NoWayError("no mailbox is set for notifications: bind one and name it in `alert_mailbox`")
        mail = EmailMessage(policy=SMTP)
        name, _, domain = settings.address.rpartition("@")
        mail["From"] = Address(settings.sender_name, name, domain)
        local, _, host = address.rpartition("@")
        mail["To"] = Address("", local, host)
        mail["Subject"] = letter.subject
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(letter.text)
        try:
            await send_mail(mail, settings)
        except RefusedError as refused:
            if refused.code in NO_SUCH_MAILBOX:
                raise DeadAddressError(str(refused), refused.code) from refused
            raise


class WebhookSender:
    """Calls of webhooks with JSON: `text` for chat programs, `items` for others. `place` finds whom to connect to."""

    def __init__(self, place: Place = public_address, client: httpx.AsyncClient | None = None) -> None:
        self._place = place
        self._client = client or httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False, trust_env=False)

    async def send(self, address: str, letter: Letter) -> None:
        """A web page for an answer is none: something on the way has answered."""
        parts = urlsplit(address)
        host = parts.hostname or ""
        port = parts.port or HTTPS
        there = await self._place(host, port)
        shown = f"[{there}]" if ":" in there else there
        target = urlunsplit((parts.scheme, f"{shown}:{port}", parts.path or "/", parts.query, ""))
        body = msgspec.json.encode({"subject": letter.subject, "text": letter.text, "items": letter.items})
        headers = {"host": parts.netloc.rpartition("@")[2], "content-type": "application/json", "user-agent": "Weir"}
        try:
            answer = await self._client.post(
                target, content=body, headers=headers, extensions={"sni_hostname": host} if host != there else {}
            )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.InvalidURL) as wrong:
            raise UnreachableError(f"{host} cannot be reached ({type(wrong).__name__})") from None
        except httpx.HTTPError as wrong:
            raise UncertainError(f"{host} gave no whole answer ({type(wrong).__name__})") from None
        _judge(answer, host)

    async def close(self) -> None:
        """Leave."""
        await self._client.aclose()


def _judge(answer: httpx.Response, host: str) -> None:
    if answer.status_code in GONE:
        raise DeadAddressError(
            f"{host} answers {answer.status_code}: nothing is there any more", str(answer.status_code)
        )
    if not answer.is_success:
        raise RefusedError(f"{host} answers {answer.status_code}", str(answer.status_code))
    if "html" in answer.headers.get("content-type", ""):
        raise RefusedError(f"{host} answers with a web page, which no webhook does", "html")


__all__ = ["DeadAddressError", "Letter", "MailSender", "NoWayError", "Sender", "WebhookSender"]
