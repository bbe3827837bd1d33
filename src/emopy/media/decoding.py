"""Decode a video file from a start time: frames with true times, damaged ones counted."""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from typing import TYPE_CHECKING, Any

from emopy.media.containers import open_container, video_stream
from emopy.media.sampling import TOLERANCE_S

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_MAX_FAILURES = 10
"""Reading errors in a row after which the file ends."""

_END_TOLERANCE_S = 0.1
"""Seconds that a complete file may end before its declared end, in addition to two frames."""

_FORMATS_WITH_DURATION = {"mp4", "matroska", "avi", "flv", "asf"}
"""Formats whose header declares the duration; FFmpeg estimates that of others."""

_VP8_SHOWN = 0x10
"""RFC 6386, 9.1: bit of a VP8 frame's first byte that is set where the frame is shown."""

_MAX_TIMESTAMP = 1 << 62
"""Largest timestamp that files can hold."""


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """A decoded image with its time and number, see `emopy.types.Frame`."""

    image: VideoFrame
    time_s: float
    number: int


class Decoder:
    """One pass through the frames of a file.

    Attributes:
        container: The opened file.
        stream: Its video stream.
        decoded: Frames decoded without damage so far.
        skipped: Frames from `start_s` on that have a packet and could not be decoded, so far.
        truncated: Whether the file ended before its declared end; known after the last frame.
    """

    def __init__(self, path: str, *, start_s: float) -> None:
        self.container = open_container(path)
        try:
            self.stream = video_stream(self.container, path)
        except BaseException:
            self.container.close()
            raise
        self.decoded = 0
        self.skipped = 0
        self.truncated = False
        self._path = path
        self._start_s = start_s
        self._clock = Clock(self.stream)
        self._end_s = 0.0
        self.close = self.container.close

    def from_beginning(self) -> Iterator[Decoded]:
        """Decode from the first frame on."""
        return self._decode(sought=False)

    def from_keyframe(self, *, back_s: float) -> Iterator[Decoded] | None:
        """Seek to a keyframe at least `back_s` before `start_s`, and decode from there.

        None where the file cannot seek, or the seek landed after `start_s`.
        """
        from av.error import FFmpegError

        try:
            target = self._clock.timestamp(self._start_s - back_s)
            self.container.seek(target, stream=self.stream)
        except FFmpegError:
            return None
        decoded = self._decode(sought=True)
        first = next(decoded, None)
        if first is None or first.time_s > self._start_s:
            return None
        return chain([first], decoded)

    def _decode(self, *, sought: bool) -> Generator[Decoded]:
        counter = FrameCounter()
        start_s = self._start_s - TOLERANCE_S
        due: int | None = None  # number of the next frame if none is damaged
        for packet in self._packets():
            if packet is not None:
                counter.add(self._clock.packet_s(packet))
            for image in self._decode_packet(packet):
                time_s = self._clock.frame_s(image)
                if sought:
                    counter.start(time_s, _count_before(time_s, self._path))
                    sought = False
                if due is None and time_s >= start_s:
                    due = counter.count_before(start_s)
                number = counter.number(time_s)
                if image.is_corrupt:
                    continue
                self.decoded += 1
                if due is not None:
                    self.skipped += number - due
                    due = number + 1
                yield Decoded(image, time_s, number)
        if due is not None:
            self.skipped += max(0, counter.count_before(math.inf) - due)

    def _packets(self) -> Generator[Packet[Any] | None]:
        """Compressed frames; None at the end, to flush the decoder."""
        from av.error import FFmpegError

        failures = 0
        while failures < _MAX_FAILURES:
            try:
                for packet in self.container.demux():
                    failures = 0
                    if not packet.size:  # a repeated frame in AVI, or the end in PyAV
                        continue
                    if not packet.is_corrupt:
                        self._end_s = max(self._end_s, _end_s(packet))
                    if packet.stream_index == self.stream.index:
                        yield packet
                break
            except (FFmpegError, IndexError):  # IndexError: damage that looks like a new stream
                failures += 1
        yield None
        self.truncated = failures == _MAX_FAILURES or self._ends_early()

    def _decode_packet(self, packet: Packet[Any] | None) -> list[VideoFrame]:
        """Decode a packet; a damaged one gives no frame."""
        from av.error import FFmpegError

        if packet is not None:
            self._clock.add_packet(packet)
        # A partial packet at the end of a truncated file would make the decoder fail when it is
        # flushed, and lose the last frames.
        if packet is None or not packet.is_corrupt:
            with suppress(FFmpegError):
                context: Any = self.stream.codec_context  # only partly annotated
                return context.decode(packet)
        if packet is not None:
            self._clock.drop_packet(packet)
        return []

    def _ends_early(self) -> bool:
        if _FORMATS_WITH_DURATION.isdisjoint(self.container.format.name.split(",")):
            return False
        declared_s = (self.container.duration or 0) / 1e6
        if self.stream.duration and self.stream.time_base:
            declared_s = max(declared_s, float(self.stream.duration * self.stream.time_base))
        declared_s = max(declared_s, self.stream.frames * self._clock.interval_s)
        return self._end_s < declared_s - 2 * self._clock.interval_s - _END_TOLERANCE_S


