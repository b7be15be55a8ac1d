"""From bytes on the wire to canonical events (SPEC sections 2 and 9, rulings 4 and 56 to 60).

`parse_event` reads one JSON object strictly; whatever breaks the specification raises RejectedError with the reason
that its sender is shown. `split_batch` cuts a body (array, NDJSON or one object) into events without judging them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec.structs import force_setattr

from actors.errors import RejectedError
from actors.events import (
    EVENT_TYPES,
    Action,
    AttachmentStatus,
    Auth,
    Checkpoint,
    Clock,
    Delete,
    Edit,
    Event,
    Message,
    Translation,
)

LONGEST_LINE = 1024 * 1024
LONGEST_TEXT = 256 * 1024
DEEPEST = 64
EARLIEST = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp() * 1000)
LATEST = int(datetime(2100, 1, 1, tzinfo=UTC).timestamp() * 1000)

_decoder = msgspec.json.Decoder(Event)
_raw_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_packer = msgspec.msgpack.Encoder()
_KNOWN: dict[type, frozenset[str]] = {
    t: frozenset((*t.__struct_encode_fields__, "type")) - {"extra"} for t in EVENT_TYPES
}
_LONE_SURROGATE = re.compile(
    rb"(?<!\\)((?:\\\\)*)(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|(?<!\\)((?:\\\\)*)\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)
_WHITE = b" \t\r\n"


def parse_event(raw: bytes, *, need_at: bool, keep_extra: bool = True) -> Event:
    """One event of its JSON bytes. `need_at`: an event without observed time is refused; otherwise `at` stays None.

    Raises RejectedError. With `keep_extra` unknown fields are kept in `extra`.
    """
    if len(raw) > LONGEST_LINE:
        raise RejectedError(f"the event has {len(raw)} bytes; at most {LONGEST_LINE} are allowed")
    if (raw.count(b"[") + raw.count(b"{")) > DEEPEST:
        _check_depth(raw)
    try:
        event = _decoder.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        event = _parse_again(raw)
    if not raw.isascii():
        _check_utf8(raw)
    normalise(event, raw, need_at=need_at)
    if keep_extra:
        _keep_extra(event, raw)
    return event


def normalise(event: Event, raw: bytes, *, need_at: bool) -> None:
    """Bring a decoded event's times to milliseconds, check the rules between its fields. Raises RejectedError."""
    if event.at is not None:  # pyright: ignore[reportUnnecessaryComparison] # optional on the wire: see ObservedAt
        if type(event.at) is not int or not EARLIEST <= event.at <= LATEST:
            force_setattr(event, "at", _instant(event.at, "at"))
    elif need_at:
        raise RejectedError("`at` (observed time) is required in a trace")
    check = _CHECKS.get(type(event))
    if check is not None:
        check(event, raw)


def split_batch(body: bytes, content_type: str | None = None) -> Iterator[tuple[int, bytes]]:
    """(index, bytes of one event) of a JSON array, of NDJSON, or of a single object; index counts events from 0.

    Blank lines of NDJSON are skipped. Raises RejectedError when an array cannot be cut into its elements.
    """
    body = body.removeprefix(b"\xef\xbb\xbf")
    lines = content_type is not None and "ndjson" in content_type.lower()
    if body.lstrip(_WHITE)[:1] == b"[":
        try:
            elements = _elements(body)
        except RejectedError:
            if not lines:
                raise
        else:
            yield from enumerate(elements)
            return
    if not lines and b"\n" in body.strip(_WHITE) and _is_one_object(body):
        yield 0, body.strip(_WHITE)
        return
    index = 0
    for line in body.split(b"\n"):
        if line := line.strip(_WHITE):
            yield index, line
            index += 1


def stamp(event: Event, at: int) -> None:
    """Give an event without observed time the gateway's (ms)."""
    if event.at is None:  # pyright: ignore[reportUnnecessaryComparison] # true until here: see ObservedAt
        force_setattr(event, "at", at)


def channel_hint(raw: bytes) -> tuple[str | None, str | None]:
    """(platform, account) of refused input as far as they can be told, for its account in the ledger."""
    try:
        fields = msgspec.json.decode(raw, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None, None
    platform, account = fields.get("platform"), fields.get("account")
    if isinstance(platform, str) and isinstance(account, str) and platform and account:
        return platform, account
    return None, None


def _elements(body: bytes) -> list[bytes]:
    try:
        return [bytes(item) for item in msgspec.json.decode(body, type=list[msgspec.Raw])]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as wrong:
        raise RejectedError(f"the body is no JSON array: {wrong}") from wrong


def _is_one_object(body: bytes) -> bool:
    try:
        _raw_object.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _parse_again(raw: bytes) -> Event:
    """The slow way: mends lone surrogates, keeps the last of a duplicate key, and tells precisely what is wrong."""
    _check_utf8(raw)
    if b"\\u" in raw:
        raw = _LONE_SURROGATE.sub(_replace_lone, raw)
    if raw.lstrip(_WHITE)[:1] == b"[":
        raise RejectedError("an event is a JSON object, not an array")
    try:
        return _decoder.decode(msgspec.json.encode(_raw_object.decode(raw)))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as wrong:
        raise RejectedError(_sentence(wrong)) from wrong


def _replace_lone(match: re.Match[bytes]) -> bytes:
    if match.group(2) is not None:
        return match.group(0)
    return (match.group(3) or b"") + b"\\ufffd"


def _sentence(wrong: BaseException) -> str:
    text = _QUOTED.sub("Invalid value", str(wrong))
    if "`$.type`" in text or "required field `type`" in text:
        names = ", ".join(str(t.__struct_config__.tag) for t in EVENT_TYPES)
        return f"{text}; `type` is one of {names}"
    return text


_QUOTED = re.compile(r"Invalid (?:enum )?value .*(?= - at )", re.DOTALL)
"""What a customer wrote into a field of fixed words; it does not belong into a reason."""


def _check_utf8(raw: bytes) -> None:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as wrong:
        raise RejectedError(f"not valid UTF-8: byte {wrong.start} is {raw[wrong.start]:#04x}") from wrong


def _check_depth(raw: bytes) -> None:
    """Refuses more than 64 levels of nesting; brackets within strings do not count."""
    depth = 0
    for token in _TOKENS.finditer(raw):
        mark = token.group()
        if mark in b"[{":
            depth += 1
            if depth > DEEPEST:
                raise RejectedError(f"nested deeper than {DEEPEST} levels at byte {token.start()}")
        elif mark in b"]}":
            depth -= 1


_TOKENS = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[\]{}]', re.DOTALL)


