"""`VideoSink`: the frames of a video with what was found in them, as a video file.

with open_video("clip.mp4") as video, Film("annotated.mp4", size=video.size) as film:
    for frame, result in model.predict_frames(video):
        film.write(frame.image, result)
"""

from __future__ import annotations

import math
import os
from collections.abc import Collection, Generator, Sequence
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import numpy as np

from emopy.errors import InputError
from emopy.files import atomic_file
from emopy.present.draw import draw_faces, enlargement
from emopy.present.extras import extra_module
from emopy.present.label_state import LabelState
from emopy.types import ImageResult, RGBImage

_BT709 = 1
"""The colours of today's video, in ITU-T H.273: primaries, curve and matrix."""

_TICKS = 30_000
"""Units of time in a second: 24, 25, 30, 29.97 frames and whole milliseconds are exact."""


_RATE = 25
"""Frames in a second that an encoder is told to expect; each comes with its own time."""


class Encoder(NamedTuple):
    """How frames are compressed.

    Attributes:
        codec: FFmpeg's name of the encoder.
        options: Its settings.
    """

    codec: str
    options: dict[str, str]


_H264 = Encoder("libx264", {"preset": "veryfast", "crf": "20"})
_MPEG4 = Encoder("mpeg4", {"qscale": "3", "qmin": "3", "qmax": "3"})
_VP9 = Encoder(
    "libvpx-vp9",
    {"deadline": "realtime", "cpu-used": "7", "row-mt": "1", "crf": "30", "b": "0"},
)
_VP8 = Encoder("libvpx", {"deadline": "realtime", "cpu-used": "7", "crf": "10", "b": "4M"})

_KINDS: dict[str, tuple[str, dict[str, str], tuple[Encoder, ...]]] = {
    ".mp4": ("mp4", {"movflags": "+faststart"}, (_H264, _MPEG4)),
    ".mov": ("mov", {"movflags": "+faststart"}, (_H264, _MPEG4)),
    ".mkv": ("matroska", {}, (_H264, _MPEG4)),
    ".webm": ("webm", {}, (_VP9, _VP8)),
}
"""Container, its settings, and encoders, the best first, by suffix."""


