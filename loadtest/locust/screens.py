"""Who looks: agents in the inbox and operators at the monitor, each with a page open over its WebSocket."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import quote

import msgspec
from locust import FastHttpUser, between, task
from locust.exception import StopUser

from loadtest.locust.course import run_of
from loadtest.locust.open_inbox import OpenInbox
from loadtest.locust.page import Page
from loadtest.locust.run import Person

CONVERSATIONS = "/api/v1/conversations"
INBOX = "/api/v1/inbox"
MONITOR = "/api/v1/monitor"
RANGES = ("15m", "1h", "6h")
COOKIE = "weir_sid"


class ScreenUser(FastHttpUser):
    """Logs in and opens a page; it is opened again when its socket breaks."""

    abstract = True
    role = ""
    page_path = ""
    network_timeout = 30.0

    def on_start(self) -> None:
        """Log in and open the page."""
        self.run_ = run_of(self.environment)
        people = self.run_.people[self.role]
        if not people:
            raise StopUser
        self._page: Page | None = None
        try:
            self._enter(people.popleft())
        finally:
            self.run_.joined += 1

    def _enter(self, person: Person) -> None:
        credentials = msgspec.json.encode({"name": person.name, "password": person.password})
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        with self.client.post(
            "/auth/login", data=credentials.decode(), headers=headers, catch_response=True
        ) as response:
            if response.status_code != 200:  # noqa: PLR2004 # anything else is no login
                response.failure(f"no login ({response.status_code})")
                raise StopUser
        secret = next((c.value for c in self.client.cookiejar if c.name == COOKIE), "")
        self._cookie = f"{COOKIE}={secret}"
        self._open()

    def on_stop(self) -> None:
        """Close the window."""
        page: Page | None = getattr(self, "_page", None)
        if page is not None:
            page.close()

    def pushed(self, message: Any) -> None:
        """The server pushed something to the page."""

    def look_after_page(self) -> None:
        """Open the page again when its socket broke."""
        if self._page is None or not self._page.connected:
            self._open()

    def read(self, path: str, name: str) -> Any:
        """The JSON of an address; None when it fails."""
        with self.client.get(path, name=name, catch_response=True) as response:
            if response.status_code != 200:  # noqa: PLR2004 # anything else is a failure
                response.failure(f"status {response.status_code}")
                return None
            return msgspec.json.decode(response.content or b"null")

    def _open(self) -> None:
        answer = self.client.get(self.page_path, name=f"page {self.page_path}", allow_redirects=False)
        self._page = Page(self.environment, str(self.host), self._cookie, self.pushed)
        self._page.open(self.page_path, answer.text or "")


class AgentUser(ScreenUser):
    """Has the inbox open: a window of its list and a conversation in sight, told over the inbox's own socket."""

    role = "agent"
    page_path = "/inbox"
    wait_time = between(0.5, 3)

    def _enter(self, person: Person) -> None:
        super()._enter(person)
        self._inbox = OpenInbox(self.environment, str(self.host), self._cookie)
        self._inbox.open()

    def on_stop(self) -> None:
        """Close the window."""
        super().on_stop()
        inbox: OpenInbox | None = getattr(self, "_inbox", None)
        if inbox is not None:
            inbox.close()

    def look_after_page(self) -> None:
        """Open page and socket again when they broke."""
        super().look_after_page()
        if not self._inbox.connected:
            self._inbox.open()

    @task(4)
    def read_conversation(self) -> None:
        """Look at the list, open one of the conversations and read it."""
        self.look_after_page()
        found = self.read(f"{INBOX}?tab=all&limit=50", INBOX)
        if not found or not found["items"]:
            return
        keys = [row["key"] for row in found["items"]]
        chosen = keys[int(time.monotonic() * 1000) % len(keys)]
        self._inbox.watch(keys, chosen)
        key = quote(chosen, safe="")
        self.read(f"{CONVERSATIONS}/{key}/thread", f"{CONVERSATIONS}/KEY/thread")
        messages = self.read(f"{CONVERSATIONS}/{key}/messages?limit=100", f"{CONVERSATIONS}/KEY/messages")
        if messages and messages["items"]:
            message = quote(messages["items"][-1]["message"], safe="")
            self.read(f"/api/v1/messages/{key}/{message}/trace", "/api/v1/messages/KEY/ID/trace")

    @task(1)
    def search(self) -> None:
        """Look for a word."""
        self.read(f"{CONVERSATIONS}?q=order&limit=50", f"{CONVERSATIONS}?q")

    @task(1)
    def troubles(self) -> None:
        """Look at what is unresolved."""
        self.read("/api/v1/anomalies?unresolved=true&limit=50", "/api/v1/anomalies")


class OperatorUser(ScreenUser):
    """Watches the monitor: hears its pushes, asks for the whole of it now and then, looks at incidents."""

    role = "supervisor"
    page_path = "/"
    wait_time = between(1, 4)

    def pushed(self, message: Any) -> None:
        """A push of the monitor: what the ledger counts on the screen now."""
        if message.get("topic") == "monitor" and "ledger" in message["data"]:
            self.run_.screen_shows(time.monotonic(), message["data"]["ledger"]["accepted"])

    @task(3)
    def snapshot(self) -> None:
        """Ask for the whole screen, as a browser does after a gap or for another range."""
        self.look_after_page()
        self.read(f"{MONITOR}?range={RANGES[int(time.monotonic()) % len(RANGES)]}", MONITOR)

    @task(1)
    def incident(self) -> None:
        """Look at the most urgent incident."""
        found = self.read("/api/v1/incidents", "/api/v1/incidents")
        if found and found["items"]:
            self.read(f"/api/v1/incidents/{found['items'][0]['id']}", "/api/v1/incidents/ID")
