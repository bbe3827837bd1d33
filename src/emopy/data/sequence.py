"""`SequenceDataLoader`: a folder of clips, one folder per clip inside one folder per emotion."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from emopy.data.dataset import Dataset
from emopy.data.folders import FolderReader, People, Samples, empty_folders, other_files
from emopy.data.image_stats import ImageStats
from emopy.data.skipped import SkippedSample, refuse
from emopy.errors import DataError, InputError
from emopy.media import find_images


class SequenceDataLoader:
    """Loads clips of one face each, given as images in a folder per clip.

        clips/anger/S005_001/1.png … 11.png
        clips/happy/S010_004/1.png … 14.png

    Frames follow each other in natural order of their names (``2.png`` before ``10.png``). The
    last `time_delay` frames are taken; the label is that of the last frame, the folder's name,
    read as `DirectoryDataLoader` reads it. Clips may lie deeper, in a folder per person. All
    frames are resized as prediction would do it.

    Args:
        path: The folder that holds the folders of the emotions.
        time_delay: Frames per clip, 2 or more. Shorter clips are left out and listed.
        size: (height, width) in pixels that every frame is resized to.
        channels: 1 for gray, 3 for RGB.
        target_emotions: Labels to load, in this order; every folder by default.
        people: Who is shown: a regular expression, searched in the path of the clip's folder
            below `path` (its first group, or the whole match, is the person), or a function of
            that path. Nobody is known by default.
        strict: Refuse the folder when any clip or file is bad; otherwise they are listed in
            `skipped` and the rest is loaded.

    Attributes:
        problems: Clips and files that `load_data` could not use.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        time_delay: int = 4,
        size: tuple[int, int] = (48, 48),
        channels: int = 1,
        target_emotions: str | Sequence[str] | None = None,
        people: People | None = None,
        strict: bool = False,
    ) -> None:
        if type(time_delay) is not int or time_delay < 2:
            raise DataError(
                f"`time_delay` must be a whole number of frames, 2 or more. Received "
                f"{time_delay!r}. Type for example time_delay=4, or take DirectoryDataLoader for "
                "stills."
            )
        self.path = Path(path)
        self.time_delay = time_delay
        self.strict = strict
        self.skipped: tuple[SkippedSample, ...] = ()
        self._reader = FolderReader(self.path, size, channels, target_emotions, people)

    @property
    def sources(self) -> ImageStats:
        """Sizes and colours of the images that the last `load_data` read."""
        return self._reader.sources

    def load_data(self) -> Dataset:
        """Read the clips, label by label, in natural order of their names.

        A label whose folder is empty stays, with no sample.

        Returns:
            (n, time_delay, height, width, channels) clips with one-hot targets; labels in
            alphabetical order, or as asked for; `origin` is the clip's folder below `path`.

        Raises:
            DataError: No such folder, fewer than two labels, or no clip that is long enough;
                with ``strict``, any bad clip or file.
            LabelError: A wanted label has no folder.
        """
        skipped: list[SkippedSample] = []
        data = self._reader.load(self._clips, skipped)
        self.skipped = tuple(skipped)
        if self.strict:
            refuse(skipped, "clips or files")
        return data

    def _clips(self, folder: Path, skipped: list[SkippedSample]) -> Samples:
        images = find_images([folder], recursive=True)
        skipped += other_files(folder, images)
        skipped += [
            SkippedSample(str(empty), "a clip without frames") for empty in empty_folders(folder)
        ]
        clips: dict[Path, list[Path]] = {}
        for file in images:
            clips.setdefault(file.parent, []).append(file)
        for file in clips.pop(folder, []):
            skipped.append(SkippedSample(str(file), "an image outside the folders of the clips"))
        for clip, frames in clips.items():
            if len(frames) < self.time_delay:
                reason = f"has {len(frames)} frames, fewer than time_delay={self.time_delay}"
                skipped.append(SkippedSample(str(clip), reason))
                continue
            try:
                # A gap in time is worse than a missing clip: one bad frame spoils it.
                read = [self._reader.read(file) for file in frames[-self.time_delay :]]
            except InputError as error:
                skipped.append(SkippedSample(str(clip), f"a frame cannot be read: {error}"))
            else:
                yield clip, np.stack(read)
