"""Sending a mail by SMTP (RFC 5321), signed in (RFC 4954), over TLS; errors by whether it may have gone out.

Until the whole mail is handed over nothing was sent. When the server is lost after that and before it answers, nobody
knows.
"""

from __future__ import annotations

from asyncio import WriteTransport
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from email.message import EmailMessage

from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPDataError,
    SMTPException,
    SMTPResponseException,
)

from connectors.contract.calling import BusyError, DeniedError, RefusedError, UncertainError, UnreachableError
from connectors.email.imap import secrets_of
from connectors.email.settings import MailSettings

TIMEOUT_S = 20.0
DATA_S = 60.0
"""How long the server may take to answer for the whole mail; RFC 5321 would have ten minutes, nobody waits so long."""
_PERMANENT = 500
_MIB = 2**20
_BUSY_S = 60.0


async def send_mail(mail: EmailMessage, settings: MailSettings) -> None:
    """Hand a mail over. Raises UnreachableError, BusyError, RefusedError or DeniedError when it did not go out.

    UncertainError when it may have.
    """
    content = mail.as_bytes()
    recipients = [address.addr_spec for address in mail["To"].addresses]
    async with _signed_in(settings) as link:
        _check_size(link, len(content))
        with _named(settings):
            await link.mail(settings.address)
            for recipient in recipients:
                await link.rcpt(recipient)
        await _hand_over(link, content, settings)


async def check(settings: MailSettings) -> None:
    """Connect and sign in, and nothing else; raises like `send_mail`."""
    async with _signed_in(settings):
        return


async def _hand_over(link: SMTP, content: bytes, settings: MailSettings) -> None:
    secrets = secrets_of(settings)
    try:
        await link.data(content, timeout=DATA_S)
    except SMTPDataError as refused:
        raise _refusal(refused, secrets(refused.message)) from None
    except (SMTPException, OSError, TimeoutError) as lost:
        told = secrets(str(lost))[:200]
        raise UncertainError(f"the mail server was lost before it answered for the mail: {told}") from None


@asynccontextmanager
async def _signed_in(settings: MailSettings) -> AsyncGenerator[SMTP]:
    server = settings.smtp
    link = SMTP(
        hostname=server.host,
        port=server.port,
        timeout=TIMEOUT_S,
        use_tls=server.security == "tls",
        start_tls=server.security == "starttls",
        tls_context=settings.tls() if server.security != "none" else None,
        local_hostname="localhost",
    )
    with _named(settings):
        await link.connect()
    try:
        with _named(settings):
            if settings.xoauth2:
                await link.auth_xoauth2(settings.user, settings.password)
            elif settings.password:
                await link.login(settings.user, settings.password)
        yield link
    finally:
        transport = link.transport
        with suppress(SMTPException, OSError, TimeoutError):
            await link.quit(timeout=2.0)
        link.close()
        if isinstance(transport, WriteTransport):
            transport.abort()  # all is said: TLS would wait for the server's farewell, perhaps for ever


@contextmanager
def _named(settings: MailSettings) -> Generator[None]:
    """What goes wrong before the mail is handed over, by what to do next."""
    secrets = secrets_of(settings)
    try:
        yield
    except SMTPResponseException as wrong:
        told = secrets(wrong.message)
        if isinstance(wrong, SMTPAuthenticationError) and wrong.code >= _PERMANENT:
            raise DeniedError(f"the mail server does not accept the sign-in: {wrong.code} {told[:300]}") from None
        raise _refusal(wrong, told) from None
    except (SMTPException, OSError, TimeoutError) as wrong:
        told = secrets(str(wrong))[:200]
        raise UnreachableError(f"the mail server cannot be reached: {told or type(wrong).__name__}") from None


def _refusal(wrong: SMTPResponseException, told: str) -> BusyError | RefusedError:
    """4xx: later perhaps; 5xx: never."""
    said = f"the mail server answers {wrong.code}: {' '.join(told.split())[:300]}"
    return RefusedError(said, str(wrong.code)) if wrong.code >= _PERMANENT else BusyError(said, _BUSY_S)


def _check_size(link: SMTP, size: int) -> None:
    """Raises RefusedError when the server has said that it takes no mail as large (RFC 1870)."""
    told = link.esmtp_extensions.get("size", "").strip()
    if told.isascii() and told.isdigit() and 0 < int(told) < size:
        most = f"{int(told) / _MIB:.3g} MB"
        said = f"the mail has {size / _MIB:.3g} MB, the mail server takes {most}; send fewer or smaller files"
        raise RefusedError(said, "552")


__all__ = ["check", "send_mail"]
