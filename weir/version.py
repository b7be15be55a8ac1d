"""The version of the installed package."""

from importlib.metadata import PackageNotFoundError, version

try:
    VERSION = version("weir")
except PackageNotFoundError:  # a work tree that was not installed has no metadata
    VERSION = "0+worktree"
