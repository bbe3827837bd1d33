"""Images and clips to measure with: one public-domain photograph, and scenes with known faces."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.report import CannotMeasureError
from emopy import ImageResult
from emopy.present import VideoSink
from emopy.samples import Actor, scene
from emopy.types import Frame

Pixels = NDArray[np.uint8]

FRAME_SIZE = (640, 480)


def photograph() -> Pixels:
    """The astronaut of scikit-image: (512, 512, 3) RGB, one face, happiness."""
    try:
        from skimage.data import astronaut
    except ImportError as error:
        text = "scikit-image is missing. Type: pip install '.[test,bench]'"
        raise CannotMeasureError(text) from error
    return astronaut()


def frame() -> Pixels:
    """Its upper part as a 640 × 480 RGB frame with one face about 110 pixels wide."""
    part = photograph()[:384]
    return np.asarray(cv2.resize(part, FRAME_SIZE, interpolation=cv2.INTER_CUBIC), np.uint8)


def write_frame(folder: Path) -> Path:
    """Write the frame as a PNG file."""
    path = folder / "frame.png"
    cv2.imwrite(str(path), cv2.cvtColor(frame(), cv2.COLOR_RGB2BGR))
    return path


def write_variants(folder: Path, count: int) -> Path:
    """Write different JPEG files, each the same work: the frame rotated, mirrored, relit."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    image = np.asarray(cv2.cvtColor(frame(), cv2.COLOR_RGB2BGR), np.uint8)
    for number in range(count):
        source = image[:, ::-1] if number % 2 else image
        moved = rotated(np.ascontiguousarray(source), float(rng.uniform(-8, 8)), (320, 240))
        light = cv2.convertScaleAbs(moved, alpha=float(rng.uniform(0.8, 1.1)))
        cv2.imwrite(str(folder / f"{number:05}.jpg"), light, [cv2.IMWRITE_JPEG_QUALITY, 90])
    return folder


def face_crops(count: int, side: int) -> Pixels:
    """(count, side, side) gray crops around the photograph's face, each at another position."""
    gray = cv2.cvtColor(photograph(), cv2.COLOR_RGB2GRAY)
    rng = np.random.default_rng(0)
    corners = np.array([50, 165]) + rng.integers(-12, 13, (count, 2))
    crops = [
        cv2.resize(gray[y : y + 110, x : x + 110], (side, side), interpolation=cv2.INTER_AREA)
        for y, x in corners
    ]
    return np.stack(crops).astype(np.uint8)


def rotated(image: Pixels, degrees: float, middle: tuple[float, float]) -> Pixels:
    """Rotate an image about a point, counter-clockwise; the border is replicated."""
    matrix = cv2.getRotationMatrix2D(middle, degrees, 1.0)
    size, border = (image.shape[1], image.shape[0]), cv2.BORDER_REPLICATE
    return np.asarray(cv2.warpAffine(image, matrix, size, borderMode=border), np.uint8)


