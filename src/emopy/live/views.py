"""`show_live` predicts frames and shows them on a view; `open_view` chooses the view."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from typing import Protocol, Self

from emopy.errors import InputError, nearest
from emopy.fermodel import SMOOTHING_S, FERModel
from emopy.live.page import Page
from emopy.live.terminal import Terminal
from emopy.live.window import Window, has_windows
from emopy.types import Frame, ImageResult, RGBImage

VIEWS = ("auto", "window", "page", "terminal")

_AVERAGING_S = 2.0
"""Frame rate and latency are averaged over this time, in seconds."""


class View(Protocol):
    """Interface of `Page`, `Window` and `Terminal`: shows frames with their results."""

    def __enter__(self) -> Self:
        """Open the view."""
        ...

    def __exit__(self, *error: object) -> None:
        """Close the view."""
        ...

    @property
    def stopped(self) -> bool:
        """Whether the user asked to stop."""
        ...

    def show(self, image: RGBImage, result: ImageResult, *, latency_s: float, fps: float) -> None:
        """Show a frame and its result.

        Args:
            image: (H, W, 3) uint8 RGB.
            result: Its predictions.
            latency_s: Seconds since it was captured.
            fps: Recent frame rate.
        """
        ...


def open_view(name: str = "auto", *, port: int = 0) -> View:
    """Create a view, which is not open yet; use it as a context manager.

    Args:
        name: ``"window"``, ``"page"``, ``"terminal"``; ``"auto"`` is a window if OpenCV has
            windows, else the page.
        port: Port of the page; 0 for any free one.

    Raises:
        InputError: No such view.

    Example:
        >>> open_view("page", port=8123).address.startswith("http://127.0.0.1:8123/")
        True
    """
    if name not in VIEWS:
        raise InputError(f"`name` must be a view. Received {name!r}. {nearest(name, VIEWS)}")
    if name == "terminal":
        return Terminal()
    if name == "window" or (name == "auto" and has_windows()):
        return Window()
    return Page(port)


def show_live(
    model: FERModel,
    frames: Iterable[Frame],
    view: View,
    *,
    source: str = "<frames>",
    smoothing_s: float = SMOOTHING_S,
) -> Generator[ImageResult]:
    """Predict each frame, show it, and yield its result, until the view is stopped.

    Args:
        model: The model.
        frames: Frames in real time, such as those of `open_live`.
        view: Open view that shows them.
        source: Source of the results.
        smoothing_s: As for `FERModel.predict_frames`.

    Yields:
        The result of each frame, after it was shown.

    Example::

        with open_live(0) as camera, Page() as page:
            print(page.address)
            for result in show_live(FERModel(), camera, page):
                print([face.emotion for face in result.faces])
    """
    timed = LatencyClock(frames)
    predicted = model.predict_frames(timed, source=source, smoothing_s=smoothing_s)
    meter = FPSMeter()
    with closing(predicted):
        for frame, result in predicted:
            latency_s, fps = meter.update(timed.latency_s(frame))
            view.show(frame.image, result, latency_s=latency_s, fps=fps)
            yield result
            if view.stopped:
                return


class LatencyClock:
    """Passes live frames on, and measures how long ago each was captured.

    A frame arrives when it is captured, or later if it was not fetched in time. So the earliest
    arrival, minus the frame's own time, is the wall-clock time of time 0.
    """

    def __init__(self, frames: Iterable[Frame]) -> None:
        self._frames = frames
        self._zero_s = math.inf

    def __iter__(self) -> Iterator[Frame]:
        for frame in self._frames:
            self._zero_s = min(self._zero_s, time.monotonic() - frame.time_s)
            yield frame

    def latency_s(self, frame: Frame) -> float:
        """Seconds since a frame that was passed on was captured."""
        return max(0.0, time.monotonic() - self._zero_s - frame.time_s)


class FPSMeter:
    """Mean latency and frame rate over the last `_AVERAGING_S` seconds of a monotonic clock."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._frames: deque[tuple[float, float]] = deque()

    def update(self, latency_s: float) -> tuple[float, float]:
        """Count a frame that is ready now; return mean latency in seconds, and frames per second.

        The rate after the first frame is 0.
        """
        now = self._clock()
        self._frames.append((now, latency_s))
        while now - self._frames[0][0] > _AVERAGING_S:
            self._frames.popleft()
        span_s = now - self._frames[0][0]
        fps = (len(self._frames) - 1) / span_s if span_s > 0 else 0.0
        return sum(latency for _, latency in self._frames) / len(self._frames), fps
