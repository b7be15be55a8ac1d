"""The command line, one file per group of commands; `weir/cli.py` lists them."""
