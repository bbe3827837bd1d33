"""Convert PIL images of every mode to upright RGB arrays, in bands of rows to save memory."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from emopy.media.arrays import (
    check_floats,
    check_integers,
    float_to_eight,
    on_white,
    sixteen_to_eight,
)
from emopy.media.quiet import quiet_pillow
from emopy.types import RGBImage

_BAND_PIXELS = 2_000_000

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
