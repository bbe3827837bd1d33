"""Scenes with faces as doubtful as real ones are, and the truth about them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
from images import FRAME_SIZE

from clips import EMOTIONS, FPS
from emopy.samples import Actor, Seen, scene
from emopy.types import Frame

SIDES_PX = (36, 48, 64, 80)
DWELL_S = (2.0, 5.0)
LEAN_DEG = 15.0
_MARGIN_S = 1.0


@dataclass(frozen=True, slots=True)
class Hardship:
    """What makes the faces of a scene doubtful.

    Attributes:
        share: Of the expression that counts; the rest is another one.
        noise: Standard deviation, in grey levels.
        blur: Standard deviation, in pixels.
        quality: Of JPEG.
    """

    share: float
    noise: float
    blur: float
    quality: int


HARDSHIPS = (
    Hardship(share=0.8, noise=10, blur=1.0, quality=60),
    Hardship(share=0.7, noise=6, blur=0.7, quality=75),
    Hardship(share=0.6, noise=4, blur=0.5, quality=90),
)


def doubtful_scene(
    hardship: Hardship, seconds: float, chance: np.random.Generator
) -> Iterator[tuple[Frame, tuple[Seen, ...]]]:
    """Two equal scenes with other expressions, mixed, blurred, with noise, as JPEG."""
    plain = [_actor(index, seconds, chance) for index in range(len(SIDES_PX))]
    others = [
        replace(
            actor, emotions=[(start, _another(shown, chance)) for start, shown in actor.emotions]
        )
        for actor in plain
    ]
    width, height = FRAME_SIZE
    noise = chance.normal(0, hardship.noise, (height + 32, width + 32, 3)).astype(np.float32)
    pair = (scene(actors, seconds=seconds, fps=FPS) for actors in (plain, others))
    for (frame, seen), (other, _) in zip(*pair, strict=True):
        mixed = cv2.addWeighted(frame.image, hardship.share, other.image, 1 - hardship.share, 0)
        blurred = cv2.GaussianBlur(mixed, (0, 0), hardship.blur).astype(np.float32)
        x, y = chance.integers(32, size=2)
        noisy = (blurred + noise[y : y + height, x : x + width]).clip(0, 255).astype(np.uint8)
        _, packed = cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, hardship.quality])
        image = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)
        yield Frame(image, frame.time_s, frame.number), seen


def _actor(index: int, seconds: float, chance: np.random.Generator) -> Actor:
    """Somebody who wanders through a column of the image."""
    width, height = FRAME_SIZE
    room = width / len(SIDES_PX)
    side_px = SIDES_PX[index]
    path = [
        (
            float(time_s),
            room * (index + 0.5) + float(chance.uniform(-0.15, 0.15)) * room,
            float(chance.uniform(0.35, 0.65)) * height,
            side_px * float(chance.uniform(0.95, 1.05)),
        )
        for time_s in np.arange(0, seconds + 2 * _MARGIN_S, 2.0)
    ]
    emotions = [(0.0, str(chance.choice(EMOTIONS)))]
    while (start := emotions[-1][0] + float(chance.uniform(*DWELL_S))) < seconds - _MARGIN_S:
        emotions.append((start, _another(emotions[-1][1], chance)))
    return Actor(path=path, emotions=emotions, tilt_deg=LEAN_DEG)


def _another(emotion: str, chance: np.random.Generator) -> str:
    return str(chance.choice([other for other in EMOTIONS if other != emotion]))
