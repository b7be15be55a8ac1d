"""`python -m weir` is the same as `weir`."""

from weir.cli import main

main()
