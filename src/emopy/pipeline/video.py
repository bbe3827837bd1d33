"""Video frames: faces are detected and tracked, predicted, and smoothed over time."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from emopy.errors import InputError
from emopy.escaping import one_line
from emopy.faces import TrackingDetector, align_face
from emopy.media import Video, prefetch, read_image
from emopy.media.arrays import ColorOrder, from_array
from emopy.media.prefetch import Prefetcher
from emopy.models import InputSpec
from emopy.pipeline.images import CropPredictor
from emopy.pipeline.smoothing import Smoother
from emopy.types import Face, FacePrediction, Frame, ImageResult

_log = logging.getLogger("emopy")

DetectedFrames: TypeAlias = (
    Generator[tuple[Frame, tuple[Face, ...]]] | Prefetcher[tuple[Frame, tuple[Face, ...]]]
)
"""Frames of a video with their faces."""

_FORGET_S = 10.0
"""Seconds after which the state of an ended track is deleted."""

_MAX_AHEAD = 2
"""Frames whose faces are detected in advance; they bound the memory."""


def detect_frames(
    frames: Iterable[Frame],
    detect: TrackingDetector,
    *,
    color: ColorOrder = "rgb",
    threads: int = 1,
) -> DetectedFrames:
    """Return each frame, in RGB, with its faces; to be closed.

    Args:
        frames: In the order of time, consumed as the results are.
        detect: Detects the faces and assigns track numbers.
        color: Order of the channels of the frames.
        threads: With 2 or more, the faces of the next frames of a video file are detected in a
            thread of its own while the results are used: at most three frames more are then in
            memory. No result waits for the next frame. Live frames are never taken in advance.

    Raises:
        InputError: Something other than a `Frame`, or its image is none that `read_image` accepts.
    """
    detected = _detect(frames, detect, color)
    if threads > 1 and isinstance(frames, Video) and not frames.is_live:
        return prefetch(detected, max_items=_MAX_AHEAD)
    return detected


def predict_frames(
    detected: DetectedFrames,
    *,
    source: str,
    spec: InputSpec,
    predict: CropPredictor,
    smooth: Smoother,
) -> Generator[tuple[Frame, ImageResult]]:
    """Yield each frame with its result.

    Args:
        detected: The frames with their faces, from `detect_frames`; closed at the end.
        source: Name of the video in the results.
        spec: Input of the model; a model of clips gets each face with the last frames of its
            track.
        predict: Returns the predictions of crops or clips.
        smooth: Smooths the predictions of each track.
    """
    clips = _TrackClips(spec.frames)
    with closing(detected):
        for frame, faces in detected:
            crops = [align_face(frame.image, face, spec) for face in faces]
            samples = crops if spec.frames == 1 else clips.append(faces, crops, frame.time_s)
            predicted = tuple(
                FacePrediction(face, smooth(prediction, face.track, frame.time_s))
                for face, prediction in zip(faces, predict(samples), strict=True)
            )
            smooth.forget(before_s=frame.time_s - _FORGET_S)
            size = (frame.image.shape[1], frame.image.shape[0])
            yield frame, ImageResult(source, size, predicted, frame.time_s, frame.number)


class VideoResults(Iterator[ImageResult]):
    """The results of a video, which is closed at the end, or when these are closed or deleted.

    What was missing of the video is logged at its end.
    """

    def __init__(self, video: Video, results: Generator[tuple[Frame, ImageResult]]) -> None:
        self._video = video
        self._results = _until_end(video, results)

    def __next__(self) -> ImageResult:
        return next(self._results)

    def close(self) -> None:
        """Close the video, also where no result was taken yet."""
        self._results.close()
        self._video.close()

    def __del__(self) -> None:
        self.close()


def _until_end(
    video: Video, results: Generator[tuple[Frame, ImageResult]]
) -> Generator[ImageResult]:
    with closing(results), video:  # the video first: what takes its frames then ends at once
        for _, result in results:
            yield result
    if shortfall := video.shortfall:
        _log.warning("%s", one_line(shortfall))


def _detect(
    frames: Iterable[Frame], detect: TrackingDetector, color: ColorOrder
) -> Generator[tuple[Frame, tuple[Face, ...]]]:
    for given in frames:
        frame = _converted(given, color)
        yield frame, detect(frame.image, frame.time_s)


def _converted(frame: Frame, color: ColorOrder) -> Frame:
    """The frame with an RGB image: itself, or a copy with a converted image."""
    if not isinstance(frame, Frame):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InputError(
            f"`frames` must be `Frame` records. Received {type(frame).__name__}. "
            "Type: Frame(image, time_s=seconds, number=n)"
        )
    image = frame.image
    if isinstance(image, np.ndarray):  # pyright: ignore[reportUnnecessaryIsInstance]
        image = from_array(image, f"frame {frame.number}", color)
    else:
        image = read_image(image)
    return frame if image is frame.image else replace(frame, image=image)


class ClipBuffer:
    """The last `frames` crops of one face, as many as a model of clips takes."""

    def __init__(self, frames: int) -> None:
        self._frames = frames
        self._crops: deque[NDArray[np.uint8]] = deque(maxlen=frames)

    def append(self, crop: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
        """Add a crop and return the last ones; the first crop fills the whole clip."""
        self._crops.extend([crop] * (1 if self._crops else self._frames))
        return list(self._crops)


class _TrackClips:
    """One clip buffer for each track."""

    def __init__(self, frames: int) -> None:
        self._frames = frames
        self._buffers: dict[int | None, tuple[float, ClipBuffer]] = {}

    def append(
        self, faces: Sequence[Face], crops: Sequence[NDArray[np.uint8]], time_s: float
    ) -> list[list[NDArray[np.uint8]]]:
        """Add the crop of each face to its track and return the clips."""
        clips: list[list[NDArray[np.uint8]]] = []
        for face, crop in zip(faces, crops, strict=True):
            known = self._buffers.get(face.track)
            buffer = known[1] if known else ClipBuffer(self._frames)
            clips.append(buffer.append(crop))
            if face.track is not None:
                self._buffers[face.track] = (time_s, buffer)
        self._buffers = {
            track: (seen_s, buffer)
            for track, (seen_s, buffer) in self._buffers.items()
            if seen_s >= time_s - _FORGET_S
        }
        return clips