def enlarged(crop: Pixels, factor: int = 4) -> Pixels:
    """A tight (H, W, 1) gray face crop, enlarged and padded by half its side: RGB."""
    large = cv2.resize(crop[:, :, 0], None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    pad = max(large.shape) // 2
    padded = cv2.copyMakeBorder(large, pad, pad, pad, pad, cv2.BORDER_REPLICATE)
    return np.asarray(cv2.cvtColor(padded, cv2.COLOR_GRAY2RGB), np.uint8)


FPS = 25
EMOTIONS = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust")
"""Emotions whose sample images the bundled model predicts correctly."""

_CHANGES_S = 2.0
_STEP_S = 0.5
_NOISE, _NOISE_STEPS, _SWAY = 4.0, 32, 24

Size = tuple[int, int]


def walkers(count: int, size: Size, seconds: float, *, places: int | None = None) -> list[Actor]:
    """Faces side by side that sway, tilt and change their expression every two seconds.

    They end where they begin, so that the clip can be repeated without a cut. `places` is the
    number of positions side by side; None is one for each face.
    """
    places = places or count
    room = size[0] / places
    side_px = min(0.28 * size[1], 0.55 * room)
    moments = [_STEP_S * step for step in range(round(seconds / _STEP_S) + 1)]
    return [
        Actor(
            path=[
                (
                    time_s,
                    room * (index + 0.5 + 0.15 * math.sin(2 * math.pi * time_s / seconds)),
                    size[1] * (0.5 + 0.1 * math.sin(4 * math.pi * time_s / seconds + index)),
                    side_px,
                )
                for time_s in moments
            ],
            emotions=[
                (_CHANGES_S * turn, EMOTIONS[(index + turn) % len(EMOTIONS)])
                for turn in range(max(1, round(seconds / _CHANGES_S)))
            ],
            tilt_deg=8.0,
        )
        for index in range(count)
    ]


def panned(seconds: float) -> Iterator[Frame]:
    """The photograph under a camera that sways, 640 × 480 with noise: a busy background."""
    image = photograph()
    width, height = FRAME_SIZE
    rng = np.random.default_rng(0)
    noise = rng.normal(0, _NOISE, (height + _NOISE_STEPS, width + _NOISE_STEPS, 3))
    for number in range(round(seconds * FPS)):
        turn = 2 * math.pi * number / round(seconds * FPS)
        corner = (_SWAY * (1 + math.sin(turn)), _SWAY * (1 + math.sin(2 * turn)))
        scale = width / (image.shape[1] - 2 * _SWAY)
        matrix = np.array([[scale, 0, -scale * corner[0]], [0, scale, -scale * corner[1]]])
        shown = cv2.warpAffine(image, matrix, FRAME_SIZE, flags=cv2.INTER_LINEAR)
        x, y = rng.integers(_NOISE_STEPS, size=2)
        noisy = shown + noise[y : y + height, x : x + width]
        yield Frame(np.rint(noisy).clip(0, 255).astype(np.uint8), number / FPS, number)


def write_clip(path: Path, actors: Sequence[Actor], *, size: Size, seconds: float) -> Path:
    """Write a scene into an H.264 file of 25 frames per second."""
    scenes = scene(actors, size=size, seconds=seconds, fps=FPS)
    return write_frames(path, (frame for frame, _ in scenes), size=size)


def write_frames(path: Path, frames: Iterable[Frame], *, size: Size) -> Path:
    """Write frames into an H.264 file, nothing drawn."""
    with VideoSink(path, size=size) as video:
        for frame in frames:
            no_faces = ImageResult(str(path), size, (), frame.time_s, frame.number)
            video.write(frame.image, no_faces)
    return path


def repeated(clip: Path, path: Path, times: int) -> Path:
    """Concatenate a clip with itself; nothing is encoded again.

    Raises:
        CannotMeasureError: The new file has an unexpected number of frames.
    """
    import av

    with av.open(str(clip)) as source, av.open(str(path), "w") as target:
        packets = [packet for packet in source.demux(video=0) if packet.dts is not None]
        stream = target.add_stream_from_template(source.streams.video[0])
        stream.time_base = source.streams.video[0].time_base
        unit = packets[0].time_base
        length = round(len(packets) / FPS / unit)
        places = [(packet.pts or 0, packet.dts or 0) for packet in packets]
        for turn in range(times):
            for packet, (pts, dts) in zip(packets, places, strict=True):
                packet.pts, packet.dts = pts + turn * length, dts + turn * length
                packet.stream, packet.time_base = stream, unit
                target.mux(packet)
    with av.open(str(path)) as made:
        frames = made.streams.video[0].frames
    wanted = len(packets) * times
    if frames != wanted:
        raise CannotMeasureError(f"{path.name} has {frames} frames instead of {wanted}.")
    return path
