"""`VideoFile`: the selected frames of a video file, upright RGB with square pixels."""

from __future__ import annotations

import math
import os
from collections.abc import Generator, Iterator
from contextlib import closing
from fractions import Fraction
from functools import partial
from itertools import chain
from threading import Lock
from typing import TYPE_CHECKING, Any, cast

import cv2
import numpy as np

from emopy.errors import InputError
from emopy.media.addresses import without_password
from emopy.media.arrays import from_array
from emopy.media.containers import check_file
from emopy.media.decoding import Check, Decoded, Decoder, measure
from emopy.media.limits import check_pixels
from emopy.media.prefetch import prefetch
from emopy.media.sampling import TOLERANCE_S, Sampling, select_recorded
from emopy.media.truncation import FORMATS_WITH_DURATION, is_cut_off
from emopy.types import Frame, RGBImage

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

_MAX_MEASURED_BYTES = 128_000_000
"""Largest file that is read whole for the number of its frames, before any is decoded."""

_MAX_PIXEL_ASPECT = 8
"""Width by height of a pixel, or the reverse, from which the file is wrong."""


class VideoFile:
    """Reader of one file, see `emopy.media.Video` for the attributes.

    An iteration closes the file at its end: a file must not be closed in one thread while another
    one decodes it.
    """

    is_live = False

    def __init__(
        self, path: str, sampling: Sampling, max_pixels: int, check: Check | None = None
    ) -> None:
        self.source = without_password(path)
        self._path = path
        self._sampling = sampling
        self._max_pixels = max_pixels
        self._reading = Lock()
        self._ended = False
        # In a thread: a pipe without a writer must not block Ctrl-C.
        decoding = _decode_first(path, sampling, max_pixels, check)
        with closing(prefetch(decoding, max_items=1)) as first:
            self._decoder, self._first_s, self._decoded, self._converter = next(first)
        self.size = self._converter.size
        stream = self._decoder.stream
        self.fps = float(stream.average_rate) if stream.average_rate else None
        self.duration_s = _declared_duration(self._decoder)
        self.frames = self._estimate_frames()
        try:
            self._measure(check)
        except BaseException:
            self._decoder.close()
            raise

    @property
    def skipped(self) -> int:
        """Damaged frames so far."""
        return self._decoder.skipped

    @property
    def truncated(self) -> bool:
        """Whether the file ended early; known after the last frame."""
        return self._ended and (self._decoder.failed or is_cut_off(self._path))

    def read(self) -> Generator[Frame]:
        """Yield the selected frames, then close the file."""
        with self._reading, closing(self._decoder):
            for one in select_recorded(self._decoded, self._sampling):
                _check_size((one.image.width, one.image.height), self.source, self._max_pixels)
                yield Frame(self._converter.to_rgb(one.image), one.time_s, one.number)
            self._ended = self._decoder.ended

    def close(self) -> None:
        """Close the file, unless an iteration is reading it, which closes it at its end."""
        if self._reading.acquire(blocking=False):
            self._decoder.close()
            self._reading.release()

    def _estimate_frames(self) -> int | None:
        """Number of selected frames at the average rate."""
        if self.duration_s is None or self.fps is None:
            return None
        sampling = self._sampling
        end_s = min(self.duration_s, sampling.end_s or math.inf)
        fps = min(self.fps, sampling.fps or math.inf) / sampling.every
        return math.ceil(max(0.0, end_s - sampling.start_s) * fps - 1e-6)

    def _measure(self, check: Check | None) -> None:
        """Replace estimates: headers count frames that are not presented, and joined parts once."""
        path = self._path
        if not os.path.isfile(path) or os.path.getsize(path) > _MAX_MEASURED_BYTES:  # noqa: PTH113, PTH202
            return
        places, interval_s = measure(path, self._max_pixels, check)
        if self._sampling.start_s == 0:  # frames before the first one are not decodable
            places = [each for each in places if each.time_s >= self._first_s - TOLERANCE_S]
        if not places:
            return
        from_start = (each for each in places if not self._sampling.before_start(each.time_s))
        self.frames = sum(1 for _ in select_recorded(from_start, self._sampling))
        end_s = places[-1].time_s + interval_s
        has_declared = not FORMATS_WITH_DURATION.isdisjoint(self._decoder.formats)
        if self.duration_s is None or not has_declared or self.duration_s < places[-1].time_s:
            self.duration_s = end_s
        if self.fps is None or not 0.9 < len(places) / (self.fps * end_s) < 1.1:
            self.fps = len(places) / end_s


def _declared_duration(decoder: Decoder) -> float | None:
    stream, container = decoder.stream, decoder.container
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    if not container.duration:
        return None
    late_s = 0.0  # the images may begin after the sound
    if stream.start_time is not None and stream.time_base:
        late_s = float(stream.start_time * stream.time_base) - (container.start_time or 0) / 1e6
    return container.duration / 1e6 - max(0.0, late_s)


def _decode_first(
    path: str, sampling: Sampling, max_pixels: int, check: Check | None
) -> Generator[tuple[Decoder, float, Iterator[Decoded], RGBConverter]]:
    """Open a file and decode the first frame from the start time on: one item."""
    can_reopen = check_file(path)
    start = partial(_start, path, sampling, max_pixels, check)
    decoder, first, frames = start(from_keyframe=can_reopen)
    if can_reopen and (decoder.is_doubtful or first is None):
        decoder.close()
        decoder, first, frames = start(from_keyframe=False)
    try:
        if first is None:
            raise _no_frame_error(without_password(path), sampling, max_pixels, decoder)
        converter = RGBConverter(first.image, decoder.stream.sample_aspect_ratio)
        _check_size(converter.size, without_password(path), max_pixels)
    except BaseException:
        decoder.close()
        raise
    yield decoder, first.time_s, chain([first], frames), converter


