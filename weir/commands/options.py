"""Options that several commands share, each with the help of its setting."""

from typing import Annotated

import typer

from weir.config import describe

Broker = Annotated[str | None, typer.Option(help=describe("broker"), metavar="URL")]
Database = Annotated[str | None, typer.Option(help=describe("database"), metavar="URL")]
Redis = Annotated[str | None, typer.Option(help=describe("redis"), metavar="URL")]
Host = Annotated[str | None, typer.Option(help=describe("host"))]
Port = Annotated[int | None, typer.Option(help=describe("port"))]
WorkerPort = Annotated[int | None, typer.Option("--port", help=describe("worker_port"))]
Partitions = Annotated[int | None, typer.Option(help=describe("partitions"))]
LogFormat = Annotated[str | None, typer.Option(help=describe("log_format"))]
LogLevel = Annotated[str | None, typer.Option(help=describe("log_level"))]
SecureCookies = Annotated[bool | None, typer.Option(help=describe("secure_cookies"))]

__all__ = [
    "Broker",
    "Database",
    "Host",
    "LogFormat",
    "LogLevel",
    "Partitions",
    "Port",
    "Redis",
    "SecureCookies",
    "WorkerPort",
]
