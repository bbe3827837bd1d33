"""Sample videos: composite faces that move through an image, with their true boxes and emotions.

To try, test and measure video analysis without a real person and without a download.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from emopy.errors import InputError
from emopy.labels import canonical
from emopy.media import read_image
from emopy.samples.crops import sample_images
from emopy.types import Box, Frame, RGBImage

_FACE_RATIO = 0.56
"""Side of the face in a sample image, relative to the side of the image."""

_CHANGE_S = 0.4
"""Duration of the change from one expression to the next, seconds."""


@dataclass(frozen=True)
class Actor:
    """A face that moves.

    Attributes:
        path: Two or more points (time_s, x, y, side_px) in order of time: the center and the
            side of the face in pixels, linear between them. Before the first point and after
            the last one the actor is absent.
        emotions: (time_s, emotion) in order of time: the emotion from then on.
        tilt_deg: Largest tilt of the head, left and right in turn, once in two seconds.
        light: Red, green and blue of the light on the face, 0–1.
    """

    path: Sequence[tuple[float, float, float, float]]
    emotions: Sequence[tuple[float, str]] = ((0.0, "happiness"),)
    tilt_deg: float = 0.0
    light: tuple[float, float, float] = (1.0, 0.92, 0.84)

    def __post_init__(self) -> None:
        times = [point[0] for point in self.path]
        if len(times) < 2 or times != sorted(set(times)):
            raise InputError(
                "`path` must be two or more points in order of time. Received the times "
                f"{times}. Type for example: path=((0, 200, 240, 160), (4, 440, 240, 160))"
            )


@dataclass(frozen=True)
class SceneFace:
    """The truth about one face in one frame: the actor, the box and the emotion."""

    actor: int
    box: Box
    emotion: str


def scene(
    actors: Sequence[Actor] | None = None,
    *,
    size: tuple[int, int] = (640, 480),
    seconds: float = 8.0,
    fps: float = 25.0,
) -> Iterator[tuple[Frame, tuple[SceneFace, ...]]]:
    """Render a scene, frame by frame.

    Args:
        actors: The moving faces; a later one covers an earlier one. None for two actors with
            several expressions, for eight seconds.
        size: (width, height) of the frames in pixels.
        seconds: Length.
        fps: Frames per second.

    Returns:
        Each frame with the truth about its faces, in the order of `actors`.

    Example:
        >>> walk = Actor(path=((0, 100, 120, 90), (1, 220, 120, 90)))
        >>> frame, faces = next(scene([walk], size=(320, 240)))
        >>> frame.image.shape, faces[0].emotion
        ((240, 320, 3), 'happiness')
    """
    actors = SAMPLE_ACTORS if actors is None else actors
    backdrop = _backdrop(size)
    for number in range(round(seconds * fps)):
        time_s = number / fps
        image = backdrop.copy()
        faces: list[SceneFace] = []
        for index, actor in enumerate(actors):
            place = _place(actor, time_s)
            if place is not None:
                x, y, side_px = place
                _paint(image, actor, time_s, place)
                half = side_px / 2
                box = Box(x - half, y - half, x + half, y + half)
                faces.append(SceneFace(index, box, _shown(actor, time_s)[0]))
        yield Frame(image, time_s, number), tuple(faces)


SAMPLE_ACTORS = (
    Actor(
        path=((0.0, 150, 240, 170), (8.0, 300, 240, 170)),
        emotions=((0.0, "neutral"), (1.5, "happiness"), (4.0, "surprise"), (6.0, "neutral")),
    ),
    Actor(
        path=((1.0, 560, 200, 120), (3.0, 480, 220, 130), (7.0, 440, 260, 130)),
        emotions=((0.0, "anger"), (4.5, "sadness")),
        tilt_deg=12.0,
        light=(0.7, 0.8, 1.0),
    ),
)
"""Two faces, eight seconds, several expressions."""


def _place(actor: Actor, time_s: float) -> tuple[float, float, float] | None:
    points = np.asarray(actor.path, dtype=np.float64)
    if not points[0, 0] <= time_s <= points[-1, 0]:
        return None
    x, y, side_px = (float(np.interp(time_s, points[:, 0], points[:, i])) for i in (1, 2, 3))
    return x, y, side_px


def _shown(actor: Actor, time_s: float) -> tuple[str, str, float]:
    """Emotion at a time, the emotion before it, and the progress of the change, 0–1."""
    now = max(0, sum(start <= time_s for start, _ in actor.emotions) - 1)
    start, emotion = actor.emotions[now]
    before = actor.emotions[max(0, now - 1)][1]
    return canonical(emotion), canonical(before), min(1.0, max(0.0, (time_s - start) / _CHANGE_S))


def _paint(image: RGBImage, actor: Actor, time_s: float, place: tuple[float, float, float]) -> None:
    emotion, before, done = _shown(actor, time_s)
    face = (1 - done) * _face(before) + done * _face(emotion)
    x, y, side_px = place
    middle = (face.shape[1] / 2, face.shape[0] / 2)
    turn = actor.tilt_deg * math.sin(math.pi * time_s)
    matrix = cv2.getRotationMatrix2D(middle, turn, side_px / (_FACE_RATIO * face.shape[0]))
    reach = math.ceil(side_px)  # twice the face: its soft edge lies inside, however it leans
    left, top = round(x) - reach, round(y) - reach
    matrix[:, 2] += (x - left - middle[0], y - top - middle[1])
    shown = cv2.warpAffine(np.dstack([face, _mask(face.shape[:2])]), matrix, (2 * reach, 2 * reach))
    rows = slice(max(0, top), max(0, top + 2 * reach))
    columns = slice(max(0, left), max(0, left + 2 * reach))
    behind = image[rows, columns]
    visible = shown[rows.start - top :, columns.start - left :][
        : behind.shape[0], : behind.shape[1]
    ]
    alpha = visible[..., 1:]
    lit = visible[..., :1] * np.asarray(actor.light, np.float32)
    behind[...] = np.rint(behind * (1 - alpha) + lit * alpha).astype(np.uint8)


@cache
def _face(emotion: str) -> NDArray[np.float32]:
    """(H, W) gray of a sample image."""
    images = sample_images()
    if emotion not in images:
        raise InputError(f"`emotions` must be among {', '.join(images)}. Received {emotion!r}.")
    return read_image(images[emotion])[..., 0].astype(np.float32)


@cache
def _mask(shape: tuple[int, int]) -> NDArray[np.float32]:
    """1 on the face, falling smoothly to 0 around it."""
    mask = np.zeros(shape, np.float32)
    middle = (shape[1] // 2, shape[0] // 2)
    axes = (round(0.27 * shape[1]), round(0.32 * shape[0]))
    cv2.ellipse(mask, middle, axes, 0, 0, 360, 1.0, thickness=-1)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), 0.02 * shape[0]), np.float32)


def _backdrop(size: tuple[int, int]) -> RGBImage:
    """A smooth random background, the same every time."""
    rng = np.random.default_rng(0)
    clouds = rng.uniform(40, 120, (5, 7, 1)) + rng.uniform(-12, 12, (5, 7, 3)) + [0, 8, 24]
    smooth = cv2.resize(clouds.astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
    return smooth.clip(0, 255).astype(np.uint8)
