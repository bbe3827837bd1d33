"""`TimeBins`: mean probabilities over time, in bounded memory for each face; `FrameDurations`."""

from __future__ import annotations

import math
from collections import deque
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from emopy.errors import InputError
from emopy.types import ImageResult

_MAX_DURATION_S = 1.0
"""Seconds that a frame may last at any frame rate."""

_MAX_DURATION_STEPS = 3
"""Typical frame durations that a frame may last."""

_AVERAGED_STEPS = 8
"""Time constant of the moving average of frame durations, in frames."""

_MAX_BINS = 1000
"""Bins of a whole video: about the pixel columns of a plot."""

_FIRST_BIN_S = 0.02
"""Width of a bin at the start in seconds: one frame of a fast camera."""


class FrameDurations:
    """Computes how long each frame of a video lasts.

    A frame lasts until the next frame. Across a gap (damaged frames, a cut recording) it lasts
    three typical frame durations, or one second if that is longer. Whether there is a gap after the
    first frame shows when the third one is there.

    Attributes:
        start_s: Time of the first frame; None before it.
        time_s: Time of the newest frame; None before the first.
        typical_s: Moving average of frame durations in seconds; 0 before the second frame.
    """

    def __init__(self) -> None:
        self.start_s: float | None = None
        self.time_s: float | None = None
        self.typical_s = 0.0
        self._frames = 0

    @property
    def max_s(self) -> float:
        """The longest time that a frame may last now, in seconds."""
        return _longest(self.typical_s)

    def add(self, result: ImageResult) -> tuple[float, ...]:
        """Add the next frame.

        Returns:
            Durations in seconds of the frames before it that are known now, in their order: none
            for the first two, then two, then one each. Until then, each lasts `typical_s`.

        Raises:
            InputError: An image without a time, a time before the last one, or a face without a
                track.
        """
        time_s = _checked_time(result)
        if self.start_s is None or self.time_s is None:
            self.start_s = self.time_s = time_s
            self._frames = 1
            return ()
        if time_s < self.time_s:
            raise InputError(
                "`result` must come in the order of time. "
                f"Received {time_s:.3f} s after {self.time_s:.3f} s. "
                "Use a new object for another video."
            )
        step = time_s - self.time_s
        self.time_s = time_s
        self._frames += 1
        if self._frames == 2:
            self.typical_s = step
            return ()
        known: list[float] = []
        if self._frames == 3:
            known.append(min(self.typical_s, _longest(step)))
            if known[0] < self.typical_s:  # a gap after the first frame
                self.typical_s = step
        if self.typical_s:
            step = min(step, self.max_s)
        self.typical_s += (step - self.typical_s) / (_AVERAGED_STEPS if self.typical_s else 1)
        return (*known, step)


def _longest(typical_s: float) -> float:
    """The longest time that a frame may last beside others that last a typical one, in seconds."""
    return max(_MAX_DURATION_S, _MAX_DURATION_STEPS * typical_s)


def _checked_time(result: ImageResult) -> float:
    if result.time_s is None or not math.isfinite(result.time_s):
        raise InputError(
            f"`result` must be a video frame with a time. Received {result.source!r} with "
            f"{result.time_s}. Use the results of FERModel.predict_video."
        )
    if any(face.face.track is None for face in result.faces):
        raise InputError(
            f"`result` must have faces with track numbers. Received {result.source!r} with a "
            "face without one. Use the results of FERModel.predict_video."
        )
    return float(result.time_s)


def check_min_duration(min_duration_s: float) -> None:
    """Raise `InputError` unless `min_duration_s` is zero or more seconds."""
    if not (min_duration_s >= 0 and math.isfinite(min_duration_s)):
        raise InputError(
            f"`min_duration_s` must be zero or more seconds. Received {min_duration_s}. "
            "Type for example 0.5."
        )


class ProbabilityCurve(NamedTuple):
    """Mean probabilities of one track over a time without gaps.

    Attributes:
        times_s: (n,) float64 seconds of the video, increasing; the last one is the end.
        probabilities: (n, labels) float64, from each time on; the last two rows are equal.
    """

    times_s: NDArray[np.float64]
    probabilities: NDArray[np.float64]


class TimeBins:
    """Averages the probabilities of each track in time bins.

    Bins double their width whenever there are more than 1000.
    """

    def __init__(self) -> None:
        self._seen_s: dict[int, float] = {}
        self._durations = FrameDurations()
        self._width_s = _FIRST_BIN_S
        self._bin_starts: dict[int, float] = {}  # bin → time of its first frame
        # track → bin → sums of probabilities, then the number of frames
        self._sums: dict[int, dict[int, NDArray[np.float64]]] = {}
        self._open: deque[list[int]] = deque()  # tracks of the frames whose end is not known

    def add(self, result: ImageResult) -> None:
        """Add the faces of the next frame; raises what `FrameDurations.add` raises."""
        for duration in self._durations.add(result):
            for track in self._open.popleft():
                self._seen_s[track] += duration
        elapsed_s = (self._durations.time_s or 0.0) - (self._durations.start_s or 0.0)
        while elapsed_s / self._width_s >= _MAX_BINS:
            self._double_width()
        index = int(elapsed_s / self._width_s)
        self._bin_starts.setdefault(index, self._durations.time_s or 0.0)
        self._open.append([])
        for face in result.faces:
            track = face.face.track or 0  # a face without a track was refused
            self._open[-1].append(track)
            self._seen_s.setdefault(track, 0.0)
            sums = self._sums.setdefault(track, {})
            sums[index] = sums.get(index, 0.0) + np.append(face.prediction.probabilities, 1.0)

    @property
    def seen_s(self) -> dict[int, float]:
        """Seconds for which each track was visible; the newest frame has the typical duration."""
        seen_s = dict(self._seen_s)
        for track in chain.from_iterable(self._open):
            seen_s[track] += self._durations.typical_s
        return seen_s

    @property
    def span_s(self) -> tuple[float, float]:
        """Start of the first and end of the newest frame, in seconds of the video."""
        if self._durations.start_s is None or self._durations.time_s is None:
            return 0.0, 0.0
        return self._durations.start_s, self._durations.time_s + self._durations.typical_s

    def curves(self, track: int) -> list[ProbabilityCurve]:
        """Return the curves of a track, one for each time it was visible without a gap."""
        curves: list[ProbabilityCurve] = []
        times: list[float] = []
        means: list[NDArray[np.float64]] = []
        bins = sorted(self._bin_starts)
        starts = [self._bin_starts[index] for index in bins]
        max_gap_s = max(self._durations.max_s, 2 * self._width_s)
        for index, start, end in zip(bins, starts, [*starts[1:], self.span_s[1]], strict=True):
            sums = self._sums[track].get(index)
            if sums is not None:
                times.append(start)
                means.append(sums[:-1] / sums[-1])
            ends = sums is None or end - start > max_gap_s or index == bins[-1]
            if ends and times:
                end_s = start if sums is None else min(end, start + max_gap_s)
                edges, rows = np.array([*times, end_s]), np.array([*means, means[-1]])
                curves.append(ProbabilityCurve(edges, rows))
                times, means = [], []
        return curves

    def _double_width(self) -> None:
        self._width_s *= 2
        starts, self._bin_starts = self._bin_starts, {}
        for index, start in starts.items():  # in the order of time
            self._bin_starts.setdefault(index // 2, start)
        for track, sums in self._sums.items():
            merged: dict[int, NDArray[np.float64]] = {}
            for index, values in sums.items():
                merged[index // 2] = merged.get(index // 2, 0.0) + values
            self._sums[track] = merged