def _end_s(packet: Packet[Any]) -> float:
    """End time of a packet of any stream, in seconds of the container."""
    stamp = packet.dts if packet.pts is None else packet.pts
    return 0.0 if stamp is None else float((stamp + (packet.duration or 0)) * packet.time_base)


def _count_before(time_s: float, path: str) -> int:
    """Count the frames shown before a time by reading packets, without decoding them."""
    from av.error import FFmpegError

    count = 0
    with open_container(path) as container:
        stream = video_stream(container, path)
        clock = Clock(stream)
        # A reading error ends the count early.
        with suppress(FFmpegError, IndexError):
            for packet in container.demux(stream):
                if packet.dts is not None and clock.seconds(packet.dts) >= time_s:
                    break
                shown_s = clock.packet_s(packet)
                count += bool(packet.size) and shown_s is not None and shown_s < time_s
    return count


class Clock:
    """Convert the timestamps of one pass through a stream to seconds from its start.

    Nearly all files have a presentation timestamp for each frame. AVI has only decoding timestamps;
    where frames are reordered, the decoder restores the order of presentation, and the frames get
    the timestamps in order.

    Attributes:
        interval_s: Average time between two frames, in seconds.
    """

    def __init__(self, stream: VideoStream) -> None:
        rate = stream.average_rate or stream.guessed_rate
        self.interval_s = float(1 / rate) if rate else 0.04
        self._tick = stream.time_base or Fraction(1, 1000)
        self._zero = stream.start_time or 0
        context = stream.codec_context
        self._has_only_dts = stream.container.format.name == "avi" and bool(context.has_b_frames)
        self._vp8 = context.name in {"vp8", "libvpx"}
        self._undecoded: deque[int] = deque()
        self._last_s: float | None = None

    def seconds(self, timestamp: int) -> float:
        """Convert a timestamp to seconds."""
        return float((timestamp - self._zero) * self._tick)

    def timestamp(self, seconds: float) -> int:
        """Return the last timestamp that is not after a time."""
        return min(self._zero + int(seconds / self._tick), _MAX_TIMESTAMP)

    def packet_s(self, packet: Packet[Any]) -> float | None:
        """Return the time of a packet's frame; None where it is not shown or has no timestamp."""
        if not packet.size or packet.is_discard:
            return None
        if self._vp8 and not memoryview(packet)[0] & _VP8_SHOWN:
            return None
        stamp = packet.dts if self._has_only_dts else packet.pts
        return None if stamp is None else self.seconds(stamp)

    def add_packet(self, packet: Packet[Any]) -> None:
        """Register a packet before it is decoded."""
        if self._has_only_dts and packet.dts is not None:
            self._undecoded.append(packet.dts)

    def drop_packet(self, packet: Packet[Any]) -> None:
        """Register that a packet gives no frame."""
        if packet.dts in self._undecoded:
            self._undecoded.remove(packet.dts)

    def frame_s(self, image: VideoFrame) -> float:
        """Return the time of a decoded frame: always later than that of the frame before."""
        stamp = image.pts
        if self._has_only_dts:
            stamp = self._undecoded.popleft() if self._undecoded else None
        time_s = None if stamp is None else self.seconds(stamp)
        if self._last_s is not None and (time_s is None or time_s <= self._last_s):
            time_s = self._last_s + self.interval_s
        self._last_s = max(time_s or 0.0, 0.0)
        return self._last_s


class FrameCounter:
    """Number frames by the packets of earlier frames, whether these could be decoded or not."""

    def __init__(self) -> None:
        self._next = 0
        self._earlier = 0
        self._waiting: list[float] = []

    def add(self, time_s: float | None) -> None:
        """Register the time of a packet's frame, before the frame is decoded; in any order."""
        if time_s is not None:
            heapq.heappush(self._waiting, time_s)

    def start(self, time_s: float, number: int) -> None:
        """Set the number of the first frame."""
        self.count_before(time_s)
        self._earlier = self._next = number

    def count_before(self, time_s: float) -> int:
        """Count the frames shown before a time; call it with rising times."""
        while self._waiting and self._waiting[0] < time_s:
            heapq.heappop(self._waiting)
            self._earlier += 1
        return self._earlier

    def number(self, time_s: float) -> int:
        """Return the number of a decoded frame, from 0."""
        number = max(self.count_before(time_s), self._next)  # packets may have no times
        self._next = number + 1
        return number
