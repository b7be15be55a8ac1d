"""People with a role, logged in, each with a client of their own."""

import httpx

PASSWORD = "correct horse battery"


class People:
    """Makes them; `app` serves the API of `services`."""

    def __init__(self, app, services):
        self.app, self.services = app, services
        self.clients = []

    async def client(self, name, role="agent", **changes):
        """Somebody new, logged in."""
        await self.services.accounts.add(name, role, PASSWORD, who="test")
        if changes:
            await self.services.accounts.change(name, who="test", **changes)
        secret, _ = await self.services.accounts.log_in(name, PASSWORD, "test")
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        headers = {"Cookie": f"weir_sid={secret}", "Origin": "http://weir.test"}
        made = httpx.AsyncClient(transport=transport, base_url="http://weir.test", headers=headers)
        self.clients.append(made)
        return made

    async def close(self):
        """Everybody leaves."""
        for client in self.clients:
            await client.aclose()
