"""Frames of a camera: always the newest one, so that a slow reader does not fall behind."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, Protocol, cast

import cv2

from emopy.errors import InputError
from emopy.escaping import one_line
from emopy.forking import Owner, fork_safe_lock
from emopy.media.prefetch import CLOSE_TIMEOUT_S
from emopy.media.sampling import LiveFilter, Sampling, live_filter
from emopy.types import Frame, RGBImage
from emopy.waiting import wait_until

_MAX_DAMAGED = 100
"""Damaged images in a row after which a camera counts as disconnected."""

RECONNECT_S = 30.0
"""Seconds for which a lost connection is tried again."""

_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 5.0
"""Time between two attempts to connect; it doubles each time."""

_MAX_NUMBER = 2**31 - 1
"""Largest number that OpenCV accepts; no camera has it."""

_SILENT = 0
"""The level of OpenCV's log at which nothing is printed."""

_log = logging.getLogger("emopy")

_LOG_LOCK = fork_safe_lock()
_log_levels: list[int] = []  # OpenCV's level to restore, once for each active `quiet_opencv`


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
        capture = cv2.VideoCapture(min(number, _MAX_NUMBER))
    if not capture.isOpened():
        raise InputError(
            f"`source` must be a connected camera. Received {number}: no such camera. "
            f"Connect it, or type the number of another one; 0 is the first. {permission_hint()} "
            "For a video file give its path."
        )
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    return Camera(capture, f"camera {number}", sampling)


def permission_hint() -> str:
    """Return where this system lets a program use cameras."""
    if sys.platform == "darwin":
        return (
            "Allow your terminal in System Settings, Privacy & Security, Camera; then start the "
            "terminal again."
        )
    if sys.platform == "win32":
        return (
            "Turn on `Let desktop apps access your camera` in Settings, Privacy & security, Camera."
        )
    return (
        "Check that /dev/video0 or another one exists; to be allowed to use it: "
        "sudo usermod -aG video $USER, and log in again."
    )


@contextmanager
def quiet_opencv() -> Generator[None]:
    """Suppress OpenCV's log; of nested uses, the last to end restores the level."""
    with _LOG_LOCK:
        level = _set_log_level(_SILENT)
        _log_levels.append(_log_levels[0] if _log_levels else level)
    try:
        yield
    finally:
        with _LOG_LOCK:
            level = _log_levels.pop()
            if not _log_levels:
                _set_log_level(level)


class Capture(Protocol):
    """What a camera needs of ``cv2.VideoCapture``."""

    def grab(self) -> bool:
        """Wait for the next image."""
        ...

    def retrieve(self) -> tuple[bool, Any]:
        """Return whether there is an image, and the image: (H, W, 3) uint8 BGR."""
        ...

    def get(self, propId: int, /) -> float:  # noqa: N803  the name in OpenCV
        """Return a property."""
        ...

    def release(self) -> None:
        """Close it."""
        ...


def _set_log_level(level: int) -> int:
    """Set what OpenCV prints; return the level of before. The function has moved in OpenCV 5."""
    place: Any = cv2 if hasattr(cv2, "setLogLevel") else cv2.utils.logging
    return int(place.setLogLevel(level))


