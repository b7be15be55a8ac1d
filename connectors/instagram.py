"""Instagram messaging: webhooks of a professional account, its replies, its conversations.

After Meta's "Webhooks for Instagram Messaging", "Instagram Platform Webhook Notification Examples", "Instagram API with
Instagram Login: Messaging API, Conversations API" and "Business Login for Instagram". An account is asked by itself, or
through the Page it is linked to when the setting `page_id` is given. Files are sent by their address, which both take.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from connectors.contract import reading
from connectors.contract.asking import API_URL, AUTH_URL, address, readable
from connectors.contract.authorising import Ask, Grant, OAuth, Reply
from connectors.contract.calling import Api, ApiRequest, needed
from connectors.contract.connector import Capabilities, Setting
from connectors.contract.fetched import address_of, unfetchable
from connectors.contract.history import Probe
from connectors.contract.outgoing import Limits, Objection, Outgoing, OutgoingFile
from connectors.contract.reading import Document
from connectors.meta.graph import ACCESS_TOKEN, API_VERSION, APP_ID, APP_SECRET_PROOF, HOST, Graph, judged
from connectors.meta.login import code_of
from connectors.meta.pages import DAY_MS, HUMAN_AGENT, PageMessaging, kind_of, own_ids
from connectors.meta.webhooks import APP_SECRET, VERIFY_TOKEN

INSTAGRAM_HOST = "https://graph.instagram.com"
DIALOG = "https://www.instagram.com"
TOKENS = "https://api.instagram.com"
_SCOPES = ("instagram_business_basic", "instagram_business_manage_messages")
_WEBHOOK_FIELDS = ("messages", "messaging_postbacks", "messaging_seen")
_MIB = 2**20
_IMAGE_BYTES = 8 * _MIB
_MIMES = frozenset({"image/png", "image/jpeg", "image/gif", "audio/*", "video/*", "application/pdf"})


class Instagram(PageMessaging):
    """One professional account. A conversation is the person's Instagram-scoped id."""

    platform = "instagram"
    about = "instagram"
    own_id = "account_id"
    scopes = ("instagram_basic", "instagram_manage_messages", "pages_manage_metadata")
    settings = (
        APP_SECRET,
        VERIFY_TOKEN,
        Setting(
            name="account_id",
            about="the professional account's id, as the app's dashboard shows it; when it is given, what is for "
            "other accounts is refused",
            secret=False,
            required=False,
        ),
        ACCESS_TOKEN,
        Setting(
            name="page_id",
            about="the Facebook Page that the account is linked to, when access_token is that Page's; leave it out "
            "when the token was given with Instagram's own login",
            secret=False,
            required=False,
        ),
        APP_ID,
        Setting(
            name="instagram_secret",
            about="the secret of the Instagram app, beside app_id, for authorising in a browser when it is not "
            "app_secret: App Dashboard, Instagram, API setup with Instagram login",
            required=False,
        ),
        HUMAN_AGENT,
        APP_SECRET_PROOF,
        API_VERSION,
        API_URL,
        AUTH_URL,
    )
    capabilities = Capabilities(
        receipts=frozenset({"accepted", "read"}), edits=True, deletes=True, echoes=True, sends=True, history=True
    )
    limits = Limits(
        text=1_000,
        unit="bytes",  # what fits them fits characters too
        window_ms=DAY_MS,
        files=1,
        together=False,
        file_bytes=25 * _MIB,
        mimes=_MIMES,
    )
    oauth = OAuth(grants=(ACCESS_TOKEN.name, "account_id"), scopes=_SCOPES)

    @property
    def host(self) -> str:
        """Facebook's for an account behind a Page, else Instagram's."""
        return HOST if self.binding.settings.get("page_id") else INSTAGRAM_HOST

    def objections(self, message: Outgoing, now: int) -> Sequence[Objection]:
        """Also to pictures over 8 MB, and to files that Instagram could not fetch."""
        return [*super().objections(message, now), *unfetchable(message), *_large_pictures(message)]

    async def attached(self, file: OutgoingFile, graph: Graph) -> Mapping[str, Any]:
        """The file's address, from where Instagram fetches it."""
        del graph
        return {"attachment": {"type": kind_of(file.mime), "payload": {"url": address_of(file)}}}

    async def ours(self, graph: Graph) -> list[str]:
        """The account's ids: webhooks' first, then those of the API and of its Page."""
        settings = self.binding.settings
        known = [settings["account_id"]] if settings.get("account_id") else []
        page = settings.get("page_id")
        if page is None:
            return [*known, *(await own_ids(graph, "me", "user_id", "id"))]
        if known:
            return [*known, page]
        found = await own_ids(graph, page, "instagram_business_account", "id")
        return [*(one for one in found if one != page), page]

    async def token(self, api: Api) -> Probe:
        """How the token of a Page stands; Instagram's own tokens tell nothing of themselves."""
        return await super().token(api) if self.binding.settings.get("page_id") else Probe()

    def authorise_url(self, ask: Ask) -> str:
        """Instagram's own dialog; raises RefusedError without `app_id`."""
        [app_id] = needed(self.binding.settings, "app_id")
        query = {
            "client_id": app_id,
            "redirect_uri": ask.redirect,
            "response_type": "code",
            "scope": ",".join(_SCOPES),
            "state": ask.state,
        }
        return f"{address(self.binding, 'auth_url', DIALOG)}/oauth/authorize?{urlencode(query)}"

    async def exchange(self, reply: Reply, api: Api) -> Grant:
        """A token of sixty days; the account is told to send its messages here."""
        settings = self.binding.settings
        code = code_of(reply).removesuffix("#_")
        [app_id] = needed(settings, "app_id")
        secret = settings.get("instagram_secret") or needed(settings, "app_secret")[0]
        form = {
            "client_id": app_id,
            "client_secret": secret,
            "grant_type": "authorization_code",
            "redirect_uri": reply.redirect,
            "code": code,
        }
        request = ApiRequest(
            method="POST",
            url=f"{address(self.binding, 'auth_url', TOKENS)}/oauth/access_token",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            body=urlencode(form).encode(),
        )
        answer = judged(await api.call(request), [secret, code])
        with readable():
            first = next(iter(reading.items(answer, "data")), answer)  # the documents show both shapes
            short = reading.identity(reading.part({"grant": first}, "grant"), "access_token")
            scopes = _scopes(reading.part({"grant": first}, "grant"))
        query = [("grant_type", "ig_exchange_token"), ("client_secret", secret), ("access_token", short)]
        token, expires_at = await self._lasting(api, "access_token", query)
        graph = Graph(self, api, host=INSTAGRAM_HOST, token=token)
        account = (await own_ids(graph, "me", "user_id", "id"))[0]
        await graph.post("me", "subscribed_apps", body={"subscribed_fields": ",".join(_WEBHOOK_FIELDS)})
        granted = {ACCESS_TOKEN.name: token, "account_id": account}
        return Grant(settings=granted, expires_at=expires_at, refresh_by=expires_at, scopes=scopes)

    async def renew(self, api: Api) -> Grant | None:
        """The token for sixty days more; None for a Page's, which does not run out."""
        if self.binding.settings.get("page_id"):
            return None
        [token] = needed(self.binding.settings, ACCESS_TOKEN.name)
        query = [("grant_type", "ig_refresh_token"), ("access_token", token)]
        renewed, expires_at = await self._lasting(api, "refresh_access_token", query)
        return Grant(settings={ACCESS_TOKEN.name: renewed}, expires_at=expires_at, refresh_by=expires_at)

    async def _lasting(self, api: Api, path: str, query: Sequence[tuple[str, str]]) -> tuple[str, int | None]:
        """A token and when it runs out, ms."""
        url = f"{address(self.binding, 'api_url', INSTAGRAM_HOST)}/{path}"
        secrets = [value for name, value in query if name != "grant_type"]
        answer = judged(await api.call(ApiRequest(method="GET", url=url, query=query)), secrets)
        with readable():
            lasts = reading.number(answer, "expires_in")
            ends = None if lasts is None or not 0 < lasts <= _LONGEST_S else api.now() + int(lasts * 1_000)
            return reading.identity(answer, "access_token"), ends


_LONGEST_S = 10 * 366 * 24 * 3_600


def _large_pictures(message: Outgoing) -> Iterator[Objection]:
    for file in message.files:
        if file.mime.lower().startswith("image/") and file.size > _IMAGE_BYTES:
            text = f"{file.name!r} has {file.size / _MIB:.3g} MB, the platform takes pictures of 8 MB; compress it"
            figures = {"name": file.name, "bytes": file.size, "most": _IMAGE_BYTES}
            yield Objection(code="file_too_large", text=text, figures=figures)


def _scopes(grant: Document) -> frozenset[str] | None:
    """The permissions given: a list or their names with commas."""
    names = reading.text(grant, "permissions")
    given = names.split(",") if names is not None else reading.items(grant, "permissions")
    return frozenset(one.strip() for one in given if isinstance(one, str)) or None
