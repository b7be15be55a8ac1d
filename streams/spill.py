"""States that a long replay does not need at the moment, in an unnamed temporary file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from tempfile import TemporaryFile

from storage.records import StateRow


class Spill:
    """Encoded states by key; a later one replaces an earlier one."""

    def __init__(self) -> None:
        self._file = TemporaryFile(buffering=1 << 20)  # noqa: SIM115 # closed by close()
        self._places: dict[str, tuple[int, int]] = {}
        self._end = 0

    def __len__(self) -> int:
        return len(self._places)

    def put(self, rows: Iterable[StateRow]) -> None:
        """Keep these states."""
        self._file.seek(self._end)
        for row in rows:
            self._file.write(row.state)
            self._places[row.key] = (self._end, len(row.state))
            self._end += len(row.state)

    def get(self, keys: Iterable[str]) -> Iterator[StateRow]:
        """The states kept under these keys; unknown keys are left out."""
        for key in keys:
            place = self._places.get(key)
            if place is not None:
                self._file.seek(place[0])
                yield StateRow(key, self._file.read(place[1]))

    def keys(self) -> list[str]:
        """Every key, in the order of first keeping."""
        return list(self._places)

    def close(self) -> None:
        """Delete the file."""
        self._file.close()
