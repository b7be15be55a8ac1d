"""Which conversation a request of the inbox is about, and whether its caller may see it: asked here alone."""

from __future__ import annotations

from fastapi import Request

from api.asking import key_of, rest_of_path, seen
from services.parts import Services
from services.people.permissions import Caller

CONVERSATIONS = "/api/v1/conversations/"
KEY = "platform/account/conversation; `/` inside a part as %2F"


async def conversation_of(request: Request, parts: Services, caller: Caller, tail: str) -> str:
    """The key in a path that ends with `tail`. Raises NotFoundError when it is none, or for who may not see it."""
    segments = rest_of_path(request, CONVERSATIONS)
    key = key_of(segments[: -len(tail.split("/"))])
    return (await seen(parts, caller, key, fresh=request.method != "GET")).key


async def check_seen(parts: Services, caller: Caller, key: str) -> None:
    """Raises NotFoundError for who may not see the conversation."""
    await seen(parts, caller, key)
