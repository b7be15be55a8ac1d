"""Records of the people whom platforms know as customers. Times in ms.

A contact is one person as one platform knows them. That several are one human being is a link which a person makes: the
younger contact points to the older one and nothing else of either changes, so that it can be taken back exactly.
"""

from __future__ import annotations

from msgspec import Struct, field


class Told(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What platforms and shops told of a contact; written by Weir, never by people.

    `seen_at`: the last message. `country`: ISO 3166-1 alpha-2. `value`: what the orders come to, decimal, per
    currency; `orders`: how many. `sealed`: e-mail addresses and telephone numbers, encrypted with the key whose id is
    `key`. `facts`: what contacts may have in common, each a kind and a keyed digest, for look-ups.
    """

    seen_at: int = 0
    name: str | None = None
    langs: list[str] = field(default_factory=list[str])
    country: str | None = None
    orders: int = 0
    value: dict[str, str] = field(default_factory=dict[str, str])
    sealed: bytes = b""
    key: str = ""
    facts: list[str] = field(default_factory=list[str])

    def __repr__(self) -> str:
        """Without the customer, who belongs into no log."""
        return f"Told(seen_at={self.seen_at!r})"


class Said(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What people said of a contact. `merged_into`: the older contact that is the same person."""

    label: str | None = None
    tags: list[str] = field(default_factory=list[str])
    note: str | None = None
    zone: str | None = None
    merged_into: str | None = None
    merged_at: int | None = None
    merged_by: str | None = None

    def __repr__(self) -> str:
        """Without the customer, who belongs into no log."""
        return f"Said(merged_into={self.merged_into!r})"


class Contact(Struct, frozen=True, kw_only=True):
    """One person as one platform knows them. `identity`: the platform's id; `version` grows with what people say."""

    id: str
    platform: str
    account: str
    identity: str
    created_at: int
    told: Told = field(default_factory=Told)
    said: Said = field(default_factory=Said)
    version: int = 0

    def __repr__(self) -> str:
        """Without the customer, who belongs into no log."""
        return f"Contact(id={self.id!r}, platform={self.platform!r}, account={self.account!r})"


class ContactFilter(Struct, frozen=True, kw_only=True):
    """Which contacts; None means all.

    `tag` exactly. `text`: anywhere in a name, a label or the platform's id, case-insensitive. `facts`: with any of
    these. `spent_from`: whose orders come to that much at least in `currency`. `alone`: only those not merged into
    another.
    """

    platform: str | None = None
    account: str | None = None
    tag: str | None = None
    text: str | None = None
    facts: list[str] | None = None
    currency: str | None = None
    spent_from: float | None = None
    alone: bool = False


class NotOne(Struct, frozen=True, kw_only=True):
    """Somebody said that these two contacts are not one person; `first` < `second`."""

    first: str
    second: str
    at: int
    who: str


def contact_words(contact: Contact) -> str:
    """What `ContactFilter.text` is looked for in."""
    return "\n".join(filter(None, (contact.told.name, contact.said.label, contact.identity))).casefold()


__all__ = ["Contact", "ContactFilter", "NotOne", "Said", "Told", "contact_words"]
