"""What the browser side of the benchmarks opens: frames, labeled faces and a camera."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from benchmarks.inputs import FRAME_SIZE, Pixels, enlarged, walkers, write_variants
from benchmarks.report import CannotMeasureError
from emopy.data import Dataset
from emopy.data.dataset import load_dataset
from emopy.labels import STANDARD_EMOTIONS
from emopy.samples import scene

VARIANTS = 4
CAMERA_FPS, CAMERA_S = 30, 4.0
_NOISE = 3.0


def write_images(folder: Path) -> dict[str, list[Path]]:
    """Write JPEG files of 640 × 480 pixels: a photograph with one face, scenes with five.

    Returns:
        The files by number of faces.
    """
    one, five = folder / "one", folder / "five"
    write_variants(one, VARIANTS)
    five.mkdir()
    rng = np.random.default_rng(0)
    actors = walkers(5, FRAME_SIZE, float(VARIANTS))
    frames = scene(actors, size=FRAME_SIZE, seconds=VARIANTS, fps=1)
    for frame, _ in frames:
        noisy = frame.image + rng.normal(0, _NOISE, frame.image.shape)
        image = np.rint(noisy).clip(0, 255).astype(np.uint8)
        quality = [cv2.IMWRITE_JPEG_QUALITY, 90]
        cv2.imwrite(str(five / f"{frame.number:05}.jpg"), image[:, :, ::-1], quality)
    return {"one face": sorted(one.iterdir()), "five faces": sorted(five.iterdir())}


def write_camera(path: Path) -> Path:
    """Write a scene with one face as raw video, which Chromium repeats as its camera."""
    width, height = FRAME_SIZE
    actors = walkers(1, FRAME_SIZE, CAMERA_S)
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{width} H{height} F{CAMERA_FPS}:1 Ip A1:1 C420\n".encode())
        for frame, _ in scene(actors, size=FRAME_SIZE, seconds=CAMERA_S, fps=CAMERA_FPS):
            file.write(b"FRAME\n")
            file.write(cv2.cvtColor(frame.image, cv2.COLOR_RGB2YUV_I420).tobytes())
    return path


def labeled_faces(data: Path, count: int) -> Dataset:
    """Draw faces of the seven standard emotions at random; all where there are fewer.

    Args:
        data: A file as `emopy data prepare` writes it.
        count: How many.
    """
    chosen = load_dataset(data).only(STANDARD_EMOTIONS)
    rows = np.random.default_rng(0).permutation(len(chosen))[:count]
    return chosen.take(np.sort(rows))


def write_faces(faces: Dataset, folder: Path) -> Sequence[Path]:
    """Write each face as a PNG file of 640 × 480 pixels: four times as large, in the middle."""
    folder.mkdir()
    files = []
    for number, crop in enumerate(faces.images):
        files.append(folder / f"{number:05}.png")
        cv2.imwrite(str(files[-1]), _portrait(crop))
    return files


def _portrait(crop: Pixels) -> Pixels:
    """A tight (H, W, 1) gray face crop in the middle of a frame; its border is replicated."""
    image = enlarged(crop)
    width, height = FRAME_SIZE
    x, y = (width - image.shape[1]) // 2, (height - image.shape[0]) // 2
    if min(x, y) < 0:
        raise CannotMeasureError(f"Faces of {crop.shape[:2]} pixels are too large: 60 or less.")
    sides = (y, height - image.shape[0] - y, x, width - image.shape[1] - x)
    return np.asarray(cv2.copyMakeBorder(image, *sides, cv2.BORDER_REPLICATE), np.uint8)
