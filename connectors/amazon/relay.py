"""Mails of Amazon's relay: who the buyer is, what they wrote, about which order, and whether Amazon sent it at all.

After Seller Central's pages on buyer-seller messaging. There is no signature: what the shop's own mail server found out
about the sender counts (RFC 8601), and only its own findings. The marks of the relay's mails are seen in the open and
promised by nobody, so that a mail without them is a message all the same.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from actors.events import Sender
from connectors.email import headers
from connectors.email.html_text import to_text
from connectors.email.mime import Letter, html_of
from connectors.email.reading import Place, Reader, Told
from connectors.email.threads import Threads

ORDER = re.compile(r"(?<![\d-])\d{3}-\d{7}-\d{7}(?![\d-])")
RELAY = re.compile(r"([a-z0-9]{8,32})(?:\+([0-9a-f-]{8,64}))?@marketplace\.amazon\.([a-z]{2,3}(?:\.[a-z]{2})?)")
_AMAZON = re.compile(r"(?:[a-z0-9-]+\.)*amazon\.[a-z]{2,3}(?:\.[a-z]{2})?")
_RULE = re.compile(r"^[ \t>]{0,8}-{5,80}[ \t]*([^-\s][^\n-]{0,60}?)[ \t]*-{5,80}[ \t]*$", re.MULTILINE)
_TOKEN = re.compile(r"\[commMgrTok:([A-Za-z0-9]{4,64})\]")
_NO_REPLY = re.compile(
    r"https://sellercentral(?:-[a-z]+)?\.amazon\.[a-z.]{2,6}/messaging/no-response-needed\?[^\s\"'<>()]{1,1000}"
)
_CASE = re.compile(r"[?&](?:cc|ss)=([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})", re.IGNORECASE)
_SUFFIX = re.compile(r"\s*[-\u2013]\s*Amazon\s+Marketplace\s*$", re.IGNORECASE)
_OPTED_OUT = re.compile(r"opt(?:ed)?[ -]out|sich abgemeldet|désabonné|darse de baja|オプトアウト", re.IGNORECASE)
_FINDING = re.compile(r"\b(dmarc|dkim|spf)\s*=\s*([a-z]+)", re.IGNORECASE)
_FAILED = frozenset({"fail", "softfail", "permerror"})
_MOST_WORDS = 4_096
SENT = "BBC_MESSAGE_SENT_TO_MERCHANT"
COPY = "BBC_MESSAGE_CONFIRMATION_TO_MERCHANT"


class Doubt(Struct, frozen=True):
    """Why a mail is perhaps not Amazon's."""

    reason: str


class RelayReader(Reader):
    """Reads a mailbox that the relay writes to. `mail_server`: what the shop's own one calls itself in its findings."""

    def __init__(
        self, platform: str, account: str, own: frozenset[str], threads: Threads, mail_server: str = ""
    ) -> None:
        super().__init__(platform, account, own, threads)
        self._mail_server = mail_server.lower()

    def told(self, found: Letter, place: Place) -> Told:
        """What the mail tells; a mail that is not Amazon's is one of any mailbox."""
        told = super().told(found, place)
        if place.kind == "sent":
            return _with_order(_answered(told, found))
        if not _claims_amazon(found):
            return _with_order(told)
        doubt = self._doubt(found)
        if doubt is not None:
            return _suspicious(told, doubt)
        kind = headers.text(found.mail, "X-Space-Notification-Type")
        alias = _alias(found)
        if kind == COPY:
            return _copy(told, found, alias)
        if alias is None:
            return _notice(told, found)
        return _message(told, found, alias)

    def _doubt(self, found: Letter) -> Doubt | None:
        """What speaks against the sender, by the findings of our own mail server; others' may be forged."""
        findings = [headers.unfolded(value) for value in headers.every(found.mail, "Authentication-Results")]
        if self._mail_server:
            ours = [one for one in findings if one.split(";")[0].strip().lower().split(" ")[0] == self._mail_server]
            results = _results(ours[:1])
            if results.get("dmarc") == "pass" or results.get("dkim") == "pass":
                return None
            return Doubt(f"it claims to be from Amazon, and {self._mail_server} does not confirm that")
        results = _results(findings[:1])
        received = headers.text(found.mail, "Received-SPF").split(" ")[0].lower()
        failed = [name for name, result in results.items() if result in _FAILED]
        if results.get("dmarc") == "pass" or results.get("dkim") == "pass":
            return None
        if failed or received in _FAILED:
            return Doubt(f"it claims to be from Amazon, and its {', '.join(failed) or 'spf'} failed")
        return None


def _results(findings: Sequence[str]) -> dict[str, str]:
    return {name.lower(): result.lower() for one in findings for name, result in _FINDING.findall(one)}


def _claims_amazon(found: Letter) -> bool:
    """Whether its sender looks like Amazon's, to a machine or to a person."""
    sender = found.sender
    if sender is None:
        return False
    domain = sender.address.rpartition("@")[2]
    return bool(_AMAZON.fullmatch(domain)) or "amazon" in domain or "amazon marketplace" in sender.name.lower()


