"""How many bytes of batches may be in work at once, so that many large ones cannot exhaust the memory."""

from collections.abc import Iterator
from contextlib import contextmanager

from starlette.requests import Request

from api.settings import WebSettings
from streams.ports import OverloadedError

RETRY_AFTER_S = 1.0
MOST_BATCHES = 64
COPIES = 3
"""A batch is held about three times: as sent, cut into events, and as records."""


class Admission:
    """Counts batches in work. One alone is always let in, however large it may be."""

    def __init__(self, settings: WebSettings) -> None:
        self._most = 12 * settings.most_batch
        self._unknown = settings.most_batch
        self._batches = 0
        self._bytes = 0

    @contextmanager
    def batch(self, request: Request) -> Iterator[None]:
        """In work until the block ends; raises OverloadedError when there is no room."""
        size = COPIES * self._size(request)
        if self._batches and (self._batches >= MOST_BATCHES or self._bytes + size > self._most):
            raise OverloadedError(RETRY_AFTER_S)
        self._batches += 1
        self._bytes += size
        try:
            yield
        finally:
            self._batches -= 1
            self._bytes -= size

    def _size(self, request: Request) -> int:
        """What a batch may grow to, before it is read."""
        announced = request.headers.get("content-length", "")
        if not announced.isdecimal() or "content-encoding" in request.headers:
            return self._unknown
        return min(int(announced), self._unknown)
