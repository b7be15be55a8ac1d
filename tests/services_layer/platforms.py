"""Small platforms of the tests' own: what they want is known, and what they got can be asked."""

from actors.errors import RejectedError
from connectors.contract.connector import Connector, Setting


class Bazaar(Connector):
    platform = "bazaar"
    settings = (
        Setting(name="app_key", about="Public key of the app.", secret=False),
        Setting(name="region", about="Where the shop is.", secret=False, required=False),
        Setting(name="app_secret", about="Signs every webhook."),
        Setting(name="token", about="For the handshake.", required=False),
    )

    def __init__(self, binding):
        super().__init__(binding)
        if binding.settings["app_key"] == "impossible":
            raise RejectedError("settings: app_key: no such key can be")

    def verify(self, request):
        del request

    def parse(self, request):
        del request
        return ()


class Plain(Connector):
    platform = "plain"
    settings = ()

    def verify(self, request):
        del request

    def parse(self, request):
        del request
        return ()


PLATFORMS = {kind.platform: kind for kind in (Bazaar, Plain)}
