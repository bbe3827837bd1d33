"""Face alignment: upright crops in the framing of the training faces.

A similarity transform (rotation, scale, shift) moves the five landmarks as near as possible to
those of the typical training face. The crop then depends little on the detector's box and on the
tilt of the head. Coordinates start at the left and top edge of the image; the center of the first
pixel is (0.5, 0.5).

Source: Umeyama 1991, "Least-squares estimation of transformation parameters between two point
patterns", https://doi.org/10.1109/34.88573; in the plane the solution is one complex division.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from emopy.errors import InputError
from emopy.models.card import InputSpec
from emopy.types import Box, Face, RGBImage, check_rgb

FRAMING: NDArray[np.float32] = np.array(
    [[0.313, 0.385], [0.687, 0.385], [0.500, 0.601], [0.344, 0.782], [0.656, 0.782]],
    dtype=np.float32,
)
"""(5, 2) left eye, right eye, nose tip, left and right mouth corner of the typical training face,
relative to the crop's side. Measured: see the decision record 0002-framing."""

BOX_FRAMING = (0.099, -0.031, 0.901, 1.032)
"""Left, top, right, bottom of the box that `mtcnn` finds in the typical training face, relative to
the crop's side. Measured in the same way."""

MIN_SIDE, MAX_SIDE = 0.01, 1_000_000
"""Shortest and longest side of a box in pixels, and largest coordinate of a landmark."""

_MIN_SCALE = 1e-6
"""Scale below which a crop by landmarks shows nothing: they are mirrored or scattered."""

FRAMING.flags.writeable = False


def align_face(image: RGBImage, face: Face, spec: InputSpec) -> NDArray[np.uint8]:
    """Crop a face upright, in the framing that a model was trained on.

    A face with landmarks is rotated, scaled and shifted by them. Without landmarks the box sets
    the crop, which is not rotated. A face without landmarks whose box is the full image counts as
    a crop already (detector ``full-image``): it is only padded to the aspect ratio and resized.
    Pixels beyond the border repeat the nearest pixel of the image.

    Args:
        image: (H, W, 3) uint8 RGB.
        face: A face in that image.
        spec: Size of the crop; its `margin` widens the framing.

    Returns:
        (spec.height, spec.width, 3) uint8.

    Raises:
        InputError: Not an RGB image, or a box that is wholly outside it; sides or landmarks out of
            range.

    Example:
        >>> image = np.zeros((60, 80, 3), np.uint8)
        >>> align_face(image, Face(Box(10, 10, 50, 58)), InputSpec(48, 48)).shape
        (48, 48, 3)
    """
    check_rgb(image)
    return warp(image, face_transform(image, face, spec), spec)


def face_transform(image: RGBImage, face: Face, spec: InputSpec) -> NDArray[np.float64]:
    """Return the transform by which `align_face` crops a face.

    Args:
        image: (H, W, 3) uint8 RGB.
        face: A face in that image.
        spec: Size of the crop and its margin.

    Returns:
        (2, 3) matrix from pixels of the image to pixels of the crop; the center of the first pixel
        is (0.5, 0.5) in both.

    Raises:
        InputError: A box that is wholly outside the image; sides or landmarks out of range.
    """
    if rule := broken_rule(face, image):
        raise InputError(
            f"`face` must have {rule}. Give pixels of this image: left, top, right, bottom."
        )
    if face.landmarks is not None and float(np.ptp(face.landmarks, axis=0).max()) >= 1:
        transform = landmark_transform(face.landmarks, spec)
        if math.hypot(*transform[:, 0]) >= _MIN_SCALE:
            return transform
    height, width = image.shape[:2]
    if face.box == Box(0, 0, width, height):
        return _centered(face.box, spec)
    return box_transform(face.box, spec)


def broken_rule(face: Face, image: RGBImage) -> str | None:
    """Return what a face must have to be cropped from an (H, W, 3) image, and what it has.

    None if nothing is wrong.
    """
    box, points = face.box, face.landmarks
    if not is_visible(box, image):
        size = f"{image.shape[1]} × {image.shape[0]}"
        return f"a box that shows a part of the image, {size}. Received {box}"
    if not (min(box.width, box.height) >= MIN_SIDE and max(box.width, box.height) <= MAX_SIDE):
        return f"a box with sides of {MIN_SIDE} to {MAX_SIDE:,} pixels. Received {box}"
    if points is not None and not np.abs(points).max() <= MAX_SIDE:  # also NaN
        received = f"Received {points.tolist()}"
        return f"landmarks from {-MAX_SIDE:,} to {MAX_SIDE:,} pixels. {received}"
    return None


