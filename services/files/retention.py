"""Files are forgotten with what names them: a file that is old, and that nothing held names any more, goes.

The same content is one file, whoever sent it: it stays as long as one message, reply or draft names it, and a file that
is kept again counts as new, so that one whose message is not stored yet is never taken away.
"""

from __future__ import annotations

from typing import Protocol

from storage.channel_ports import FileStore, NamingStore

BATCH = 500


class Turn(Protocol):
    """Tells whether it is still this process's turn."""

    def __call__(self) -> bool:
        """Whether to go on."""
        ...


async def forget_files(files: FileStore, store: NamingStore, before: int, ours: Turn = lambda: True) -> int:
    """Forget files kept before that time (ms) that nothing names; how many. Raises RetriableError."""
    forgotten, after = 0, None
    while ours() and (old := await files.old_files(before, BATCH, after)):
        named = await store.named_files(old)
        for digest in old:
            if digest not in named:
                forgotten += await files.delete_old_file(digest, before)
        after = old[-1]
    return forgotten


__all__ = ["BATCH", "forget_files"]
