"""A platform of the tests: a list of letters, signed like most platforms sign."""

from __future__ import annotations

from actors.events import Message
from connectors.contract import reading
from connectors.contract.connector import Answer, Connector, Setting, SignatureError
from connectors.contract.signatures import hex_of, hmac_sha256, require


class Letters(Connector):
    """The platform's connector."""

    platform = "letters"
    settings = (Setting(name="secret", about="signs the webhook"),)
    accepted = Answer(status=204)

    def handshake(self, request):
        if request.method != "GET":
            return None
        if request.query.get("token") != "ours":
            raise SignatureError("the token in the query is not ours")
        return Answer(body=request.query["challenge"].encode())

    def verify(self, request):
        genuine = hex_of(hmac_sha256(self.binding.settings["secret"], request.body))
        require(request.headers.get("authorization"), genuine, where="Authorization")

    def parse(self, request):
        return reading.each(reading.items(reading.document(request.body), "letters"), self._letter)

    def _letter(self, item):
        yield Message(
            platform=self.platform,
            account=self.binding.account,
            conversation=reading.identity(item, "from"),
            message=reading.identity(item, "id"),
            sent_at=reading.milliseconds(item, "time"),
            direction="in",
            text=reading.text(item, "text"),
            seq=item.get("seq"),
        )
