"""The panel's page: what goes on at the platforms, and switches for what goes wrong. All of it is filled in as text."""

from __future__ import annotations

from pathlib import Path

PAGE = (Path(__file__).parent / "page.html").read_text("utf-8")