def _check_message(m: Message, _raw: bytes) -> None:
    if type(m.sent_at) is not int or not EARLIEST <= m.sent_at <= LATEST:
        force_setattr(m, "sent_at", _instant(m.sent_at, "sent_at"))
    if m.text is not None and len(m.text) * 4 > LONGEST_TEXT:
        _check_text(m.text)


def _check_auth(auth: Auth, _raw: bytes) -> None:
    if auth.expires_at is not None:
        force_setattr(auth, "expires_at", _instant(auth.expires_at, "expires_at"))


def _check_version(change: Edit | Delete, _raw: bytes) -> None:
    if change.text is not None:
        _check_text(change.text)


def _check_detail(status: Translation | AttachmentStatus, raw: bytes) -> None:
    if status.detail is not None:
        _make_storable(status, raw, "detail")


def _check_clock(clock: Clock, raw: bytes) -> None:
    for name in ("platform", "account", "event"):
        if getattr(clock, name) is not None:
            _make_storable(clock, raw, name)


def _check_text(text: str) -> None:
    if len(text.encode()) > LONGEST_TEXT:
        raise RejectedError(f"`text` is longer than {LONGEST_TEXT} bytes")


def _check_checkpoint(check: Checkpoint, _raw: bytes) -> None:
    force_setattr(check, "start", _instant(check.start, "from"))
    force_setattr(check, "end", _instant(check.end, "to"))
    if check.start > check.end:
        raise RejectedError("`from` is after `to`")
    if check.messages is not None:
        if check.conversation is None:
            raise RejectedError("`messages` needs `conversation`: ids are unique within one only")
        if check.count != len(check.messages):
            raise RejectedError(f"`count` is {check.count} but `messages` has {len(check.messages)} ids")
    if check.conversation is None and (check.first_seq is not None or check.last_seq is not None):
        raise RejectedError("`first_seq` and `last_seq` need `conversation`: numbers count within one only")
    if check.first_seq is not None and check.last_seq is not None and check.first_seq > check.last_seq:
        raise RejectedError("`first_seq` is greater than `last_seq`")


def _check_action(action: Action, _raw: bytes) -> None:
    if action.what in ("acknowledged", "resolved"):
        if action.anomaly is None:
            raise RejectedError(f"an action `{action.what}` needs `anomaly`, the id of what it is about")
    elif action.conversation is None:
        raise RejectedError(f"an action `{action.what}` needs `conversation`")


def _instant(value: Any, name: str) -> int:
    """Milliseconds of an integer or a parsed RFC 3339 time."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise RejectedError(f"`{name}` has no offset; write it like 2026-11-27T00:00:00Z")
        value = (value - _EPOCH) // _MILLISECOND
    if not EARLIEST <= value <= LATEST:
        raise RejectedError(f"`{name}` lies outside the years 2000 to 2100")
    return int(value)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = datetime(1970, 1, 1, 0, 0, 0, 1000) - datetime(1970, 1, 1)  # noqa: DTZ001 # a difference has no zone


def _make_storable(event: Event, raw: bytes, name: str) -> None:
    """A field of any type whose value cannot be written to the log is kept as its JSON text."""
    try:
        _packer.encode(getattr(event, name))
    except OverflowError:
        force_setattr(event, name, bytes(_raw_fields(raw)[name]).decode())


def _raw_fields(raw: bytes) -> dict[str, msgspec.Raw]:
    try:
        return _raw_object.decode(raw)
    except msgspec.DecodeError:
        return _raw_object.decode(_LONE_SURROGATE.sub(_replace_lone, raw))


def _storable(raw: msgspec.Raw) -> Any:
    """The value, or its JSON text when it holds a number beyond what a machine or the log can hold."""
    try:
        value = msgspec.json.decode(raw)
        _packer.encode(value)
    except (msgspec.ValidationError, OverflowError):
        return bytes(raw).decode()
    return value


def _keep_extra(event: Event, raw: bytes) -> None:
    """Collect the fields nobody knows, so that nothing the platform said is lost."""
    known = _KNOWN[type(event)]
    fields = _raw_fields(raw)
    unknown = fields.keys() - known
    if not unknown:
        return
    extra: dict[str, Any] = {}
    for name in fields:
        if name in unknown:
            value = _storable(fields[name])
            if name == "extra" and isinstance(value, dict):
                extra |= value
            else:
                extra[name] = value
    force_setattr(event, "extra", extra)


_CHECKS: dict[type, Callable[[Any, bytes], None]] = {
    Message: _check_message,
    Checkpoint: _check_checkpoint,
    Auth: _check_auth,
    Action: _check_action,
    Edit: _check_version,
    Delete: _check_version,
    Translation: _check_detail,
    AttachmentStatus: _check_detail,
    Clock: _check_clock,
}
"""The rules between the fields of one type; types without a line have none."""
