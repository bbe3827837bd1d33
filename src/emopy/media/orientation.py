"""Decoded images become RGB arrays: upright, with square pixels, all of one size."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, cast

import cv2
import numpy as np

from emopy.media.arrays import from_array
from emopy.types import RGBImage

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

_LARGEST_ASPECT = 8
"""Pixels more oblong than this are an error in the file."""


class Upright:
    """Turns the images of one video as its first one says.

    Attributes:
        size: (width, height) of every result, in pixels.
    """

    def __init__(self, first: VideoFrame, pixel_aspect: Fraction | None) -> None:
        from av.video.reformatter import VideoReformatter

        self._reformatter = VideoReformatter()  # keeps its tables from image to image
        self._stored = square(first.width, first.height, pixel_aspect)
        self._swap, self._flips = _turn(first)
        width, height = self._stored
        self.size = (height, width) if self._swap else (width, height)

    def rgb(self, frame: VideoFrame) -> RGBImage:
        """Convert one image; transparency lies over white.

        Returns:
            (H, W, 3) uint8 of `size`, a new contiguous array.
        """
        clear = frame.format.has_palette or any(
            component.is_alpha for component in frame.format.components
        )
        width, height = self._stored
        plain = self._reformatter.reformat(
            frame, width=width, height=height, format="rgba" if clear else "rgb24"
        )
        image = cast(RGBImage, plain.to_ndarray())
        if clear:
            image = from_array(image, width * height)
        if self._swap:
            image = cast(RGBImage, cv2.transpose(image))
        if self._flips is not None:
            image = cast(RGBImage, cv2.flip(image, self._flips))
        return image


def square(width: int, height: int, aspect: Fraction | None) -> tuple[int, int]:
    """The size at which pixels `aspect` times as wide as high are square; none are dropped.

    Args:
        width: Of the stored image, in pixels.
        height: The same.
        aspect: Width by height of a pixel; None or an odd one for square ones.

    Returns:
        (width, height) in square pixels.
    """
    if not aspect or not 1 / _LARGEST_ASPECT < aspect < _LARGEST_ASPECT:
        return width, height
    if aspect > 1:
        return round(width * aspect), height
    return width, round(height / aspect)


def _turn(image: VideoFrame) -> tuple[bool, int | None]:
    """How to turn a stored image upright: swap its axes or not, then OpenCV's flip code.

    Source: ISO/IEC 14496-12, 8.3.2: (x, y) is shown at (ax + cy, bx + dy).
    """
    for data in cast(Any, image.side_data):
        if data.type.name == "DISPLAYMATRIX":
            a, b, _, c, d = np.frombuffer(bytes(data), "=i4")[:5].tolist()
            swap = abs(b) + abs(c) > abs(a) + abs(d)
            left_right, up_down = (c < 0, b < 0) if swap else (a < 0, d < 0)
            code = {(True, False): 1, (False, True): 0, (True, True): -1}
            return swap, code.get((left_right, up_down))
    return False, None
