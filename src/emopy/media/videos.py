"""`open_video`: the frames of a video file or a camera, upright, each with its true time."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from types import TracebackType
from typing import Protocol, Self, TypeAlias

from emopy.errors import InputError
from emopy.media.cameras import open_camera
from emopy.media.prefetch import Prefetcher, prefetch
from emopy.media.sampling import Sampling
from emopy.media.video_file import VideoFile
from emopy.types import Frame

VideoSource: TypeAlias = str | os.PathLike[str] | int
"""What `open_video` accepts: the path of a file, or the number of a camera."""

_MOST_AHEAD = 8
_BYTES_AHEAD = 64_000_000
_LEAST_AHEAD = 2
"""Frames decoded in advance: at most so many, or so many bytes, but two however large they are."""


class Reader(Protocol):
    """What gives the frames of one kind of source; the attributes are those of `Video`."""

    source: str
    size: tuple[int, int]
    duration_s: float | None
    fps: float | None
    frames: int | None

    @property
    def is_live(self) -> bool:
        """Whether it is a camera."""
        ...

    @property
    def skipped(self) -> int:
        """Damaged frames so far."""
        ...

    @property
    def truncated(self) -> bool:
        """Whether the file ended early."""
        ...

    def read(self) -> Generator[Frame]:
        """Give the frames, once."""
        ...

    def close(self) -> None:
        """Let go of the source."""
        ...


class Video:
    """An opened video: iterate it once for its frames, best inside ``with``.

    A frame of a file that is too damaged to be shown is left out and counted, and the next ones
    come. Frames are decoded in a thread of their own, a few in advance, so memory stays the
    same however long the video is. A camera gives its newest frame each time: what the reader
    was too slow for is left out, and the delay does not grow. A camera that goes away ends the
    video.

    Attributes:
        source: The path as given, or ``"camera 0"``.
        size: (width, height) of every frame in pixels, upright.
        duration_s: How long it says it is, in seconds; None if it does not, and for cameras.
        fps: Frames per second on average; None if not known.
        frames: About how many frames to expect, for a progress bar; None if not known.
    """

    def __init__(self, reader: Reader) -> None:
        self.source = reader.source
        self.size = reader.size
        self.duration_s = reader.duration_s
        self.fps = reader.fps
        self.frames = reader.frames
        self._reader = reader
        self._frames: Iterator[Frame] | None = None
        self._spent = False

    def __repr__(self) -> str:
        width, height = self.size
        length = "" if self.duration_s is None else f", {self.duration_s:.1f} s"
        return f"Video({self.source!r}, {width} × {height}{length})"

    @property
    def is_live(self) -> bool:
        """Whether it is a camera."""
        return self._reader.is_live

    @property
    def skipped(self) -> int:
        """Frames left out so far because they were damaged; of a file, in the stretch asked for."""
        return self._reader.skipped

    @property
    def truncated(self) -> bool:
        """Whether the file ended before it says it does; known when all frames were read.

        Only what a file's header declares can be held against it: GIF and MPEG-TS declare
        nothing.
        """
        return self._reader.truncated

    @property
    def shortfall(self) -> str:
        """What is missing from the frames that were read, as a sentence; empty if nothing is."""
        if self.truncated:
            damaged = f", and {self.skipped} damaged frames were left out" if self.skipped else ""
            return f"{self.source}: the file ends too early{damaged}. Copy or download it again."
        if self.skipped:
            return f"{self.source}: {self.skipped} damaged frames were left out."
        return ""

    def __iter__(self) -> Iterator[Frame]:
        if self._spent:
            raise InputError(
                f"`video` must be read once. Received {self.source!r} again or closed. "
                "Open it again: open_video(source)"
            )
        frames = self._reader.read()
        if not self.is_live:
            width, height = self.size
            most = max(_LEAST_AHEAD, min(_MOST_AHEAD, _BYTES_AHEAD // (width * height * 3)))
            frames = prefetch(frames, most=most)
        self._frames, self._spent = frames, True
        return frames

    def close(self) -> None:
        """Stop reading and let go of the file or camera; iterations, in any thread, end.

        A read that does not return within a second is left behind: what is read is let go of
        when it returns.
        """
        self._spent = True
        if isinstance(self._frames, Prefetcher):
            self._frames.close()
        self._reader.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def open_video(
    source: VideoSource,
    *,
    every: int = 1,
    fps: float | None = None,
    start_s: float = 0.0,
    end_s: float | None = None,
) -> Video:
    """Open a video file, or a camera, to read its frames.

    Times are those at which frames are shown, also where the frame rate varies. 0 is the start
    of the images, also where the file's sound begins earlier. Rotation and oblong pixels, as
    files declare them, are undone. A frame's number is its true place in the file, also after
    `start_s`: the compressed frames before it are then counted without decoding them.

    Args:
        source: Path of a file (MP4, MOV, AVI, MKV, WebM, GIF, and whatever else FFmpeg decodes),
            or the number of a camera; 0 is the first.
        every: Give one frame out of so many.
        fps: Give so many frames per second, if there are as many: those nearest to a regular
            grid, none twice. For a camera, which cannot wait for a nearer one, the first after
            each point of the grid.
        start_s: Leave out what is shown before, in seconds.
        end_s: Leave out what is shown from here on, in seconds; it also ends a camera. If no
            frame begins between the two, the video has none, which is no error.

    Returns:
        The opened video.

    Raises:
        InputError: No such file or camera; not a video; nothing in it can be decoded; frames of
            more than 100 megapixels; a number out of its range; both `every` and `fps`.
        MissingExtraError: A file, and PyAV is not installed.

    Example:
        >>> open_video("interview.mp4", every=2, fps=5)
        Traceback (most recent call last):
        emopy.errors.InputError: `every` and `fps` must not both be given. ...
    """
    sampling = Sampling(every=every, fps=fps, start_s=start_s, end_s=end_s)
    if isinstance(source, str | os.PathLike):
        return Video(VideoFile(os.fsdecode(source), sampling))
    if isinstance(source, bool) or not hasattr(source, "__index__"):
        raise InputError(
            "`source` must be the path of a video or the number of a camera. "
            f"Received {source!r}. Type 0 for the first camera."
        )
    return Video(open_camera(int(source), sampling))
