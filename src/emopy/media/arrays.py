"""Convert arrays of every accepted shape and dtype to RGB uint8."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from emopy.errors import InputError
from emopy.types import RGBImage

_ROUNDING = 1e-6
"""Tolerance beyond 0–1 for floats: a resized float32 image may hold 1.0000001."""

_BAND_ROWS = 256
"""Rows scaled at a time, so that scaling needs little memory beside the result."""


def from_array(array: NDArray[Any], name: str = "<array>") -> RGBImage:
    """Convert an image in an array to RGB uint8; the array is not changed.

    Args:
        array: Of a shape that `check_shape` accepts, with one pixel or more; uint8 0–255, uint16
            0–65535 or float 0–1.
        name: The source, for error messages.

    Returns:
        (H, W, 3) uint8, a new array.

    Raises:
        InputError: Another shape, dtype or range; NaN.
    """
    check_shape(array)
    image = _to_eight_bits(array, name)
    if image.ndim == 2:
        image = image[:, :, np.newaxis]
    if image.shape[2] == 4:
        return np.array(on_white(Image.fromarray(np.ascontiguousarray(image))))
    height, width, _ = image.shape
    return np.array(np.broadcast_to(image, (height, width, 3)), order="C")


def on_white(layer: Image.Image) -> Image.Image:
    """Composite an RGBA image on white, as RGB."""
    white = Image.new("RGBA", layer.size, "white")
    return Image.alpha_composite(white, layer).convert("RGB")


def check_shape(array: NDArray[Any]) -> None:
    """Raise InputError unless the shape is (H, W), (H, W, 1), (H, W, 3) or (H, W, 4)."""
    shape = array.shape
    if array.ndim == 2 or (array.ndim == 3 and shape[2] in (1, 3, 4)):
        return
    hint = "Give one image; channels come last."
    if array.ndim == 3 and shape[0] in (1, 3, 4):
        hint = "Move the channels last: image.transpose(1, 2, 0)"
    elif array.ndim == 4:
        hint = "Give one image at a time: model.predict_many(images)"
    raise InputError(
        "`source` must be an array of shape (H, W), (H, W, 1), (H, W, 3) or (H, W, 4). "
        f"Received shape {shape}. {hint}"
    )


def sixteen_to_eight(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Scale integers 0–65535 to 0–255, rounded; 257 · k becomes exactly k."""
    return _by_bands(values, lambda band: (band.astype(np.uint32) + 128) // 257)


def _to_eight_bits(image: NDArray[Any], name: str) -> NDArray[np.uint8]:
    dtype = image.dtype
    if dtype == np.uint8:
        return image
    if dtype.kind == "u" and dtype.itemsize == 2:
        return sixteen_to_eight(image)
    if dtype.kind == "f":
        return _float_to_eight(image, name)
    factor = " * 255" if dtype.kind == "b" else ""
    raise InputError(
        "`source` must be uint8 (0–255), uint16 (0–65535) or float (0–1). "
        f"Received an array of {dtype}. Convert it: image.astype(np.uint8){factor}"
    )


def _float_to_eight(image: NDArray[Any], name: str) -> NDArray[np.uint8]:
    low, high = float(image.min()), float(image.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise InputError(
            f"`source` must hold finite numbers. Received {name!r} with NaN or infinity. "
            "Replace them: np.nan_to_num(image)"
        )
    if low < -_ROUNDING or high > 1 + _ROUNDING:
        hint = "Divide by 255." if low >= 0 and 1 < high <= 255 else "Scale them to 0–1."
        raise InputError(
            f"`source` must hold floats from 0 to 1. Received {name!r} with {low:g} to {high:g}. "
            + hint
        )
    return _by_bands(image, lambda band: np.rint(np.clip(band.astype(np.float32), 0, 1) * 255))


def _by_bands(
    values: NDArray[Any], scale: Callable[[NDArray[Any]], NDArray[Any]]
) -> NDArray[np.uint8]:
    scaled = np.empty(values.shape, np.uint8)
    for row in range(0, len(values), _BAND_ROWS):
        band = slice(row, row + _BAND_ROWS)
        scaled[band] = scale(values[band])
    return scaled
