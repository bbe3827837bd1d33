"""`TimeBins`: mean probabilities over time in a fixed number of bins, however long the video."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from emopy.types import ImageResult
from emopy.video.durations import Durations

_MOST = 1000
"""Bins of a whole video: about the columns of an image."""

_FIRST_S = 0.02
"""Seconds of a bin at the start: a frame of a fast camera."""


class Curve(NamedTuple):
    """What one track shows without a gap.

    Attributes:
        times_s: (n,) float64 seconds of the video, growing; the last one is the end.
        shares: (n, labels) float64 mean probabilities from each time on; the last two are equal.
    """

    times_s: NDArray[np.float64]
    shares: NDArray[np.float64]


class TimeBins:
    """Averages what tracks show, in bins that double their width whenever they are too many."""

    def __init__(self) -> None:
        self._seen_s: dict[int, float] = {}
        self._steps = Durations()
        self._width_s = _FIRST_S
        self._read: dict[int, float] = {}  # bin → time of its first frame
        self._sums: dict[int, dict[int, NDArray[np.float64]]] = {}  # track → bin → shares, frames
        self._last: list[int] = []

    def add(self, result: ImageResult) -> None:
        """Take the faces of the next frame; raises what `Durations.take` raises."""
        step = self._steps.take(result)
        for track in self._last:
            self._seen_s[track] += step
        time_s, start_s = self._steps.time_s or 0.0, self._steps.start_s or 0.0
        while (time_s - start_s) / self._width_s >= _MOST:
            self._widen()
        at = int((time_s - start_s) / self._width_s)
        self._read.setdefault(at, time_s)
        self._last = []
        for face in result.faces:
            track = face.face.track or 0  # a face without a track was refused
            self._last.append(track)
            self._seen_s.setdefault(track, 0.0)
            sums = self._sums.setdefault(track, {})
            sums[at] = sums.get(at, 0.0) + np.append(face.prediction.probabilities, 1.0)

    @property
    def seen_s(self) -> dict[int, float]:
        """How long each track has been seen, in seconds; the newest frame as long as usual."""
        now = dict.fromkeys(self._last, self._steps.usual_s)
        return {track: seen + now.get(track, 0.0) for track, seen in self._seen_s.items()}

    @property
    def span_s(self) -> tuple[float, float]:
        """Start of the first and end of the newest frame, in seconds of the video."""
        if self._steps.start_s is None or self._steps.time_s is None:
            return 0.0, 0.0
        return self._steps.start_s, self._steps.time_s + self._steps.usual_s

    def curves(self, track: int) -> list[Curve]:
        """What a track shows: one curve for each time that it is seen without a gap."""
        curves: list[Curve] = []
        times: list[float] = []
        shares: list[NDArray[np.float64]] = []
        read = sorted(self._read)
        starts = [self._read[at] for at in read]
        for at, start, following in zip(read, starts, [*starts[1:], self.span_s[1]], strict=True):
            sums = self._sums[track].get(at)
            longest = max(self._steps.longest_s, 2 * self._width_s)
            if sums is not None:
                times.append(start)
                shares.append(sums[:-1] / sums[-1])
            broken = sums is None or following - start > longest or at == read[-1]
            if broken and times:
                seen = start if sums is None else min(following, start + longest)
                curves.append(Curve(np.array([*times, seen]), np.array([*shares, shares[-1]])))
                times, shares = [], []
        return curves

    def _widen(self) -> None:
        self._width_s *= 2
        read: dict[int, float] = {}
        for at, start in self._read.items():
            read[at // 2] = min(start, read.get(at // 2, start))
        self._read = read
        for track, sums in self._sums.items():
            joined: dict[int, NDArray[np.float64]] = {}
            for at, values in sums.items():
                joined[at // 2] = joined.get(at // 2, 0.0) + values
            self._sums[track] = joined
