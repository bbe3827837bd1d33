"""Write the sample data as files, in every layout that can be loaded."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import cv2

from emopy.data.dataset import Dataset
from emopy.data.directory import save_image
from emopy.errors import InputError, naming
from emopy.files import atomic_folder
from emopy.samples.crops import CLIP_FRAMES, sample_clips, sample_stills
from emopy.samples.scenes import scene

_USAGES = {"train": "Training", "test": "PrivateTest"}
"""Names of the splits in the column `Usage` of FER2013."""


def write_samples(folder: str | os.PathLike[str]) -> Path:
    """Write the sample stills, clips and a video as files.

        OUT/stills/train/anger/000.png          one folder per emotion
        OUT/stills/test/anger/000.png
        OUT/clips/train/anger/000/0.png … 7.png one folder per clip
        OUT/clips/test/anger/000/0.png … 7.png
        OUT/stills.csv                          like FER2013: emotion,pixels,Usage
        OUT/scene.avi                           two moving faces, eight seconds

    Args:
        folder: A new or empty folder; it appears only after all is written.

    Returns:
        The folder.

    Raises:
        InputError: The folder is not empty, is a file, or cannot be written.
    """
    with naming(path="folder"), atomic_folder(folder) as out:
        stills, clips = sample_stills(), sample_clips(frames=CLIP_FRAMES)
        for image, source in zip(stills.images, stills.sources, strict=True):
            path = out / "stills" / f"{source}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            save_image(image, path)
        for clip, source in zip(clips.images, clips.sources, strict=True):
            path = out / "clips" / str(source)
            path.mkdir(parents=True)
            for number, frame in enumerate(clip):
                save_image(frame, path / f"{number}.png")
        _write_csv(out / "stills.csv", stills)
        _write_video(out / "scene.avi")
    return Path(folder)


def _write_csv(path: Path, stills: Dataset) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["emotion", "pixels", "Usage"])
        for image, label, source in zip(stills.images, stills.truth, stills.sources, strict=True):
            pixels = " ".join(map(str, image.ravel().tolist()))
            rows.writerow([stills.labels[label], pixels, _USAGES[str(source).split("/")[0]]])


def _write_video(path: Path) -> None:
    size, fps = (640, 480), 25.0
    # Motion JPEG is the codec that OpenCV itself contains.
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), fps, size)
    if not writer.isOpened():
        raise InputError(f"`path` must be a folder that can be written. {path.name} cannot.")
    for frame, _ in scene(size=size, fps=fps):
        writer.write(frame.image[..., ::-1])
    writer.release()
