"""What Messenger and Instagram share on the way out: the Send API, the Conversations API, how a channel stands.

After Meta's "Messenger Platform: Send API", "Messenger Platform: Conversations API" and "Human Agent". Of every
conversation the latest 20 messages can be read and no more, so a listing is never complete; it tells whole seconds
where webhooks tell milliseconds.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from msgspec.structs import replace

from actors.events import Attachment, Message, Sender
from connectors.contract import reading
from connectors.contract.asking import readable, says_yes
from connectors.contract.calling import Api, RefusedError, UncertainError
from connectors.contract.canonical import canonical
from connectors.contract.connector import Binding, Parsed, Setting
from connectors.contract.history import Pace, Probe, Window
from connectors.contract.outgoing import Outgoing, OutgoingFile, Sent
from connectors.contract.reading import Document
from connectors.meta.graph import HOST, Graph
from connectors.meta.login import standing, subscribed
from connectors.meta.webhooks import PageConnector, key

DAY_MS = 24 * 3_600 * 1_000
HUMAN_AGENT = Setting(
    name="human_agent",
    about="yes when the app has the permission Human Agent: people may then answer for 7 days, not for one",
    secret=False,
    required=False,
)
PACE = Pace(requests=2, per_s=1.0, complete=False)
"""The Conversations API's limit of two a second; that of sending is far above what people write."""
_SECOND_MS = 1_000
_MOST_PAGES = 100
_PER_PAGE = 25
_FIELDS = (
    "updated_time,participants,messages.limit(20){id,created_time,from,to,message,"
    "attachments{mime_type,size,image_data,video_data,file_url}}"
)
_KINDS = frozenset({"image", "video", "audio"})


