"""`VideoSink`: an annotated video: boxes, predicted emotions and bars drawn on the frames.

with open_video("clip.mp4") as video, VideoSink("annotated.mp4", size=video.size) as sink:
    for frame, result in model.predict_frames(video):
        sink.write(frame.image, result)
"""

from __future__ import annotations

import math
import os
from collections.abc import Collection, Generator, Sequence
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple, Self, cast

import numpy as np

from emopy.errors import InputError, import_extra
from emopy.files import atomic_file, check_suffix
from emopy.present.draw import draw_faces, enlargement
from emopy.present.label_layout import LabelState
from emopy.types import ImageResult, RGBImage

_BT709 = 1
"""Code of BT.709 in ITU-T H.273: color primaries, transfer function and matrix."""

_TICKS_PER_S = 30_000
"""Time base of the video: 24, 25, 30 and 29.97 frames/s and milliseconds are exact."""

_NOMINAL_FPS = 25
"""Frame rate that the encoder is configured with; each frame has its own time."""


class Encoder(NamedTuple):
    """FFmpeg's name of an encoder, its options, and the longest side of its frames in pixels."""

    codec: str
    options: dict[str, str]
    max_side: int


class Container(NamedTuple):
    """FFmpeg's name of a container format, its options, and its encoders, the best first."""

    format: str
    options: dict[str, str]
    encoders: tuple[Encoder, ...]


_H264 = Encoder("libx264", {"preset": "veryfast", "crf": "20"}, 16_384)
_MPEG4 = Encoder("mpeg4", {"qscale": "3", "qmin": "3", "qmax": "3"}, 8_190)
_FAST = {"deadline": "realtime", "cpu-used": "7"}
_VP9 = Encoder("libvpx-vp9", {**_FAST, "row-mt": "1", "crf": "30", "b": "0"}, 65_534)
_VP8 = Encoder("libvpx", {**_FAST, "crf": "10", "b": "4M"}, 16_382)

_CONTAINERS = {
    ".mp4": Container("mp4", {"movflags": "+faststart"}, (_H264, _MPEG4)),
    ".mov": Container("mov", {"movflags": "+faststart"}, (_H264, _MPEG4)),
    ".mkv": Container("matroska", {}, (_H264, _MPEG4)),
    ".webm": Container("webm", {}, (_VP9, _VP8)),
}


