"""`Summary`: per face of a video, seconds visible, proportions of emotions, and episodes.

    summary = Summary(model.labels)
    for result in model.predict_video("clip.mp4"):
        summary.add(result)
    print(summary_text(summary))  # emopy.present.summary_text

Results are not kept: only sums and episodes per track.
"""

from __future__ import annotations

import copy
import math
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from emopy.errors import InputError
from emopy.escaping import escape_undecodable
from emopy.result_table import check_labels
from emopy.types import (
    FacePrediction,
    ImageResult,
    Prediction,
    round_number,
    round_time,
)
from emopy.video.episodes import Episode, EpisodeBuilder
from emopy.video.time_bins import FrameDurations, check_min_duration

_MIN_WEIGHT_S = 1e-9
"""Least weight of a frame in seconds: a video of one frame has proportions too."""

_TIME_TOLERANCE_S = 1e-6
"""Times that differ by less are equal."""


@dataclass(frozen=True, slots=True)
class TrackSummary:
    """Summary of one face of a video.

    Attributes:
        track: Track id.
        first_s: When it was first visible, in seconds of the video.
        last_s: When it was last visible: the end of its last frame.
        seen_s: Seconds for which it was visible in total; gaps do not count.
        frames: Number of frames in which it was found.
        proportions: Proportion of `seen_s` for which each emotion was the predicted one, 0–1.
        not_sure: Proportion of `seen_s` for which the model was not sure, 0–1. The sum of
            `proportions` and `not_sure` is 1.
        mean_probabilities: Mean probability of each emotion over `seen_s`, 0–1.
        episodes: Episodes in the order of time.
    """

    track: int
    first_s: float
    last_s: float
    seen_s: float
    frames: int
    proportions: dict[str, float]
    not_sure: float
    mean_probabilities: dict[str, float]
    episodes: tuple[Episode, ...]

    @property
    def emotion(self) -> str | None:
        """The emotion with the largest proportion; None where "not sure" has a larger one."""
        label = max(self.proportions, key=self.proportions.__getitem__)
        return label if self.proportions[label] >= self.not_sure else None

    def to_dict(self) -> dict[str, Any]:
        """Return an object that JSON can hold: the attributes and ``emotion``, rounded."""
        return {
            "track": self.track,
            "first_s": round_time(self.first_s),
            "last_s": round_time(self.last_s),
            "seen_s": round_time(self.seen_s),
            "frames": self.frames,
            "emotion": self.emotion,
            "proportions": {label: round_number(p) for label, p in self.proportions.items()},
            "not_sure": round_number(self.not_sure),
            "mean_probabilities": {k: round_number(p) for k, p in self.mean_probabilities.items()},
            "episodes": [episode.to_dict() for episode in self.episodes],
        }


