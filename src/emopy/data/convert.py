"""Labelled faces as folders of images: one folder per label, which the loaders read again."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from emopy.data.dataset import Dataset
from emopy.errors import DataError
from emopy.labels import canonical
from emopy.media import IMAGE_SUFFIXES

_LONGEST_NAME = 100


def save_folders(data: Dataset, path: str | os.PathLike[str]) -> Path:
    """Write each sample as a PNG file, or each clip as a folder of them, in its label's folder.

    Names are made of person, source and row. A label without a sample has an empty folder. A
    image has one label only: of soft targets the dominant one is kept.

    Args:
        data: Stills for `DirectoryDataLoader`, or clips for
            `DirectoryDataLoader` with `num_frames`.
        path: The new folder; it appears only when all is written.

    Returns:
        The folder.

    Raises:
        DataError: The folder holds something already, or a label cannot be a folder's name.
    """
    for label in data.labels:
        if canonical(label) != label or not label or _safe(label) != label:
            raise DataError(
                "`labels` must be in their standard spelling and fit to name a folder. Received "
                f"{label!r}. Type for example {_safe(canonical(label)) or 'anger'!r}."
            )
    with new_folder(path) as folder:
        for label in data.labels:
            (folder / label).mkdir()
        for row, column in enumerate(data.truth):
            target = folder / data.labels[column] / _name(data, row)
            if data.images.ndim == 4:
                save_image(data.images[row], target.with_name(f"{target.name}.png"))
                continue
            target.mkdir()
            for number, frame in enumerate(data.images[row], start=1):
                save_image(frame, target / f"{number:04}.png")
    return Path(path)


def save_image(image: NDArray[np.uint8], path: Path) -> None:
    """Write an image (H, W, 1 | 3), RGB or gray; colour without colour becomes gray."""
    gray = image.shape[-1] == 1 or bool((image == image[..., :1]).all())
    Image.fromarray(np.ascontiguousarray(image[..., 0] if gray else image)).save(path)


@contextmanager
def new_folder(path: str | os.PathLike[str]) -> Generator[Path]:
    """Fill a folder under a temporary name beside its place, and rename it when all went well.

    Yields:
        The folder to write to.

    Raises:
        DataError: Something is there already, or nothing may be written there.
    """
    target = Path(path).absolute()
    if target.is_file() or (target.is_dir() and any(target.iterdir())):
        raise DataError(
            f"`out` must be a new or empty folder. Received {path}, which holds something. "
            "Choose another, or empty it."
        )
    partial = target.with_name(f".{os.getpid()}.partial.{target.name}")
    try:
        partial.mkdir(parents=True)
    except OSError as error:
        raise DataError(
            f"`out` must be a folder that can be made. Received {path}: {error.strerror}. "
            "Choose another."
        ) from error
    try:
        yield partial
        if target.is_dir():
            target.rmdir()
        partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _name(data: Dataset, row: int) -> str:
    """A file name that tells where a sample came from, and is unique by its row."""
    source = Path(str(data.sources[row]))
    stem = source.with_suffix("") if source.suffix.lower() in IMAGE_SUFFIXES else source
    person = str(data.subject_ids[row])
    told = [] if person in str(stem) else [person]
    return _safe("_".join([*told, str(stem), f"{row:06}"]))[-_LONGEST_NAME:].lstrip(" .-")


def _safe(name: str) -> str:
    """Only letters, digits and signs that every file system takes; no leading dot."""
    return re.sub(r"[^\w. +-]+", "-", name).strip(" .-")
