"""`whole_pixels`: pixels of any number type as bytes, without a change of their values."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emopy.errors import DataError


def whole_pixels(images: ArrayLike) -> NDArray[np.uint8]:
    """Accept other number types that hold pixels 0–255, and nothing scaled or centred.

    Args:
        images: Any shape; whole numbers 0–255.

    Returns:
        The same shape and values; bytes come back without a copy.

    Raises:
        DataError: Anything else.

    Example:
        >>> whole_pixels([0.0, 255.0])
        array([  0, 255], dtype=uint8)
    """
    given = np.asarray(images)
    if given.dtype == np.uint8:
        return given.view(np.uint8)
    if given.dtype.kind in "uif" and bool(np.all((given >= 0) & (given <= 255))):
        pixels = given.astype(np.uint8)
        if np.array_equal(pixels, given):
            return pixels
    raise DataError(
        "`images` must be whole numbers 0–255: scaling and standardising happen here. "
        f"Received {given.dtype}. For values in 0–1 type: (255 * images).round()"
    )
