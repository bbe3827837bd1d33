"""Make the packaged sample images: one composite face per emotion, nobody's portrait.

    python scripts/make_composites.py FACES.npz LANDMARKS.npz src/emopy/data/samples/images

Each image is the pixel average of at least 40 training faces whose voters agree on the emotion,
enlarged and aligned by their landmarks, on a plain background. `FACES.npz` is a `Dataset` file of
FER+ faces with proportions of votes as targets; `LANDMARKS.npz` comes from `research.framing`.
Faces whose features lie far from the class's typical place (profiles, failed landmarks) are left
out: averages stay sharp. The choice is seeded: the same arguments give the same images.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from emopy.data.dataset import Dataset, load_dataset
from emopy.faces import get_detector
from emopy.faces.alignment import FRAMING, landmark_transform
from emopy.models.card import InputSpec

MIN_FACES = 40
IMAGE_PX = 320
FACE_PX = 216
BACKGROUND = 168
SAME_IMAGE = 0.9
"""Two crops whose pixels correlate more than this count as duplicates."""

AGREEMENT = {"contempt": 0.6, "disgust": 0.6, "fear": 0.7}
COMMON_AGREEMENT = 0.8
"""Smallest proportion of votes for the emotion; lower for rare emotions."""


def composite(
    faces: NDArray[np.uint8],
    landmarks: NDArray[np.float32],
    *,
    image_px: int = IMAGE_PX,
    least: int = MIN_FACES,
) -> NDArray[np.uint8]:
    """Average aligned gray faces into one image (image_px, image_px) that shows nobody.

    `landmarks` (n, 5, 2) are relative to each face's width and height. Fewer faces than `least` are
    refused with a ValueError: their average could be somebody's portrait.
    """
    if len(faces) < least:
        raise ValueError(f"`faces` must be {least} or more. Received {len(faces)}.")
    face_px = FACE_PX * image_px / IMAGE_PX
    spec = InputSpec(image_px, image_px, margin=(image_px / face_px - 1) / 2)
    total = np.zeros((image_px, image_px))
    weight = np.zeros_like(total)
    for face, points in zip(faces, landmarks, strict=True):
        size = np.array(face.shape[::-1], dtype=np.float32)
        matrix = landmark_transform(points * size, spec)
        matrix[:, 2] += matrix[:, :2] @ (0.5, 0.5) - 0.5
        even = (face - face.mean()) / max(float(face.std()), 1.0)
        total += _warp(even.astype(np.float32), matrix, image_px)
        weight += _warp(np.ones(face.shape, np.float32), matrix, image_px)
    average = total / np.maximum(weight, 1e-3)
    return _on_background(average, weight / len(faces))


def choose(
    data: Dataset,
    landmarks: NDArray[np.float32],
    *,
    label: int,
    agreement: float,
    count: int,
    rng: np.random.Generator,
) -> NDArray[np.intp]:
    """Rows of different faces that voters agree on and whose features lie where they are typical.

    `landmarks` (n, 5, 2) are relative to the crop; NaN where no face was found.
    """
    agreed = data.targets[:, label] >= agreement - 1e-6
    known = np.flatnonzero(agreed & ~np.isnan(landmarks[:, 0, 0]))
    spec = InputSpec(1000, 1000)
    placed = np.stack([_place(landmarks[row], spec) for row in known])
    distance = np.linalg.norm(placed - np.median(placed, axis=0), axis=2).mean(axis=1)
    enough = max(3 * count // 2, len(known) // 3)
    suitable = rng.permutation(known[np.argsort(distance, kind="stable")][:enough])
    # FER2013 holds many images more than once: duplicates would make the average a portrait.
    pixels = data.images[suitable].reshape(len(suitable), -1).astype(np.float32)
    alike = np.asarray(np.corrcoef(pixels))
    chosen: list[int] = []
    for candidate in range(len(suitable)):
        if len(chosen) < count and not np.any(alike[candidate, chosen] > SAME_IMAGE):
            chosen.append(candidate)
    return np.sort(suitable[chosen])


def _place(landmarks: NDArray[np.float32], spec: InputSpec) -> NDArray[np.float64]:
    points = landmarks.astype(np.float64)
    matrix = landmark_transform(points.astype(np.float32), spec)
    return points @ matrix[:, :2].T + matrix[:, 2]


def _warp(
    values: NDArray[np.float32], matrix: NDArray[np.float64], side_px: int
) -> NDArray[np.float32]:
    warped = cv2.warpAffine(values, matrix, (side_px, side_px), flags=cv2.INTER_CUBIC)
    return np.asarray(warped, dtype=np.float32)


def _on_background(average: NDArray[np.float64], cover: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Restore contrast and sharpness a little and fade the rim into the background."""
    side = len(average)
    soft = cv2.GaussianBlur(average, (0, 0), side / 80)
    sharp = average + 0.6 * (average - soft)
    inner = sharp[cover > 0.9]
    low, high = np.percentile(inner, [1, 99])
    gray = 25 + (sharp - low) / (high - low) * 205
    solid = np.clip((cover - 0.55) / 0.35, 0, 1)
    solid = cv2.GaussianBlur(solid, (0, 0), side / 60)
    return np.clip(np.round(gray * solid + BACKGROUND * (1 - solid)), 0, 255).astype(np.uint8)


def main() -> None:
    """Make the images and print what was made."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("faces", type=Path, help="Dataset file of FER+ faces")
    parser.add_argument("landmarks", type=Path, help="made by research.framing")
    parser.add_argument("out", type=Path, help="folder for the images")
    parser.add_argument("--count", type=int, default=48, help="faces in each average")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    data = load_dataset(options.faces)
    with np.load(options.landmarks, allow_pickle=False) as archive:
        landmarks = archive["landmarks"]
    rng = np.random.default_rng(options.seed)
    detector = get_detector("mtcnn")
    options.out.mkdir(parents=True, exist_ok=True)
    for label, emotion in enumerate(data.labels):
        agreement = AGREEMENT.get(emotion, COMMON_AGREEMENT)
        rows = choose(
            data,
            landmarks,
            label=label,
            agreement=agreement,
            count=options.count,
            rng=rng,
        )
        image = composite(data.images[rows, :, :, 0], landmarks[rows])
        found = detector(np.repeat(image[:, :, None], 3, axis=2))
        if len(found) != 1 or found[0].landmarks is None:
            raise SystemExit(f"{emotion}: the detector finds {len(found)} faces, not one.")
        path = options.out / f"{emotion}.png"
        cv2.imwrite(str(path), image, [cv2.IMWRITE_PNG_COMPRESSION, 9])
        away = np.abs(found[0].landmarks / IMAGE_PX - _expected()).max()
        print(
            f"{emotion}: {len(rows)} faces, agreement ≥ {agreement}, detector's score "
            f"{found[0].score:.3f}, landmarks off by {away:.1%}, {path.stat().st_size} bytes"
        )


def _expected() -> NDArray[np.float64]:
    side = FACE_PX / IMAGE_PX
    return (1 - side) / 2 + FRAMING.astype(np.float64) * side


if __name__ == "__main__":
    main()
