"""Decode a video file from a start time: frames with true times, damaged ones counted."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from emopy.media.addresses import without_password
from emopy.media.containers import open_container, video_stream
from emopy.media.sampling import TOLERANCE_S
from emopy.media.timeline import Place, Timeline

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.frame import VideoFrame

_MAX_FAILURES = 10
"""Reading errors in a row after which the file ends."""

_MAX_WAITING_BYTES = 64_000_000
"""Most bytes of packets kept while looking for the last keyframe before a start time."""

Check: TypeAlias = Callable[[], object]
"""What is called for each frame that is read, also for one that is not selected; an error that it
raises ends the reading."""

_CANVAS_FORMATS = {"gif", "apng"}
"""Formats whose frames are drawn on the frame before, also where they are called keyframes."""


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
        skipped: Frames from `start_s` on that could not be decoded, so far.
        ended: Whether all of the file has been read.
        failed: Whether it could not be read to its end.
    """

    def __init__(
        self, path: str, *, start_s: float, max_pixels: int, check: Check | None = None
    ) -> None:
        self.container = open_container(path, max_pixels)
        try:
            self.stream = video_stream(self.container, without_password(path), max_pixels)
        except BaseException:
            self.container.close()
            raise
        self.decoded = 0
        self.skipped = 0
        self.ended = False
        self.failed = False
        self._start_s = start_s - TOLERANCE_S
        self._check = check
        self._timeline = Timeline(self.stream)
        self._passed_over = False  # whether packets were read without decoding them
        self._doubtful = False

    def close(self) -> None:
        """Close the file; more than once does no harm."""
        # Freeing a decoder waits for its threads while no other Python code can run. One that logs
        # to Python (`av.logging`) would then wait for ever. Flushing waits for them before.
        self.stream.codec_context.flush_buffers()
        self.container.close()

    @property
    def is_doubtful(self) -> bool:
        """Whether a frame is missing since the keyframe where decoding began."""
        return self._passed_over and self._doubtful

    @property
    def formats(self) -> set[str]:
        """FFmpeg's names of the container format."""
        return set(self.container.format.name.split(","))

    @property
    def interval_s(self) -> float:
        """Average time between two frames, in seconds."""
        return self._timeline.clock.interval_s

    def from_beginning(self) -> Iterator[Decoded]:
        """Decode from the first frame on."""
        return self._decode(self._packets())

    def from_keyframe(self) -> Iterator[Decoded] | None:
        """Decode from the last keyframe before the start time; read what is before it only.

        None where a frame can only be placed by decoding all those before it.
        """
        if not _CANVAS_FORMATS.isdisjoint(self.formats):
            return None
        rest = self._packets()
        group = self._pass_over(rest)
        return None if group is None else self._decode(_chain(group, rest))

    def places(self) -> Generator[Place]:
        """Yield the places of all frames, in order, without decoding them."""
        group: list[Packet[Any]] = []
        keyed = False
        for packet in self._packets():
            if packet is not None and packet.is_keyframe:
                if keyed:
                    yield from self._timeline.skip(group)
                group, keyed = [], True
            if packet is not None:
                group.append(packet)
        yield from self._timeline.skip(group)

    def _pass_over(self, packets: Iterable[Packet[Any] | None]) -> list[Packet[Any] | None] | None:
        """Read up to the start time; return the packets from the last keyframe before it on."""
        group: list[Packet[Any] | None] = []
        size = 0
        first: int | None = None
        for packet in packets:
            if packet is None:
                return None if self._is_ambiguous(group) else [*group, None]
            stamp = packet.pts
            if stamp is None or not (self._timeline.is_clear(packet) or packet.is_discard):
                return None
            if not self._passed_over:
                # The decoder may give no frame before the first keyframe.
                first = stamp if first is None and packet.is_keyframe else first
                if first is None or stamp < first:
                    return None
            if packet.is_keyframe and group:
                if self._is_ambiguous(group):
                    return None
                timeline = self._timeline.fork()
                timeline.skip(each for each in group if each is not None)
                if timeline.next_s(stamp) > self._start_s:
                    return [*group, packet]
                self._timeline, self._passed_over, group, size = timeline, True, [], 0
            group.append(packet)
            size += packet.size
            if size > _MAX_WAITING_BYTES:
                break
        return None if self._is_ambiguous(group) else group

    def _is_ambiguous(self, group: Iterable[Packet[Any] | None]) -> bool:
        """Return whether the timestamps of packets do not tell the order of presentation."""
        context: Any = self.stream.codec_context
        packets = [packet for packet in group if packet and self._timeline.is_shown(packet)]
        stamps = {packet.pts for packet in packets}
        return bool(context.has_b_frames) and len(stamps) < len(packets)

    def _decode(self, packets: Iterable[Packet[Any] | None]) -> Generator[Decoded]:
        timeline = self._timeline
        keyed, begun = self._passed_over, False
        for packet in packets:
            if packet is not None:
                if packet.is_keyframe and not keyed:
                    keyed = True
                    timeline.forget()
                timeline.add(packet)
            images, damaged = self._decode_packet(packet)
            timeline.damaged |= damaged and keyed
            for image in images:
                if timeline.damaged and timeline.is_late(image):
                    continue
                # Frames that come before the keyframe, and need frames before it, are not decoded.
                is_keyframe = timeline.is_first(image)
                lost, place = timeline.place(image, count_all=self._passed_over and not begun)
                if timeline.damaged or image.is_corrupt or (lost if begun else not is_keyframe):
                    self._doubtful = True
                self._count(lost)
                begun = True
                if image.is_corrupt:
                    timeline.damaged = True
                    self._count([place])
                    continue
                self.decoded += 1
                yield Decoded(image, place.time_s, place.number)
        self._count(timeline.rest(count=timeline.damaged))
        self.ended = True

    def _count(self, lost: Iterable[Place]) -> None:
        self.skipped += sum(place.time_s >= self._start_s for place in lost)

    def _packets(self) -> Generator[Packet[Any] | None]:
        """Compressed frames; None at the end, to flush the decoder."""
        from av.error import ExitError, FFmpegError

        failures = 0
        while failures < _MAX_FAILURES:
            try:
                for packet in self.container.demux(self.stream):
                    if self._check is not None:
                        self._check()
                    failures = 0
                    if packet.size:  # else a repeated frame in AVI, or the end in PyAV
                        yield packet
                break
            except (FFmpegError, IndexError) as error:  # IndexError: damage like a new stream
                # An address that does not answer in time would not do so later.
                failures = _MAX_FAILURES if isinstance(error, ExitError) else failures + 1
                self._timeline.damaged = True
        self.failed = failures == _MAX_FAILURES
        yield None

    def _decode_packet(self, packet: Packet[Any] | None) -> tuple[list[VideoFrame], bool]:
        """Decode a packet; return its frames and whether it is damaged."""
        from av.error import FFmpegError

        # A partial packet at the end of a truncated file would make the decoder fail when it is
        # flushed, and lose the last frames. In MPEG-TS a packet counts as partial at each join.
        is_partial = packet is not None and packet.is_corrupt
        if is_partial and self.container.format.name != "mpegts":
            return [], True
        context: Any = self.stream.codec_context  # only partly annotated
        try:
            return context.decode(packet), is_partial
        except FFmpegError:
            return [], True


def _chain(
    first: Iterable[Packet[Any] | None], rest: Iterable[Packet[Any] | None]
) -> Generator[Packet[Any] | None]:
    yield from first
    yield from rest


def measure(path: str, max_pixels: int, check: Check | None = None) -> tuple[list[Place], float]:
    """Read a whole file without decoding it; return the places of its frames, and their interval.

    Raises:
        InputError: The file cannot be opened.
    """
    decoder = Decoder(path, start_s=0, max_pixels=max_pixels, check=check)
    with closing(decoder):
        return list(decoder.places()), decoder.interval_s
