"""A platform's API that plays a script: each request is held to what is expected next, and answered as recorded.

    api = ScriptedApi(
        (asks("POST", "https://api.example/send", json={"text": "hello"}), answer("letters_api", "sent")),
        (asks("GET", "https://api.example/list", query=[("page", "2")]), UnreachableError("no route")),
    )
    await connector.send(message, api)
    api.finished()

What is asked beyond the script, or otherwise than it says, fails the test whatever the connector catches: `finished`
raises it again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from connectors.contract.calling import ApiRequest, ApiResponse
from tests.connectors.mutations import payload

Expectation: TypeAlias = Callable[[ApiRequest], Any]
Step: TypeAlias = tuple[Expectation, ApiResponse | Exception]
NOW = 1_700_000_000_000


class ScriptedApi:
    """An `Api` given steps: what is expected of a request (False or an AssertionError fails it), and its answer.

    An exception is raised in place of an answer. `now`: the time, ms; `requests`: what was asked so far.
    """

    def __init__(self, *steps: Step, now: int = NOW) -> None:
        self._steps = list(steps)
        self._now = now
        self._wrong: AssertionError | None = None
        self.requests: list[ApiRequest] = []

    def now(self) -> int:
        """The script's time, ms."""
        return self._now

    async def call(self, request: ApiRequest) -> ApiResponse:
        """The answer of the next step."""
        self.requests.append(request)
        try:
            return self._played(request)
        except AssertionError as wrong:
            self._wrong = self._wrong or wrong
            raise

    def finished(self) -> None:
        """Assert that everything expected was asked, and nothing else."""
        if self._wrong is not None:
            raise self._wrong
        played, all_of_them = len(self.requests), len(self._steps)
        assert played == all_of_them, f"{played} of {all_of_them} expected requests were made"

    def _played(self, request: ApiRequest) -> ApiResponse:
        index = len(self.requests) - 1
        assert index < len(self._steps), f"nothing more was expected, yet {request} came"
        expected, told = self._steps[index]
        assert expected(request) is not False, f"request {index} is not what was expected: {request}"
        if isinstance(told, Exception):
            raise told
        return told


class EndlessApi:
    """An `Api` that gives the same answers in turn for ever, for tests of hostile answers and of endless paging."""

    def __init__(self, *answers: ApiResponse, now: int = NOW) -> None:
        self._answers = answers
        self._now = now
        self.requests: list[ApiRequest] = []

    def now(self) -> int:
        """The time, ms."""
        return self._now

    async def call(self, request: ApiRequest) -> ApiResponse:
        """The next answer, or the first one again."""
        self.requests.append(request)
        return self._answers[(len(self.requests) - 1) % len(self._answers)]


def asks(  # every part of a request, each optional
    method: str,
    url: str,
    *,
    query: Sequence[tuple[str, str]] | None = None,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    json: Any = None,
) -> Expectation:
    """A request exactly like this; parts that are None may be anything. `headers`: these among others, any case.

    `query` is compared in order; `json` with the decoded body.
    """

    def holds(request: ApiRequest) -> None:
        assert (request.method, request.url) == (method, url)
        if query is not None:
            assert list(request.query) == list(query)
        given = {name.lower(): value for name, value in request.headers.items()}
        for name, value in (headers or {}).items():
            assert given.get(name.lower()) == value, name
        if body is not None:
            assert request.body == body
        if json is not None:
            assert msgspec.json.decode(request.body) == json

    return holds


def answer(folder: str, name: str, status: int = 200, **headers: str) -> ApiResponse:
    """The answer recorded in payloads/<folder>/<name>.json; `headers` with _ for -."""
    return ApiResponse(status=status, headers=_named(headers), body=payload(folder, name))


def answer_of(told: Any = None, status: int = 200, **headers: str) -> ApiResponse:
    """An answer whose body is `told` as JSON (bytes: as they are; None: nothing); `headers` with _ for -."""
    body = told if isinstance(told, bytes) else b"" if told is None else msgspec.json.encode(told)
    return ApiResponse(status=status, headers=_named(headers), body=body)


def _named(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-").lower(): value for name, value in headers.items()}
