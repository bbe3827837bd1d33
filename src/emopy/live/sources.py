"""`open_live`: frames in real time, from a camera or from a video played at its own speed."""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from itertools import chain

from emopy.errors import InputError
from emopy.media import Video, open_video
from emopy.types import Frame

_MAX_SKIP_S = 0.25
"""A frame is yielded at least this often, however late, so that slow machines show something."""

_DEFAULT_STEP_S = 0.04
"""Time from the only frame of a video to the next video, seconds."""


class LiveFrames(Iterator[Frame]):
    """Frames in real time, as `open_live` yields them.

    Attributes:
        video: The video, which knows of missing frames; of a looped file, its first pass.
    """

    def __init__(self, video: Video, frames: Iterator[Frame]) -> None:
        self.video = video
        self._frames = frames

    def __next__(self) -> Frame:
        return next(self._frames)


@contextmanager
def open_live(source: str | os.PathLike[str] | int, *, loop: bool = False) -> Generator[LiveFrames]:
    """Open a camera, or a video or live stream in place of one.

    Args:
        source: Number of a camera, path of a video, or an address.
        loop: Restart a file at its end.

    Yields:
        Its frames in real time. Frames that are not fetched in time are dropped, so that the
        view never lags behind.

    Raises:
        InputError: No such camera, an unreadable file, or a camera with `loop`.
    """
    with open_video(source) as video:
        if video.is_live:
            if loop:
                raise InputError(
                    "`loop` must be False for a camera, which has no end. Received True. "
                    "Leave it out."
                )
            yield LiveFrames(video, iter(video))
            return
        frames = concatenated(chain([video], _reopened(source))) if loop else video
        with closing(in_real_time(frames)) as live:
            yield LiveFrames(video, live)


def in_real_time(frames: Iterable[Frame]) -> Generator[Frame]:
    """Yield each frame when it is due, counted from the first; drop those not fetched in time.

    Args:
        frames: Frames in the order of their times, available before they are due.
    """
    held: Frame | None = None
    started_s = yielded_s = time.monotonic()
    for frame in frames:
        now = time.monotonic()
        if held is None:
            started_s = yielded_s = now - frame.time_s
        elif started_s + frame.time_s > now or now - yielded_s > _MAX_SKIP_S:
            time.sleep(max(0.0, started_s + held.time_s - now))
            yielded_s = time.monotonic()
            yield held
        held = frame
    if held is not None:
        time.sleep(max(0.0, started_s + held.time_s - time.monotonic()))
        yield held


def concatenated(videos: Iterable[Iterable[Frame]]) -> Generator[Frame]:
    """Yield the frames of videos in order, with continuous times and frame numbers.

    A video without frames ends the sequence.
    """
    offset_s, offset = 0.0, 0
    for frames in videos:
        step_s, last = _DEFAULT_STEP_S, None
        for frame in frames:
            moved = replace(frame, time_s=frame.time_s + offset_s, number=frame.number + offset)
            if last is not None:
                step_s = moved.time_s - last.time_s
            last = moved
            yield moved
        if last is None:
            return
        offset_s, offset = last.time_s + step_s, last.number + 1


def _reopened(source: str | os.PathLike[str] | int) -> Generator[Iterable[Frame]]:
    while True:
        with open_video(source) as video:
            yield video
