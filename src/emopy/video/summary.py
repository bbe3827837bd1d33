"""`Summary`: what a video showed, per face: seconds seen, shares of emotions, and episodes.

    summary = Summary(model.labels)
    for result in model.predict_video("clip.mp4"):
        summary.add(result)
    print(summary_text(summary))

Results are taken one by one and not kept: only sums per track, and the episodes themselves.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from emopy.errors import InputError
from emopy.present.panels import NOT_SURE
from emopy.present.record import microseconds, rounded, writable
from emopy.present.sink import check_labels
from emopy.present.text import DEFAULT_WIDTH, bars, clock, duration, one_line
from emopy.types import FacePrediction, ImageResult, Prediction
from emopy.video.durations import Durations
from emopy.video.episodes import Episode, Episodes

_MOST_TRACKS = 8
_MOST_EPISODES = 12

_LEAST_S = 1e-9
"""Seconds that a frame counts in shares: a video of one frame has shares too."""


@dataclass(frozen=True, slots=True)
class TrackSummary:
    """What one face of a video showed.

    Attributes:
        track: Its number.
        first_s: When it was first seen, in seconds of the video.
        last_s: When it was last seen: the end of its last frame.
        seen_s: How long it was seen in all; gaps do not count.
        frames: Frames that it was found in.
        shares: Part of `seen_s` for which each emotion was the dominant one, 0–1.
        unsure: Part of `seen_s` for which the model was not sure, 0–1. With `shares`, sum 1.
        means: Mean probability of each emotion over `seen_s`, 0–1.
        episodes: Runs of one dominant emotion, in order of time.
    """

    track: int
    first_s: float
    last_s: float
    seen_s: float
    frames: int
    shares: dict[str, float]
    unsure: float
    means: dict[str, float]
    episodes: tuple[Episode, ...]

    @property
    def emotion(self) -> str | None:
        """The emotion that was dominant longest; None where "not sure" was."""
        label = max(self.shares, key=self.shares.__getitem__)
        return label if self.shares[label] >= self.unsure else None


class Summary:
    """Adds up what each track shows, while results come.

    A frame counts until the next one that is read. Where none is read for long (damage, a cut
    recording), it counts for three usual steps, or for one second if that is longer.

    Args:
        labels: Labels of every prediction that will come, in order.
        shortest_s: Runs of one emotion that are shorter become part of their neighbours, and a
            face that is lost for a shorter time goes on with its episode. Seconds.

    Attributes:
        source: Where the frames came from.
        frames: Frames taken so far.

    Example:
        >>> Summary(("anger", "fear")).tracks
        ()
    """

    def __init__(self, labels: Sequence[str], *, shortest_s: float = 0.25) -> None:
        if not (shortest_s >= 0 and math.isfinite(shortest_s)):
            raise InputError(
                f"`shortest_s` must be zero or more seconds. Received {shortest_s}. "
                "Type for example 0.25."
            )
        self.labels = tuple(labels)
        self.frames = 0
        self.source = ""
        self._shortest_s = shortest_s
        self._covered_s = 0.0
        self._steps = Durations()
        self._sums: dict[int, _Sums] = {}
        self._last: tuple[FacePrediction, ...] = ()

    def add(self, result: ImageResult) -> None:
        """Take the faces of the next frame.

        Raises:
            InputError: An image without a time, an earlier time than before, a face without a
                track, or other labels.
        """
        check_labels(result, self.labels)
        start, step = self._steps.time_s, self._steps.take(result)
        if start is not None:
            _count(self._sums, self._last, start, step)
        self._last = result.faces
        for face in self._last:
            self._sums.setdefault(_track(face), _Sums(len(self.labels), self._shortest_s))
        self.frames += 1
        self._covered_s += step
        self.source = self.source or result.source

    @property
    def seconds(self) -> float:
        """Time that these frames cover, without long gaps."""
        return self._covered_s + self._steps.usual_s

    @property
    def tracks(self) -> tuple[TrackSummary, ...]:
        """One record per face, in the order of their numbers. More results may follow."""
        sums = self._sums
        if self._last and self._steps.time_s is not None:
            # How long the newest frame counts is not known yet: as long as frames usually do.
            shown = [_track(face) for face in self._last]
            sums = {**sums, **{track: copy.deepcopy(sums[track]) for track in shown}}
            _count(sums, self._last, self._steps.time_s, self._steps.usual_s)
        return tuple(sums[track].closed(track, self.labels) for track in sorted(sums))


class _Sums:
    """What is added up for one track."""

    def __init__(self, labels: int, shortest_s: float) -> None:
        self.first_s: float | None = None
        self.last_s = 0.0
        self.seen_s = 0.0
        self.frames = 0
        self.dominant = np.zeros(labels + 1)  # the last one: not sure
        self.belief = np.zeros(labels)
        self.episodes = Episodes(shortest_s)

    def count(self, start_s: float, step: float, prediction: Prediction) -> None:
        """Count one frame that is seen for `step` seconds."""
        self.first_s = start_s if self.first_s is None else self.first_s
        self.last_s = start_s + step
        self.seen_s += step
        self.frames += 1
        weight = max(step, _LEAST_S)
        emotion = prediction.emotion
        self.dominant[-1 if emotion is None else prediction.labels.index(emotion)] += weight
        self.belief += weight * prediction.probabilities
        self.episodes.add(start_s, self.last_s, emotion)

    def closed(self, track: int, labels: tuple[str, ...]) -> TrackSummary:
        """The record of these sums."""
        *shares, unsure = (self.dominant / self.dominant.sum()).tolist()
        means = (self.belief / self.dominant.sum()).tolist()
        return TrackSummary(
            track=track,
            first_s=self.first_s or 0.0,
            last_s=self.last_s,
            seen_s=self.seen_s,
            frames=self.frames,
            shares=dict(zip(labels, shares, strict=True)),
            unsure=unsure,
            means=dict(zip(labels, means, strict=True)),
            episodes=self.episodes.closed(),
        )


def summary_record(summary: Summary) -> dict[str, Any]:
    """Turn a summary into a dictionary that JSON can hold.

    Returns:
        Keys: source, frames, seconds, tracks; each track with the attributes of `TrackSummary`
        and ``emotion``. Shares and means have six significant digits, times are in seconds.
    """
    return {
        "source": writable(summary.source),
        "frames": summary.frames,
        "seconds": microseconds(summary.seconds),
        "tracks": [_track_record(track) for track in summary.tracks],
    }


def summary_text(summary: Summary, *, width: int = DEFAULT_WIDTH) -> str:
    """Describe a summary in lines of text, without an end of line.

    Args:
        summary: What was added up.
        width: Columns to fit into.

    Returns:
        A header; per face, longest seen first, how much of the time each emotion was dominant,
        and its episodes. At most 8 faces and 12 episodes each; the rest is counted.
    """
    tracks = sorted(summary.tracks, key=lambda track: -track.seen_s)
    count = len(tracks)
    found = "no face found" if count == 0 else "1 face" if count == 1 else f"{count} faces"
    frames = "1 frame" if summary.frames == 1 else f"{summary.frames:,} frames"
    lines = [f"{one_line(summary.source)} · {duration(summary.seconds)} · {frames} · {found}"]
    for track in tracks[:_MOST_TRACKS]:
        span = f"{clock(track.first_s)}–{clock(track.last_s)}"
        lines += ["", f"  face {track.track} · seen for {duration(track.seen_s)} in {span}"]
        doubt = {NOT_SURE: track.unsure} if track.unsure else {}
        lines += bars({**track.shares, **doubt}, track.emotion or NOT_SURE, width)
        lines += _episode_lines(track.episodes, width)
    if count > _MOST_TRACKS:
        lines += ["", f"  and {count - _MOST_TRACKS} more, seen for less time"]
    return "\n".join(lines)


def _episode_lines(episodes: Sequence[Episode], width: int) -> list[str]:
    parts = [
        f"{clock(each.start_s, 1)}–{clock(each.end_s, 1)} {one_line(each.emotion or NOT_SURE)}"
        for each in episodes[:_MOST_EPISODES]
    ]
    if len(episodes) > _MOST_EPISODES:
        parts.append(f"and {len(episodes) - _MOST_EPISODES} more")
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + len(part) + 3 <= width:
            lines[-1] += f" · {part}"
        else:
            lines.append(f"    {part}")
    return lines


def _track_record(track: TrackSummary) -> dict[str, Any]:
    return {
        "track": track.track,
        "first_s": microseconds(track.first_s),
        "last_s": microseconds(track.last_s),
        "seen_s": microseconds(track.seen_s),
        "frames": track.frames,
        "emotion": track.emotion,
        "shares": {label: rounded(share) for label, share in track.shares.items()},
        "unsure": rounded(track.unsure),
        "means": {label: rounded(mean) for label, mean in track.means.items()},
        "episodes": [
            {
                "start_s": microseconds(each.start_s),
                "end_s": microseconds(each.end_s),
                "emotion": each.emotion,
            }
            for each in track.episodes
        ],
    }


def _track(face: FacePrediction) -> int:
    return face.face.track or 0  # a face without a track was refused


def _count(
    sums: Mapping[int, _Sums], faces: Iterable[FacePrediction], start_s: float, step: float
) -> None:
    for face in faces:
        sums[_track(face)].count(start_s, step, face.prediction)
