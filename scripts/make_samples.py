"""Make the packaged sample data: composite stills and clips in the seven standard emotions.

    python scripts/make_samples.py FACES.npz LANDMARKS.npz

Each image is the average of at least 30 faces whose voters agree on the emotion, each from
another random draw: nobody's portrait. The faces of each emotion are first divided in two; one
group makes the training split, the other the test split.

A draw takes candidates at random, 120 faces or four fifths of a smaller group, and keeps the 30 of
them that suit a random pattern of light and dark best. No two draws of the package hold the same
30 faces: the script ends with an error if one comes up again. An image morphs from a neutral
composite to one of the emotion, by a triangulated warp between their landmarks and a
cross-dissolve, so that 30 to 60 faces stand behind it. Only the frames of one clip come from the
same draw.

Draws, lighting, strength, framing and contrast vary by a seed: the same arguments give the same
bytes. The sheets go to the package; ``write_images.py`` draws the images of docs/data.md from them.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from emopy.data.dataset import load_dataset
from emopy.labels import STANDARD_EMOTIONS
from make_composites import FACE_PX, IMAGE_PX
from sample_draws import (
    FACES_IN_EACH,
    SIDE_PX,
    WORK_PX,
    GrayImage,
    Mean,
    Pool,
    draw,
    make_pools,
    morph,
)

STILLS = {"train": 48, "test": 16}
CLIPS = {"train": 24, "test": 8}
CLIP_FRAMES = 8
"""Stills and clips of each emotion, and frames of each clip."""

GRAY_STEP = 4
"""Gray values are rounded to its multiples: invisible, and sheets are a third smaller."""


@dataclass(frozen=True)
class Camera:
    """How an image is taken: framing, light, and what drifts during a clip."""

    turn: float
    zoom: float
    shift: tuple[float, float]
    contrast: float
    brightness: float
    mirrored: bool
    drift: tuple[float, float]

    @classmethod
    def random(cls, rng: np.random.Generator) -> Camera:
        """A random camera with the framing errors of a face detector."""
        return cls(
            turn=float(rng.normal(0, 5)),
            zoom=float(np.exp(rng.normal(0.02, 0.06))),
            shift=(float(rng.normal(0, 1.2)), float(rng.normal(0, 1.2))),
            contrast=float(rng.uniform(0.55, 1.1)),
            brightness=float(rng.normal(-6, 16)),
            mirrored=bool(rng.integers(2)),
            drift=(float(rng.normal(0, 0.8)), float(rng.normal(0, 0.8))),
        )

    def take(self, image: GrayImage, *, time: float = 0.0) -> NDArray[np.uint8]:
        """Cut the face out of a (WORK_PX, WORK_PX) composite, as (48, 48) uint8.

        `time`, 0–1 within a clip, moves the head a little.
        """
        double = 2 * SIDE_PX
        scale = self.zoom * double * IMAGE_PX / (FACE_PX * WORK_PX)
        middle = (WORK_PX - 1) / 2
        matrix = cv2.getRotationMatrix2D((middle, middle), self.turn, scale)
        moved = np.add(self.shift, np.multiply(time, self.drift))
        matrix[:, 2] += (double - 1) / 2 - middle + 2 * moved
        border, size = cv2.BORDER_REPLICATE, (double, double)
        large = cv2.warpAffine(image, matrix, size, flags=cv2.INTER_CUBIC, borderMode=border)
        small = np.asarray(cv2.resize(large, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA))
        if self.mirrored:
            small = small[:, ::-1]
        gray = 128 + (small - 128) * self.contrast + self.brightness
        return np.clip(np.round(gray / GRAY_STEP) * GRAY_STEP, 0, 255).astype(np.uint8)


def make_still(pools: dict[str, Pool], emotion: str, rng: np.random.Generator) -> NDArray[np.uint8]:
    """One still: the emotion at 55 to 100 % of its strength."""
    calm, peak, strength = _draw_pair(pools, emotion, rng, weakest=0.55)
    return Camera.random(rng).take(morph(calm, peak, strength))


def make_clip(pools: dict[str, Pool], emotion: str, rng: np.random.Generator) -> NDArray[np.uint8]:
    """One clip (frames, 48, 48): from neutral, slowly, faster, slowly, to 75 to 100 %.

    A neutral clip goes to another neutral composite.
    """
    calm, peak, strength = _draw_pair(pools, emotion, rng, weakest=0.75)
    camera = Camera.random(rng)
    times = np.linspace(0, 1, CLIP_FRAMES)
    weights = strength * times**2 * (3 - 2 * times)
    return np.stack(
        [
            camera.take(morph(calm, peak, float(weight)), time=float(time))
            for time, weight in zip(times, weights, strict=True)
        ]
    )


def sheet(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(rows, columns, 48, 48) → one image (rows · 48, columns · 48)."""
    rows, columns = images.shape[:2]
    return images.transpose(0, 2, 1, 3).reshape(rows * SIDE_PX, columns * SIDE_PX)


