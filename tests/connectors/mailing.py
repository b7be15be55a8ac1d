"""Mailboxes on the tests' servers, and mails to put into them."""

from __future__ import annotations

import asyncio
import imaplib
import itertools
from email.message import EmailMessage
from email.utils import format_datetime
from time import time

from connectors.contract.connector import Binding
from connectors.email.connector import Email
from connectors.email.headers import as_datetime

_numbers = itertools.count(1)
CUSTOMER = "buyer@example.com"


class Clock:
    """An `Api` that nothing is asked of: it only tells the time."""

    def __init__(self, now=None):
        self._now = now

    def now(self):
        """The time, ms."""
        return int(time() * 1000) if self._now is None else self._now

    async def call(self, request):
        """Never."""
        raise AssertionError(f"nothing is asked over HTTP here: {request!r}")


def settings_of(imap, smtp=None, address=None, **more):
    """A binding's settings for a mailbox of its own on these servers."""
    address = address or f"shop{next(_numbers)}@shop.example"
    given = {
        "address": address,
        "password": imap.password,
        "imap_host": imap.host,
        "imap_port": str(imap.tls_port),
        "certificate": imap.certificate.read_text(),
        "smtp_host": "127.0.0.1",
        "smtp_port": "1",
    }
    if smtp is not None:
        smtp.mailbox(address)
        given |= {"smtp_host": smtp.host, "smtp_port": str(smtp.tls_port)}
        given["certificate"] += smtp.certificate.read_text()
    return given | more


def bound(settings, *, account="shop", kind=Email):
    """A connector of these settings."""
    return kind(Binding(account=account, url="https://weir.example", settings=settings))


def written(text="hello", *, sender=CUSTOMER, to="shop@shop.example", at=None, **headers):
    """A mail's bytes; headers by name, `_` for `-`."""
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = to
    mail["Date"] = format_datetime(as_datetime(int(time() * 1000) if at is None else at))
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    given.setdefault("Message-ID", f"<m{next(_numbers)}@example.com>")
    for name, value in given.items():
        if value is not None:
            mail[name] = value
    mail.set_content(text)
    return mail.as_bytes()


class Box:
    """A person's own look into a mailbox: it puts mails into it, and sees their flags."""

    def __init__(self, server, address):
        self._link = imaplib.IMAP4(server.host, server.port)
        self._link.login(address, server.password)

    def put(self, raw, folder="INBOX", at=None):
        """A mail comes; `at`: when the server says that it had it, ms."""
        had = None if at is None else imaplib.Time2Internaldate(at / 1000)
        status, told = self._link.append(folder, None, had, raw)
        assert status == "OK", told

    def see(self, number):
        """A person opens a mail."""
        self._link.select("INBOX")
        self._link.store(str(number), "+FLAGS", "\\Seen")
        self._link.close()

    def seen(self, folder="INBOX"):
        """The numbers of the mails that were opened."""
        self._link.select(folder, readonly=True)
        return self._link.search(None, "SEEN")[1][0].split()

    def mails(self, folder="INBOX"):
        """Every mail's bytes."""
        self._link.select(folder, readonly=True)
        _, found = self._link.fetch("1:*", "(BODY.PEEK[])") if self.count(folder) else ("OK", [])
        return [item[1] for item in found if isinstance(item, tuple)]

    def count(self, folder="INBOX"):
        """How many mails there are."""
        return int(self._link.select(folder, readonly=True)[1][0])

    def following(self, folder="INBOX"):
        """The number that the next mail gets."""
        _, told = self._link.status(folder, "(UIDNEXT)")
        return int(told[0].split()[-1].rstrip(b")"))

    def close(self):
        """Sign out, if the server is still there; once."""
        if self._link.state == "LOGOUT":
            return
        try:
            self._link.logout()
        except (OSError, imaplib.IMAP4.error):
            self._link.shutdown()


async def until(is_so, what, *, patience_s=30.0):
    """Wait for a state, and say which when it does not come."""
    limit = asyncio.timeout(patience_s)
    try:
        async with limit:
            while not (found := await is_so() if asyncio.iscoroutinefunction(is_so) else is_so()):  # noqa: ASYNC110 # the state is another process's
                await asyncio.sleep(0.05)
    except TimeoutError:
        if limit.expired():
            raise AssertionError(f"it never came to be: {what}") from None
        raise
    return found