class VideoSink:
    """Writes a video with boxes, names and bars drawn in, frame by frame.

    Frames keep their true times, at any and at varying rates; the film begins with its first
    frame. Without a face a frame is shown as it is. The file appears when the ``with`` block
    ends; after an exception nothing is left of it, and a file that was there stays as it was.

    Args:
        path: Ends in ``.mp4`` or ``.mov`` (H.264, or MPEG-4 where FFmpeg lacks x264), ``.mkv``
            or ``.webm`` (VP9). Folders that lack are made.
        size: (width, height) in pixels of every frame that will come. A small frame is
            enlarged as by `draw_faces`; an odd side gets one pixel more.

    Raises:
        InputError: Another suffix, or a size that is no image's.
        MissingExtraError: PyAV is not installed.
    """

    def __init__(self, path: str | os.PathLike[str], *, size: tuple[int, int]) -> None:
        self.path = Path(path)
        self.size = (int(size[0]), int(size[1]))
        check_video_path(path)
        if min(size) < 1:
            raise InputError(
                f"`size` must be the width and height of the frames. Received {size}. "
                "Give video.size."
            )
        self._steady = LabelState()
        self._stack = ExitStack()
        self._av: Any = None
        self._reformat: Any = None
        self._container: Any = None
        self._stream: Any = None
        self._start_s: float | None = None
        self._held: Any = None  # the newest frame: how long it is shown, the next one tells
        self._step = _TICKS // _RATE
        self._durations: dict[int, int] = {}

    def __enter__(self) -> Self:
        self._av = extra_module("av", feature="Writing films", extra="video")
        # One for all frames: each new one builds its tables, which takes longer than the frame.
        self._reformat = self._av.video.reformatter.VideoReformatter().reformat
        kind, settings, encoders = _KINDS[self.path.suffix.lower()]
        with ExitStack() as stack:
            partial = stack.enter_context(atomic_file(self.path))
            with self._reported():
                container = self._av.open(str(partial), "w", format=kind, options=settings)
            stack.callback(container.close)
            self._stream = self._opened(
                choose_encoder(encoders, self._av.codecs_available), container
            )
            self._container = container
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        container, self._container = self._container, None
        if error is not None:
            self._stack.__exit__(kind, error, trace)
            return
        with self._stack:  # what is raised here leaves nothing either
            if self._held is None:
                raise InputError(
                    "`VideoSink` must get one or more frames. "
                    f"Received none for {str(self.path)!r}. "
                    "Choose a part of the video that has frames."
                )
            with self._reported():
                self._encode(container, self._held, self._step)  # the last lasts as the one before
                self._encode(container, None, 0)
                container.close()

    def write(self, image: RGBImage, result: ImageResult) -> None:
        """Add one frame.

        Args:
            image: (H, W, 3) uint8 RGB: the frame, of the film's size.
            result: What was found in it, with its time. A frame that is not shown later than
                the last one, to 1/30,000 of a second, is left out.

        Raises:
            InputError: Another size, no time, a place that cannot hold the film, or outside the
                ``with`` block.
        """
        if self._container is None:
            raise InputError(
                "`VideoSink` must be open to write. Received a frame outside its `with` block. "
                "Type: with Film(path, size=video.size) as film: ..."
            )
        ticks = self._ticks(image, result)
        if self._held is not None and ticks <= self._held.pts:
            return
        drawn = draw_faces(image, result, steady=self._steady)
        height, width = drawn.shape[:2]
        if height % 2 or width % 2:
            drawn = np.pad(drawn, ((0, height % 2), (0, width % 2), (0, 0)), "edge")
        # Without a hint, players take the colours of large videos for BT.709, of small ones not.
        frame = self._reformat(
            self._av.VideoFrame.from_ndarray(drawn, "rgb24"),
            format="yuv420p",
            dst_colorspace="ITU709",
        )
        frame.pts, frame.time_base = ticks, Fraction(1, _TICKS)
        if self._held is not None:
            with self._reported():
                self._encode(self._container, self._held, ticks - self._held.pts)
        self._held = frame

    def _encode(self, container: Any, frame: Any, ticks: int) -> None:
        """Hand a frame and how long it is shown to the encoder; None: what it still holds."""
        if frame is not None:
            self._durations[frame.pts] = self._step = ticks
        for packet in self._stream.encode(frame):
            packet.duration = self._durations.pop(packet.pts, 0)
            container.mux(packet)

    def _opened(self, encoder: Encoder, container: Any) -> Any:
        """The stream of a container, ready to encode."""
        stream = container.add_stream(encoder.codec, rate=_RATE, options=encoder.options)
        factor = enlargement(*self.size)
        stream.width, stream.height = (side * factor + side * factor % 2 for side in self.size)
        stream.pix_fmt = "yuv420p"
        stream.time_base = Fraction(1, _TICKS)
        context = stream.codec_context
        context.time_base = Fraction(1, _TICKS)
        context.color_primaries = context.color_trc = context.colorspace = _BT709
        context.thread_type = "AUTO"
        return stream

    def _ticks(self, image: RGBImage, result: ImageResult) -> int:
        """When a frame is shown, counted from the start of the film."""
        if image.shape[1::-1] != self.size:
            raise InputError(
                f"`image` must have the film's size, {self.size[0]} × {self.size[1]}. "
                f"Received {image.shape[1]} × {image.shape[0]}. Give each size a film of its own."
            )
        if result.time_s is None or not math.isfinite(result.time_s):
            raise InputError(
                f"`result` must be a video frame with a time. Received {result.source!r} with "
                f"{result.time_s}. Use FERModel.predict_video to make such."
            )
        if self._start_s is None:
            self._start_s = result.time_s
        return round((result.time_s - self._start_s) * _TICKS)

    @contextmanager
    def _reported(self) -> Generator[None]:
        """Turn what FFmpeg and the disk say into an error that names the file."""
        try:
            yield
        except (self._av.error.FFmpegError, OSError) as error:
            raise InputError(
                f"`path` must be a file that can hold the film. Received {str(self.path)!r}: "
                f"{error}. Choose another folder."
            ) from error


def check_video_path(path: str | os.PathLike[str]) -> None:
    """Say early that a film cannot be written there.

    Raises:
        InputError: Another suffix than those of `VideoSink`.
        MissingExtraError: PyAV is not installed.
    """
    path = Path(path)
    if path.suffix.lower() not in _KINDS:
        raise InputError(
            f"`path` must end in {', '.join(_KINDS)}. Received {str(path)!r}. "
            f"Type for example: {path.stem or 'film'}.mp4"
        )
    extra_module("av", feature="Writing films", extra="video")


def choose_encoder(encoders: Sequence[Encoder], available: Collection[str]) -> Encoder:
    """The best encoder that this build of FFmpeg has.

    Raises:
        InputError: None of them.
    """
    for encoder in encoders:
        if encoder.codec in available:
            return encoder
    raise InputError(
        "`path` must end in a suffix for which FFmpeg has an encoder. Received one that needs "
        f"{' or '.join(encoder.codec for encoder in encoders)}. Type for example: film.mp4"
    )
