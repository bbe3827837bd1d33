"""`IntegralImage`: averages over many rectangles of one image, each in constant time."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

_STRIP_PX = 1 << 22
"""Most pixels of a strip: bounds the memory to 12 bytes for each, and the sums to 32 bits."""

_Sums = NDArray[np.int32]


class IntegralImage:
    """Downsize rectangles of an image as OpenCV's ``INTER_AREA``, whatever their size.

    Each pixel of the result is the average over its part of the rectangle: a sum over a rectangle
    is the difference of four sums from the corner of the image. Pixels agree with OpenCV but for
    the rounding of halves. Large images are summed in strips, again in each call.

    Args:
        image: (H, W, 3) uint8.

    Source:
        Crow 1984, "Summed-area tables for texture mapping", https://doi.org/10.1145/800031.808600.

    Example:
        >>> image = np.full((8, 8, 3), 200, np.uint8)
        >>> IntegralImage(image).resize(np.array([[0, 0, 8, 16]]), rows=2, columns=1)[0, :, 0, 0]
        array([200,   0], dtype=uint8)
    """

    def __init__(self, image: NDArray[np.uint8]) -> None:
        self._image = image
        self._sums: _Sums | None = None

    @property
    def is_ready(self) -> bool:
        """Whether the sums of the image are known from an earlier call."""
        return self._sums is not None

    def resize(self, edges: NDArray[np.integer], *, rows: int, columns: int) -> NDArray[np.uint8]:
        """Downsize rectangles to one size; pixels beyond the image are black.

        Args:
            edges: (n, 4) left, top, right, bottom in pixels.
            rows: Height of the results.
            columns: Width of the results.

        Returns:
            (n, rows, columns, 3).
        """
        left, top, right, bottom = edges.T[..., None].astype(np.float64)
        x = left + (right - left) * (np.arange(columns + 1) / columns)
        y = top + (bottom - top) * (np.arange(rows + 1) / rows)
        totals = sum(_cell_sums(sums, x, y - start) for start, sums in self._strips())
        averages = totals * (rows * columns / (right - left) / (bottom - top))[..., None]
        return np.rint(averages).astype(np.uint8).reshape(-1, rows, columns, 3)

    def _strips(self) -> Iterator[tuple[int, _Sums]]:
        """First row of each strip, and its sums from the top left corner."""
        height, width = self._image.shape[:2]
        if height * width <= _STRIP_PX:
            if self._sums is None:
                self._sums = _integral(self._image)
            yield 0, self._sums
            return
        step = max(1, _STRIP_PX // width)
        for start in range(0, height, step):
            yield start, _integral(self._image[start : start + step])


def _integral(image: NDArray[np.uint8]) -> _Sums:
    return np.asarray(cv2.integral(image, sdepth=cv2.CV_32S), np.int32)


def _cell_sums(sums: _Sums, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums over the cells of n grids.

    Args:
        sums: (H + 1, W + 1, 3) sums of the pixels above and left of each corner of a pixel.
        x: (n, columns + 1) places of the grids' lines; parts outside count as nothing.
        y: (n, rows + 1).

    Returns:
        (n, rows, 3 × columns).
    """
    height, width = sums.shape[0] - 1, sums.shape[1] - 1
    x, y = x.clip(0, width), y.clip(0, height)
    column = np.minimum(x.astype(np.intp), width - 1)
    row = np.minimum(y.astype(np.intp), height - 1)
    place = row[:, :, None] * (width + 1) + column[:, None, :]
    flat = sums.reshape(-1, 3)

    def corner(step: int) -> _Sums:
        # Columns and channels on one axis: long rows are computed faster.
        return np.take(flat, place + step, axis=0).reshape(*place.shape[:2], -1)

    # Between the corners of a pixel the sums are bilinear.
    upper, upper_right, lower, lower_right = map(corner, (0, 1, width + 1, width + 2))
    right, down = np.repeat(x - column, 3, axis=1)[:, None], (y - row)[:, :, None]
    above, below = right * (upper_right - upper), right * (lower_right - lower)
    above += upper
    below += lower
    below -= above
    below *= down
    above += below
    strips = above[:, 1:] - above[:, :-1]
    return strips[:, :, 3:] - strips[:, :, :-3]
