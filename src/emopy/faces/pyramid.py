"""Image pyramid: an image at falling scales, and square crops of it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from emopy.faces.integral_image import IntegralImage
from emopy.types import RGBImage

_LARGE = 4
"""Ratio of sizes from which `IntegralImage` is faster than OpenCV."""

_LARGE_AREA = 1 / 3
"""Area of all large crops, relative to the image, from which the sums of the image pay."""


def pyramid_scales(
    height: int, width: int, *, window_px: int, min_face_size: float, factor: float
) -> list[float]:
    """Return the scales at which faces from `min_face_size` pixels on fill a window.

    Largest first, each `factor` times the one before; none where the image is smaller.
    """
    scale = window_px / min_face_size
    scales: list[float] = []
    while min(height, width) * scale >= window_px:
        scales.append(scale)
        scale *= factor
    return scales


class Pyramid:
    """Resized copies of an (H, W, 3) image, and of squares in it."""

    def __init__(self, image: RGBImage) -> None:
        self.image = image
        self._integral = IntegralImage(image)

    def levels(self, scales: Sequence[float], *, least_px: int) -> Iterator[RGBImage]:
        """Yield the image at each scale, `least_px` or more pixels high and wide.

        Each level is computed from the one before, which is faster than from the image; `scales`
        fall.
        """
        level = self.image
        for scale in scales:
            rows, columns = (
                max(least_px, math.ceil(side * scale)) for side in self.image.shape[:2]
            )
            if level is self.image and _LARGE * rows < len(level):
                whole = np.array([[0, 0, level.shape[1], level.shape[0]]])
                (level,) = self._integral.resize(whole, rows=rows, columns=columns)
            else:
                # Between half and full size, interpolation loses nothing; below, pixels must be
                # averaged.
                method = cv2.INTER_AREA if 2 * rows < len(level) else cv2.INTER_LINEAR
                resized = cv2.resize(level, (columns, rows), interpolation=method)
                level = np.asarray(resized, dtype=np.uint8)
            yield level

    def crops(self, squares: NDArray[np.float32], side_px: int) -> NDArray[np.uint8]:
        """Crop (n, 4) squares and resize them to (n, side_px, side_px, 3).

        Squares may reach beyond the image: pixels there are black.
        """
        edges = pixel_edges(squares)
        crops = np.empty((len(squares), side_px, side_px, 3), dtype=np.uint8)
        large = self._pays(edges, side_px)
        if large.any():
            crops[large] = self._integral.resize(edges[large], rows=side_px, columns=side_px)
        for i in np.flatnonzero(~large):
            _crop(self.image, edges[i].tolist(), crops[i])
        return crops

    def _pays(self, edges: NDArray[np.intp], side_px: int) -> NDArray[np.bool_]:
        """Whether each square is downsized faster from sums over the image."""
        sides = edges[:, 3] - edges[:, 1]
        large = sides > _LARGE * side_px
        if (
            self._integral.is_ready
            or np.sum(sides[large] ** 2) > _LARGE_AREA * self.image[..., 0].size
        ):
            return large
        return np.zeros_like(large)


def pixel_edges(squares: NDArray[np.float32]) -> NDArray[np.intp]:
    """Round the edges of (n, 4) squares to whole pixels, at least one pixel apart."""
    edges = np.round(squares).astype(np.intp)
    edges[:, 2:] = np.maximum(edges[:, 2:], edges[:, :2] + 1)
    return edges


def _crop(image: RGBImage, edges: list[int], crop: NDArray[np.uint8]) -> None:
    """Resize a part of an image into `crop`."""
    left, top, right, bottom = edges
    height, width = image.shape[:2]
    inside = image[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    if left < 0 or top < 0 or right > width or bottom > height:
        padded = np.zeros((bottom - top, right - left, 3), dtype=np.uint8)
        y, x = max(-top, 0), max(-left, 0)
        padded[y : y + inside.shape[0], x : x + inside.shape[1]] = inside
        inside = padded
    method = cv2.INTER_AREA if len(inside) > 2 * len(crop) else cv2.INTER_LINEAR
    cv2.resize(inside, crop.shape[1::-1], dst=crop, interpolation=method)
