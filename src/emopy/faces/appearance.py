"""What tells one person from another, and one shot from the next: small gray summaries."""

from __future__ import annotations

import math
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from emopy.faces.align import align_face
from emopy.models.card import InputSpec
from emopy.types import Face, RGBImage

Look = NDArray[np.float32]
"""(400,) gray values of an upright face, mean 0, length 1."""

Grid = NDArray[np.float32]

LOOK = InputSpec(20, 20)
"""Framing of a look: no margin, which would show what is behind, or whoever is in front."""

GRAY = np.array([0.299, 0.587, 0.114], dtype=np.float32)
"""Weights of red, green and blue. Source: ITU-R BT.601."""

FLAT_LEVELS = 6.0

GRID = (32, 24)
"""Columns and rows that a frame is reduced to."""

SHIFT_COLUMNS, SHIFT_ROWS = 4, 3
"""How far the camera may turn from one frame to the next: an eighth of the image."""

SMALL_PX = 128
DARK_LEVELS = 16.0
FLAT_LOG = 0.1
NOISE_LOG = 0.03
CUT_CHANGE = 0.45


def appearance(image: RGBImage, face: Face) -> Look | None:
    """Summarise how a face looks, whatever its place, size, tilt, light and contrast.

    Args:
        image: (H, W, 3) uint8.
        face: A face in that image.

    Returns:
        The summary; None where all pixels are alike.
    """
    gray = (align_face(image, face, LOOK).astype(np.float32) @ GRAY).ravel()
    gray -= gray.mean()
    length = float(np.linalg.norm(gray))
    if length < FLAT_LEVELS:
        return None
    return np.asarray(gray / np.float32(length), dtype=np.float32)


def cosine_similarity(one: Look, other: Look) -> float:
    """How alike two faces look: 1 for the same pixels, about 0 for pixels without relation."""
    return float(one @ other)


class ShotChanges:
    """Tell where a video is cut: the whole image changes from one frame to the next.

    Each frame is reduced to 32 × 24 gray values. It begins a new shot if more than half of them
    change by about as much as they differ among each other, wherever the frame before is shifted
    to. So people may move, the camera may turn, and the light may change everywhere alike. Frames
    of one colour, black ones say, are passed over: the image after them is compared with the one
    before. Slow transitions are not found.

    Example:
        >>> cuts = Cuts()
        >>> one, other = np.random.default_rng(0).integers(0, 256, (2, 24, 32, 3), np.uint8)
        >>> [cuts(image) for image in (one, one, other, other)]
        [False, False, True, False]
    """

    def __init__(self) -> None:
        self._before: Grid | None = None

    def __call__(self, image: RGBImage) -> bool:
        """Say whether a frame begins a new shot; give all frames in their order.

        Args:
            image: (H, W, 3) uint8.
        """
        now = _grid(image)
        if float(np.ptp(now)) < FLAT_LOG:
            return False
        before, self._before = self._before, now
        if before is None or _change(before, now) < CUT_CHANGE:
            return False
        return all(_change(one, other) >= CUT_CHANGE for one, other in _shifted(before, now))


def _grid(image: RGBImage) -> Grid:
    """(24, 32) logarithms of gray: with twice the light all of them grow by the same step."""
    # Every n-th pixel is enough, and quick.
    step = max(1, min(image.shape[:2]) // SMALL_PX)
    small = cv2.resize(image[::step, ::step], GRID, interpolation=cv2.INTER_AREA)
    return np.log(np.asarray(small, dtype=np.float32) @ GRAY + np.float32(DARK_LEVELS))


def _change(before: Grid, now: Grid) -> float:
    """How much the middling value changes, as a share of what unrelated images would show."""
    unrelated = math.hypot(_spread(before), _spread(now), NOISE_LOG)
    return _spread(now - before) / unrelated


def _spread(grid: Grid) -> float:
    """Median distance from the median: half of the values may do what they like."""
    return float(np.median(np.abs(grid - np.median(grid))))


def _shifted(before: Grid, now: Grid) -> Iterator[tuple[Grid, Grid]]:
    """What both frames show if the camera has turned a little, for all small turns."""
    columns, rows = GRID
    for down in range(-SHIFT_ROWS, SHIFT_ROWS + 1):
        for right in range(-SHIFT_COLUMNS, SHIFT_COLUMNS + 1):
            yield (
                before[max(0, down) : rows + min(0, down), max(0, right) : columns + min(0, right)],
                now[max(0, -down) : rows - max(0, down), max(0, -right) : columns - max(0, right)],
            )
