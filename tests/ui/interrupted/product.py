"""The whole product on a Redis of the test's, in a process of its own: `product.py PORT FOLDER REDIS_URL`.

Log in as `Ada Lin`; the password is PASSWORD.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import uvicorn

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))  # runs as a program, outside pytest

from tests.ui.programs import PASSWORD  # needs the line above
from weir.config import Config
from weir.wiring import running


async def main(port, folder, redis):
    async with running(Config(data_dir=folder, partitions=2, redis=redis)) as weir:
        await weir.accounts.add("Ada Lin", "admin", PASSWORD, who="test")
        server = uvicorn.Server(uvicorn.Config(weir.web(), port=port, log_level="warning"))
        await server.serve()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), *sys.argv[2:]))
