"""`Timeline`: the time and number of every frame of a stream, from its compressed packets.

A frame's number is its place in the order of presentation. Files give a timestamp to each packet,
in the order of decoding; the timestamps may repeat, step back where parts were joined, or be
missing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Self

from emopy.media.sampling import TOLERANCE_S

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_VP8_SHOWN = 0x10
"""RFC 6386, 9.1: bit of a VP8 frame's first byte that is set where the frame is shown."""

_REORDERED = {"h264", "hevc", "vvc"}
"""Codecs whose order of presentation an AVI file does not tell."""

_MAX_REORDERING = 16
"""Most frames that are decoded before a frame and presented after it (H.264, A.3.1)."""

_MAX_LATE = 64
"""Frames that may be decoded after the one that a late frame ought to come before."""

_EMPTY_MPEG4 = 10
"""Bytes of an MPEG-4 packet that may hold no frame, only the word that the last one stays."""


@dataclass(slots=True, eq=False)
class Entry:
    """A packet whose frame is to be presented.

    Attributes:
        order: Its place in the order of decoding.
        part: Which of the joined parts of a file it belongs to.
        stamp: Presentation timestamp; None if unknown.
    """

    order: int
    part: int
    stamp: int | None


@dataclass(frozen=True, slots=True)
class Place:
    """Time in seconds from the start of the stream, and number from 0."""

    time_s: float
    number: int


class Clock:
    """Converts the timestamps of frames, in the order of presentation, to rising times.

    Attributes:
        interval_s: Average time between two frames, in seconds.
    """

    def __init__(self, stream: VideoStream) -> None:
        rate = stream.average_rate or stream.guessed_rate
        self.interval_s = float(1 / rate) if rate else 0.04
        tick = stream.time_base or Fraction(1, 1000)
        self._seconds, self._ticks = tick.numerator, tick.denominator
        self._zero = stream.start_time or 0
        # From one frame to the next with the same timestamp.
        self._step_s = max(self._seconds / self._ticks / 16, 2 * TOLERANCE_S)
        self._last_s: float | None = None
        self._offset_s = 0.0
        self._former_offset_s: float | None = None

    def advance(self, stamp: int | None) -> float:
        """Return the time of the next frame in seconds: later than that of the frame before."""
        last_s, former_s = self._last_s, self._former_offset_s
        self._former_offset_s = None
        read_s = 0.0 if stamp is None else (stamp - self._zero) * self._seconds / self._ticks
        if last_s is None:
            time_s = max(0.0, read_s)
        elif stamp is None:
            time_s = last_s + self.interval_s
        else:
            if former_s is not None and read_s + former_s > last_s:
                self._offset_s = former_s  # one timestamp was wrong, and no part was joined
            time_s = read_s + self._offset_s
            if last_s - time_s > self.interval_s:  # another part begins
                self._former_offset_s = self._offset_s
                time_s = last_s + self.interval_s
                self._offset_s = time_s - read_s
            elif time_s <= last_s:
                time_s = last_s + self._step_s
        self._last_s = time_s
        return time_s


