"""`watch`: frames through the model and onto a view, one after the other, as they come."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Protocol, Self

from emopy.fermodel import SMOOTHING_S, FERModel
from emopy.types import Frame, ImageResult, RGBImage

_WINDOW_S = 2.0
"""Frame rate and delay are means over so many seconds: steady enough to be read."""


class View(Protocol):
    """What shows a live image: `Page`, `Terminal`, and the window of `emopy.present`."""

    def __enter__(self) -> Self:
        """Open it."""
        ...

    def __exit__(self, *error: object) -> None:
        """Close it."""
        ...

    @property
    def stopped(self) -> bool:
        """Whether the person who watches asked for the end."""
        ...

    def show(
        self, image: RGBImage, result: ImageResult, *, delay_s: float, frames_per_s: float
    ) -> None:
        """Show a frame and what was found in it."""
        ...


def watch(
    model: FERModel,
    frames: Iterable[Frame],
    view: View,
    *,
    source: str = "<frames>",
    smoothing_s: float = SMOOTHING_S,
) -> Generator[ImageResult]:
    """Read each frame, show it, and pass its result on, until the view is stopped.

    Args:
        model: What reads the faces.
        frames: Frames that come as time goes, such as `open_live` gives them.
        view: Where they are shown; open already.
        source: Name of the results.
        smoothing_s: As for `FERModel.predict_frames`.

    Yields:
        The result of each frame, after it was shown.

    Example::

        with open_live(0) as camera, Page() as page:
            print(page.address)
            for result in watch(FERModel(), camera, page):
                print([face.emotion for face in result.faces])
    """
    arrivals = Arrivals(frames)
    shown = model.predict_frames(arrivals, source=source, smoothing_s=smoothing_s)
    rhythm = FPSMeter()
    try:
        for frame, result in shown:
            delay_s, frames_per_s = rhythm.beat(arrivals.delay_s(frame))
            view.show(frame.image, result, delay_s=delay_s, frames_per_s=frames_per_s)
            yield result
            if view.stopped:
                return
    finally:
        close = getattr(shown, "close", None)
        if close is not None:
            close()


class Arrivals:
    """Passes live frames on, and knows how long ago each was taken.

    A frame arrives when it is taken, or later where nobody waited for it. So the earliest
    arrival seen, counted from its own time, tells when time 0 was.

    Args:
        frames: Frames whose times run as a clock on the wall does.
    """

    def __init__(self, frames: Iterable[Frame]) -> None:
        self._frames = frames
        self._zero_s = math.inf

    def __iter__(self) -> Iterator[Frame]:
        for frame in self._frames:
            self._zero_s = min(self._zero_s, time.monotonic() - frame.time_s)
            yield frame

    def delay_s(self, frame: Frame) -> float:
        """Seconds since a frame was taken that has been passed on."""
        return max(0.0, time.monotonic() - self._zero_s - frame.time_s)


class FPSMeter:
    """Mean delay and rate of the frames of the last seconds.

    Args:
        clock: Gives seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._beats: deque[tuple[float, float]] = deque()

    def beat(self, delay_s: float) -> tuple[float, float]:
        """Count a frame that is ready now.

        Args:
            delay_s: Its delay in seconds.

        Returns:
            Mean delay in seconds, and frames per second; 0 while there was only one.
        """
        now = self._clock()
        self._beats.append((now, delay_s))
        while now - self._beats[0][0] > _WINDOW_S:
            self._beats.popleft()
        span_s = now - self._beats[0][0]
        rate = (len(self._beats) - 1) / span_s if span_s > 0 else 0.0
        return sum(delay for _, delay in self._beats) / len(self._beats), rate
