"""Write the sample data as files: something for every loader to read."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from emopy.data.dataset import Dataset
from emopy.errors import DataError
from emopy.samples.crops import CLIP_FRAMES, sample_clips, sample_stills
from emopy.samples.scenes import scene

_USAGE = {"train": "Training", "test": "PrivateTest"}
"""Names of the parts in the column `Usage` of FER2013."""


def write_samples(folder: str | os.PathLike[str]) -> Path:
    """Write the sample stills, clips and a video as the files that people keep faces in.

        OUT/stills/train/anger/000.png          one folder per emotion
        OUT/stills/test/anger/000.png
        OUT/clips/train/anger/000/0.png … 7.png one folder per clip
        OUT/clips/test/anger/000/0.png … 7.png
        OUT/stills.csv                          as FER2013: emotion,pixels,Usage
        OUT/scene.avi                           two faces that move, for eight seconds

    Args:
        folder: A new or empty folder; made with its parents if missing.

    Returns:
        The folder.

    Raises:
        DataError: The folder holds something, is a file, or cannot be written to.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise DataError(
                f"`folder` must be new or empty. Received {folder}, which holds files. "
                "Name another folder."
            )
        stills = sample_stills()
        for image, origin in zip(stills.images, stills.sources, strict=True):
            _write_image(folder / "stills" / f"{origin}.png", image)
        clips = sample_clips(frames=CLIP_FRAMES)
        for clip, origin in zip(clips.images, clips.sources, strict=True):
            for number, frame in enumerate(clip):
                _write_image(folder / "clips" / str(origin) / f"{number}.png", frame)
        _write_csv(folder / "stills.csv", stills)
        _write_video(folder / "scene.avi")
    except OSError as error:
        raise DataError(
            f"`folder` must be a folder that you may write to. Received {folder}: {error}. "
            "Name another folder."
        ) from error
    return folder


def _write_image(path: Path, image: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    _, content = cv2.imencode(".png", image)
    path.write_bytes(content.tobytes())


def _write_csv(path: Path, stills: Dataset) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["emotion", "pixels", "Usage"])
        for image, label, origin in zip(stills.images, stills.truth, stills.sources, strict=True):
            pixels = " ".join(map(str, image.ravel().tolist()))
            rows.writerow([stills.labels[label], pixels, _USAGE[str(origin).split("/")[0]]])


def _write_video(path: Path) -> None:
    size, fps = (640, 480), 25.0
    # Motion JPEG is the codec that OpenCV itself brings.
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), fps, size)
    if not writer.isOpened():
        raise OSError(f"{path.name} cannot be written")
    for frame, _ in scene(size=size, fps=fps):
        writer.write(frame.image[..., ::-1])
    writer.release()
