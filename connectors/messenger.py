"""Facebook Messenger: webhooks of a Page, replies in its name, its conversations.

After Meta's "Messenger Platform: Webhook Events Reference", "Send API" and "Attachment Upload API". Reads come as a
watermark only, which stands for all of our messages before it. The id of a reply travels as its `metadata`, which its
echo brings back. How the pages of conversations are turned is unconfirmed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from connectors.contract import reading
from connectors.contract.asking import API_URL, AUTH_URL, readable
from connectors.contract.authorising import Ask, Grant, OAuth, Reply
from connectors.contract.calling import Api, before_sending
from connectors.contract.connector import Capabilities, Setting
from connectors.contract.multipart import FilePart
from connectors.contract.outgoing import Limits, Outgoing, OutgoingFile
from connectors.meta.graph import ACCESS_TOKEN, API_VERSION, APP_ID, APP_SECRET_PROOF, Graph, ascii_name
from connectors.meta.login import dialog_url, page_grant
from connectors.meta.pages import DAY_MS, HUMAN_AGENT, PageMessaging, kind_of, own_ids
from connectors.meta.webhooks import APP_SECRET, VERIFY_TOKEN

_SCOPES = ("pages_messaging", "pages_manage_metadata", "pages_read_engagement", "pages_show_list")
_WEBHOOK_FIELDS = (
    "messages",
    "message_deliveries",
    "message_echoes",
    "message_edits",
    "message_reads",
    "messaging_postbacks",
    "standby",
)


class Messenger(PageMessaging):
    """One Page. A conversation is the person's page-scoped id."""

    platform = "messenger"
    about = "page"
    own_id = "page_id"
    scopes = ("pages_messaging", "pages_manage_metadata")
    settings = (
        APP_SECRET,
        VERIFY_TOKEN,
        Setting(
            name="page_id",
            about="the Page's id: Page, About, Page transparency; when it is given, what is for other Pages is refused",
            secret=False,
            required=False,
        ),
        ACCESS_TOKEN,
        APP_ID,
        HUMAN_AGENT,
        APP_SECRET_PROOF,
        API_VERSION,
        API_URL,
        AUTH_URL,
    )
    capabilities = Capabilities(
        receipts=frozenset({"accepted", "delivered", "read"}), edits=True, echoes=True, sends=True, history=True
    )
    limits = Limits(text=2_000, window_ms=DAY_MS, files=1, together=False, file_bytes=25 * 2**20)
    oauth = OAuth(grants=(ACCESS_TOKEN.name, "page_id"), scopes=_SCOPES)

    def said(self, message: Outgoing, content: Mapping[str, Any]) -> Mapping[str, Any]:
        """With our id, and the message that is answered."""
        quoted = {"reply_to": {"mid": message.reply_to}} if message.reply_to else {}
        return {"message": {**content, "metadata": message.id}, **quoted}

    async def attached(self, file: OutgoingFile, graph: Graph) -> Mapping[str, Any]:
        """The file is uploaded first and sent by its id."""
        kind = kind_of(file.mime)
        about = {"attachment": {"type": kind, "payload": {"is_reusable": True}}}
        part = FilePart(name="filedata", filename=ascii_name(file.name), mime=file.mime, content=await file.content())
        fields = [("message", msgspec.json.encode(about).decode())]
        with before_sending():
            answer = await graph.upload(self.node, "message_attachments", fields=fields, file=part)
            with readable():
                attachment = reading.identity(answer, "attachment_id")
        return {"attachment": {"type": kind, "payload": {"attachment_id": attachment}}}

    async def ours(self, graph: Graph) -> list[str]:
        """The Page's id."""
        page = self.binding.settings.get("page_id")
        return [page] if page else await own_ids(graph, "me", "id")

    def authorise_url(self, ask: Ask) -> str:
        """Facebook Login's dialog."""
        return dialog_url(self, ask, _SCOPES)

    async def exchange(self, reply: Reply, api: Api) -> Grant:
        """A Page's token that does not run out; the Page is told to send its messages here."""
        return await page_grant(self, reply, api, _WEBHOOK_FIELDS)
