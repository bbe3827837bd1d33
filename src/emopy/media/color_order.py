"""Color order of arrays: RGB, or BGR as in OpenCV."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, TypeAlias, cast, get_args

import numpy as np
from numpy.typing import NDArray

from emopy.errors import InputError

ColorOrder: TypeAlias = Literal["rgb", "bgr"]
"""Order of the channels of an array; alpha is the last in both. OpenCV has BGR."""


def check_color(color: object) -> None:
    """Raise InputError unless a color order is one of `ColorOrder`."""
    if color not in get_args(ColorOrder):
        raise InputError(
            f"`color` must be 'rgb' or 'bgr'. Received {color!r}. "
            "Type `color='bgr'` for arrays of OpenCV."
        )


def crops_to_rgb(crops: Any, color: ColorOrder) -> Any:
    """Return face crops with their channels in the order of RGB.

    Args:
        crops: Arrays whose last axis holds the channels, gray ones, or sequences of these. Anything
            else is returned as it is.
        color: Order of the channels.

    Raises:
        InputError: An unknown order.

    Example:
        >>> crops_to_rgb([np.array([[[1, 2, 3]]], np.uint8)], "bgr")[0].tolist()
        [[[3, 2, 1]]]
    """
    check_color(color)
    if color == "rgb" or isinstance(crops, str | bytes) or not isinstance(crops, Iterable):
        return crops
    if not isinstance(crops, np.ndarray):
        return [crops_to_rgb(crop, color) for crop in cast("Iterable[Any]", crops)]
    pixels = cast("NDArray[Any]", crops)
    if pixels.ndim < 3 or pixels.shape[-1] != 3:
        return pixels
    return np.ascontiguousarray(pixels[..., ::-1])