def _alias(found: Letter) -> re.Match[str] | None:
    """The relay's address of the buyer."""
    for one in (*([found.sender] if found.sender else []), *found.reply_to):
        match = RELAY.fullmatch(one.address)
        if match is not None:
            return match
    return None


def _bare(alias: re.Match[str]) -> str:
    return f"{alias[1]}@marketplace.amazon.{alias[3]}"


def _message(told: Told, found: Letter, alias: re.Match[str]) -> Told:
    """A buyer wrote: the relay's address is who they are, one for each buyer and seller."""
    buyer = _bare(alias)
    name = _SUFFIX.sub("", found.sender.name if found.sender else "").strip()
    told.sender = Sender(id=buyer, name=name or None, role=told.sender.role)
    if headers.text(found.mail, "X-Space-Notification-Type") == SENT:
        # The relay marks everything that it passes on as a machine's.
        told.automatic = None
        told.extra.pop("automatic", None)
        told.sender = replace(told.sender, role="customer")
    told.counterpart = buyer
    answers = found.sender.address if found.sender else buyer
    told.extra["reply_to"] = answers if RELAY.fullmatch(answers) else buyer
    _opted_out(told)
    _words(told, found)
    return _placed(told, found, alias)


def _copy(told: Told, found: Letter, alias: re.Match[str] | None) -> Told:
    """Amazon's copy of an answer of ours."""
    told.direction = "out"
    told.sender = Sender(id=next((one.address for one in found.to), None), role="agent")
    told.automatic = None
    told.extra.pop("automatic", None)
    told.extra["amazon"] = "copy"
    named = alias or RELAY.search(found.text.lower())
    if named is not None:
        told.counterpart = _bare(named)
    _words(told, found)
    return _placed(told, found, named)


def _notice(told: Told, found: Letter) -> Told:
    """Amazon itself writes: of returns, claims, refunds."""
    told.sender = replace(told.sender, role="system")
    told.extra["amazon"] = "notice"
    _opted_out(told)
    return _placed(told, found, None)


def _opted_out(told: Told) -> None:
    if told.automatic is not None and _OPTED_OUT.search(told.text):
        told.extra["amazon"] = "opted_out"


def _suspicious(told: Told, doubt: Doubt) -> Told:
    """It is shown, apart from every buyer's conversation, and nobody answers it by mistake."""
    told.sender = replace(told.sender, role="system")
    told.extra["suspicious"] = doubt.reason
    told.extra.pop("reply_to", None)
    told.alone = True
    return told


def _answered(told: Told, found: Letter) -> Told:
    """A mail of ours to a buyer belongs to the buyer without the case behind the plus sign."""
    for one in (*found.to, *found.cc):
        match = RELAY.fullmatch(one.address)
        if match is not None:
            told.counterpart = _bare(match)
            order = _order(told)
            told.root = order or "no order"
            return told
    return told


def _placed(told: Told, found: Letter, alias: re.Match[str] | None) -> Told:
    """About which order it is, and with that which conversation it begins when no mail of it is known."""
    source = f"{found.text}\n{html_of(found.mail)}"
    marks = {
        "token": _first(_TOKEN, source),
        "case": (alias[2] if alias else None) or _first(_CASE, source),
        "marketplace": headers.text(found.mail, "X-Marketplace-ID")[:64] or None,
        "no_reply_needed": _link(source),
    }
    told.extra |= {name: value for name, value in marks.items() if value}
    _with_order(told)
    if alias is not None:
        told.root = told.order or "no order"
    elif told.order:
        told.by_order = True
    return told


def _with_order(told: Told) -> Told:
    told.order = _order(told)
    return told


def _order(told: Told) -> str | None:
    found = ORDER.search(told.letter.subject) or ORDER.search(told.letter.text)
    return found.group() if found else None


def _first(pattern: re.Pattern[str], source: str) -> str | None:
    found = pattern.search(source)
    return found[1] if found else None


def _link(source: str) -> str | None:
    found = _NO_REPLY.search(source.replace("&amp;", "&"))
    return found.group() if found else None


def _words(told: Told, found: Letter) -> None:
    """What the buyer wrote, out of what the relay wrote around it; the whole is kept beside it."""
    rules = list(_RULE.finditer(found.text))
    words = ""
    if rules:
        end = rules[1].start() if len(rules) > 1 else len(found.text)
        words = found.text[rules[0].end() : end].strip("\n ")
    if not words:
        words = _only_block(html_of(found.mail))
    if words:
        told.extra["whole"] = found.text[:_MOST_WORDS]
        told.text = words


def _only_block(source: str) -> str:
    """The text of the one preformatted block of an HTML mail; a blank one when there are none or several."""
    lower = source.lower()
    if lower.count("<pre") != 1:
        return ""
    opened = lower.index("<pre")
    closed = lower.find("</pre", opened)
    return to_text(source[opened:closed]).strip() if closed > opened else ""


__all__ = ["COPY", "ORDER", "RELAY", "SENT", "RelayReader"]
