"""What a page is."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from services.people.permissions import Permission
from ui.visit import Visit


class Page(Struct, frozen=True, kw_only=True):
    """`path` is its address, `label` the catalogue key of its name, `permission` what its visitor needs.

    With an `icon` (a name in components/core/icons.js) it stands in the rail. `build` may be a coroutine function.
    """

    path: str
    label: str
    build: Callable[[Visit], object]
    icon: str = ""
    permission: Permission | None = None
