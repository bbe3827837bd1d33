"""Which frames of a video are wanted: a stretch of time, and every Nth or so many a second."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from numbers import Real
from typing import Protocol, TypeVar

from emopy.errors import InputError

NOISE_S = 1e-6
"""Times nearer than this are one: 3 / 25 is not quite 0.12."""


_MOST_FPS = 1_000_000
"""Nearer than the noise no two frames are told apart."""


class Timed(Protocol):
    """Anything with a time and a place in a video."""

    @property
    def time_s(self) -> float:
        """Seconds from the start."""
        ...

    @property
    def number(self) -> int:
        """Place among all frames, from 0."""
        ...


T = TypeVar("T", bound=Timed)


@dataclass(frozen=True, slots=True)
class Sampling:
    """Which frames are wanted; the default wants all.

    Attributes:
        every: One frame out of so many, from the first one wanted.
        fps: Frames for each second, at most; None for all.
        start_s: Frames shown from here on, in seconds.
        end_s: Frames shown before here, in seconds; None for the end of the video.
    """

    every: int = 1
    fps: float | None = None
    start_s: float = 0.0
    end_s: float | None = None

    def __post_init__(self) -> None:
        if not (_is_finite(self.every) and self.every >= 1 and self.every == int(self.every)):
            raise InputError(
                "`every` must be a whole number from 1. "
                f"Received {self.every!r}. Type every=1 for all frames."
            )
        if self.fps is not None and not (_is_finite(self.fps) and 0 < self.fps <= _MOST_FPS):
            raise InputError(
                f"`fps` must be a positive number of frames per second, at most {_MOST_FPS}. "
                f"Received {self.fps!r}. Leave it out for all frames."
            )
        if self.every != 1 and self.fps is not None:
            raise InputError(
                "`every` and `fps` must not both be given. "
                f"Received every={self.every} and fps={self.fps:g}. Leave one of them out."
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
        """Whether a frame is shown too early."""
        return time_s < self.start_s - NOISE_S

    def after_end(self, time_s: float) -> bool:
        """Whether a frame, and so all after it, is shown too late."""
        return self.end_s is not None and time_s >= self.end_s - NOISE_S


def recorded(frames: Iterable[T], sampling: Sampling) -> Iterator[T]:
    """Choose among the frames of a file, where the next frame can be waited for.

    Args:
        frames: In the order of their times, from `start_s` on.
        sampling: Which ones are wanted.

    Returns:
        With `fps`, for each point of the regular grid from the first frame's time, or `start_s`
        if later, the nearest frame. None comes twice: a video with fewer frames gives what it has.
    """
    until_end = _until_end(frames, sampling)
    if sampling.fps is not None:
        return _nearest(until_end, sampling.fps, sampling.start_s)
    return filter(live(sampling), until_end)


def live(sampling: Sampling) -> Callable[[Timed], bool]:
    """Choose among the frames of a camera, where none can be waited for.

    Returns:
        A function to call with each frame in turn: whether it is wanted. That is the first in
        each stretch of `every` frames, or of 1 / `fps` seconds.
    """
    first: Timed | None = None
    last_stretch = -1

    def wanted(frame: Timed) -> bool:
        nonlocal first, last_stretch
        if sampling.before_start(frame.time_s):
            return False
        first = first or frame
        if sampling.fps is not None:
            stretch = math.floor((frame.time_s - first.time_s + NOISE_S) * sampling.fps)
        else:
            stretch = (frame.number - first.number) // sampling.every
        if stretch <= last_stretch:
            return False
        last_stretch = stretch
        return True

    return wanted


def _is_number(value: object) -> bool:
    try:
        return isinstance(value, Real) and not math.isnan(value)
    except OverflowError:  # an integer beyond all floats
        return False


def _is_finite(value: float) -> bool:
    return _is_number(value) and math.isfinite(value)


def _until_end(frames: Iterable[T], sampling: Sampling) -> Iterator[T]:
    for frame in frames:
        if sampling.after_end(frame.time_s):
            return
        yield frame


def _nearest(frames: Iterable[T], fps: float, start_s: float) -> Iterator[T]:
    point, origin_s = 0, start_s  # the next point of the grid
    before: T | None = None
    given = False  # whether `before` was
    for frame in frames:
        if before is None and start_s == 0:
            origin_s = frame.time_s
        # Of the points up to this frame, the first is the one most likely nearer to the frame
        # before, and the last the one most likely nearer to this frame.
        last = math.floor((frame.time_s + NOISE_S - origin_s) * fps)
        wanted = False
        if point <= last:
            if before is not None and not given and _nearer(before, frame, origin_s + point / fps):
                yield before
            wanted = before is None or not _nearer(before, frame, origin_s + last / fps)
            point = last + 1
        if wanted:
            yield frame
        before, given = frame, wanted


def _nearer(before: Timed, after: Timed, due_s: float) -> bool:
    return due_s - before.time_s < after.time_s - due_s
