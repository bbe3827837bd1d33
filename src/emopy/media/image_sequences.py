"""`ImageSequence`: a folder of frames, or an animated WebP, read as a video."""

from __future__ import annotations

import io
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from itertools import accumulate
from typing import IO

import numpy as np
from PIL import Image

from emopy.errors import InputError
from emopy.media.arrays import on_white
from emopy.media.decoding import Check
from emopy.media.images import read_image
from emopy.media.limits import check_pixels
from emopy.media.paths import explain_os_errors, find_images
from emopy.media.pillow import explain_damage, quiet_pillow
from emopy.media.sampling import Sampling, select_recorded
from emopy.media.timeline import Place
from emopy.types import FailedInput, Frame, RGBImage

DEFAULT_FPS = 25.0
"""Frames per second of a folder of frames."""

_SEEK_FRAMES = 8
"""Frames of an animation that are decoded at once where they are not selected."""

_MIN_DURATION_MS = 10
"""Browsers show a frame of an animation for this time at least; shorter ones mean 100 ms."""


class ImageSequence:
    """Reader of single images, see `emopy.media.Video` for the attributes.

    Attributes:
        failed: The images that could not be read or have another size, so far.
        other_sizes: Number of images of another size than the first, so far.
    """

    is_live = False
    truncated = False

    def __init__(
        self,
        source: str,
        names: Sequence[str],
        times_s: Sequence[float],
        load: Callable[[int], RGBImage],
        sampling: Sampling,
    ) -> None:
        """Take the names and times of the images, the end after the last, and how to read one.

        Raises:
            InputError: All images before the start time, or none that can be read.
        """
        self.source = source
        self.failed: list[FailedInput] = []
        self.other_sizes = 0
        *begins, self.duration_s = times_s
        self.fps: float | None = len(begins) / self.duration_s
        places = [Place(time_s, number) for number, time_s in enumerate(begins)]
        later = [place for place in places if not sampling.before_start(place.time_s)]
        if not later:
            raise sampling.too_late(source, self.duration_s)
        selected = list(select_recorded(later, sampling))
        self.frames: int | None = len(selected)
        self.size = (0, 0)
        self._names, self._load = names, load
        self._frames = self._read(selected)
        self._first = next(self._frames, None)
        if not selected:
            next(self._read(later[:1]), None)  # for the size
        if self.failed and self.size == (0, 0):
            raise InputError(
                f"`source` must hold images that can be read. Received {source!r}: none can. "
                f"The first one: {self.failed[0].error}"
            )

    @property
    def skipped(self) -> int:
        """Images that could not be read or have another size, so far."""
        return len(self.failed)

    def read(self) -> Generator[Frame]:
        """Yield the selected frames."""
        if self._first is not None:
            yield self._first
            yield from self._frames

    def close(self) -> None:
        """Do nothing: no file is kept open."""

    def _read(self, places: Iterable[Place]) -> Iterator[Frame]:
        for place in places:
            try:
                image = self._load(place.number)
                self._check_size(image, self._names[place.number])
            except InputError as error:
                self.failed.append(FailedInput(self._names[place.number], error))
                continue
            yield Frame(image, place.time_s, place.number)

    def _check_size(self, image: RGBImage, name: str) -> None:
        size = (image.shape[1], image.shape[0])
        if self.size == (0, 0):
            self.size = size
        if size != self.size:
            self.other_sizes += 1
            raise InputError(
                f"`source` must hold frames of one size, here {self.size[0]} × {self.size[1]}. "
                f"Received {name!r} of {size[0]} × {size[1]}. Predict it as an image."
            )


def open_frame_folder(folder: str, sampling: Sampling, max_pixels: int) -> ImageSequence:
    """Open the images in a folder as frames, in natural order, at `fps` of the sampling.

    Raises:
        InputError: It holds no image, or none that can be read.
    """
    paths = find_images(folder)
    if not paths:
        raise InputError(
            f"`source` must be a video, or a folder of frames. Received the folder {folder!r} "
            "without an image. Give the path of a video, or of a folder with images in it."
        )
    fps = sampling.fps or DEFAULT_FPS
    times_s = [number / fps for number in range(len(paths) + 1)]
    all_frames = Sampling(sampling.every, None, sampling.start_s, sampling.end_s)

    def load(number: int) -> RGBImage:
        return read_image(paths[number], max_pixels=max_pixels)

    names = [str(path) for path in paths]
    return ImageSequence(folder, names, times_s, load, all_frames)


def open_animated_webp(
    path: str, sampling: Sampling, max_pixels: int, check: Check | None = None
) -> ImageSequence:
    """Open an animated WebP, which FFmpeg does not decode.

    Raises:
        InputError: It is damaged, or its frames have more pixels than `max_pixels`.
    """
    with explain_os_errors(path), open(path, "rb") as file:  # noqa: PTH123
        content = file.read()
    durations_ms = list(_durations_ms(io.BytesIO(content))) or [100]
    times_s = [ms / 1000 for ms in accumulate(durations_ms, initial=0)]
    with explain_damage(path, kind="animation"), quiet_pillow():
        animation = Image.open(io.BytesIO(content), formats=["WEBP"])
    width, height = animation.size
    hint = f"Make its frames smaller, or raise the limit: `max_pixels={width * height}`"
    check_pixels(width, height, path, max_pixels, hint=hint)

    def load(number: int) -> RGBImage:
        while check is not None and (place := animation.tell() + _SEEK_FRAMES) < number:
            check()
            with explain_damage(path, kind="animation"):
                animation.seek(place)
                animation.load()  # decodes up to here
        with explain_damage(path, kind="animation"):
            animation.seek(number)
            return np.array(on_white(animation.convert("RGBA")))

    names = [f"{path}, frame {number}" for number in range(len(durations_ms))]
    return ImageSequence(path, names, times_s, load, sampling)


def _durations_ms(file: IO[bytes]) -> Iterator[int]:
    """Read how long each frame of a WebP is shown (RFC 9649, 2.7.1.1)."""
    file.seek(12)
    while len(header := file.read(8)) == 8:
        length = int.from_bytes(header[4:], "little")
        place = file.tell() + length + length % 2
        if header[:4] == b"ANMF":
            milliseconds = int.from_bytes(file.read(16)[12:15], "little")
            yield milliseconds if milliseconds >= _MIN_DURATION_MS else 100
        file.seek(place)