class Timeline:
    """Places the frames of one pass through a stream.

    Attributes:
        clock: Gives the times.
        damaged: Whether the file has shown damage. Before, a packet without a frame is no loss:
            it holds the second field of a frame, or nothing.
    """

    def __init__(self, stream: VideoStream) -> None:
        self.clock = Clock(stream)
        self.damaged = False
        self._context: Any = stream.codec_context
        name = self._context.name
        self._vp8 = name in {"vp8", "libvpx"}
        self._empty_size = _EMPTY_MPEG4 if name == "mpeg4" else 0
        # AVI has decoding timestamps only, and the n-th frame presented has the n-th of them.
        self._by_dts = stream.container.format.name == "avi" and bool(self._context.has_b_frames)
        self._stamped = not (self._by_dts and name in _REORDERED)
        self._dts: deque[int] = deque()
        self._waiting: list[Entry] = []
        self._lost: deque[int | None] = deque(maxlen=_MAX_LATE)
        self._added = self._part = self._next = 0
        self._latest: int | None = None  # presentation timestamp in this part

    def is_shown(self, packet: Packet[Any]) -> bool:
        """Return whether the frame of a packet is to be presented."""
        if not packet.size or packet.is_discard:
            return False
        return not self._vp8 or bool(memoryview(packet)[0] & _VP8_SHOWN)

    def is_clear(self, packet: Packet[Any]) -> bool:
        """Return whether the frame of a packet can be placed without decoding it."""
        return packet.size > self._empty_size and self._stamped and packet.pts is not None

    def add(self, packet: Packet[Any]) -> None:
        """Register a packet, in the order of decoding."""
        if not self.is_shown(packet):
            return
        stamp = packet.pts if self._stamped else None
        if self._by_dts and packet.dts is not None:
            self._dts.append(packet.dts)
        if stamp is not None:
            # A keyframe follows all earlier frames, except where another part begins.
            if packet.is_keyframe and self._latest is not None and stamp < self._latest:
                self._part, self._latest = self._part + 1, None
            self._latest = stamp if self._latest is None else max(stamp, self._latest)
        self._waiting.append(Entry(self._added, self._part, stamp))
        self._added += 1

    def forget(self) -> None:
        """Drop the packets that wait: they come before the first keyframe, and give no frame."""
        if not self._next:
            self._waiting.clear()
            self._dts.clear()

    def is_first(self, image: VideoFrame) -> bool:
        """Return whether a decoded frame is that of the first packet that waits."""
        return not self._waiting or self._match(image) is self._waiting[0]

    def is_late(self, image: VideoFrame) -> bool:
        """Return whether a decoded frame comes after frames that it ought to come before.

        It counts as lost already; decoders give such frames after damage.
        """
        stamp = image.pts
        return stamp in self._lost and all(entry.stamp != stamp for entry in self._waiting)

    def place(self, image: VideoFrame, *, count_all: bool = False) -> tuple[list[Place], Place]:
        """Return the places of the frames lost before a decoded one, and the place of this one.

        Args:
            image: Frames come in the order of presentation.
            count_all: Whether packets without a frame count, also where no damage was seen.
        """
        entry = self._match(image)
        lost = [other for other in self._waiting if self._is_before(other, entry)]
        self._lost.extend(other.stamp for other in lost)
        self._waiting = [
            other for other in self._waiting if other is not entry and other not in lost
        ]
        return self._skip(lost, count=count_all or self.damaged), self._present(entry.stamp)

    def skip(self, packets: Iterable[Packet[Any]]) -> list[Place]:
        """Register packets and return the places of their frames, without decoding them."""
        for packet in packets:
            self.add(packet)
        return self.rest(count=True)

    def rest(self, *, count: bool) -> list[Place]:
        """Return the places of the frames that have not come, if they count."""
        waiting, self._waiting = self._waiting, []
        return self._skip(waiting, count=count)

    def next_s(self, stamp: int) -> float:
        """Return the time that the next frame would have with this timestamp."""
        return copy(self.clock).advance(stamp)

    def fork(self) -> Self:
        """Return a copy that continues by itself."""
        other = copy(self)
        other.clock = copy(self.clock)
        vars(other).update(_waiting=[], _dts=self._dts.copy(), _lost=self._lost.copy())
        return other

    def _match(self, image: VideoFrame) -> Entry:
        """Find the packet of a frame."""
        stamp = image.pts if self._stamped else None
        for entry in self._waiting:
            if entry.stamp == stamp:
                return entry
        for entry in self._waiting:
            if entry.stamp is None:
                entry.stamp = stamp  # the decoder may know it
                return entry
        return Entry(self._added, self._part, stamp)

    def _is_before(self, other: Entry, entry: Entry) -> bool:
        """Return whether the frame of a waiting packet ought to have come before another one."""
        if other is entry:
            return False
        if not self._context.has_b_frames:
            return other.order < entry.order
        if other.stamp is None or entry.stamp is None:
            return other.order < entry.order - _MAX_REORDERING
        return (other.part, other.stamp) < (entry.part, entry.stamp)

    def _skip(self, entries: list[Entry], *, count: bool) -> list[Place]:
        """Present frames that are not there; return their places if they count."""
        keys: dict[Entry, tuple[int, int]] = {}
        key = (-1, 0)
        for entry in entries:
            key = key if entry.stamp is None else (entry.part, entry.stamp)
            keys[entry] = key  # one without a timestamp follows the packet before it
        in_order = sorted(entries, key=lambda entry: keys[entry])
        places = [self._present(entry.stamp, counted=count) for entry in in_order]
        return places if count else []

    def _present(self, stamp: int | None, *, counted: bool = True) -> Place:
        if self._by_dts:
            stamp = self._dts.popleft() if self._dts else None
        place = Place(self.clock.advance(stamp), self._next)
        self._next += counted
        return place
