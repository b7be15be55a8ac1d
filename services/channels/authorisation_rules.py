"""When a channel's authorisation is renewed, looked at and told of. Pure; every time in ms."""

from __future__ import annotations

from msgspec import Struct, field

from connectors.contract.authorising import Grant
from connectors.contract.connector import Connector
from services.channels.standing import Standing
from storage.records import BoundChannel, ChannelRow

PROBE_MS = 300_000
LEAST_LEFT_MS = 600_000
SHARE_LEFT = 4
"""What has less than this part of its life left, or less than `LEAST_LEFT_MS`, is renewed."""
WARN_MS = (604_800_000, 86_400_000)
"""So long before its end an authorisation that only a person can renew is told of, at each once."""
FIRST_BACKOFF_MS, LONGEST_BACKOFF_MS = 60_000, 1_800_000
TELL_AGAIN_MS = 60_000
"""What was told is in the store by then."""
LOST = ("expired", "revoked")


class Memory(Struct):
    """What a process remembers of a channel.

    `denied_at`: the binding (its `changed_at`) that cannot be renewed; `granted`: what is not in the store yet, and
    whose it is; `told`: (status, when it ends) as told at `told_at`.
    """

    renew_after: int = 0
    quiet_until: int = 0
    failures: int = 0
    renews: bool = True
    denied_at: int | None = None
    granted: tuple[Connector, Grant] | None = None
    told_at: int = 0
    told: tuple[str, int | None] | None = None


class Seen(Struct, frozen=True):
    """A channel as a round finds it: `known` is what the log tells of it."""

    bound: BoundChannel
    connector: Connector
    standing: Standing
    known: ChannelRow | None
    now: int
    memory: Memory = field(default_factory=Memory)


def is_due(seen: Seen) -> bool:
    """Whether anything is to be done for it."""
    if seen.now < seen.memory.quiet_until:
        return False
    return must_renew(seen) or must_probe(seen) or announced(seen) is not None


def must_renew(seen: Seen) -> bool:
    """Whether the authorisation is to be renewed now."""
    ends, memory = seen.bound.expires_at, seen.memory
    if memory.granted is not None:
        return True
    if ends is None or not can_renew(seen):
        return False
    return ends - seen.now < max(LEAST_LEFT_MS, (ends - seen.bound.changed_at) // SHARE_LEFT)


def can_renew(seen: Seen) -> bool:
    """Whether the platform may be asked for it now."""
    if type(seen.connector).renew is Connector.renew:
        return False
    memory = seen.memory
    anew = memory.denied_at is not None and memory.denied_at != seen.bound.changed_at
    return anew or seen.now >= memory.renew_after


def must_probe(seen: Seen) -> bool:
    """Whether the platform is to be asked how the channel stands."""
    if type(seen.connector).probe is Connector.probe:
        return False
    asked = seen.standing.asked_at
    return seen.now - asked >= PROBE_MS or asked < seen.bound.changed_at


def announced(seen: Seen) -> int | None:
    """The end that is to be told of now; None when there is none, or it was told of."""
    ends, said = end(seen), told(seen)
    if ends is None or not 0 < ends - seen.now <= WARN_MS[0] or (said is not None and said[0] in LOST):
        return None
    if said != ("expiring", ends):
        return ends
    memory, known = seen.memory, seen.known
    at = memory.told_at if memory.told == said else (known.auth_at or 0) if known else 0
    return ends if ends - seen.now <= WARN_MS[1] < ends - at else None


def end(seen: Seen) -> int | None:
    """By when a person must authorise the channel anew; None when nothing says that one must."""
    bound = seen.bound
    if bound.expires_at is None:
        return seen.standing.expires_at
    renews = seen.memory.renews and type(seen.connector).renew is not Connector.renew
    return bound.refresh_by if renews else bound.expires_at


def told(seen: Seen) -> tuple[str, int | None] | None:
    """What the core knows of the authorisation: (status, when it ends)."""
    memory, known = seen.memory, seen.known
    if memory.told is not None and seen.now - memory.told_at < TELL_AGAIN_MS:
        return memory.told
    return None if known is None or known.auth_status is None else (known.auth_status, known.auth_expires_at)


def says_ok(seen: Seen, expires_at: int | None) -> bool:
    """Whether an authorisation that the platform accepts, and that ends then, is news."""
    said = told(seen)
    if said is None or said[0] in LOST:
        return True
    return expires_at is not None and said[1] != expires_at and said != ("expiring", end(seen))


def backoff(memory: Memory) -> int:
    """How long to wait after so many failures."""
    return min(FIRST_BACKOFF_MS * 2 ** min(max(memory.failures - 1, 0), 16), LONGEST_BACKOFF_MS)


__all__ = ["LOST", "Memory", "Seen", "announced", "backoff", "can_renew", "is_due", "must_probe", "must_renew"]
__all__ += ["says_ok", "told"]
