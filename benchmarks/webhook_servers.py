"""Two servers to compare webhooks with: `limit` answers and does nothing; `peer` is as such are often written.

The peer verifies the signature, inserts the body into SQLite and commits, synced to the disk, before it answers.
`python webhook_servers.py limit|peer PORT FOLDER KEY SECRET`
"""

from __future__ import annotations

import hashlib
import hmac
import json
import sqlite3
import sys
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Request
from starlette.responses import Response


def limit() -> FastAPI:
    """Everything is answered at once."""
    app = FastAPI(openapi_url=None)

    @app.get("/")
    @app.post("/webhooks/{platform}/{account}")
    async def taken() -> Response:
        return Response(status_code=200)

    return app


def peer(folder: Path, key: str, secret: str) -> FastAPI:
    """A row and a commit for each push."""
    app = FastAPI(openapi_url=None)
    database = sqlite3.connect(folder / "peer.db", check_same_thread=False)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("CREATE TABLE messages (id TEXT PRIMARY KEY, body TEXT)")

    @app.get("/")
    async def alive() -> Response:
        return Response(status_code=200)

    @app.post("/webhooks/{platform}/{account}")
    async def taken(platform: str, account: str, request: Request) -> Response:
        body = await request.body()
        url = f"{request.base_url}webhooks/{platform}/{account}"
        told = key.encode() + body if platform == "lazada" else f"{url}|".encode() + body
        genuine = hmac.new(secret.encode(), told, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(genuine, request.headers.get("authorization", "")):
            return Response(status_code=401)
        data = json.loads(body)["data"]
        message = (data.get("content") if platform == "shopee" else data)["message_id"]
        database.execute("INSERT OR IGNORE INTO messages VALUES (?, ?)", (message, body.decode()))
        database.commit()
        return Response(status_code=200)

    return app


def main() -> None:
    """Serve until terminated."""
    name, port, folder, key, secret = sys.argv[1:]
    app = limit() if name == "limit" else peer(Path(folder), key, secret)
    uvicorn.run(app, host="127.0.0.1", port=int(port), loop="uvloop", log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
