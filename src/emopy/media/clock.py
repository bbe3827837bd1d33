"""When the packets and images of a video file are shown, and as which ones."""

from __future__ import annotations

import heapq
from collections import deque
from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_SHOWN_IN_VP8 = 0x10
"""RFC 6386, 9.1: the bit of a VP8 frame's first byte that tells shown ones from hidden ones."""


_LATEST = 1 << 62


class Clock:
    """Turns the timestamps of one pass through a stream into seconds from its start.

    Nearly all files stamp each image with the time of its showing. AVI knows only the order of
    decoding; where that is not the order of showing, the decoder puts the images right, and
    the first of them is shown at the first time.

    Attributes:
        interval_s: From one image to the next, on average.
    """

    def __init__(self, stream: VideoStream) -> None:
        rate = stream.average_rate or stream.guessed_rate
        self.interval_s = float(1 / rate) if rate else 0.04
        self._tick = stream.time_base or Fraction(1, 1000)
        self._zero = stream.start_time or 0
        context = stream.codec_context
        self._by_order = stream.container.format.name == "avi" and bool(context.has_b_frames)
        self._vp8 = context.name in {"vp8", "libvpx"}
        self._undecoded: deque[int] = deque()
        self._last_s: float | None = None

    def seconds(self, stamp: int) -> float:
        """The time that a stamp stands for."""
        return float((stamp - self._zero) * self._tick)

    def stamp(self, seconds: float) -> int:
        """The last stamp not after a time, and not beyond what files can count to."""
        return min(self._zero + int(seconds / self._tick), _LATEST)

    def packet_s(self, packet: Packet[Any]) -> float | None:
        """When the image in a packet is shown; None where it is not, or does not say."""
        if not packet.size or packet.is_discard:
            return None
        if self._vp8 and not memoryview(packet)[0] & _SHOWN_IN_VP8:
            return None
        stamp = packet.dts if self._by_order else packet.pts
        return None if stamp is None else self.seconds(stamp)

    def sent(self, packet: Packet[Any]) -> None:
        """Take note of a packet that goes to the decoder."""
        if self._by_order and packet.dts is not None:
            self._undecoded.append(packet.dts)

    def lost(self, packet: Packet[Any]) -> None:
        """Take note that no image will come of it."""
        if packet.dts in self._undecoded:
            self._undecoded.remove(packet.dts)

    def image_s(self, image: VideoFrame) -> float:
        """When a decoded image is shown: always later than the one before it."""
        stamp = image.pts
        if self._by_order:
            stamp = self._undecoded.popleft() if self._undecoded else None
        time_s = None if stamp is None else self.seconds(stamp)
        if self._last_s is not None and (time_s is None or time_s <= self._last_s):
            time_s = self._last_s + self.interval_s
        self._last_s = max(time_s or 0.0, 0.0)
        return self._last_s


class Places:
    """Numbers images by how many packets hold earlier ones, whatever became of those."""

    def __init__(self) -> None:
        self._next = 0
        self._earlier = 0
        self._waiting: list[float] = []

    def add(self, time_s: float | None) -> None:
        """Take note of a packet's image; packets come in any order, but before their image."""
        if time_s is not None:
            heapq.heappush(self._waiting, time_s)

    def start(self, time_s: float, number: int) -> None:
        """Say which image is the first one."""
        self.earlier(time_s)
        self._earlier = self._next = number

    def earlier(self, time_s: float) -> int:
        """How many are shown before a time; the times asked for rise."""
        while self._waiting and self._waiting[0] < time_s:
            heapq.heappop(self._waiting)
            self._earlier += 1
        return self._earlier

    def number(self, time_s: float) -> int:
        """The place of an image that came, from 0."""
        number = max(self.earlier(time_s), self._next)  # the latter where packets tell no times
        self._next = number + 1
        return number
