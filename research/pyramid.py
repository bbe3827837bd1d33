"""What fewer levels of MTCNN's image pyramid cost: faces lost and gained, shifts of boxes, time.

python -m research.pyramid
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from emopy.bounding_box import EDGES
from emopy.faces.mtcnn import MTCNN
from emopy.labels import STANDARD_EMOTIONS
from emopy.samples import Actor, scene
from emopy.tables import markdown_table
from emopy.types import Box, Face, RGBImage

IMAGES = 300
"""Images of each kind."""

FACTORS = (0.709, 0.6, 0.5)
"""Ratios between two levels; the first is the default, with which the others are compared."""

SAME_IOU = 0.4
"""Intersection over union from which two boxes have the same face."""

BACKGROUNDS = ("coffee", "chelsea", "rocket", "camera")
"""Images of scikit-image without a face that a detector finds."""

SIZE = (640, 480)
"""Width and height of the images with the photograph, pixels."""


@dataclass
class Difference:
    """How the faces of a search differ from those with the default factor.

    Attributes:
        lost: Faces that are not found any more.
        gained: Faces that are found in addition.
        shifts_px: Of each face found by both, the largest distance of an edge of the box.
    """

    lost: int = 0
    gained: int = 0
    shifts_px: list[float] = field(default_factory=list[float])

    def add(self, expected: Sequence[Face], found: Sequence[Face]) -> None:
        """Compare the faces of one image."""
        left = list(found)
        for face in expected:
            nearest = max(left, key=lambda other: _iou(other.box, face.box), default=None)
            if nearest is None or _iou(nearest.box, face.box) < SAME_IOU:
                self.lost += 1
                continue
            left.remove(nearest)
            shifts = [abs(getattr(nearest.box, e) - getattr(face.box, e)) for e in EDGES]
            self.shifts_px.append(max(shifts))
        self.gained += len(left)


def scenes(rng: np.random.Generator) -> Iterator[RGBImage]:
    """Yield generated scenes with one to six faces of 24 to 250 pixels, tilted by up to 15°."""
    for number in range(IMAGES):
        size = ((640, 480), (1280, 720))[number % 2]
        actors: list[Actor] = []
        for _ in range(rng.integers(1, 7)):
            side_px = math.exp(rng.uniform(math.log(24), math.log(250)))
            x, y = (rng.uniform(side_px / 2, length - side_px / 2) for length in size)
            emotion = STANDARD_EMOTIONS[rng.integers(len(STANDARD_EMOTIONS))]
            path = ((0, x, y, side_px), (1, x, y, side_px))
            tilt_deg = float(rng.uniform(0, 15))
            actors.append(Actor(path, ((0, emotion),), tilt_deg=tilt_deg))
        *_, (frame, _) = scene(actors, size=size, seconds=1.0, fps=4)
        yield frame.image


def photographs(rng: np.random.Generator) -> Iterator[RGBImage]:
    """Yield images with one to three copies of a photograph of a face, half of them rotated."""
    from skimage import data

    photograph = data.astronaut()
    backgrounds = [_background(getattr(data, name)()) for name in BACKGROUNDS]
    width, height = SIZE
    for number in range(IMAGES):
        image = backgrounds[number % len(backgrounds)].copy()
        for _ in range(rng.integers(1, 4)):
            side_px = int(rng.integers(100, 400))
            pasted = cv2.resize(photograph, (side_px, side_px), interpolation=cv2.INTER_AREA)
            if rng.random() < 0.5:
                pasted = pasted[:, ::-1]
            top, left = rng.integers(0, height - side_px + 1), rng.integers(0, width - side_px + 1)
            image[top : top + side_px, left : left + side_px] = pasted
        if number % 2:
            middle = (width / 2, height / 2)
            turn = cv2.getRotationMatrix2D(middle, float(rng.uniform(-15, 15)), 1.0)
            image = np.asarray(cv2.warpAffine(image, turn, SIZE), np.uint8)
        yield image


def compare(images: Sequence[RGBImage], min_face_size: int | None) -> list[list[str]]:
    """Search each image with each factor in turn; return a row for each but the first."""
    detectors = {factor: MTCNN(min_face_size, factor=factor, threads=1) for factor in FACTORS}
    seconds = dict.fromkeys(FACTORS, 0.0)
    differences = {factor: Difference() for factor in FACTORS[1:]}
    count = 0
    for detect in detectors.values():
        detect(images[0])
    for number, image in enumerate(images):
        found: dict[float, tuple[Face, ...]] = {}
        for factor in np.roll(FACTORS, number).tolist():
            began_s = time.process_time()
            found[factor] = detectors[factor](image)
            seconds[factor] += time.process_time() - began_s
        count += len(found[FACTORS[0]])
        for factor, difference in differences.items():
            difference.add(found[FACTORS[0]], found[factor])
    rows: list[list[str]] = []
    for factor, difference in differences.items():
        shifts = f"{np.median(difference.shifts_px):.1f}, "
        shifts += f"{np.percentile(difference.shifts_px, 95):.1f} px"
        ratio = seconds[factor] / seconds[FACTORS[0]]
        lost = f"{difference.lost}, {difference.gained}"
        rows.append([f"{factor}", f"{count}", lost, shifts, f"{ratio:.2f}"])
    return rows


def main() -> None:
    """Print a table."""
    rows: list[list[str]] = []
    for name, made in (("scenes", scenes), ("photograph", photographs)):
        images = list(made(np.random.default_rng(0)))
        for search, min_face_size in (("default", None), ("20 pixels", 20)):
            rows += [[f"{name}, {search}", *row] for row in compare(images, min_face_size)]
    head = ["images, search", "`factor`", "faces", "lost, gained", "shift: median, 95 %",
            "relative CPU time"]  # fmt: skip
    print(markdown_table(head, rows, "lrrrrr"))


def _background(image: NDArray[np.uint8]) -> RGBImage:
    rgb = image if image.ndim == 3 else np.repeat(image[..., None], 3, axis=2)
    return np.asarray(cv2.resize(rgb, SIZE), np.uint8)


def _iou(first: Box, second: Box) -> float:
    width = min(first.right, second.right) - max(first.left, second.left)
    height = min(first.bottom, second.bottom) - max(first.top, second.top)
    common = max(0.0, width) * max(0.0, height)
    sides = ((box.right - box.left) * (box.bottom - box.top) for box in (first, second))
    return common / (sum(sides) - common)


if __name__ == "__main__":
    main()
