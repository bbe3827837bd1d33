"""Generated scenes for tracking, harder than `emopy.samples.scene`, with the truth about each face.

People turn away, cross, hide one another, leave and come back; the camera pans and cuts. A face
that is turned away, or of which less than half can be seen, is not part of the truth.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from benchmarks.inputs import FRAME_SIZE, photograph
from emopy.samples import Actor, scene
from emopy.samples.scenes import SceneFace
from emopy.types import Box, Frame, RGBImage

FPS = 12.5
SECONDS = 8.0
NOISE = 4.0
"""Standard deviation of the noise of the camera, in gray levels."""

HIDDEN = 0.5
"""Part of a face from which it counts as hidden."""

Truth = Sequence[tuple[int, Box]]
"""Person and box of each visible face of a frame."""


DINNER_FPS = (12.5, 12.5, 5.0, 25.0)
"""Frames per second of the four scenes of six people at a table."""


@dataclass(frozen=True)
class Scene:
    """A scene to track: `play` yields frames with the truth."""

    name: str
    play: Callable[[], Iterator[tuple[Frame, Truth]]]


def scenes() -> list[Scene]:
    """All scenes: 8 seconds each, 640 × 480 with noise."""
    rows = {
        "cross": [_walk(0, 120, 520, 220), _walk(1, 520, 120, 250)],
        "hide": [_stand(0, 320, 240, 110), *_passers()],
        "turn away": [part for i in range(3) for part in _turning(i, 110 + 210 * i)],
        "move while turned": [part for i in range(3) for part in _moving(i)],
        "leave and return": [_leaving(0, 540, 780, 130), _leaving(1, 100, -140, 330)],
        "tilt": [_tilting(i, 110 + 210 * i) for i in range(3)],
        "small": [_tiny(i) for i in range(6)],
    }
    played = [
        Scene(name, _plain(cast, behind=_photograph() if name == "small" else None))
        for name, cast in rows.items()
    ]
    for evening, fps in enumerate(DINNER_FPS):
        guests = [part for i in range(6) for part in _guest(i, evening)]
        name = f"dinner {evening + 1}, {fps:g} per second"
        played.append(Scene(name, _plain(guests, behind=_photograph(), hands=True, fps=fps)))
    pan = [_stand(i, 200 + 260 * i, 240, 110) for i in range(3)]
    cuts = [[_stand(i, 200 + 240 * i, 200, 120)] for i in range(2)]
    return [
        *played,
        Scene("pan", _panned(pan)),
        Scene("cut", _cut(cuts)),
        Scene("no face", _photographed),
    ]


Cast = Sequence[tuple[int, Actor]]
EMOTIONS = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust")


def _walk(person: int, start: float, end: float, y: float) -> tuple[int, Actor]:
    path = ((0.0, start, y, 110.0), (3.5, end, y, 110.0), (7.9, start, y, 110.0))
    return person, Actor(path, ((0.0, EMOTIONS[person]),), tilt_deg=6.0)


def _stand(person: int, x: float, y: float, side: float) -> tuple[int, Actor]:
    path = ((0.0, x, y, side), (8.0, x + 10, y, side))
    return person, Actor(path, ((0.0, EMOTIONS[person]),), tilt_deg=6.0)


def _passers() -> Cast:
    """Two people who walk past in front, one after the other."""
    first = ((0.5, 40.0, 250.0, 130.0), (3.5, 600.0, 250.0, 130.0))
    second = ((4.5, 600.0, 235.0, 130.0), (7.5, 40.0, 235.0, 130.0))
    return [
        (1, Actor(first, ((0.0, EMOTIONS[1]),))),
        (2, Actor(second, ((0.0, EMOTIONS[2]),))),
    ]


def _turning(person: int, x: float) -> Cast:
    """A face that turns away three times, for 0.4, 1.0 and 1.6 s, and sways meanwhile."""
    breaks = ((1.2, 1.6), (3.0, 4.0), (5.4, 7.0))
    starts = [0.0, *(end + 0.1 * person for _, end in breaks)]
    ends = [*(start + 0.1 * person for start, _ in breaks), 7.99]
    return [
        (person, _swaying(person, x, 240.0, 105.0, start, end))
        for start, end in zip(starts, ends, strict=True)
    ]


def _swaying(
    person: int, x: float, y: float, side: float, start: float, end: float, *, tilt_deg: float = 8.0
) -> Actor:
    moments = np.arange(start, end - 0.05, 0.2).tolist()
    path = [(t, x + 24 * math.sin(1.3 * t + person), y, side) for t in [*moments, end]]
    return Actor(path, ((0.0, EMOTIONS[person % len(EMOTIONS)]),), tilt_deg=tilt_deg)


def _leaving(person: int, inside: float, outside: float, y: float) -> tuple[int, Actor]:
    """A face that leaves the image and comes back within two seconds, twice."""
    times = (0.0, 1.0, 1.8, 2.6, 4.5, 5.3, 6.1, 7.99)
    places = (inside, inside, outside, inside, inside, outside, inside, inside)
    path = [(t, x, y, 110.0) for t, x in zip(times, places, strict=True)]
    return person, Actor(path, ((0.0, EMOTIONS[person]),), tilt_deg=6.0)


def _tilting(person: int, x: float) -> tuple[int, Actor]:
    """A head that tilts so far that the detector misses it in between."""
    return person, _swaying(person, x, 240.0, 105.0, 0.0, 7.99, tilt_deg=52.0)


def _moving(person: int) -> Cast:
    """A face that turns away for 1.2 s, twice, and is two sides further when it turns back."""
    places = (70.0, 150.0, 230.0)
    starts, ends = (0.0, 3.0, 6.0), (1.8, 4.8, 7.99)
    y = 90.0 + 150 * person
    return [
        (person, _swaying(person, x + 90 * step, y, 80.0, start, end))
        for step, (x, start, end) in enumerate(zip(places, starts, ends, strict=True))
    ]


def _guest(person: int, evening: int) -> Cast:
    """One of six people at a table: they turn to their neighbors, lean over, and smile or talk."""
    rng = np.random.default_rng((evening, person))
    home = np.array([85.0 + 95 * person, 170.0 + 70 * (person % 2)])
    place, start = home, 0.1 * person
    parts: list[tuple[int, Actor]] = []
    while start < SECONDS - 0.5:
        end = min(SECONDS - 0.01, start + float(rng.uniform(0.4, 2.0)))
        x, y = place.tolist()
        actor = _swaying(person, x, y, 52.0, start, end, tilt_deg=16.0)
        smiles = ((0.0, EMOTIONS[person]), ((start + end) / 2, EMOTIONS[int(rng.integers(6))]))
        parts.append((person, replace(actor, emotions=smiles)))
        away_s = float(rng.uniform(0.2, 1.8))
        aim = home + rng.uniform((-40, -15), (40, 15))
        place = place + (aim - place) * min(1.0, away_s)  # nobody leans faster than in a second
        start = end + away_s
    return parts


def _tiny(person: int) -> tuple[int, Actor]:
    """A face so small and tilted that the detector finds it in some frames only."""
    actor = _swaying(person, 85.0 + 95 * person, 240.0, 27.0, 0.0, 7.99, tilt_deg=30.0)
    return person, actor


def _plain(
    cast: Cast, *, behind: RGBImage | None, hands: bool = False, fps: float = FPS
) -> Callable[[], Iterator[tuple[Frame, Truth]]]:
    """A scene with a fixed camera, before its own background or `behind`."""

    def play() -> Iterator[tuple[Frame, Truth]]:
        rng = np.random.default_rng(1)
        persons = [person for person, _ in cast]
        actors = [actor for _, actor in cast]
        for frame, faces in scene(actors, size=FRAME_SIZE, seconds=SECONDS, fps=fps):
            image = frame.image if behind is None else _before(frame.image, behind)
            if hands:
                _raise_hands(
                    image, [(persons[face.actor], face.box) for face in faces], frame.time_s
                )
            image = _noisy(image, rng)
            yield Frame(image, frame.time_s, frame.number), _visible(faces, persons, image.shape)

    return play


def _panned(cast: Cast) -> Callable[[], Iterator[tuple[Frame, Truth]]]:
    """A wide scene through a camera that turns to and fro."""

    def play() -> Iterator[tuple[Frame, Truth]]:
        rng = np.random.default_rng(2)
        persons = [person for person, _ in cast]
        actors = [actor for _, actor in cast]
        width, height = FRAME_SIZE
        wide = (width + 320, height)
        for frame, faces in scene(actors, size=wide, seconds=SECONDS, fps=FPS):
            left = round(160 - 160 * math.cos(2 * math.pi * frame.time_s / 4))
            image = _noisy(frame.image[:, left : left + width], rng)
            moved = [
                SceneFace(face.actor, _shifted(face.box, -left), face.emotion) for face in faces
            ]
            yield Frame(image, frame.time_s, frame.number), _visible(moved, persons, image.shape)

    return play


def _cut(shots: Sequence[Cast]) -> Callable[[], Iterator[tuple[Frame, Truth]]]:
    """Two shots in turn, two seconds each; a person has one identity in each shot."""

    def play() -> Iterator[tuple[Frame, Truth]]:
        rng = np.random.default_rng(3)
        plays = [
            list(scene([a for _, a in cast], size=FRAME_SIZE, seconds=SECONDS, fps=FPS))
            for cast in shots
        ]
        for number in range(round(SECONDS * FPS)):
            shot = int(number / FPS // 2)
            frame, faces = plays[shot % 2][number]
            image = frame.image if shot % 2 else _before(frame.image, _board(FRAME_SIZE))
            persons = [shot for _ in shots[shot % 2]]
            noisy = _noisy(image, rng)
            yield Frame(noisy, frame.time_s, number), _visible(faces, persons, noisy.shape)

    return play


def _raise_hands(image: RGBImage, faces: Truth, time_s: float) -> None:
    """Paint a hand over the mouth of some faces, in place; each is up for 1.3 of 3.0 seconds."""
    for person, box in faces:
        if math.sin(2.1 * time_s + 1.7 * person) > 0.2:
            (x, y), side = box.center, box.width
            middle = (round(x + 0.15 * side), round(y + 0.38 * side))
            axes = (round(0.34 * side), round(0.24 * side))
            cv2.ellipse(image, middle, axes, 20, 0, 360, (150, 112, 92), thickness=-1)


def _before(image: RGBImage, background: RGBImage) -> RGBImage:
    """The same faces before another background."""
    empty, _ = next(scene([], size=(image.shape[1], image.shape[0])))
    return np.where(np.any(image != empty.image, axis=2, keepdims=True), image, background)


def _photograph() -> RGBImage:
    """The part of a photograph below its face, repeated."""
    return np.tile(photograph()[230:], (2, 2, 1))[: FRAME_SIZE[1], : FRAME_SIZE[0]]


def _board(size: tuple[int, int]) -> RGBImage:
    """A checkerboard."""
    rows, columns = np.indices(size[::-1]) // 60
    board = np.where((rows + columns) % 2 == 0, 225, 40).astype(np.uint8)
    return np.repeat(board[..., None], 3, axis=2)


def _photographed() -> Iterator[tuple[Frame, Truth]]:
    """Textures of a photograph without its face, under a camera that turns: no face at all."""
    rng = np.random.default_rng(4)
    lower = photograph()[230:, :]
    texture = np.tile(cv2.resize(lower, (900, 500), interpolation=cv2.INTER_CUBIC), (1, 2, 1))
    width, height = FRAME_SIZE
    for number in range(round(SECONDS * FPS)):
        left = 3 * number
        image = _noisy(texture[:height, left : left + width].astype(np.uint8), rng)
        yield Frame(image, number / FPS, number), ()


def _noisy(image: RGBImage, rng: np.random.Generator) -> RGBImage:
    noise = rng.normal(0, NOISE, (64, 64, 3)).astype(np.float32)
    rows, columns = image.shape[0] // 64 + 1, image.shape[1] // 64 + 1
    noisy = image + np.tile(noise, (rows, columns, 1))[: image.shape[0], : image.shape[1]]
    return np.rint(noisy).clip(0, 255).astype(np.uint8)


def _shifted(box: Box, by: float) -> Box:
    return Box(box.left + by, box.top, box.right + by, box.bottom)


def _visible(faces: Sequence[SceneFace], persons: Sequence[int], shape: tuple[int, ...]) -> Truth:
    """The faces of which more than half can be seen: within the image, not behind a later one."""
    frame = Box(0, 0, shape[1], shape[0])
    seen: list[tuple[int, Box]] = []
    for place, face in enumerate(faces):
        hidden = max((_covered(face.box, other.box) for other in faces[place + 1 :]), default=0.0)
        if hidden < HIDDEN and _covered(face.box, frame) > HIDDEN:
            seen.append((persons[face.actor], face.box))
    return tuple(seen)


def _covered(box: Box, other: Box) -> float:
    """Proportion of a box that another covers."""
    width = min(box.right, other.right) - max(box.left, other.left)
    height = min(box.bottom, other.bottom) - max(box.top, other.top)
    return max(0.0, width) * max(0.0, height) / (box.width * box.height)
