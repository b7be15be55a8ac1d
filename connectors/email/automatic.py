"""Mails that no person wrote: automatic answers, notices, bulk mail. Nothing may answer them by itself.

After RFC 3834 (Auto-Submitted), RFC 5321 4.5.5 (the empty return path), RFC 2919 (List-Id) and the wide use of
Precedence, X-Auto-Response-Suppress and X-Autoreply.
"""

from __future__ import annotations

from email.message import Message as Mail
from typing import Literal, TypeAlias

from connectors.email import headers

Automatic: TypeAlias = Literal["bounce", "receipt", "notice", "answer", "bulk", "list"]
"""`answer`: a vacation notice and the like; `notice`: a program's; `list`: a person's words by way of a list."""
Role: TypeAlias = Literal["customer", "bot", "system"]
_MACHINES = ("mailer-daemon", "postmaster", "mail-daemon")
_SUPPRESSING = frozenset({"all", "oof", "autoreply"})


def automatic(mail: Mail) -> Automatic | None:
    """What wrote the mail; None when a person seems to have."""
    if (report := _report(mail)) is not None:
        return report
    submitted = headers.text(mail, "Auto-Submitted").split(";")[0].strip().lower()
    if submitted.startswith("auto-replied") or _answers(mail):
        return "answer"
    if submitted not in {"", "no"}:
        return "notice"
    return _by_manner(mail)


def role_of(kind: Automatic | None) -> Role:
    """The sender's role: a person's, a program's that speaks for one, or a system's."""
    match kind:
        case None | "list":
            return "customer"
        case "answer" | "bulk":
            return "bot"
        case "bounce" | "receipt" | "notice":
            return "system"


def _report(mail: Mail) -> Automatic | None:
    if mail.get_content_type() == "multipart/report":
        told = str(mail.get_param("report-type", "")).lower()
        return "receipt" if told == "disposition-notification" else "bounce"
    sender = next(iter(headers.addresses(mail, "From")), None)
    machine = sender is not None and sender.address.partition("@")[0] in _MACHINES
    if machine or headers.raw(mail, "X-Failed-Recipients") is not None:
        return "bounce"
    return None


def _answers(mail: Mail) -> bool:
    if headers.text(mail, "Precedence").lower() == "auto_reply":
        return True
    if headers.text(mail, "X-Autoreply").lower() in {"yes", "true"}:
        return True
    if headers.text(mail, "X-Apple-Action").lower() == "vacation":
        return True
    return any(headers.raw(mail, name) is not None for name in ("X-Autorespond", "X-Autoresponder"))


def _by_manner(mail: Mail) -> Automatic | None:
    suppressed = {one.strip().lower() for one in headers.text(mail, "X-Auto-Response-Suppress").split(",")}
    if headers.text(mail, "Return-Path") == "<>" or suppressed & _SUPPRESSING:
        return "notice"
    manner = headers.text(mail, "Precedence").lower()
    if manner in {"bulk", "junk"}:
        return "bulk"
    return "list" if manner == "list" or headers.raw(mail, "List-Id") is not None else None


__all__ = ["Automatic", "Role", "automatic", "role_of"]
