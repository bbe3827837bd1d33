"""Build hook: the wheel contains the page that predicts in the browser, where it has been built."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NPM_ONLY = "npm"
"""Folder of `web/dist` with what only the npm package needs."""


class PageHook(BuildHookInterface):
    """Adds `web/dist`, which `make web` builds, to the wheel as `emopy/web_page`."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the page; an editable installation finds it in the clone."""
        page = Path(self.root, "web", "dist")
        if version != "standard" or not (page / "index.html").is_file():
            return
        for path in sorted(page.rglob("*")):
            place = path.relative_to(page)
            if path.is_file() and place.parts[0] != NPM_ONLY:
                build_data["force_include"][str(path)] = f"emopy/web_page/{place.as_posix()}"
