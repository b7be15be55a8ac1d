"""What a seller may begin about an order, after "OpenSession" and "SendMessage" of the Instant Messaging API.

The session of an order is opened first, which Lazada does for orders of the last 30 days (it answers -22 otherwise).
Cards are messages that hold nothing but a number: of an order, an item, a voucher. The answer's session is shown beside
`code`, and looked for in `data`, too.
"""

from __future__ import annotations

from connectors.contract import reading
from connectors.contract.asking import readable
from connectors.contract.calling import RefusedError, before_sending
from connectors.contract.connector import UnreadableError
from connectors.contract.reading import Document
from connectors.contract.typed import Allowance, Beginning, elsewhere, held_to, numbered
from connectors.lazada.api import SellerApi
from connectors.lazada.inbound import TEXT

OPEN, SEND = "/im/session/open", "/im/message/send"
TOO_OLD = "-22"
LONGEST = 2_000
"""Of a text, in characters. It is Weir's own: Lazada names none."""
_NUMBER = 30
KINDS = {
    "orderMessage": Allowance(text=LONGEST),
    "orderCard": Allowance(),
    "productCard": Allowance(text=_NUMBER),
    "couponCard": Allowance(text=_NUMBER),
}
CARDS = {
    "orderCard": ("10007", "order_id"),
    "productCard": ("10006", "item_id"),
    "couponCard": ("10008", "promotion_id"),
}
"""The template of each, and the field that holds its number."""


async def begin(seller: SellerApi, asked: Beginning) -> str:
    """Send one; Lazada's id of it. Raises the errors of `connectors.contract.calling`."""
    content = _content(asked)
    with before_sending():
        session = await _opened(seller, asked.order)
        elsewhere(session, asked.place)
    found = await seller.post(SEND, session_id=session, **content)
    with readable():
        return reading.identity(reading.part(found, "data"), "message_id")


def _content(asked: Beginning) -> dict[str, str]:
    held_to(asked, KINDS)
    order = numbered(asked.order, "an order")
    if asked.kind not in CARDS:
        return {"template_id": TEXT, "txt": asked.text}
    template, field = CARDS[asked.kind]
    return {"template_id": template, field: order if field == "order_id" else numbered(asked.text, "what a card shows")}


async def _opened(seller: SellerApi, order: str) -> str:
    """The session of an order's buyer."""
    try:
        found = await seller.post(OPEN, order_id=order.strip())
    except RefusedError as refused:
        if refused.code != TOO_OLD:
            raise
        raise RefusedError("Lazada opens sessions for orders of the last 30 days only", "order_too_old") from None
    with readable():
        return _session(found)


def _session(found: Document) -> str:
    own = reading.optional_identity(found, "session_id")
    own = own or reading.optional_identity(reading.optional_part(found, "data"), "session_id")
    if own is None:
        raise UnreadableError("'session_id' is missing")
    return own


__all__ = ["KINDS", "begin"]
