"""Images to measure with, all made from one photograph in the public domain."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from figures import CannotMeasureError

Pixels = NDArray[np.uint8]

FRAME_SIZE = (640, 480)


def photograph() -> Pixels:
    """The astronaut of scikit-image: (512, 512, 3) RGB, one face, happiness."""
    try:
        from skimage.data import astronaut
    except ImportError as error:
        raise CannotMeasureError(
            "scikit-image is missing. Type: pip install '.[test,bench]'"
        ) from error
    return astronaut()


def frame() -> Pixels:
    """Its upper part as a 640 × 480 frame with one face about 110 pixels wide: RGB."""
    part = photograph()[:384]
    return np.asarray(cv2.resize(part, FRAME_SIZE, interpolation=cv2.INTER_CUBIC), np.uint8)


def write_frame(folder: Path) -> Path:
    """The frame as a PNG file."""
    path = folder / "frame.png"
    cv2.imwrite(str(path), cv2.cvtColor(frame(), cv2.COLOR_RGB2BGR))
    return path


def write_variants(folder: Path, count: int) -> Path:
    """Write `count` different JPEG files: the frame shifted, turned, mirrored, lighter, darker.

    All have the same size and one face, so that each is the same amount of work.
    """
    folder.mkdir()
    chance = np.random.default_rng(0)
    image = np.asarray(cv2.cvtColor(frame(), cv2.COLOR_RGB2BGR), np.uint8)
    for number in range(count):
        source = image[:, ::-1] if number % 2 else image
        moved = turned(np.ascontiguousarray(source), float(chance.uniform(-8, 8)), (320, 240))
        light = cv2.convertScaleAbs(moved, alpha=float(chance.uniform(0.8, 1.1)))
        cv2.imwrite(str(folder / f"{number:05}.jpg"), light, [cv2.IMWRITE_JPEG_QUALITY, 90])
    return folder


def face_crops(count: int, side: int) -> Pixels:
    """(count, side, side) gray crops around the photograph's face, each at another place."""
    gray = cv2.cvtColor(photograph(), cv2.COLOR_RGB2GRAY)
    chance = np.random.default_rng(0)
    corners = np.array([50, 165]) + chance.integers(-12, 13, (count, 2))
    crops = [
        cv2.resize(gray[y : y + 110, x : x + 110], (side, side), interpolation=cv2.INTER_AREA)
        for y, x in corners
    ]
    return np.stack(crops).astype(np.uint8)


def turned(image: Pixels, degrees: float, middle: tuple[float, float]) -> Pixels:
    """Turn an image about a point, counter-clockwise; the border is continued outwards."""
    matrix = cv2.getRotationMatrix2D(middle, degrees, 1.0)
    size = (image.shape[1], image.shape[0])
    result = cv2.warpAffine(
        image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(result, np.uint8)


def enlarged(crop: Pixels, factor: int = 4) -> Pixels:
    """A tight (H, W, 1) gray face crop, enlarged and padded by half its side: RGB."""
    large = cv2.resize(crop[:, :, 0], None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    pad = max(large.shape) // 2
    padded = cv2.copyMakeBorder(large, pad, pad, pad, pad, cv2.BORDER_REPLICATE)
    return np.asarray(cv2.cvtColor(padded, cv2.COLOR_GRAY2RGB), np.uint8)