def is_visible(box: Box, image: RGBImage) -> bool:
    """Whether some of a box is inside an (H, W, 3) image."""
    height, width = image.shape[:2]
    return box.right > 0 and box.bottom > 0 and box.left < width and box.top < height


def landmark_transform(landmarks: NDArray[np.float32], spec: InputSpec) -> NDArray[np.float64]:
    """Return the similarity transform that best moves five landmarks to the framing of a model.

    From (5, 2) pixels, not all equal, to a (2, 3) matrix from image to crop.
    """
    source = _as_complex(landmarks)
    target = _as_complex(_in_crop(FRAMING.astype(np.float64), spec))
    source_center, target_center = complex(source.mean()), complex(target.mean())
    source, target = source - source_center, target - target_center
    rotation = complex(np.sum(source.conj() * target) / np.sum(np.abs(source) ** 2))
    return _matrix(rotation, target_center - rotation * source_center)


def box_transform(box: Box, spec: InputSpec) -> NDArray[np.float64]:
    """Return the (2, 3) matrix that scales and shifts a box to its place in a training face."""
    corners = _in_crop(np.array(BOX_FRAMING).reshape(2, 2), spec)
    target_width, target_height = (corners[1] - corners[0]).tolist()
    # Boxes of other detectors have other aspect ratios: only area and center are used.
    scale = math.sqrt(target_width * target_height / (box.width * box.height))
    center = complex(*corners.mean(axis=0).tolist())
    return _matrix(complex(scale), center - scale * complex(*box.center))


def _as_complex(points: NDArray[np.floating]) -> NDArray[np.complex128]:
    return points[:, 0] + 1j * points[:, 1].astype(np.complex128)


def _in_crop(points: NDArray[np.float64], spec: InputSpec) -> NDArray[np.float64]:
    """Convert points relative to the training framing to pixels of the crop with its margin."""
    side = min(spec.height, spec.width)
    inside = (points + spec.margin) / (1 + 2 * spec.margin) * side
    return inside + np.array([spec.width - side, spec.height - side]) / 2


def _centered(box: Box, spec: InputSpec) -> NDArray[np.float64]:
    scale = min(spec.width / box.width, spec.height / box.height)
    center = complex(spec.width / 2, spec.height / 2)
    return _matrix(complex(scale), center - scale * complex(*box.center))


def _matrix(rotation: complex, shift: complex) -> NDArray[np.float64]:
    """(2, 3) matrix of the transform z → rotation · z + shift, the scale being in `rotation`."""
    a, b = rotation.real, rotation.imag
    return np.array([[a, -b, shift.real], [b, a, shift.imag]], dtype=np.float64)


def warp(image: RGBImage, transform: NDArray[np.float64], spec: InputSpec) -> NDArray[np.uint8]:
    """Apply a transform with one interpolation, after averaging where it downsizes by 2 or more.

    From (H, W, 3) uint8 RGB to (spec.height, spec.width, 3), by a matrix as of `face_transform`.
    """
    matrix = transform.copy()
    scale = math.hypot(matrix[0, 0], matrix[1, 0])
    left, top, right, bottom = _region(image, matrix, spec)
    region = image[top:bottom, left:right]
    matrix[:, 2] += matrix[:, :2] @ (left, top)
    factor = min(math.floor(1 / scale + 1e-6), max(region.shape))
    if factor > 1:
        # Average over factor × factor pixels: bilinear interpolation alone would skip pixels.
        below, right = -region.shape[0] % factor, -region.shape[1] % factor
        padded = cv2.copyMakeBorder(region, 0, below, 0, right, cv2.BORDER_REPLICATE)
        size = padded.shape[1] // factor, padded.shape[0] // factor
        region = cv2.resize(padded, size, interpolation=cv2.INTER_AREA)
        matrix[:, :2] *= factor
    # OpenCV's coordinates start at the center of the first pixel.
    matrix[:, 2] += matrix[:, :2] @ (0.5, 0.5) - 0.5
    size = spec.width, spec.height
    crop = cv2.warpAffine(region, matrix, size, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(crop, dtype=np.uint8)


def _region(
    image: RGBImage, matrix: NDArray[np.float64], spec: InputSpec
) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of the region that the crop shows, padded; at least one pixel."""
    corners = np.array([[x, y] for y in (0.0, spec.height) for x in (0.0, spec.width)])
    visible = (corners - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T
    padding = 2 + 2 / math.hypot(matrix[0, 0], matrix[1, 0])
    size = np.array([image.shape[1], image.shape[0]])
    low = np.clip(np.floor(visible.min(axis=0) - padding), 0, size - 1).astype(int)
    high = np.clip(np.ceil(visible.max(axis=0) + padding), low + 1, size).astype(int)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])
