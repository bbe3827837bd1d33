"""Frames of a video file, chosen and upright."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from contextlib import closing
from itertools import chain
from threading import Lock

from emopy.errors import InputError
from emopy.media.arrays import check_pixels
from emopy.media.containers import check_file
from emopy.media.decoding import Decoded, Decoder
from emopy.media.images import DEFAULT_MAX_PIXELS
from emopy.media.orientation import Upright, square
from emopy.media.prefetch import prefetch
from emopy.media.sampling import Sampling, recorded
from emopy.types import Frame

_STEPS_BACK_S = (0.0, 5.0, 60.0)
"""How much before the start to seek: a seek may land behind where it was sent."""


class VideoFile:
    """Reads one file once, see `emopy.media.Video` for the attributes.

    Whoever reads it holds it, and lets go of it at the end: a file must not be closed in one
    thread while another one decodes.
    """

    is_live = False

    def __init__(self, path: str, sampling: Sampling) -> None:
        self.source = path
        self._sampling = sampling
        self._held = Lock()
        # In a thread: a pipe into which nobody writes must not hold up Ctrl-C.
        with closing(prefetch(_begin(path, sampling), most=1)) as begun:
            self._decoder, self._decoded, self._upright = next(begun)
        self.size = self._upright.size
        stream, container = self._decoder.stream, self._decoder.container
        self.fps = float(stream.average_rate) if stream.average_rate else None
        self.duration_s: float | None = None
        if stream.duration and stream.time_base:
            self.duration_s = float(stream.duration * stream.time_base)
        elif container.duration:
            self.duration_s = container.duration / 1e6
        self.frames = self._expected()

    @property
    def skipped(self) -> int:
        """Damaged frames so far."""
        return self._decoder.skipped

    @property
    def truncated(self) -> bool:
        """Whether the file ended early, once its end is reached."""
        return self._decoder.truncated

    def read(self) -> Generator[Frame]:
        """Give the frames wanted, then let go of the file."""
        with self._held, closing(self._decoder):
            for one in recorded(self._decoded, self._sampling):
                yield Frame(self._upright.rgb(one.image), one.time_s, one.number)

    def close(self) -> None:
        """Let go of the file, unless somebody reads it, who will."""
        if self._held.acquire(blocking=False):
            self._decoder.close()
            self._held.release()

    def _expected(self) -> int | None:
        if self.duration_s is None or self.fps is None:
            return None
        sampling = self._sampling
        end_s = min(self.duration_s, sampling.end_s or math.inf)
        fps = min(self.fps, sampling.fps or math.inf) / sampling.every
        if sampling.start_s == 0 and end_s == self.duration_s and sampling.fps is None:
            return math.ceil((self._decoder.stream.frames or end_s * fps) / sampling.every)
        return math.ceil(max(0.0, end_s - sampling.start_s) * fps - 1e-6)


def _begin(path: str, sampling: Sampling) -> Generator[tuple[Decoder, Iterator[Decoded], Upright]]:
    """Open a file and decode the first frame wanted: one item."""
    decoder, decoded = _sought(path, sampling.start_s)
    try:
        wanted = (one for one in decoded if not sampling.before_start(one.time_s))
        first = next(wanted, None)
        if first is None:
            raise _nothing(path, sampling, decoder)
        upright = Upright(first.image, decoder.stream.sample_aspect_ratio)
        _check_size(upright.size, path)
    except BaseException:
        decoder.close()
        raise
    yield decoder, chain([first], wanted), upright


def _sought(path: str, start_s: float) -> tuple[Decoder, Iterator[Decoded]]:
    """Decode from a keyframe before the start where the file allows it."""
    repeatable = check_file(path)
    for back_s in _STEPS_BACK_S:
        if repeatable and start_s > back_s:
            decoder = _opened(path, start_s)
            decoded = decoder.from_keyframe(back_s=back_s)
            if decoded is not None:
                return decoder, decoded
            decoder.close()
    decoder = _opened(path, start_s)
    return decoder, decoder.from_beginning()


def _opened(path: str, start_s: float) -> Decoder:
    """Open a file whose frames, as it declares them, are not too large."""
    decoder = Decoder(path, start_s=start_s)
    context = decoder.stream.codec_context
    if context.width > 0 and context.height > 0:
        try:
            declared = square(context.width, context.height, decoder.stream.sample_aspect_ratio)
            _check_size(declared, path)
        except InputError:
            decoder.close()
            raise
    return decoder


def _check_size(size: tuple[int, int], path: str) -> None:
    check_pixels(*size, path, DEFAULT_MAX_PIXELS, hint="Make its frames smaller.")


def _nothing(path: str, sampling: Sampling, decoder: Decoder) -> InputError:
    """Why there is no first frame."""
    context = decoder.stream.codec_context
    if decoder.whole:
        return InputError(
            "`start_s` must lie before the last frame. "
            f"Received {sampling.start_s:g}, and {path!r} is over by then. "
            "Give an earlier one."
        )
    if context.width < 1 or context.height < 1:
        return InputError(
            "`source` must have frames of at least one pixel, and of at most "
            f"{DEFAULT_MAX_PIXELS / 1e6:g} megapixels. Received {path!r}: of another size. "
            "Make its frames smaller, or copy or download the file again."
        )
    return InputError(
        f"`source` must be a whole video. Received {path!r}: damaged or truncated, no frame "
        "of it can be decoded. Copy or download the file again."
    )
