"""Appearance descriptors of faces, and shot changes, from small gray images."""

from __future__ import annotations

import math
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from emopy.faces.alignment import align_face
from emopy.models.card import InputSpec
from emopy.types import Face, RGBImage

Descriptor = NDArray[np.float32]
"""(400,) gray values of an aligned face, mean 0, length 1."""

Grid = NDArray[np.float32]
"""(24, 32) log gray values of a frame."""

CROP = InputSpec(20, 20)
"""Crop of a descriptor: without margin, which would show the background."""

GRAY = np.array([0.299, 0.587, 0.114], dtype=np.float32)
"""Weights of red, green and blue. Source: ITU-R BT.601."""

MIN_CONTRAST = 6.0
"""Length of a crop's gray values, 0–255 minus their mean, below which it is plain."""

GRID = (32, 24)
"""Columns and rows that a frame is reduced to."""

SHIFT_COLUMNS, SHIFT_ROWS = 4, 3
"""Largest camera movement between two frames, in cells of the grid: an eighth of the image."""

SUBSAMPLED_PX = 128
"""Shorter side, in pixels, from which pixels are skipped before a frame is reduced."""

DARK_LEVELS = 16.0
"""Gray level, 0–255, added before the logarithm so that noise in the dark counts little."""

PLAIN_LOG, NOISE_LOG = 0.1, 0.03
"""Range of log gray below which a frame is plain, and the median change from noise."""

SHOT_CHANGE = 0.45
"""Change of a frame, relative to that between unrelated images, from which a new shot starts."""


def appearance(image: RGBImage, face: Face) -> Descriptor | None:
    """Describe how a face looks, independent of its place, size, tilt, brightness and contrast.

    None where all pixels of the face are nearly equal.
    """
    gray = (align_face(image, face, CROP).astype(np.float32) @ GRAY).ravel()
    gray -= gray.mean()
    length = float(np.linalg.norm(gray))
    if length < MIN_CONTRAST:
        return None
    return np.asarray(gray / np.float32(length), dtype=np.float32)


def cosine_similarity(one: Descriptor, other: Descriptor) -> float:
    """Return the cosine similarity of two descriptors: 1 for equal ones, about 0 for unrelated."""
    return float(one @ other)


class ShotChanges:
    """Detect shot changes: hard cuts, where all of the image changes between two frames.

    Each frame is reduced to 32 × 24 gray values. A frame starts a new shot if more than half of
    them change by about as much as those of unrelated images, for every small shift of the
    previous frame. People may move, the camera may turn, and the light may change everywhere alike.
    Plain frames, such as black ones, are skipped: the frame after them is compared with the one
    before. Slow transitions are not detected.

    Example:
        >>> is_new_shot = ShotChanges()
        >>> one, other = np.random.default_rng(0).integers(0, 256, (2, 24, 32, 3), np.uint8)
        >>> [is_new_shot(image) for image in (one, one, other, other)]
        [False, False, True, False]
    """

    def __init__(self) -> None:
        self._before: Grid | None = None

    def __call__(self, image: RGBImage) -> bool:
        """Return whether a (H, W, 3) uint8 frame starts a new shot; call it in order."""
        now = _grid(image)
        if float(np.ptp(now)) < PLAIN_LOG:
            return False
        before, self._before = self._before, now
        if before is None or _change(before, now) < SHOT_CHANGE:
            return False
        return all(_change(one, other) >= SHOT_CHANGE for one, other in _shifted(before, now))


def _grid(image: RGBImage) -> Grid:
    """Reduce a frame; twice the light adds the same number to every value."""
    # Every n-th pixel is enough, and fast.
    step = max(1, min(image.shape[:2]) // SUBSAMPLED_PX)
    small = cv2.resize(image[::step, ::step], GRID, interpolation=cv2.INTER_AREA)
    return np.log(np.asarray(small, dtype=np.float32) @ GRAY + np.float32(DARK_LEVELS))


def _change(before: Grid, now: Grid) -> float:
    """Return the median change, relative to that between unrelated images."""
    unrelated = math.hypot(_deviation(before), _deviation(now), NOISE_LOG)
    return _deviation(now - before) / unrelated


def _deviation(grid: Grid) -> float:
    """Median absolute deviation from the median."""
    return float(np.median(np.abs(grid - np.median(grid))))


def _shifted(before: Grid, now: Grid) -> Iterator[tuple[Grid, Grid]]:
    """The overlapping regions of two frames, for every small shift of the camera."""
    columns, rows = GRID
    for down in range(-SHIFT_ROWS, SHIFT_ROWS + 1):
        for right in range(-SHIFT_COLUMNS, SHIFT_COLUMNS + 1):
            yield (
                before[max(0, down) : rows + min(0, down), max(0, right) : columns + min(0, right)],
                now[max(0, -down) : rows - max(0, down), max(0, -right) : columns - max(0, right)],
            )