class Camera:
    """Reader of one camera, see `emopy.media.Video` for the attributes.

    A thread captures every image and keeps the newest one that `sampling` selects, until the
    consumer takes it. Once started, only this thread releases the camera: a driver that waits for
    an image must not be disturbed by another thread.

    Args:
        capture: Gives the images.
        source: Name of the camera in results.
        sampling: Selects the images.
        reopen: Opens it again after the connection was lost; None if that is its end.
        clock: Time in seconds.

    Attributes:
        truncated: Whether the connection was lost, and could not be made again.
    """

    is_live = True
    duration_s: float | None = None
    frames: int | None = None

    def __init__(
        self,
        capture: Capture,
        source: str,
        sampling: Sampling,
        *,
        reopen: Callable[[], Capture] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.source = source
        self.truncated = False
        self.skipped = 0
        self.fps: float | None = capture.get(cv2.CAP_PROP_FPS) or None
        self._capture = capture
        self._reopen = reopen
        self._sampling = sampling
        self._clock = clock
        self._started_s = clock()
        self._captured = 0
        self._owner = Owner()
        self._closing = False
        self._ended = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._capture_all, name="emopy-camera", daemon=True)
        self._resources = ExitStack()
        self._resources.enter_context(quiet_opencv())  # drivers log at any time, also at the end
        self._resources.callback(self._release)
        first = self._next_frame(lambda _time_s, _number: True)
        if first is None:
            self.close()
            raise InputError(
                f"`source` must be a camera that gives images. Received {source}: none came. "
                f"Close other programs that use it, or connect it again. {permission_hint()}"
            )
        self.size = (first.image.shape[1], first.image.shape[0])
        self._is_selected = live_filter(sampling)
        self._newest = first if self._is_selected(first.time_s, first.number) else None

    def read(self) -> Generator[Frame]:
        """Yield the newest frame each time; end when the camera is disconnected."""
        self._thread.start()
        try:
            while True:
                self._owner.check("source", "Open the camera there.")
                with self._changed:
                    wait_until(self._changed, self._has_changed)
                    frame, self._newest = self._newest, None
                if frame is None or self._closing:
                    return
                yield frame
        finally:
            self._stop()

    def close(self) -> None:
        """Release the camera; an iteration in another thread ends."""
        self._stop()
        if self._thread.ident is None:
            self._resources.close()

    def _stop(self) -> None:
        if not self._owner.is_here:
            return  # the thread, which may hold the lock, is in the parent
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(CLOSE_TIMEOUT_S)

    def _release(self) -> None:
        self._capture.release()  # the one that is open now

    def _has_changed(self) -> bool:
        return self._newest is not None or self._ended or self._closing

    def _capture_all(self) -> None:
        """Capture images until there are no more; runs in the thread."""
        try:
            with self._resources:
                while not self._closing:
                    frame = self._next_frame(self._is_selected)
                    if frame is None and self._reconnect():
                        continue
                    if frame is None or frame.image.shape[1::-1] != self.size:
                        self.truncated |= frame is not None  # it came back with another size
                        return
                    with self._changed:
                        self._newest = frame
                        self._changed.notify()
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify()

    def _reconnect(self) -> bool:
        """Open a lost connection again; return whether there are more images."""
        now_s = self._clock()
        if (
            self._reopen is None
            or self._closing
            or self._sampling.after_end(now_s - self._started_s)
        ):
            return False
        _log.warning(
            "%s: the connection was lost. Connecting again for %g seconds.",
            one_line(self.source),
            RECONNECT_S,
        )
        self._capture.release()
        deadline_s, wait_s = now_s + RECONNECT_S, _FIRST_WAIT_S
        while not self._closing and self._clock() < deadline_s:
            try:
                self._capture = self._reopen()
            except InputError:
                with self._changed:
                    self._changed.wait_for(lambda: self._closing, timeout=wait_s)
                wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
            else:
                return True
        self.truncated = not self._closing
        return False

    def _next_frame(self, is_selected: LiveFilter) -> Frame | None:
        """Wait for a selected image, the only one decoded; None after the last one."""
        damaged = 0
        with suppress(cv2.error):  # from a driver that fails
            while damaged < _MAX_DAMAGED and not self._closing and self._capture.grab():
                now_s, number = self._clock(), self._captured
                if not number:  # some cameras need seconds for the first image
                    self._started_s = now_s
                time_s = now_s - self._started_s
                self._captured += 1
                if self._sampling.after_end(time_s):
                    return None
                if not is_selected(time_s, number):
                    continue
                valid, pixels = self._capture.retrieve()
                if valid:
                    image = cast(RGBImage, cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB))
                    return Frame(image, time_s, number)
                damaged += 1
                self.skipped += 1
        return None
