"""`open_live`: frames as time goes: from a camera, or from a file at its own pace."""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from itertools import chain
from typing import Literal

from emopy.errors import InputError
from emopy.media import Video, open_video
from emopy.types import Frame

_LONGEST_SKIP_S = 0.25
"""A frame is shown after so long, however late it is: a slow machine sees something."""

_USUAL_STEP_S = 0.04
"""From the only frame of a video to the next video."""


class Live(Iterator[Frame]):
    """Frames when their time has come, as `open_live` gives them.

    Attributes:
        video: What they come from, which knows what is missing; of a file that starts again, its
            first showing.
    """

    def __init__(self, video: Video, frames: Iterator[Frame]) -> None:
        self.video = video
        self._frames = frames

    def __next__(self) -> Frame:
        return next(self._frames)


@contextmanager
def open_live(
    source: str | os.PathLike[str] | int, *, times: Literal["once", "forever"] = "once"
) -> Generator[Live]:
    """Open a camera, or a file that plays the part of one.

    Args:
        source: Number of a camera, or path of a video.
        times: Whether a file starts again at its end; a camera has none.

    Yields:
        Its frames, when their time has come. Those for which nobody was ready in time are left
        out, so that what is shown is never older than it must be.

    Raises:
        InputError: No such camera, a file that cannot be read, or a camera forever.
    """
    with open_video(source) as video:
        if video.is_live:
            if times != "once":
                raise InputError(
                    "`times` must be 'once' for a camera, which has no end to start again at. "
                    f"Received {times!r}. Leave it out."
                )
            yield Live(video, iter(video))
            return
        frames = video if times == "once" else repeated(chain([video], _reopened(source)))
        with closing(paced(frames)) as due:
            yield Live(video, due)


def paced(frames: Iterable[Frame]) -> Generator[Frame]:
    """Give each frame when its time has come, counted from the first.

    Args:
        frames: Frames in the order of their times, sooner than they are due.

    Yields:
        The newest frame that is due; those before it that nobody fetched are left out.
    """
    held: Frame | None = None
    began_s = last_s = time.monotonic()
    for frame in frames:
        now = time.monotonic()
        if held is None:
            began_s = last_s = now - frame.time_s
        elif began_s + frame.time_s > now or now - last_s > _LONGEST_SKIP_S:
            time.sleep(max(0.0, began_s + held.time_s - now))
            last_s = time.monotonic()
            yield held
        held = frame
    if held is not None:
        time.sleep(max(0.0, began_s + held.time_s - time.monotonic()))
        yield held


def repeated(videos: Iterable[Iterable[Frame]]) -> Generator[Frame]:
    """Join videos in time: times and numbers go on.

    Args:
        videos: One after the other; one without a frame ends it.

    Yields:
        Their frames.
    """
    shift_s, shift = 0.0, 0
    for frames in videos:
        step_s, last = _USUAL_STEP_S, None
        for frame in frames:
            moved = replace(frame, time_s=frame.time_s + shift_s, number=frame.number + shift)
            if last is not None:
                step_s = moved.time_s - last.time_s
            last = moved
            yield moved
        if last is None:
            return
        shift_s, shift = last.time_s + step_s, last.number + 1


def _reopened(source: str | os.PathLike[str] | int) -> Generator[Iterable[Frame]]:
    while True:
        with open_video(source) as video:
            yield video
