"""Frames of a camera: always the newest one, so that a slow reader never falls behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Protocol, cast

import cv2

from emopy.errors import InputError
from emopy.media.prefetch import PATIENCE_S
from emopy.media.quiet import quiet_opencv
from emopy.media.sampling import Sampling, Timed, live
from emopy.types import Frame, RGBImage

_MOST_DAMAGED = 100
"""Damaged images in a row after which a camera counts as gone."""

_HIGHEST = 2**31 - 1
"""OpenCV knows no higher numbers, and no camera has this one."""


@dataclass(frozen=True, slots=True)
class _Moment:
    """When an image was taken, and as which one."""

    time_s: float
    number: int


class Capture(Protocol):
    """What is needed of `cv2.VideoCapture`."""

    def grab(self) -> bool:
        """Wait for the next image; False where none comes any more."""
        ...

    def retrieve(self) -> tuple[bool, Any]:
        """Decode it: whether it is whole, and (H, W, 3) uint8 with blue first."""
        ...

    def get(self, prop: int, /) -> float:
        """A property; 0 where it is not known."""
        ...

    def release(self) -> None:
        """Let go of the camera."""
        ...


def open_camera(number: int, sampling: Sampling) -> Camera:
    """Open a camera of this machine.

    Raises:
        InputError: No such camera, or it gives no image.
    """
    if number < 0:
        raise InputError(
            f"`source` must be a camera from 0. Received {number}. Type 0 for the first one."
        )
    with quiet_opencv():
        capture = cv2.VideoCapture(min(number, _HIGHEST))
    if not capture.isOpened():
        raise InputError(
            f"`source` must be a camera that is there. Received {number}: no such camera. "
            "Connect it, or type the number of another one; 0 is the first. "
            "For a video file give its path."
        )
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    return Camera(capture, f"camera {number}", sampling)


class Camera:
    """Reads one camera, see `emopy.media.Video` for the attributes.

    A thread takes every image as it comes and keeps the newest one that is wanted, until the
    reader fetches it. Once it has begun, it is the one that lets go of the camera: a driver that
    is waiting for an image must not be disturbed by another thread.
    """

    is_live = True
    duration_s: float | None = None
    frames: int | None = None
    truncated = False

    def __init__(
        self,
        capture: Capture,
        source: str,
        sampling: Sampling,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.source = source
        self.skipped = 0
        self.fps: float | None = capture.get(cv2.CAP_PROP_FPS) or None
        self._capture = capture
        self._sampling = sampling
        self._clock = clock
        self._opened_s = clock()
        self._taken = 0
        self._closing = False
        self._ended = False
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._watch, name="emopy-camera", daemon=True)
        self._held = ExitStack()
        self._held.enter_context(quiet_opencv())  # drivers complain at any time, also at the end
        self._held.callback(capture.release)
        first = self._next(lambda _: True)
        if first is None:
            self.close()
            raise InputError(
                f"`source` must be a camera that gives images. Received {source}: none came. "
                "Close other programs that use it, or connect it again."
            )
        self.size = (first.image.shape[1], first.image.shape[0])
        self._wanted = live(sampling)
        self._newest = first if self._wanted(first) else None

    def read(self) -> Generator[Frame]:
        """Give the newest frame each time; end when the camera is gone."""
        self._thread.start()
        try:
            while True:
                with self._news:
                    self._news.wait_for(self._has_news)
                    frame, self._newest = self._newest, None
                if frame is None or self._closing:
                    return
                yield frame
        finally:
            self._stop()

    def close(self) -> None:
        """Let go of the camera; a reader in another thread comes to its end."""
        self._stop()
        if self._thread.ident is None:
            self._held.close()

    def _stop(self) -> None:
        with self._news:
            self._closing = True
            self._news.notify_all()
        if self._thread.is_alive():
            self._thread.join(PATIENCE_S)

    def _has_news(self) -> bool:
        return self._newest is not None or self._ended or self._closing

    def _watch(self) -> None:
        """Take images until there are no more; runs in the thread."""
        try:
            with self._held:
                while (frame := self._next(self._wanted)) is not None:
                    with self._news:
                        self._newest = frame
                        self._news.notify()
        finally:
            with self._news:
                self._ended = True
                self._news.notify()

    def _next(self, wanted: Callable[[Timed], bool]) -> Frame | None:
        """Wait for an image that is wanted; None where none comes any more."""
        try:
            return self._take(wanted)
        except cv2.error:  # what a driver that fails may end in
            return None

    def _take(self, wanted: Callable[[Timed], bool]) -> Frame | None:
        """Wait as `_next` does; only images that are wanted are decoded."""
        damaged = 0
        while damaged < _MOST_DAMAGED and not self._closing and self._capture.grab():
            moment = _Moment(self._clock() - self._opened_s, self._taken)
            self._taken += 1
            if self._sampling.after_end(moment.time_s):
                return None
            if not wanted(moment):
                continue
            whole, captured = self._capture.retrieve()
            if whole:
                image = cast(RGBImage, cv2.cvtColor(captured, cv2.COLOR_BGR2RGB))
                return Frame(image, moment.time_s, moment.number)
            damaged += 1
            self.skipped += 1
        return None
