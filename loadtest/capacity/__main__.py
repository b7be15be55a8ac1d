"""`python -m loadtest.capacity`: every table, on standard output."""

import sys

from loadtest.capacity.tables import everything


def main() -> None:
    """Print them."""
    for text in everything():
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
