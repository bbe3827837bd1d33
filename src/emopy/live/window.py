"""`Window`: a live view in an OpenCV window."""

from __future__ import annotations

import os
import sys
from typing import Self

import cv2

from emopy.errors import InputError
from emopy.present import draw_faces
from emopy.types import ImageResult, RGBImage

_STOP_KEYS = (27, ord("q"))  # 27: Esc
_NAME = "EmoPy"


def has_windows() -> bool:
    """Whether OpenCV can open a window: not in its headless build, nor without a display."""
    if not cv2.currentUIFramework():
        return False
    # Without a display some frameworks end the process instead of raising an error.
    always_displayed = sys.platform in ("win32", "darwin")
    return always_displayed or bool({"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys())


class Window:
    """Shows frames with annotated faces; Esc, q or closing the window stops.

    Raises:
        InputError: OpenCV has no windows here, when it is opened.
    """

    def __init__(self) -> None:
        self._stopped = False
        self._is_sized = False

    def __enter__(self) -> Self:
        if not has_windows():
            raise InputError(
                "`view` must be one that works here. Received a window, which this OpenCV or this "
                "machine does not have. Type: `view='page'`, or `view='terminal'`"
            )
        cv2.namedWindow(_NAME, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
        return self

    def __exit__(self, *error: object) -> None:
        if not self._is_closed():
            cv2.destroyWindow(_NAME)

    @property
    def stopped(self) -> bool:
        """Whether Esc or q was pressed, or the window closed."""
        return self._stopped

    def show(self, image: RGBImage, result: ImageResult, *, latency_s: float, fps: float) -> None:
        """Draw a frame with its faces into the window."""
        drawn = draw_faces(image, result)
        if not self._is_sized:
            cv2.resizeWindow(_NAME, drawn.shape[1], drawn.shape[0])
            self._is_sized = True
        cv2.setWindowTitle(_NAME, f"{_NAME} · {fps:.0f} FPS · {latency_s * 1000:.0f} ms latency")
        cv2.imshow(_NAME, drawn[:, :, ::-1])
        self._stopped = cv2.waitKey(1) & 0xFF in _STOP_KEYS or self._is_closed()

    def _is_closed(self) -> bool:
        try:
            return cv2.getWindowProperty(_NAME, cv2.WND_PROP_VISIBLE) < 1
        except cv2.error:  # never opened, or already destroyed
            return True
