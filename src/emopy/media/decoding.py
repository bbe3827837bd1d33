"""Decode one video file from some moment on: true times, damage left out and counted."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from emopy.media.clock import Clock, Places
from emopy.media.containers import open_container, video_stream
from emopy.media.sampling import NOISE_S

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.frame import VideoFrame

_MOST_FAILURES = 10
"""Reading errors in a row after which nothing more can come."""

_SLACK_S = 0.1
"""How much earlier than declared a whole file may end, beside two frames."""

_DECLARING = ("mp4", "matroska", "avi", "flv", "asf")
"""Formats whose header says how long they are; of others the length is a guess."""


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """An image as the decoder gives it, with its time and place, see `emopy.types.Frame`."""

    image: VideoFrame
    time_s: float
    number: int


class Decoder:
    """One pass through the images of a file.

    Attributes:
        container: The opened file.
        stream: Its images.
        whole: Images decoded without damage so far.
        skipped: Those from `start_s` on that packets announced and that did not come, so far.
        truncated: The file ended before it says it does; known at the end.
    """

    def __init__(self, path: str, *, start_s: float) -> None:
        self.container = open_container(path)
        try:
            self.stream = video_stream(self.container, path)
        except BaseException:
            self.container.close()
            raise
        self.whole = 0
        self.skipped = 0
        self.truncated = False
        self._path = path
        self._start_s = start_s
        self._clock = Clock(self.stream)
        self._end_s = 0.0

    def close(self) -> None:
        """Let go of the file."""
        self.container.close()

    def from_beginning(self) -> Iterator[Decoded]:
        """Decode from the first image on."""
        return self._decode(Places(), sought=False)

    def from_keyframe(self, *, back_s: float) -> Iterator[Decoded] | None:
        """Seek to a keyframe at least `back_s` before `start_s`, and decode from there.

        Returns:
            The images; None where the file cannot seek, or landed behind `start_s`.
        """
        from av.error import FFmpegError

        try:
            target = self._clock.stamp(self._start_s - back_s)
            self.container.seek(target, stream=self.stream)
        except FFmpegError:
            return None
        decoded = self._decode(Places(), sought=True)
        first = next(decoded, None)
        if first is None or first.time_s > self._start_s:
            return None
        return chain([first], decoded)

    def _decode(self, places: Places, *, sought: bool) -> Generator[Decoded]:
        start_s = self._start_s - NOISE_S
        due: int | None = None  # the place that comes next if nothing is damaged
        for packet in self._packets():
            if packet is not None:
                places.add(self._clock.packet_s(packet))
            for image in self._images_in(packet):
                time_s = self._clock.image_s(image)
                if sought:
                    places.start(time_s, _count_before(time_s, self._path))
                    sought = False
                if due is None and time_s >= start_s:
                    due = places.earlier(start_s)
                number = places.number(time_s)
                if image.is_corrupt:
                    continue
                self.whole += 1
                if due is not None:
                    self.skipped += number - due
                    due = number + 1
                yield Decoded(image, time_s, number)
        if due is not None:
            self.skipped += max(0, places.earlier(math.inf) - due)

    def _packets(self) -> Generator[Packet[Any] | None]:
        """Compressed images; None at the end, for the decoder to give what it holds."""
        from av.error import FFmpegError

        failures = 0
        while failures < _MOST_FAILURES:
            try:
                for packet in self.container.demux():
                    failures = 0
                    if not packet.size:  # AVI's sign for "as before", or PyAV's for the end
                        continue
                    if not packet.is_corrupt:
                        self._end_s = max(self._end_s, _end_s(packet))
                    if packet.stream_index == self.stream.index:
                        yield packet
                break
            except (FFmpegError, IndexError):  # the latter: damage that looks like a new stream
                failures += 1
        yield None
        self.truncated = failures == _MOST_FAILURES or self._ends_early()

    def _images_in(self, packet: Packet[Any] | None) -> list[VideoFrame]:
        """Decode a packet; none if it is damaged."""
        from av.error import FFmpegError

        if packet is not None:
            self._clock.sent(packet)
        # Half a packet, at the end of half a file: the decoder would choke on it when it is
        # asked for the last images, and keep them.
        if packet is None or not packet.is_corrupt:
            with suppress(FFmpegError):
                context: Any = self.stream.codec_context  # annotated in part only
                return context.decode(packet)
        if packet is not None:
            self._clock.lost(packet)
        return []

    def _ends_early(self) -> bool:
        if not any(kind in self.container.format.name.split(",") for kind in _DECLARING):
            return False
        declared_s = (self.container.duration or 0) / 1e6
        if self.stream.duration and self.stream.time_base:
            declared_s = max(declared_s, float(self.stream.duration * self.stream.time_base))
        declared_s = max(declared_s, self.stream.frames * self._clock.interval_s)
        return self._end_s < declared_s - 2 * self._clock.interval_s - _SLACK_S


def _end_s(packet: Packet[Any]) -> float:
    """When what is in a packet has been shown or heard, in seconds of the container."""
    stamp = packet.dts if packet.pts is None else packet.pts
    return 0.0 if stamp is None else float((stamp + (packet.duration or 0)) * packet.time_base)


def _count_before(time_s: float, path: str) -> int:
    """Count the images shown before a time, by reading packets and decoding none."""
    from av.error import FFmpegError

    count = 0
    with open_container(path) as container:
        stream = video_stream(container, path)
        clock = Clock(stream)
        # A reading error ends the count early: nothing better is known then.
        with suppress(FFmpegError, IndexError):
            for packet in container.demux(stream):
                if packet.dts is not None and clock.seconds(packet.dts) >= time_s:
                    break
                shown_s = clock.packet_s(packet)
                count += bool(packet.size) and shown_s is not None and shown_s < time_s
    return count
