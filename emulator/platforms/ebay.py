"""eBay: notifications of NEW_MESSAGE signed with a real ECDSA key, the Message API, tokens.

After "Notification API overview", "getPublicKey" and the Message API of its developers' pages. What stands in `data` of
NEW_MESSAGE is unconfirmed.
"""

from __future__ import annotations

import base64
import hashlib
import time
import uuid
from random import Random
from typing import Any
from urllib.parse import urlencode

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from starlette.responses import Response

from emulator.platforms.contract import (
    Call,
    Greeting,
    Platform,
    Point,
    Rate,
    Refusal,
    answer,
    compact,
    digits,
    secret_of,
)
from emulator.pushes import Happening, Request
from emulator.world import Buyer, Conversation, Message, Shop

ACCESS_S, REFRESH_S = 7_200, 47_304_000
LONGEST, MOST_MEDIA, MOST_PAGE = 2_000, 5, 50
CHALLENGE = "71745723-d031-455c-bfa5-f90d11b4f20a"
APPLICATION = "application"


class Ebay(Platform):
    """One keyset for each seller; notifications of all are signed with one key."""

    name = "ebay"
    rate = Rate(requests=50)
    languages = ("de", "en", "es")

    def open(self, number: int, rng: Random) -> Shop:
        """A seller with a user name."""
        own = f"seller-{digits(rng, 5)}"
        ids = {
            "client_id": f"Weir-Shop{number}-PRD-{secret_of(f'ebay id {own}', 12)}",
            "client_secret": f"PRD-{secret_of(f'ebay {own}', 32)}",
            "verification_token": secret_of(f"ebay verify {own}", 48),
            "username": own,
            "redirect_name": f"Weir-WeirShop{number}-abcde",
        }
        return self.shop_of(number, own, "eBay seller", ids)

    def settings(self, shop: Shop) -> dict[str, str]:
        """The keyset, the endpoint's token, and what the authorisation gives."""
        return shop.ids | {"access_token": shop.token.access, "refresh_token": shop.token.refresh}

    def buyer(self, shop: Shop, number: int, rng: Random) -> Buyer:
        """Another member."""
        person = super().buyer(shop, number, rng)
        return Buyer(id=f"member{digits(rng, 6)}", name=person.name, language=person.language)

    def conversation_id(self, shop: Shop, buyer: Buyer) -> str:
        """Ten digits."""
        return str(10**9 + int(hashlib.sha256(f"{shop.key} {buyer.id}".encode()).hexdigest()[:8], 16))

    def body(self, shop: Shop, happening: Happening, attempt: int) -> bytes | None:
        """NEW_MESSAGE, which points to the conversation and its message."""
        del shop
        message = happening.message
        if happening.kind != "message" or message is None:
            return None
        data = {
            "conversationId": message.conversation,
            "conversationType": "FROM_MEMBERS",
            "messageId": message.id,
            "readStatus": False,
        }
        whole = {
            "notificationId": f"{uuid.UUID(int=happening.id)}_{uuid.UUID(int=happening.id + 1)}",
            "eventDate": _iso(happening.at),
            "publishDate": _iso(self.stage.clock.now()),
            "publishAttemptCount": attempt,
            "data": data,
        }
        metadata = {"topic": "NEW_MESSAGE", "schemaVersion": "1.0", "deprecated": False}
        return compact({"metadata": metadata, "notification": whole})

    def signed(self, shop: Shop, happening: Happening, url: str, body: bytes) -> dict[str, str]:
        """ECDSA over the compact JSON; the header names the key."""
        del shop, happening, url
        signature = base64.b64encode(_key().sign(body, ec.ECDSA(hashes.SHA1()))).decode()  # noqa: S303 # as eBay does
        claim = {"alg": "ecdsa", "kid": _kid(), "signature": signature, "digest": "SHA1"}
        return {"X-EBAY-SIGNATURE": base64.b64encode(compact(claim)).decode()}

    def greeting(self, shop: Shop, url: str) -> Greeting:
        """The challenge: its code, the token and the address must come back hashed."""
        genuine = hashlib.sha256(f"{CHALLENGE}{shop.ids['verification_token']}{url}".encode()).hexdigest()
        return Greeting(
            url=f"{url}{'&' if '?' in url else '?'}{urlencode({'challenge_code': CHALLENGE})}",
            request=Request(body=b"", headers={}, method="GET"),
            proves=lambda status, body: status == 200 and genuine.encode() in body,  # noqa: PLR2004 # as documented
        )

    def points(self) -> list[Point]:
        """Messages, keys, tokens."""
        base = "/commerce/message/v1"
        return [
            Point(method="GET", path=f"{base}/conversation", handler=self._conversations),
            Point(method="GET", path=f"{base}/conversation/{{conversation}}", handler=self._conversation),
            Point(method="POST", path=f"{base}/send_message", handler=self._send, sends=True),
            Point(method="POST", path=f"{base}/update_conversation", handler=self._update),
            Point(method="GET", path="/commerce/notification/v1/public_key/{kid}", opened=self._public_key),
            Point(method="GET", path="/commerce/notification/v1/subscription", handler=self._subscriptions),
            Point(method="GET", path="/commerce/notification/v1/destination", handler=self._destinations),
            Point(method="POST", path="/identity/v1/oauth2/token", opened=self._token),
            Point(method="GET", path="/oauth2/authorize", opened=self._authorise),
        ]

    def caller(self, call: Call) -> Shop:
        """A bearer token of the seller."""
        return self.valid(self.by_token(call.bearer), call.bearer)

    def denied(self) -> Response:
        """401."""
        return _error(401, 1001, "Invalid access token")

    def limited(self) -> Response:
        """429."""
        return _error(429, 2001, "Too many requests. The request limit has been reached for the resource.")

    def broken(self) -> Response:
        """500."""
        return _error(500, 2003, "Internal error")

    async def _conversations(self, call: Call, shop: Shop) -> Response:
        told = call.params
        if told.get("conversation_type") not in {"FROM_MEMBERS", "FROM_EBAY"}:
            return _error(400, 355001, "conversation_type is required")
        held = sorted((c for c in shop.conversations.values() if c.messages), key=_latest, reverse=True)
        if told["conversation_type"] == "FROM_EBAY":
            held = []
        if other := told.get("other_party_username"):
            held = [one for one in held if one.buyer.id == other]
        place, size = _page(told)
        page = [self._summary(shop, one) for one in held[place : place + size]]
        return answer({"conversations": page, "total": len(held), "limit": size, "offset": place})

    async def _conversation(self, call: Call, shop: Shop) -> Response:
        conversation = shop.conversations.get(call.http.path_params["conversation"])
        if conversation is None:
            return _error(404, 355002, "The conversation was not found")
        place, size = _page(call.params)
        held = conversation.messages[::-1]
        page = [self._detail(shop, one) for one in held[place : place + size]]
        about = {"conversationId": conversation.id, "conversationStatus": "ACTIVE", "conversationType": "FROM_MEMBERS"}
        return answer(about | {"messages": page, "total": len(held), "limit": size, "offset": place})

    async def _send(self, call: Call, shop: Shop) -> Response:
        told = call.json()
        conversation = shop.conversations.get(str(told.get("conversationId") or ""))
        if conversation is None and (other := told.get("otherPartyUsername")):
            conversation = next((c for c in shop.conversations.values() if c.buyer.id == other), None)
        if conversation is None:
            return _error(404, 355002, "The conversation was not found")
        text, media = str(told.get("messageText") or ""), told.get("messageMedia") or []
        if not 0 < len(text) <= LONGEST or len(media) > MOST_MEDIA:
            return _error(400, 355003, "messageText has 1 to 2000 characters, messageMedia at most 5 files")
        if not isinstance(told.get("emailCopyToSender", False), bool):
            return _error(400, 355003, "emailCopyToSender is true or false")
        file = self.stage.linked(shop, str(media[0].get("mediaUrl") or "")) if media else None
        message = self.stage.write(conversation, text, by="api", media=file)
        detail = self._detail(shop, message)
        names = {"senderUserName": detail.pop("senderUsername"), "recipientUserName": detail.pop("recipientUsername")}
        return answer(detail | names)

    async def _update(self, call: Call, shop: Shop) -> Response:
        told = call.json()
        if told.get("conversationType") != "FROM_MEMBERS":
            return Response(status_code=400)
        if told.get("read") is True:
            shop.read[str(told.get("conversationId"))] = "all"
        return Response(status_code=204)

    async def _subscriptions(self, call: Call, shop: Shop) -> Response:
        del call
        status = "ENABLED" if shop.webhook and shop.pushing else "DISABLED"
        one = {"subscriptionId": f"sub-{shop.number}", "topicId": "NEW_MESSAGE", "status": status}
        return answer({"total": 1, "subscriptions": [one | {"destinationId": f"dest-{shop.number}"}]})

    async def _destinations(self, call: Call, shop: Shop) -> Response:
        del call
        status = "ENABLED" if shop.pushing else "MARKED_DOWN"
        delivery = {"endpoint": shop.webhook or "", "verificationToken": shop.ids["verification_token"]}
        one = {"destinationId": f"dest-{shop.number}", "status": status, "deliveryConfig": delivery}
        return answer({"total": 1, "destinations": [one]})

    async def _public_key(self, call: Call) -> Response:
        """Only with an application's token."""
        if not call.bearer.startswith(APPLICATION):
            return self.denied()
        if call.http.path_params["kid"] != _kid():
            return _error(404, 195000, "The public key was not found")
        pem = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        lines = _key().public_key().public_bytes(*pem).decode().splitlines()
        key = f"{lines[0]}{''.join(lines[1:-1])}{lines[-1]}"
        return answer({"key": key, "algorithm": "ECDSA", "digest": "SHA1"})

    async def _token(self, call: Call) -> Response:
        told = call.form()
        shop = self._keyset(call)
        match told.get("grant_type"):
            case "client_credentials":
                token = f"{APPLICATION}-{secret_of(shop.key)}"
                kind = {"token_type": "Application Access Token"}
                return answer({"access_token": token, "expires_in": ACCESS_S} | kind)
            case "authorization_code" if self.coded(told.get("code", "")) is shop:
                self.granted(shop, ACCESS_S, REFRESH_S)
            case "refresh_token" if self.refreshed(told.get("refresh_token", "")) is shop:
                refresh = shop.token.refresh, shop.token.refresh_by
                self.granted(shop, ACCESS_S, REFRESH_S)
                shop.token.refresh, shop.token.refresh_by = refresh
            case _:
                return answer({"error": "invalid_grant", "error_description": "the provided grant is invalid"}, 400)
        return answer(
            {
                "access_token": shop.token.access,
                "expires_in": ACCESS_S,
                "refresh_token": shop.token.refresh,
                "refresh_token_expires_in": REFRESH_S,
                "token_type": "User Access Token",
            }
        )

    async def _authorise(self, call: Call) -> Response:
        """The redirect goes to the address that belongs to the RuName; here it is taken as an address if it is one."""
        told = call.params
        shop = self.by_id("client_id", told.get("client_id", ""))
        if shop is None:
            return _error(400, 1, "client_id is wrong")
        redirect = told.get("redirect_uri", "")
        if not redirect.startswith("http"):
            redirect = f"{self.stage.base_url}/_emulator/"
        return self.authorised(shop, redirect, state=told.get("state", ""), expires_in="299")

    def _keyset(self, call: Call) -> Shop:
        """The shop of the keyset in HTTP Basic. Raises Refusal."""
        kind, _, given = call.header("authorization").partition(" ")
        try:
            own, _, secret = base64.b64decode(given, validate=True).decode().partition(":")
        except ValueError:
            own = secret = ""
        shop = self.by_id("client_id", own)
        if kind.lower() != "basic" or shop is None or shop.ids["client_secret"] != secret:
            raise Refusal(answer({"error": "invalid_client", "error_description": "client authentication failed"}, 401))
        return shop

    def _detail(self, shop: Shop, message: Message) -> dict[str, Any]:
        buyer = shop.conversations[message.conversation].buyer.id
        sender, reader = (buyer, shop.account) if message.direction == "in" else (shop.account, buyer)
        told: dict[str, Any] = {
            "messageId": message.id,
            "messageBody": message.text,
            "subject": "Question about an item",
            "createdDate": _iso(message.at),
            "senderUsername": sender,
            "recipientUsername": reader,
            "readStatus": message.status == "read",
        }
        if message.media is not None:
            url = self.stage.media_url(message.media)
            told["messageMedia"] = [{"mediaName": url.rpartition("/")[2], "mediaType": "IMAGE", "mediaUrl": url}]
        return told

    def _summary(self, shop: Shop, conversation: Conversation) -> dict[str, Any]:
        return {
            "conversationId": conversation.id,
            "conversationStatus": "ACTIVE",
            "conversationType": "FROM_MEMBERS",
            "createdDate": _iso(conversation.messages[0].at),
            "latestMessage": self._detail(shop, conversation.messages[-1]),
            "unreadCount": 0,
        }


def _key() -> ec.EllipticCurvePrivateKey:
    """Always the same: nothing here is worth protecting."""
    return ec.derive_private_key(int(secret_of("ebay key", 60), 16), ec.SECP256R1())


def _kid() -> str:
    return str(uuid.UUID(secret_of("ebay kid", 32)))


def _latest(conversation: Conversation) -> int:
    return conversation.messages[-1].at


def _page(told: dict[str, str]) -> tuple[int, int]:
    size, place = told.get("limit", ""), told.get("offset", "")
    return int(place) if place.isdigit() else 0, min(int(size), MOST_PAGE) if size.isdigit() and int(size) else 25


def _iso(at: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at // 1000)) + f".{at % 1000:03}Z"


def _error(status: int, number: int, message: str) -> Response:
    told = {"errorId": number, "domain": "API_MESSAGE", "category": "REQUEST", "message": message}
    return answer({"errors": [told | {"longMessage": message}]}, status)
