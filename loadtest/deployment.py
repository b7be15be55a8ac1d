"""The product as the load test asks it besides loading it: who it is to it, what it holds, what it found."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import quote

import httpx

from actors.errors import ConfigurationError

TIMEOUT_S = 30.0
PAGE = 500
SPAN_MS = 7 * 86_400_000
UNAUTHORISED = frozenset({401, 403})


class Deployment:
    """A running Weir at an address, asked with an API token. Raises httpx.HTTPError where nothing else is said."""

    def __init__(self, host: str, token: str, transport: httpx.BaseTransport | None = None) -> None:
        self.host = host.rstrip("/")
        self.bearer = f"Bearer {token}"
        headers = {"Authorization": self.bearer}
        self._client = httpx.Client(
            base_url=self.host, headers=headers, timeout=TIMEOUT_S, transport=transport, trust_env=False
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def permissions(self) -> frozenset[str]:
        """What the token may do. Raises ConfigurationError when it may not send events, or nothing answers."""
        try:
            answer = self._client.get("/api/v1/me")
        except httpx.TransportError as wrong:
            raise ConfigurationError(f"nothing answers at {self.host} ({wrong}); start Weir, or mend --host") from wrong
        found = frozenset[str]() if answer.status_code in UNAUTHORISED else frozenset(_json(answer)["permissions"])
        if "ingest" not in found:
            raise ConfigurationError(
                f"the token may not send events to {self.host}; make one with `weir token create loadtest --role admin`"
            )
        return found

    def newest(self) -> int:
        """When the conversation heard last was heard (ms); 0 when there is none."""
        items = self._get("/api/v1/conversations?limit=1")["items"]
        return milliseconds(items[0]["last_at"]) if items else 0

    def ledger(self) -> list[dict[str, Any]]:
        """The ledger by channel, as `GET /stats` has it."""
        return self._get("/api/v1/stats")["ledger"]["channels"]

    def anomaly_counts(self, since: int) -> tuple[int, int]:
        """Anomalies opened since (ms): all, and those unresolved."""
        span = {"since": str(since), "until": str(since + SPAN_MS)}
        counts = _json(self._client.get("/api/v1/stats", params=span))["anomalies"]
        return counts["total"], counts["unresolved"]

    def anomalies(self, platform: str, account: str) -> Iterator[dict[str, Any]]:
        """Every anomaly of a channel."""
        cursor = ""
        while True:
            where = {"platform": platform, "account": account, "limit": str(PAGE)} | (
                {"cursor": cursor} if cursor else {}
            )
            page = _json(self._client.get("/api/v1/anomalies", params=where))
            yield from page["items"]
            if not (cursor := page["next"]):
                return

    def is_visible(self, key: str, message: str) -> bool:
        """Whether a message can be read."""
        answer = self._client.get(f"/api/v1/messages/{quote(key, safe='')}/{quote(message, safe='')}/trace")
        if answer.status_code == httpx.codes.NOT_FOUND:
            return False
        answer.raise_for_status()
        return True

    def post(self, events: list[dict[str, Any]]) -> int:
        """Send events; how many were accepted."""
        return _json(self._client.post("/api/v1/events", json=events))["accepted"]

    def figures(self) -> dict[str, float]:
        """The figures of `GET /metrics`, those with labels by their whole name."""
        lines = self._client.get("/metrics").raise_for_status().text.splitlines()
        pairs = (line.rsplit(" ", 1) for line in lines if line and not line.startswith("#"))
        return {name: float(value) for name, value in pairs}

    def add_person(self, name: str, role: str) -> str:
        """Add somebody who may log in; the password."""
        return _json(self._client.post("/api/v1/users", json={"name": name, "role": role}))["password"]

    def bar_person(self, name: str) -> None:
        """Let somebody log in no more."""
        self._client.patch(f"/api/v1/users/{quote(name)}", json={"disabled": True}).raise_for_status()

    def _get(self, path: str) -> dict[str, Any]:
        return _json(self._client.get(path))


def milliseconds(time: str) -> int:
    """RFC 3339 as ms since the epoch."""
    return round(datetime.fromisoformat(time).timestamp() * 1000)


def _json(answer: httpx.Response) -> dict[str, Any]:
    return answer.raise_for_status().json()
