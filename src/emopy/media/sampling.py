"""`Sampling`: which frames of a video are selected, by time, every n-th or by frame rate."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from numbers import Real
from typing import Protocol, TypeAlias, TypeVar

from emopy.errors import InputError

TOLERANCE_S = 1e-6
"""Times closer than this are equal, in seconds: 3 / 25 is not exactly 0.12."""

_MAX_FPS = 1_000_000
"""Frames per second that `TOLERANCE_S` allows."""


class Timed(Protocol):
    """Anything with a time and a number in a video."""

    @property
    def time_s(self) -> float:
        """Seconds from the start."""
        ...

    @property
    def number(self) -> int:
        """Number among all frames, from 0."""
        ...


T = TypeVar("T", bound=Timed)
LiveFilter: TypeAlias = Callable[[float, int], bool]
"""Whether to select a frame, by its time in seconds and its number; called in order."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """Which frames are selected; by default all.

    Attributes:
        every: Select every n-th frame, from the first one on.
        fps: Largest number of frames per second; None for all.
        start_s: Start time in seconds.
        end_s: End time in seconds, excluded; None for the end of the video.
    """

    every: int = 1
    fps: float | None = None
    start_s: float = 0.0
    end_s: float | None = None

    def __post_init__(self) -> None:
        if not (_is_finite(self.every) and self.every >= 1 and self.every == int(self.every)):
            raise InputError(
                "`every` must be a whole number from 1. "
                f"Received {self.every!r}. Type `every=1` for all frames."
            )
        if self.fps is not None and not (_is_finite(self.fps) and 0 < self.fps <= _MAX_FPS):
            raise InputError(
                f"`fps` must be a positive number of frames per second, at most {_MAX_FPS}. "
                f"Received {self.fps!r}. Leave it out for all frames."
            )
        if self.every != 1 and self.fps is not None:
            raise InputError(
                "`every` and `fps` must not both be given. "
                f"Received {self.every} and {self.fps:g}. Leave one of them out."
            )
        if not (_is_finite(self.start_s) and self.start_s >= 0):
            raise InputError(
                f"`start_s` must be a time from 0, in seconds. Received {self.start_s!r}. "
                "Leave it out to begin with the first frame."
            )
        if self.end_s is not None and not (_is_number(self.end_s) and self.end_s > self.start_s):
            raise InputError(
                f"`end_s` must be later than `start_s`, {self.start_s:g} s. "
                f"Received {self.end_s!r}. Leave it out to read to the end."
            )

    def before_start(self, time_s: float) -> bool:
        """Return whether a time is before the start."""
        return time_s < self.start_s - TOLERANCE_S

    def too_late(self, name: str, duration_s: float | None) -> InputError:
        """Return the error for a start after the last frame of a video.

        Args:
            name: The video.
            duration_s: Its duration in seconds; None if unknown.
        """
        if duration_s is None or duration_s > self.start_s:
            length = f", and {name!r} ends before"
        else:
            length = f"; {name!r} is {duration_s:.1f} s long"
        return InputError(
            f"`start_s` must lie before the last frame. Received {self.start_s:g}{length}. "
            "Give an earlier one."
        )

    def after_end(self, time_s: float) -> bool:
        """Return whether a time is at or after the end."""
        return self.end_s is not None and time_s >= self.end_s - TOLERANCE_S


def select_recorded(frames: Iterable[T], sampling: Sampling) -> Iterator[T]:
    """Select frames of a file, given in the order of their times from `start_s` on.

    With `fps`, the nearest frame for each point of a regular grid is selected, which starts at the
    first frame's time, or at `start_s` if that is above 0. No frame comes twice: a video with
    fewer frames gives all.
    """
    until_end = takewhile(lambda frame: not sampling.after_end(frame.time_s), frames)
    if sampling.fps is not None:
        return _nearest_to_grid(until_end, sampling.fps, sampling.start_s)
    is_selected = live_filter(sampling)
    return (frame for frame in until_end if is_selected(frame.time_s, frame.number))


def live_filter(sampling: Sampling) -> LiveFilter:
    """Return a filter for the frames of a camera, which cannot wait for the next frame.

    It selects the first frame of each interval of `every` frames, or of 1 / `fps` seconds.
    """
    first: tuple[float, int] | None = None
    last_interval = -1

    def is_selected(time_s: float, number: int) -> bool:
        nonlocal first, last_interval
        if sampling.before_start(time_s):
            return False
        first = first or (time_s, number)
        if sampling.fps is not None:
            interval = math.floor((time_s - first[0] + TOLERANCE_S) * sampling.fps)
        else:
            interval = (number - first[1]) // sampling.every
        is_new = interval > last_interval
        last_interval = max(last_interval, interval)
        return is_new

    return is_selected


def _is_number(value: object) -> bool:
    try:
        return isinstance(value, Real) and not math.isnan(value)
    except OverflowError:  # an integer beyond all floats
        return False


def _is_finite(value: float) -> bool:
    return _is_number(value) and math.isfinite(value)


def _nearest_to_grid(frames: Iterable[T], fps: float, start_s: float) -> Iterator[T]:
    point, grid_s = 0, start_s  # the next point of the grid, and the time of the first one
    before: T | None = None
    given = False  # whether `before` was selected
    for frame in frames:
        if before is None and start_s == 0:
            grid_s = frame.time_s
        # Of the points up to this frame, the first may be nearer to the frame before, and the
        # last may be nearer to this frame.
        last = math.floor((frame.time_s + TOLERANCE_S - grid_s) * fps)
        selected = False
        if point <= last:
            first_s, last_s = grid_s + point / fps, grid_s + last / fps
            if before is not None and not given and _is_nearer(before, frame, first_s):
                yield before
            selected = before is None or not _is_nearer(before, frame, last_s)
            point = last + 1
            if selected:
                yield frame
        before, given = frame, selected


def _is_nearer(before: Timed, after: Timed, time_s: float) -> bool:
    return time_s - before.time_s < after.time_s - time_s
