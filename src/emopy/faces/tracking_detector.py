"""`TrackingDetector`: faces of a video, detected at intervals and refined in between."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from emopy.errors import InputError
from emopy.faces.detectors import Detector, detect, largest_first
from emopy.faces.tracker import PredictedBox, Tracker
from emopy.types import Box, Face, RGBImage, check_rgb

SAME_FACE_IOU, DIFFERENT_FACE_IOU = 0.5, 0.3
"""Intersection over union from which two boxes are one face, and below which they are two."""

UNCONFIRMED_S = 1.0
"""Longest time, in seconds, that a face is refined although detection misses it."""


@runtime_checkable
class Refiner(Detector, Protocol):
    """A detector that can also find faces near given boxes, without searching the image."""

    def refine(self, image: RGBImage, boxes: Sequence[Box]) -> tuple[Face | None, ...]:
        """Return one face or None for each box, in the order of the boxes; each face once."""
        ...


class TrackingDetector:
    """Detect the faces of one video, frame by frame, and assign track numbers.

    Searching the full image is slow, refining a known face is fast. With a detector that can do
    both (`MTCNN`) the image is searched every `keyframe_s`, after a shot change, and when a face is
    lost; in between each face is refined at the place that the tracker predicts. Other detectors
    search every frame.

    A face that appears between two searches is detected by the next one: up to `keyframe_s` later.
    A face that is hidden or missed for a moment is looked for at its predicted place in every
    frame. A face that the searches miss for a second is dropped: it may be a false positive.

    Args:
        detector: Takes an RGB image, returns its faces.
        keyframe_s: Seconds between searches of the full image; 0 searches every frame.
        tracker: Assigns the track numbers; None takes a new `Tracker`.

    Raises:
        InputError: `keyframe_s` is negative or not a number.

    Example:
        >>> import numpy as np
        >>> from emopy.faces import FullImage
        >>> detect = TrackingDetector(FullImage())
        >>> image = np.zeros((48, 48, 3), np.uint8)
        >>> [detect(image, time_s)[0].track for time_s in (0.0, 0.04, 0.08)]
        [1, 1, 1]
    """

    def __init__(
        self, detector: Detector, *, keyframe_s: float = 0.2, tracker: Tracker | None = None
    ) -> None:
        if not 0 <= keyframe_s < math.inf:
            raise InputError(
                f"`keyframe_s` must be 0 or more seconds. Received {keyframe_s}. "
                "Type for example: 0.2"
            )
        self.detector = detector
        self.keyframe_s = keyframe_s
        self.tracker = Tracker() if tracker is None else tracker
        self._searched_s = -math.inf
        self._shot = 0
        self._missed_s: dict[int, float] = {}

    def __call__(self, image: RGBImage, time_s: float) -> tuple[Face, ...]:
        """Detect the faces of the next frame, largest first, each with its `track`.

        Args:
            image: (H, W, 3) uint8 RGB.
            time_s: Time of the frame in seconds, not before that of the last frame.

        Raises:
            InputError: `time_s` is not a finite number, not an RGB image, or the detector returns
                no faces in an accepted form.
        """
        check_rgb(image)
        tracked = self.tracker.predict_boxes(time_s, image)
        if not isinstance(self.detector, Refiner) or self.keyframe_s == 0:
            return largest_first(self.tracker.update(detect(self.detector, image), time_s, image))
        missed_s = {box.track: self._missed_s.get(box.track, time_s) for box in tracked}
        predicted = [box for box in tracked if time_s - missed_s[box.track] <= UNCONFIRMED_S]
        refined = self.detector.refine(image, [one.box for one in predicted])
        if not self._must_search(predicted, refined, time_s):
            faces = [face for face in refined if face is not None]
            return largest_first(self.tracker.update(faces, time_s, image))
        faces, confirmed = _merge(detect(self.detector, image), refined)
        numbered = self.tracker.update(faces, time_s, image)
        self._searched_s, self._shot = time_s, self.tracker.shot
        tracks = {face.track for face in numbered[:confirmed]}
        self._missed_s = {track: s for track, s in missed_s.items() if track not in tracks}
        return largest_first(numbered)

    def _must_search(
        self, predicted: Sequence[PredictedBox], refined: Sequence[Face | None], time_s: float
    ) -> bool:
        lost = any(
            face is None and box.lost_s is None
            for box, face in zip(predicted, refined, strict=True)
        )
        due = time_s - self._searched_s >= self.keyframe_s
        return lost or due or self.tracker.shot != self._shot


def _merge(detected: Sequence[Face], refined: Sequence[Face | None]) -> tuple[list[Face], int]:
    """Merge detected and refined faces, each person once; also count those that were detected.

    The detected ones come first. A face that is both keeps its refined box, so that it does not
    jump. A refined face that detection misses, such as a tilted one, is kept.
    """
    confirmed: list[Face] = []
    unconfirmed: list[Face] = []
    new = list(detected)
    for face in refined:
        if face is None:
            continue
        overlaps = [face.box.iou(other.box) for other in new]
        if overlaps and max(overlaps) >= SAME_FACE_IOU:
            confirmed.append(face)
            new.pop(int(np.argmax(overlaps)))
        else:
            unconfirmed.append(face)
    faces = [*confirmed, *new]
    separate = [
        face
        for face in unconfirmed
        if all(face.box.iou(other.box) < DIFFERENT_FACE_IOU for other in faces)
    ]
    return [*faces, *separate], len(faces)