def _start(
    path: str, sampling: Sampling, max_pixels: int, check: Check | None, *, from_keyframe: bool
) -> tuple[Decoder, Decoded | None, Iterator[Decoded]]:
    """Decode the first frame from the start time on, from a keyframe before it where possible."""
    decoder = open_decoder(path, sampling.start_s, max_pixels, check)
    try:
        decoded = None
        if from_keyframe and sampling.start_s > 0:
            decoded = decoder.from_keyframe()
            if decoded is None:
                decoder.close()
                decoder = open_decoder(path, sampling.start_s, max_pixels, check)
        if decoded is None:
            decoded = decoder.from_beginning()
        frames = (one for one in decoded if not sampling.before_start(one.time_s))
        return decoder, next(frames, None), frames
    except BaseException:
        decoder.close()
        raise


def open_decoder(path: str, start_s: float, max_pixels: int, check: Check | None = None) -> Decoder:
    """Open a file or address and check the frame size that it declares."""
    decoder = Decoder(path, start_s=start_s, max_pixels=max_pixels, check=check)
    context = decoder.stream.codec_context
    if context.width > 0 and context.height > 0:
        pixel_aspect, name = decoder.stream.sample_aspect_ratio, without_password(path)
        try:
            size = square_pixel_size(context.width, context.height, pixel_aspect)
            _check_size(size, name, max_pixels)
        except InputError:
            decoder.close()
            raise
    return decoder


def _check_size(size: tuple[int, int], name: str, max_pixels: int) -> None:
    hint = f"Make its frames smaller, or raise the limit: `max_pixels={math.prod(size)}`"
    check_pixels(*size, name, max_pixels, hint=hint)


def _no_frame_error(name: str, sampling: Sampling, max_pixels: int, decoder: Decoder) -> InputError:
    """The reason why there is no first frame."""
    context = decoder.stream.codec_context
    if decoder.decoded:
        return sampling.too_late(name, _declared_duration(decoder))
    if context.width < 1 or context.height < 1:
        return InputError(
            "`source` must have frames of at least one pixel, and of at most "
            f"{max_pixels / 1e6:g} megapixels. Received {name!r}: of another size. "
            "Make its frames smaller, or copy or download the file again."
        )
    return InputError(
        f"`source` must be a complete video. Received {name!r}: damaged or truncated, no frame "
        "of it can be decoded. Copy or download the file again."
    )


class RGBConverter:
    """Convert the frames of one video to upright RGB, as its first frame declares.

    Attributes:
        size: (width, height) of every result, in pixels.
    """

    def __init__(self, first: VideoFrame, pixel_aspect: Fraction | None) -> None:
        from av.video.reformatter import VideoReformatter

        self._reformatter = VideoReformatter()  # caches its tables between frames
        self._stored = square_pixel_size(first.width, first.height, pixel_aspect)
        self._transpose, self._flip_code = _rotation(first)
        width, height = self._stored
        self.size = (height, width) if self._transpose else (width, height)

    def to_rgb(self, frame: VideoFrame) -> RGBImage:
        """Convert one frame to (H, W, 3) uint8 of `size`; transparency is composited on white."""
        kind = frame.format
        transparent = kind.has_palette or any(part.is_alpha for part in kind.components)
        target = "rgba" if transparent else "rgb24"
        converted = self._reformatter.reformat(frame, *self._stored, target)
        image = cast(RGBImage, converted.to_ndarray())
        if converted is frame:  # a view of the decoder's own image, which it may need unchanged
            image = image.copy()
        if transparent:
            image = from_array(image)
        if self._transpose:
            image = cast(RGBImage, cv2.transpose(image))
        if self._flip_code is not None:
            image = cast(RGBImage, cv2.flip(image, self._flip_code))
        return image


def square_pixel_size(width: int, height: int, aspect: Fraction | None) -> tuple[int, int]:
    """Return (width, height) after stretching to square pixels; no side gets shorter.

    `aspect` is the width by height of a pixel; None or an implausible one counts as 1.
    """
    if not aspect or not 1 / _MAX_PIXEL_ASPECT < aspect < _MAX_PIXEL_ASPECT:
        return width, height
    if aspect > 1:
        return round(width * aspect), height
    return width, round(height / aspect)


def _rotation(image: VideoFrame) -> tuple[bool, int | None]:
    """How to make a stored image upright: whether to transpose it, then OpenCV's flip code.

    Source: ISO/IEC 14496-12, 8.3.2: (x, y) is shown at (ax + cy, bx + dy).
    """
    from av.sidedata.sidedata import Type

    data = cast(Any, image.side_data).get(Type.DISPLAYMATRIX)
    if data is None:
        return False, None
    a, b, _, c, d = np.frombuffer(bytes(data), "=i4")[:5].tolist()
    transpose = abs(b) + abs(c) > abs(a) + abs(d)
    left_right, up_down = (c < 0, b < 0) if transpose else (a < 0, d < 0)
    code = {(True, False): 1, (False, True): 0, (True, True): -1}
    return transpose, code.get((left_right, up_down))
