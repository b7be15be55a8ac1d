"""The whole product with a web chat bound, in a process of its own: `product.py PORT FOLDER ORIGIN`.

Log in as `Ada Lin`; the password is PASSWORD.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import uvicorn

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))  # runs as a program, outside pytest

from services.people.permissions import Caller  # needs the line above
from tests.ui.programs import PASSWORD
from weir.config import Config
from weir.wiring import running

SECRET = "a secret of the shop that nobody knows"


async def main(port, folder, origin):
    async with running(Config(data_dir=folder, partitions=2)) as weir:
        if not any(user.name == "Ada Lin" for user in await weir.store.users()):
            await weir.accounts.add("Ada Lin", "admin", PASSWORD, who="test")
        caller = Caller(name="test", role="admin", via="cli")
        for account, further in (("shop", {}), ("away", {"offline": "yes", "title": "Weir Outfitters"})):
            url = f"http://127.0.0.1:{port}/webhooks/webchat/{account}"
            values = {"secret": SECRET, "origins": origin, **further}
            await weir.services.bindings.bind(caller, "webchat", account, url, values)
        server = uvicorn.Server(uvicorn.Config(weir.web(), port=port, log_level="warning"))
        await server.serve()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), *sys.argv[2:]))
