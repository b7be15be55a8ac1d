"""The health check of the image: whether the Weir in this container is alive, whatever its role."""  # noqa: INP001 # a program, no package

import sys
import urllib.request

PORTS = (8080, 8081)
"""Where the roles listen in the image: a worker on the second, all others on the first."""

TIMEOUT_S = 2


def main() -> int:
    """0 when one of the ports answers that it is alive, else 1."""
    for port in PORTS:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=TIMEOUT_S):
                return 0
        except OSError:
            continue
    return 1


if __name__ == "__main__":
    sys.exit(main())
