"""Arrays of every accepted shape and dtype become RGB uint8."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from emopy.errors import InputError
from emopy.types import RGBImage

_ROUNDING = 1e-6
"""How far beyond 0–1 a float may lie: a resized float32 image may give 1.0000001."""

_BAND_ROWS = 256
"""Rows scaled at a time, so that scaling needs little memory beside the result."""


_SMALLER = "Make it smaller; in Python, read_image takes a larger `max_pixels`."


def check_pixels(
    width: int, height: int, name: str, max_pixels: int, *, hint: str = _SMALLER
) -> None:
    """Refuse an image without pixels or with more than allowed.

    Args:
        width: In pixels.
        height: In pixels.
        name: The source, for error messages.
        max_pixels: Largest width × height accepted.
        hint: What to do about a larger one.

    Raises:
        InputError: Width × height is 0 or above `max_pixels`.
    """
    if width < 1 or height < 1:
        raise InputError(
            f"`source` must have at least one pixel. Received {name!r} of {width} × {height}."
        )
    if width * height > max_pixels:
        raise InputError(
            f"`source` must have at most {max_pixels / 1e6:g} megapixels. Received {name!r} of "
            f"{width} × {height} = {width * height / 1e6:.4g}. {hint}"
        )


def from_array(array: NDArray[Any], max_pixels: int, name: str = "<array>") -> RGBImage:
    """Turn an image in an array into RGB uint8; the array is left as it is.

    Args:
        array: (H, W), (H, W, 1), (H, W, 3) RGB or (H, W, 4) RGBA; uint8 0–255, uint16 0–65535
            or float 0–1.
        max_pixels: Largest H × W accepted.
        name: The source, for error messages.

    Returns:
        (H, W, 3) uint8, a new array.

    Raises:
        InputError: Another shape, dtype or range; NaN; too large.
    """
    image = np.asarray(array)
    _check_shape(image)
    check_pixels(image.shape[1], image.shape[0], name, max_pixels)
    eight = _to_eight_bits(image, name)
    if eight.ndim == 2:
        eight = eight[:, :, np.newaxis]
    if eight.shape[2] == 4:
        layer = Image.fromarray(np.ascontiguousarray(eight))
        white = Image.new("RGBA", layer.size, "white")
        return np.array(Image.alpha_composite(white, layer).convert("RGB"))
    height, width, _ = eight.shape
    return np.array(np.broadcast_to(eight, (height, width, 3)), order="C")


def sixteen_to_eight(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Scale integers 0–65535 to 0–255, rounded; 257 · k becomes exactly k."""
    scaled = np.empty(values.shape, np.uint8)
    for row in range(0, len(values), _BAND_ROWS):
        band = slice(row, row + _BAND_ROWS)
        scaled[band] = (values[band].astype(np.uint32) + 128) // 257
    return scaled


def _check_shape(image: NDArray[Any]) -> None:
    shape = image.shape
    if image.ndim == 2 or (image.ndim == 3 and shape[2] in (1, 3, 4)):
        return
    hint = "Give one image; channels come last."
    if image.ndim == 3 and shape[0] in (1, 3, 4):
        hint = "Move the channels last: image.transpose(1, 2, 0)"
    elif image.ndim == 4:
        hint = "Give one image at a time: model.predict_many(images)"
    raise InputError(
        "`source` must be an array of shape (H, W), (H, W, 1), (H, W, 3) or (H, W, 4). "
        f"Received shape {shape}. {hint}"
    )


def _to_eight_bits(image: NDArray[Any], name: str) -> NDArray[np.uint8]:
    dtype = image.dtype
    if dtype == np.uint8:
        return image
    if dtype.kind == "u" and dtype.itemsize == 2:
        return sixteen_to_eight(image)
    if dtype.kind == "f":
        return _float_to_eight(image, name)
    hint = "Convert it: image.astype(np.uint8)"
    if dtype.kind == "b":
        hint = "Convert it: image.astype(np.uint8) * 255"
    raise InputError(
        "`source` must be uint8 (0–255), uint16 (0–65535) or float (0–1). "
        f"Received an array of {dtype}. {hint}"
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
    scaled = np.empty(image.shape, np.uint8)
    for row in range(0, len(image), _BAND_ROWS):
        band = slice(row, row + _BAND_ROWS)
        scaled[band] = np.rint(np.clip(image[band].astype(np.float32), 0, 1) * 255)
    return scaled
