"""The page of `emopy web` in a tab: its size, its first answer, and its camera."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from benchmarks.report import CannotMeasureError
from benchmarks.web_browser import WAIT_MS
from benchmarks.web_site import Site, compressed

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

_READY = "body[data-model=ready]"
_KEPT = (
    "navigator.serviceWorker.controller && caches.open('emopy-files').then(files => files.keys())"
    ".then(keys => keys.filter(key => /wasm|onnx/.test(key.url)).length >= 5)"
)
_RECORDED = "parseInt(document.getElementById('recorded').textContent.replaceAll(',', '')) || 0"
_HAS_ANSWER = "!document.getElementById('open-save').disabled"
_MODEL_FOLDER = "/package/models/{}/"


class WebPageTab:
    """The built page in a new tab of a profile."""

    def __init__(self, context: BrowserContext, served: Site) -> None:
        self._served = served
        self.tab = context.new_page()
        self.tab.set_default_timeout(WAIT_MS)
        self.tab.goto(f"{served.address}/package/index.html")
        self.tab.wait_for_selector(_READY)

    def kilobytes(self, model: str) -> float:
        """Size of all files of a first visit, with another model than the one that was loaded.

        Call it on the first visit of a new profile, with a site that has just forgotten.
        """
        others = _MODEL_FOLDER.format("emopy-")[:-1]
        sizes = {path: size for path, size in self._served.sent.items() if others not in path}
        for name in ("card.json", "model.onnx"):
            path = _MODEL_FOLDER.format(model) + name
            file = self._served.find(path)
            if file is None:
                raise CannotMeasureError(f"The page has no {path}. Type: make web")
            sizes[path] = len(compressed(file))
        return sum(sizes.values()) / 1000

    def answer_again_s(self) -> float:
        """Reload the page, open a sample image at once, and return the seconds until its faces."""
        self.wait(_KEPT)
        self.tab.reload()
        self.tab.wait_for_selector(_READY)
        self.tab.locator("#samples button").first.click()
        self.wait(_HAS_ANSWER)
        return self.tab.evaluate("performance.now()") / 1000

    def start_camera(self) -> None:
        """Press the button, and wait for some frames."""
        self.tab.click("#camera")
        self.wait(f"{_RECORDED} >= 10")

    def frames(self) -> int:
        """How many frames of the camera it has predicted so far."""
        return self.tab.evaluate(_RECORDED)

    def frames_per_second(self, seconds: float) -> float:
        """How many frames of the camera it predicts and draws."""
        before, start = self.frames(), time.perf_counter()
        self.tab.wait_for_timeout(1000 * seconds)
        return (self.frames() - before) / (time.perf_counter() - start)

    def wait(self, expression: str) -> None:
        """Wait until an expression is true; the page's own rules forbid Playwright's way.

        Raises:
            CannotMeasureError: It never is.
        """
        end = time.monotonic() + WAIT_MS / 1000
        while not self.tab.evaluate(f"Promise.resolve({expression}).then(Boolean)"):
            if time.monotonic() > end:
                raise CannotMeasureError(f"The page does not answer: {expression}")
            self.tab.wait_for_timeout(20)