class PageMessaging(PageConnector):
    """A Page's or professional account's messages, sent and read back."""

    pace = PACE
    scopes: ClassVar[tuple[str, ...]]
    """The permissions that sending and reading need."""

    def __init__(self, binding: Binding) -> None:
        super().__init__(binding)
        if says_yes(binding, HUMAN_AGENT.name):
            self.limits = replace(self.limits, window_ms=7 * DAY_MS)

    @property
    def host(self) -> str:
        """Where the account's API is."""
        return HOST

    @property
    def node(self) -> str:
        """The account's id in paths; the token's own account without one."""
        return self.binding.settings.get("page_id") or "me"

    def graph(self, api: Api) -> Graph:
        """The API for this channel; raises RefusedError without a token."""
        return Graph(self, api, host=self.host)

    async def send(self, message: Outgoing, api: Api) -> Sent:
        """Send a text or one file, as a person when the day to answer in is over."""
        graph = self.graph(api)
        if len(message.files) + bool(message.text.strip()) != 1:
            raise RefusedError("the platform takes either a text or one file with one message", "text_with_files")
        content = {"text": message.text} if not message.files else await self.attached(message.files[0], graph)
        body = {"recipient": {"id": message.conversation}, **self._kind(message, api.now())}
        answer = await graph.post(self.node, "messages", body={**body, **self.said(message, content)})
        with readable():
            return Sent(message=reading.identity(answer, "message_id"))

    def said(self, message: Outgoing, content: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the body of a message holds beside its recipient."""
        del message
        return {"message": content}

    @abstractmethod
    async def attached(self, file: OutgoingFile, graph: Graph) -> Mapping[str, Any]:
        """What a message holds that brings a file; nothing is sent meanwhile."""

    def _kind(self, message: Outgoing, now: int) -> Mapping[str, str]:
        late = message.last_in_at is None or now - message.last_in_at > DAY_MS
        if late and says_yes(self.binding, HUMAN_AGENT.name):
            return {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}
        return {"messaging_type": "RESPONSE"}

    async def history(self, window: Window, api: Api) -> AsyncIterator[Sequence[Parsed]]:
        """Conversations, the latest first, with the latest 20 messages of each."""
        graph = self.graph(api)
        ours = await self.ours(graph)
        query = [("platform", self.platform), ("fields", _FIELDS), ("limit", str(_PER_PAGE))]
        if window.conversation is not None:
            query.append(("user_id", window.conversation))
        after: str | None = None
        seen: set[str] = set()
        for _ in range(_MOST_PAGES):
            turned = [("after", after)] if after else []
            answer = await graph.get(self.node, "conversations", query=[*query, *turned])
            with readable():
                found = reading.items(answer, "data")
                after = _next(answer, len(found))
            yield reading.each(found, lambda one: self._conversation(one, window, ours))
            if after is None or after in seen or _older(found, window.since):
                return
            seen.add(after)

    @abstractmethod
    async def ours(self, graph: Graph) -> Sequence[str]:
        """The ids that our own messages come from, the one that webhooks tell first."""

    async def probe(self, api: Api) -> Probe:
        """Whether the token holds, and whether the account is told to send its messages to our webhook."""
        answer = await self.graph(api).get(self.node, "subscribed_apps")
        with readable():
            active = subscribed(answer, self.binding.settings.get("app_id"))
        told = await self.token(api)
        return replace(told, subscription="active" if active else "disabled")

    async def token(self, api: Api) -> Probe:
        """How the token stands."""
        return await standing(self, api, self.scopes)

    def _conversation(self, told: Document, window: Window, ours: Sequence[str]) -> Iterable[Parsed]:
        participants = reading.items(reading.optional_part(told, "participants"), "data")
        ids = [reading.optional_identity(reading.part({"one": one}, "one"), "id") for one in participants]
        person = window.conversation or next((one for one in ids if one and one not in ours), None)
        messages = reading.items(reading.optional_part(told, "messages"), "data")
        return reading.each(messages, lambda one: self._told(one, window, ours, person))

    def _told(self, told: Document, window: Window, ours: Sequence[str], person: str | None) -> Iterable[Parsed]:
        at = reading.instant(told, "created_time")
        if not window.since - _SECOND_MS < at < window.until:
            return ()
        author = reading.part(told, "from")
        sender, mid = reading.identity(author, "id"), reading.identity(told, "id")
        out = sender in ours
        message = Message(
            **self.at(person or (_to(told) if out else sender), mid),
            sent_at=at,
            direction="out" if out else "in",
            sender=Sender(
                id=ours[0] if out else sender,
                name=reading.text(author, "name") or reading.text(author, "username"),
                role="agent" if out else "customer",
            ),
            text=reading.text(told, "message") or None,
            attachments=_attachments(told, mid) or None,
            via="resync",
        )
        return canonical([message])


def kind_of(mime: str) -> str:
    """What Meta calls a file of this media type."""
    kind = mime.partition("/")[0].lower()
    return kind if kind in _KINDS else "file"


async def own_ids(graph: Graph, node: str, *fields: str) -> list[str]:
    """The ids that an account tells of itself."""
    answer = await graph.get(node, query=[("fields", ",".join(fields))])
    with readable():
        parts = [answer, *(reading.optional_part(answer, name) for name in fields)]
        found = [reading.optional_identity(part, name) for part in parts for name in ("user_id", "id")]
    if not any(found):
        raise UncertainError("the platform's answer says nothing: the account's id is missing")
    return [one for one in found if one]


def _to(told: Document) -> str:
    first = next(iter(reading.items(reading.part(told, "to"), "data")), None)
    return reading.identity(reading.part({"to": first}, "to"), "id")


def _attachments(told: Document, mid: str) -> list[Attachment]:
    """The files, under the ids that webhooks give them."""
    found: list[Attachment] = []
    for index, one in enumerate(reading.items(reading.optional_part(told, "attachments"), "data")):
        file = reading.part({"attachment": one}, "attachment")
        mime = reading.text(file, "mime_type")
        pictures = (reading.text(reading.optional_part(file, name), "url") for name in ("image_data", "video_data"))
        url = next(filter(None, pictures), None) or reading.text(file, "file_url")
        kind = kind_of(mime or "")
        found.append(
            Attachment(id=key(mid, str(index)), kind=kind, mime=mime, size=reading.size(file, "size"), url=url)
        )
    return found


def _next(answer: Document, held: int) -> str | None:
    """The cursor of the next page, when there is one or this one is full."""
    paging = reading.optional_part(answer, "paging")
    after = reading.text(reading.optional_part(paging, "cursors"), "after")
    return after if paging.get("next") or held >= _PER_PAGE else None


def _older(conversations: Sequence[Any], since: int) -> bool:
    """Whether every conversation of a page was last changed before the window."""
    for one in conversations:
        try:
            if reading.instant(reading.part({"one": one}, "one"), "updated_time") >= since:
                return False
        except reading.UnreadableError:
            return False
    return True


__all__ = ["DAY_MS", "HUMAN_AGENT", "PACE", "PageMessaging", "kind_of", "own_ids"]
