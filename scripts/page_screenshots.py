"""Screenshots of the pages: `web_screenshot`, `webcam_screenshot`."""

from __future__ import annotations

import io
import shutil
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from PIL import Image

from emopy import Frame, ImageResult
from emopy.errors import InputError
from emopy.live import Page, WebPage, find_web_page
from emopy.present import VideoSink
from screenshot import CannotDrawError, screenshot

FPS = 25

Size = tuple[int, int]


def webcam_screenshot(frame: Frame, result: ImageResult, size: Size) -> Image.Image:
    """The page of `emopy webcam` with a frame, in a window of (width, height) pixels."""
    with Page() as page, _shown_again_and_again(page, frame, result):
        return screenshot(page.address, size)


@contextmanager
def _shown_again_and_again(page: Page, frame: Frame, result: ImageResult) -> Iterator[None]:
    """Show a frame at the rate of a camera, so that the browser never waits for one."""
    done = threading.Event()

    def show() -> None:
        while not done.wait(1 / FPS):
            page.show(frame.image, result, latency_s=0.014, fps=FPS)

    thread = threading.Thread(target=show)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def web_screenshot(frames: Sequence[Frame], moment_s: float, size: Size) -> Image.Image:
    """The page that predicts in the browser, with a video that it has played.

    Args:
        frames: The video.
        moment_s: The moment of it that is shown, in seconds.
        size: (width, height) of the window in pixels.
    """
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None or find_spec("playwright") is None:
        raise CannotDrawError("the page needs Chromium and Playwright: apt install chromium")
    try:
        find_web_page()
    except InputError as error:
        raise CannotDrawError("the page is not built: make web") from error
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "scene.webm"
        height, width = frames[0].image.shape[:2]
        with VideoSink(clip, size=(width, height)) as sink:
            for frame in frames:
                result = ImageResult(clip.name, (width, height), (), frame.time_s, frame.number)
                sink.write(frame.image, result)
        return _screenshot_of_video(clip, moment_s, size, program)


def _screenshot_of_video(clip: Path, moment_s: float, size: Size, program: str) -> Image.Image:
    from playwright.sync_api import sync_playwright

    width, height = size
    with WebPage(0) as page, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": width, "height": height})
        tab.goto(page.address)
        tab.wait_for_selector("body[data-model=ready]")
        # Slowly, so that also a busy machine predicts most frames.
        tab.evaluate("document.getElementById('video').defaultPlaybackRate = 0.25")
        tab.set_input_files("#file", clip)
        tab.wait_for_selector("#faces article")
        while not tab.evaluate("document.getElementById('video').ended"):
            tab.wait_for_timeout(200)
        tab.evaluate(f"document.getElementById('video').currentTime = {moment_s}")
        tab.wait_for_timeout(500)
        tab.evaluate("document.getElementById('video').controls = false")
        content = tab.screenshot()
        browser.close()
    return Image.open(io.BytesIO(content)).convert("RGB")
