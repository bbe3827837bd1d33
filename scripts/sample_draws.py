"""Composites of randomly drawn faces, and morphs between them: what the sample data are made of."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import LinearNDInterpolator

from emopy.data.dataset import Dataset
from emopy.faces.alignment import landmark_transform
from emopy.labels import STANDARD_EMOTIONS
from emopy.models.card import InputSpec
from make_composites import COMMON_AGREEMENT, FACE_PX, IMAGE_PX, choose, composite

SIDE_PX = 48
WORK_PX = 160
"""Side of the composites before they are cut out and reduced."""

FACES_IN_EACH = 30
CANDIDATES = 120
CANDIDATE_FRACTION = 0.8
"""A draw chooses among so many random faces, and at most this fraction of the group: never all."""

LARGEST_POOL = 600
TRAIN_FRACTION = 0.6
AGREEMENT = {"disgust": 0.5, "fear": 0.6}
"""Smallest proportion of the votes where `COMMON_AGREEMENT` leaves too few faces."""

GrayImage = NDArray[np.float32]


@dataclass(frozen=True)
class Pool:
    """Source faces of one emotion in one split, their landmarks, and the draws so far.

    `looks` (n, 36) is the coarse brightness, standardized: what a draw prefers.
    """

    faces: NDArray[np.uint8]
    landmarks: NDArray[np.float32]
    looks: NDArray[np.float32]
    drawn: set[frozenset[int]] = field(default_factory=set[frozenset[int]])

    def draw(self, preference: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.intp]:
        """Choose faces; no two draws choose the same set.

        The preference is a random direction in coarse brightness: light from the left, dark hair,
        a beard. Without it all averages of one emotion would look the same.

        Returns:
            (FACES_IN_EACH,) places in `faces`, ascending.

        Raises:
            SystemExit: The group is too small, or a draw repeats.
        """
        count = min(CANDIDATES, round(CANDIDATE_FRACTION * len(self.faces)))
        if count < FACES_IN_EACH:
            raise SystemExit(f"{len(self.faces)} faces are too few for draws of {FACES_IN_EACH}.")
        candidates = rng.permutation(len(self.faces))[:count]
        fit = self.looks[candidates] @ preference
        chosen = np.sort(candidates[np.argsort(-fit, kind="stable")[:FACES_IN_EACH]])
        faces = frozenset(map(int, chosen))
        if faces in self.drawn:
            raise SystemExit("Two draws hold the same faces. Use another --seed.")
        self.drawn.add(faces)
        return chosen


@dataclass(frozen=True)
class Mean:
    """A composite and where its landmarks lie.

    Attributes:
        image: (WORK_PX, WORK_PX) float32 gray.
        points: (13, 2) five landmarks and eight points of the border, in pixels.
    """

    image: GrayImage
    points: NDArray[np.float64]


def make_pools(
    data: Dataset, landmarks: NDArray[np.float32], rng: np.random.Generator
) -> dict[str, dict[str, Pool]]:
    """Divide the agreeing faces of each emotion: no face is in both splits.

    Returns:
        Split → emotion → pool.
    """
    pools: dict[str, dict[str, Pool]] = {"train": {}, "test": {}}
    for emotion in STANDARD_EMOTIONS:
        rows = choose(
            data,
            landmarks,
            label=data.labels.index(emotion),
            agreement=AGREEMENT.get(emotion, COMMON_AGREEMENT),
            count=LARGEST_POOL,
            rng=rng,
        )
        mixed = rng.permutation(rows)
        cut = round(TRAIN_FRACTION * len(mixed))
        for split, chosen in (("train", mixed[:cut]), ("test", mixed[cut:])):
            faces = data.images[chosen, :, :, 0]
            pools[split][emotion] = Pool(faces, landmarks[chosen], _looks(faces))
    return pools


def draw(pool: Pool, preference: NDArray[np.float32], rng: np.random.Generator) -> Mean:
    """Average the faces of a new draw."""
    chosen = pool.draw(preference, rng)
    marks = pool.landmarks[chosen]
    image = composite(pool.faces[chosen], marks, image_px=WORK_PX, least=FACES_IN_EACH)
    face_px = FACE_PX * WORK_PX / IMAGE_PX
    spec = InputSpec(WORK_PX, WORK_PX, margin=(WORK_PX / face_px - 1) / 2)
    placed = np.mean([_place(points * SIDE_PX, spec) for points in marks], axis=0)
    return Mean(image.astype(np.float32), np.concatenate([placed, _border()]))


def morph(first: Mean, last: Mean, weight: float) -> GrayImage:
    """Morph from one composite towards another; weight 0 is `first`, 1 is `last`.

    Both are warped to the shape between them, linear inside the triangles of the points, and
    then mixed.
    """
    shape = (1 - weight) * first.points + weight * last.points
    rows, columns = np.mgrid[:WORK_PX, :WORK_PX]
    mixed = np.zeros((WORK_PX, WORK_PX), np.float32)
    for mean, factor in ((first, 1 - weight), (last, weight)):
        where = LinearNDInterpolator(shape, mean.points)(columns, rows).astype(np.float32)
        across, down = np.moveaxis(where, 2, 0)
        warped = cv2.remap(
            mean.image, across, down, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
        mixed += np.float32(factor) * np.asarray(warped, np.float32)
    return mixed


def _looks(faces: NDArray[np.uint8]) -> NDArray[np.float32]:
    small = np.stack([cv2.resize(face, (6, 6), interpolation=cv2.INTER_AREA) for face in faces])
    flat = small.reshape(len(small), -1).astype(np.float32)
    even = flat - flat.mean(axis=1, keepdims=True)
    return even / np.maximum(even.std(axis=1, keepdims=True), 1)


def _place(points: NDArray[np.float32], spec: InputSpec) -> NDArray[np.float64]:
    matrix = landmark_transform(points, spec)
    return points @ matrix[:, :2].T + matrix[:, 2] - 0.5


def _border() -> NDArray[np.float64]:
    ends = (-1.0, (WORK_PX - 1) / 2, float(WORK_PX))
    return np.array([(x, y) for x in ends for y in ends if (x, y) != (ends[1], ends[1])])
