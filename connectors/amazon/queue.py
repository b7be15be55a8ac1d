"""The seller's queue that Amazon puts notifications of orders into, after "Amazon SQS API Reference" (JSON protocol).

A standard queue tells everything at least once and in any order. Messages are hidden while they are taken in, and come
again when they were not deleted by then.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from actors.errors import RejectedError
from connectors.amazon import orders
from connectors.amazon.signing import Keys, signed
from connectors.contract import reading
from connectors.contract.asking import answered, readable, told
from connectors.contract.calling import (
    Api,
    ApiRequest,
    BusyError,
    DeniedError,
    RefusedError,
    checked,
    needed,
    without,
)
from connectors.contract.connector import Binding, Drawn, Parsed, Refused, Setting, UnreadableError
from connectors.contract.reading import Document

AT_ONCE = 10
WAIT_S = 20
"""The longest that SQS waits for something to come."""
HIDDEN_S = 300
_HOST = re.compile(r"(?:^|\.)sqs\.([a-z0-9-]+)\.(?:vpce\.)?amazonaws\.com(?:\.cn)?$")
_BUSY = ("Throttl", "OverLimit", "KmsThrottled", "ServiceUnavailable")
_DENIED = (
    "AccessDenied",
    "ExpiredToken",
    "IncompleteSignature",
    "InvalidClientTokenId",
    "InvalidSecurity",
    "MissingAuthenticationToken",
    "OptInRequired",
    "SignatureDoesNotMatch",
    "UnrecognizedClient",
)

SETTINGS = (
    Setting(
        name="queue_url",
        about="the address of the queue (SQS) that Amazon puts ORDER_CHANGE into, in place of an event bus: AWS "
        "console, SQS, the queue's details",
        secret=False,
        required=False,
    ),
    Setting(
        name="queue_access_key",
        about="the access key id of an IAM user who may receive and delete messages of that queue",
        secret=False,
        required=False,
    ),
    Setting(name="queue_secret_key", about="the secret access key beside it", required=False),
)


class Queue:
    """One seller's queue."""

    def __init__(self, binding: Binding, api: Api) -> None:
        self._settings = binding.settings
        self._api = api

    async def draw(self) -> Drawn:
        """What waits there, ten things at most. Raises the errors of calling."""
        ask = {"MaxNumberOfMessages": AT_ONCE, "WaitTimeSeconds": WAIT_S, "VisibilityTimeout": HIDDEN_S}
        found = await self._ask("ReceiveMessage", ask)
        parsed: list[Parsed] = []
        done: list[str] = []
        with readable():
            for one in reading.items(found, "Messages"):
                message = reading.part({"message": one}, "message")
                done.append(reading.identity(message, "ReceiptHandle"))
                parsed += _parsed(reading.text(message, "Body") or "")
        return Drawn(parsed=parsed, done=tuple(done))

    async def confirm(self, drawn: Drawn) -> None:
        """Delete it; what the queue does not delete comes again. Raises the errors of calling."""
        entries = [{"Id": str(number), "ReceiptHandle": handle} for number, handle in enumerate(drawn.done)]
        await self._ask("DeleteMessageBatch", {"Entries": entries})

    async def look(self) -> None:
        """Whether the queue is there and the keys hold. Raises the errors of calling."""
        await self._ask("GetQueueAttributes", {"AttributeNames": ["ApproximateNumberOfMessages"]})

    async def _ask(self, action: str, about: Mapping[str, Any]) -> Document:
        url, access, secret = needed(self._settings, "queue_url", "queue_access_key", "queue_secret_key")
        parts = urlsplit(url)
        keys = Keys(access=access, secret=secret, region=region_of(url), service="sqs")
        request = ApiRequest(
            method="POST",
            url=f"{parts.scheme}://{parts.netloc}/",
            headers={"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"AmazonSQS.{action}"},
            body=msgspec.json.encode({"QueueUrl": url, **about}),
            timeout_s=WAIT_S + 15.0,
        )
        response = await self._api.call(signed(request, keys, self._api.now()))
        error = told(response)
        code = (reading.text(error, "__type") or "").rpartition("#")[2]
        if code:
            said = reading.text(error, "message") or reading.text(error, "Message") or "no reason"
            reason = without([secret], f"the queue answers {code}: {said}")
            if code.startswith(_BUSY):
                raise BusyError(reason)
            if code.startswith(_DENIED):
                raise DeniedError(f"{reason}; look at the IAM user's keys and permissions")
            checked(response, reason)
            raise RefusedError(reason, code)
        return answered(checked(response))


def region_of(url: str) -> str:
    """The region that a queue's address names; raises RejectedError when it is no address of a queue."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    found = _HOST.search(host)
    if found and parts.scheme == "https":
        return found.group(1)
    if parts.scheme in {"http", "https"} and host in {"127.0.0.1", "::1", "localhost"}:
        return "us-east-1"  # what stands in for the platform
    raise RejectedError("settings: queue_url is an address such as https://sqs.eu-west-1.amazonaws.com/123/orders")


def _parsed(body: str) -> list[Parsed]:
    """What a message of the queue tells; one that cannot be read is set aside with its bytes."""
    raw = body.encode("utf-8", "surrogatepass")
    try:
        found = orders.pointer(raw)
    except UnreadableError as wrong:
        return [Refused(raw, str(wrong))]
    return [] if found is None else [found]


__all__ = ["SETTINGS", "Queue", "region_of"]
