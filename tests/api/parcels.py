"""A platform of the tests whose apps have one address for all their shops."""

from __future__ import annotations

from actors.events import Message
from connectors.contract import reading
from connectors.contract.connector import Connector, Refused, Setting, Shared, UnreadableError
from connectors.contract.signatures import require_app_signature


class Parcels(Connector):
    """The platform's connector: a request is one message to the shop it names."""

    platform = "parcels"
    settings = (
        Setting(name="app_key", about="the app", secret=False),
        Setting(name="app_secret", about="signs the webhook"),
        Setting(name="shop_id", about="the shop", secret=False, required=False),
    )
    shared = Shared(by="shop_id", app=("app_key", "app_secret"))

    def verify(self, request):
        require_app_signature(request, self.binding.settings)

    def route(self, request):
        try:
            return reading.optional_identity(reading.document(request.body), "shop")
        except UnreadableError:
            return None

    def parse(self, request):
        push = reading.document(request.body)
        if self.binding.settings.get("shop_id", push["shop"]) != push["shop"]:
            return [Refused(request.body, f"the push is for shop {push['shop']}")]
        return [
            Message(
                platform=self.platform,
                account=self.binding.account,
                conversation="anna",
                message=push["id"],
                sent_at=1_700_000_000_000,
                direction="in",
            )
        ]
