"""A message that the seller begins after a sale, for one of the reasons there are, after "Reasons to communicate".

Which reasons a pack allows now is asked first; each is good for so many messages until the buyer answers. Two are in
Mercado Libre's own words, two in the seller's. Left out: the promise of a delivery, which wants two hours of a day. All
of it is unconfirmed and stands behind the setting `reasons`.
"""

from __future__ import annotations

from urllib.parse import quote

from connectors.contract import reading
from connectors.contract.asking import readable
from connectors.contract.calling import RefusedError, before_sending
from connectors.contract.reading import Document
from connectors.contract.typed import Allowance, Beginning, held_to
from connectors.mercadolibre.asking import TAG, Asking

LONGEST = 350
KINDS = {
    "REQUEST_VARIANTS": Allowance(),
    "REQUEST_BILLING_INFO": Allowance(),
    "SEND_INVOICE_LINK": Allowance(text=LONGEST),
    "OTHER": Allowance(text=LONGEST),
}


async def allowed(asking: Asking, pack: str) -> list[str]:
    """The reasons that a pack allows now. Raises the errors of `connectors.contract.calling`."""
    told = await _options(asking, pack)
    return [kind for kind in KINDS if kind in told]


async def begin(asking: Asking, pack: str, asked: Beginning) -> Document:
    """Send one; what Mercado Libre answers of it. Raises the errors of `connectors.contract.calling`."""
    takes, kind = held_to(asked, KINDS), asked.kind
    body = {"option_id": kind, "text": asked.text}
    if takes.text is None:
        with before_sending():
            body = {"option_id": kind, "template_id": _template(await _options(asking, pack), kind)}
    return await asking.post(f"{_path(pack)}/option", body, TAG)


async def _options(asking: Asking, pack: str) -> dict[str, Document]:
    """What may be chosen now, by its reason."""
    found = await asking.get(_path(pack), TAG)
    with readable():
        every = [reading.part({"option": one}, "option") for one in reading.items(found, "options")]
        return {reading.identity(one, "id"): one for one in every if _is_open(one)}


def _is_open(option: Document) -> bool:
    left = reading.number(option, "cap_available")
    return option.get("enabled") is True and (left is None or left > 0)


def _template(options: dict[str, Document], kind: str) -> str:
    option = options.get(kind)
    if option is None:
        raise RefusedError(f"Mercado Libre allows {kind} for this sale no more", "kind")
    with readable():
        templates = [reading.part({"template": one}, "template") for one in reading.items(option, "templates")]
        own = [reading.identity(one, "id") for one in templates]
    if not own:
        raise RefusedError(f"Mercado Libre names no words for {kind}", "kind")
    return own[0]


def _path(pack: str) -> str:
    return f"messages/action_guide/packs/{quote(pack, safe='')}"


__all__ = ["KINDS", "allowed", "begin"]
