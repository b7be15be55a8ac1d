"""A reply as the mail that it is sent as, after RFC 5322 (3.6.4: ids of the mails it goes on from).

The Message-ID is made of the reply's id in Weir: written again, it is the same mail.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from email.headerregistry import Address as Shown
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import cast

from connectors.contract.calling import RefusedError
from connectors.contract.outgoing import Outgoing
from connectors.email.headers import as_datetime
from connectors.email.identity import CONVERSATION
from connectors.email.settings import MailSettings

_LONGEST_REFERENCES = 20
_ADDRESS = re.compile(r"[^\s<>@,;:\"()\[\]\\]{1,64}@[^\s<>@,;:\"()\[\]\\]{1,255}")
_ANSWER = re.compile(r"^\s*(?:re|aw|antw|sv|回复|答复|返信|답장)\s*[:\uff1a]", re.IGNORECASE)
_LONGEST_SUBJECT = 900


def message_id(reply: str, settings: MailSettings) -> str:
    """The Message-ID of a reply, without angle brackets."""
    return f"{reply}@{settings.address.rpartition('@')[2]}"


def recipient(message: Outgoing, settings: MailSettings) -> str:
    """Whom the reply goes to: where the customer wants answers, else who wrote. Raises RefusedError without either."""
    wanted = message.extra.get("reply_to")
    for address in (wanted if isinstance(wanted, str) else None, message.recipient):
        if address and _ADDRESS.fullmatch(address) and address.lower() not in settings.own:
            return address
    raise RefusedError("nobody's e-mail address is known in this conversation; write to the customer from the mailbox")


async def composed(message: Outgoing, settings: MailSettings) -> EmailMessage:
    """The mail. Raises RefusedError when it has nobody to go to, and what reading its files raises."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = _shown(settings.sender_name, settings.address)
    mail["To"] = _shown("", recipient(message, settings))
    mail["Subject"] = _subject(message.subject)
    mail["Date"] = format_datetime(as_datetime(message.at))
    mail["Message-ID"] = f"<{message_id(message.id, settings)}>"
    mail["Auto-Submitted"] = "no"
    parent, references = _thread(message)
    if parent:
        mail["In-Reply-To"] = f"<{parent}>"
        mail["References"] = " ".join(f"<{one}>" for one in references)
    if settings.plus_address and CONVERSATION.fullmatch(message.conversation):
        local, _, domain = settings.address.rpartition("@")
        mail["Reply-To"] = _shown(settings.sender_name, f"{local}+{message.conversation}@{domain}")
    mail.set_content(message.text + "\n", cte=None if message.text.isascii() else "base64")
    for file in message.files:
        major, _, minor = (file.mime if "/" in file.mime else "application/octet-stream").partition("/")
        mail.add_attachment(await file.content(), maintype=major, subtype=minor, filename=_file_name(file.name))
    return mail


def _thread(message: Outgoing) -> tuple[str, Sequence[str]]:
    """The mail that is answered, and the mails before it with it at the end."""
    known = [one for one in message.thread if _is_id(one)]
    own = message.extra.get("message_id")
    answered = message.reply_to if message.reply_to and _is_id(message.reply_to) else None
    parent = answered or (own if isinstance(own, str) and _is_id(own) else None) or (known[-1] if known else "")
    named = message.extra.get("references")
    listed = cast("list[object]", named) if isinstance(named, list) else []
    before = [one for one in listed if isinstance(one, str) and _is_id(one)]
    return parent, [*dict.fromkeys(one for one in (*before, *known) if one != parent), parent][-_LONGEST_REFERENCES:]


def _is_id(found: str) -> bool:
    return "@" in found and len(found) < 500 and re.fullmatch(r"[!-;=?-~]+", found) is not None  # noqa: PLR2004


def _subject(found: str | None) -> str:
    bare = " ".join((found or "").split())[:_LONGEST_SUBJECT]
    return bare if _ANSWER.match(bare) else f"Re: {bare}".rstrip()


def _shown(name: str, address: str) -> Shown:
    local, _, domain = address.rpartition("@")
    if not local.isascii():
        raise RefusedError("an e-mail address with letters beyond ASCII before its @ cannot be written to", "address")
    try:
        address = f"{local}@{domain if domain.isascii() else domain.encode('idna').decode()}"
        return Shown(display_name=re.sub(r"[\x00-\x1f\x7f]", " ", name), addr_spec=address)
    except (ValueError, IndexError) as wrong:
        raise RefusedError(f"an e-mail address cannot be written to: {type(wrong).__name__}", "address") from wrong


def _file_name(name: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f/\\]+", "_", name)[:200] or "file"


__all__ = ["composed", "message_id", "recipient"]
