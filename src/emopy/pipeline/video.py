"""Frames of a video: faces are followed, judged, and what they show is steadied over time."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from emopy.errors import InputError
from emopy.faces import TrackingDetector, align_face
from emopy.models import InputSpec
from emopy.pipeline.images import CropPredictor
from emopy.pipeline.smoothing import Smoother
from emopy.types import Face, FacePrediction, Frame, ImageResult

_FORGET_S = 10.0
"""Seconds after which nothing of a track that was lost is kept."""


def predict_frames(
    frames: Iterable[Frame],
    *,
    source: str,
    follow: TrackingDetector,
    spec: InputSpec,
    judge: CropPredictor,
    smooth: Smoother,
) -> Generator[tuple[Frame, ImageResult]]:
    """Give each frame with what its faces show.

    Args:
        frames: In the order of time, consumed as the results are.
        source: Name of the video in the results.
        follow: Finds the faces and numbers them.
        spec: What the network takes; where it reads clips, each face is judged together with
            the last frames of its track.
        judge: Says what crops or clips show.
        smooth: Steadies it.

    Raises:
        InputError: Something else than a `Frame`.
    """
    clips = _Clips(spec.frames)
    for frame in frames:
        if not isinstance(frame, Frame):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InputError(
                f"`frames` must be `Frame` records. Received {type(frame).__name__}. "
                "Type: Frame(image, time_s=seconds, number=n)"
            )
        faces = follow(frame.image, frame.time_s)
        crops = [align_face(frame.image, face, spec) for face in faces]
        items = crops if spec.frames == 1 else clips.extended(faces, crops, frame.time_s)
        seen = [
            FacePrediction(face, smooth(shown, face.track, frame.time_s))
            for face, shown in zip(faces, judge(items), strict=True)
        ]
        smooth.forget(before_s=frame.time_s - _FORGET_S)
        size = (frame.image.shape[1], frame.image.shape[0])
        yield frame, ImageResult(source, size, tuple(seen), frame.time_s, frame.number)


class Clip:
    """The last crops of one face, as many as a network reads; before the first it is repeated.

    Args:
        frames: Length T of the clips that the network reads.
    """

    def __init__(self, frames: int) -> None:
        self._frames = frames
        self._crops: deque[NDArray[np.uint8]] = deque(maxlen=frames)

    def add(self, crop: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
        """Take the next crop, and give the T crops that end with it."""
        self._crops.extend([crop] * (1 if self._crops else self._frames))
        return list(self._crops)


class _Clips:
    """The clip of each track."""

    def __init__(self, frames: int) -> None:
        self._frames = frames
        self._kept: dict[int | None, tuple[float, Clip]] = {}

    def extended(
        self, faces: Sequence[Face], crops: Sequence[NDArray[np.uint8]], time_s: float
    ) -> list[list[NDArray[np.uint8]]]:
        """Each crop at the end of its track's clip."""
        clips: list[list[NDArray[np.uint8]]] = []
        for face, crop in zip(faces, crops, strict=True):
            clip = self._kept[face.track][1] if face.track in self._kept else Clip(self._frames)
            clips.append(clip.add(crop))
            if face.track is not None:
                self._kept[face.track] = (time_s, clip)
        self._kept = {
            track: kept for track, kept in self._kept.items() if kept[0] >= time_s - _FORGET_S
        }
        return clips
