"""`screenshot` and `draw_page`: a page as Chromium draws it."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from PIL import Image


class CannotDrawError(Exception):
    """Something that an image needs is not here."""


def screenshot(address: str, size: tuple[int, int]) -> Image.Image:
    """A page as Chromium shows it in a window of (width, height) pixels."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        raise CannotDrawError("a screenshot needs Chromium: apt install chromium")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "screenshot.png"
        command = [
            *(browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
            *("--force-device-scale-factor=1", f"--user-data-dir={folder}/profile"),
            *("--virtual-time-budget=3000", f"--screenshot={file}"),
            *(f"--window-size={size[0]},{size[1]}", address),
        ]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        with Image.open(file) as image:
            return image.convert("RGB")


def draw_page(html: str, size: tuple[int, int]) -> Image.Image:
    """A page of HTML as Chromium shows it in a window of (width, height) pixels."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "page.html"
        path.write_text(html, encoding="utf-8")
        return screenshot(path.as_uri(), size)
