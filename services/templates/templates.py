"""Keeps templates, and makes of them what a conversation needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from secrets import token_hex
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from actors.errors import RejectedError
from actors.orders import Order
from services.errors import ConflictError, NotFoundError
from services.people.permissions import Caller, demand
from services.templates.choosing import chosen
from services.templates.variables import filled, values_of
from storage.channel_ports import OrderStore
from storage.ports import InboxStore
from storage.records import AuditRow, ConversationRow
from storage.writing_ports import TemplateStore
from storage.writing_records import Template, TemplateText

DAY_MS = 86_400_000
UNUSED_MS = 90 * DAY_MS
UNCHANGED_MS = 365 * DAY_MS
"""One that nobody used for so long, or whose words nobody looked at for so long, is marked to be gone through."""
LONGEST_NAME, LONGEST_TEXT, MOST_TEXTS, MOST = 120, 20_000, 200, 5_000
LONGEST_TAG = 64


class TemplatesStore(TemplateStore, InboxStore, OrderStore, Protocol):
    """The parts of a store used here."""


class Wanted(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A template as somebody wants it. `version`: that which is changed; 0 for a new one."""

    name: str
    texts: Sequence[TemplateText]
    folder: str = ""
    active: bool = True
    version: int = 0


class Offer(Struct, frozen=True, kw_only=True):
    """A template for one conversation: `text` filled in but for the variables that are `missing`."""

    template: Template
    text: str
    platform: str | None
    lang: str | None
    missing: Sequence[str]


class Templates:
    """`now` in ms."""

    def __init__(self, store: TemplatesStore, now: Callable[[], int]) -> None:
        self._store = store
        self._now = now

    async def all(self, caller: Caller) -> list[Template]:
        """Every template, those not in use too, by folder and name. Raises ForbiddenError."""
        demand(caller, "reply")
        return await self._store.templates()

    def staleness(self, template: Template) -> str | None:
        """Why it should be gone through: `unused` or `unchanged` for long; None when it should not."""
        now = self._now()
        used = template.created_at if template.last_used_at is None else template.last_used_at
        if now - max(used, template.changed_at) > UNUSED_MS:
            return "unused"
        return "unchanged" if now - template.changed_at > UNCHANGED_MS else None

    async def create(self, caller: Caller, wanted: Wanted) -> Template:
        """A new one. Raises ForbiddenError, RejectedError, or ConflictError: another has that name in that folder."""
        demand(caller, "manage_templates")
        wanted = _checked(wanted)
        others = await self._store.templates()
        if len(others) >= MOST:
            raise RejectedError(f"there are {MOST} templates, and no more can be kept; delete what nobody uses")
        _check_name(wanted, others, None)
        now = self._now()
        template = Template(
            id=f"t-{token_hex(8)}",
            name=wanted.name,
            folder=wanted.folder,
            texts=list(wanted.texts),
            active=wanted.active,
            created_at=now,
            created_by=caller.name,
            changed_at=now,
            changed_by=caller.name,
        )
        audit = self._audit(caller, "template.created", template, None, _told(template))
        if not await self._store.save_template(template, audit):
            raise ConflictError("somebody else made it meanwhile; look, then try again")
        return template

    async def change(self, caller: Caller, template_id: str, wanted: Wanted) -> Template:
        """Change one. Raises ForbiddenError, NotFoundError, RejectedError, ConflictError: somebody was faster."""
        demand(caller, "manage_templates")
        wanted = _checked(wanted)
        held = await self._one(template_id)
        _check_name(wanted, await self._store.templates(), template_id)
        changed = replace(
            held,
            name=wanted.name,
            folder=wanted.folder,
            texts=list(wanted.texts),
            active=wanted.active,
            changed_at=self._now(),
            changed_by=caller.name,
            version=held.version + 1,
        )
        audit = self._audit(caller, "template.changed", changed, _told(held), _told(changed))
        if wanted.version != held.version or not await self._store.save_template(changed, audit, replaces=held.version):
            who = (await self._one(template_id)).changed_by
            raise ConflictError(f"{who} changed this template meanwhile; look at it, then change it again")
        return changed

    async def delete(self, caller: Caller, template_id: str) -> None:
        """Forget one. Raises ForbiddenError, NotFoundError."""
        demand(caller, "manage_templates")
        held = await self._one(template_id)
        audit = self._audit(caller, "template.deleted", held, _told(held), None)
        if not await self._store.delete_template(template_id, audit):
            raise NotFoundError(f"there is no template {template_id[:64]!r}")

    async def used(self, caller: Caller, template_id: str) -> None:
        """Count one use. Raises ForbiddenError, NotFoundError."""
        demand(caller, "reply")
        await self._one(template_id)
        await self._store.template_used(template_id, self._now())

    async def offers(self, caller: Caller, key: str, query: str = "", lang: str | None = None) -> list[Offer]:
        """Those that fit a conversation, filled in.

        `lang`: the language wanted, else that of the conversation, told by the platform or guessed from its words.
        Raises ForbiddenError, NotFoundError.
        """
        demand(caller, "reply")
        conversation = await self._store.conversation(key)
        if conversation is None:
            raise NotFoundError(f"there is no conversation {key[:200]!r}")
        wanted = lang or conversation.lang or conversation.guessed_lang
        langs = [] if wanted is None else [wanted]
        found = chosen(await self._store.templates(), conversation.platform, langs, query)
        values = values_of(conversation, await self._order(conversation), caller.name, conversation.platform)
        offers: list[Offer] = []
        for one in found:
            text, missing = filled(one.wording.text, values)
            offers.append(
                Offer(
                    template=one.template,
                    text=text,
                    platform=one.wording.platform,
                    lang=one.wording.lang,
                    missing=missing,
                )
            )
        return offers

    async def _order(self, conversation: ConversationRow) -> Order | None:
        """The order the conversation is about: that of its own shop before another's of the same number."""
        if conversation.order is None:
            return None
        orders = await self._store.orders_by(number=conversation.order)
        own = [one for one in orders if (one.platform, one.account) == (conversation.platform, conversation.account)]
        return next(iter([*own, *orders]), None)

    async def _one(self, template_id: str) -> Template:
        found = await self._store.template(template_id)
        if found is None:
            raise NotFoundError(f"there is no template {template_id[:64]!r}")
        return found

    def _audit(self, caller: Caller, what: str, template: Template, before: object, after: object) -> AuditRow:
        subject = f"template {template.id}"
        return AuditRow(at=self._now(), who=caller.name, what=what, subject=subject, before=before, after=after)


