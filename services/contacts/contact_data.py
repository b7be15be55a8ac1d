"""Contact data: how e-mail addresses and telephone numbers are read, sealed, and found without being readable.

What is sealed opens for one contact only. What two contacts may have in common is stored as a digest with a key of this
deployment, so that a copy of the database tells no addresses; a digest made with an older key is found too.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

from msgspec import Struct, field

from services.channels.secrets import Sealed, SecretsError, Vault
from storage.contact_records import Contact

FactKind: TypeAlias = Literal["email", "phone", "account", "told", "order"]
"""`told`: an e-mail address that somebody wrote, which may be another's. `order`: a known order that somebody named."""
_PURPOSE = b"weir contact facts\0"
_EMAIL = re.compile(r"[\w.+%'-]+@[\w-]+(?:\.[\w-]+)*\.[^\W\d_]{2,24}")
_LONGEST_EMAIL = 254
ORDER_FACT = "order:"
MOST_VALUES = 10
"""Addresses, or numbers, kept of one contact."""
GLOBAL_ACCOUNTS = frozenset({"amazon", "aliexpress", "ebay", "lazada", "mercadolibre", "shopee", "telegram", "tiktok"})
"""Platforms where one person has the same id at every shop."""


class ContactData(Struct, frozen=True):
    """What a contact can be reached under, normalised, in the order it was told; `told`: addresses they wrote."""

    emails: list[str] = field(default_factory=list[str])
    phones: list[str] = field(default_factory=list[str])
    told: list[str] = field(default_factory=list[str])

    def __repr__(self) -> str:
        """Without the customer, who belongs into no log."""
        return f"ContactData({len(self.emails)} addresses, {len(self.phones)} numbers)"


def email_of(text: str | None) -> str | None:
    """An e-mail address as it is compared: in small letters; None for what is none."""
    found = (text or "").strip().casefold()
    return found if len(found) <= _LONGEST_EMAIL and _EMAIL.fullmatch(found) else None


def emails_in(text: str) -> list[str]:
    """The e-mail addresses in a text."""
    found = (email_of(match[0]) for match in _EMAIL.finditer(text))
    return list(dict.fromkeys(one for one in found if one))


def joined(*several: ContactData) -> ContactData:
    """All of it once."""
    emails = dict.fromkeys(email for one in several for email in one.emails)
    phones = dict.fromkeys(phone for one in several for phone in one.phones)
    told = dict.fromkeys(email for one in several for email in one.told if email not in emails)
    return ContactData(list(emails)[:MOST_VALUES], list(phones)[:MOST_VALUES], list(told)[:MOST_VALUES])


class Safe:
    """Seals contact data, and makes the facts by which it is found. Everything here touches the disk."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def sealed(self, contact: Contact, data: ContactData) -> Sealed:
        """The data, encrypted for this contact. Raises ConfigurationError."""
        values = {"emails": "\n".join(data.emails), "phones": "\n".join(data.phones)}
        if data.told:
            values["told"] = "\n".join(data.told)
        return self._vault.seal(values, platform=_place(contact), account=contact.id)

    def present_key(self) -> str:
        """The id of the key that is in use; makes one. Raises ConfigurationError."""
        return self._vault.seal({}, platform="", account="").key

    def opened(self, contact: Contact) -> ContactData:
        """The data that was sealed for this contact; nothing when its key is not here any more."""
        if not contact.told.key:
            return ContactData()
        try:
            held = Sealed(contact.told.sealed, contact.told.key)
            values = self._vault.open(held, platform=_place(contact), account=contact.id)
        except SecretsError:
            return ContactData()
        return ContactData(*(values.get(name, "").split() for name in ("emails", "phones", "told")))

    def facts(self, kind: FactKind, values: Sequence[str]) -> dict[str, str]:
        """Every fact under which these values may be stored → the value."""
        keys = self._vault.derived(_PURPOSE) if values else []
        return {_fact(key, kind, value): value for value in values for key in keys}

    def present_facts(self, values: Mapping[FactKind, Sequence[str]]) -> list[str]:
        """The facts under which these values are to be stored. Raises ConfigurationError when there is no key."""
        if not any(values.values()):
            return []
        keys = self._vault.derived(_PURPOSE)
        if not keys:
            self.present_key()
            keys = self._vault.derived(_PURPOSE)
        return [_fact(keys[0], kind, value) for kind, some in values.items() for value in some]


def _place(contact: Contact) -> str:
    # Not the name of a platform: what is sealed for a channel never opens as a contact's, and the other way round.
    return f"contact of {contact.platform}"


def _fact(key: bytes, kind: FactKind, value: str) -> str:
    return f"{kind}:{hmac.new(key, f'{kind}:{value}'.encode(), hashlib.sha256).hexdigest()[:32]}"


__all__ = ["GLOBAL_ACCOUNTS", "ORDER_FACT", "ContactData", "FactKind", "Safe", "email_of", "emails_in", "joined"]
