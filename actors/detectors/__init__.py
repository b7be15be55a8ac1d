"""One file per detector; each says in its first line what opens and what resolves its anomaly.

A detector is a handful of functions over the part of the state it owns, called by `actors.conversation` or
`actors.channel`: `on_…` when something happens, `expire` when its graces may be over (due strictly before `now`), and
`next_due` for its earliest timer. It may import `actors.state`, `actors.spells` and the records, never another
detector.
"""

from types import ModuleType

from actors.detectors import (
    attachment,
    auth,
    delay,
    duplicate,
    gap,
    notification,
    out_of_sync,
    outbound,
    reference,
    silence,
    translation,
)

DETECTORS: tuple[ModuleType, ...] = (
    attachment,
    auth,
    delay,
    duplicate,
    gap,
    notification,
    out_of_sync,
    outbound,
    reference,
    silence,
    translation,
)
