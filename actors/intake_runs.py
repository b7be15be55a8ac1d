"""Many events at one go: what `parse_event` gives for each, at about a third of its cost when all of them are in order.

A run is decoded into twins of the event types that refuse any field they do not know: where that works no event has
an unknown field to be kept, and nothing is nested deeper than its type allows. Then each is told to be what its twin is
of, for nobody else knows twins. Whatever is not plain sailing is left to `parse_event`, one event at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Union, cast

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import force_setattr

from actors.errors import RejectedError
from actors.events import (
    EVENT_TYPES,
    Attachment,
    AttachmentStatus,
    Clock,
    Event,
    Failure,
    Message,
    Notification,
    Receipt,
    Sender,
    Translation,
    Value,
)
from actors.intake import DEEPEST, EARLIEST, LATEST, LONGEST_LINE, normalise

BRACE, CLOSED_BRACE = b"{"[0], b"}"[0]
OPEN_TYPES = frozenset({AttachmentStatus, Translation, Clock})
"""Types with a field of any shape."""
EASY_TYPES = frozenset({Receipt, Notification})
"""Types of which `at` alone is to be looked at: most events are of them."""
Nothing = Annotated[int, Meta(gt=0, lt=0)]
"""A field of this type may only be left out."""


def parse_run(raws: Sequence[bytes], *, need_at: bool) -> list[Event] | None:
    """The events of their JSON bytes, in order; None when any of them has to be looked at by itself."""
    if not _fit_to_be_joined(raws):
        return None
    # Each begins with a brace and ends with one, so none can be continued by the next: as many values as there are
    # lines means one in each.
    lines = b"\n".join(raws)
    try:
        events = cast("list[Event]", _decoder.decode_lines(lines))
        if len(events) != len(raws):
            return None
        for event, raw in zip(events, raws, strict=True):
            kind = _TWIN_OF[type(event)]
            force_setattr(event, "__class__", kind)
            if kind is Message or kind is Receipt:
                _untwin_parts(cast("Message | Receipt", event))
            elif kind in OPEN_TYPES and raw.count(b"[") + raw.count(b"{") > DEEPEST:
                return None
            at = event.at
            if kind not in EASY_TYPES or type(at) is not int or not EARLIEST <= at <= LATEST:
                normalise(event, raw, need_at=need_at)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, RejectedError):
        return None
    return events


def _fit_to_be_joined(raws: Sequence[bytes]) -> bool:
    if not raws or max(map(len, raws)) > LONGEST_LINE or not all(raws):
        return False
    return all(raw[0] == BRACE and raw[-1] == CLOSED_BRACE for raw in raws)


def _untwin_parts(event: Message | Receipt) -> None:
    if isinstance(event, Receipt):
        if event.error is not None:
            force_setattr(event.error, "__class__", Failure)
        return
    if event.sender is not None:
        force_setattr(event.sender, "__class__", Sender)
    for attachment in event.attachments or ():
        force_setattr(attachment, "__class__", Attachment)
    if event.value is not None:
        force_setattr(event.value, "__class__", Value)


def _twin(kind: type[Struct], **parts: Any) -> type[Struct]:
    """A subtype of the same layout that refuses unknown fields; `parts` gives the types of some fields."""
    config = kind.__struct_config__
    if "extra" in kind.__struct_fields__:
        parts["extra"] = Nothing
    return msgspec.defstruct(
        kind.__name__,
        [(name, part, None) for name, part in parts.items()],
        bases=(kind,),
        tag=config.tag,
        tag_field=config.tag_field,
        kw_only=True,
        forbid_unknown_fields=True,
    )


_PARTS: dict[type[Struct], dict[str, Any]] = {
    Message: {
        "sender": _twin(Sender) | None,
        "attachments": list[_twin(Attachment)] | None,
        "value": _twin(Value) | None,
    },
    Receipt: {"error": _twin(Failure) | None},
}
_TWIN_OF: dict[type, type] = {_twin(kind, **_PARTS.get(kind, {})): kind for kind in EVENT_TYPES}
_decoder = msgspec.json.Decoder(Union[tuple(_TWIN_OF)])  # noqa: UP007 # made of a list
