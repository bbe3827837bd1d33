"""Convert arrays of every accepted shape and dtype, and PIL images of every mode, to RGB uint8."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal, TypeAlias, cast, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from emopy.errors import InputError
from emopy.media.pillow import quiet_pillow, warn
from emopy.types import RGBImage

ColorOrder: TypeAlias = Literal["rgb", "bgr"]
"""Order of the channels of an array; alpha is the last in both. OpenCV has BGR."""

_ROUNDING = 1e-6
"""Tolerance beyond 0–1 for floats: a resized float32 image may hold 1.0000001."""

_BAND_ROWS = 256
"""Rows of an array scaled at a time, so that scaling needs little memory beside the result."""

_BAND_PIXELS = 2_000_000
"""Pixels of a PIL image converted at a time, for the same reason."""

_ORIENTATION_TAG = 0x0112
# Exif 2.32, tag 274: whether the upright image must be transposed, and then its rows and its
# columns reversed, to become the stored one.
_STORED: dict[int, tuple[bool, int, int]] = {
    1: (False, 1, 1),
    2: (False, 1, -1),
    3: (False, -1, -1),
    4: (False, -1, 1),
    5: (True, 1, 1),
    6: (True, -1, 1),
    7: (True, -1, -1),
    8: (True, 1, -1),
}


def from_array(array: NDArray[Any], name: str = "<array>", color: ColorOrder = "rgb") -> RGBImage:
    """Convert an image in an array to RGB uint8.

    Args:
        array: Of a shape that `check_shape` accepts; uint8 0–255, uint16 0–65535 or float 0–1.
        name: The source, for error messages.
        color: Order of the channels.

    Returns:
        (H, W, 3) uint8, C-contiguous: a new array, or `array` itself where it is so already.

    Raises:
        InputError: Another shape, dtype or range; NaN.
    """
    array = np.asarray(array)  # without subclasses such as np.matrix
    check_shape(array)
    image = _to_eight_bits(array, name)
    if image.ndim == 2:
        image = image[:, :, np.newaxis]
    if image.shape[2] == 4:
        image = np.array(on_white(Image.fromarray(np.ascontiguousarray(image))))
    if image.shape[2] == 1:
        image = np.repeat(image, 3, axis=2)
    return np.ascontiguousarray(image if color == "rgb" else image[..., ::-1])


def from_pil(image: Image.Image, name: str) -> RGBImage:
    """Convert a loaded PIL image to upright (H, W, 3) uint8 RGB, a new array.

    Raises:
        InputError: Integers beyond 16 bits, or floats beyond 0–1.
    """
    transposed, rows, columns = _STORED[_orientation(image)]
    width, height = image.size
    upright = np.empty((width, height, 3) if transposed else (height, width, 3), np.uint8)
    stored = (upright.transpose(1, 0, 2) if transposed else upright)[::rows, ::columns]
    if image.mode.startswith("I") or image.mode == "F":
        _check_range(image, name)
    for top, band in _bands(image):
        pixels = _to_rgb(band)
        stored[top : top + pixels.shape[0]] = pixels
    return upright


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


def on_white(layer: Image.Image) -> Image.Image:
    """Composite an RGBA image on white, as RGB."""
    white = Image.new("RGBA", layer.size, "white")
    return Image.alpha_composite(white, layer).convert("RGB")


def check_color(color: object) -> None:
    """Raise InputError unless a color order is one of `ColorOrder`."""
    if color not in get_args(ColorOrder):
        raise InputError(
            f"`color` must be 'rgb' or 'bgr'. Received {color!r}. "
            "Type `color='bgr'` for arrays of OpenCV."
        )


def check_shape(array: NDArray[Any]) -> None:
    """Raise InputError unless the shape is (H, W[, 1 | 3 | 4]), with one pixel or more."""
    shape = array.shape
    if array.ndim == 2 or (array.ndim == 3 and shape[2] in (1, 3, 4)):
        if 0 in shape:
            raise InputError(
                "`source` must have at least one pixel. "
                f"Received an array of shape {shape}. Check how it was cut out."
            )
        return
    hint = "Give one image; channels come last."
    if array.ndim == 3 and shape[0] in (1, 3, 4):
        hint = "Move the channels last: image.transpose(1, 2, 0)"
    elif array.ndim == 4:
        hint = "Type predict_many(images) for several images."
    raise InputError(
        "`source` must be an array of shape (H, W), (H, W, 1), (H, W, 3) or (H, W, 4). "
        f"Received shape {shape}. {hint}"
    )


def sixteen_to_eight(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Scale integers 0–65535 to 0–255, rounded; 257 · k becomes exactly k."""
    return _by_bands(values, lambda band: (band.astype(np.uint32) + 128) // 257)


def float_to_eight(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Scale floats 0–1 to 0–255, rounded."""
    return _by_bands(values, lambda band: np.rint(np.clip(band.astype(np.float32), 0, 1) * 255))


def check_integers(low: int, high: int, name: str) -> None:
    """Check the range of gray or colors of more than 8 bits; all 0–255 probably has only 8.

    Raises:
        InputError: Below 0 or above 65535.
    """
    if low < 0 or high > 65535:
        raise InputError(
            f"`source` must have 8 or 16 bits per channel. Received {name!r} with integers "
            f"{low} to {high}. Scale it to 0–65535 first."
        )
    if 0 < high <= 255:
        warn(
            f"{name!r} has 16 bits per channel, 0–65535, but no value above {high}: it is read as "
            "almost black. If 255 is white, convert it first: image.astype(np.uint8)"
        )


def check_floats(low: float, high: float, name: str) -> None:
    """Raise InputError unless the lowest and highest value are in 0–1."""
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


def _to_eight_bits(image: NDArray[Any], name: str) -> NDArray[np.uint8]:
    dtype = image.dtype
    if dtype == np.uint8:
        return image
    if dtype.kind == "u" and dtype.itemsize == 2:
        check_integers(int(image.min()), int(image.max()), name)
        return sixteen_to_eight(image)
    if dtype.kind == "f":
        check_floats(float(image.min()), float(image.max()), name)
        return float_to_eight(image)
    factor = " * 255" if dtype.kind == "b" else ""
    raise InputError(
        "`source` must be uint8 (0–255), uint16 (0–65535) or float (0–1). "
        f"Received an array of {dtype}. Convert it: image.astype(np.uint8){factor}"
    )


def _by_bands(
    values: NDArray[Any], scale: Callable[[NDArray[Any]], NDArray[Any]]
) -> NDArray[np.uint8]:
    scaled = np.empty(values.shape, np.uint8)
    for row in range(0, len(values), _BAND_ROWS):
        band = slice(row, row + _BAND_ROWS)
        scaled[band] = scale(values[band])
    return scaled


def _bands(image: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    """First row and image of each band."""
    rows = max(1, _BAND_PIXELS // image.width)
    if image.height <= rows:
        yield 0, image
        return
    for top in range(0, image.height, rows):
        yield top, image.crop((0, top, image.width, min(top + rows, image.height)))


def _orientation(image: Image.Image) -> int:
    """EXIF orientation 1–8; 1 (upright) where there is none or it cannot be read."""
    try:
        with quiet_pillow():
            value = image.getexif().get(_ORIENTATION_TAG, 1)
    except Exception:  # noqa: BLE001  Pillow raises anything on damaged tags
        return 1
    return value if isinstance(value, int) and value in _STORED else 1


def _check_range(image: Image.Image, name: str) -> None:
    ranges = [(band.min(), band.max()) for band in map(np.asarray, _band_images(image))]
    low, high = min(low for low, _ in ranges), max(high for _, high in ranges)
    if image.mode == "F":
        check_floats(float(low), float(high), name)
    else:
        check_integers(int(low), int(high), name)


def _band_images(image: Image.Image) -> Iterator[Image.Image]:
    return (band for _, band in _bands(image))


def _to_rgb(band: Image.Image) -> NDArray[np.uint8]:
    """(H, W, 3), or (H, W, 1) for gray of more than 8 bits."""
    if band.mode == "RGB" and "transparency" not in band.info:
        return np.asarray(band)
    if band.mode.startswith("I"):
        return sixteen_to_eight(np.asarray(band))[:, :, np.newaxis]
    if band.mode == "F":
        return float_to_eight(np.asarray(band))[:, :, np.newaxis]
    if band.mode in {"RGBA", "LA", "PA", "RGBa", "La"} or "transparency" in band.info:
        # Pillow converts La to LA only, and RGBa not to RGB: all convert to RGBA.
        layer = band.convert("LA") if band.mode == "La" else band
        return np.asarray(on_white(layer.convert("RGBA")))
    return np.asarray(band.convert("RGB"))
