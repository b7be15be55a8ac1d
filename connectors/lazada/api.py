"""Lazada's Open Platform API: signed requests ("Signature Algorithm"), and what its answers mean ("Error Messages")."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from urllib.parse import urlencode

from connectors.contract import reading
from connectors.contract.asking import address, answered, told
from connectors.contract.calling import (
    Api,
    ApiRequest,
    ApiResponse,
    BusyError,
    DeniedError,
    RefusedError,
    UncertainError,
    checked,
    needed,
    retry_after,
    without,
)
from connectors.contract.connector import Binding
from connectors.contract.multipart import FilePart, multipart
from connectors.contract.reading import Document
from connectors.contract.signatures import hmac_sha256

AUTH_HOST = "https://auth.lazada.com"
HOSTS = {
    "id": "https://api.lazada.co.id",
    "my": "https://api.lazada.com.my",
    "ph": "https://api.lazada.com.ph",
    "sg": "https://api.lazada.sg",
    "th": "https://api.lazada.co.th",
    "vn": "https://api.lazada.vn",
}
SECRETS = ("app_secret", "access_token", "refresh_token")
FINE = frozenset({"", "0"})
DENIED = frozenset(
    {
        "AccessTokenExpired",
        "AccessTokenInvalid",
        "APP_KEY_INVALID",
        "IllegalAccessToken",
        "IllegalRefreshToken",
        "IncompleteSignature",
        "InvalidAccessToken",
        "InvalidAppKey",
        "InvalidCode",
        "MissingAccessToken",
    }
)
BUSY = frozenset(
    {"901", "ApiCallLimit", "AppCallLimit", "IopSystemFlowlimit", "SellerCallLimit", "ServiceCurrentlimit"}
)
FAILED = frozenset({"6", "513", "1000", "InternalError", "ServiceTimeout", "ServiceUnavailable"})
_BAN = re.compile(r"last (\d{1,4}) ?s", re.IGNORECASE)
"""A limit's answer says for how many seconds it will last."""


def signature(app_secret: str, path: str, parameters: Mapping[str, str]) -> str:
    """The signature of a request: of the path and all its parameters but files, sorted by name, in upper case."""
    signed = path + "".join(f"{name}{parameters[name]}" for name in sorted(parameters))
    return hmac_sha256(app_secret, signed.encode()).hex().upper()


class SellerApi:
    """Requests of one channel. Every call raises the errors of `connectors.contract.calling`."""

    def __init__(self, binding: Binding, api: Api) -> None:
        self.binding = binding
        self.api = api

    async def get(self, path: str, **parameters: str) -> Document:
        """The whole answer to a question in the seller's name."""
        query = self._signed(path, parameters, self._token())
        return await self._asked(ApiRequest(method="GET", url=self._api_url(path), query=[*parameters.items(), *query]))

    async def post(self, path: str, **parameters: str) -> Document:
        """The whole answer to a form in the seller's name."""
        return await self._form(self._api_url(path), path, parameters, self._token())

    async def upload(self, path: str, file: FilePart) -> Document:
        """The whole answer to a file in the seller's name."""
        media_type, body = multipart(files=[file])
        request = ApiRequest(
            method="POST",
            url=self._api_url(path),
            query=self._signed(path, {}, self._token()),
            headers={"Content-Type": media_type},
            body=body,
        )
        return await self._asked(request)

    async def authorise(self, path: str, **parameters: str) -> Document:
        """The whole answer to a form of the app, at the host that gives tokens."""
        return await self._form(
            f"{address(self.binding, 'auth_url', AUTH_HOST)}/rest{path}", path, parameters, {}, *parameters.values()
        )

    async def _form(
        self, url: str, path: str, parameters: Mapping[str, str], token: Mapping[str, str], *secrets: str
    ) -> Document:
        request = ApiRequest(
            method="POST",
            url=url,
            query=self._signed(path, parameters, token),
            headers={"Content-Type": "application/x-www-form-urlencoded;charset=utf-8"},
            body=urlencode(parameters).encode(),
        )
        return await self._asked(request, *secrets)

    def _signed(self, path: str, parameters: Mapping[str, str], token: Mapping[str, str]) -> list[tuple[str, str]]:
        """The parameters every request has, with the signature of these and its own."""
        key, word = needed(self.binding.settings, "app_key", "app_secret")
        common = {"app_key": key, **token, "sign_method": "sha256", "timestamp": str(self.api.now())}
        return [*common.items(), ("sign", signature(word, path, {**common, **parameters}))]

    def _token(self) -> dict[str, str]:
        (token,) = needed(self.binding.settings, "access_token")
        return {"access_token": token}

    def _api_url(self, path: str) -> str:
        if self.binding.settings.get("api_url"):
            return f"{address(self.binding, 'api_url', '')}/rest{path}"
        (country,) = needed(self.binding.settings, "country")
        host = HOSTS.get(country.strip().lower())
        if host is None:
            raise RefusedError(f"the channel's setting `country` is none of {', '.join(HOSTS)}", "setting_missing")
        return f"{host}/rest{path}"

    async def _asked(self, request: ApiRequest, *secrets: str) -> Document:
        hidden = [*(self.binding.settings.get(name, "") for name in SECRETS), *secrets]
        return judged(await self.api.call(request), hidden)


def judged(response: ApiResponse, secrets: Sequence[str] = ()) -> Document:
    """The answer's object when it is fine; else raises what its code means: the platform's, then the chat's own."""
    found = told(response)
    code, reason = (without(secrets, _word(found, name)) for name in ("code", "message"))
    if code in FINE:
        code, reason = (without(secrets, _word(found, name)) for name in ("err_code", "err_message"))
        if code in FINE and found.get("success") is not False:
            checked(response, reason)
            return answered(response)
    sentence = f"Lazada answers {code or 'no success'}: {reason}"
    if code in BUSY:
        ban = _BAN.search(reason)
        raise BusyError(sentence, retry_after(response) or (float(ban.group(1)) if ban else 1.0))
    if code in DENIED:
        raise DeniedError(sentence)
    if code in FAILED or _word(found, "type") == "SYSTEM":
        raise UncertainError(sentence)
    if response.status != HTTPStatus.OK:
        checked(response, sentence)
    raise RefusedError(sentence, code or None)


def _word(found: Document, name: str) -> str:
    """A code or sentence, which is sometimes a number."""
    return reading.text(found, name) or reading.optional_identity(found, name) or ""
