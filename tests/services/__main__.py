"""The three services for work by hand: `python -m tests.services [BROKERS]`, until Ctrl-C.

Prints the variables with which `weir worker`, `weir web` and `weir connect` find them. Nothing is kept afterwards.
"""

from __future__ import annotations

import signal
import sys
from contextlib import ExitStack

from tests.services import ferretdb, kafka, redis


def main(arguments: list[str]) -> None:
    """Start them, say where they are, wait."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    brokers = int(arguments[0]) if arguments else 1
    with ExitStack() as stack:
        addresses = {
            "WEIR_BROKER": stack.enter_context(kafka.running(brokers)).url,
            "WEIR_DATABASE": stack.enter_context(ferretdb.running()).url,
            "WEIR_REDIS": stack.enter_context(redis.running()).url,
        }
        for name, address in addresses.items():
            print(f"export {name}={address}", flush=True)  # noqa: T201 # a program for people
        try:
            signal.pause()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main(sys.argv[1:])
