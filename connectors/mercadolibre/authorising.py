"""How a seller gives the application access, after "Authentication and authorisation": by country, and with PKCE."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from connectors.contract.authorising import Ask, Grant, Reply
from connectors.contract.calling import RefusedError, needed
from connectors.contract.tokens import Tokens

PAGES_HOSTS = {
    "MLA": "https://auth.mercadolibre.com.ar",
    "MLB": "https://auth.mercadolivre.com.br",
    "MLC": "https://auth.mercadolibre.cl",
    "MCO": "https://auth.mercadolibre.com.co",
    "MLM": "https://auth.mercadolibre.com.mx",
    "MLU": "https://auth.mercadolibre.com.uy",
    "MPE": "https://auth.mercadolibre.com.pe",
}


def consent_url(values: Mapping[str, str], ask: Ask) -> str:
    """The page of consent, of the seller's country. Raises RefusedError where none is known."""
    host = values.get("auth_url") or PAGES_HOSTS.get(values.get("site", ""))
    if host is None:
        (site,) = needed(values, "site")
        raise RefusedError(f"where {site!r} authorises is not known here; give `auth_url`")
    (client,) = needed(values, "client_id")
    asked = {"response_type": "code", "client_id": client, "redirect_uri": ask.redirect, "state": ask.state}
    if ask.challenge:
        asked |= {"code_challenge": ask.challenge, "code_challenge_method": "S256"}
    return f"{host.rstrip('/')}/authorization?{urlencode(asked, quote_via=quote)}"


def fields_of(reply: Reply) -> list[tuple[str, str]]:
    """What the tokens for a code are asked with. Raises RefusedError when consent was refused."""
    code = reply.query.get("code", "")
    if not code:
        raise RefusedError("Mercado Libre gave no code: the consent was refused; authorise the channel anew")
    fields = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", reply.redirect)]
    if reply.verifier:
        fields.append(("code_verifier", reply.verifier))
    return fields


def grant_of(tokens: Tokens) -> Grant:
    """What the tokens give the channel."""
    settings = {"access_token": tokens.access}
    if tokens.refresh is not None:
        settings["refresh_token"] = tokens.refresh
    return Grant(settings=settings, expires_at=tokens.expires_at, refresh_by=tokens.refresh_by, scopes=tokens.scopes)


__all__ = ["consent_url", "fields_of", "grant_of"]
