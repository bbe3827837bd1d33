"""Non-maximum suppression: of boxes that overlap too much, keep the best."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Measure = Literal["union", "smaller"]

_BLOCK = 128
"""Boxes that are compared with all others at once."""


def nms(
    boxes: Floats,
    scores: Floats,
    *,
    threshold: float,
    measure: Measure = "union",
    groups: NDArray[np.intp] | None = None,
) -> NDArray[np.intp]:
    """Return the rows of the boxes to keep, best first.

    Args:
        boxes: (n, 4) float32 of left, top, right, bottom.
        scores: (n,).
        threshold: Largest overlap that two kept boxes may have, 0–1.
        measure: What the intersection is divided by: the ``"union"`` of both boxes (IoU), or the
            ``"smaller"`` box, which also removes a box inside a larger one.
        groups: (n,) numbers: only boxes of one group are compared. None compares all.

    Example:
        >>> boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [50, 50, 60, 60]], np.float32)
        >>> nms(boxes, np.array([0.7, 0.9, 0.8], np.float32), threshold=0.5).tolist()
        [1, 2]
    """
    order = np.argsort(-scores, kind="stable")
    kept: list[NDArray[np.intp]] = []
    while order.size:
        best = order[:_BLOCK]
        too_near = _overlap(boxes[best], boxes[order], threshold, measure)
        if groups is not None:
            too_near &= groups[best, None] == groups[order]
        chosen = _choose(too_near[:, : len(best)])
        kept.append(best[chosen])
        order = order[len(best) :][~too_near[chosen, len(best) :].any(axis=0)]
    return np.concatenate(kept) if kept else order


def _choose(too_near: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Indices of the boxes to keep, of boxes that are sorted by score."""
    free = np.ones(len(too_near), np.bool_)
    for i in np.flatnonzero(too_near.sum(axis=1) > 1).tolist():  # each is near itself
        if free[i]:
            free[i + 1 :] &= ~too_near[i, i + 1 :]
    return np.flatnonzero(free)


def _overlap(
    boxes: Floats, others: Floats, threshold: float, measure: Measure
) -> NDArray[np.bool_]:
    """(n, m) whether each of n boxes overlaps each of m others too much."""
    left, top, right, bottom = boxes.T[..., None]
    other_left, other_top, other_right, other_bottom = others.T
    width = np.minimum(right, other_right) - np.maximum(left, other_left)
    height = np.minimum(bottom, other_bottom) - np.maximum(top, other_top)
    intersection = np.maximum(width, 0) * np.maximum(height, 0)
    area = np.maximum(right - left, 0) * np.maximum(bottom - top, 0)
    other_area = np.maximum(other_right - other_left, 0) * np.maximum(other_bottom - other_top, 0)
    if measure == "smaller":
        return intersection > threshold * np.minimum(area, other_area)
    return intersection > threshold * (area + other_area - intersection)
