"""Ten minutes of camera on the page of `emopy web`: does its memory stay flat?"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.child import import_psutil
from benchmarks.report import Figure, Section, Settings
from benchmarks.web_browser import chromium, new_context, site
from benchmarks.web_inputs import CAMERA_FPS, write_camera
from benchmarks.web_page import WebPageTab

if TYPE_CHECKING:
    from playwright.sync_api import Browser

MINUTES, EVERY_S = 10, 30
QUICK_SAMPLES = 2
MOST_MB, MOST_GROWTH_MB = 300, 10
_SETTLED = 4
"""Samples until the page has loaded everything, and the number of samples that are averaged."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Memory at one moment, in MB.

    Attributes:
        minutes: Since the camera was started.
        private_mb: Of the process of the page, without what others use too (USS).
        resident_mb: The same process, with what others use too (RSS).
        all_mb: All processes of Chromium, what several use counted once (PSS).
        frames: Predicted so far.
    """

    minutes: float
    private_mb: float
    resident_mb: float
    all_mb: float
    frames: int


def measure(settings: Settings) -> Section:
    """Turn the camera of the page on, and note the memory every half minute."""
    count = QUICK_SAMPLES if settings.quick else 60 * MINUTES // EVERY_S
    every_s = 2 if settings.quick else EVERY_S
    camera = write_camera(settings.scratch / "camera.y4m")
    with site(settings.scratch, peers=False) as served, chromium(camera) as browser:
        version = browser.version
        with new_context(browser) as context:
            page = WebPageTab(context, served)
            page.start_camera()
            samples = [*_samples(browser, page, count, every_s)]
    return Section(
        title=f"{MINUTES} minutes of camera in the browser",
        how=(
            f"The page of `emopy web` with emopy-base and a camera of {CAMERA_FPS} frames per "
            "second, 640 × 480, that shows a generated scene with one face, in Chromium without a "
            f"window. Memory is read by another process every {EVERY_S} s: that of the process of "
            "the page, without what other processes use too, as Chromium's task manager shows it."
        ),
        figures=[*_figures(samples)],
        header=(
            "minutes",
            "private, MB",
            "resident, MB",
            "all of Chromium, MB",
            "frames",
        ),
        rows=[_row(sample) for sample in samples[1::2]],
        notes=[
            f"Chromium {version}. Load average of the machine at the end: "
            f"{os.getloadavg()[0]:.1f}. Memory is measured here, not speed.",
        ],
    )


def _samples(browser: Browser, page: WebPageTab, count: int, every_s: float) -> Iterator[Sample]:
    start = time.monotonic()
    for number in range(1, count + 1):
        left_s = start + number * every_s - time.monotonic()
        page.tab.wait_for_timeout(max(0, 1000 * left_s))
        sample = _sample(browser, (time.monotonic() - start) / 60, page.frames())
        print(
            f"{sample.minutes:.1f} min: {sample.private_mb:.0f} MB private, "
            f"{sample.all_mb:.0f} MB in all, {sample.frames} frames",
            file=sys.stderr,
        )
        yield sample


def _sample(browser: Browser, minutes: float, frames: int) -> Sample:
    """Read the memory of the process of the page: the largest of those that show pages."""
    psutil = import_psutil()
    session = browser.new_browser_cdp_session()
    listed = session.send("SystemInfo.getProcessInfo")["processInfo"]
    session.detach()
    memory = {each["id"]: psutil.Process(each["id"]).memory_full_info() for each in listed}
    renderers = [each["id"] for each in listed if each["type"] == "renderer"]
    largest = max((memory[pid] for pid in renderers), key=lambda used: used.uss)
    total = sum(used.pss for used in memory.values())
    return Sample(minutes, largest.uss / 1e6, largest.rss / 1e6, total / 1e6, frames)


def _figures(samples: Sequence[Sample]) -> Iterator[Figure]:
    private = [sample.private_mb for sample in samples]
    yield Figure(f"after {samples[-1].minutes:.0f} minutes", private[-1], "MB", at_most=MOST_MB)
    yield Figure("largest of all samples", max(private), "MB")
    early = statistics.median(private[_SETTLED : 2 * _SETTLED] or private)
    late = statistics.median(private[-_SETTLED:])
    what = "growth from minutes 3 and 4 to the last two, medians"
    yield Figure(what, late - early, "MB", at_most=MOST_GROWTH_MB)


def _row(sample: Sample) -> Sequence[str]:
    sizes = (sample.private_mb, sample.resident_mb, sample.all_mb)
    return f"{sample.minutes:.0f}", *(f"{size:.0f}" for size in sizes), f"{sample.frames}"
