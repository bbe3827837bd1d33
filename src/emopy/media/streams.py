"""Live streams at network addresses, such as those of RTSP cameras, read like a camera."""

from __future__ import annotations

from functools import partial
from typing import Any

import cv2

from emopy.media.addresses import without_password
from emopy.media.cameras import Camera
from emopy.media.decoding import Decoded
from emopy.media.sampling import Sampling
from emopy.media.video_file import RGBConverter, open_decoder


def open_stream(address: str, sampling: Sampling, max_pixels: int) -> Camera:
    """Open a stream as a camera: frames that come while the consumer is busy are dropped.

    A lost connection is made again, unless the stream is a recording, which has an end.

    Raises:
        InputError: No answer, no video, or larger frames than `max_pixels`, width × height.
        MissingExtraError: PyAV is not installed.
    """
    capture = StreamCapture(address, max_pixels)
    reopen = None if capture.is_recording else partial(StreamCapture, address, max_pixels)
    return Camera(capture, without_password(address), sampling, reopen=reopen)


class StreamCapture:
    """The images of a stream, with the methods of ``cv2.VideoCapture`` that `Camera` uses."""

    def __init__(self, address: str, max_pixels: int) -> None:
        self._decoder = open_decoder(address, 0, max_pixels)
        self._frames = self._decoder.from_beginning()
        self._converter: RGBConverter | None = None
        self._newest: Decoded | None = None

    @property
    def is_recording(self) -> bool:
        """Whether the server says how long the stream is."""
        return bool(self._decoder.container.duration or self._decoder.stream.duration)

    def grab(self) -> bool:
        """Wait for the next image; False after the last one."""
        self._newest = next(self._frames, None)
        return self._newest is not None

    def retrieve(self) -> tuple[bool, Any]:
        """Return whether there is an image, and the image: (H, W, 3) uint8 BGR."""
        if self._newest is None:
            return False, None
        if self._converter is None:
            aspect = self._decoder.stream.sample_aspect_ratio
            self._converter = RGBConverter(self._newest.image, aspect)
        return True, cv2.cvtColor(self._converter.to_rgb(self._newest.image), cv2.COLOR_RGB2BGR)

    def get(self, prop: int) -> float:
        """Return the frame rate for ``cv2.CAP_PROP_FPS``; 0 if unknown."""
        rate = self._decoder.stream.average_rate
        return float(rate) if prop == cv2.CAP_PROP_FPS and rate else 0.0

    def release(self) -> None:
        """Close the stream."""
        self._decoder.close()
