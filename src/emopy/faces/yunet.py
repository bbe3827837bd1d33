"""YuNet: one small network that detects faces and landmarks; its file is fetched on request.

Source: Wu, Peng, Yu 2023, "YuNet: A Tiny Millisecond-level Face Detector",
https://doi.org/10.1007/s11633-023-1423-y.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from emopy.errors import InputError, ModelError, ModelNotFoundError
from emopy.faces.alignment import is_visible
from emopy.faces.detectors import check_min_score, largest_first, register_detector
from emopy.forking import fork_safe_lock
from emopy.media.cameras import quiet_opencv
from emopy.models.fetch import fetched_path
from emopy.types import Box, Face, RGBImage, check_rgb

NMS_IOU = 0.3
"""Largest intersection over union of two faces."""

MAX_CANDIDATES = 5000
"""Most candidates before non-maximum suppression."""

MIN_SIDE_PX = 32
"""Smallest `max_side_px`."""


@register_detector("yunet")
class YuNet:
    """Find faces with OpenCV's ``FaceDetectorYN``.

    Thread-safe: calls from several threads run one after the other.

    Args:
        model_path: The ONNX file; None takes the one that ``emopy models fetch yunet`` keeps.
        min_score: Smallest score of a face, between 0 and 1; a lower one finds more faces, and
            more false positives.
        max_side_px: Larger images are resized to this longer side: the network detects faces of
            about 10 to 300 pixels. Increase it to find tiny faces in large images.

    Raises:
        ModelNotFoundError: No such file.
        ModelError: The file is not a YuNet network.
        InputError: A setting out of range.
    """

    def __init__(
        self,
        model_path: str | Path | None = None,
        *,
        min_score: float = 0.7,
        max_side_px: int = 640,
    ) -> None:
        check_min_score(min_score)
        if max_side_px < MIN_SIDE_PX:
            raise InputError(
                f"`max_side_px` must be {MIN_SIDE_PX} or more. Received {max_side_px}. "
                "Type for example: 640"
            )
        path = fetched_path("yunet") if model_path is None else Path(model_path)
        if not path.is_file():
            raise ModelNotFoundError(
                f"`model_path` must be an ONNX file. Received {str(path)!r}, which is not there. "
                "Leave it out and type: emopy models fetch yunet"
            )
        self.max_side_px = max_side_px
        self._settings = path, min_score
        self._lock = fork_safe_lock()
        self._net = _open(path, min_score)

    def __reduce__(self) -> tuple[Any, ...]:
        # OpenCV's networks cannot be copied: a copy opens its own.
        path, min_score = self._settings
        return partial(YuNet, path, min_score=min_score, max_side_px=self.max_side_px), ()

    def __call__(self, image: RGBImage) -> tuple[Face, ...]:
        """Find faces in a (H, W, 3) uint8 RGB image, largest first."""
        check_rgb(image)
        height, width = image.shape[:2]
        if min(height, width) < 8:
            return ()
        scale = min(1.0, self.max_side_px / max(height, width))
        size = max(8, round(width * scale)), max(8, round(height * scale))
        pixels = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
        if scale < 1:
            pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
        with self._lock:
            self._net.setInputSize(size)
            # None where there is no face, unlike in OpenCV's annotations.
            rows = cast("NDArray[np.float32] | None", self._net.detect(pixels)[1])
        zoom = np.array([width / size[0], height / size[1]], dtype=np.float32)
        found = () if rows is None else rows
        faces = (_to_face(row, zoom) for row in found if row[2] > 0 and row[3] > 0)
        return largest_first(face for face in faces if is_visible(face.box, image))


def _open(path: Path, min_score: float) -> cv2.FaceDetectorYN:
    settings = (320, 320), min_score, NMS_IOU, MAX_CANDIDATES
    try:
        with quiet_opencv():  # it prints irrelevant warnings about its own engine
            # On Windows OpenCV opens no path with letters that its code page does not have.
            network = np.frombuffer(path.read_bytes(), np.uint8)
            return cv2.FaceDetectorYN.create("onnx", network, np.empty(0, np.uint8), *settings)
    except cv2.error as error:
        raise ModelError(
            f"{path} must be a YuNet network in ONNX. Received a file that OpenCV refuses. "
            "Type: emopy models fetch yunet"
        ) from error


def _to_face(row: NDArray[np.float32], zoom: NDArray[np.float32]) -> Face:
    """Convert a row: left, top, width, height, five points (person's right first), score."""
    left, top = (row[0:2] * zoom).tolist()
    width, height = (row[2:4] * zoom).tolist()
    # The person's right is on the left of the image, which is the order of `Face`.
    landmarks = (row[4:14].reshape(5, 2) * zoom).astype(np.float32)
    score = min(1.0, max(0.0, float(row[14])))
    return Face(Box(left, top, left + width, top + height), score, landmarks)
