"""What is sent to Mercado Libre: answers in a sale's pack and to questions, and what became of a message.

Unconfirmed is to whom answers go while an agent of Mercado Libre writes (setting `agent_id`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from connectors.contract import reading
from connectors.contract.asking import readable
from connectors.contract.calling import RefusedError, before_sending, needed
from connectors.contract.outgoing import Outgoing, Sent
from connectors.contract.reading import Document
from connectors.mercadolibre.asking import TAG, Asking
from connectors.mercadolibre.history import messages_of, path_of
from connectors.mercadolibre.messages import own_id, rejection_of
from connectors.mercadolibre.questions import ANSWER


async def answer(asking: Asking, values: Mapping[str, str], message: Outgoing) -> Sent:
    """Answer in the pack; files are uploaded first. Raises the errors of `connectors.contract.calling`."""
    (seller,) = needed(values, "seller_id")
    to = values.get("agent_id") or message.recipient
    if to is None:
        raise RefusedError("nobody has written in this conversation yet, so that there is nobody to answer")
    body: dict[str, Any] = {
        "from": {"user_id": _numbered(seller)},
        "to": {"user_id": _numbered(to)},
        "text": message.text,
    }
    if message.files:
        (site,) = needed(values, "site")
        with before_sending():
            body["attachments"] = [_file_id(await asking.upload(file, site)) for file in message.files]
    return sent(await asking.post(path_of(message.conversation, seller), body, TAG))


async def answer_question(asking: Asking, question: str, text: str) -> Sent:
    """Answer a question, which takes one answer. Raises the errors of `connectors.contract.calling`."""
    told = await asking.post("answers", {"question_id": _numbered(question), "text": text})
    at = reading.optional_part(told, "answer")
    sent_at = reading.instant(at, "date_created") if at.get("date_created") is not None else None
    return Sent(message=f"{ANSWER}{question}", at=sent_at)


def sent(told: Document) -> Sent:
    """What became of a message; raises RefusedError when moderation keeps it back at once."""
    one = next(iter(messages_of(told)), told)
    found: Document = cast("Document", one) if isinstance(one, dict) else {}
    rejection = rejection_of(found)
    if rejection is not None:
        raise RefusedError(rejection.reason or "rejected", str(rejection.code))
    with readable():
        return Sent(message=own_id(found), at=_created(found))


def _created(told: Document) -> int | None:
    dates = reading.optional_part(told, "message_date")
    part, name = (dates, "created") if "created" in dates else (told, "date_created")
    return reading.instant(part, name) if part.get(name) is not None else None


def _numbered(user: str) -> int | str:
    return int(user) if user.isascii() and user.isdigit() else user


def _file_id(told: Document) -> str:
    with readable():
        return reading.identity(told, "id")


__all__ = ["answer", "answer_question", "sent"]