def _draw_pair(
    pools: dict[str, Pool], emotion: str, rng: np.random.Generator, *, weakest: float
) -> tuple[Mean, Mean, float]:
    """A neutral composite, one of the emotion, and its strength.

    Both suit one smooth random pattern: neighbors are alike, as light and hair are.
    """
    coarse = rng.normal(size=(3, 3)).astype(np.float32)
    smooth = cv2.resize(coarse, (6, 6), interpolation=cv2.INTER_LINEAR)
    preference = np.asarray(smooth, dtype=np.float32).ravel()
    strength = float(rng.uniform(weakest, 1))
    calm, peak = (draw(pools[name], preference, rng) for name in ("neutral", emotion))
    return calm, peak, strength


def _write(path: Path, image: NDArray[np.uint8]) -> None:
    # Lossless, and a sixth smaller than PNG.
    Image.fromarray(image).convert("RGB").save(path, lossless=True, quality=100, method=6)
    print(f"{path}: {image.shape[1]} × {image.shape[0]}, {path.stat().st_size:,} bytes")


def main() -> None:
    """Make the sheets and print what was made."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("faces", type=Path, help="Dataset file of FER+ faces")
    parser.add_argument("landmarks", type=Path, help="made by research.framing")
    parser.add_argument("--out", type=Path, default=Path("src/emopy/samples/sheets"))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with np.load(options.landmarks, allow_pickle=False) as archive:
        landmarks = archive["landmarks"]
    rng = np.random.default_rng(options.seed)
    pools = make_pools(load_dataset(options.faces), landmarks, rng)
    options.out.mkdir(parents=True, exist_ok=True)
    for split, faces in pools.items():
        names = np.repeat(STANDARD_EMOTIONS, STILLS[split])
        stills = np.stack([make_still(faces, name, rng) for name in names])
        by_emotion = stills.reshape(len(STANDARD_EMOTIONS), -1, SIDE_PX, SIDE_PX)
        _write(options.out / f"stills-{split}.webp", sheet(by_emotion))
        names = np.repeat(STANDARD_EMOTIONS, CLIPS[split])
        clips = np.stack([make_clip(faces, name, rng) for name in names])
        _write(options.out / f"clips-{split}.webp", sheet(clips))
    content = {
        "labels": list(STANDARD_EMOTIONS),
        "side_px": SIDE_PX,
        "clip_frames": CLIP_FRAMES,
        "faces_in_each": FACES_IN_EACH,
        "source_faces": {
            split: {name: len(pool.faces) for name, pool in group.items()}
            for split, group in pools.items()
        },
        "different_draws": {
            split: {name: len(pool.drawn) for name, pool in group.items()}
            for split, group in pools.items()
        },
    }
    text = json.dumps(content, indent=2) + "\n"
    (options.out / "sheets.json").write_text(text, encoding="utf-8", newline="\n")
    print(text)


if __name__ == "__main__":
    main()
