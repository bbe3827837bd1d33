"""Frames of a video file, chosen and upright."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from itertools import chain

from emopy.errors import InputError
from emopy.media.containers import check_file
from emopy.media.decoding import Decoded, Decoder
from emopy.media.sampling import Sampling, recorded
from emopy.media.upright import Upright
from emopy.types import Frame

_STEPS_BACK_S = (0.0, 5.0, 60.0)
"""How much before the start to seek: a seek may land behind where it was sent."""


class VideoFile:
    """Reads one file once, see `emopy.media.Video` for the attributes."""

    is_live = False

    def __init__(self, path: str, sampling: Sampling) -> None:
        self.source = path
        self._sampling = sampling
        self._decoder, decoded = _begin(path, sampling.start_s)
        try:
            wanted = (one for one in decoded if not sampling.before_start(one.time_s))
            first = next(wanted, None)
            if first is None:
                raise self._nothing()
            self._upright = Upright(first.picture, self._decoder.stream.sample_aspect_ratio)
        except BaseException:
            self._decoder.close()
            raise
        self._decoded: Iterator[Decoded] = chain([first], wanted)
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
        """Give the frames wanted."""
        for one in recorded(self._decoded, self._sampling):
            yield Frame(self._upright.rgb(one.picture), one.time_s, one.number)

    def close(self) -> None:
        """Let go of the file."""
        self._decoder.close()

    def _expected(self) -> int | None:
        if self.duration_s is None or self.fps is None:
            return None
        sampling = self._sampling
        end_s = min(self.duration_s, sampling.end_s or math.inf)
        fps = min(self.fps, sampling.fps or math.inf) / sampling.every
        if sampling.start_s == 0 and end_s == self.duration_s and sampling.fps is None:
            return math.ceil((self._decoder.stream.frames or end_s * fps) / sampling.every)
        return math.ceil(max(0.0, end_s - sampling.start_s) * fps - 1e-6)

    def _nothing(self) -> InputError:
        """Why there is no first frame."""
        path, stream = self.source, self._decoder.stream
        if self._decoder.whole:
            return InputError(
                "`start_s` must lie before the last frame. "
                f"Received {self._sampling.start_s:g}, and {path!r} is over by then. "
                "Give an earlier one."
            )
        if stream.codec_context.width < 1 or stream.codec_context.height < 1:
            return InputError(
                "`source` must have at least one pixel. Received "
                f"{path!r} of {stream.codec_context.width} × {stream.codec_context.height}. "
                "Copy or download the file again."
            )
        return InputError(
            f"`source` must be a whole video. Received {path!r}: damaged or truncated, no frame "
            "of it can be decoded. Copy or download the file again."
        )


def _begin(path: str, start_s: float) -> tuple[Decoder, Iterator[Decoded]]:
    """Decode from a keyframe before the start where the file allows it."""
    repeatable = check_file(path)
    for back_s in _STEPS_BACK_S:
        if repeatable and start_s > back_s:
            decoder = Decoder(path, start_s=start_s)
            decoded = decoder.from_keyframe(back_s=back_s)
            if decoded is not None:
                return decoder, decoded
            decoder.close()
    decoder = Decoder(path, start_s=start_s)
    return decoder, decoder.from_beginning()