class VideoSink:
    """Writes an annotated video frame by frame.

    Frames keep their times, at constant and variable frame rates; the video starts with its first
    frame. Frames without a face are unchanged. The file appears when the ``with`` block ends;
    after an exception it is removed, and an existing file is unchanged.

    Args:
        path: Ends in ``.mp4`` or ``.mov`` (H.264, or MPEG-4 where FFmpeg has no x264), ``.mkv``
            or ``.webm`` (VP9). Missing folders are created.
        size: (width, height) in pixels of every frame. Small frames are enlarged as by
            `draw_faces`; an odd side gets one more pixel.

    Raises:
        InputError: Another suffix, a size below 1, or frames that are too large for the encoder.
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
        self._state = LabelState()
        self._stack = ExitStack()
        self._av: Any = None
        self._reformat: Any = None
        self._container: Any = None
        self._stream: Any = None
        self._start_s: float | None = None
        self._pending: Any = None  # the newest frame: its duration is known with the next one
        self._step = _TICKS_PER_S // _NOMINAL_FPS
        self._durations: dict[int, int] = {}

    def __enter__(self) -> Self:
        self._av = _av()
        # One for all frames: a new one builds tables, which takes longer than the conversion.
        self._reformat = self._av.video.reformatter.VideoReformatter().reformat
        format_name, options, encoders = _CONTAINERS[self.path.suffix.lower()]
        encoder = choose_encoder(encoders, self._av.codecs_available)
        self._check_sides(encoder)
        with ExitStack() as stack:
            partial = stack.enter_context(atomic_file(self.path))
            with self._errors_name_the_file():
                container = self._av.open(str(partial), "w", format=format_name, options=options)
            stack.callback(container.close)
            self._stream = self._add_stream(encoder, container)
            self._container = container
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        container, self._container = self._container, None
        if error[0] is not None:
            self._stack.__exit__(*cast(Any, error))
            return
        with self._stack:  # removes the file if one of these raises
            if self._pending is None:
                raise InputError(
                    "`VideoSink` must get one or more frames. Received none for "
                    f"{str(self.path)!r}. Choose a part of the video that has frames."
                )
            with self._errors_name_the_file():
                self._encode(container, self._pending, self._step)
                self._encode(container, None, 0)
                container.close()

    def write(self, image: RGBImage, result: ImageResult) -> None:
        """Write one frame.

        Args:
            image: (H, W, 3) uint8 RGB: the frame, of the size of the video.
            result: Faces and predictions, with a time. A frame that is not later than the last
                one, to 1/30,000 of a second, is skipped.

        Raises:
            InputError: Another size, no time, a path that cannot hold the video, or called
                outside the ``with`` block.
        """
        if self._container is None:
            raise InputError(
                "`write` must be called inside the `with` block of a VideoSink. Received a frame "
                "outside it. Type: with VideoSink(path, size=video.size) as sink: ..."
            )
        ticks = self._ticks(image, result)
        if self._pending is not None and ticks <= self._pending.pts:
            return
        annotated = draw_faces(image, result, state=self._state)
        height, width = annotated.shape[:2]
        if height % 2 or width % 2:
            annotated = np.pad(annotated, ((0, height % 2), (0, width % 2), (0, 0)), "edge")
        # Without this, players assume BT.709 for large videos but not for small ones.
        frame = self._av.VideoFrame.from_ndarray(annotated, "rgb24")
        frame = self._reformat(frame, format="yuv420p", dst_colorspace="ITU709")
        frame.pts, frame.time_base = ticks, Fraction(1, _TICKS_PER_S)
        if self._pending is not None:
            with self._errors_name_the_file():
                self._encode(self._container, self._pending, ticks - self._pending.pts)
        self._pending = frame

    def _encode(self, container: Any, frame: Any, ticks: int) -> None:
        """Encode a frame with its duration; None flushes the encoder."""
        if frame is not None:
            self._durations[frame.pts] = self._step = ticks
        for packet in self._stream.encode(frame):
            packet.duration = self._durations.pop(packet.pts, 0)
            container.mux(packet)

    def _add_stream(self, encoder: Encoder, container: Any) -> Any:
        stream = container.add_stream(encoder.codec, rate=_NOMINAL_FPS, options=encoder.options)
        stream.width, stream.height = self._drawn_size()
        stream.pix_fmt = "yuv420p"
        stream.time_base = Fraction(1, _TICKS_PER_S)
        context = stream.codec_context
        context.time_base = Fraction(1, _TICKS_PER_S)
        context.color_primaries = context.color_trc = context.colorspace = _BT709
        context.thread_type = "AUTO"
        return stream

    def _drawn_size(self) -> tuple[int, int]:
        """Width and height of the annotated frames: even, as the encoders need them."""
        factor = enlargement(*self.size)
        width, height = (side * factor + side * factor % 2 for side in self.size)
        return width, height

    def _check_sides(self, encoder: Encoder) -> None:
        if max(self._drawn_size()) > encoder.max_side:
            webm = self.path.with_suffix(".webm")
            longer = max(self.size) <= _VP9.max_side and self.path.suffix.lower() != ".webm"
            raise InputError(
                f"`path` must name a kind of video for frames of {self.size[0]} × {self.size[1]} "
                f"pixels. Received {str(self.path)!r}, which holds at most {encoder.max_side} "
                f"pixels a side. {f'Type: {webm}' if longer else 'Make its frames smaller.'}"
            )

    def _ticks(self, image: RGBImage, result: ImageResult) -> int:
        """Time of a frame from the start of the video."""
        if image.shape[1::-1] != self.size:
            raise InputError(
                f"`image` must have the size of the video, {self.size[0]} × {self.size[1]}. "
                f"Received {image.shape[1]} × {image.shape[0]}. Use a VideoSink for each size."
            )
        if result.time_s is None or not math.isfinite(result.time_s):
            raise InputError(
                f"`result` must be a video frame with a time. Received {result.source!r} with "
                f"{result.time_s}. Use the results of FERModel.predict_frames."
            )
        if self._start_s is None:
            self._start_s = result.time_s
        return round((result.time_s - self._start_s) * _TICKS_PER_S)

    @contextmanager
    def _errors_name_the_file(self) -> Generator[None]:
        """Turn errors of FFmpeg and the disk into an InputError that names the file."""
        try:
            yield
        except (self._av.error.FFmpegError, OSError) as error:
            raise InputError(
                f"`path` must be a file that can hold the video. Received {str(self.path)!r}: "
                f"{error}. Choose another folder."
            ) from error


def check_video_path(path: str | os.PathLike[str]) -> None:
    """Check that an annotated video can be written to a path.

    Raises:
        InputError: Another suffix than those of `VideoSink`.
        MissingExtraError: PyAV is not installed.
    """
    check_suffix(path, _CONTAINERS)
    _av()


def choose_encoder(encoders: Sequence[Encoder], available: Collection[str]) -> Encoder:
    """Return the best encoder that this build of FFmpeg has.

    Raises:
        InputError: It has none of them.
    """
    for encoder in encoders:
        if encoder.codec in available:
            return encoder
    raise InputError(
        "`path` must end in a suffix for which FFmpeg has an encoder. Received one that needs "
        f"{' or '.join(encoder.codec for encoder in encoders)}. Type for example: annotated.mp4"
    )


def _av() -> Any:
    return import_extra("av", feature="Writing videos", extra="video")
