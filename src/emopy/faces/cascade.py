"""Array operations of the MTCNN cascade: pyramid, candidate boxes, box regression, NMS, crops.

Boxes are rows (left, top, right, bottom) of float32 arrays. No network runs here.

The published weights were trained on transposed images: the networks take (n, W, H, 3), but their
outputs have x and y in the usual order. Only `to_input` and `candidate_boxes` deal with that.

Source: Zhang, Zhang, Li, Qiao 2016, "Joint Face Detection and Alignment Using Multitask Cascaded
Convolutional Networks", https://doi.org/10.1109/LSP.2016.2603342.
"""

from __future__ import annotations

import math
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Measure = Literal["union", "smaller"]

CELL_PX = 12
"""Side of P-Net's window, in pixels of a pyramid level."""

STRIDE_PX = 2
"""Step between two windows of P-Net, in pixels of a pyramid level."""


def pyramid_scales(height: int, width: int, *, min_face_size: float, factor: float) -> list[float]:
    """Return the scales at which faces from `min_face_size` pixels on fill P-Net's window.

    Largest first, each `factor` times the one before; none where the image is smaller.
    """
    scale = CELL_PX / min_face_size
    scales: list[float] = []
    while min(height, width) * scale >= CELL_PX:
        scales.append(scale)
        scale *= factor
    return scales


def resize_level(
    image: NDArray[np.uint8], level: NDArray[np.uint8], scale: float
) -> NDArray[np.uint8]:
    """Compute a pyramid level from the level before it, which is faster than from the image.

    The original image sets the size of the level; the level before may be that image.
    """
    rows = max(CELL_PX, math.ceil(image.shape[0] * scale))
    columns = max(CELL_PX, math.ceil(image.shape[1] * scale))
    # Between half and full size, interpolation loses nothing; below, pixels must be averaged.
    method = cv2.INTER_AREA if 2 * rows < level.shape[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(level, (columns, rows), interpolation=method), dtype=np.uint8)


def to_input(images: NDArray[np.uint8]) -> Floats:
    """Convert (n, H, W, 3) RGB to the networks' input: (n, W, H, 3), scaled to about -1–1."""
    tensor = np.ascontiguousarray(images.transpose(0, 2, 1, 3)).astype(np.float32)
    tensor -= np.float32(127.5)
    tensor *= np.float32(1 / 128)
    return tensor


def candidate_boxes(
    scores: Floats, offsets: Floats, *, scale: float, threshold: float
) -> tuple[Floats, Floats]:
    """Return the windows of one pyramid level that P-Net classifies as faces.

    Args:
        scores: (columns, rows) probability of a face, as P-Net outputs it.
        offsets: (columns, rows, 4) regression of each window's edges, in window widths.
        scale: Scale of the level.
        threshold: Smallest score to keep.

    Returns:
        (n, 4) boxes in pixels of the image, regressed, and their (n,) scores.
    """
    column, row = np.nonzero(scores >= threshold)
    corner = np.stack([column, row], axis=1).astype(np.float32) * STRIDE_PX
    boxes = np.concatenate([corner, corner + CELL_PX], axis=1) / np.float32(scale)
    return regress(boxes, offsets[column, row]), scores[column, row]


def regress(boxes: Floats, offsets: Floats) -> Floats:
    """Move the edges of boxes by offsets in widths and heights of the box."""
    sides = boxes[:, 2:] - boxes[:, :2]
    return (boxes + offsets * np.concatenate([sides, sides], axis=1)).astype(np.float32)


def to_squares(boxes: Floats) -> Floats:
    """Widen the shorter side of each box about its center until the box is square."""
    center = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = np.max(boxes[:, 2:] - boxes[:, :2], axis=1, keepdims=True) / 2
    return np.concatenate([center - half, center + half], axis=1).astype(np.float32)


def nms(
    boxes: Floats, scores: Floats, *, threshold: float, measure: Measure = "union"
) -> NDArray[np.intp]:
    """Non-maximum suppression: of boxes that overlap too much, keep the best.

    Args:
        boxes: (n, 4).
        scores: (n,).
        threshold: Largest overlap that two kept boxes may have, 0–1.
        measure: What the intersection is divided by: the ``"union"`` of both boxes (IoU), or the
            ``"smaller"`` box, which also removes a box inside a larger one.

    Returns:
        Rows to keep, best first.
    """
    order = np.argsort(-scores, kind="stable")
    areas = np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0), axis=1)
    kept: list[int] = []
    while order.size:
        best, rest = order[0], order[1:]
        kept.append(int(best))
        low = np.maximum(boxes[rest, :2], boxes[best, :2])
        high = np.minimum(boxes[rest, 2:], boxes[best, 2:])
        intersection = np.prod(np.maximum(high - low, 0), axis=1)
        if measure == "smaller":
            reference = np.minimum(areas[rest], areas[best])
        else:
            reference = areas[rest] + areas[best] - intersection
        order = rest[intersection <= threshold * reference]
    return np.asarray(kept, dtype=np.intp)


def crop_squares(image: NDArray[np.uint8], squares: Floats, side_px: int) -> NDArray[np.uint8]:
    """Crop (n, 4) squares and resize them to (n, side_px, side_px, 3).

    Squares may reach beyond the image: pixels there are black.
    """
    height, width = image.shape[:2]
    crops = np.zeros((len(squares), side_px, side_px, 3), dtype=np.uint8)
    edges = np.round(squares).astype(np.intp)
    edges[:, 2:] = np.maximum(edges[:, 2:], edges[:, :2] + 1)
    for crop, (left, top, right, bottom) in zip(crops, edges.tolist(), strict=True):
        inside = image[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
        if not inside.size:
            continue
        if left < 0 or top < 0 or right > width or bottom > height:
            padded = np.zeros((bottom - top, right - left, 3), dtype=np.uint8)
            y, x = max(-top, 0), max(-left, 0)
            padded[y : y + inside.shape[0], x : x + inside.shape[1]] = inside
            inside = padded
        method = cv2.INTER_AREA if inside.shape[0] > 2 * side_px else cv2.INTER_LINEAR
        cv2.resize(inside, (side_px, side_px), dst=crop, interpolation=method)
    return crops
