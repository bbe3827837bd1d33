"""`open_video`: the frames of a video, folder of frames or camera, upright, with true times."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Self, TypeAlias

from emopy.errors import InputError
from emopy.media.addresses import is_stream
from emopy.media.cameras import RECONNECT_S, Camera, open_camera
from emopy.media.decoding import Check
from emopy.media.image_sequences import ImageSequence, open_animated_webp, open_frame_folder
from emopy.media.limits import DEFAULT_MAX_PIXELS
from emopy.media.pillow import is_animated_webp
from emopy.media.prefetch import Prefetcher, prefetch
from emopy.media.sampling import Sampling
from emopy.media.streams import open_stream
from emopy.media.video_file import VideoFile
from emopy.types import FailedInput, Frame

VideoSource: TypeAlias = str | os.PathLike[str] | int
"""What `open_video` accepts: a path, an address, or the number of a camera."""

_MIN_PREFETCH, _MAX_PREFETCH, _MAX_PREFETCH_BYTES = 2, 8, 64_000_000
"""Frames decoded in advance: smallest and largest number, and largest size in bytes."""


class Video:
    """An opened video: iterate it once for its frames, best inside ``with``.

    Damaged frames of a file are skipped and counted. Frames are decoded in a separate thread, a few
    in advance; memory stays flat. A camera gives its newest frame each time: frames that come while
    the consumer is busy are dropped, so the delay does not grow. A camera that is disconnected ends
    the video; the connection to a live stream is made again, which is logged, for 30 seconds.

    Attributes:
        source: The path as given, an address without its password, or ``"camera 0"``.
        size: (width, height) of every frame in pixels, upright.
        duration_s: Duration in seconds of what is presented; None if unknown, and for cameras.
        fps: Average frames per second; None if unknown.
        frames: Number of selected frames, estimated for files above 128 MB and addresses; None if
            unknown.
    """

    def __init__(self, reader: VideoFile | ImageSequence | Camera) -> None:
        self.source = reader.source
        self.size = reader.size
        self.duration_s = reader.duration_s
        self.fps = reader.fps
        self.frames = reader.frames
        self._reader = reader
        self._frames: Iterator[Frame] | None = None
        self._consumed = False

    def __repr__(self) -> str:
        width, height = self.size
        length = "" if self.duration_s is None else f", {self.duration_s:.1f} s"
        return f"Video({self.source!r}, {width} × {height}{length})"

    @property
    def is_live(self) -> bool:
        """Whether it is a camera or a live stream."""
        return self._reader.is_live

    @property
    def skipped(self) -> int:
        """Frames skipped so far, between start and end: damaged ones, images of another size."""
        return self._reader.skipped

    @property
    def failed(self) -> tuple[FailedInput, ...]:
        """Images of a folder of frames that were skipped so far."""
        return tuple(getattr(self._reader, "failed", ()))

    @property
    def other_sizes(self) -> int:
        """Images of a folder of frames that were skipped so far because of their size."""
        return getattr(self._reader, "other_sizes", 0)

    @property
    def truncated(self) -> bool:
        """Whether the file is cut off or could not be read to its end; known after the last frame.

        Of a live stream: whether the connection was lost for good.

        Formats that do not declare their length, such as GIF and MPEG-TS, may be cut off unseen.
        """
        return self._reader.truncated

    @property
    def shortfall(self) -> str:
        """A sentence about frames that are missing; empty if none are."""
        if self.truncated and self.is_live:
            return (
                f"{self.source}: the connection was lost, and could not be made again within "
                f"{RECONNECT_S:g} seconds. Check the camera and the network."
            )
        skipped = self._skipped()
        if self.truncated:
            also = f", and {skipped}" if skipped else ""
            return f"{self.source}: the file ends too early{also}. Copy or download it again."
        return f"{self.source}: {skipped}." if skipped else ""

    def _skipped(self) -> str:
        """How many frames were skipped, and why; empty if none were."""
        damaged, others = self.skipped - self.other_sizes, self.other_sizes
        parts = [f"{damaged:,} damaged {'frame' if damaged == 1 else 'frames'}"] if damaged else []
        if others:
            parts.append(f"{others:,} {'image' if others == 1 else 'images'} of another size")
        verb = "was" if damaged + others == 1 else "were"
        return f"{' and '.join(parts)} {verb} skipped" if parts else ""

    def __iter__(self) -> Iterator[Frame]:
        if self._consumed:
            raise InputError(
                f"`video` must be read once. Received {self.source!r} again or closed. "
                "Open it again: open_video(source)"
            )
        frames = self._reader.read()
        if not self.is_live:
            width, height = self.size
            max_items = min(_MAX_PREFETCH, _MAX_PREFETCH_BYTES // (width * height * 3))
            frames = prefetch(frames, max_items=max(_MIN_PREFETCH, max_items))
        self._frames, self._consumed = frames, True
        return frames

    def close(self) -> None:
        """Stop reading and close the file or camera; iterations end, in any thread.

        A read that does not return within a second is abandoned: its source is closed when it
        returns.
        """
        self._consumed = True
        if isinstance(self._frames, Prefetcher):
            self._frames.close()
        self._reader.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def open_video(
    source: VideoSource,
    *,
    every: int = 1,
    fps: float | None = None,
    start_s: float = 0.0,
    end_s: float | None = None,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    check: Check | None = None,
) -> Video:
    """Open a video, a folder of frames or a camera to read its frames.

    Times are presentation times, also where the frame rate varies. 0 is the start of the video
    stream, also where the file's sound starts earlier. Rotation and non-square pixels, as files
    declare them, are corrected. A frame's number is its true number in the file, also after
    `start_s`: the compressed frames before it are then counted without decoding them.

    Args:
        source: Path of a file (MP4, MOV, AVI, MKV, WebM, animated GIF, WebP, PNG or AVIF, or
            another format that FFmpeg decodes); path of a folder of frames, which are read in
            natural order (``img2`` before ``img10``); an address: ``http``, ``https``, or a live
            stream such as ``rtsp``, which is read like a camera; or the number of a camera, 0 for
            the first.
        every: Read every n-th frame only.
        fps: Read at most that many frames per second: those nearest to a regular grid, none twice.
            For a camera, which cannot wait for a nearer one, the first after each point of the
            grid. For a folder of frames, the rate at which they were recorded; 25 if left out.
        start_s: Start time in seconds.
        end_s: End time in seconds, excluded; it also ends a camera. A video without a frame between
            start and end gives none, which is no error.
        max_pixels: Largest frame of a video or image of a folder, width × height in pixels, checked
            before it is decoded. A camera has no limit.
        check: Called for each frame of a video file that is read, also for one that is not
            selected, from the thread that reads; an error that it raises ends the reading and is
            raised here or by the iteration. None: nothing.

    Raises:
        InputError: No such file or camera; no answer from an address; not a video; no frame can be
            decoded; frames that are too large; a number out of range; both `every` and
            `fps`.
        MissingExtraError: A video file or an address, and PyAV is not installed.

    Example:
        >>> open_video("interview.mp4", every=2, fps=5)
        Traceback (most recent call last):
        emopy.errors.InputError: `every` and `fps` must not both be given. ...
    """
    sampling = Sampling(every=every, fps=fps, start_s=start_s, end_s=end_s)
    if isinstance(source, str | os.PathLike):
        return Video(_open_path(os.fsdecode(source), sampling, max_pixels, check))
    if isinstance(source, bool) or not hasattr(source, "__index__"):
        raise InputError(
            "`source` must be the path of a video or the number of a camera. "
            f"Received {source!r}. Type 0 for the first camera."
        )
    return Video(open_camera(int(source), sampling))


def _open_path(
    path: str, sampling: Sampling, max_pixels: int, check: Check | None
) -> VideoFile | ImageSequence | Camera:
    if is_stream(path):
        return open_stream(path, sampling, max_pixels)
    if os.path.isdir(path):  # noqa: PTH112  Path("") would be the current folder
        return open_frame_folder(path, sampling, max_pixels)
    if is_animated_webp(path):
        return open_animated_webp(path, sampling, max_pixels, check)
    return VideoFile(path, sampling, max_pixels, check)
