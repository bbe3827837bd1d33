"""`open_data`: load labeled faces from a file or folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

from emopy.data.csv import CSVDataLoader
from emopy.data.csv_layout import CSVSettings, read_settings, settings_path
from emopy.data.dataset import Dataset, load_dataset
from emopy.data.directory import DirectoryDataLoader, SubjectRule
from emopy.errors import DataError, naming
from emopy.media import DEFAULT_MAX_PIXELS
from emopy.media.paths import is_system_entry


class Loader(Protocol):
    """Anything that loads labeled faces."""

    def load_data(self) -> Dataset:
        """Load the faces; `Dataset.skipped` lists what could not be used."""
        ...


def open_data(
    path: str | os.PathLike[str],
    *,
    num_frames: int | None = None,
    size: tuple[int, int] = (48, 48),
    channels: int = 1,
    subject_regex: SubjectRule | None = None,
    max_pixels: int = DEFAULT_MAX_PIXELS,
) -> Dataset:
    """Load labeled faces from a file or folder.

    Args:
        path: A ``.npz`` file that `Dataset.save` wrote; a ``.csv`` file with one face per row,
            read as ``faces.csv.toml`` beside it says (`CSVSettings`), ``faces.csv#SPLIT`` for the
            rows of one split; or a folder with one folder per emotion.
        num_frames: Frames per clip if a folder holds clips; None for stills.
        size: (height, width) that the images of a folder are resized to; files keep theirs.
        channels: 1 for gray or 3 for RGB images of a folder; files keep theirs.
        subject_regex: Subject ids of a folder, see `DirectoryDataLoader`.
        max_pixels: Largest image of a folder that is loaded, width × height in pixels.

    Returns:
        The faces; `Dataset.skipped` lists the files and rows that could not be used.

    Raises:
        DataError: None of these, unusable data, or a wrong ``faces.csv.toml``.
    """
    path = Path(path)
    if path.is_dir():
        names = [file.name for file in path.glob("*.npz")]
        if files := sorted(name for name in names if not is_system_entry(name)):
            raise DataError(
                f"`path` must be one data set. Received {path}, which holds {', '.join(files)}. "
                f"Type for example: {path / files[0]}"
            )
        loader = DirectoryDataLoader(
            path, num_frames=num_frames, size=size, channels=channels, subject_regex=subject_regex
        )
        loader.max_pixels = max_pixels
        return loader.load_data()
    if subject_regex is not None:
        raise DataError(
            "`path` must be a folder if `subject_regex` is given: it is searched in the paths of "
            f"images. Received {path}. In FILE.csv.toml, subject_column names the column of the "
            "subject ids of FILE.csv."
        )
    if path.suffix.lower() == ".npz":
        return load_dataset(path)
    if (csv := read_settings(path)) is not None:
        file, settings = csv
        names = {key: f"{settings_path(file)}: {key}" for key in CSVSettings.__annotations__}
        with naming(**names | {"usage": "#SPLIT"}):
            return CSVDataLoader(file, **settings).load_data()
    reason = "not such a file" if path.exists() else "no such file"
    raise DataError(
        "`path` must be a .npz file of faces, a .csv file with one face per row, or a folder "
        f"with one folder per emotion. Received {path}: {reason}."
    )