class Summary:
    """Summarizes a video face by face, one result at a time.

    A frame counts until the next frame. Across a gap (damaged frames, a cut recording) it counts
    for three typical frame durations, or for one second if that is longer.

    Args:
        labels: Labels of every prediction, in order.
        min_episode_s: Shorter episodes are merged into their neighbors, and a face that is lost
            for a shorter time continues its episode. Seconds.
        min_duration_s: Faces that are visible for less, in total, are left out of `tracks`.
            Seconds.

    Attributes:
        source: Where the frames came from.
        frames: Number of frames added.
        min_duration_s: As given.

    Example:
        >>> Summary(("anger", "fear")).tracks
        ()
    """

    def __init__(
        self, labels: Sequence[str], *, min_episode_s: float = 0.25, min_duration_s: float = 0.0
    ) -> None:
        if not (min_episode_s >= 0 and math.isfinite(min_episode_s)):
            raise InputError(
                f"`min_episode_s` must be zero or more seconds. Received {min_episode_s}. "
                "Type for example 0.25."
            )
        check_min_duration(min_duration_s)
        self.labels = tuple(labels)
        self.min_duration_s = min_duration_s
        self.frames = 0
        self.source = ""
        self._min_episode_s = min_episode_s
        self._covered_s = 0.0
        self._durations = FrameDurations()
        self._sums: dict[int, _TrackSums] = {}
        # Faces and start of the frames whose end is not known yet.
        self._open: deque[tuple[tuple[FacePrediction, ...], float]] = deque()

    def add(self, result: ImageResult) -> None:
        """Add the faces of the next frame.

        Raises:
            InputError: An image without a time, a time before the last one, a face without a
                track, or other labels.
        """
        check_labels(result, self.labels)
        for duration in self._durations.add(result):
            _count(self._sums, *self._open.popleft(), duration)
            self._covered_s += duration
        self._open.append((result.faces, self._durations.time_s or 0.0))
        for face in result.faces:
            self._sums.setdefault(_track(face), _TrackSums(len(self.labels), self._min_episode_s))
        self.frames += 1
        self.source = self.source or result.source

    @property
    def seconds(self) -> float:
        """Time that the frames cover in seconds, without long gaps."""
        return self._covered_s + len(self._open) * self._durations.typical_s

    @property
    def span_s(self) -> tuple[float, float]:
        """Start of the first and end of the newest frame, in seconds of the video."""
        if self._durations.start_s is None or self._durations.time_s is None:
            return 0.0, 0.0
        return self._durations.start_s, self._durations.time_s + self._durations.typical_s

    @property
    def tracks(self) -> tuple[TrackSummary, ...]:
        """One summary per face, in the order of track ids. More results may follow."""
        least_s = self.min_duration_s - _TIME_TOLERANCE_S
        return tuple(track for track in self._all_tracks() if track.seen_s >= least_s)

    @property
    def left_out(self) -> int:
        """Number of faces that are visible for less than `min_duration_s`."""
        return len(self._sums) - len(self.tracks)

    def _all_tracks(self) -> Iterable[TrackSummary]:
        # The duration of the newest frame is not known yet: the typical one is used.
        newest = [_track(face) for faces, _ in self._open for face in faces]
        sums = {**self._sums, **{track: copy.deepcopy(self._sums[track]) for track in newest}}
        for faces, start_s in self._open:
            _count(sums, faces, start_s, self._durations.typical_s)
        return (sums[track].summary(track, self.labels) for track in sorted(sums))

    def to_dict(self) -> dict[str, Any]:
        """Return an object that JSON can hold.

        Returns:
            Keys: ``source``, ``frames``, ``seconds`` and ``tracks``, each with the attributes of
            `TrackSummary` and ``emotion``. Proportions and probabilities have six significant
            digits, times six decimals.
        """
        return {
            "source": escape_undecodable(self.source),
            "frames": self.frames,
            "seconds": round_time(self.seconds),
            "tracks": [track.to_dict() for track in self.tracks],
        }


class _TrackSums:
    """Sums over the frames of one track."""

    def __init__(self, labels: int, min_episode_s: float) -> None:
        self.first_s: float | None = None
        self.last_s = 0.0
        self.seen_s = 0.0
        self.frames = 0
        self.predicted_s = np.zeros(labels + 1)  # the last one: not sure
        self.probability_s = np.zeros(labels)
        self.episodes = EpisodeBuilder(min_episode_s)

    def add(self, start_s: float, duration: float, prediction: Prediction) -> None:
        self.first_s = start_s if self.first_s is None else self.first_s
        self.last_s = start_s + duration
        self.seen_s += duration
        self.frames += 1
        weight = max(duration, _MIN_WEIGHT_S)
        emotion = prediction.emotion
        self.predicted_s[-1 if emotion is None else prediction.labels.index(emotion)] += weight
        self.probability_s += weight * prediction.probabilities
        self.episodes.add(start_s, self.last_s, emotion)

    def summary(self, track: int, labels: tuple[str, ...]) -> TrackSummary:
        *proportions, not_sure = (self.predicted_s / self.predicted_s.sum()).tolist()
        means = (self.probability_s / self.predicted_s.sum()).tolist()
        return TrackSummary(
            track=track,
            first_s=self.first_s or 0.0,
            last_s=self.last_s,
            seen_s=self.seen_s,
            frames=self.frames,
            proportions=dict(zip(labels, proportions, strict=True)),
            not_sure=not_sure,
            mean_probabilities=dict(zip(labels, means, strict=True)),
            episodes=self.episodes.finish(),
        )


def _track(face: FacePrediction) -> int:
    return face.face.track or 0  # a face without a track was refused


def _count(
    sums: dict[int, _TrackSums], faces: Iterable[FacePrediction], start_s: float, duration: float
) -> None:
    for face in faces:
        sums[_track(face)].add(start_s, duration, face.prediction)