def _told(template: Template) -> dict[str, object]:
    wordings = [f"{one.platform or '*'}/{one.lang or '*'}" for one in template.texts]
    return {"name": template.name, "folder": template.folder, "wordings": wordings, "active": template.active}


def _checked(wanted: Wanted) -> Wanted:
    """As it is kept; raises RejectedError that says what is wrong."""
    name, folder = wanted.name.strip(), "/".join(part.strip() for part in wanted.folder.split("/")).strip("/")
    for what, text in (("name", name), ("folder", folder)):
        if len(text) > LONGEST_NAME or not text.isprintable():
            raise RejectedError(f"{what}: {LONGEST_NAME} printable characters at most")
    if not name:
        raise RejectedError("name: a template needs one, by which it is found")
    if not 1 <= len(wanted.texts) <= MOST_TEXTS:
        raise RejectedError(f"texts: 1 to {MOST_TEXTS} wordings, not {len(wanted.texts)}")
    places: set[tuple[str | None, str | None]] = set()
    for one in wanted.texts:
        if not one.text.strip() or len(one.text) > LONGEST_TEXT:
            raise RejectedError(f"texts: each says something, in {LONGEST_TEXT} characters at most")
        for tag in (one.platform, one.lang):
            if tag is not None and not (0 < len(tag) <= LONGEST_TAG and tag.isascii() and tag.isprintable()):
                raise RejectedError(f"texts: {tag[:40]!r} is no platform or language; leave it out for all of them")
        place = (one.platform, None if one.lang is None else one.lang.casefold())
        if place in places:
            raise RejectedError(
                f"texts: two wordings for platform {one.platform or 'any'}, language {one.lang or 'any'}"
            )
        places.add(place)
    return replace(wanted, name=name, folder=folder)


def _check_name(wanted: Wanted, others: Sequence[Template], template_id: str | None) -> None:
    for other in others:
        same = (other.folder.casefold(), other.name.casefold()) == (wanted.folder.casefold(), wanted.name.casefold())
        if same and other.id != template_id:
            raise ConflictError(
                f"there is a template {wanted.name!r} in that folder; change that one, or take another name"
            )


__all__ = ["Offer", "Templates", "TemplatesStore", "Wanted"]
