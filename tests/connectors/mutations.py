"""Hostile bodies made of honest ones, and what a connector may make of them: events, refusals, or one error."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from actors.events import Message
from actors.intake import parse_event
from actors.orders import ForgetCustomer, Order
from connectors.contract.connector import Connector, OnePerson, Parsed, Refused, UnreadableError, UpTo, WebhookRequest
from connectors.contract.history import Pointer

PAYLOADS = Path(__file__).parent / "payloads"
HOSTILE = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""For the test of every platform: how much of it, and no clock in it."""

_WORDS = st.text(st.characters(), max_size=8)  # half surrogate pairs among them
_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.integers(-(10**25), 10**25)
    | st.floats()
    | _WORDS
    | st.sampled_from(["", "0", "-1", "1e999", "NaN", "{}", "[]", '{"a":', "http://", "\0", "x" * 1_025])
)
VALUES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS, inner, max_size=3), max_leaves=5
)


def payload(platform: str, name: str) -> bytes:
    """The bytes of payloads/<platform>/<name>.json."""
    return (PAYLOADS / platform / f"{name}.json").read_bytes()


def payloads(platform: str) -> list[bytes]:
    """The bytes of every payload file of a platform, by name."""
    return [path.read_bytes() for path in sorted((PAYLOADS / platform).glob("*.json"))]


@st.composite
def mutated(draw: st.DrawFn, bodies: Sequence[bytes]) -> bytes:
    """One of the bodies with up to four values replaced or left out, some within JSON in strings; or cut short."""
    body = draw(st.sampled_from(bodies))
    found = json.loads(body)
    for _ in range(draw(st.integers(0, 4))):
        found = _changed(draw, found)
    mangled = json.dumps(found, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")
    if draw(st.integers(0, 11)) == 0:
        mangled = mangled[: draw(st.integers(0, len(mangled)))]
    if draw(st.integers(0, 11)) == 0:
        at = draw(st.integers(0, len(mangled)))
        mangled = mangled[:at] + draw(st.binary(max_size=4)) + mangled[at:]
    return mangled


def parsed_or_unreadable(connector: Connector, request: WebhookRequest) -> Sequence[Parsed]:
    """What the connector makes of a request; nothing when it cannot be read. Asserts what holds for any request."""
    try:
        parsed = connector.parse(request)
    except UnreadableError:
        return []
    for one in parsed:
        if isinstance(one, Refused):
            assert one.reason
            assert isinstance(one.raw, bytes)
            continue
        if isinstance(one, OnePerson):
            assert connector.aliases
            assert all(one.names)
            continue
        if isinstance(one, UpTo):
            assert one.conversation
            assert one.at >= 0
            continue
        if isinstance(one, Pointer):
            assert one.id
            assert all(isinstance(value, str) for value in one.about.values())
            continue
        assert (one.platform, one.account) == (connector.platform, connector.binding.account)
        if isinstance(one, Order | ForgetCustomer):
            assert msgspec.json.decode(msgspec.json.encode(one), type=type(one)) == one
            continue
        assert one.at is None
        assert isinstance(one, Message) or one.event, "a platform redelivers: without a key it would count twice"
        assert parse_event(msgspec.json.encode(one), need_at=False) == one
    return parsed


def _changed(draw: st.DrawFn, found: Any) -> Any:
    """A copy in which one place is replaced or left out; a string that holds JSON may be changed within."""
    _, *places = _places(found)
    if not places or draw(st.integers(0, 29)) == 0:
        return draw(VALUES)
    place = draw(st.sampled_from(places))
    found = json.loads(json.dumps(found))
    parent = found
    for step in place[:-1]:
        parent = parent[step]
    last = place[-1]
    inner = _json_within(parent[last])
    if inner is not None and draw(st.booleans()):
        parent[last] = json.dumps(_changed(draw, inner))
    elif draw(st.integers(0, 2)) == 0:
        del parent[last]
    else:
        parent[last] = draw(_near(parent[last]) | VALUES)
    return found


def _near(value: Any) -> st.SearchStrategy[Any]:
    """Values of the same kind that lie at the edges of what is allowed."""
    if isinstance(value, bool):
        return st.just(not value)
    if isinstance(value, int):
        return st.sampled_from([0, 1, -1, -value, value * 1000, value / 1000, 2**53 + 1, 2**64, str(value)])
    if isinstance(value, str):
        return st.sampled_from(["", " ", "0", value + "\ud83d", value + "\0", "x" * 1_020, "é" * 1_024])
    return st.just([value, value])


def _places(found: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    inner = found.items() if isinstance(found, dict) else enumerate(found) if isinstance(found, list) else ()
    for step, value in inner:
        yield from _places(value, (*path, step))


def _json_within(value: Any) -> Any:
    if not isinstance(value, str) or not value.startswith("{"):
        return None
    try:
        return json.loads(value)
    except ValueError:
        return None
