"""One folder per label: what the loaders of stills and of clips read alike."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from emopy.data.dataset import Dataset
from emopy.data.image_stats import ImageStats
from emopy.data.skipped import SkippedSample
from emopy.errors import DataError
from emopy.labels import canonical, select_labels
from emopy.media import IMAGE_SUFFIXES, read_image
from emopy.models.card import InputSpec
from emopy.models.preprocessing import to_pixels

People: TypeAlias = str | re.Pattern[str] | Callable[[Path], str]
"""How a person is known: a regular expression for a path, or a function of it."""

Samples: TypeAlias = Iterator[tuple[Path, NDArray[np.uint8]]]
"""Path and pixels of each still, or of each clip."""

SMALLEST_PX = 8
"""Smallest side of a face that a network can use."""

_LITTER = {"thumbs.db", "desktop.ini"}
"""What Windows leaves in folders of images."""


@dataclass(slots=True)
class FolderReader:
    """Reads a folder that holds one folder per label.

    Attributes:
        path: The folder.
        size: (height, width) of the result in pixels.
        channels: 1 for gray, 3 for RGB.
        target_emotions: Labels to load, in this order; None for all.
        people: Who is shown, by the path below `path`; None for nobody.
        sources: How the images of the last `load` were before they were resized.
    """

    path: Path
    size: tuple[int, int]
    channels: int
    target_emotions: str | Sequence[str] | None
    people: People | None
    sources: ImageStats = field(default_factory=ImageStats, init=False)

    def __post_init__(self) -> None:
        if len(self.size) != 2 or min(self.size) < SMALLEST_PX or self.channels not in (1, 3):
            raise DataError(
                f"`size` must be (height, width) of at least {SMALLEST_PX} pixels and `channels` "
                f"1 or 3. Received size={self.size}, channels={self.channels}."
            )
        person_finder(self.people)  # a bad pattern shows at once

    def load(
        self, samples: Callable[[Path, list[SkippedSample]], Samples], skipped: list[SkippedSample]
    ) -> Dataset:
        """Read every label's folders.

        Args:
            samples: Finds and reads what one folder of a label holds.
            skipped: Receives what could not be read.

        Raises:
            DataError: No such folder, fewer than two labels, or nothing that could be read.
            LabelError: A wanted label has no folder.
        """
        self.sources = ImageStats()
        folders = label_folders(self.path, skipped)
        labels = tuple(sorted(folders))
        if self.target_emotions is not None:
            labels = select_labels(self.target_emotions, labels).known
        images: list[NDArray[np.uint8]] = []
        truth: list[int] = []
        files: list[Path] = []
        for column, label in enumerate(labels):
            for folder in folders[label]:
                for file, image in samples(folder, skipped):
                    images.append(image)
                    truth.append(column)
                    files.append(file.relative_to(self.path))
        if not images:
            first = f", the first: {skipped[0]}" if skipped else ""
            raise DataError(
                f"`path` must hold images in its folders {', '.join(labels)}. Received "
                f"{self.path}: none could be read ({len(skipped)} problems{first})."
            )
        person = person_finder(self.people)
        return Dataset(
            np.stack(images),
            np.eye(len(labels), dtype=np.float32)[truth],
            labels,
            np.array([person(file) for file in files], dtype=np.str_),
            np.array([file.as_posix() for file in files], dtype=np.str_),
        )

    def read(self, file: Path) -> NDArray[np.uint8]:
        """Read one image, resized as prediction would do it.

        Returns:
            (height, width, channels) uint8.

        Raises:
            InputError: Not a readable image.
        """
        image = read_image(file)
        self.sources.add(image)
        return to_pixels([image], InputSpec(*self.size, self.channels))[0]


def label_folders(path: Path, skipped: list[SkippedSample]) -> dict[str, list[Path]]:
    """Folders of each label; two spellings of one emotion share an entry.

    Raises:
        DataError: No such folder, or fewer than two labels in it.
    """
    if not path.is_dir():
        raise DataError(f"`path` must be a folder of folders. Received {path}: no such folder.")
    found: dict[str, list[Path]] = {}
    for entry in sorted(path.iterdir()):
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            found.setdefault(canonical(entry.name), []).append(entry)
        elif entry.suffix.lower() in IMAGE_SUFFIXES:
            skipped.append(SkippedSample(str(entry), "an image outside the folders of the labels"))
    if len(found) < 2:
        raise DataError(
            "`path` must hold at least two folders named after emotions, such as anger/ and "
            f"happiness/. Received {path} with {', '.join(found) or 'none'}."
        )
    return found


def other_files(folder: Path, images: Iterable[Path]) -> list[SkippedSample]:
    """Name the files of a folder that are no images; hidden ones and litter are passed over."""
    files = {
        Path(here, name)
        for here, _, names in _visible(folder)
        for name in names
        if name.lower() not in _LITTER
    }
    others = sorted(files - set(images))
    return [SkippedSample(str(file), "not an image by its suffix") for file in others]


def empty_folders(folder: Path) -> list[Path]:
    """Folders below a folder that hold nothing to see."""
    return sorted(
        Path(here)
        for here, folders, names in _visible(folder)
        if not folders and not names and Path(here) != folder
    )


def _visible(folder: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    for here, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield here, folders, [name for name in names if not name.startswith(".")]


def person_finder(people: People | None) -> Callable[[Path], str]:
    """Make a function that tells who is shown from a path.

    Raises:
        DataError: Not a regular expression.
    """
    if people is None:
        return lambda _: ""
    if callable(people):
        return people
    try:
        pattern = re.compile(people)
    except re.error as error:
        raise DataError(
            f"`people` must be a regular expression. Received {people!r}: {error}. "
            r"Type for example r'(S\d+)_'."
        ) from error

    def find(file: Path) -> str:
        match = pattern.search(file.as_posix())
        return (match[1] if pattern.groups else match[0]) or "" if match else ""

    return find
