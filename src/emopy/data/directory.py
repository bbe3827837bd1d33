"""`DirectoryDataLoader`: a folder of images, one folder per emotion."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from emopy.data.dataset import Dataset
from emopy.data.folders import FolderReader, People, Samples, other_files
from emopy.data.image_stats import ImageStats
from emopy.data.skipped import SkippedSample, refuse
from emopy.errors import InputError
from emopy.media import find_images


class DirectoryDataLoader:
    """Loads face images that are sorted into one folder per emotion.

        faces/anger/001.png
        faces/happy/001.jpg      # "happy" is read as "happiness"

    Folder names are labels: aliases are understood, two spellings of one emotion are merged,
    other words become labels of your own. Images may lie deeper, in a folder per person.
    Every image is one face and is resized as prediction would do it.

    Args:
        path: The folder that holds the folders.
        size: (height, width) in pixels that every image is resized to.
        channels: 1 for gray, 3 for RGB.
        target_emotions: Labels to load, in this order; every folder by default.
        people: Who is shown: a regular expression, searched in the path below `path` (its first
            group, or the whole match, is the person), or a function of that path. Nobody is
            known by default.
        strict: Refuse the folder when any file is bad; otherwise bad files are listed in
            `skipped` and the rest is loaded.

    Attributes:
        problems: Files that `load_data` could not read.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        size: tuple[int, int] = (48, 48),
        channels: int = 1,
        target_emotions: str | Sequence[str] | None = None,
        people: People | None = None,
        strict: bool = False,
    ) -> None:
        self.path = Path(path)
        self.strict = strict
        self.skipped: tuple[SkippedSample, ...] = ()
        self._reader = FolderReader(self.path, size, channels, target_emotions, people)

    @property
    def sources(self) -> ImageStats:
        """Sizes and colours of the images that the last `load_data` read."""
        return self._reader.sources

    def load_data(self) -> Dataset:
        """Read the images, label by label, in natural order of their names.

        A label whose folder is empty stays, with no sample.

        Returns:
            (n, height, width, channels) faces with one-hot targets; labels in alphabetical
            order, or as asked for; `origin` is the path below `path`.

        Raises:
            DataError: No such folder, fewer than two labels, or no image; with ``strict``,
                any bad file.
            LabelError: A wanted label has no folder.
        """
        skipped: list[SkippedSample] = []
        data = self._reader.load(self._stills, skipped)
        self.skipped = tuple(skipped)
        if self.strict:
            refuse(skipped, "files")
        return data

    def _stills(self, folder: Path, skipped: list[SkippedSample]) -> Samples:
        images = find_images([folder], recursive=True)
        skipped += other_files(folder, images)
        for file in images:
            try:
                yield file, self._reader.read(file)
            except InputError as error:
                skipped.append(SkippedSample(str(file), str(error)))
