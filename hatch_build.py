"""Reads the project's dependencies from requirements.in, so that they are written in one place."""

from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface


class RequirementsHook(MetadataHookInterface):
    """Fills `project.dependencies` from requirements.in."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Add the dependencies to the metadata being built."""
        lines = (Path(self.root) / "requirements.in").read_text(encoding="utf-8").splitlines()
        tools = {"hatchling", "editables", "uv"}  # they install Weir, Weir does not import them
        metadata["dependencies"] = [s for s in map(str.strip, lines) if s and not s.startswith("#") and s not in tools]
