"""Facebook Login: how a person gives an app access to a Page, and how long that lasts.

After Meta's "Manually Build a Login Flow", "Long-Lived Access Tokens" and "Debugging and Error Handling: debug_token".
A Page's token made from a long-lived one of its person does not run out; that is unconfirmed, so its end is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from actors.intake import EARLIEST
from connectors.contract import reading
from connectors.contract.asking import address, readable
from connectors.contract.authorising import Ask, Grant, Reply
from connectors.contract.calling import Api, ApiRequest, DeniedError, RefusedError, needed, without
from connectors.contract.connector import Connector
from connectors.contract.history import Probe
from connectors.contract.reading import Document
from connectors.meta.graph import ACCESS_TOKEN, API_VERSION, HOST, VERSION, Graph, judged

DIALOG = "https://www.facebook.com"


def dialog_url(connector: Connector, ask: Ask, scopes: Sequence[str]) -> str:
    """Where a person gives the app access; raises RefusedError without `app_id`."""
    [app_id] = needed(connector.binding.settings, "app_id")
    query = {
        "client_id": app_id,
        "redirect_uri": ask.redirect,
        "state": ask.state,
        "response_type": "code",
        "scope": ",".join(scopes),
    }
    version = connector.binding.settings.get(API_VERSION.name) or VERSION
    return f"{address(connector.binding, 'auth_url', DIALOG)}/{version}/dialog/oauth?{urlencode(query)}"


def code_of(reply: Reply) -> str:
    """The code of a redirect; raises RefusedError with what the person or the platform answered in place of one."""
    if code := reply.query.get("code"):
        return code
    said = reply.query.get("error_description") or reply.query.get("error_reason") or reply.query.get("error")
    raise RefusedError(without((), f"no access was given: {said or 'the answer holds no code'}"), "declined")


async def page_grant(connector: Connector, reply: Reply, api: Api, fields: Sequence[str]) -> Grant:
    """A Page's token for the code of a redirect; the Page is told to send its `fields` to our webhook."""
    code = code_of(reply)
    app_id, app_secret = needed(connector.binding.settings, "app_id", "app_secret")
    app = [("client_id", app_id), ("client_secret", app_secret)]
    short = await _token(connector, api, [*app, ("redirect_uri", reply.redirect), ("code", code)])
    renewed = [("grant_type", "fb_exchange_token"), *app, ("fb_exchange_token", short)]
    person = Graph(connector, api, token=await _token(connector, api, renewed))
    with readable():
        page_id, token = await _page(connector, person)
    ends, scopes = await _inspected(connector, api, token)
    page = Graph(connector, api, token=token)
    await page.post(page_id, "subscribed_apps", body={"subscribed_fields": ",".join(fields)})
    return Grant(settings={ACCESS_TOKEN.name: token, "page_id": page_id}, expires_at=ends, scopes=scopes)


async def standing(connector: Connector, api: Api, scopes: Sequence[str]) -> Probe:
    """How long the channel's token holds and which of the scopes it lacks; nothing is known without `app_id`.

    Raises DeniedError when it holds no more.
    """
    settings = connector.binding.settings
    if not all(settings.get(name) for name in ("app_id", "app_secret", ACCESS_TOKEN.name)):
        return Probe()
    ends, given = await _inspected(connector, api, settings[ACCESS_TOKEN.name])
    lacking = () if given is None else tuple(one for one in scopes if one not in given)
    return Probe(expires_at=ends, lacking=lacking)


def subscribed(answer: Document, app_id: str | None) -> bool:
    """Whether an answer of `subscribed_apps` says that our app, or some app when its id is not known, gets messages."""
    return any(
        "messages" in reading.items(app, "subscribed_fields")
        for app in _objects(answer)
        if not app_id or reading.optional_identity(app, "id") == app_id
    )


async def _inspected(connector: Connector, api: Api, token: str) -> tuple[int | None, frozenset[str] | None]:
    """When a token runs out (ms; None: never) and the permissions given with it (None: not told).

    Raises DeniedError when it holds no more.
    """
    app_id, app_secret = needed(connector.binding.settings, "app_id", "app_secret")
    app = Graph(connector, api, token=f"{app_id}|{app_secret}")
    answer = await app.get("debug_token", query=[("input_token", token)])
    with readable():
        data = reading.part(answer, "data")
        if data.get("is_valid") is False:
            wrong = reading.text(reading.optional_part(data, "error"), "message") or "the token holds no more"
            raise DeniedError(without([token, app_secret], f"Meta answers: {wrong}"))
        ends = reading.milliseconds(data, "expires_at", unit_ms=1_000) if _told_time(data, "expires_at") else None
        scopes = [one for one in reading.items(data, "scopes") if isinstance(one, str)]
    return ends, frozenset(scopes) if "scopes" in data else None


async def _token(connector: Connector, api: Api, query: Sequence[tuple[str, str]]) -> str:
    settings = connector.binding.settings
    host = address(connector.binding, "api_url", HOST)
    url = f"{host}/{settings.get(API_VERSION.name) or VERSION}/oauth/access_token"
    response = await api.call(ApiRequest(method="GET", url=url, query=query))
    with readable():
        secrets = [value for name, value in query if name not in {"client_id", "redirect_uri", "grant_type"}]
        return reading.identity(judged(response, secrets), "access_token")


async def _page(connector: Connector, person: Graph) -> tuple[str, str]:
    """The Page's id and token: the setting's, else the only one that the person gave access to."""
    wanted = connector.binding.settings.get("page_id")
    answer = await person.get("me", "accounts", query=[("fields", "id,name,access_token"), ("limit", "100")])
    pages = [one for one in _objects(answer) if not wanted or reading.optional_identity(one, "id") == wanted]
    if len(pages) != 1:
        raise RefusedError(
            f"access was given to {len(pages)} Pages that it could be; give the channel's setting page_id, choose"
            " that Page in the dialog, and authorise again",
            "page",
        )
    return reading.identity(pages[0], "id"), reading.identity(pages[0], "access_token")


def _objects(answer: Document) -> list[Document]:
    return [reading.part({"one": one}, "one") for one in reading.items(answer, "data")]


def _told_time(data: Document, name: str) -> bool:
    """Zero stands for never."""
    found = reading.number(data, name)
    return found is not None and found * 1_000 >= EARLIEST


__all__ = ["DIALOG", "code_of", "dialog_url", "page_grant", "standing", "subscribed"]
